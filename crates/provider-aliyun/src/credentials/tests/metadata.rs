//! Tests of the ECS metadata service and credentials URIs (Alibaba).

use lifecycle_core::{Endpoint, ExchangeStep, Scrubber};

use super::*;
use crate::credentials::{CredentialsUri, EcsRamRole};

const TOKEN: &str = "PUT http://100.100.100.200/latest/api/token";
const ROLES: &str = "GET http://100.100.100.200/latest/meta-data/ram/security-credentials/";
const KEY: &str = "GET http://100.100.100.200/latest/meta-data/ram/security-credentials/web";
const NO_TOKENLESS: (&str, &str) = ("ALIBABA_CLOUD_IMDSV1_DISABLED", "true");
const ROLE: (&str, &str) = ("ALIBABA_CLOUD_ECS_METADATA", "web");

fn lookup(
    host_entries: &[(&str, &str)],
    answers: Vec<ScriptedAnswer>,
) -> ExchangeRun<ResolvedCredential> {
    resolve(&EcsRamRole::new(), &FakeHost::new(host_entries), answers)
}

#[test]
fn token_role_and_key_are_requested_in_order() {
    let answers = vec![
        http(200, " hidden-t\n"),
        http(200, "web\n"),
        http(200, METADATA_RESPONSE),
    ];
    let run = lookup(&[], answers);
    assert_eq!(run.lines(), [TOKEN, ROLES, KEY]);
    let header = |index: usize, name: &str| run.request(index).headers().get(name).cloned();
    let lifetime = header(0, "x-aliyun-ecs-metadata-token-ttl-seconds").unwrap();
    assert_eq!(lifetime, "21600");
    assert_eq!(header(0, "content-length").unwrap(), "0");
    for index in [1, 2] {
        let token = header(index, "x-aliyun-ecs-metadata-token").unwrap();
        assert_eq!(token, "hidden-t");
        assert!(token.is_sensitive());
    }
    assert!(run.sent.iter().all(|step| matches!(
        step,
        SentStep::Http {
            service: ServiceKind::Metadata,
            ..
        }
    )));
    let resolved = run.done();
    assert_eq!(key_of(&resolved), "STS.id/hidden-secret/hidden-token");
    assert_eq!(resolved.source, "role web (ECS metadata)");
    let expiry = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_517_234_400);
    assert_eq!(resolved.expires, Some(expiry));
    assert_eq!(resolved.renewal, Some(std::time::Duration::from_secs(900)));
}

#[test]
fn configured_role_is_not_requested() {
    let run = lookup(&[ROLE], vec![http(200, "t"), http(200, METADATA_RESPONSE)]);
    assert_eq!(run.lines(), [TOKEN, KEY]);
    let source = EcsRamRole::new().with_role("a/b c");
    let run = resolve(
        &source,
        &FakeHost::new(&[ROLE]),
        vec![http(200, "t"), http(200, METADATA_RESPONSE)],
    );
    assert!(run.lines()[1].ends_with("/a%2Fb%20c"), "{:?}", run.lines());
    let config =
        CredentialSourceConfig::default().with_metadata(Endpoint::parse("http://[::1]:7").unwrap());
    let source = EcsRamRole::new().with_config(config);
    let run = resolve(
        &source,
        &FakeHost::new(&[]),
        vec![no_response(FaultKind::Unreachable)],
    );
    assert_eq!(run.lines(), ["PUT http://[::1]:7/latest/api/token"]);
    assert!(run.expect_not_configured().contains("http://[::1]:7"));
}

