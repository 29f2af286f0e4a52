//! The metadata service, with and without tokens, and where it is missing.

use std::time::Duration;

use lifecycle_core::Endpoint;

use super::*;

fn begin(
    answers: impl IntoIterator<Item = Result<HttpResponse, Fault>>,
) -> Way<ResolvedCredential> {
    let toy = Toy::default();
    drive(EcsAgency::new().begin(&ctx(&toy)), &toy, answers)
}

const TOKEN: &str = "PUT http://169.254.169.254/meta-data/latest/api/token";
const KEY: &str = "GET http://169.254.169.254/openstack/latest/securitykey";

/// The answers that huaweicloudsdkcore 3.1.219 was given while its requests were recorded.
#[test]
fn the_key_comes_with_a_token() {
    let way = begin([Ok(reply(200, " hidden-token\n")), Ok(reply(200, ISSUED))]);
    assert_eq!(way.lines(), [TOKEN, KEY]);
    assert!(
        way.asked
            .iter()
            .all(|(_, reach, _)| *reach == ServiceKind::Metadata)
    );
    assert_eq!(way.header(0, "x-metadata-token-ttl-seconds"), Some("21600"));
    assert_eq!(way.header(1, "x-metadata-token"), Some("hidden-token"));
    assert!(way.asked[1].2.headers()["x-metadata-token"].is_sensitive());
    let grant = way.grant();
    assert_eq!(key(&grant), ("ISSUED0000000000001", Some("hidden-token")));
    assert_eq!(grant.source, "ECS agency (metadata)");
    assert_eq!(grant.expires, Some(end_of_issued()));
    assert_eq!(grant.renewal, Some(Duration::from_secs(40 * 60)));
}

#[test]
fn without_a_token_service_it_goes_on_without() {
    for status in [404, 405, 503] {
        let way = begin([Ok(reply(status, "")), Ok(reply(200, ISSUED))]);
        assert_eq!(way.lines(), [TOKEN, KEY]);
        assert_eq!(way.header(1, "x-metadata-token"), None);
        way.grant();
    }
}

#[test]
fn a_refused_token_is_renewed_once() {
    let way = begin([
        Ok(reply(200, "hidden-1")),
        Ok(reply(401, "token expired")),
        Ok(reply(200, "hidden-2")),
        Ok(reply(200, ISSUED)),
    ]);
    assert_eq!(way.lines(), [TOKEN, KEY, TOKEN, KEY]);
    assert_eq!(way.header(3, "x-metadata-token"), Some("hidden-2"));
    way.grant();

    let unauthorized = r#"{"error": {"code": 401, "message": "who are you"}}"#;
    let again = [
        Ok(reply(200, "hidden-1")),
        Ok(reply(401, unauthorized)),
        Ok(reply(200, "hidden-2")),
        Ok(reply(401, unauthorized)),
    ];
    assert_eq!(begin(again).fault().kind(), FaultKind::Credential);
    let no_more_tokens = [
        Ok(reply(200, "hidden-1")),
        Ok(reply(401, unauthorized)),
        Ok(reply(404, "")),
    ];
    assert_eq!(begin(no_more_tokens).fault().message(), "who are you");
}

#[test]
fn where_nobody_or_somebody_else_is_there_it_is_absent() {
    for kind in [FaultKind::Unreachable, FaultKind::NoAnswer] {
        let why = begin([Err(Fault::new(kind, "silence"))]).absence();
        assert_eq!(
            why,
            "no metadata service at http://169.254.169.254: this machine is not an ECS server of \
             Huawei Cloud, or the service is off"
        );
    }
    let agency = "Please configure Cloud Service Agency first";
    for (answers, expected) in [
        (
            vec![reply(400, "")],
            "does not belong to Huawei Cloud: HTTP 400",
        ),
        (
            vec![reply(403, "<html>")],
            "does not belong to Huawei Cloud",
        ),
        (vec![reply(404, ""), reply(404, "")], "has no key"),
        (vec![reply(200, "t"), reply(404, "")], "has no key"),
        (
            vec![reply(404, ""), reply(401, ""), reply(404, "")],
            "returned no key and no token",
        ),
        (
            vec![reply(200, "t"), reply(401, agency)],
            "this ECS server has no agency",
        ),
        (
            vec![reply(404, ""), reply(401, agency)],
            "this ECS server has no agency",
        ),
    ] {
        let why = begin(answers.into_iter().map(Ok)).absence();
        assert!(why.contains(expected), "{why}");
    }
}

#[test]
fn trouble_is_told_truly() {
    let silence = || Err(Fault::new(FaultKind::NoAnswer, "silence"));
    for (answers, kind) in [
        (vec![Ok(reply(429, ""))], FaultKind::Throttled),
        (vec![Ok(reply(500, ""))], FaultKind::Unavailable),
        (vec![Ok(reply(302, ""))], FaultKind::Unreadable),
        (
            vec![Err(Fault::new(FaultKind::Deadline, "late"))],
            FaultKind::Deadline,
        ),
        (vec![Ok(reply(200, "t")), silence()], FaultKind::NoAnswer),
        (
            vec![Ok(reply(200, "t")), Ok(reply(500, ""))],
            FaultKind::Unavailable,
        ),
        (vec![Ok(reply(200, "t\u{7f}"))], FaultKind::Credential),
        (
            vec![Ok(reply(200, "t")), Ok(reply(401, "")), silence()],
            FaultKind::NoAnswer,
        ),
    ] {
        assert_eq!(begin(answers).fault().kind(), kind);
    }
}

#[test]
fn a_key_that_cannot_be_read_is_never_shown() {
    for (body, expected) in [
        ("", "(line 1, column 0)"),
        ("hidden", "(line 1, column 1)"),
        ("{}", "(no access key)"),
        (r#"{"credential": "hidden"}"#, "(line 1, column 23)"),
        (
            r#"{"credential": {"access": {"hidden": 1}}}"#,
            "(line 1, column 26)",
        ),
        (&ISSUED.replace("hidden-secret", ""), "(no secret key)"),
        (&ISSUED.replace("securitytoken", "x"), "(no security token)"),
        (&ISSUED.replace("expires_at", "x"), "(no expiry)"),
        (&ISSUED.replace("2025-11-22", "soon"), "is no time"),
    ] {
        let fault = begin([Ok(reply(200, "t")), Ok(reply(200, body))]).fault();
        assert_eq!(
            (fault.kind(), fault.status()),
            (FaultKind::Unreadable, Some(200))
        );
        assert!(fault.message().contains(expected), "{fault}");
    }
}

#[test]
fn the_address_can_be_another() {
    let local = Endpoint::parse("http://127.0.0.1:7070").unwrap();
    let origin =
        EcsAgency::new().with_config(CredentialSourceConfig::default().with_metadata(local));
    let toy = Toy::default();
    let silence = Err(Fault::new(FaultKind::NoAnswer, "silence"));
    let way = drive(origin.begin(&ctx(&toy)), &toy, [silence]);
    assert_eq!(
        way.lines(),
        ["PUT http://127.0.0.1:7070/meta-data/latest/api/token"]
    );
    assert!(way.absence().contains("http://127.0.0.1:7070"));
}
