//! The credential sources of Zenlayer ZEC: the settings of Zenlayer's tools.

use std::collections::BTreeMap;

use lifecycle_core::{
    Credential, CredentialSource, CredentialSourceConfig, ExchangeStep, Fault, ProviderContext,
    ResolvedCredential,
    credential_source::{EnvCredentialSource, unusable},
};
use serde::{Deserialize, de::DeserializeOwned};

use crate::PROFILE;

/// Returns the sources of the tools of Zenlayer, in order of precedence: variables, then files.
///
/// In each source, a token takes precedence over a key pair. In the command line of Zenlayer, a token in
/// a file takes precedence over a key pair in variables; here, variables take precedence over files.
pub fn sources(config: &CredentialSourceConfig) -> Vec<Box<dyn CredentialSource>> {
    let mut sources: Vec<Box<dyn CredentialSource>> =
        vec![Box::new(EnvCredentialSource::new(PROFILE.env_vars))];
    sources.extend(files(config));
    sources
}

/// Returns the sources of [`sources`] that are files.
pub fn files(config: &CredentialSourceConfig) -> Vec<Box<dyn CredentialSource>> {
    vec![Box::new(CommandLineProfile {
        profile: config.profile.clone(),
    })]
}

/// A profile of the command line `zeno` of Zenlayer, in `~/.zenlayer/credentials.json`.
///
/// The default is the profile in `ZENLAYER_PROFILE`, or else the current profile of
/// `~/.zenlayer/config.json`, or else `default`.
/// <https://github.com/zenlayer/zenlayercloud-cli>
#[derive(Clone, Debug, Default)]
pub struct CommandLineProfile {
    profile: Option<String>,
}

impl CommandLineProfile {
    /// Returns the source for the default profile of the command line.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the profile.
    #[must_use]
    pub fn with_profile(mut self, name: impl Into<String>) -> Self {
        self.profile = Some(name.into());
        self
    }

    fn find(&self, ctx: &ProviderContext<'_>) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
        let requested = self
            .profile
            .clone()
            .or_else(|| ctx.variable("ZENLAYER_PROFILE"));
        let Some(text) = ctx.secret_file(CREDENTIALS_FILE)? else {
            return match requested {
                Some(name) => Err(unusable(
                    &format!("profile {name:?}"),
                    &format!("cannot be used: {CREDENTIALS_FILE} does not exist"),
                )),
                None => Ok(ExchangeStep::NotConfigured(format!(
                    "{CREDENTIALS_FILE} does not exist"
                ))),
            };
        };
        let mut profiles: BTreeMap<String, Stored> = read(CREDENTIALS_FILE, &text)?;
        if profiles.is_empty() && requested.is_none() {
            return Ok(ExchangeStep::NotConfigured(format!(
                "{CREDENTIALS_FILE} has no profile"
            )));
        }
        let name = match requested {
            Some(name) => name,
            None => current_profile(ctx)?,
        };
        match profiles.remove(&name) {
            Some(stored) => stored.resolve(&name).map(ExchangeStep::Done),
            None => Err(unknown_profile(&name, profiles.keys())),
        }
    }
}

impl CredentialSource for CommandLineProfile {
    fn name(&self) -> String {
        "Zenlayer command line".to_owned()
    }

    fn requirements(&self) -> String {
        CREDENTIALS_FILE.to_owned()
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        self.find(ctx).unwrap_or_else(ExchangeStep::Failed)
    }
}

const CREDENTIALS_FILE: &str = "~/.zenlayer/credentials.json";
const CONFIG_FILE: &str = "~/.zenlayer/config.json";

/// A profile in the file: a token, or a key pair.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Stored {
    access_key_id: Option<String>,
    access_key_secret: Option<String>,
    token: Option<String>,
}

impl Stored {
    fn resolve(self, profile: &str) -> Result<ResolvedCredential, Fault> {
        let source = format!("profile {profile:?} in {CREDENTIALS_FILE}");
        let missing = |what| unusable(&source, &format!("has no {what}: run `zeno configure`"));
        let pair = (
            non_empty(self.access_key_id),
            non_empty(self.access_key_secret),
        );
        let credential = match (non_empty(self.token), pair) {
            (Some(token), _) => Credential::token(token),
            (None, (Some(id), Some(secret))) => Credential::keys(id, secret),
            (None, (Some(_), None)) => return Err(missing("access_key_secret")),
            (None, (None, Some(_))) => return Err(missing("access_key_id")),
            (None, (None, None)) => return Err(missing("access key and no token")),
        };
        Ok(ResolvedCredential::new(credential, source))
    }
}

/// Returns the default profile of `zeno`.
fn current_profile(ctx: &ProviderContext<'_>) -> Result<String, Fault> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Config {
        current_profile: Option<String>,
    }

    let config = match ctx.file(CONFIG_FILE)? {
        Some(text) => read(CONFIG_FILE, &text)?,
        None => Config::default(),
    };
    Ok(non_empty(config.current_profile).unwrap_or_else(|| "default".to_owned()))
}

fn unknown_profile<'a>(name: &str, names: impl Iterator<Item = &'a String>) -> Fault {
    let names: Vec<String> = names.map(|name| format!("{name:?}")).collect();
    let names = match names.as_slice() {
        [] => "none".to_owned(),
        names => names.join(", "),
    };
    unusable(
        CREDENTIALS_FILE,
        &format!("has no profile {name:?}; profiles: {names}"),
    )
}

/// Reads a JSON file. The fault has the position of the error, and no text of the file.
fn read<T: DeserializeOwned>(path: &str, text: &str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|error| {
        let position = format!("line {}, column {}", error.line(), error.column());
        unusable(
            path,
            &format!("is not in the format of `zeno` ({position})"),
        )
    })
}

/// Returns a text that is not blank.
fn non_empty(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

#[cfg(test)]
pub(crate) mod tests;