#[test]
fn lookup_continues_without_a_token_unless_forbidden() {
    for answer in [
        || http(404, ""),
        || http(405, "hidden"),
        || http(200, ""),
        || http(200, "a\u{7f}b"),
        || no_response(FaultKind::NoAnswer),
    ] {
        let run = lookup(
            &[],
            vec![answer(), http(200, "web"), http(200, METADATA_RESPONSE)],
        );
        assert_eq!(run.lines(), [TOKEN, ROLES, KEY]);
        for index in [1, 2] {
            let headers = run.request(index).headers();
            assert!(!headers.contains_key("x-aliyun-ecs-metadata-token"));
        }
        run.done();
    }
    for (answer, kind) in [
        (http(404, ""), FaultKind::Unreadable),
        (http(503, ""), FaultKind::Unavailable),
        (http(429, ""), FaultKind::Throttled),
        (http(200, ""), FaultKind::Unreadable),
    ] {
        let fault = lookup(&[NO_TOKENLESS], vec![answer]).fault();
        assert_eq!(fault.kind(), kind);
        assert!(fault.message().contains(NO_TOKENLESS.0), "{fault}");
    }
    // A service that sends something else than HTTP exists.
    let fault = lookup(&[NO_TOKENLESS], vec![no_response(FaultKind::Unreadable)]).fault();
    assert_eq!(fault.kind(), FaultKind::Unreadable);
}

#[test]
fn rejected_token_is_dropped_once() {
    let answers = || {
        vec![
            http(200, "t"),
            http(403, ""),
            http(200, "web"),
            http(200, METADATA_RESPONSE),
        ]
    };
    let run = lookup(&[], answers());
    assert_eq!(run.lines(), [TOKEN, ROLES, ROLES, KEY]);
    assert!(
        !run.request(2)
            .headers()
            .contains_key("x-aliyun-ecs-metadata-token")
    );
    run.done();
    let fault = lookup(&[NO_TOKENLESS], answers().into_iter().take(2).collect()).fault();
    assert_eq!(fault.status(), Some(403));
    let answers = vec![
        http(200, "t"),
        http(200, "web"),
        http(500, ""),
        http(500, "hidden"),
    ];
    let run = lookup(&[], answers);
    assert_eq!(run.lines(), [TOKEN, ROLES, KEY, KEY]);
    assert_eq!(run.fault().kind(), FaultKind::Unavailable);
}

#[test]
fn missing_service_is_not_configured() {
    for host_entries in [&[][..], &[NO_TOKENLESS]] {
        let run = lookup(host_entries, vec![no_response(FaultKind::Unreachable)]);
        assert_eq!(
            run.expect_not_configured(),
            "no metadata service at http://100.100.100.200: this machine is not an ECS instance, \
             or the service is off"
        );
    }
    lookup(&[NO_TOKENLESS], vec![no_response(FaultKind::NoAnswer)]).expect_not_configured();
    for kind in [FaultKind::NoAnswer, FaultKind::Unreachable] {
        lookup(
            &[],
            vec![no_response(FaultKind::NoAnswer), no_response(kind)],
        )
        .expect_not_configured();
    }
    // A service that has responded before exists.
    let answers = vec![http(200, "t"), no_response(FaultKind::NoAnswer)];
    assert_eq!(lookup(&[], answers).fault().kind(), FaultKind::NoAnswer);
    let answers = vec![
        http(404, ""),
        http(200, "web"),
        no_response(FaultKind::Unreachable),
    ];
    assert_eq!(lookup(&[], answers).fault().kind(), FaultKind::Unreachable);
}

#[test]
fn instance_without_a_role_is_not_configured() {
    for answers in [
        vec![http(200, "t"), http(404, ""), http(404, "")],
        vec![http(404, ""), http(404, "")],
        vec![http(200, "t"), http(200, " \n")],
    ] {
        assert_eq!(
            lookup(&[], answers).expect_not_configured(),
            "the metadata service at http://100.100.100.200 has no RAM role"
        );
    }
    // A configured role must exist.
    let answers = vec![http(200, "t"), http(404, ""), http(404, "")];
    let fault = lookup(&[ROLE], answers).fault();
    assert!(
        fault.message().starts_with("RAM role web is not attached"),
        "{fault}"
    );
}

