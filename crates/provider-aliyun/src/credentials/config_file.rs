//! The profiles of the vendor's command line, `aliyun`.

use lifecycle_core::{
    CredentialSource, CredentialSourceConfig, ExchangeStep, Fault, ProviderContext,
    ResolvedCredential, credential_source::unusable,
};
use serde_json::{Map, Value};

use super::{assume_role::AssumeRole, credentials_file, entry::Entry, external::settings, mode};

/// A profile of the vendor's command line, in `~/.aliyun/config.json` or the file that
/// `ALIBABA_CLOUD_CONFIG_FILE` names: the one that the caller or `ALIBABA_CLOUD_PROFILE` names,
/// else the current one.
///
/// Modes: `AK`, `StsToken`, `RamRoleArn`, `EcsRamRole`, `RamRoleArnWithRoleName`, `OIDC`,
/// `ChainableRamRoleArn`, `External`, `CredentialsURI`; of `CloudSSO` and `OAuth` the key that the
/// command line has left, until it ends.
/// <https://github.com/aliyun/aliyun-cli#configure-authentication-methods>
#[derive(Clone, Debug, Default)]
pub struct ConfigFile {
    config: CredentialSourceConfig,
}

impl ConfigFile {
    /// As the variables have it.
    pub fn new() -> Self {
        Self::default()
    }

    /// With the profile and the addresses that `config` gives.
    #[must_use]
    pub fn with_config(mut self, config: CredentialSourceConfig) -> Self {
        self.config = config;
        self
    }

    fn look(&self, ctx: &ProviderContext<'_>) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
        if ctx.is_on(OFF) {
            return Ok(ExchangeStep::NotConfigured(format!(
                "{OFF} switches {DEFAULT_PATH} off"
            )));
        }
        let named = ctx.variable(PATH);
        let path = named.as_deref().unwrap_or(DEFAULT_PATH);
        let Some(text) = ctx.secret_file(path)? else {
            return match named {
                Some(_) => Err(unusable(path, &format!("is not there; {PATH} names it"))),
                None => Ok(ExchangeStep::NotConfigured(format!("{path} is not there"))),
            };
        };
        Document::parse(path, &text)?.look(&self.config, ctx)
    }
}

impl CredentialSource for ConfigFile {
    fn name(&self) -> String {
        "aliyun config file".to_owned()
    }

    fn wants(&self) -> String {
        DEFAULT_PATH.to_owned()
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        self.look(ctx).unwrap_or_else(ExchangeStep::Failed)
    }
}

const DEFAULT_PATH: &str = "~/.aliyun/config.json";
const PATH: &str = "ALIBABA_CLOUD_CONFIG_FILE";
const OFF: &str = "ALIBABA_CLOUD_CLI_PROFILE_DISABLED";
/// Names of the SDKs first, then those that only the command line knows.
const PROFILE: [&str; 3] = [
    "ALIBABA_CLOUD_PROFILE",
    "ALIBABACLOUD_PROFILE",
    "ALICLOUD_PROFILE",
];

/// A whole file.
struct Document {
    path: String,
    current: Option<String>,
    profiles: Vec<(String, Entry)>,
}

impl Document {
    /// The reason of a refusal says where, and never quotes the text.
    fn parse(path: &str, text: &str) -> Result<Self, Fault> {
        let document: Map<String, Value> = serde_json::from_str(text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let reason = format!("is no JSON object (line {line}, column {column}): correct it");
            unusable(path, &reason)
        })?;
        let text_of = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let profiles = document.get("profiles").and_then(Value::as_array);
        let profiles = profiles.into_iter().flatten().filter_map(|profile| {
            let profile = profile.as_object()?;
            let name = text_of(profile.get("name"))?;
            let place = format!("profile {name:?} in {path}");
            Some((name, Entry::new(place, settings(profile))))
        });
        Ok(Self {
            path: path.to_owned(),
            current: text_of(document.get("current")).filter(|name| !name.is_empty()),
            profiles: profiles.collect(),
        })
    }

    fn look(
        &self,
        config: &CredentialSourceConfig,
        ctx: &ProviderContext<'_>,
    ) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
        let asked = config.profile.clone().or(ctx.first_variable(&PROFILE));
        let Some(name) = asked.as_ref().or(self.current.as_ref()) else {
            return Ok(ExchangeStep::NotConfigured(format!(
                "{} names no current profile",
                self.path
            )));
        };
        // The other file of the vendor's has profiles too, and one name serves both.
        let elsewhere = || credentials_file::has_section(name, ctx);
        match self.profile(name) {
            Err(_) if asked.is_some() && elsewhere() => {
                let why = format!("{} has no profile {name:?}", self.path);
                Ok(ExchangeStep::NotConfigured(why))
            }
            Err(fault) => Err(fault),
            Ok(entry) if mode::mode(entry).is_none() => Ok(ExchangeStep::NotConfigured(format!(
                "{} is empty",
                entry.place()
            ))),
            Ok(_) => Ok(self.origin(name, &[], config, ctx)?.begin(ctx)),
        }
    }

    fn profile(&self, name: &str) -> Result<&Entry, Fault> {
        let found = self.profiles.iter().find(|(other, _)| other == name);
        found.map(|(_, entry)| entry).ok_or_else(|| {
            let names: Vec<String> = self
                .profiles
                .iter()
                .map(|(name, _)| format!("{name:?}"))
                .collect();
            let known = match names.as_slice() {
                [] => "none".to_owned(),
                names => names.join(", "),
            };
            unusable(
                &self.path,
                &format!("has no profile {name:?}; it has {known}"),
            )
        })
    }

    /// A profile as an origin. `above` are the profiles that led here.
    fn origin(
        &self,
        name: &str,
        above: &[&str],
        config: &CredentialSourceConfig,
        ctx: &ProviderContext<'_>,
    ) -> Result<Box<dyn CredentialSource>, Fault> {
        let entry = self.profile(name)?;
        if entry.text("mode") != Some(CHAINED) {
            return mode::origin(entry, config, ctx);
        }
        let path = [above, &[name]].concat();
        let source = entry.need("source_profile")?;
        if path.contains(&source) {
            let circle = [path.as_slice(), &[source]].concat().join(" -> ");
            return Err(entry.fault(&format!("leads back to itself by source_profile: {circle}")));
        }
        let role = mode::role(entry, config, ctx)?;
        let base = self.origin(source, &path, config, ctx)?;
        Ok(entry.through(AssumeRole::new(base, role)))
    }
}

/// The mode whose key comes from another profile.
const CHAINED: &str = "ChainableRamRoleArn";
