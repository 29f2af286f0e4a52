//! Credential source: the profiles of Huawei's command line `hcloud` (KooCLI), which Huawei's
//! Terraform provider also reads:
//! <https://support.huaweicloud.com/intl/en-us/usermanual-hcli/hcli_03_002.html>.

use lifecycle_core::{
    Credential, CredentialSource, CredentialSourceConfig, ExchangeStep, Fault, ProviderContext,
    ResolvedCredential, credential_source::unusable,
};
use serde::Deserialize;

use super::{
    EcsAgency,
    assume_agency::{Agency, AgencyOwner},
};

/// A profile in `~/.hcloud/config.json`, or in the file that `HW_SHARED_CONFIG_FILE` names.
///
/// The profile is chosen by the caller, else by `HW_PROFILE`, else by the `current` setting of the
/// file. `hcloud` encrypts stored keys by default; only unencrypted keys are supported. If the
/// profile names an agency, the key is exchanged for a key of the agency.
#[derive(Clone, Debug, Default)]
pub struct CommandLineProfile {
    config: CredentialSourceConfig,
}

impl CommandLineProfile {
    /// Creates a source for the profile that the command line would use.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the profile and the addresses of IAM and of the metadata service.
    #[must_use]
    pub fn with_config(mut self, config: CredentialSourceConfig) -> Self {
        self.config = config;
        self
    }

    fn try_begin(
        &self,
        ctx: &ProviderContext<'_>,
    ) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
        let (path, profile) = read(&self.config, ctx)?;
        let Some(profile) = profile else {
            return Ok(ExchangeStep::NotConfigured(format!(
                "{path} has no profiles"
            )));
        };
        let location = format!("profile {:?} in {path}", profile.name);
        let mode = non_empty(&profile.mode).unwrap_or("AKSK");
        let pair = (
            non_empty(&profile.access_key_id),
            non_empty(&profile.secret_access_key),
        );
        let (id, secret) = match pair {
            (Some(id), Some(secret)) => (id, secret),
            (None, None) if mode.eq_ignore_ascii_case("ecsAgency") => {
                return Ok(self.begin_ecs_agency(location, ctx));
            }
            (None, None) if !mode.eq_ignore_ascii_case("AKSK") => {
                let reason =
                    format!("has the mode {mode:?}, which is not supported: use AKSK or ecsAgency");
                return Err(unusable(&location, &reason));
            }
            (None, _) => return Err(unusable(&location, "has no accessKeyId")),
            (_, None) => return Err(unusable(&location, "has no secretAccessKey")),
        };
        if !is_plain(id) {
            let reason = "has an encrypted key: run `hcloud configure set \
                          --cli-auth-encrypt=false`, or store the key elsewhere";
            return Err(unusable(&location, reason));
        }
        let credential = match non_empty(&profile.security_token) {
            Some(token) => Credential::session(id, secret, token),
            None => Credential::keys(id, secret),
        };
        let agency = profile.agency(&location)?;
        let resolved = ResolvedCredential::new(credential, location);
        Ok(match agency {
            Some(agency) => agency.assume(resolved, &self.config, ctx),
            None => ExchangeStep::Done(resolved),
        })
    }

    /// Uses the agency of the server. A server without an agency is a fault of the profile.
    fn begin_ecs_agency(
        &self,
        location: String,
        ctx: &ProviderContext<'_>,
    ) -> ExchangeStep<ResolvedCredential> {
        let prefix = location.clone();
        EcsAgency::new()
            .with_config(self.config.clone())
            .begin(ctx)
            .or_else(ctx, move |reason, _| {
                let reason = format!("has the mode ecsAgency, but {reason}");
                ExchangeStep::Failed(unusable(&location, &reason))
            })
            .and_then(ctx, move |resolved, _| {
                ExchangeStep::Done(resolved.with_source_prefix(&prefix))
            })
    }
}

impl CredentialSource for CommandLineProfile {
    fn name(&self) -> String {
        "Huawei command line".to_owned()
    }

    fn requirements(&self) -> String {
        CONFIG_FILE.to_owned()
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        self.try_begin(ctx).unwrap_or_else(ExchangeStep::Failed)
    }
}

/// Returns the project of the profile, if the profile holds the key with this id and is for this
/// region.
pub(crate) fn project_of(
    id: &str,
    region: &str,
    config: &CredentialSourceConfig,
    ctx: &ProviderContext<'_>,
) -> Result<Option<String>, Fault> {
    let requested = requested_profile(config, ctx);
    let (path, document) = read_file(ctx)?;
    let selected = document.and_then(|document| document.select(requested, &path).ok()?);
    let Some(profile) = selected else {
        return Ok(None);
    };
    let has_key = non_empty(&profile.access_key_id) == Some(id);
    let has_region = non_empty(&profile.region)
        .is_none_or(|profile_region| profile_region.eq_ignore_ascii_case(region));
    let project = non_empty(&profile.project_id).filter(|_| has_key && has_region);
    Ok(project.map(str::to_owned))
}

