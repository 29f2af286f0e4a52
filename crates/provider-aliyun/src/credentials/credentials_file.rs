//! The ini file of the vendor's SDKs.

use std::collections::HashMap;

use configparser::ini::Ini;
use lifecycle_core::{
    CredentialSource, CredentialSourceConfig, ExchangeStep, Fault, ProviderContext,
    ResolvedCredential, credential_source::unusable,
};

use super::{
    assume_role::AssumeRole,
    ecs_ram_role::EcsRamRole,
    entry::{Entry, RoleWords},
    oidc::{AssumeRoleWithOidc, PROVIDER_ARN, ROLE_ARN, TOKEN_FILE},
    role::Role,
};

/// A section of the SDKs' credentials file: `~/.alibabacloud/credentials.ini`, else
/// `~/.alibabacloud/credentials`, or the file that `ALIBABA_CLOUD_CREDENTIALS_FILE` names. The
/// section is the one that the caller or `ALIBABA_CLOUD_PROFILE` names, else `default`.
///
/// Types: `access_key`, `sts`, `ram_role_arn`, `oidc_role_arn`, `ecs_ram_role`.
/// <https://www.alibabacloud.com/help/en/sdk/developer-reference/v2-manage-python-access-credentials>
#[derive(Clone, Debug, Default)]
pub struct CredentialsFile {
    config: CredentialSourceConfig,
}

impl CredentialsFile {
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
        let asked = self.config.profile.clone().or(ctx.variable(SECTION));
        let Some(file) = File::open(ctx)? else {
            let [first, second] = DEFAULT_PATHS;
            let why = format!("neither {first} nor {second} is there");
            return match &self.config.profile {
                // Nobody else has it either, or they would have been used.
                Some(profile) => Err(unusable(
                    &format!("profile {profile:?}"),
                    &format!("is nowhere: {why}"),
                )),
                None => Ok(ExchangeStep::NotConfigured(why)),
            };
        };
        match (file.section(asked.as_deref().unwrap_or("default")), asked) {
            (Some(entry), _) => Ok(origin(&entry, &self.config, ctx)?.begin(ctx)),
            (None, Some(name)) => Err(unusable(&file.path, &format!("has no section [{name}]"))),
            (None, None) => Ok(ExchangeStep::NotConfigured(format!(
                "{} has no section [default]",
                file.path
            ))),
        }
    }
}

impl CredentialSource for CredentialsFile {
    fn name(&self) -> String {
        "credentials file".to_owned()
    }

    fn wants(&self) -> String {
        let [first, _] = DEFAULT_PATHS;
        first.to_owned()
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        self.look(ctx).unwrap_or_else(ExchangeStep::Failed)
    }
}

/// Does a credentials file have this section?
pub(super) fn has_section(name: &str, ctx: &ProviderContext<'_>) -> bool {
    matches!(File::open(ctx), Ok(Some(file)) if file.section(name).is_some())
}

/// Python's path, then Go's.
const DEFAULT_PATHS: [&str; 2] = [
    "~/.alibabacloud/credentials.ini",
    "~/.alibabacloud/credentials",
];
const PATH: &str = "ALIBABA_CLOUD_CREDENTIALS_FILE";
const SECTION: &str = "ALIBABA_CLOUD_PROFILE";

/// A whole file.
struct File {
    path: String,
    ini: Ini,
}

impl File {
    fn open(ctx: &ProviderContext<'_>) -> Result<Option<Self>, Fault> {
        if let Some(path) = ctx.variable(PATH) {
            let text = ctx
                .secret_file(&path)?
                .ok_or_else(|| unusable(&path, &format!("is not there; {PATH} names it")))?;
            return Self::parse(&path, text).map(Some);
        }
        for path in DEFAULT_PATHS {
            if let Some(text) = ctx.secret_file(path)? {
                return Self::parse(path, text).map(Some);
            }
        }
        Ok(None)
    }

    /// As Python's own parser reads it, with comments behind values as the vendor's library cuts
    /// them. The reason of a refusal says where, and never quotes the text.
    fn parse(path: &str, text: String) -> Result<Self, Fault> {
        let mut ini = Ini::new_cs();
        ini.set_multiline(true);
        ini.set_inline_comment_symbols(Some(&['#']));
        ini.read(text).map_err(|error| {
            let line = error.split(':').next();
            let line = line
                .filter(|line| line.starts_with("line "))
                .unwrap_or("a line");
            unusable(path, &format!("is no ini file: {line} cannot be read"))
        })?;
        let path = path.to_owned();
        Ok(Self { path, ini })
    }

    /// Names of settings are the same in any case, names of sections are not.
    fn section(&self, name: &str) -> Option<Entry> {
        let section = self.ini.get_map_ref().get(name)?;
        let settings: HashMap<String, String> = section
            .iter()
            .filter_map(|(name, value)| Some((name.to_ascii_lowercase(), value.clone()?)))
            .collect();
        let place = format!("section [{name}] in {}", self.path);
        Some(Entry::new(place, settings))
    }
}

const SUPPORTED: &str = "access_key, sts, ram_role_arn, oidc_role_arn or ecs_ram_role";

/// What a section stands for, by its type.
fn origin(
    entry: &Entry,
    config: &CredentialSourceConfig,
    ctx: &ProviderContext<'_>,
) -> Result<Box<dyn CredentialSource>, Fault> {
    Ok(match entry.need("type")? {
        "access_key" => entry.own(entry.key(None)?),
        "sts" => entry.own(entry.key(Some(entry.need("security_token")?))?),
        "ram_role_arn" => {
            let base = entry.own(entry.key(None)?);
            Box::new(AssumeRole::new(base, role(entry, config, ctx)?))
        }
        "oidc_role_arn" => {
            let provider = entry.need_or("oidc_provider_arn", &PROVIDER_ARN, ctx)?;
            let token_file = entry.need_or("oidc_token_file_path", &TOKEN_FILE, ctx)?;
            let role = role(entry, config, ctx)?;
            entry.through(AssumeRoleWithOidc::new(role, provider, token_file))
        }
        "ecs_ram_role" => {
            let origin = EcsRamRole::new().with_config(config.clone());
            entry.through(match entry.text("role_name") {
                Some(name) => origin.with_role(name),
                None => origin,
            })
        }
        _ => return Err(entry.unsupported("type", SUPPORTED)),
    })
}

fn role(
    entry: &Entry,
    config: &CredentialSourceConfig,
    ctx: &ProviderContext<'_>,
) -> Result<Role, Fault> {
    const WORDS: RoleWords = RoleWords {
        session_name: &["role_session_name"],
        duration: "role_session_expiration",
    };
    let arn = entry.need_or("role_arn", &ROLE_ARN, ctx)?;
    entry.role(arn, &WORDS, config)
}
