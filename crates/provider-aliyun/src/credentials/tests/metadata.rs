//! The ECS metadata service and credentials URIs.

use lifecycle_core::Endpoint;

use super::*;
use crate::credentials::{CredentialsUri, EcsRamRole};

const TOKEN: &str = "PUT http://100.100.100.200/latest/api/token";
const ROLES: &str = "GET http://100.100.100.200/latest/meta-data/ram/security-credentials/";
const KEY: &str = "GET http://100.100.100.200/latest/meta-data/ram/security-credentials/web";
const NO_TOKENLESS: (&str, &str) = ("ALIBABA_CLOUD_IMDSV1_DISABLED", "true");
const ROLE: (&str, &str) = ("ALIBABA_CLOUD_ECS_METADATA", "web");

fn http(status: u16, body: &'static str) -> Answer {
    Answer::Http(status, body)
}

fn silence(kind: FaultKind) -> Answer {
    Answer::Silence(kind)
}

fn look(texts: &[(&str, &str)], answers: Vec<Answer>) -> Story {
    drive(&EcsRamRole::new(), &Toy::new(texts), answers)
}

#[test]
fn a_token_opens_the_way() {
    let answers = vec![
        http(200, " hidden-t\n"),
        http(200, "web\n"),
        http(200, TOLD),
    ];
    let story = look(&[], answers);
    assert_eq!(story.calls(), [TOKEN, ROLES, KEY]);
    let header = |index: usize, name: &str| story.request(index).headers().get(name).cloned();
    let life = header(0, "x-aliyun-ecs-metadata-token-ttl-seconds").unwrap();
    assert_eq!(life, "21600");
    assert_eq!(header(0, "content-length").unwrap(), "0");
    for index in [1, 2] {
        let token = header(index, "x-aliyun-ecs-metadata-token").unwrap();
        assert_eq!(token, "hidden-t");
        assert!(token.is_sensitive());
    }
    assert!(
        story
            .asked
            .iter()
            .all(|asked| matches!(asked, Asked::Http(ServiceKind::Metadata, _)))
    );
    let grant = story.grant();
    assert_eq!(key_of(&grant), "STS.id/hidden-secret/hidden-token");
    assert_eq!(grant.source, "role web (ECS metadata)");
    let end = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_517_234_400);
    assert_eq!(grant.expires, Some(end));
    assert_eq!(grant.renewal, Some(std::time::Duration::from_secs(900)));
}

#[test]
fn a_known_role_is_not_asked_for() {
    let story = look(&[ROLE], vec![http(200, "t"), http(200, TOLD)]);
    assert_eq!(story.calls(), [TOKEN, KEY]);
    let origin = EcsRamRole::new().with_role("a/b c");
    let story = drive(
        &origin,
        &Toy::new(&[ROLE]),
        vec![http(200, "t"), http(200, TOLD)],
    );
    assert!(
        story.calls()[1].ends_with("/a%2Fb%20c"),
        "{:?}",
        story.calls()
    );
    let config =
        CredentialSourceConfig::default().with_metadata(Endpoint::parse("http://[::1]:7").unwrap());
    let origin = EcsRamRole::new().with_config(config);
    let story = drive(
        &origin,
        &Toy::new(&[]),
        vec![silence(FaultKind::Unreachable)],
    );
    assert_eq!(story.calls(), ["PUT http://[::1]:7/latest/api/token"]);
    assert!(story.absence().contains("http://[::1]:7"));
}

#[test]
fn without_a_token_it_goes_on_unless_that_is_forbidden() {
    for answer in [
        || http(404, ""),
        || http(405, "hidden"),
        || http(200, ""),
        || http(200, "a\u{7f}b"),
        || silence(FaultKind::NoAnswer),
    ] {
        let story = look(&[], vec![answer(), http(200, "web"), http(200, TOLD)]);
        assert_eq!(story.calls(), [TOKEN, ROLES, KEY]);
        for index in [1, 2] {
            let headers = story.request(index).headers();
            assert!(!headers.contains_key("x-aliyun-ecs-metadata-token"));
        }
        story.grant();
    }
    for (answer, kind) in [
        (http(404, ""), FaultKind::Unreadable),
        (http(503, ""), FaultKind::Unavailable),
        (http(429, ""), FaultKind::Throttled),
        (http(200, ""), FaultKind::Unreadable),
    ] {
        let fault = look(&[NO_TOKENLESS], vec![answer]).fault();
        assert_eq!(fault.kind(), kind);
        assert!(fault.message().contains(NO_TOKENLESS.0), "{fault}");
    }
}

