//! Tests of exchanges at STS: requests, responses and faults (Alibaba).

use std::time::Duration;

use lifecycle_core::{Endpoint, credential_source::EnvCredentialSource};

use super::*;
use crate::{
    Network,
    credentials::{AssumeRole, AssumeRoleWithOidc, OidcVariables, Role},
    sign::tests::decoded_query,
};

fn base() -> EnvCredentialSource {
    EnvCredentialSource::keys("ID", "SECRET", Some("SESSION".to_owned()))
}

const KEY: [(&str, &str); 2] = [("ID", "testid"), ("SECRET", "testsecret")];
const ARN: &str = "acs:ram::1:role/web";

fn assume(role: impl Into<Role>) -> AssumeRole {
    AssumeRole::new(Box::new(base()), role)
}

fn alice() -> Role {
    Role::new(ARN).with_session_name("alice")
}

/// The first two signatures come from the vendor's Python library (`alibabacloud_credentials`
/// 1.0.12, with a fixed clock and nonce). The library's signature of a policy with blanks is
/// invalid, so the third signature was computed with Python's `hmac` from the vendor's page.
#[test]
fn signature_equals_the_signature_of_the_vendor() {
    let full = alice()
        .with_policy(r#"{"Version":"1","Statement":[]}"#)
        .with_external_id("abc")
        .with_duration(900)
        .with_sts_region("cn-beijing")
        .with_network(Network::Vpc);
    let blanks = alice().with_policy(r#"{"Version": "1", "Statement": []}"#);
    for (role, session, host, signature) in [
        (
            alice(),
            None,
            "sts.aliyuncs.com",
            "e4gjd/899b4+0CeIGCzxJyW1RKI=",
        ),
        (
            full,
            Some("token/+="),
            "sts-vpc.cn-beijing.aliyuncs.com",
            "ALSF5z84oETkQfW2O6ZSBITf3dQ=",
        ),
        (
            blanks,
            None,
            "sts.aliyuncs.com",
            "rcjfPzxqlVFl7Gc/20vabgktF6A=",
        ),
    ] {
        let mut host_entries = KEY.to_vec();
        host_entries.extend(session.map(|session| ("SESSION", session)));
        let run = resolve(
            &assume(role),
            &FakeHost::new(&host_entries),
            vec![http(200, STS_RESPONSE)],
        );
        let request = run.request(0);
        assert_eq!(request.method(), "GET");
        assert_eq!(request.headers()["host"], host);
        assert_eq!(request.uri().host(), Some(host));
        assert_eq!(request.uri().scheme_str(), Some("https"));
        let query = decoded_query(request.uri());
        assert_eq!(query["Signature"], signature, "{query:?}");
        assert_eq!(query.get("SecurityToken").map(String::as_str), session);
        assert!(!request.uri().query().unwrap().contains('+'));
        assert!(matches!(
            &run.sent[0],
            SentStep::Http {
                service: ServiceKind::Identity,
                ..
            }
        ));
    }
}

#[test]
fn key_of_a_role_is_renewed_15_minutes_before_the_expiry() {
    let run = resolve(
        &assume(ARN),
        &FakeHost::new(&KEY),
        vec![http(200, STS_RESPONSE)],
    );
    let query = decoded_query(run.request(0).uri());
    assert_eq!(query["RoleSessionName"], "lifecycle-1517212800");
    assert_eq!(query["DurationSeconds"], "3600");
    let resolved = run.done();
    assert_eq!(key_of(&resolved), "STS.id/hidden-secret/hidden-token");
    assert_eq!(resolved.source, "variable ID, role acs:ram::1:role/web");
    let expiry = std::time::UNIX_EPOCH + Duration::from_secs(1_517_216_400);
    assert_eq!(resolved.expires, Some(expiry));
    assert_eq!(resolved.renewal, Some(Duration::from_secs(900)));
    assert!(!format!("{resolved:?}").contains("hidden"), "{resolved:?}");
}

#[test]
fn sts_endpoint_comes_from_the_role_or_the_variables() {
    let region = ("ALIBABA_CLOUD_STS_REGION", "cn-shanghai");
    let vpc = ("ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED", "true");
    let endpoint = ("ALIBABA_CLOUD_STS_ENDPOINT", "sts.example.com");
    let custom = Endpoint::parse("http://127.0.0.1:7070").unwrap();
    for (role, host_entries, expected) in [
        (alice(), &[][..], "https://sts.aliyuncs.com/"),
        (alice(), &[region], "https://sts.cn-shanghai.aliyuncs.com/"),
        (
            alice(),
            &[region, vpc],
            "https://sts-vpc.cn-shanghai.aliyuncs.com/",
        ),
        // The central STS has no address inside a VPC, as in the vendor's library.
        (alice(), &[vpc], "https://sts.aliyuncs.com/"),
        (
            alice()
                .with_sts_region("CN-Beijing")
                .with_network(Network::Public),
            &[region, vpc],
            "https://sts.cn-beijing.aliyuncs.com/",
        ),
        (
            alice().with_sts_region("x"),
            &[endpoint],
            "https://sts.example.com/",
        ),
        (
            alice().with_endpoint(custom),
            &[endpoint],
            "http://127.0.0.1:7070/",
        ),
    ] {
        let host = FakeHost::new(&[&KEY[..], host_entries].concat());
        let run = resolve(&assume(role), &host, vec![http(200, STS_RESPONSE)]);
        let call = run.lines().remove(0);
        let url = call.strip_prefix("GET ").unwrap().split('?').next();
        assert_eq!(url, Some(expected), "{host_entries:?}");
    }
    for (host_entries, expected) in [
        (
            ("ALIBABA_CLOUD_STS_REGION", "a.b"),
            "ALIBABA_CLOUD_STS_REGION",
        ),
        (
            ("ALIBABA_CLOUD_STS_ENDPOINT", "ftp://x"),
            "ALIBABA_CLOUD_STS_ENDPOINT",
        ),
    ] {
        let host = FakeHost::new(&[&KEY[..], &[host_entries]].concat());
        let fault = resolve(&assume(ARN), &host, vec![]).fault();
        assert!(fault.message().contains(expected), "{fault}");
    }
}

#[test]
fn session_name_comes_from_the_role_or_the_variable() {
    let name = ("ALIBABA_CLOUD_ROLE_SESSION_NAME", "pod-1");
    for (role, expected) in [(Role::new(ARN), "pod-1"), (alice(), "alice")] {
        let host = FakeHost::new(&[KEY[0], KEY[1], name]);
        let run = resolve(&assume(role), &host, vec![http(200, STS_RESPONSE)]);
        assert_eq!(
            decoded_query(run.request(0).uri())["RoleSessionName"],
            expected
        );
    }
}

#[test]
fn missing_or_incomplete_base_key_is_reported() {
    let run = resolve(&assume(ARN), &FakeHost::new(&[]), vec![]);
    assert_eq!(run.expect_not_configured(), "ID and SECRET are not set");
    let fault = resolve(&assume(ARN), &FakeHost::new(&[("ID", "x")]), vec![]).fault();
    assert!(fault.message().starts_with("ID is set"), "{fault}");
    let fault = resolve(
        &assume(alice().with_duration(899)),
        &FakeHost::new(&KEY),
        vec![],
    )
    .fault();
    assert!(fault.message().contains("900 or more"), "{fault}");
}

#[test]
fn assumed_role_can_be_the_base_of_another_role() {
    let chain = AssumeRole::new(Box::new(assume(ARN)), "acs:ram::2:role/db");
    let answers = vec![http(200, STS_RESPONSE), http(200, STS_RESPONSE)];
    let run = resolve(&chain, &FakeHost::new(&KEY), answers);
    let second = decoded_query(run.request(1).uri());
    assert_eq!(second["AccessKeyId"], "STS.id");
    assert_eq!(second["SecurityToken"], "hidden-token");
    assert_eq!(second["RoleArn"], "acs:ram::2:role/db");
    assert_eq!(
        run.done().source,
        "variable ID, role acs:ram::1:role/web, role acs:ram::2:role/db"
    );
}

#[test]
fn rejection_keeps_code_kind_and_request_id_and_no_secret() {
    const NO_PERMISSION: &str = r#"{"RequestId":"R","HostId":"sts.aliyuncs.com","Code":"NoPermission",
        "Message":"You are not authorized to do this action. You should be authorized by RAM."}"#;
    const NO_ROLE: &str = r#"{"RequestId":"R","Code":"EntityNotExist.Role","Message":"The role not exists: 1:role/web."}"#;
    const SIGNED: &str = r#"{"RequestId":"R","Code":"SignatureDoesNotMatch","Message":"Specified signature is not matched with our calculation. server string to sign is:GET&%2F&SecurityToken%3Dhidden-session"}"#;
    const QUOTED: &str = r#"{"RequestId":"R","Code":"InvalidSecurityToken.Expired","Message":"The token hidden-session (hidden-se%2Bcret, hidden-se+cret) has expired."}"#;
    for (status, body, kind, code) in [
        (
            403,
            NO_PERMISSION,
            FaultKind::Permission,
            Some("NoPermission"),
        ),
        (
            404,
            NO_ROLE,
            FaultKind::Invalid,
            Some("EntityNotExist.Role"),
        ),
        (
            400,
            SIGNED,
            FaultKind::Credential,
            Some("SignatureDoesNotMatch"),
        ),
        (
            403,
            QUOTED,
            FaultKind::Credential,
            Some("InvalidSecurityToken.Expired"),
        ),
        (
            400,
            r#"{"RequestId":"R","Code":"Throttling.User"}"#,
            FaultKind::Throttled,
            Some("Throttling.User"),
        ),
        (
            503,
            "<html>https://sts.aliyuncs.com/?SecurityToken=hidden-session</html>",
            FaultKind::Unavailable,
            None,
        ),
        (404, "hidden-session", FaultKind::Unreadable, None),
        (200, "hidden", FaultKind::Unreadable, None),
        (200, "{}", FaultKind::Unreadable, None),
        (
            200,
            r#"{"Credentials":{"AccessKeyId":"hidden","SecurityToken":"hidden","AccessKeySecret":"hidden"}}"#,
            FaultKind::Unreadable,
            None,
        ),
        (
            200,
            r#"{"Credentials":{"AccessKeyId":"hidden","SecurityToken":"hidden","AccessKeySecret":"hidden","Expiration":"soon"}}"#,
            FaultKind::Unreadable,
            None,
        ),
        (
            200,
            r#"{"Credentials":"hidden"}"#,
            FaultKind::Unreadable,
            None,
        ),
    ] {
        let host = FakeHost::new(&[
            ("ID", "id"),
            ("SECRET", "hidden-se+cret"),
            ("SESSION", "hidden-session"),
        ]);
        let fault = resolve(&assume(ARN), &host, vec![http(status, body)]).fault();
        assert_eq!(fault.kind(), kind, "{body}");
        assert_eq!(fault.code(), code, "{body}");
        assert_eq!(fault.status(), Some(status), "{body}");
        let context = "role acs:ram::1:role/web assumed with variable ID";
        assert!(fault.message().contains(context), "{fault}");
        if code.is_some() {
            assert_eq!(fault.request_id(), Some("R"), "{body}");
        }
    }
    let answers = vec![no_response(FaultKind::NoAnswer)];
    let fault = resolve(&assume(ARN), &FakeHost::new(&KEY), answers).fault();
    assert_eq!(fault.kind(), FaultKind::NoAnswer);
}

/// The parameters equal the parameters of the vendor's Python library. Python sends the parameters
/// in the URL, Go as a form.
#[test]
fn oidc_token_is_exchanged_without_a_signature() {
    let source = AssumeRoleWithOidc::new(alice(), "acs:ram::1:oidc-provider/p", "/var/token");
    let host = FakeHost::new(&[("/var/token", "hidden.a-b_c\n")]);
    let run = resolve(&source, &host, vec![http(200, STS_RESPONSE)]);
    assert_eq!(run.lines(), ["POST https://sts.aliyuncs.com/"]);
    let request = run.request(0);
    assert_eq!(
        request.headers()["content-type"],
        "application/x-www-form-urlencoded"
    );
    assert!(!request.headers().contains_key("authorization"));
    assert_eq!(
        request.body(),
        "Action=AssumeRoleWithOIDC&DurationSeconds=3600&Format=JSON\
         &OIDCProviderArn=acs%3Aram%3A%3A1%3Aoidc-provider%2Fp&OIDCToken=hidden.a-b_c\
         &RoleArn=acs%3Aram%3A%3A1%3Arole%2Fweb&RoleSessionName=alice\
         &Timestamp=2018-01-29T08%3A00%3A00Z&Version=2015-04-01"
    );
    assert_eq!(
        run.done().source,
        "role acs:ram::1:role/web (OIDC token /var/token)"
    );

    for host_entries in [
        &[][..],
        &[("/var/token", " \n")],
        &[("/var/token", FakeHost::UNREADABLE)],
    ] {
        let fault = resolve(&source, &FakeHost::new(host_entries), vec![]).fault();
        assert!(fault.message().contains("/var/token"), "{fault}");
    }
    let rejection = r#"{"RequestId":"R","Code":"AuthenticationFail.OIDCToken.Expired","Message":"This JWT hidden.a-b_c has expired."}"#;
    let fault = resolve(&source, &host, vec![http(400, rejection)]).fault();
    assert_eq!(fault.kind(), FaultKind::Credential);
    assert!(fault.message().contains("[secret]"), "{fault}");
}

#[test]
fn incomplete_oidc_variables_are_not_configured() {
    for host_entries in [
        &OIDC_ENTRIES[..1],
        &OIDC_ENTRIES[..2],
        &OIDC_ENTRIES[1..2],
        &OIDC_ENTRIES[2..3],
        &OIDC_ENTRIES[1..],
    ] {
        let run = resolve(&OidcVariables::new(), &FakeHost::new(host_entries), vec![]);
        assert!(
            run.expect_not_configured()
                .contains("ALIBABA_CLOUD_OIDC_TOKEN_FILE")
        );
    }
    // The names of the command line.
    let names = [
        ("ALIBABACLOUD_ROLE_ARN", ARN),
        ("ALIBABACLOUD_OIDC_PROVIDER_ARN", "p"),
        ("ALIBABACLOUD_OIDC_TOKEN_FILE", "/var/token"),
        OIDC_TOKEN_FILE,
    ];
    let config =
        CredentialSourceConfig::default().with_identity(Endpoint::parse("http://[::1]:1").unwrap());
    let source = OidcVariables::new().with_config(config);
    let run = resolve(
        &source,
        &FakeHost::new(&names),
        vec![http(200, STS_RESPONSE)],
    );
    assert_eq!(run.lines(), ["POST http://[::1]:1/"]);
}
