//! Credential source: the ini file of the vendor's SDKs.

use std::collections::HashMap;

use configparser::ini::Ini;
use lifecycle_core::{
    CredentialSource, CredentialSourceConfig, ExchangeStep, Fault, ProviderContext,
    ResolvedCredential, credential_source::unusable,
};

use super::{
    assume_role::AssumeRole,
    ecs_ram_role::EcsRamRole,
    oidc::{AssumeRoleWithOidc, PROVIDER_ARN, ROLE_ARN, TOKEN_FILE},
    profile_section::{ProfileSection, RoleSettingNames},
    role::Role,
};

/// A section of the SDKs' credentials file: `~/.alibabacloud/credentials.ini`, else
/// `~/.alibabacloud/credentials`, or the file that `ALIBABA_CLOUD_CREDENTIALS_FILE` names. The
/// section is chosen by the caller, else by `ALIBABA_CLOUD_PROFILE`, else `default` is used.
///
/// Types: `access_key`, `sts`, `ram_role_arn`, `oidc_role_arn`, `ecs_ram_role`.
/// <https://www.alibabacloud.com/help/en/sdk/developer-reference/v2-manage-python-access-credentials>
#[derive(Clone, Debug, Default)]
pub struct CredentialsFile {
    config: CredentialSourceConfig,
}

impl CredentialsFile {
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
        let requested = self.config.profile.clone().or(ctx.variable(SECTION_VAR));
        let Some(file) = IniFile::open(ctx)? else {
            let [first, second] = DEFAULT_PATHS;
            let reason = format!("neither {first} nor {second} exists");
            return match &self.config.profile {
                // The config file of `aliyun` comes first in the chain and had no such
                // profile either.
                Some(profile) => Err(unusable(
                    &format!("profile {profile:?}"),
                    &format!("was not found: {reason}"),
                )),
                None => Ok(ExchangeStep::NotConfigured(reason)),
            };
        };
        let name = requested.as_deref().unwrap_or("default");
        match (file.section(name), &requested) {
            (Some(section), _) => Ok(source(&section, &self.config, ctx)?.begin(ctx)),
            (None, Some(_)) => Err(unusable(&file.path, &format!("has no section [{name}]"))),
            (None, None) => Ok(ExchangeStep::NotConfigured(format!(
                "{} has no section [{name}]",
                file.path
            ))),
        }
    }
}

impl CredentialSource for CredentialsFile {
    fn name(&self) -> String {
        "credentials file".to_owned()
    }

    fn requirements(&self) -> String {
        let [first, _] = DEFAULT_PATHS;
        first.to_owned()
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        self.try_begin(ctx).unwrap_or_else(ExchangeStep::Failed)
    }
}

/// Returns true if the credentials file has this section.
pub(super) fn has_section(name: &str, ctx: &ProviderContext<'_>) -> bool {
    matches!(IniFile::open(ctx), Ok(Some(file)) if file.section(name).is_some())
}

/// The path of the Python SDK, then the path of the Go SDK.
const DEFAULT_PATHS: [&str; 2] = [
    "~/.alibabacloud/credentials.ini",
    "~/.alibabacloud/credentials",
];
const CREDENTIALS_FILE_VAR: &str = "ALIBABA_CLOUD_CREDENTIALS_FILE";
const SECTION_VAR: &str = "ALIBABA_CLOUD_PROFILE";

/// The parsed file.
struct IniFile {
    path: String,
    ini: Ini,
}

impl IniFile {
    fn open(ctx: &ProviderContext<'_>) -> Result<Option<Self>, Fault> {
        if let Some(path) = ctx.variable(CREDENTIALS_FILE_VAR) {
            let text = ctx.secret_file(&path)?.ok_or_else(|| {
                unusable(
                    &path,
                    &format!("does not exist, but {CREDENTIALS_FILE_VAR} names it"),
                )
            })?;
            return Self::parse(&path, text).map(Some);
        }
        for path in DEFAULT_PATHS {
            if let Some(text) = ctx.secret_file(path)? {
                return Self::parse(path, text).map(Some);
            }
        }
        Ok(None)
    }

    /// Parses the text like Python's `configparser`, and removes trailing comments like the
    /// vendor's library. A fault names the line of the error and never quotes the text.
    fn parse(path: &str, text: String) -> Result<Self, Fault> {
        let mut ini = Ini::new_cs();
        ini.set_multiline(true);
        ini.set_inline_comment_symbols(Some(&['#']));
        ini.read(text).map_err(|error| {
            let line = error.split(':').next();
            let line = line
                .filter(|line| line.starts_with("line "))
                .unwrap_or("a line");
            unusable(
                path,
                &format!("is not a valid ini file: cannot read {line}"),
            )
        })?;
        let path = path.to_owned();
        Ok(Self { path, ini })
    }

    /// Returns a section. Section names are case-sensitive, setting names are not.
    fn section(&self, name: &str) -> Option<ProfileSection> {
        let section = self.ini.get_map_ref().get(name)?;
        let settings: HashMap<String, String> = section
            .iter()
            .filter_map(|(name, value)| Some((name.to_ascii_lowercase(), value.clone()?)))
            .collect();
        let location = format!("section [{name}] in {}", self.path);
        Some(ProfileSection::new(location, settings))
    }
}

const SUPPORTED: &str = "access_key, sts, ram_role_arn, oidc_role_arn or ecs_ram_role";

/// Returns the credential source that the `type` of a section selects.
fn source(
    section: &ProfileSection,
    config: &CredentialSourceConfig,
    ctx: &ProviderContext<'_>,
) -> Result<Box<dyn CredentialSource>, Fault> {
    Ok(match section.required("type")? {
        "access_key" => section.static_source(section.access_key(None)?),
        "sts" => {
            let token = section.required("security_token")?;
            section.static_source(section.access_key(Some(token))?)
        }
        "ram_role_arn" => {
            let base = section.static_source(section.access_key(None)?);
            Box::new(AssumeRole::new(base, role(section, config, ctx)?))
        }
        "oidc_role_arn" => {
            let provider = section.required_or_env("oidc_provider_arn", &PROVIDER_ARN, ctx)?;
            let token_file = section.required_or_env("oidc_token_file_path", &TOKEN_FILE, ctx)?;
            let role = role(section, config, ctx)?;
            section.delegate_to(AssumeRoleWithOidc::new(role, provider, token_file))
        }
        "ecs_ram_role" => {
            let source = EcsRamRole::new().with_config(config.clone());
            section.delegate_to(match section.setting("role_name") {
                Some(name) => source.with_role(name),
                None => source,
            })
        }
        _ => return Err(section.unsupported("type", SUPPORTED)),
    })
}

fn role(
    section: &ProfileSection,
    config: &CredentialSourceConfig,
    ctx: &ProviderContext<'_>,
) -> Result<Role, Fault> {
    const NAMES: RoleSettingNames = RoleSettingNames {
        session_name: &["role_session_name"],
        duration: "role_session_expiration",
    };
    let arn = section.required_or_env("role_arn", &ROLE_ARN, ctx)?;
    section.role(arn, &NAMES, config)
}
