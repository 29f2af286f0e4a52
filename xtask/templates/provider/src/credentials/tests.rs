//! Tests of the credential sources, on a host in memory. A template for a new provider.

use lifecycle_core::{
    FaultKind, SigningContext,
    credential_source::{CredentialSourceChain, FileCheck},
};
use provider_testing::{ExchangeRun, FakeHost, id_and_session, run_exchange};

use super::*;

fn host(host_entries: &[(&str, &str)]) -> FakeHost {
    FakeHost::new(host_entries).with_expected_check(|_| FileCheck::OwnerOnly)
}

pub(crate) fn ctx(host: &FakeHost) -> ProviderContext<'_> {
    ProviderContext::new(host, SigningContext::from_unix(1_767_225_600, 0))
}

// What does the vendor's tool write? Take a sample of each mode, and name the version of the tool.
const STORED: &str = r#"{
  "current": "work",
  "profiles": {
    "work": {"access_key_id": "work-id", "access_key_secret": "hidden-1"},
    "home": {"access_key_id": "home-id", "access_key_secret": "hidden-2"},
    "half": {"access_key_id": "half-id"}
  }
}"#;

fn search(
    config: &CredentialSourceConfig,
    host_entries: &[(&str, &str)],
) -> ExchangeRun<ResolvedCredential> {
    let host = host(host_entries);
    let step = CredentialSourceChain::new(sources(config)).begin(&ctx(&host));
    run_exchange(step, &ctx(&host), [])
}

/// Returns the key ID and the source of the key.
fn found(config: &CredentialSourceConfig, host_entries: &[(&str, &str)]) -> (String, String) {
    let resolved = search(config, host_entries).done();
    let (id, _) = id_and_session(&resolved.credential);
    (id.to_owned(), resolved.source)
}

const VARIABLES: [(&str, &str); 2] = [
    ("EXAMPLE_ACCESS_KEY_ID", "variable-id"),
    ("EXAMPLE_ACCESS_KEY_SECRET", "hidden-3"),
];

#[test]
fn variables_precede_files() {
    let [id, secret] = VARIABLES;
    let (key, source) = found(
        &CredentialSourceConfig::default(),
        &[id, secret, (CREDENTIALS_FILE, STORED)],
    );
    assert_eq!(key, "variable-id");
    assert_eq!(source, "variable EXAMPLE_ACCESS_KEY_ID");
}

#[test]
fn configured_profile_precedes_the_variable_and_the_current_profile() {
    let default = CredentialSourceConfig::default();
    let stored = (CREDENTIALS_FILE, STORED);
    let (key, source) = found(&default, &[stored]);
    assert_eq!(key, "work-id");
    assert_eq!(source, format!("profile \"work\" in {CREDENTIALS_FILE}"));

    let variable = ("EXAMPLE_PROFILE", "home");
    assert_eq!(found(&default, &[stored, variable]).0, "home-id");
    let configured = CredentialSourceConfig::default().with_profile("work");
    assert_eq!(found(&configured, &[stored, variable]).0, "work-id");
}

#[test]
fn sources_on_an_empty_host_are_not_configured() {
    let host = host(&[]);
    for source in sources(&CredentialSourceConfig::default()) {
        let reason = run_exchange(source.begin(&ctx(&host)), &ctx(&host), []).expect_not_configured();
        assert!(reason.contains(&source.requirements()), "{reason}");
    }
}

#[test]
fn invalid_settings_stop_the_search_without_showing_a_secret() {
    let default = CredentialSourceConfig::default();
    let with = |profile: &str| CredentialSourceConfig::default().with_profile(profile);
    let [id, _] = VARIABLES;
    let stored = (CREDENTIALS_FILE, STORED);
    for (config, host_entries, expected) in [
        (&default, &[id, stored][..], "EXAMPLE_ACCESS_KEY_SECRET"),
        (&with("half"), &[stored], "has no access_key_secret"),
        (&with("gone"), &[stored], "has no profile \"gone\""),
        (&with("work"), &[], "no file ~/.example"),
        (&default, &[(CREDENTIALS_FILE, "hidden")], "line 1, column 1"),
        (&default, &[(CREDENTIALS_FILE, "[\"hidden\"]")], "line 1, column"),
    ] {
        let fault = search(config, host_entries).fault();
        assert_eq!(fault.kind(), FaultKind::Credential);
        assert!(fault.message().contains(expected), "{fault}");
        assert!(!fault.message().contains("hidden"), "{fault}");
    }
}

#[test]
fn truncated_file_is_a_fault() {
    for end in 0..STORED.len() {
        let host = host(&[(CREDENTIALS_FILE, &STORED[..end])]);
        let step = CommandLineProfile::new().begin(&ctx(&host));
        assert!(matches!(step, ExchangeStep::Failed(_)), "{step:?}");
    }
}
