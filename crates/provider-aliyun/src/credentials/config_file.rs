//! Credential source: the profiles of Alibaba's command line tool `aliyun`.

use lifecycle_core::{
    CredentialSource, CredentialSourceConfig, ExchangeStep, Fault, ProviderContext,
    ResolvedCredential, credential_source::unusable,
};
use serde_json::{Map, Value};

use super::{
    assume_role::AssumeRole, credentials_file, external::settings, mode,
    profile_section::ProfileSection,
};

/// A profile of Alibaba's tool `aliyun`, in `~/.aliyun/config.json` or in the file that
/// `ALIBABA_CLOUD_CONFIG_FILE` names. The profile is chosen by the caller, else by
/// `ALIBABA_CLOUD_PROFILE`, else by the `current` setting of the file.
///
/// Modes: `AK`, `StsToken`, `RamRoleArn`, `EcsRamRole`, `RamRoleArnWithRoleName`, `OIDC`,
/// `ChainableRamRoleArn`, `External`, `CredentialsURI`. For `CloudSSO` and `OAuth`, the key that
/// `aliyun` has stored is used until the key expires.
/// <https://github.com/aliyun/aliyun-cli#configure-authentication-methods>
#[derive(Clone, Debug, Default)]
pub struct ConfigFile {
    config: CredentialSourceConfig,
}

impl ConfigFile {
    /// Creates a source that is configured by environment variables only.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the profile and the service addresses.
    #[must_use]
    pub fn with_config(mut self, config: CredentialSourceConfig) -> Self {
        self.config = config;
        self
    }

    fn try_begin(
        &self,
        ctx: &ProviderContext<'_>,
    ) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
        if ctx.is_on(PROFILE_DISABLED_VAR) {
            return Ok(ExchangeStep::NotConfigured(format!(
                "{DEFAULT_PATH} is not used because of {PROFILE_DISABLED_VAR}"
            )));
        }
        let custom = ctx.variable(CONFIG_FILE_VAR);
        let path = custom.as_deref().unwrap_or(DEFAULT_PATH);
        let Some(text) = ctx.secret_file(path)? else {
            return match custom {
                Some(_) => Err(unusable(
                    path,
                    &format!("does not exist, but {CONFIG_FILE_VAR} names it"),
                )),
                None => Ok(ExchangeStep::NotConfigured(format!(
                    "{path} does not exist"
                ))),
            };
        };
        Document::parse(path, &text)?.begin(&self.config, ctx)
    }
}

impl CredentialSource for ConfigFile {
    fn name(&self) -> String {
        "aliyun config file".to_owned()
    }

    fn requirements(&self) -> String {
        DEFAULT_PATH.to_owned()
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        self.try_begin(ctx).unwrap_or_else(ExchangeStep::Failed)
    }
}

const DEFAULT_PATH: &str = "~/.aliyun/config.json";
const CONFIG_FILE_VAR: &str = "ALIBABA_CLOUD_CONFIG_FILE";
const PROFILE_DISABLED_VAR: &str = "ALIBABA_CLOUD_CLI_PROFILE_DISABLED";
/// Variables with the profile name: first the name of the SDKs, then two that only `aliyun`
/// reads.
const PROFILE: [&str; 3] = [
    "ALIBABA_CLOUD_PROFILE",
    "ALIBABACLOUD_PROFILE",
    "ALICLOUD_PROFILE",
];

/// The parsed file.
struct Document {
    path: String,
    current: Option<String>,
    profiles: Vec<(String, ProfileSection)>,
}

