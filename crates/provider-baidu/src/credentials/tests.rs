use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use lifecycle_core::{
    Credential, Endpoint, ExchangeStep, Fault, FaultKind, HostEnvironment, HttpExchange,
    HttpResponse, ProviderContext, ResolvedCredential, ServiceKind, SigningContext,
    credential_source::{CredentialSourceChain, FileCheck},
};
use provider_testing::http_response;

pub(crate) use super::command_line::CONFIG;
use super::*;

/// A machine of texts: files under their paths, variables under their names.
#[derive(Debug, Default)]
pub(crate) struct Toy(HashMap<String, String>);

impl Toy {
    pub(crate) fn new(texts: &[(&str, &str)]) -> Self {
        let own = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        Self(texts.iter().map(own).collect())
    }
}

impl HostEnvironment for Toy {
    fn variable(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }

    fn file(&self, path: &str, holds: FileCheck) -> Result<Option<String>, String> {
        assert_eq!((path, holds), (CONFIG, FileCheck::OwnerOnly));
        Ok(self.0.get(path).cloned())
    }
}

pub(crate) fn ctx(toy: &Toy) -> ProviderContext<'_> {
    ProviderContext::new(toy, SigningContext::from_unix(1_763_712_000, 0))
}

/// As `bce configure` writes it (baidubce/bce-cli, `internal/config`).
const STORED: &str = r#"{
  "current": "default",
  "profiles": [
    {
      "name": "default",
      "mode": "AK",
      "access_key_id": "stored-id",
      "secret_access_key": "hidden-stored",
      "region": "bj",
      "language": "zh"
    },
    {
      "name": "temporary",
      "mode": "StsToken",
      "access_key_id": "temporary-id",
      "secret_access_key": "hidden-temporary",
      "security_token": "hidden-session"
    },
    {
      "name": "old",
      "access_key_id": "old-id",
      "secret_access_key": "hidden-old",
      "security_token": "hidden-unused"
    },
    {
      "name": "half",
      "mode": "AK",
      "access_key_id": "half-id"
    },
    {
      "name": "half-token",
      "mode": "StsToken",
      "access_key_id": "half-id",
      "secret_access_key": "hidden-half"
    },
    {
      "name": "no-key",
      "mode": "StsToken",
      "region": "gz"
    },
    {
      "name": "strange",
      "mode": "Oidc",
      "access_key_id": "strange-id"
    }
  ]
}"#;

const TERRAFORM_KEY: [(&str, &str); 2] = [
    ("BAIDUCLOUD_ACCESS_KEY", "terraform"),
    ("BAIDUCLOUD_SECRET_KEY", "hidden-1"),
];
const COMMAND_LINE_KEY: [(&str, &str); 3] = [
    ("BCE_ACCESS_KEY_ID", "variable"),
    ("BCE_SECRET_ACCESS_KEY", "hidden-2"),
    ("BCE_SECURITY_TOKEN", "hidden-3"),
];

#[test]
fn files_alone_take_no_key_from_variables() {
    let toy = Toy::new(&COMMAND_LINE_KEY);
    let chain = CredentialSourceChain::new(files(&CredentialSourceConfig::default()));
    match chain.begin(&ctx(&toy)) {
        ExchangeStep::NotConfigured(why) => assert_eq!(why, "~/.bce/config.json has no key"),
        other => panic!("{other:?}"),
    }
}

fn search(profile: Option<&str>, texts: &[(&str, &str)]) -> ExchangeStep<ResolvedCredential> {
    let config = match profile {
        Some(name) => CredentialSourceConfig::default().with_profile(name),
        None => CredentialSourceConfig::default(),
    };
    CredentialSourceChain::new(sources(&config)).begin(&ctx(&Toy::new(texts)))
}

/// Key id, session token and place.
fn found(profile: Option<&str>, texts: &[(&str, &str)]) -> (String, Option<String>, String) {
    match search(profile, texts) {
        ExchangeStep::Done(grant) => {
            assert!(!format!("{grant:?}").contains("hidden"), "{grant:?}");
            assert_eq!((grant.expires, grant.renewal), (None, None));
            key(grant)
        }
        other => panic!("{other:?}"),
    }
}

fn key(grant: ResolvedCredential) -> (String, Option<String>, String) {
    match grant.credential {
        Credential::Keys { id, session, .. } => {
            let session = session.map(|token| token.expose().to_owned());
            (id, session, grant.source)
        }
        other => panic!("{other:?}"),
    }
}