#[test]
fn a_token_of_no_use_is_dropped_once() {
    let answers = || {
        vec![
            http(200, "t"),
            http(403, ""),
            http(200, "web"),
            http(200, TOLD),
        ]
    };
    let story = look(&[], answers());
    assert_eq!(story.calls(), [TOKEN, ROLES, ROLES, KEY]);
    assert!(
        !story
            .request(2)
            .headers()
            .contains_key("x-aliyun-ecs-metadata-token")
    );
    story.grant();
    let fault = look(&[NO_TOKENLESS], answers().into_iter().take(2).collect()).fault();
    assert_eq!(fault.status(), Some(403));
    let answers = vec![
        http(200, "t"),
        http(200, "web"),
        http(500, ""),
        http(500, "hidden"),
    ];
    let story = look(&[], answers);
    assert_eq!(story.calls(), [TOKEN, ROLES, KEY, KEY]);
    assert_eq!(story.fault().kind(), FaultKind::Unavailable);
}

#[test]
fn most_machines_have_no_such_service() {
    for texts in [&[][..], &[NO_TOKENLESS]] {
        let story = look(texts, vec![silence(FaultKind::Unreachable)]);
        assert_eq!(
            story.absence(),
            "no metadata service at http://100.100.100.200: this machine is not an ECS instance, \
             or the service is off"
        );
    }
    look(&[NO_TOKENLESS], vec![silence(FaultKind::NoAnswer)]).absence();
    for kind in [FaultKind::NoAnswer, FaultKind::Unreachable] {
        look(&[], vec![silence(FaultKind::NoAnswer), silence(kind)]).absence();
    }
    // One that has answered before is there.
    let answers = vec![http(200, "t"), silence(FaultKind::NoAnswer)];
    assert_eq!(look(&[], answers).fault().kind(), FaultKind::NoAnswer);
    let answers = vec![
        http(404, ""),
        http(200, "web"),
        silence(FaultKind::Unreachable),
    ];
    assert_eq!(look(&[], answers).fault().kind(), FaultKind::Unreachable);
}

#[test]
fn an_instance_without_a_role_gives_way() {
    for answers in [
        vec![http(200, "t"), http(404, ""), http(404, "")],
        vec![http(404, ""), http(404, "")],
        vec![http(200, "t"), http(200, " \n")],
    ] {
        assert_eq!(
            look(&[], answers).absence(),
            "the metadata service at http://100.100.100.200 has no RAM role"
        );
    }
    // But one that was named must be there.
    let answers = vec![http(200, "t"), http(404, ""), http(404, "")];
    let fault = look(&[ROLE], answers).fault();
    assert!(
        fault.message().starts_with("RAM role web is not attached"),
        "{fault}"
    );
}

#[test]
fn odd_answers_are_faults_that_show_no_secret() {
    for body in ["<html>hidden</html>", "\u{fffd}", "a b"] {
        let fault = look(&[], vec![http(200, "t"), http(200, body)]).fault();
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
            "is no time",
        ),
        (
            r#"{"Code":"Failed","AccessKeySecret":"hidden"}"#,
            "returned no key",
        ),
    ] {
        let fault = look(&[ROLE], vec![http(200, "t"), http(200, body)]).fault();
        assert!(fault.message().contains(expected), "{body}: {fault}");
    }
}

#[test]
fn a_credentials_uri_is_asked_as_it_is() {
    for (uri, call, reach) in [
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
        let toy = Toy::new(&[("ALIBABA_CLOUD_CREDENTIALS_URI", uri)]);
        let story = drive(
            &CredentialsUri::from_variable(),
            &toy,
            vec![http(200, TOLD)],
        );
        assert_eq!(story.calls(), [call]);
        assert!(
            matches!(&story.asked[0], Asked::Http(asked, _) if *asked == reach),
            "{uri}"
        );
        let grant = story.grant();
        assert!(!grant.source.contains("hidden"), "{}", grant.source);
        assert_eq!(grant.renewal, Some(std::time::Duration::from_secs(900)));
    }
    for uri in [
        "hidden",
        "/hidden",
        "ftp://x/hidden",
        "http://u:hidden@x/",
        "http:///hidden",
        "http://x/hidden \u{7}",
    ] {
        let origin = CredentialsUri::new(uri);
        assert!(!format!("{origin:?}").contains("hidden"));
        let fault = drive(&origin, &Toy::new(&[]), vec![]).fault();
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
        let origin = CredentialsUri::new("http://127.0.0.1/hidden");
        let fault = drive(&origin, &Toy::new(&[]), vec![http(status, body)]).fault();
        assert_eq!(fault.kind(), kind, "{fault}");
    }
    drive(&CredentialsUri::from_variable(), &Toy::new(&[]), vec![]).absence();
}
