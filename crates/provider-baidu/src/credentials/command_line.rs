//! The profiles of Baidu's command line: <https://github.com/baidubce/bce-cli>.

use lifecycle_core::{
    Credential, CredentialSource, EnvVarNames, ExchangeStep, Fault, ProviderContext,
    ResolvedCredential,
    credential_source::{EnvCredentialSource, unusable},
};
use serde::Deserialize;

/// A profile that Baidu's command line `bce` has stored in `~/.bce/config.json`, and its variables.
///
/// Which profile: the one asked for, else the current one. As in the command line, the variables
/// `BCE_ACCESS_KEY_ID`, `BCE_SECRET_ACCESS_KEY` and `BCE_SECURITY_TOKEN` fill what the profile
/// lacks, and never replace what it has. Unlike there, they are also a key without any profile.
#[derive(Clone, Debug, Default)]
pub struct CommandLineProfile {
    profile: Option<String>,
    is_alone: bool,
}

impl CommandLineProfile {
    /// The current profile.
    pub fn new() -> Self {
        Self::default()
    }

    /// The profile alone: a key that is only in the variables is none.
    #[must_use]
    pub fn alone(mut self) -> Self {
        self.is_alone = true;
        self
    }

    /// This profile instead.
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
            Ok(Some(profile)) if profile.has_key() => profile.grant(ctx).into(),
            Ok(_) if self.is_alone => ExchangeStep::NotConfigured(format!("{CONFIG} has no key")),
            Ok(_) => match EnvCredentialSource::new(&[VARIABLES]).begin(ctx) {
                ExchangeStep::NotConfigured(why) => {
                    ExchangeStep::NotConfigured(format!("{CONFIG} has no key, and {why}"))
                }
                step => step,
            },
            Err(fault) => ExchangeStep::Failed(fault),
        }
    }
}

/// The profile asked for, else the current one; `None` when nothing is stored.
pub(crate) fn stored_profile(
    asked_for: Option<&str>,
    ctx: &ProviderContext<'_>,
) -> Result<Option<Profile>, Fault> {
    let Some(text) = ctx.secret_file(CONFIG)? else {
        return match asked_for {
            Some(name) => Err(unusable(
                &format!("profile {name:?}"),
                &format!("cannot be used: there is no {CONFIG}"),
            )),
            None => Ok(None),
        };
    };
    let config = Config::read(&text)?;
    if config.profiles.is_empty() && asked_for.is_none() {
        return Ok(None);
    }
    let name = asked_for.or(config.current.as_deref()).unwrap_or("default");
    let known: Vec<String> = config
        .profiles
        .iter()
        .map(|profile| format!("{:?}", profile.name))
        .collect();
    let unknown = || {
        let known = match known.as_slice() {
            [] => "none".to_owned(),
            known => known.join(", "),
        };
        unusable(CONFIG, &format!("has no profile {name:?}, but {known}"))
    };
    let mut profiles = config.profiles.into_iter();
    profiles
        .find(|profile| profile.name == name)
        .ok_or_else(unknown)
        .map(Some)
}

/// Where the command line keeps its profiles.
pub(crate) const CONFIG: &str = "~/.bce/config.json";

/// What fills up a profile, and is a key by itself.
pub(crate) const VARIABLES: EnvVarNames = EnvVarNames::Keys {
    id: ID,
    secret: SECRET,
    session: Some(SESSION),
};

const ID: &str = "BCE_ACCESS_KEY_ID";
const SECRET: &str = "BCE_SECRET_ACCESS_KEY";
const SESSION: &str = "BCE_SECURITY_TOKEN";

#[derive(Default, Deserialize)]
#[serde(default)]
struct Config {
    current: Option<String>,
    profiles: Vec<Profile>,
}

impl Config {
    /// The fault says where the text is wrong, and shows nothing of it.
    fn read(text: &str) -> Result<Self, Fault> {
        serde_json::from_str(text).map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            unusable(CONFIG, &format!("is not as `bce` writes it ({place})"))
        })
    }
}

/// A profile as it is stored.
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
    /// What people call it.
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
        .any(|field| filled(field).is_some())
    }

    fn grant(&self, ctx: &ProviderContext<'_>) -> Result<ResolvedCredential, Fault> {
        let mut found = self.title();
        let mut part = |name, field, variable: &str| {
            if let Some(text) = filled(field) {
                return Ok(text.to_owned());
            }
            if let Some(text) = ctx.variable(variable) {
                found.push_str(&format!(" with {variable}"));
                return Ok(text);
            }
            let reason = format!("has no {name}, and {variable} is not set");
            Err(unusable(&self.title(), &reason))
        };
        let credential = match self.mode.as_deref() {
            None | Some("" | "AK") => Credential::keys(
                part("access_key_id", &self.access_key_id, ID)?,
                part("secret_access_key", &self.secret_access_key, SECRET)?,
            ),
            Some("StsToken") => Credential::session(
                part("access_key_id", &self.access_key_id, ID)?,
                part("secret_access_key", &self.secret_access_key, SECRET)?,
                part("security_token", &self.security_token, SESSION)?,
            ),
            Some(mode) => {
                let reason = format!("has the mode {mode:?}; only AK and StsToken can be used");
                return Err(unusable(&self.title(), &reason));
            }
        };
        Ok(ResolvedCredential::new(credential, found))
    }
}

/// The text of a field that says something.
fn filled(field: &Option<String>) -> Option<&str> {
    let text = field.as_deref()?.trim();
    (!text.is_empty()).then_some(text)
}
