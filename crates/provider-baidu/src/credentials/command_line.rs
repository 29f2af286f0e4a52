//! Credential source: the profiles of Baidu's command line tool,
//! <https://github.com/baidubce/bce-cli>.

use lifecycle_core::{
    Credential, CredentialSource, EnvVarNames, ExchangeStep, Fault, ProviderContext,
    ResolvedCredential,
    credential_source::{EnvCredentialSource, unusable},
};
use serde::Deserialize;

/// A profile of the command line `bce` of Baidu, in `~/.bce/config.json`.
///
/// As in the command line, the variables `BCE_ACCESS_KEY_ID`, `BCE_SECRET_ACCESS_KEY` and
/// `BCE_SECURITY_TOKEN` add missing fields to the profile, and never replace a field. Unlike in the
/// command line, the variables are also a key without a profile.
#[derive(Clone, Debug, Default)]
pub struct CommandLineProfile {
    profile: Option<String>,
    needs_profile: bool,
}

impl CommandLineProfile {
    /// Returns the source for the current profile.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ignores a key that is only in the variables.
    #[must_use]
    pub fn profile_only(mut self) -> Self {
        self.needs_profile = true;
        self
    }

    /// Sets the profile.
    #[must_use]
    pub fn with_profile(mut self, name: impl Into<String>) -> Self {
        self.profile = Some(name.into());
        self
    }
}

impl CredentialSource for CommandLineProfile {
    fn name(&self) -> String {
        "Baidu command line".to_owned()
    }

    fn requirements(&self) -> String {
        format!("{CONFIG} or {VARIABLES}")
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        match stored_profile(self.profile.as_deref(), ctx) {
            Ok(Some(profile)) if profile.has_key() => profile.resolve(ctx).into(),
            Ok(_) if self.needs_profile => {
                ExchangeStep::NotConfigured(format!("{CONFIG} has no key"))
            }
            Ok(_) => match EnvCredentialSource::new(&[VARIABLES]).begin(ctx) {
                ExchangeStep::NotConfigured(reason) => {
                    ExchangeStep::NotConfigured(format!("{CONFIG} has no key, and {reason}"))
                }
                step => step,
            },
            Err(fault) => ExchangeStep::Failed(fault),
        }
    }
}

/// Reads the requested profile, or else the current profile; `None` without any profile.
pub(crate) fn stored_profile(
    requested: Option<&str>,
    ctx: &ProviderContext<'_>,
) -> Result<Option<Profile>, Fault> {
    let Some(text) = ctx.secret_file(CONFIG)? else {
        return match requested {
            Some(name) => Err(unusable(
                &format!("profile {name:?}"),
                &format!("cannot be used: {CONFIG} does not exist"),
            )),
            None => Ok(None),
        };
    };
    let config = Config::read(&text)?;
    if config.profiles.is_empty() && requested.is_none() {
        return Ok(None);
    }
    let name = requested.or(config.current.as_deref()).unwrap_or("default");
    let names: Vec<String> = config
        .profiles
        .iter()
        .map(|profile| format!("{:?}", profile.name))
        .collect();
    let unknown = || {
        let names = match names.as_slice() {
            [] => "none".to_owned(),
            names => names.join(", "),
        };
        unusable(
            CONFIG,
            &format!("has no profile {name:?}; profiles: {names}"),
        )
    };
    let mut profiles = config.profiles.into_iter();
    profiles
        .find(|profile| profile.name == name)
        .ok_or_else(unknown)
        .map(Some)
}

/// The file with the profiles of the command line.
pub(crate) const CONFIG: &str = "~/.bce/config.json";

/// The variables of the command line.
pub(crate) const VARIABLES: EnvVarNames = EnvVarNames::Keys {
    id: ID_VAR,
    secret: SECRET_VAR,
    session: Some(SESSION_VAR),
};

const ID_VAR: &str = "BCE_ACCESS_KEY_ID";
const SECRET_VAR: &str = "BCE_SECRET_ACCESS_KEY";
const SESSION_VAR: &str = "BCE_SECURITY_TOKEN";

#[derive(Default, Deserialize)]
#[serde(default)]
struct Config {
    current: Option<String>,
    profiles: Vec<Profile>,
}

impl Config {
    /// Reads the file. The fault has the position of the error, and no text of the file.
    fn read(text: &str) -> Result<Self, Fault> {
        serde_json::from_str(text).map_err(|error| {
            let position = format!("line {}, column {}", error.line(), error.column());
            unusable(
                CONFIG,
                &format!("is not in the format of `bce` ({position})"),
            )
        })
    }
}

/// A profile in the file.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Profile {
    pub(crate) name: String,
    mode: Option<String>,
    access_key_id: Option<String>,
    secret_access_key: Option<String>,
    security_token: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) endpoint: Option<String>,
}

impl Profile {
    /// Returns the name of the profile for operators.
    pub(crate) fn title(&self) -> String {
        format!("profile {:?} in {CONFIG}", self.name)
    }

    fn has_key(&self) -> bool {
        [
            &self.access_key_id,
            &self.secret_access_key,
            &self.security_token,
        ]
        .into_iter()
        .any(|field| non_empty(field).is_some())
    }

    fn resolve(&self, ctx: &ProviderContext<'_>) -> Result<ResolvedCredential, Fault> {
        let mut source = self.title();
        let mut part = |name, field, variable: &str| {
            if let Some(text) = non_empty(field) {
                return Ok(text.to_owned());
            }
            if let Some(text) = ctx.variable(variable) {
                source.push_str(&format!(" with {variable}"));
                return Ok(text);
            }
            let reason = format!("has no {name}, and {variable} is not set");
            Err(unusable(&self.title(), &reason))
        };
        let credential = match self.mode.as_deref() {
            None | Some("" | "AK") => Credential::keys(
                part("access_key_id", &self.access_key_id, ID_VAR)?,
                part("secret_access_key", &self.secret_access_key, SECRET_VAR)?,
            ),
            Some("StsToken") => Credential::session(
                part("access_key_id", &self.access_key_id, ID_VAR)?,
                part("secret_access_key", &self.secret_access_key, SECRET_VAR)?,
                part("security_token", &self.security_token, SESSION_VAR)?,
            ),
            Some(mode) => {
                let reason = format!("has the mode {mode:?}; supported modes: AK, StsToken");
                return Err(unusable(&self.title(), &reason));
            }
        };
        Ok(ResolvedCredential::new(credential, source))
    }
}

/// Returns the trimmed text of a field that is not empty.
fn non_empty(field: &Option<String>) -> Option<&str> {
    let text = field.as_deref()?.trim();
    (!text.is_empty()).then_some(text)
}