fn refused<T: std::fmt::Debug>(step: ExchangeStep<T>) -> Fault {
    match step {
        ExchangeStep::Failed(fault) => {
            assert!(!format!("{fault:?}").contains("hidden"), "{fault:?}");
            fault
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn terraforms_variables_go_before_the_command_lines_profile() {
    let mut texts = vec![(CONFIG, STORED)];
    texts.extend(TERRAFORM_KEY);
    texts.extend(COMMAND_LINE_KEY);
    let key = found(None, &texts);
    assert_eq!((key.0.as_str(), key.1), ("terraform", None));

    let (id, session, place) = found(None, &[&texts[..1], &texts[3..]].concat());
    assert_eq!((id.as_str(), session), ("stored-id", None));
    assert_eq!(place, r#"profile "default" in ~/.bce/config.json"#);

    let (id, session, place) = found(None, &texts[3..]);
    assert_eq!(
        (id.as_str(), session.as_deref()),
        ("variable", Some("hidden-3"))
    );
    assert_eq!(place, "variable BCE_ACCESS_KEY_ID");
}

#[test]
fn modes_say_what_belongs_to_a_key() {
    let stored = [(CONFIG, STORED)];
    for (profile, id, session) in [
        ("default", "stored-id", None),
        ("temporary", "temporary-id", Some("hidden-session")),
        ("old", "old-id", None),
    ] {
        let key = found(Some(profile), &stored);
        assert_eq!((key.0.as_str(), key.1.as_deref()), (id, session));
        assert!(key.2.contains(profile), "{}", key.2);
    }
    let fault = refused(search(Some("strange"), &stored));
    assert_eq!(
        fault.message(),
        r#"profile "strange" in ~/.bce/config.json has the mode "Oidc"; only AK and StsToken can be used"#
    );
}

#[test]
fn variables_fill_a_profile_and_never_replace_it() {
    let mut texts = vec![(CONFIG, STORED)];
    texts.extend(COMMAND_LINE_KEY);
    assert_eq!(
        found(Some("half"), &texts),
        (
            "half-id".to_owned(),
            None,
            r#"profile "half" in ~/.bce/config.json with BCE_SECRET_ACCESS_KEY"#.to_owned()
        )
    );
    let key = found(Some("half-token"), &texts);
    assert_eq!(key.1.as_deref(), Some("hidden-3"));
    let key = found(Some("temporary"), &texts);
    assert_eq!(key.1.as_deref(), Some("hidden-session"));
    let key = found(Some("no-key"), &texts);
    assert_eq!(
        (key.0.as_str(), key.1.as_deref()),
        ("variable", Some("hidden-3"))
    );
}

#[test]
fn nothing_is_absent_and_says_what_was_looked_for() {
    for texts in [
        &[][..],
        &[(CONFIG, "{}")],
        &[(CONFIG, r#"{"current": "default", "profiles": []}"#)],
    ] {
        for origin in sources(&CredentialSourceConfig::default()) {
            assert!(!origin.name().is_empty() && !origin.requirements().is_empty());
            match origin.begin(&ctx(&Toy::new(texts))) {
                ExchangeStep::NotConfigured(why) => assert!(why.contains("not set"), "{why}"),
                other => panic!("{other:?}"),
            }
        }
    }
    assert!(matches!(
        search(Some("no-key"), &[(CONFIG, STORED)]),
        ExchangeStep::NotConfigured(_)
    ));
}

#[test]
fn what_is_set_up_badly_is_named() {
    for (profile, texts, expected) in [
        (
            Some("half"),
            &[(CONFIG, STORED)][..],
            r#"profile "half" in ~/.bce/config.json has no secret_access_key, and BCE_SECRET_ACCESS_KEY is not set"#,
        ),
        (
            Some("half-token"),
            &[(CONFIG, STORED)],
            "has no security_token, and BCE_SECURITY_TOKEN is not set",
        ),
        (
            Some("prod"),
            &[(CONFIG, r#"{"profiles": [{"name": "a"}, {"name": "b"}]}"#)],
            r#"~/.bce/config.json has no profile "prod", but "a", "b""#,
        ),
        (
            None,
            &[(CONFIG, r#"{"current": "c", "profiles": [{"name": "a"}]}"#)],
            r#"has no profile "c", but "a""#,
        ),
        (
            Some("prod"),
            &[(CONFIG, "{}")],
            r#"has no profile "prod", but none"#,
        ),
        (
            Some("prod"),
            &[],
            r#"profile "prod" cannot be used: there is no ~/.bce/config.json"#,
        ),
        (
            None,
            &[("BCE_SECRET_ACCESS_KEY", "hidden")],
            "BCE_ACCESS_KEY_ID is not",
        ),
        (
            None,
            &[("BAIDUCLOUD_ACCESS_KEY", "id")],
            "BAIDUCLOUD_SECRET_KEY is not",
        ),
    ] {
        let fault = refused(search(profile, texts));
        assert_eq!(fault.kind(), FaultKind::Credential);
        assert!(fault.message().contains(expected), "{fault}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_never_shown() {
    for text in [
        "",
        "hidden",
        r#"{"profiles": "hidden"}"#,
        r#"{"profiles": [{"name": "a", "secret_access_key": {"x": "hidden"}}]}"#,
        r#"{"profiles": [{"name": "a", "secret_access_key": "hidden"#,
    ] {
        let fault = refused(search(None, &[(CONFIG, text)]));
        assert!(fault.message().starts_with(CONFIG), "{fault}");
        assert!(fault.message().contains("(line 1, column "), "{fault}");
    }
    for length in 0..STORED.len() {
        drop(search(None, &[(CONFIG, &STORED[..length])]));
    }
    for junk in [
        "\u{0}",
        "\u{feff}{}",
        "[[[[[[[[",
        "{\"profiles\":[{}]}",
        "🔑",
    ] {
        drop(search(None, &[(CONFIG, junk)]));
    }
}

fn role() -> AssumeRole {
    AssumeRole::new(CommandLineProfile::new(), "account/1", "role name")
}

fn asked(origin: &dyn CredentialSource, toy: &Toy) -> Box<HttpExchange<ResolvedCredential>> {
    match origin.begin(&ctx(toy)) {
        ExchangeStep::Http(ask) => ask,
        other => panic!("{other:?}"),
    }
}

fn reply(status: u16, body: &str) -> HttpResponse {
    http_response(
        status,
        [(
            "x-bce-request-id".parse().unwrap(),
            "request-1".parse().unwrap(),
        )]
        .into_iter()
        .collect(),
        Bytes::from(body.to_owned()),
    )
}

/// The fields of `Credential` in `services/sts/api` of Baidu's Go SDK.
const ISSUED: &str = r#"{
  "accessKeyId": "issued-id",
  "secretAccessKey": "hidden-issued",
  "sessionToken": "hidden-token",
  "createTime": "2025-11-21T08:00:00Z",
  "expiration": "2025-11-21T10:00:00Z",
  "userId": "8e94f1b3"
}"#;

#[test]
fn a_key_is_exchanged_at_the_token_service() {
    let toy = Toy::new(&COMMAND_LINE_KEY);
    let ask = asked(&role(), &toy);
    assert_eq!(
        (ask.operation, ask.service),
        ("AssumeRole", ServiceKind::Identity)
    );
    assert_eq!(ask.request.method(), "POST");
    assert_eq!(
        ask.request.uri(),
        "https://sts.bj.baidubce.com/v1/credential?assumeRole&accountId=account%2F1\
         &durationSeconds=7200&roleName=role%20name"
    );
    assert!(ask.request.body().is_empty());
    let headers = ask.request.headers();
    assert_eq!(headers["x-bce-security-token"], "hidden-3");
    assert!(headers["x-bce-security-token"].is_sensitive());
    assert!(headers["authorization"].is_sensitive());

    let grant = match ask.then(Ok(reply(200, ISSUED)), &ctx(&toy)) {
        ExchangeStep::Done(grant) => grant,
        other => panic!("{other:?}"),
    };
    assert!(!format!("{grant:?}").contains("hidden"), "{grant:?}");
    let end = SystemTime::UNIX_EPOCH + Duration::from_secs(1_763_712_000 + 7_200);
    assert_eq!((grant.expires, grant.renewal), (Some(end), None));
    assert_eq!(
        key(grant),
        (
            "issued-id".to_owned(),
            Some("hidden-token".to_owned()),
            "variable BCE_ACCESS_KEY_ID, role role name of account account/1 (STS)".to_owned()
        )
    );

    let origin = SessionToken::new(CommandLineProfile::new())
        .with_duration(Duration::from_secs(900))
        .with_identity(Endpoint::parse("http://127.0.0.1:7070").unwrap());
    let ask = asked(&origin, &toy);
    assert_eq!(ask.operation, "GetSessionToken");
    assert_eq!(
        ask.request.uri(),
        "http://127.0.0.1:7070/v1/sessionToken?durationSeconds=900"
    );
    let default = asked(&SessionToken::new(CommandLineProfile::new()), &toy);
    assert_eq!(default.request.uri().query(), Some("durationSeconds=43200"));
}

/// The signatures of bce-python-sdk 0.9.79 for the same requests (`bce_v1_signer.sign`, told to sign
/// `host` and `x-bce-date` alone). That its client sends the session token's path and query was
/// recorded.
#[test]
fn requests_to_the_token_service_are_signed_as_the_sdk_signs() {
    let toy = Toy::new(&[
        ("BCE_ACCESS_KEY_ID", "FAKEACCESSKEY"),
        ("BCE_SECRET_ACCESS_KEY", "fake-secret"),
    ]);
    let session = SessionToken::new(CommandLineProfile::new());
    for (origin, signature) in [
        (
            &role() as &dyn CredentialSource,
            "9268608bd8530745453fba2b49ab8471a0b640278e42cdf15d6f5a0e9ed452ee",
        ),
        (
            &session,
            "c2d506b726291197920b5983d7245d92ae599a8fab3f06fee65147e8f31cd4a2",
        ),
    ] {
        let ask = asked(origin, &toy);
        let prefix = "bce-auth-v1/FAKEACCESSKEY/2025-11-21T08:00:00Z/1800/host;x-bce-date/";
        assert_eq!(
            ask.request.headers()["authorization"],
            format!("{prefix}{signature}")
        );
    }
}

#[test]
fn an_exchange_ends_where_its_base_does() {
    let empty = Toy::default();
    assert!(matches!(
        role().begin(&ctx(&empty)),
        ExchangeStep::NotConfigured(_)
    ));
    let broken = Toy::new(&[(CONFIG, "{")]);
    refused(role().begin(&ctx(&broken)));
    for origin in [&role() as &dyn CredentialSource, &SessionToken::new(role())] {
        assert!(origin.name().contains("(STS)"));
        assert_eq!(
            origin.requirements(),
            CommandLineProfile::new().requirements()
        );
    }
}

#[test]
fn what_the_token_service_answers_is_told_truly() {
    let toy = Toy::new(&COMMAND_LINE_KEY);
    let outcome = |reply| asked(&role(), &toy).then(reply, &ctx(&toy));
    let refusal = r#"{"requestId": "b", "code": "AccessDenied", "message": "not yours"}"#;
    let fault = refused(outcome(Ok(reply(403, refusal))));
    assert_eq!(fault.kind(), FaultKind::Permission);
    assert_eq!(
        fault.to_string(),
        "AccessDenied: not yours (HTTP 403, request request-1)"
    );
    for (status, body, kind) in [
        (
            400,
            r#"{"code": "SignatureDoesNotMatch"}"#,
            FaultKind::Credential,
        ),
        (503, "<html>", FaultKind::Unavailable),
        (429, "", FaultKind::Throttled),
        (200, "", FaultKind::Unreadable),
        (200, "{}", FaultKind::Unreadable),
        (200, "hidden", FaultKind::Unreadable),
        (
            200,
            r#"{"secretAccessKey": ["hidden"]}"#,
            FaultKind::Unreadable,
        ),
        (
            200,
            &ISSUED.replace("issued-id", " "),
            FaultKind::Unreadable,
        ),
        (
            200,
            &ISSUED.replace("hidden-token", ""),
            FaultKind::Unreadable,
        ),
        (
            200,
            &ISSUED.replace("2025-11-21T10:00:00Z", "soon"),
            FaultKind::Unreadable,
        ),
    ] {
        let fault = refused(outcome(Ok(reply(status, body))));
        assert_eq!(
            (fault.kind(), fault.status()),
            (kind, Some(status)),
            "{body}"
        );
    }
    let silence = Fault::new(FaultKind::NoAnswer, "silence");
    assert_eq!(refused(outcome(Err(silence.clone()))), silence);
}
