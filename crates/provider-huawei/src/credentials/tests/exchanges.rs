//! What is asked for in exchange for a token, a password or an identity.

use std::time::Duration;

use lifecycle_core::{Endpoint, Secret};
use serde_json::json;

use super::*;

fn local() -> CredentialSourceConfig {
    CredentialSourceConfig::in_region("cn-north-4")
        .with_identity(Endpoint::parse("http://127.0.0.1:7070").unwrap())
}

fn with_subject_token(mut reply: HttpResponse) -> HttpResponse {
    let token = "hidden-subject".parse().unwrap();
    reply.headers_mut().insert("x-subject-token", token);
    reply
}

const OIDC: [(&str, &str); 8] = [
    ("HUAWEICLOUD_OIDC_PROVIDER_URN", "iam::acc:provider:p"),
    ("HUAWEICLOUD_OIDC_AGENCY_URN", "iam::acc:agency:a"),
    ("HUAWEICLOUD_OIDC_TOKEN_FILE", "token"),
    ("token", "id-token-1\n"),
    ("HUAWEICLOUD_OIDC_SESSION_NAME", "sess"),
    ("HUAWEICLOUD_OIDC_DURATION_SECONDS", "1800"),
    ("HUAWEICLOUD_OIDC_POLICY", r#"{"Version":"5.0"}"#),
    ("HUAWEICLOUD_OIDC_POLICY_IDS", " p1, p2,"),
];

/// Path, headers and body as huaweicloudsdkcore 3.1.219 sends them (`OidcStsAccessor`, recorded).
#[test]
fn an_openid_token_becomes_a_key_of_an_agency() {
    let toy = Toy::new(&OIDC);
    let answer = r#"{"credentials": {
        "access_key_id": "ISSUED0000000000001",
        "secret_access_key": "hidden-secret",
        "security_token": "hidden-token",
        "expiration": "2025-11-22T11:50:00.000Z"
    }}"#;
    let origin = OidcAgency::new().with_config(local());
    let way = drive(origin.begin(&ctx(&toy)), &toy, [Ok(reply(200, answer))]);
    assert_eq!(
        way.lines(),
        ["POST http://127.0.0.1:7070/v5/agencies/assume-with-oidc"]
    );
    assert_eq!(way.asked[0].0, "AssumeAgencyWithOIDC");
    assert_eq!(way.asked[0].1, ServiceKind::Identity);
    assert_eq!(
        way.header(0, "content-type"),
        Some("application/json;charset=UTF-8")
    );
    assert_eq!(way.header(0, "authorization"), None);
    assert_eq!(
        way.body(0),
        json!({
            "provider_urn": "iam::acc:provider:p",
            "agency_urn": "iam::acc:agency:a",
            "agency_session_name": "sess",
            "id_token": "id-token-1",
            "duration_seconds": 1800,
            "policy": "{\"Version\":\"5.0\"}",
            "policy_ids": ["p1", "p2"],
        })
    );
    let grant = way.grant();
    assert_eq!(key(&grant), ("ISSUED0000000000001", Some("hidden-token")));
    assert_eq!(grant.source, "agency iam::acc:agency:a (OIDC)");
    assert_eq!(
        (grant.expires, grant.renewal),
        (Some(end_of_issued()), None)
    );
}

#[test]
fn what_an_agency_needs_not_is_left_out() {
    let texts = [
        OIDC[0],
        OIDC[1],
        ("HUAWEICLOUD_OIDC_ID_TOKEN", "id"),
        OIDC[2],
    ];
    let toy = Toy::new(&texts);
    let ExchangeStep::Http(ask) = OidcAgency::new().begin(&ctx(&toy)) else {
        panic!("nothing is asked");
    };
    assert_eq!(
        ask.request.uri(),
        "https://sts.cn-north-4.myhuaweicloud.com/v5/agencies/assume-with-oidc"
    );
    let body: serde_json::Value = serde_json::from_slice(ask.request.body()).unwrap();
    assert_eq!(
        body,
        json!({
            "provider_urn": "iam::acc:provider:p",
            "agency_urn": "iam::acc:agency:a",
            "agency_session_name": "lifecycle-1763726400",
            "id_token": "id",
            "duration_seconds": 3600,
        })
    );
}

