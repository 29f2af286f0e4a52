//! Tests of Zenlayer's credential sources, with the variables and files of a fake host.

use lifecycle_core::{
    FaultKind, SigningContext,
    credential_source::{CredentialSourceChain, FileCheck},
};
use provider_testing::{ExchangeRun, FakeHost, id_and_session, run_exchange};

use super::*;

/// Returns a host with these variables and files. The host fails a test that reads the file with
/// secrets without a check of the permissions.
pub(crate) fn host(host_entries: &[(&str, &str)]) -> FakeHost {
    FakeHost::new(host_entries).with_expected_check(|path| match path {
        CREDENTIALS_FILE => FileCheck::OwnerOnly,
        _ => FileCheck::Any,
    })
}

pub(crate) fn context(host: &FakeHost) -> ProviderContext<'_> {
    ProviderContext::new(host, SigningContext::from_unix(1_763_712_000, 0))
}

fn resolve(
    source: &dyn CredentialSource,
    host_entries: &[(&str, &str)],
) -> ExchangeRun<ResolvedCredential> {
    let host = host(host_entries);
    run_exchange(source.begin(&context(&host)), &context(&host), [])
}

/// A credentials file as `zeno configure`, Zenlayer's command line tool, writes it
/// (zenlayer/zenlayercloud-cli, `internal/config`).
const STORED: &str = r#"{
  "default": {
    "access_key_id": "stored-id",
    "access_key_secret": "hidden-stored"
  },
  "half": {
    "access_key_id": "half-id"
  },
  "other-half": {
    "access_key_secret": "hidden-half"
  },
  "empty": {},
  "token": {
    "token": "hidden-token"
  },
  "both": {
    "access_key_id": "both-id",
    "access_key_secret": "hidden-both",
    "token": "hidden-token"
  }
}"#;

fn resolve_chain(
    config: &CredentialSourceConfig,
    host_entries: &[(&str, &str)],
) -> ExchangeRun<ResolvedCredential> {
    resolve(&CredentialSourceChain::new(sources(config)), host_entries)
}

/// Returns the id and the source of a key without expiry. For a token, the id is `token`.
fn expect_key(config: &CredentialSourceConfig, host_entries: &[(&str, &str)]) -> (String, String) {
    let resolved = resolve_chain(config, host_entries).done();
    assert_eq!((resolved.expires, resolved.renewal), (None, None));
    let (id, _) = id_and_session(&resolved.credential);
    (id.to_owned(), resolved.source)
}

/// Returns the message of the fault.
fn expect_fault_message(config: &CredentialSourceConfig, host_entries: &[(&str, &str)]) -> String {
    let fault = resolve_chain(config, host_entries).fault();
    assert_eq!(fault.kind(), FaultKind::Credential);
    fault.message().to_owned()
}

#[test]
fn variables_take_precedence_over_files_and_tokens_over_key_pairs() {
    let all = [
        ("ZENLAYER_TOKEN", "hidden-1", "token"),
        ("ZENLAYER_ACCESS_KEY_ID", "cli", "cli"),
        ("ZENLAYER_ACCESS_KEY_SECRET", "hidden-2", ""),
        ("ZENLAYERCLOUD_ACCESS_KEY_ID", "terraform", "terraform"),
        ("ZENLAYERCLOUD_ACCESS_KEY_PASSWORD", "hidden-3", ""),
        ("ZENLAYERCLOUD_SECRET_KEY_ID", "go", "go"),
        ("ZENLAYERCLOUD_SECRET_KEY_PASSWORD", "hidden-4", ""),
        ("ZENLAYER_CLOUD_ACCESS_KEY_ID", "rust", "rust"),
        ("ZENLAYER_CLOUD_ACCESS_KEY_PASSWORD", "hidden-5", ""),
        (CREDENTIALS_FILE, STORED, "stored-id"),
    ];
    for (start, (name, _, expected)) in all.iter().enumerate() {
        if expected.is_empty() {
            continue;
        }
        let rest: Vec<_> = all[start..].iter().map(|&(n, text, _)| (n, text)).collect();
        let (id, source) = expect_key(&CredentialSourceConfig::default(), &rest);
        assert_eq!(&id, expected);
        assert!(source.contains(name), "{source}");
    }
}

#[test]
fn requested_profile_takes_precedence_over_variable_and_current_profile() {
    let config = CredentialSourceConfig::default();
    let stored = (CREDENTIALS_FILE, STORED);
    let current = (
        CONFIG_FILE,
        r#"{"current_profile": "token", "profiles": {"token": {"language": "en", "output": "json"}}}"#,
    );
    assert_eq!(
        expect_key(&config, &[stored]),
        (
            "stored-id".to_owned(),
            r#"profile "default" in ~/.zenlayer/credentials.json"#.to_owned()
        )
    );
    assert_eq!(expect_key(&config, &[stored, current]).0, "token");
    let variable = ("ZENLAYER_PROFILE", "default");
    assert_eq!(
        expect_key(&config, &[stored, current, variable]).0,
        "stored-id"
    );
    let config = config.with_profile("token");
    assert_eq!(expect_key(&config, &[stored, variable]).0, "token");
    let config = config.with_profile("both");
    assert_eq!(expect_key(&config, &[stored]).0, "token");
}

