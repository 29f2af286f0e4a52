use std::collections::HashMap;

use lifecycle_core::{
    FaultKind, HostEnvironment, SigningContext,
    credential_source::{CredentialSourceChain, FileCheck},
};

use super::*;

/// A machine of texts. A name with a `~/` in front is a file, every other a variable.
#[derive(Debug, Default)]
pub(crate) struct Toy(pub(crate) HashMap<String, String>);

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
        assert_eq!(holds == FileCheck::OwnerOnly, path == CREDENTIALS, "{path}");
        Ok(self.0.get(path).cloned())
    }
}

pub(crate) fn ctx(toy: &Toy) -> ProviderContext<'_> {
    ProviderContext::new(toy, SigningContext::from_unix(1_763_712_000, 0))
}

/// As `zeno configure` writes it (zenlayer/zenlayercloud-cli, `internal/config`).
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

fn search(
    config: &CredentialSourceConfig,
    texts: &[(&str, &str)],
) -> ExchangeStep<ResolvedCredential> {
    CredentialSourceChain::new(sources(config)).begin(&ctx(&Toy::new(texts)))
}

/// Key id and place; the id of a token is its kind.
fn found(config: &CredentialSourceConfig, texts: &[(&str, &str)]) -> (String, String) {
    match search(config, texts) {
        ExchangeStep::Done(grant) => {
            assert!(!format!("{grant:?}").contains("hidden"), "{grant:?}");
            assert_eq!((grant.expires, grant.renewal), (None, None));
            match grant.credential {
                Credential::Keys { id, .. } => (id, grant.source),
                _ => ("token".to_owned(), grant.source),
            }
        }
        other => panic!("{other:?}"),
    }
}

fn refused(config: &CredentialSourceConfig, texts: &[(&str, &str)]) -> String {
    match search(config, texts) {
        ExchangeStep::Failed(fault) => {
            assert_eq!(fault.kind(), FaultKind::Credential);
            assert!(!format!("{fault:?}").contains("hidden"), "{fault:?}");
            fault.message().to_owned()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn variables_go_before_files_and_tokens_before_pairs() {
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
        (CREDENTIALS, STORED, "stored-id"),
    ];
    for (start, (name, _, expected)) in all.iter().enumerate() {
        if expected.is_empty() {
            continue;
        }
        let rest: Vec<_> = all[start..].iter().map(|&(n, text, _)| (n, text)).collect();
        let (id, place) = found(&CredentialSourceConfig::default(), &rest);
        assert_eq!(&id, expected);
        assert!(place.contains(name), "{place}");
    }
}

#[test]
fn the_profile_is_the_one_asked_for() {
    let config = CredentialSourceConfig::default();
    let stored = (CREDENTIALS, STORED);
    let current = (
        CONFIG,
        r#"{"current_profile": "token", "profiles": {"token": {"language": "en", "output": "json"}}}"#,
    );
    assert_eq!(
        found(&config, &[stored]),
        (
            "stored-id".to_owned(),
            r#"profile "default" in ~/.zenlayer/credentials.json"#.to_owned()
        )
    );
    assert_eq!(found(&config, &[stored, current]).0, "token");
    let variable = ("ZENLAYER_PROFILE", "default");
    assert_eq!(found(&config, &[stored, current, variable]).0, "stored-id");
    let config = config.with_profile("token");
    assert_eq!(found(&config, &[stored, variable]).0, "token");
    let config = config.with_profile("both");
    assert_eq!(found(&config, &[stored]).0, "token");
}

#[test]
fn nothing_is_absent_and_says_what_was_looked_for() {
    for texts in [&[][..], &[(CREDENTIALS, "{}")], &[(CONFIG, "broken")]] {
        let toy = Toy::new(texts);
        match CommandLineProfile::new().begin(&ctx(&toy)) {
            ExchangeStep::NotConfigured(why) => assert!(why.contains(CREDENTIALS), "{why}"),
            other => panic!("{other:?}"),
        }
        for origin in sources(&CredentialSourceConfig::default()) {
            assert!(matches!(
                origin.begin(&ctx(&toy)),
                ExchangeStep::NotConfigured(_)
            ));
            assert!(!origin.name().is_empty() && !origin.requirements().is_empty());
        }
    }
}

#[test]
fn what_is_set_up_badly_is_named() {
    let plain = CredentialSourceConfig::default();
    let with = |profile: &str| CredentialSourceConfig::default().with_profile(profile);
    let stored = [(CREDENTIALS, STORED)];
    for (config, texts, expected) in [
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
            r#"~/.zenlayer/credentials.json has no profile "prod", but "both", "default", "empty", "half", "other-half", "token""#,
        ),
        (
            with("prod"),
            &[],
            r#"profile "prod" cannot be used: there is no ~/.zenlayer/credentials.json"#,
        ),
        (
            with("prod"),
            &[(CREDENTIALS, "{}")],
            "has no profile \"prod\", but none",
        ),
        (
            plain.clone(),
            &[("ZENLAYER_PROFILE", "prod")],
            "profile \"prod\" cannot be used",
        ),
        (
            plain.clone(),
            &[(CREDENTIALS, STORED), (CONFIG, "{")],
            "~/.zenlayer/config.json is not as `zeno` writes it (line 1, column 1)",
        ),
        (
            plain.clone(),
            &[("ZENLAYER_ACCESS_KEY_ID", "id")],
            "ZENLAYER_ACCESS_KEY_SECRET is not",
        ),
    ] {
        let message = refused(&config, texts);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_never_shown() {
    for text in [
        "",
        "hidden",
        "[\"hidden\"]",
        r#"{"default": "hidden"}"#,
        r#"{"default": {"access_key_secret": ["hidden"]}}"#,
        r#"{"default": {"access_key_secret": "hidden}"#,
        "{\"default\": {\"token\": \"hidden\u{1}\"}}",
    ] {
        let message = refused(&CredentialSourceConfig::default(), &[(CREDENTIALS, text)]);
        assert!(message.starts_with(CREDENTIALS), "{message}");
        assert!(message.contains("(line 1, column "), "{message}");
    }
}

#[test]
fn no_bytes_make_it_panic() {
    for length in 0..STORED.len() {
        let start = &STORED[..length];
        let toy = Toy::new(&[(CREDENTIALS, start), (CONFIG, start)]);
        let _ = CommandLineProfile::new().begin(&ctx(&toy));
    }
    for junk in [
        "\u{0}",
        "\u{feff}{}",
        "[[[[[[[[",
        "{\"\":{\"\":1e999}}",
        "🔑",
    ] {
        let toy = Toy::new(&[(CREDENTIALS, junk), (CONFIG, junk)]);
        let _ = CommandLineProfile::new().begin(&ctx(&toy));
    }
}
