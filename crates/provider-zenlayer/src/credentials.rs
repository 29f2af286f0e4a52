//! Where keys for ZEC come from: what Zenlayer's own tools have set up.

use std::collections::BTreeMap;

use lifecycle_core::{
    Credential, CredentialSource, CredentialSourceConfig, ExchangeStep, Fault, ProviderContext,
    ResolvedCredential,
    credential_source::{EnvCredentialSource, unusable},
};
use serde::{Deserialize, de::DeserializeOwned};

use crate::PROFILE;

/// The places where Zenlayer's tools look for keys, in their order: variables before files, as in
/// its command line.
///
/// A token goes before a key pair within each place. Zenlayer's command line goes further: there a
/// stored token beats the key pair in the variables. Whoever sets variables today means them more
/// than what was stored once, so that is not followed.
pub fn sources(config: &CredentialSourceConfig) -> Vec<Box<dyn CredentialSource>> {
    let mut origins: Vec<Box<dyn CredentialSource>> =
        vec![Box::new(EnvCredentialSource::new(PROFILE.env_vars))];
    origins.extend(files(config));
    origins
}

/// The files of Zenlayer's tools, those of the chain.
pub fn files(config: &CredentialSourceConfig) -> Vec<Box<dyn CredentialSource>> {
    vec![Box::new(CommandLineProfile {
        profile: config.profile.clone(),
    })]
}

/// A profile that Zenlayer's command line `zeno` has stored in `~/.zenlayer/credentials.json`.
///
/// Which one: the one asked for, else that of `ZENLAYER_PROFILE`, else the current one of
/// `~/.zenlayer/config.json`, else `default`.
/// <https://github.com/zenlayer/zenlayercloud-cli>
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

    fn find(&self, ctx: &ProviderContext<'_>) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
        let asked_for = self
            .profile
            .clone()
            .or_else(|| ctx.variable("ZENLAYER_PROFILE"));
        let Some(text) = ctx.secret_file(CREDENTIALS)? else {
            return match asked_for {
                Some(name) => Err(unusable(
                    &format!("profile {name:?}"),
                    &format!("cannot be used: there is no {CREDENTIALS}"),
                )),
                None => Ok(ExchangeStep::NotConfigured(format!(
                    "there is no {CREDENTIALS}"
                ))),
            };
        };
        let mut profiles: BTreeMap<String, Stored> = read(CREDENTIALS, &text)?;
        if profiles.is_empty() && asked_for.is_none() {
            return Ok(ExchangeStep::NotConfigured(format!(
                "{CREDENTIALS} has no profile"
            )));
        }
        let name = match asked_for {
            Some(name) => name,
            None => current_profile(ctx)?,
        };
        match profiles.remove(&name) {
            Some(stored) => stored.grant(&name).map(ExchangeStep::Done),
            None => Err(unknown_profile(&name, profiles.keys())),
        }
    }
}

impl CredentialSource for CommandLineProfile {
    fn name(&self) -> String {
        "Zenlayer command line".to_owned()
    }

    fn requirements(&self) -> String {
        CREDENTIALS.to_owned()
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        self.find(ctx).unwrap_or_else(ExchangeStep::Failed)
    }
}

const CREDENTIALS: &str = "~/.zenlayer/credentials.json";
const CONFIG: &str = "~/.zenlayer/config.json";

/// What is stored of a profile: a token, or a key pair.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Stored {
    access_key_id: Option<String>,
    access_key_secret: Option<String>,
    token: Option<String>,
}

impl Stored {
    fn grant(self, profile: &str) -> Result<ResolvedCredential, Fault> {
        let found = format!("profile {profile:?} in {CREDENTIALS}");
        let missing = |what| unusable(&found, &format!("has no {what}: run `zeno configure`"));
        let pair = (filled(self.access_key_id), filled(self.access_key_secret));
        let credential = match (filled(self.token), pair) {
            (Some(token), _) => Credential::token(token),
            (None, (Some(id), Some(secret))) => Credential::keys(id, secret),
            (None, (Some(_), None)) => return Err(missing("access_key_secret")),
            (None, (None, Some(_))) => return Err(missing("access_key_id")),
            (None, (None, None)) => return Err(missing("access key and no token")),
        };
        Ok(ResolvedCredential::new(credential, found))
    }
}

/// The profile that `zeno` uses when nobody names one.
fn current_profile(ctx: &ProviderContext<'_>) -> Result<String, Fault> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Config {
        current_profile: Option<String>,
    }

    let config = match ctx.file(CONFIG)? {
        Some(text) => read(CONFIG, &text)?,
        None => Config::default(),
    };
    Ok(filled(config.current_profile).unwrap_or_else(|| "default".to_owned()))
}

fn unknown_profile<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> Fault {
    let known: Vec<String> = known.map(|name| format!("{name:?}")).collect();
    let known = match known.as_slice() {
        [] => "none".to_owned(),
        known => known.join(", "),
    };
    unusable(
        CREDENTIALS,
        &format!("has no profile {name:?}, but {known}"),
    )
}

/// Reads a JSON file. The fault says where the text is wrong, and shows nothing of it.
fn read<T: DeserializeOwned>(path: &str, text: &str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        unusable(path, &format!("is not as `zeno` writes it ({place})"))
    })
}

/// A text that says something.
fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

#[cfg(test)]
pub(crate) mod tests;
