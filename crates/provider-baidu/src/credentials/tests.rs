//! Tests of Baidu's credential sources on a host in memory, with scripted responses of the token
//! service.

use std::time::{Duration, SystemTime};

use lifecycle_core::{
    Endpoint, Fault, FaultKind, ProviderContext, ResolvedCredential, ServiceKind, SigningContext,
    credential_source::{CredentialSourceChain, FileCheck},
};
use provider_testing::{
    ExchangeRun, FakeHost, HIDDEN, ScriptedAnswer, SentStep, http_response, id_and_session,
    run_exchange,
};

pub(crate) use super::command_line::CONFIG;
use super::*;

/// Returns a host with these variables and this configuration file.
pub(crate) fn host(host_entries: &[(&str, &str)]) -> FakeHost {
    FakeHost::new(host_entries).with_expected_check(|path| {
        assert_eq!(path, CONFIG);
        FileCheck::OwnerOnly
    })
}

/// 2025-11-21T08:00:00Z.
const NOW: i64 = 1_763_712_000;

pub(crate) fn context(host: &FakeHost) -> ProviderContext<'_> {
    ProviderContext::new(host, SigningContext::from_unix(NOW, 0))
}

fn resolve(
    source: &dyn CredentialSource,
    host_entries: &[(&str, &str)],
    answers: impl IntoIterator<Item = ScriptedAnswer>,
) -> ExchangeRun<ResolvedCredential> {
    let host = host(host_entries);
    run_exchange(source.begin(&context(&host)), &context(&host), answers)
}

/// Searches the sources of the tools of Baidu.
fn resolve_chain(
    profile: Option<&str>,
    host_entries: &[(&str, &str)],
) -> ExchangeRun<ResolvedCredential> {
    let config = match profile {
        Some(name) => CredentialSourceConfig::default().with_profile(name),
        None => CredentialSourceConfig::default(),
    };
    resolve(
        &CredentialSourceChain::new(sources(&config)),
        host_entries,
        [],
    )
}

/// Returns the id, the session token and the source of a permanent key.
fn expect_key(
    profile: Option<&str>,
    host_entries: &[(&str, &str)],
) -> (String, Option<String>, String) {
    let resolved = resolve_chain(profile, host_entries).done();
    assert_eq!((resolved.expires, resolved.renewal), (None, None));
    key_parts(&resolved)
}

fn key_parts(resolved: &ResolvedCredential) -> (String, Option<String>, String) {
    let (id, session) = id_and_session(&resolved.credential);
    let session = session.map(str::to_owned);
    (id.to_owned(), session, resolved.source.clone())
}

/// The format of `bce configure` (baidubce/bce-cli, `internal/config`).
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
      "name": "unsupported",
      "mode": "Oidc",
      "access_key_id": "unsupported-id"
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
fn files_ignore_a_key_in_variables() {
    let chain = CredentialSourceChain::new(files(&CredentialSourceConfig::default()));
    let reason = resolve(&chain, &COMMAND_LINE_KEY, []).expect_not_configured();
    assert_eq!(reason, "~/.bce/config.json has no key");
}

