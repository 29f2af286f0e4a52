//! Tests of exchanges of a token, a password or an identity for a key (Huawei).

use std::time::Duration;

use lifecycle_core::{Endpoint, Secret};
use serde_json::json;

use super::*;

fn local() -> CredentialSourceConfig {
    CredentialSourceConfig::in_region("cn-north-4")
        .with_identity(Endpoint::parse("http://127.0.0.1:7070").unwrap())
}

/// Returns a response of IAM with a token in a header.
fn subject_token(status: u16, body: &str) -> ScriptedAnswer {
    let mut response = response(status, body);
    let token = "hidden-subject".parse().unwrap();
    response.headers_mut().insert("x-subject-token", token);
    ScriptedAnswer::Http(Ok(response))
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

/// Path, headers and body equal a recorded request of huaweicloudsdkcore 3.1.219
/// (`OidcStsAccessor`).
#[test]
fn openid_token_is_exchanged_for_a_key_of_an_agency() {
    let host = fake_host(&OIDC);
    let body = r#"{"credentials": {
        "access_key_id": "ISSUED0000000000001",
        "secret_access_key": "hidden-secret",
        "security_token": "hidden-token",
        "expiration": "2025-11-22T11:50:00.000Z"
    }}"#;
    let source = OidcAgency::new().with_config(local());
    let run = resolve(&source, &host, [http(200, body)]);
    assert_eq!(
        run.lines(),
        ["POST http://127.0.0.1:7070/v5/agencies/assume-with-oidc"]
    );
    assert!(matches!(
        run.sent[0],
        SentStep::Http {
            operation: "AssumeAgencyWithOIDC",
            service: ServiceKind::Identity,
            ..
        }
    ));
    assert_eq!(
        run.header(0, "content-type"),
        Some("application/json;charset=UTF-8")
    );
    assert_eq!(run.header(0, "authorization"), None);
    assert_eq!(
        run.body(0),
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
    let resolved = run.done();
    assert_eq!(
        id_and_session(&resolved.credential),
        ("ISSUED0000000000001", Some("hidden-token"))
    );
    assert_eq!(resolved.source, "agency iam::acc:agency:a (OIDC)");
    assert_eq!((resolved.expires, resolved.renewal), (Some(expiry()), None));
}