const CONFIG_FILE: &str = "~/.hcloud/config.json";
const FILE_VARIABLE: &str = "HW_SHARED_CONFIG_FILE";

#[derive(Default, Deserialize)]
#[serde(default)]
struct Document {
    current: Option<String>,
    profiles: Vec<Profile>,
}

impl Document {
    /// Returns the requested profile, else the current profile; `None` when the file has no profiles.
    /// `path` is for messages.
    fn select(self, requested: Option<String>, path: &str) -> Result<Option<Profile>, Fault> {
        if self.profiles.is_empty() && requested.is_none() {
            return Ok(None);
        }
        let name = requested
            .or(self.current)
            .unwrap_or_else(|| "default".to_owned());
        let known: Vec<String> = self
            .profiles
            .iter()
            .map(|profile| format!("{:?}", profile.name))
            .collect();
        let mut profiles = self.profiles.into_iter();
        match profiles.find(|profile| profile.name == name) {
            Some(profile) => Ok(Some(profile)),
            None => {
                let known = match known.as_slice() {
                    [] => "none".to_owned(),
                    known => known.join(", "),
                };
                let reason = format!("has no profile {name:?}; known profiles: {known}");
                Err(unusable(path, &reason))
            }
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Profile {
    name: String,
    mode: Option<String>,
    access_key_id: Option<String>,
    secret_access_key: Option<String>,
    security_token: Option<String>,
    region: Option<String>,
    project_id: Option<String>,
    agency_name: Option<String>,
    agency_domain_name: Option<String>,
    agency_domain_id: Option<String>,
}

impl Profile {
    /// Returns the agency whose key replaces the key of the profile. `location` is for messages.
    fn agency(&self, location: &str) -> Result<Option<Agency>, Fault> {
        let Some(name) = non_empty(&self.agency_name) else {
            return Ok(None);
        };
        let owner = match (
            non_empty(&self.agency_domain_name),
            non_empty(&self.agency_domain_id),
        ) {
            (Some(name), _) => AgencyOwner::Name(name.to_owned()),
            (None, Some(id)) => AgencyOwner::Id(id.to_owned()),
            (None, None) => {
                let reason = "has an agencyName, but no agencyDomainName and no agencyDomainId";
                return Err(unusable(location, reason));
            }
        };
        Ok(Some(Agency::new(name.to_owned(), owner)))
    }
}

/// Returns the path of the file and the selected profile; `None` when the file has no profiles.
fn read(
    config: &CredentialSourceConfig,
    ctx: &ProviderContext<'_>,
) -> Result<(String, Option<Profile>), Fault> {
    let requested = requested_profile(config, ctx);
    let (path, document) = read_file(ctx)?;
    let profile = match (document, requested) {
        (Some(document), requested) => document.select(requested, &path)?,
        (None, Some(name)) => {
            return Err(unusable(
                &format!("profile {name:?}"),
                &format!("was not found: {path} does not exist"),
            ));
        }
        (None, None) => None,
    };
    Ok((path, profile))
}

fn requested_profile(config: &CredentialSourceConfig, ctx: &ProviderContext<'_>) -> Option<String> {
    let requested = config.profile.clone();
    requested.or_else(|| ctx.variable("HW_PROFILE"))
}

/// Returns the path and the content of the file; `None` when the file does not exist.
fn read_file(ctx: &ProviderContext<'_>) -> Result<(String, Option<Document>), Fault> {
    let custom = ctx.variable(FILE_VARIABLE);
    let path = custom.clone().unwrap_or_else(|| CONFIG_FILE.to_owned());
    let Some(text) = ctx.secret_file(&path)? else {
        if custom.is_some() {
            let reason = format!("does not exist, but {FILE_VARIABLE} names it");
            return Err(unusable(&path, &reason));
        }
        return Ok((path, None));
    };
    let document = serde_json::from_str(&text).map_err(|error| {
        let position = format!("line {}, column {}", error.line(), error.column());
        unusable(&path, &format!("is not a valid `hcloud` file ({position})"))
    })?;
    Ok((path, Some(document)))
}

/// Returns true for an unencrypted key id: 20 letters and digits. An encrypted id is longer or has
/// other characters.
fn is_plain(id: &str) -> bool {
    id.len() <= 40 && id.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Returns the trimmed text of a field; `None` for an empty text.
fn non_empty(field: &Option<String>) -> Option<&str> {
    let text = field.as_deref()?.trim();
    (!text.is_empty()).then_some(text)
}
