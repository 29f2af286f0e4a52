//! Tests of the metadata service with and without tokens, and of hosts without the service (Huawei).

use std::time::Duration;

use lifecycle_core::Endpoint;

use super::*;

fn lookup(answers: impl IntoIterator<Item = ScriptedAnswer>) -> ExchangeRun<ResolvedCredential> {
    resolve(&EcsAgency::new(), &fake_host(&[]), answers)
}

const TOKEN: &str = "PUT http://169.254.169.254/meta-data/latest/api/token";
const KEY: &str = "GET http://169.254.169.254/openstack/latest/securitykey";

/// The responses are the responses of the recording of huaweicloudsdkcore 3.1.219.
#[test]
fn key_is_requested_with_a_token() {
    let run = lookup([http(200, " hidden-token\n"), http(200, KEY_RESPONSE)]);
    assert_eq!(run.lines(), [TOKEN, KEY]);
    assert!(run.sent.iter().all(|step| matches!(
        step,
        SentStep::Http {
            service: ServiceKind::Metadata,
            ..
        }
    )));
    assert_eq!(run.header(0, "x-metadata-token-ttl-seconds"), Some("21600"));
    assert_eq!(run.header(1, "x-metadata-token"), Some("hidden-token"));
    assert!(run.request(1).headers()["x-metadata-token"].is_sensitive());
    let resolved = run.done();
    assert_eq!(
        id_and_session(&resolved.credential),
        ("ISSUED0000000000001", Some("hidden-token"))
    );
    assert_eq!(resolved.source, "ECS agency (metadata)");
    assert_eq!(resolved.expires, Some(expiry()));
    assert_eq!(resolved.renewal, Some(Duration::from_secs(40 * 60)));
}

#[test]
fn lookup_continues_without_a_token_if_the_service_has_no_tokens() {
    for status in [404, 405, 503] {
        let run = lookup([http(status, ""), http(200, KEY_RESPONSE)]);
        assert_eq!(run.lines(), [TOKEN, KEY]);
        assert_eq!(run.header(1, "x-metadata-token"), None);
        run.done();
    }
}

#[test]
fn rejected_token_is_renewed_once() {
    let run = lookup([
        http(200, "hidden-1"),
        http(401, "token expired"),
        http(200, "hidden-2"),
        http(200, KEY_RESPONSE),
    ]);
    assert_eq!(run.lines(), [TOKEN, KEY, TOKEN, KEY]);
    assert_eq!(run.header(3, "x-metadata-token"), Some("hidden-2"));
    run.done();

    let unauthorized = r#"{"error": {"code": 401, "message": "who are you"}}"#;
    let again = [
        http(200, "hidden-1"),
        http(401, unauthorized),
        http(200, "hidden-2"),
        http(401, unauthorized),
    ];
    assert_eq!(lookup(again).fault().kind(), FaultKind::Credential);
    let no_more_tokens = [
        http(200, "hidden-1"),
        http(401, unauthorized),
        http(404, ""),
    ];
    assert_eq!(lookup(no_more_tokens).fault().message(), "who are you");
}

#[test]
fn missing_or_foreign_service_is_not_configured() {
    for kind in [FaultKind::Unreachable, FaultKind::NoAnswer] {
        let reason = lookup([no_response(kind)]).expect_not_configured();
        assert_eq!(
            reason,
            "no metadata service at http://169.254.169.254: this machine is not an ECS server of \
             Huawei Cloud, or the service is off"
        );
    }
    let agency = "Please configure Cloud Service Agency first";
    for (answers, expected) in [
        (
            vec![http(400, "")],
            "does not belong to Huawei Cloud: HTTP 400",
        ),
        (vec![http(403, "<html>")], "does not belong to Huawei Cloud"),
        (vec![http(404, ""), http(404, "")], "has no key"),
        (vec![http(200, "t"), http(404, "")], "has no key"),
        (
            vec![http(404, ""), http(401, ""), http(404, "")],
            "returned no key and no token",
        ),
        (
            vec![http(200, "t"), http(401, agency)],
            "this ECS server has no agency",
        ),
        (
            vec![http(404, ""), http(401, agency)],
            "this ECS server has no agency",
        ),
    ] {
        let reason = lookup(answers).expect_not_configured();
        assert!(reason.contains(expected), "{reason}");
    }
}

#[test]
fn fault_has_the_kind_of_the_failure() {
    let silence = || no_response(FaultKind::NoAnswer);
    for (answers, kind) in [
        (vec![http(429, "")], FaultKind::Throttled),
        (vec![http(500, "")], FaultKind::Unavailable),
        (vec![http(302, "")], FaultKind::Unreadable),
        (vec![no_response(FaultKind::Deadline)], FaultKind::Deadline),
        (vec![http(200, "t"), silence()], FaultKind::NoAnswer),
        (vec![http(200, "t"), http(500, "")], FaultKind::Unavailable),
        (vec![http(200, "t\u{7f}")], FaultKind::Credential),
        (
            vec![http(200, "t"), http(401, ""), silence()],
            FaultKind::NoAnswer,
        ),
    ] {
        assert_eq!(lookup(answers).fault().kind(), kind);
    }
}

#[test]
fn fault_of_an_unreadable_key_shows_no_secret() {
    for (body, expected) in [
        ("", "(line 1, column 0)"),
        ("hidden", "(line 1, column 1)"),
        ("{}", "(no access key)"),
        (r#"{"credential": "hidden"}"#, "(line 1, column 23)"),
        (
            r#"{"credential": {"access": {"hidden": 1}}}"#,
            "(line 1, column 26)",
        ),
        (
            &KEY_RESPONSE.replace("hidden-secret", ""),
            "(no secret key)",
        ),
        (
            &KEY_RESPONSE.replace("securitytoken", "x"),
            "(no security token)",
        ),
        (&KEY_RESPONSE.replace("expires_at", "x"), "(no expiry)"),
        (&KEY_RESPONSE.replace("2025-11-22", "soon"), "invalid time"),
    ] {
        let fault = lookup([http(200, "t"), http(200, body)]).fault();
        assert_eq!(
            (fault.kind(), fault.status()),
            (FaultKind::Unreadable, Some(200))
        );
        assert!(fault.message().contains(expected), "{fault}");
    }
}

#[test]
fn address_of_the_service_is_configurable() {
    let local = Endpoint::parse("http://127.0.0.1:7070").unwrap();
    let source =
        EcsAgency::new().with_config(CredentialSourceConfig::default().with_metadata(local));
    let host = fake_host(&[]);
    let run = resolve(&source, &host, [no_response(FaultKind::NoAnswer)]);
    assert_eq!(
        run.lines(),
        ["PUT http://127.0.0.1:7070/meta-data/latest/api/token"]
    );
    assert!(
        run.expect_not_configured()
            .contains("http://127.0.0.1:7070")
    );
}