#[test]
fn terraform_variables_take_precedence_over_profile_and_command_line_variables() {
    let mut host_entries = vec![(CONFIG, STORED)];
    host_entries.extend(TERRAFORM_KEY);
    host_entries.extend(COMMAND_LINE_KEY);
    let (id, session, _) = expect_key(None, &host_entries);
    assert_eq!((id.as_str(), session), ("terraform", None));

    let (id, session, source) =
        expect_key(None, &[&host_entries[..1], &host_entries[3..]].concat());
    assert_eq!((id.as_str(), session), ("stored-id", None));
    assert_eq!(source, r#"profile "default" in ~/.bce/config.json"#);

    let (id, session, source) = expect_key(None, &host_entries[3..]);
    assert_eq!(
        (id.as_str(), session.as_deref()),
        ("variable", Some("hidden-3"))
    );
    assert_eq!(source, "variable BCE_ACCESS_KEY_ID");
}

#[test]
fn mode_decides_about_the_session_token() {
    let stored = [(CONFIG, STORED)];
    for (profile, id, session) in [
        ("default", "stored-id", None),
        ("temporary", "temporary-id", Some("hidden-session")),
        ("old", "old-id", None),
    ] {
        let key = expect_key(Some(profile), &stored);
        assert_eq!((key.0.as_str(), key.1.as_deref()), (id, session));
        assert!(key.2.contains(profile), "{}", key.2);
    }
    assert_eq!(
        resolve_chain(Some("unsupported"), &stored)
            .fault()
            .message(),
        r#"profile "unsupported" in ~/.bce/config.json has the mode "Oidc"; supported modes: AK, StsToken"#
    );
}

#[test]
fn variables_add_missing_fields_to_a_profile_and_replace_none() {
    let mut host_entries = vec![(CONFIG, STORED)];
    host_entries.extend(COMMAND_LINE_KEY);
    assert_eq!(
        expect_key(Some("half"), &host_entries),
        (
            "half-id".to_owned(),
            None,
            r#"profile "half" in ~/.bce/config.json with BCE_SECRET_ACCESS_KEY"#.to_owned()
        )
    );
    let key = expect_key(Some("half-token"), &host_entries);
    assert_eq!(key.1.as_deref(), Some("hidden-3"));
    let key = expect_key(Some("temporary"), &host_entries);
    assert_eq!(key.1.as_deref(), Some("hidden-session"));
    let key = expect_key(Some("no-key"), &host_entries);
    assert_eq!(
        (key.0.as_str(), key.1.as_deref()),
        ("variable", Some("hidden-3"))
    );
}

#[test]
fn source_without_settings_names_the_searched_settings() {
    let sources = sources(&CredentialSourceConfig::default());
    let settings: Vec<[String; 2]> = sources
        .iter()
        .map(|source| [source.name(), source.requirements()])
        .collect();
    assert_eq!(
        settings,
        [
            [
                "environment",
                "BAIDUCLOUD_ACCESS_KEY and BAIDUCLOUD_SECRET_KEY"
            ],
            [
                "Baidu command line",
                "~/.bce/config.json or BCE_ACCESS_KEY_ID and BCE_SECRET_ACCESS_KEY"
            ],
        ]
    );
    for host_entries in [
        &[][..],
        &[(CONFIG, "{}")],
        &[(CONFIG, r#"{"current": "default", "profiles": []}"#)],
    ] {
        for source in &sources {
            let reason = resolve(source, host_entries, []).expect_not_configured();
            assert!(reason.contains("not set"), "{reason}");
        }
    }
    resolve_chain(Some("no-key"), &[(CONFIG, STORED)]).expect_not_configured();
}

#[test]
fn invalid_setting_is_named_in_the_fault() {
    for (profile, host_entries, expected) in [
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
            r#"~/.bce/config.json has no profile "prod"; profiles: "a", "b""#,
        ),
        (
            None,
            &[(CONFIG, r#"{"current": "c", "profiles": [{"name": "a"}]}"#)],
            r#"has no profile "c"; profiles: "a""#,
        ),
        (
            Some("prod"),
            &[(CONFIG, "{}")],
            r#"has no profile "prod"; profiles: none"#,
        ),
        (
            Some("prod"),
            &[],
            r#"profile "prod" cannot be used: ~/.bce/config.json does not exist"#,
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
        let fault = resolve_chain(profile, host_entries).fault();
        assert_eq!(fault.kind(), FaultKind::Credential);
        assert!(fault.message().contains(expected), "{fault}");
    }
}

#[test]
fn invalid_file_is_never_quoted() {
    for text in [
        "",
        "hidden",
        r#"{"profiles": "hidden"}"#,
        r#"{"profiles": [{"name": "a", "secret_access_key": {"x": "hidden"}}]}"#,
        r#"{"profiles": [{"name": "a", "secret_access_key": "hidden"#,
    ] {
        let fault = resolve_chain(None, &[(CONFIG, text)]).fault();
        assert!(fault.message().starts_with(CONFIG), "{fault}");
        assert!(fault.message().contains("(line 1, column "), "{fault}");
    }
    for length in 0..STORED.len() {
        resolve_chain(None, &[(CONFIG, &STORED[..length])]);
    }
    for invalid in [
        "\u{0}",
        "\u{feff}{}",
        "[[[[[[[[",
        "{\"profiles\":[{}]}",
        "🔑",
    ] {
        resolve_chain(None, &[(CONFIG, invalid)]);
    }
}

fn role() -> AssumeRole {
    AssumeRole::new(CommandLineProfile::new(), "account/1", "role name")
}

fn answer(status: u16, body: &str) -> ScriptedAnswer {
    let mut headers = http::HeaderMap::new();
    headers.insert("x-bce-request-id", "request-1".parse().unwrap());
    ScriptedAnswer::Http(Ok(http_response(status, headers, body.to_owned())))
}

/// The fields of `Credential` in `services/sts/api` of the Go SDK.
const TEMPORARY_KEY: &str = r#"{
  "accessKeyId": "issued-id",
  "secretAccessKey": "hidden-issued",
  "sessionToken": "hidden-token",
  "createTime": "2025-11-21T08:00:00Z",
  "expiration": "2025-11-21T10:00:00Z",
  "userId": "8e94f1b3"
}"#;

#[test]
fn token_service_exchanges_a_key_for_a_temporary_key() {
    let run_with = |source: &dyn CredentialSource| {
        resolve(source, &COMMAND_LINE_KEY, [answer(200, TEMPORARY_KEY)])
    };
    let exchange = run_with(&role());
    assert!(matches!(
        &exchange.sent[0],
        SentStep::Http {
            operation: "AssumeRole",
            service: ServiceKind::Identity,
            ..
        }
    ));
    assert_eq!(
        exchange.lines(),
        [
            "POST https://sts.bj.baidubce.com/v1/credential?assumeRole&accountId=account%2F1\
             &durationSeconds=7200&roleName=role%20name"
        ]
    );
    assert!(exchange.request(0).body().is_empty());
    let headers = exchange.request(0).headers();
    assert_eq!(headers["x-bce-security-token"], "hidden-3");
    assert!(headers["x-bce-security-token"].is_sensitive());
    assert!(headers["authorization"].is_sensitive());

    let resolved = exchange.done();
    let expiry = SystemTime::UNIX_EPOCH + Duration::from_secs(1_763_712_000 + 7_200);
    assert_eq!((resolved.expires, resolved.renewal), (Some(expiry), None));
    assert_eq!(
        key_parts(&resolved),
        (
            "issued-id".to_owned(),
            Some("hidden-token".to_owned()),
            "variable BCE_ACCESS_KEY_ID, role role name of account account/1 (STS)".to_owned()
        )
    );

    let source = SessionToken::new(CommandLineProfile::new())
        .with_duration(Duration::from_secs(900))
        .with_endpoint(Endpoint::parse("http://127.0.0.1:7070").unwrap());
    let exchange = run_with(&source);
    assert!(matches!(
        exchange.sent[0],
        SentStep::Http {
            operation: "GetSessionToken",
            ..
        }
    ));
    assert_eq!(
        exchange.lines(),
        ["POST http://127.0.0.1:7070/v1/sessionToken?durationSeconds=900"]
    );
    let default = run_with(&SessionToken::new(CommandLineProfile::new()));
    let query = default.request(0).uri().query();
    assert_eq!(query, Some("durationSeconds=43200"));
}

/// The signatures of bce-python-sdk 0.9.79 for the same requests (`bce_v1_signer.sign`, with the headers
/// `host` and `x-bce-date`). The path and the query of the session token are recorded.
#[test]
fn requests_to_the_token_service_have_the_signatures_of_the_sdk() {
    let key = [
        ("BCE_ACCESS_KEY_ID", "FAKEACCESSKEY"),
        ("BCE_SECRET_ACCESS_KEY", "fake-secret"),
    ];
    let session = SessionToken::new(CommandLineProfile::new());
    for (source, signature) in [
        (
            &role() as &dyn CredentialSource,
            "9268608bd8530745453fba2b49ab8471a0b640278e42cdf15d6f5a0e9ed452ee",
        ),
        (
            &session,
            "c2d506b726291197920b5983d7245d92ae599a8fab3f06fee65147e8f31cd4a2",
        ),
    ] {
        let exchange = resolve(source, &key, [answer(200, TEMPORARY_KEY)]);
        let prefix = "bce-auth-v1/FAKEACCESSKEY/2025-11-21T08:00:00Z/1800/host;x-bce-date/";
        assert_eq!(
            exchange.request(0).headers()["authorization"],
            format!("{prefix}{signature}")
        );
    }
}

#[test]
fn exchange_without_a_key_sends_nothing() {
    resolve(&role(), &[], []).expect_not_configured();
    resolve(&role(), &[(CONFIG, "{")], []).fault();
    for source in [&role() as &dyn CredentialSource, &SessionToken::new(role())] {
        assert!(source.name().contains("(STS)"));
        assert_eq!(
            source.requirements(),
            CommandLineProfile::new().requirements()
        );
    }
}

#[test]
fn error_of_the_token_service_is_reported_without_secrets() {
    let fault = |answer| resolve(&role(), &COMMAND_LINE_KEY, [answer]).fault();
    let denied = r#"{"requestId": "b", "code": "AccessDenied", "message": "not yours"}"#;
    let denied = fault(answer(403, denied));
    assert_eq!(denied.kind(), FaultKind::Permission);
    assert_eq!(
        denied.to_string(),
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
        (200, HIDDEN, FaultKind::Unreadable),
        (
            200,
            r#"{"secretAccessKey": ["hidden"]}"#,
            FaultKind::Unreadable,
        ),
        (
            200,
            &TEMPORARY_KEY.replace("issued-id", " "),
            FaultKind::Unreadable,
        ),
        (
            200,
            &TEMPORARY_KEY.replace("hidden-token", ""),
            FaultKind::Unreadable,
        ),
        (
            200,
            &TEMPORARY_KEY.replace("2025-11-21T10:00:00Z", "soon"),
            FaultKind::Unreadable,
        ),
    ] {
        let fault = fault(answer(status, body));
        assert_eq!(
            (fault.kind(), fault.status()),
            (kind, Some(status)),
            "{body}"
        );
    }
    let no_response = Fault::new(FaultKind::NoAnswer, "silence");
    assert_eq!(
        fault(ScriptedAnswer::no_response(FaultKind::NoAnswer)),
        no_response
    );
}
