use std::collections::HashMap;

use lifecycle_core::{
    FaultKind, HostEnvironment, SigningContext,
    credential_source::{CredentialSourceChain, FileCheck},
};

use super::*;

/// A machine of texts. A name that begins with `~/` is a file, every other a variable.
#[derive(Debug)]
pub(crate) struct Toy(HashMap<&'static str, &'static str>);

impl Toy {
    pub(crate) fn new(texts: &[(&'static str, &'static str)]) -> Self {
        Self(texts.iter().copied().collect())
    }
}

impl HostEnvironment for Toy {
    fn variable(&self, name: &str) -> Option<String> {
        self.0.get(name).map(|text| (*text).to_owned())
    }

    fn file(&self, path: &str, holds: FileCheck) -> Result<Option<String>, String> {
        assert_eq!(holds, FileCheck::OwnerOnly, "{path} is not kept as a secret");
        Ok(self.variable(path))
    }
}

pub(crate) fn ctx(toy: &Toy) -> ProviderContext<'_> {
    ProviderContext::new(toy, SigningContext::from_unix(1_767_225_600, 0))
}

// What does the vendor's tool really write? Take a sample of each mode from it, and say from which
// version.
const STORED: &str = r#"{
  "current": "work",
  "profiles": {
    "work": {"access_key_id": "work-id", "access_key_secret": "hidden-1"},
    "home": {"access_key_id": "home-id", "access_key_secret": "hidden-2"},
    "half": {"access_key_id": "half-id"}
  }
}"#;

fn search(config: &CredentialSourceConfig, texts: &[(&'static str, &'static str)]) -> ExchangeStep<ResolvedCredential> {
    CredentialSourceChain::new(sources(config)).begin(&ctx(&Toy::new(texts)))
}

/// The public half of the key, and where it was.
fn found(config: &CredentialSourceConfig, texts: &[(&'static str, &'static str)]) -> (String, String) {
    match search(config, texts) {
        ExchangeStep::Done(grant) => match grant.credential {
            Credential::Keys { id, .. } => (id, grant.found),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn refused(config: &CredentialSourceConfig, texts: &[(&'static str, &'static str)]) -> String {
    match search(config, texts) {
        ExchangeStep::Failed(fault) => {
            assert_eq!(fault.kind(), FaultKind::Credential);
            assert!(!fault.message().contains("hidden"), "{fault}");
            fault.message().to_owned()
        }
        other => panic!("{other:?}"),
    }
}

const VARIABLES: [(&str, &str); 2] = [
    ("EXAMPLE_ACCESS_KEY_ID", "variable-id"),
    ("EXAMPLE_ACCESS_KEY_SECRET", "hidden-3"),
];

#[test]
fn variables_go_before_files() {
    let [id, secret] = VARIABLES;
    let (key, place) = found(
        &CredentialSourceConfig::default(),
        &[id, secret, (CREDENTIALS, STORED)],
    );
    assert_eq!(key, "variable-id");
    assert_eq!(place, "variable EXAMPLE_ACCESS_KEY_ID");
}

#[test]
fn the_profile_is_the_one_asked_for() {
    let plain = CredentialSourceConfig::default();
    let stored = (CREDENTIALS, STORED);
    let (key, place) = found(&plain, &[stored]);
    assert_eq!(key, "work-id");
    assert_eq!(place, format!("profile \"work\" in {CREDENTIALS}"));

    let variable = ("EXAMPLE_PROFILE", "home");
    assert_eq!(found(&plain, &[stored, variable]).0, "home-id");
    let asked = CredentialSourceConfig::default().with_profile("work");
    assert_eq!(found(&asked, &[stored, variable]).0, "work-id");
}

#[test]
fn a_machine_without_anything_has_no_key_and_is_told_what_was_looked_for() {
    for origin in sources(&CredentialSourceConfig::default()) {
        match origin.begin(&ctx(&Toy::new(&[]))) {
            ExchangeStep::NotConfigured(why) => assert!(why.contains(&origin.requirements()), "{why}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_is_set_up_badly_ends_the_search_and_shows_no_secret() {
    let plain = CredentialSourceConfig::default();
    let with = |profile: &str| CredentialSourceConfig::default().with_profile(profile);
    let [id, _] = VARIABLES;
    let stored = (CREDENTIALS, STORED);
    for (config, texts, expected) in [
        (&plain, &[id, stored][..], "EXAMPLE_ACCESS_KEY_SECRET"),
        (&with("half"), &[stored], "has no access_key_secret"),
        (&with("gone"), &[stored], "has no profile \"gone\""),
        (&with("work"), &[], "there is no ~/.example"),
        (&plain, &[(CREDENTIALS, "hidden")], "line 1, column 1"),
        (&plain, &[(CREDENTIALS, "[\"hidden\"]")], "line 1, column"),
    ] {
        let message = refused(config, texts);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn no_text_makes_it_panic() {
    for end in 0..STORED.len() {
        let toy = Toy::new(&[(CREDENTIALS, &STORED[..end])]);
        let step = CommandLineProfile::new().begin(&ctx(&toy));
        assert!(matches!(step, ExchangeStep::Failed(_)), "{step:?}");
    }
}