#[test]
fn invalid_response_is_a_fault_without_the_secret() {
    for body in ["<html>hidden</html>", "\u{fffd}", "a b"] {
        let fault = lookup(&[], vec![http(200, "t"), http(200, body)]).fault();
        assert!(fault.message().contains("invalid RAM role name"), "{fault}");
    }
    for (body, expected) in [
        ("hidden", "not valid JSON"),
        ("[]", "not valid JSON"),
        (
            r#"{"Code":"Success","AccessKeySecret":"hidden","SecurityToken":"hidden"}"#,
            "no AccessKeyId",
        ),
        (
            r#"{"AccessKeyId":"i","AccessKeySecret":"hidden","SecurityToken":"hidden"}"#,
            "no Expiration",
        ),
        (
            r#"{"AccessKeyId":"i","AccessKeySecret":"hidden","SecurityToken":"hidden","Expiration":"soon"}"#,
            "invalid time",
        ),
        (
            r#"{"Code":"Failed","AccessKeySecret":"hidden"}"#,
            "returned no key",
        ),
    ] {
        let fault = lookup(&[ROLE], vec![http(200, "t"), http(200, body)]).fault();
        assert!(fault.message().contains(expected), "{body}: {fault}");
    }
}

#[test]
fn response_of_a_credentials_uri_is_scrubbed_of_each_value_of_the_query() {
    let source = CredentialsUri::new("http://127.0.0.1/key?token=hidden%2Btoken-1&hidden-token-2");
    let step = source.begin(&ctx(&FakeHost::new(&[])));
    let ExchangeStep::Http(exchange) = step else {
        panic!("{step:?}");
    };
    let scrubber = Scrubber::new(&exchange.request, None);
    for body in [
        "no hidden+token-1",
        "no hidden%2btoken-1",
        "no hidden-token-2",
    ] {
        let mut response = provider_testing::response(403, body);
        scrubber.scrub(&mut response);
        let shown = String::from_utf8_lossy(response.body());
        assert!(!shown.contains("hidden"), "{shown}");
    }
}

#[test]
fn credentials_uri_is_requested_unchanged() {
    for (uri, call, expected) in [
        (
            "http://127.0.0.1:6666/a%20b?c=hidden",
            "GET http://127.0.0.1:6666/a%20b?c=hidden",
            ServiceKind::Identity,
        ),
        (
            "https://keys.example.com",
            "GET https://keys.example.com/",
            ServiceKind::Identity,
        ),
        (
            "http://169.254.169.254/key",
            "GET http://169.254.169.254/key",
            ServiceKind::Metadata,
        ),
        (
            "http://100.100.100.200:80/key",
            "GET http://100.100.100.200/key",
            ServiceKind::Metadata,
        ),
        (
            "https://169.254.1.1/key",
            "GET https://169.254.1.1/key",
            ServiceKind::Identity,
        ),
    ] {
        let host = FakeHost::new(&[("ALIBABA_CLOUD_CREDENTIALS_URI", uri)]);
        let run = resolve(
            &CredentialsUri::from_variable(),
            &host,
            vec![http(200, METADATA_RESPONSE)],
        );
        assert_eq!(run.lines(), [call]);
        assert!(
            matches!(&run.sent[0], SentStep::Http { service, .. } if *service == expected),
            "{uri}"
        );
        let resolved = run.done();
        assert!(!resolved.source.contains("hidden"), "{}", resolved.source);
        assert_eq!(resolved.renewal, Some(std::time::Duration::from_secs(900)));
    }
    for uri in [
        "hidden",
        "/hidden",
        "ftp://x/hidden",
        "http://u:hidden@x/",
        "http:///hidden",
        "http://x/hidden \u{7}",
    ] {
        let source = CredentialsUri::new(uri);
        assert_eq!(format!("{source:?}"), "CredentialsUri { .. }");
        let fault = resolve(&source, &FakeHost::new(&[]), vec![]).fault();
        assert!(
            fault.message().contains("ALIBABA_CLOUD_CREDENTIALS_URI"),
            "{fault}"
        );
    }
    for (status, body, kind) in [
        (404, "hidden", FaultKind::Unreadable),
        (503, "hidden", FaultKind::Unavailable),
        (
            200,
            r#"{"Code":"NoSuchRole","AccessKeySecret":"hidden"}"#,
            FaultKind::Credential,
        ),
    ] {
        let source = CredentialsUri::new("http://127.0.0.1/hidden");
        let fault = resolve(&source, &FakeHost::new(&[]), vec![http(status, body)]).fault();
        assert_eq!(fault.kind(), kind, "{fault}");
    }
    resolve(
        &CredentialsUri::from_variable(),
        &FakeHost::new(&[]),
        vec![],
    )
    .expect_not_configured();
}