#[test]
fn an_openid_token_has_to_be_there() {
    for (texts, expected) in [
        (
            &OIDC[..2],
            "HUAWEICLOUD_OIDC_TOKEN_FILE is not set, but related variables are",
        ),
        (&OIDC[..3], "token is a token file, but does not exist"),
        (
            &[OIDC[0], OIDC[1], OIDC[2], ("token", " \n")],
            "token is a token file, but is empty",
        ),
        (
            &[
                OIDC[0],
                OIDC[1],
                OIDC[2],
                OIDC[3],
                ("HUAWEICLOUD_OIDC_DURATION_SECONDS", "1h"),
            ],
            "HUAWEICLOUD_OIDC_DURATION_SECONDS has the invalid value \"1h\": use a number of seconds",
        ),
        (
            &[
                OIDC[0],
                OIDC[1],
                OIDC[2],
                OIDC[3],
                ("HUAWEICLOUD_SDK_STS_ENDPOINT", "ftp://sts"),
            ],
            "HUAWEICLOUD_SDK_STS_ENDPOINT: ",
        ),
    ] {
        let fault = refused(&OidcAgency::new(), texts);
        assert!(fault.message().starts_with(expected), "{fault}");
    }
}

/// Paths, headers and bodies as huaweicloudsdkcore 3.1.219 sends them (`FederalAccessor`, recorded).
#[test]
fn an_identity_provider_vouches_for_a_key() {
    let toy = Toy::new(&[("token", "id-token-1\n")]);
    let origin = IdentityProvider::new("idp-1", "token").with_config(local());
    let answers = [
        Ok(with_subject_token(reply(201, r#"{"token": {}}"#))),
        Ok(reply(201, ISSUED)),
    ];
    let way = drive(origin.begin(&ctx(&toy)), &toy, answers);
    assert_eq!(
        way.lines(),
        [
            "POST http://127.0.0.1:7070/v3.0/OS-AUTH/id-token/tokens",
            "POST http://127.0.0.1:7070/v3.0/OS-CREDENTIAL/securitytokens"
        ]
    );
    assert_eq!(way.header(0, "x-idp-id"), Some("idp-1"));
    assert_eq!(
        way.body(0),
        json!({"auth": {"id_token": {"id": "id-token-1"}}})
    );
    assert_eq!(way.header(1, "x-idp-id"), None);
    let token = json!({"id": "hidden-subject", "duration_seconds": 21600});
    assert_eq!(
        way.body(1),
        json!({"auth": {"identity": {"methods": ["token"], "token": token}}})
    );
    let grant = way.grant();
    assert_eq!(grant.source, "identity provider idp-1 (IAM)");
    assert_eq!(grant.expires, Some(end_of_issued()));
    assert_eq!(grant.renewal, Some(Duration::from_secs(40 * 60)));
}

#[test]
fn a_provider_that_iam_refuses_is_a_fault() {
    let toy = Toy::new(&[("token", "hidden-id")]);
    let origin = IdentityProvider::new("idp-1", "token").with_config(local());
    let run = |answers: Vec<HttpResponse>| {
        drive(origin.begin(&ctx(&toy)), &toy, answers.into_iter().map(Ok)).fault()
    };
    let mut refusal = reply(
        401,
        r#"{"error_code": "IAM.0061", "error_msg": "token expired"}"#,
    );
    refusal
        .headers_mut()
        .insert("x-iam-trace-id", "trace-1".parse().unwrap());
    let fault = run(vec![refusal]);
    assert_eq!(fault.kind(), FaultKind::Credential);
    assert_eq!(
        fault.to_string(),
        "IAM.0061: token expired (HTTP 401, request trace-1)"
    );
    let fault = run(vec![reply(201, "{}")]);
    assert!(fault.message().contains("no X-Subject-Token"), "{fault}");
    let fault = run(vec![with_subject_token(reply(201, "{}")), reply(403, "")]);
    assert_eq!(fault.status(), Some(403));
    let fault = run(vec![
        with_subject_token(reply(201, "{}")),
        reply(201, r#"{"credential": {"access": "hidden"}}"#),
    ]);
    assert!(fault.message().contains("no secret key"), "{fault}");
}

/// Path, headers and body by the page of the call.
#[test]
fn a_key_is_exchanged_for_one_of_an_agency() {
    let toy = Toy::new(&[("HW_ACCESS_KEY", "BASE"), ("HW_SECRET_KEY", "hidden-base")]);
    let origin = AssumeAgency::new(SdkVariables::new(), "ops", "acme").with_config(local());
    assert_eq!(absent(&origin, &[]), absent(&SdkVariables::new(), &[]));
    assert!(origin.name().starts_with("agency ops for "));
    let variables = lifecycle_core::credential_source::EnvCredentialSource::new(TERRAFORM);
    let origin = AssumeAgency::new(variables, "ops", "acme")
        .with_duration(Duration::from_secs(900))
        .with_config(local());
    let way = drive(origin.begin(&ctx(&toy)), &toy, [Ok(reply(201, ISSUED))]);
    assert_eq!(
        way.lines(),
        ["POST http://127.0.0.1:7070/v3.0/OS-CREDENTIAL/securitytokens"]
    );
    let authorization = way.header(0, "authorization").unwrap();
    assert!(
        authorization.starts_with(
            "SDK-HMAC-SHA256 Access=BASE, SignedHeaders=content-type;host;x-sdk-date, "
        ),
        "{authorization}"
    );
    let role = json!({"agency_name": "ops", "domain_name": "acme", "duration_seconds": 900});
    assert_eq!(
        way.body(0),
        json!({"auth": {"identity": {"methods": ["assume_role"], "assume_role": role}}})
    );
    let grant = way.grant();
    assert_eq!(
        grant.source,
        "variable HW_ACCESS_KEY, agency ops of account acme (IAM)"
    );
    assert_eq!(
        (grant.expires, grant.renewal),
        (Some(end_of_issued()), None)
    );

    let refusal = r#"{"error": {"code": 403, "message": "no Agent Operator"}}"#;
    let fault = drive(origin.begin(&ctx(&toy)), &toy, [Ok(reply(403, refusal))]).fault();
    assert_eq!(fault.kind(), FaultKind::Permission);
}

#[test]
fn terraforms_agency_is_assumed_with_terraforms_key() {
    let key = [("HW_ACCESS_KEY", "BASE"), ("HW_SECRET_KEY", "hidden-base")];
    let agency = ("HW_ASSUME_ROLE_AGENCY_NAME", "ops");
    let chain = lifecycle_core::credential_source::CredentialSourceChain::new(sources(&local()));
    let found = |owner, answers: Vec<_>| {
        let toy = Toy::new(&[key[0], key[1], agency, owner]);
        drive(chain.begin(&ctx(&toy)), &toy, answers)
    };
    for (variable, field) in [
        ("HW_ASSUME_ROLE_DOMAIN_NAME", "domain_name"),
        ("HW_ASSUME_ROLE_DOMAIN_ID", "domain_id"),
    ] {
        let way = found((variable, "acme"), vec![Ok(reply(201, ISSUED))]);
        let role = &way.body(0)["auth"]["identity"]["assume_role"];
        assert_eq!(
            (&role[field], &role["duration_seconds"]),
            (&json!("acme"), &json!(3600))
        );
        way.grant();
    }
    let fault = found(("OTHER", ""), vec![]).fault();
    assert!(
        fault
            .message()
            .starts_with("HW_ASSUME_ROLE_AGENCY_NAME is set, but HW_ASSUME_ROLE_DOMAIN_NAME"),
        "{fault}"
    );
}

fn password() -> Password {
    Password::new("ops", "acme", Secret::new("hidden-password"))
}

/// <https://support.huaweicloud.com/intl/en-us/api-iam/iam_30_0001.html>, its example.
#[test]
fn a_password_becomes_a_token_of_one_region() {
    let toy = Toy::default();
    let answer = r#"{"token": {
        "expires_at": "2025-11-22T11:50:00.000000Z",
        "issued_at": "2025-11-21T11:50:00.000000Z",
        "methods": ["password"],
        "catalog": [],
        "roles": [{"id": "0", "name": "te_admin"}],
        "project": {"domain": {"id": "d", "name": "acme"}, "id": "p", "name": "cn-north-4"},
        "user": {"name": "ops", "id": "u", "password_expires_at": ""}
    }}"#;
    let origin = password().with_config(local());
    let answers = [Ok(with_subject_token(reply(201, answer)))];
    let way = drive(origin.begin(&ctx(&toy)), &toy, answers);
    assert_eq!(way.lines(), ["POST http://127.0.0.1:7070/v3/auth/tokens"]);
    assert_eq!(
        way.body(0),
        json!({"auth": {
            "identity": {"methods": ["password"], "password": {"user": {
                "name": "ops",
                "password": "hidden-password",
                "domain": {"name": "acme"},
            }}},
            "scope": {"project": {"name": "cn-north-4"}},
        }})
    );
    let grant = way.grant();
    assert_eq!(grant.source, "password of ops in account acme (IAM)");
    assert_eq!(grant.expires, Some(end_of_issued()));
    assert_eq!(grant.renewal, Some(Duration::from_secs(12 * 60 * 60)));
    match grant.credential {
        Credential::Token(token) => assert_eq!(token.expose(), "hidden-subject"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_password_needs_a_region_and_is_never_shown() {
    assert!(!format!("{:?}", password()).contains("hidden"));
    let fault = refused(&password(), &[]);
    assert_eq!(fault.kind(), FaultKind::Invalid);
    assert!(fault.message().contains("set the region"), "{fault}");
    let toy = Toy::new(&[("HW_REGION_NAME", "ap-southeast-1")]);
    let wrong = r#"{"error": {"code": 401, "message": "The username or password is wrong."}}"#;
    let way = drive(password().begin(&ctx(&toy)), &toy, [Ok(reply(401, wrong))]);
    assert_eq!(
        way.lines(),
        ["POST https://iam.ap-southeast-1.myhuaweicloud.com/v3/auth/tokens"]
    );
    let fault = way.fault();
    assert_eq!(fault.kind(), FaultKind::Credential);
    assert!(fault.message().contains("password is wrong"), "{fault}");
    for answer in [
        reply(201, "{}"),
        with_subject_token(reply(201, "{}")),
        with_subject_token(reply(201, r#"{"token": {"expires_at": 5}}"#)),
        with_subject_token(reply(201, r#"{"token": {"expires_at": "soon"}}"#)),
    ] {
        let fault = drive(password().begin(&ctx(&toy)), &toy, [Ok(answer)]).fault();
        assert_eq!(fault.kind(), FaultKind::Unreadable);
    }
}

/// Header and body as huaweicloudsdkcore 3.1.219 sends them (`PodIdentityAccessor`, recorded).
#[test]
fn a_pod_asks_the_agent_of_its_node() {
    for (uri, reach) in [
        (
            "http://169.254.170.23/v1/credentials?x=1",
            ServiceKind::Metadata,
        ),
        ("http://[fe80::1]:8080/", ServiceKind::Metadata),
        ("http://127.0.0.1:7070/", ServiceKind::Metadata),
        ("https://agent.example.com/v1", ServiceKind::Identity),
        ("http://10.0.0.1/v1", ServiceKind::Identity),
    ] {
        let toy = Toy::new(&[
            ("HC_CONTAINER_CREDENTIALS_FULL_URI", uri),
            ("HC_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/var/token"),
            ("/var/token", "hidden-pod\n"),
        ]);
        let flat = ISSUED
            .replace(r#"{"credential": "#, "")
            .replacen("}}", "}", 1);
        let origin = PodIdentity::new();
        let way = drive(origin.begin(&ctx(&toy)), &toy, [Ok(reply(200, &flat))]);
        assert_eq!(way.lines(), [format!("POST {uri}")]);
        assert_eq!(way.asked[0].1, reach, "{uri}");
        assert_eq!(way.header(0, "authorization"), Some("hidden-pod"));
        assert!(way.asked[0].2.headers()["authorization"].is_sensitive());
        assert_eq!(way.body(0), json!({}));
        let grant = way.grant();
        assert_eq!(grant.source, "identity of this pod");
        assert_eq!(grant.expires, Some(end_of_issued()));
    }
    for uri in ["hidden", "ftp://a/b", "//a/b", "http://", "http:///x"] {
        let fault = refused(
            &PodIdentity::new(),
            &[
                ("HC_CONTAINER_CREDENTIALS_FULL_URI", uri),
                ("HC_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/var/token"),
                ("/var/token", "hidden-pod"),
            ],
        );
        assert!(
            fault
                .message()
                .starts_with("HC_CONTAINER_CREDENTIALS_FULL_URI is not a URL"),
            "{fault}"
        );
    }
}