impl Document {
    /// Parses the file. A fault names the position of the error and never quotes the text.
    fn parse(path: &str, text: &str) -> Result<Self, Fault> {
        let document: Map<String, Value> = serde_json::from_str(text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let reason = format!("is not a JSON object (line {line}, column {column})");
            unusable(path, &reason)
        })?;
        let text_of = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let profiles = document.get("profiles").and_then(Value::as_array);
        let profiles = profiles.into_iter().flatten().filter_map(|profile| {
            let profile = profile.as_object()?;
            let name = text_of(profile.get("name"))?;
            let location = format!("profile {name:?} in {path}");
            Some((name, ProfileSection::new(location, settings(profile))))
        });
        Ok(Self {
            path: path.to_owned(),
            current: text_of(document.get("current")).filter(|name| !name.is_empty()),
            profiles: profiles.collect(),
        })
    }

    fn begin(
        &self,
        config: &CredentialSourceConfig,
        ctx: &ProviderContext<'_>,
    ) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
        let requested = config.profile.clone().or(ctx.first_variable(&PROFILE));
        let Some(name) = requested.as_ref().or(self.current.as_ref()) else {
            return self.without_current_profile();
        };
        // The same variable also selects a section of the SDKs' credentials file.
        let is_sdk_section = || credentials_file::has_section(name, ctx);
        match self.profile(name) {
            Err(_) if requested.is_some() && is_sdk_section() => {
                let reason = format!("{} has no profile {name:?}", self.path);
                Ok(ExchangeStep::NotConfigured(reason))
            }
            Err(fault) => Err(fault),
            Ok(section) if mode::mode(section).is_none() => match mode::incomplete(section) {
                Some(fault) => Err(fault),
                None => Ok(ExchangeStep::NotConfigured(format!(
                    "{} is empty",
                    section.location()
                ))),
            },
            Ok(_) => Ok(self.source(name, &[], config, ctx)?.begin(ctx)),
        }
    }

    /// Skips a file whose profiles have no key. The key of another place must not take the place of a key in
    /// the file.
    fn without_current_profile(&self) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
        let has_key =
            |section| mode::mode(section).is_some() || mode::incomplete(section).is_some();
        if self.profiles.iter().any(|(_, section)| has_key(section)) {
            let known = self.known_profiles();
            let reason =
                format!("has no current profile: choose a profile; known profiles: {known}");
            return Err(unusable(&self.path, &reason));
        }
        let reason = format!("{} has no current profile", self.path);
        Ok(ExchangeStep::NotConfigured(reason))
    }

    fn profile(&self, name: &str) -> Result<&ProfileSection, Fault> {
        let profile = self.profiles.iter().find(|(other, _)| other == name);
        profile.map(|(_, section)| section).ok_or_else(|| {
            let known = self.known_profiles();
            unusable(
                &self.path,
                &format!("has no profile {name:?}; known profiles: {known}"),
            )
        })
    }

    /// Returns the names of the profiles, for messages.
    fn known_profiles(&self) -> String {
        let names = self.profiles.iter().map(|(name, _)| format!("{name:?}"));
        match names.collect::<Vec<_>>().as_slice() {
            [] => "none".to_owned(),
            names => names.join(", "),
        }
    }

    /// Returns the credential source of a profile. `dependents` are the profiles whose
    /// `source_profile` chain leads to `name`.
    fn source(
        &self,
        name: &str,
        dependents: &[&str],
        config: &CredentialSourceConfig,
        ctx: &ProviderContext<'_>,
    ) -> Result<Box<dyn CredentialSource>, Fault> {
        let section = self.profile(name)?;
        if section.setting("mode") != Some(CHAINED) {
            return mode::source(section, config, ctx);
        }
        let chain = [dependents, &[name]].concat();
        let source_profile = section.required("source_profile")?;
        if chain.contains(&source_profile) {
            let cycle = [chain.as_slice(), &[source_profile]].concat().join(" -> ");
            return Err(section.fault(&format!("is part of a source_profile cycle: {cycle}")));
        }
        let role = mode::role(section, config, ctx)?;
        let base = self.source(source_profile, &chain, config, ctx)?;
        Ok(section.delegate_to(AssumeRole::new(base, role)))
    }
}

/// The mode whose key comes from another profile.
const CHAINED: &str = "ChainableRamRoleArn";
