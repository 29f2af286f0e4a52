//! Where keys come from: what the cloud's own tools have set up.

use std::collections::BTreeMap;

use lifecycle_core::{
    Credential, Fault, ResolvedCredential, CredentialSource, CredentialSourceConfig, ExchangeStep, ProviderContext,
    credential_source::{EnvCredentialSource, unusable},
};
use serde::Deserialize;

use crate::PROFILE;

// In which order do the vendor's tools look: variables, files, a metadata service, an exchange?
// Do the command line, the SDKs and the Terraform provider agree? Say whose order this one is.

/// The places where the cloud's own tools look for keys, in their order: variables before files.
pub fn sources(config: &CredentialSourceConfig) -> Vec<Box<dyn CredentialSource>> {
    let mut origins: Vec<Box<dyn CredentialSource>> = vec![Box::new(EnvCredentialSource::new(PROFILE.env_vars))];
    origins.extend(files(config));
    origins
}

// Is there a metadata service or an exchange, such as AssumeRole? It is one more `CredentialSource` of the
// chain, which sends with `ExchangeStep::http` and goes on with the answer.

/// The files of the cloud's tools, those of the chain.
pub fn files(config: &CredentialSourceConfig) -> Vec<Box<dyn CredentialSource>> {
    vec![Box::new(CommandLineProfile {
        profile: config.profile.clone(),
    })]
}

// Which file does the vendor's command line write, and who reads it too?
// Which profile counts when nobody names one: of a variable, of a field, of a fixed name?

/// A profile that the command line has stored in `~/.example/credentials.json`.
///
/// Which one: the one asked for, else that of `EXAMPLE_PROFILE`, else the current one of the file.
#[derive(Clone, Debug, Default)]
pub struct CommandLineProfile {
    profile: Option<String>,
}

impl CommandLineProfile {
    /// The profile that the command line itself would use.
    pub fn new() -> Self {
        Self::default()
    }

    /// This profile instead.
    #[must_use]
    pub fn with_profile(mut self, name: impl Into<String>) -> Self {
        self.profile = Some(name.into());
        self
    }

    /// What is not set up is `Absent`, and the search goes on. What is set up and cannot be used is
    /// a fault, and ends it.
    fn find(&self, ctx: &ProviderContext<'_>) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
        let asked_for = self
            .profile
            .clone()
            .or_else(|| ctx.variable("EXAMPLE_PROFILE"));
        let Some(text) = ctx.secret_file(CREDENTIALS)? else {
            return match asked_for {
                None => Ok(ExchangeStep::NotConfigured(format!("there is no {CREDENTIALS}"))),
                Some(name) => Err(unusable(
                    &format!("profile {name:?}"),
                    &format!("cannot be used: there is no {CREDENTIALS}"),
                )),
            };
        };
        let Stored {
            current,
            mut profiles,
        } = read(&text)?;
        let name = asked_for.unwrap_or(current);
        let profile = profiles
            .remove(&name)
            .ok_or_else(|| unusable(CREDENTIALS, &format!("has no profile {name:?}")))?;
        profile.grant(&name).map(ExchangeStep::Done)
    }
}

impl CredentialSource for CommandLineProfile {
    fn name(&self) -> String {
        "Example command line".to_owned()
    }

    fn requirements(&self) -> String {
        CREDENTIALS.to_owned()
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        self.find(ctx).unwrap_or_else(ExchangeStep::Failed)
    }
}

const CREDENTIALS: &str = "~/.example/credentials.json";

/// The file as the command line writes it.
#[derive(Deserialize)]
struct Stored {
    current: String,
    profiles: BTreeMap<String, StoredProfile>,
}

// What does a profile hold: a pair, a temporary key, a token, a role to be assumed?
// Does a temporary key say when it ends? `ResolvedCredential::until` takes it. When does the vendor renew it?
#[derive(Default, Deserialize)]
#[serde(default)]
struct StoredProfile {
    access_key_id: String,
    access_key_secret: String,
}

impl StoredProfile {
    fn grant(self, name: &str) -> Result<ResolvedCredential, Fault> {
        let found = format!("profile {name:?} in {CREDENTIALS}");
        for (field, text) in [
            ("access_key_id", &self.access_key_id),
            ("access_key_secret", &self.access_key_secret),
        ] {
            if text.trim().is_empty() {
                return Err(unusable(&found, &format!("has no {field}")));
            }
        }
        let credential = Credential::keys(self.access_key_id, self.access_key_secret);
        Ok(ResolvedCredential::new(credential, found))
    }
}

/// The fault says where the text is wrong, and shows nothing of it: it may be a secret.
fn read(text: &str) -> Result<Stored, Fault> {
    serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let reason = format!("cannot be understood (line {line}, column {column})");
        unusable(CREDENTIALS, &reason)
    })
}

#[cfg(test)]
pub(crate) mod tests;
