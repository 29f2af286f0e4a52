//! The credential sources: variables and files of the vendor's own tools. A template for a new
//! provider.

use std::collections::BTreeMap;

use lifecycle_core::{
    Credential, CredentialSource, CredentialSourceConfig, ExchangeStep, Fault, ProviderContext,
    ResolvedCredential,
    credential_source::{EnvCredentialSource, unusable},
};
use serde::Deserialize;

use crate::PROFILE;

// In which order do the vendor's tools search: variables, files, a metadata service, an exchange?
// Do the command line, the SDKs and the Terraform provider agree? Name the tool with this order.

/// Returns the credential sources of the vendor's own tools in their order: variables before files.
pub fn sources(config: &CredentialSourceConfig) -> Vec<Box<dyn CredentialSource>> {
    let mut sources: Vec<Box<dyn CredentialSource>> =
        vec![Box::new(EnvCredentialSource::new(PROFILE.env_vars))];
    sources.extend(files(config));
    sources
}

// Is there a metadata service, or an exchange such as AssumeRole? Add a `CredentialSource`. Its first step is
// `ExchangeStep::http`, and the next step reads the response.

/// Returns the sources of [`sources`] that read files.
pub fn files(config: &CredentialSourceConfig) -> Vec<Box<dyn CredentialSource>> {
    vec![Box::new(CommandLineProfile {
        profile: config.profile.clone(),
    })]
}

// Which file does the vendor's command line write, and which other tools read this file?
// Which profile is used by default: the profile in a variable, in a field, or with a fixed name?

/// A profile in `~/.example/credentials.json`, the file of the command line.
///
/// Uses the configured profile, else the profile in `EXAMPLE_PROFILE`, else the current profile of the file.
#[derive(Clone, Debug, Default)]
pub struct CommandLineProfile {
    profile: Option<String>,
}

impl CommandLineProfile {
    /// Returns the profile that the command line would use.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the name of the profile.
    #[must_use]
    pub fn with_profile(mut self, name: impl Into<String>) -> Self {
        self.profile = Some(name.into());
        self
    }

    /// Returns `NotConfigured` without a file, so that the search continues. A profile that cannot be
    /// used is a fault, and stops the search.
    fn find(&self, ctx: &ProviderContext<'_>) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
        let configured = self
            .profile
            .clone()
            .or_else(|| ctx.variable("EXAMPLE_PROFILE"));
        let Some(text) = ctx.secret_file(CREDENTIALS_FILE)? else {
            return match configured {
                None => Ok(ExchangeStep::NotConfigured(format!("no file {CREDENTIALS_FILE}"))),
                Some(name) => Err(unusable(
                    &format!("profile {name:?}"),
                    &format!("cannot be used: no file {CREDENTIALS_FILE}"),
                )),
            };
        };
        let CredentialsFile {
            current,
            mut profiles,
        } = read(&text)?;
        let name = configured.unwrap_or(current);
        let profile = profiles
            .remove(&name)
            .ok_or_else(|| unusable(CREDENTIALS_FILE, &format!("has no profile {name:?}")))?;
        profile.resolve(&name).map(ExchangeStep::Done)
    }
}

impl CredentialSource for CommandLineProfile {
    fn name(&self) -> String {
        "Example command line".to_owned()
    }

    fn requirements(&self) -> String {
        CREDENTIALS_FILE.to_owned()
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        self.find(ctx).unwrap_or_else(ExchangeStep::Failed)
    }
}

const CREDENTIALS_FILE: &str = "~/.example/credentials.json";

/// The file of the command line.
#[derive(Deserialize)]
struct CredentialsFile {
    current: String,
    profiles: BTreeMap<String, StoredProfile>,
}

// What does a profile hold: a key pair, a temporary key, a token, a role?
// Does a temporary key have an expiry? Set `ResolvedCredential::with_expiry`. When does the vendor renew a key?
#[derive(Default, Deserialize)]
#[serde(default)]
struct StoredProfile {
    access_key_id: String,
    access_key_secret: String,
}

impl StoredProfile {
    fn resolve(self, name: &str) -> Result<ResolvedCredential, Fault> {
        let source = format!("profile {name:?} in {CREDENTIALS_FILE}");
        for (field, text) in [
            ("access_key_id", &self.access_key_id),
            ("access_key_secret", &self.access_key_secret),
        ] {
            if text.trim().is_empty() {
                return Err(unusable(&source, &format!("has no {field}")));
            }
        }
        let credential = Credential::keys(self.access_key_id, self.access_key_secret);
        Ok(ResolvedCredential::new(credential, source))
    }
}

/// Reads the file. The fault names the line and the column but quotes nothing: the text may be a secret.
fn read(text: &str) -> Result<CredentialsFile, Fault> {
    serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let reason = format!("is not valid (line {line}, column {column})");
        unusable(CREDENTIALS_FILE, &reason)
    })
}

#[cfg(test)]
pub(crate) mod tests;