#[test]
fn optional_fields_of_the_agency_request_are_omitted() {
    let host_entries = [
        OIDC[0],
        OIDC[1],
        ("HUAWEICLOUD_OIDC_ID_TOKEN", "id"),
        OIDC[2],
    ];
    let host = fake_host(&host_entries);
    let request = request_of(OidcAgency::new().begin(&ctx(&host)));
    assert_eq!(
        request.uri(),
        "https://sts.cn-north-4.myhuaweicloud.com/v5/agencies/assume-with-oidc"
    );
    let body: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
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
fn missing_openid_token_is_a_fault() {
    for (host_entries, expected) in [
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
        let fault = resolve_locally(&OidcAgency::new(), host_entries).fault();
        assert!(fault.message().starts_with(expected), "{fault}");
    }
}

/// Paths, headers and bodies equal recorded requests of huaweicloudsdkcore 3.1.219
/// (`FederalAccessor`).
#[test]
fn token_of_an_identity_provider_is_exchanged_twice_for_a_key() {
    let host = fake_host(&[("token", "id-token-1\n")]);
    let source = IdentityProvider::new("idp-1", "token").with_config(local());
    let answers = [
        subject_token(201, r#"{"token": {}}"#),
        http(201, KEY_RESPONSE),
    ];
    let run = resolve(&source, &host, answers);
    assert_eq!(
        run.lines(),
        [
            "POST http://127.0.0.1:7070/v3.0/OS-AUTH/id-token/tokens",
            "POST http://127.0.0.1:7070/v3.0/OS-CREDENTIAL/securitytokens"
        ]
    );
    assert_eq!(run.header(0, "x-idp-id"), Some("idp-1"));
    assert_eq!(
        run.body(0),
        json!({"auth": {"id_token": {"id": "id-token-1"}}})
    );
    assert_eq!(run.header(1, "x-idp-id"), None);
    let token = json!({"id": "hidden-subject", "duration_seconds": 21600});
    assert_eq!(
        run.body(1),
        json!({"auth": {"identity": {"methods": ["token"], "token": token}}})
    );
    let resolved = run.done();
    assert_eq!(resolved.source, "identity provider idp-1 (IAM)");
    assert_eq!(resolved.expires, Some(expiry()));
    assert_eq!(resolved.renewal, Some(Duration::from_secs(40 * 60)));
}

#[test]
fn rejection_by_iam_is_a_fault() {
    let host = fake_host(&[("token", "hidden-id")]);
    let source = IdentityProvider::new("idp-1", "token").with_config(local());
    let fault_of = |answers: Vec<ScriptedAnswer>| resolve(&source, &host, answers).fault();
    let mut rejection = response(
        401,
        r#"{"error_code": "IAM.0061", "error_msg": "token expired"}"#,
    );
    rejection
        .headers_mut()
        .insert("x-iam-trace-id", "trace-1".parse().unwrap());
    let fault = fault_of(vec![ScriptedAnswer::Http(Ok(rejection))]);
    assert_eq!(fault.kind(), FaultKind::Credential);
    assert_eq!(
        fault.to_string(),
        "IAM.0061: token expired (HTTP 401, request trace-1)"
    );
    let fault = fault_of(vec![http(201, "{}")]);
    assert!(fault.message().contains("no X-Subject-Token"), "{fault}");
    let fault = fault_of(vec![subject_token(201, "{}"), http(403, "")]);
    assert_eq!(fault.status(), Some(403));
    let fault = fault_of(vec![
        subject_token(201, "{}"),
        http(201, r#"{"credential": {"access": "hidden"}}"#),
    ]);
    assert!(fault.message().contains("no secret key"), "{fault}");
}

/// Path, headers and body follow the page of the call.
#[test]
fn key_is_exchanged_for_a_key_of_an_agency() {
    let host = fake_host(&[("HW_ACCESS_KEY", "BASE"), ("HW_SECRET_KEY", "hidden-base")]);
    let source = AssumeAgency::new(SdkVariables::new(), "ops", "acme").with_config(local());
    assert_eq!(
        resolve_locally(&source, &[]).expect_not_configured(),
        resolve_locally(&SdkVariables::new(), &[]).expect_not_configured()
    );
    assert!(source.name().starts_with("agency ops for "));
    let variables = lifecycle_core::credential_source::EnvCredentialSource::new(TERRAFORM);
    let source = AssumeAgency::new(variables, "ops", "acme")
        .with_duration(Duration::from_secs(900))
        .with_config(local());
    let run = resolve(&source, &host, [http(201, KEY_RESPONSE)]);
    assert_eq!(
        run.lines(),
        ["POST http://127.0.0.1:7070/v3.0/OS-CREDENTIAL/securitytokens"]
    );
    let authorization = run.header(0, "authorization").unwrap();
    assert!(
        authorization.starts_with(
            "SDK-HMAC-SHA256 Access=BASE, SignedHeaders=content-type;host;x-sdk-date, "
        ),
        "{authorization}"
    );
    let role = json!({"agency_name": "ops", "domain_name": "acme", "duration_seconds": 900});
    assert_eq!(
        run.body(0),
        json!({"auth": {"identity": {"methods": ["assume_role"], "assume_role": role}}})
    );
    let resolved = run.done();
    assert_eq!(
        resolved.source,
        "variable HW_ACCESS_KEY, agency ops of account acme (IAM)"
    );
    assert_eq!((resolved.expires, resolved.renewal), (Some(expiry()), None));

    let rejection = r#"{"error": {"code": 403, "message": "no Agent Operator"}}"#;
    let fault = resolve(&source, &host, [http(403, rejection)]).fault();
    assert_eq!(fault.kind(), FaultKind::Permission);
}

#[test]
fn terraform_agency_is_assumed_with_the_terraform_key() {
    let key = [("HW_ACCESS_KEY", "BASE"), ("HW_SECRET_KEY", "hidden-base")];
    let agency = ("HW_ASSUME_ROLE_AGENCY_NAME", "ops");
    let chain = lifecycle_core::credential_source::CredentialSourceChain::new(sources(&local()));
    let assume = |owner, answers: Vec<_>| {
        let host = fake_host(&[key[0], key[1], agency, owner]);
        resolve(&chain, &host, answers)
    };
    for (variable, field) in [
        ("HW_ASSUME_ROLE_DOMAIN_NAME", "domain_name"),
        ("HW_ASSUME_ROLE_DOMAIN_ID", "domain_id"),
    ] {
        let run = assume((variable, "acme"), vec![http(201, KEY_RESPONSE)]);
        let role = &run.body(0)["auth"]["identity"]["assume_role"];
        assert_eq!(
            (&role[field], &role["duration_seconds"]),
            (&json!("acme"), &json!(3600))
        );
        run.done();
    }
    let fault = assume(("OTHER", ""), vec![]).fault();
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

/// The example of <https://support.huaweicloud.com/intl/en-us/api-iam/iam_30_0001.html>.
#[test]
fn password_is_exchanged_for_a_token_of_one_region() {
    let host = fake_host(&[]);
    let body = r#"{"token": {
        "expires_at": "2025-11-22T11:50:00.000000Z",
        "issued_at": "2025-11-21T11:50:00.000000Z",
        "methods": ["password"],
        "catalog": [],
        "roles": [{"id": "0", "name": "te_admin"}],
        "project": {"domain": {"id": "d", "name": "acme"}, "id": "p", "name": "cn-north-4"},
        "user": {"name": "ops", "id": "u", "password_expires_at": ""}
    }}"#;
    let source = password().with_config(local());
    let answers = [subject_token(201, body)];
    let run = resolve(&source, &host, answers);
    assert_eq!(run.lines(), ["POST http://127.0.0.1:7070/v3/auth/tokens"]);
    assert_eq!(
        run.body(0),
        json!({"auth": {
            "identity": {"methods": ["password"], "password": {"user": {
                "name": "ops",
                "password": "hidden-password",
                "domain": {"name": "acme"},
            }}},
            "scope": {"project": {"name": "cn-north-4"}},
        }})
    );
    let resolved = run.done();
    assert_eq!(resolved.source, "password of ops in account acme (IAM)");
    assert_eq!(resolved.expires, Some(expiry()));
    assert_eq!(resolved.renewal, Some(Duration::from_secs(12 * 60 * 60)));
    match resolved.credential {
        Credential::Token(token) => assert_eq!(token.expose(), "hidden-subject"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn password_requires_a_region_and_is_never_shown() {
    assert!(!format!("{:?}", password()).contains("hidden"));
    let fault = resolve_locally(&password(), &[]).fault();
    assert_eq!(fault.kind(), FaultKind::Invalid);
    assert!(fault.message().contains("set the region"), "{fault}");
    let host = fake_host(&[("HW_REGION_NAME", "ap-southeast-1")]);
    let wrong = r#"{"error": {"code": 401, "message": "The username or password is wrong."}}"#;
    let run = resolve(&password(), &host, [http(401, wrong)]);
    assert_eq!(
        run.lines(),
        ["POST https://iam.ap-southeast-1.myhuaweicloud.com/v3/auth/tokens"]
    );
    let fault = run.fault();
    assert_eq!(fault.kind(), FaultKind::Credential);
    assert!(fault.message().contains("password is wrong"), "{fault}");
    for answer in [
        http(201, "{}"),
        subject_token(201, "{}"),
        subject_token(201, r#"{"token": {"expires_at": 5}}"#),
        subject_token(201, r#"{"token": {"expires_at": "soon"}}"#),
    ] {
        let fault = resolve(&password(), &host, [answer]).fault();
        assert_eq!(fault.kind(), FaultKind::Unreadable);
    }
}

#[test]
fn password_in_a_variable_is_exchanged_like_a_password() {
    let source = PasswordVariable::new("ops", "acme", "OPS_PASSWORD").with_config(local());
    assert_eq!(
        resolve_locally(&source, &[]).expect_not_configured(),
        "OPS_PASSWORD is not set"
    );
    let host = fake_host(&[("OPS_PASSWORD", "hidden-password")]);
    let requests = [
        password().with_config(local()).begin(&ctx(&host)),
        source.begin(&ctx(&host)),
    ];
    let [expected, found] = requests.map(request_of);
    assert_eq!(found.uri(), "http://127.0.0.1:7070/v3/auth/tokens");
    assert_eq!(found.body(), expected.body());
}

/// Header and body equal a recorded request of huaweicloudsdkcore 3.1.219 (`PodIdentityAccessor`).
#[test]
fn pod_requests_the_key_from_the_agent_of_the_node() {
    for (uri, expected) in [
        (
            "http://169.254.170.23/v1/credentials?x=1",
            ServiceKind::Metadata,
        ),
        ("http://[fe80::1]:8080/", ServiceKind::Metadata),
        ("http://127.0.0.1:7070/", ServiceKind::Metadata),
        ("http://[::1]:7070/", ServiceKind::Metadata),
        ("http://[2001:db8::1]/v1", ServiceKind::Identity),
        ("https://agent.example.com/v1", ServiceKind::Identity),
        ("http://10.0.0.1/v1", ServiceKind::Identity),
    ] {
        let host = fake_host(&[
            ("HC_CONTAINER_CREDENTIALS_FULL_URI", uri),
            ("HC_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/var/token"),
            ("/var/token", "hidden-pod\n"),
        ]);
        let flat = KEY_RESPONSE
            .replace(r#"{"credential": "#, "")
            .replacen("}}", "}", 1);
        let source = PodIdentity::new();
        let run = resolve(&source, &host, [http(200, &flat)]);
        assert_eq!(run.lines(), [format!("POST {uri}")]);
        assert!(
            matches!(run.sent[0], SentStep::Http { service, .. } if service == expected),
            "{uri}"
        );
        assert_eq!(run.header(0, "authorization"), Some("hidden-pod"));
        assert!(run.request(0).headers()["authorization"].is_sensitive());
        assert_eq!(run.body(0), json!({}));
        let resolved = run.done();
        assert_eq!(resolved.source, "identity of this pod");
        assert_eq!(resolved.expires, Some(expiry()));
    }
    for uri in ["hidden", "ftp://a/b", "//a/b", "http://", "http:///x"] {
        let fault = resolve_locally(
            &PodIdentity::new(),
            &[
                ("HC_CONTAINER_CREDENTIALS_FULL_URI", uri),
                ("HC_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/var/token"),
                ("/var/token", "hidden-pod"),
            ],
        )
        .fault();
        assert!(
            fault
                .message()
                .starts_with("HC_CONTAINER_CREDENTIALS_FULL_URI is not a URL"),
            "{fault}"
        );
    }
}