#[test]
fn profile_of_the_source_takes_precedence_over_the_variable() {
    let host_entries = [(CREDENTIALS_FILE, STORED), ("ZENLAYER_PROFILE", "default")];
    let source = CommandLineProfile::new().with_profile("both");
    let resolved = resolve(&source, &host_entries).done();
    assert_eq!(id_and_session(&resolved.credential).0, "token");
    assert_eq!(
        resolved.source,
        r#"profile "both" in ~/.zenlayer/credentials.json"#
    );
}

#[test]
fn file_source_is_named_after_the_command_line() {
    let files = files(&CredentialSourceConfig::default());
    let [source] = files.as_slice() else {
        panic!("{files:?}");
    };
    assert_eq!(source.name(), "Zenlayer command line");
    assert_eq!(source.requirements(), "~/.zenlayer/credentials.json");
}

#[test]
fn source_without_credentials_names_what_it_searched() {
    for host_entries in [
        &[][..],
        &[(CREDENTIALS_FILE, "{}")],
        &[(CONFIG_FILE, "broken")],
    ] {
        let reason = resolve(&CommandLineProfile::new(), host_entries).expect_not_configured();
        assert!(reason.contains(CREDENTIALS_FILE), "{reason}");
        for source in sources(&CredentialSourceConfig::default()) {
            resolve(&source, host_entries).expect_not_configured();
            assert!(!source.name().is_empty() && !source.requirements().is_empty());
        }
    }
}

#[test]
fn invalid_setting_is_named_in_the_fault() {
    let default = CredentialSourceConfig::default();
    let with = |profile: &str| CredentialSourceConfig::default().with_profile(profile);
    let stored = [(CREDENTIALS_FILE, STORED)];
    for (config, host_entries, expected) in [
        (
            with("half"),
            &stored[..],
            r#"profile "half" in ~/.zenlayer/credentials.json has no access_key_secret: run `zeno configure`"#,
        ),
        (with("other-half"), &stored, "has no access_key_id"),
        (with("empty"), &stored, "has no access key and no token"),
        (
            with("prod"),
            &stored,
            r#"~/.zenlayer/credentials.json has no profile "prod"; profiles: "both", "default", "empty", "half", "other-half", "token""#,
        ),
        (
            with("prod"),
            &[],
            r#"profile "prod" cannot be used: ~/.zenlayer/credentials.json does not exist"#,
        ),
        (
            with("prod"),
            &[(CREDENTIALS_FILE, "{}")],
            "has no profile \"prod\"; profiles: none",
        ),
        (
            default.clone(),
            &[("ZENLAYER_PROFILE", "prod")],
            "profile \"prod\" cannot be used",
        ),
        (
            default.clone(),
            &[(CREDENTIALS_FILE, STORED), (CONFIG_FILE, "{")],
            "~/.zenlayer/config.json is not in the format of `zeno` (line 1, column 1)",
        ),
        (
            default.clone(),
            &[("ZENLAYER_ACCESS_KEY_ID", "id")],
            "ZENLAYER_ACCESS_KEY_SECRET is not",
        ),
    ] {
        let message = expect_fault_message(&config, host_entries);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn invalid_file_is_never_quoted() {
    for text in [
        "",
        "hidden",
        "[\"hidden\"]",
        r#"{"default": "hidden"}"#,
        r#"{"default": {"access_key_secret": ["hidden"]}}"#,
        r#"{"default": {"access_key_secret": "hidden}"#,
        "{\"default\": {\"token\": \"hidden\u{1}\"}}",
    ] {
        let message = expect_fault_message(
            &CredentialSourceConfig::default(),
            &[(CREDENTIALS_FILE, text)],
        );
        assert!(message.starts_with(CREDENTIALS_FILE), "{message}");
        assert!(message.contains("(line 1, column "), "{message}");
    }
}

#[test]
fn damaged_file_causes_no_panic() {
    for length in 0..STORED.len() {
        let start = &STORED[..length];
        resolve(
            &CommandLineProfile::new(),
            &[(CREDENTIALS_FILE, start), (CONFIG_FILE, start)],
        );
    }
    for invalid in [
        "\u{0}",
        "\u{feff}{}",
        "[[[[[[[[",
        "{\"\":{\"\":1e999}}",
        "🔑",
    ] {
        resolve(
            &CommandLineProfile::new(),
            &[(CREDENTIALS_FILE, invalid), (CONFIG_FILE, invalid)],
        );
    }
}
