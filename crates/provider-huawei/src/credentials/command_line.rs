//! The profiles of Huawei's command line `hcloud` (KooCLI), which its Terraform provider reads too:
//! <https://support.huaweicloud.com/intl/en-us/usermanual-hcli/hcli_03_002.html>.

use lifecycle_core::{
    Credential, CredentialSource, CredentialSourceConfig, ExchangeStep, Fault, ProviderContext,
    ResolvedCredential, credential_source::unusable,
};
use serde::Deserialize;

use super::{
    EcsAgency,
    assume_agency::{Agency, Owner},
};

/// A profile in `~/.hcloud/config.json`, or in the file that `HW_SHARED_CONFIG_FILE` names.
///
/// Which one: the one asked for, else that of `HW_PROFILE`, else the current one. `hcloud` encrypts
/// what it stores unless told otherwise; only plain keys can be read. Where the profile names an
/// agency, its key is exchanged for one of the agency.
#[derive(Clone, Debug, Default)]
pub struct CommandLineProfile {
    config: CredentialSourceConfig,
}

impl CommandLineProfile {
    /// The profile that the command line itself would use.
    pub fn new() -> Self {
        Self::default()
    }

    /// With another profile, and with other addresses of IAM and of the metadata service.
    #[must_use]
    pub fn with_config(mut self, config: CredentialSourceConfig) -> Self {
        self.config = config;
        self
    }

    fn find(&self, ctx: &ProviderContext<'_>) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
        let (path, profile) = read(&self.config, ctx)?;
        let Some(profile) = profile else {
            return Ok(ExchangeStep::NotConfigured(format!(
                "there is no profile in {path}"
            )));
        };
        let found = format!("profile {:?} in {path}", profile.name);
        let mode = filled(&profile.mode).unwrap_or("AKSK");
        let pair = (
            filled(&profile.access_key_id),
            filled(&profile.secret_access_key),
        );
        let (id, secret) = match pair {
            (Some(id), Some(secret)) => (id, secret),
            (None, None) if mode.eq_ignore_ascii_case("ecsAgency") => {
                return Ok(self.agency(found, ctx));
            }
            (None, None) if !mode.eq_ignore_ascii_case("AKSK") => {
                let reason = format!("has the mode {mode:?}; only AKSK and ecsAgency can be used");
                return Err(unusable(&found, &reason));
            }
            (None, _) => return Err(unusable(&found, "has no accessKeyId")),
            (_, None) => return Err(unusable(&found, "has no secretAccessKey")),
        };
        if !is_plain(id) {
            let reason = "holds encrypted keys: run `hcloud configure set \
                          --cli-auth-encrypt=false`, or give the key in another way";
            return Err(unusable(&found, reason));
        }
        let credential = match filled(&profile.security_token) {
            Some(token) => Credential::session(id, secret, token),
            None => Credential::keys(id, secret),
        };
        let assumed = profile.agency(&found)?;
        let grant = ResolvedCredential::new(credential, found);
        Ok(match assumed {
            Some(agency) => agency.assume(grant, &self.config, ctx),
            None => ExchangeStep::Done(grant),
        })
    }

    /// The profile says that the machine's agency has the key, so it must have one.
    fn agency(&self, found: String, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        let by = found.clone();
        EcsAgency::new()
            .with_config(self.config.clone())
            .begin(ctx)
            .or_else(ctx, move |why, _| {
                ExchangeStep::Failed(unusable(
                    &found,
                    &format!("is for an ECS agency, but {why}"),
                ))
            })
            .and_then(ctx, move |grant, _| {
                ExchangeStep::Done(grant.with_source_prefix(&by))
            })
    }
}

impl CredentialSource for CommandLineProfile {
    fn name(&self) -> String {
        "Huawei command line".to_owned()
    }

    fn wants(&self) -> String {
        FILE.to_owned()
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        self.find(ctx).unwrap_or_else(ExchangeStep::Failed)
    }
}

/// The project that is stored with the key of this id, where it is for this region.
pub(crate) fn project_of(
    id: &str,
    region: &str,
    config: &CredentialSourceConfig,
    ctx: &ProviderContext<'_>,
) -> Option<String> {
    let profile = read(config, ctx).ok()?.1?;
    let is_own = filled(&profile.access_key_id) == Some(id);
    let is_here = filled(&profile.region).is_none_or(|own| own.eq_ignore_ascii_case(region));
    filled(&profile.project_id)
        .filter(|_| is_own && is_here)
        .map(str::to_owned)
}

const FILE: &str = "~/.hcloud/config.json";
const FILE_VARIABLE: &str = "HW_SHARED_CONFIG_FILE";

#[derive(Default, Deserialize)]
#[serde(default)]
struct Stored {
    current: Option<String>,
    profiles: Vec<Profile>,
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
    /// The agency that the profile's key is to be exchanged for; `found` is what people call it.
    fn agency(&self, found: &str) -> Result<Option<Agency>, Fault> {
        let Some(name) = filled(&self.agency_name) else {
            return Ok(None);
        };
        let owner = match (
            filled(&self.agency_domain_name),
            filled(&self.agency_domain_id),
        ) {
            (Some(name), _) => Owner::Name(name.to_owned()),
            (None, Some(id)) => Owner::Id(id.to_owned()),
            (None, None) => {
                let reason = "has an agencyName, but neither agencyDomainName nor agencyDomainId";
                return Err(unusable(found, reason));
            }
        };
        Ok(Some(Agency::new(name.to_owned(), owner)))
    }
}

/// The path of the file, and the profile meant; `None` when nothing is stored.
fn read(
    config: &CredentialSourceConfig,
    ctx: &ProviderContext<'_>,
) -> Result<(String, Option<Profile>), Fault> {
    let asked_for = config
        .profile
        .clone()
        .or_else(|| ctx.variable("HW_PROFILE"));
    let named = ctx.variable(FILE_VARIABLE);
    let path = named.clone().unwrap_or_else(|| FILE.to_owned());
    let Some(text) = ctx.secret_file(&path)? else {
        if named.is_some() {
            let reason = format!("is the file that {FILE_VARIABLE} names, but is not there");
            return Err(unusable(&path, &reason));
        }
        return match asked_for {
            Some(name) => Err(unusable(
                &format!("profile {name:?}"),
                &format!("cannot be used: there is no {path}"),
            )),
            None => Ok((path, None)),
        };
    };
    let stored: Stored = serde_json::from_str(&text).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        unusable(&path, &format!("is not as `hcloud` writes it ({place})"))
    })?;
    if stored.profiles.is_empty() && asked_for.is_none() {
        return Ok((path, None));
    }
    let name = asked_for
        .or(stored.current)
        .unwrap_or_else(|| "default".to_owned());
    let known: Vec<String> = stored
        .profiles
        .iter()
        .map(|profile| format!("{:?}", profile.name))
        .collect();
    let mut profiles = stored.profiles.into_iter();
    match profiles.find(|profile| profile.name == name) {
        Some(profile) => Ok((path, Some(profile))),
        None => {
            let known = match known.as_slice() {
                [] => "none".to_owned(),
                known => known.join(", "),
            };
            Err(unusable(
                &path,
                &format!("has no profile {name:?}, but {known}"),
            ))
        }
    }
}

/// Ids of keys are letters and digits, 20 of them; what is encrypted is longer or has other signs.
fn is_plain(id: &str) -> bool {
    id.len() <= 40 && id.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// The text of a field that says something.
fn filled(field: &Option<String>) -> Option<&str> {
    let text = field.as_deref()?.trim();
    (!text.is_empty()).then_some(text)
}
