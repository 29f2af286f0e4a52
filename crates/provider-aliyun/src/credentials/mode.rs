//! The credential source of a command line profile, selected by the `mode` of the profile.

use std::time::{Duration, UNIX_EPOCH};

use lifecycle_core::{CredentialSource, CredentialSourceConfig, Fault, ProviderContext};

use super::{
    assume_role::AssumeRole,
    credentials_uri::{self, CredentialsUri},
    ecs_ram_role::EcsRamRole,
    external::{External, check_allowed},
    oidc::{AssumeRoleWithOidc, PROVIDER_ARN, ROLE_ARN, TOKEN_FILE},
    profile_section::{ProfileSection, RoleSettingNames},
    role::Role,
};

/// The time before the expiry of a key at which the vendor's library runs the program again.
pub(super) const PROGRAM_RENEWAL: Duration = Duration::from_secs(180);

/// Returns the source of a profile, for all modes except `ChainableRamRoleArn`, which needs the
/// other profiles of the file.
/// <https://github.com/aliyun/aliyun-cli#configure-authentication-methods>
pub(super) fn source(
    section: &ProfileSection,
    config: &CredentialSourceConfig,
    ctx: &ProviderContext<'_>,
) -> Result<Box<dyn CredentialSource>, Fault> {
    let mode = mode(section).unwrap_or_default();
    Ok(match mode {
        "AK" => section.static_source(section.access_key(None)?),
        "StsToken" => {
            let token = section.required("sts_token")?;
            section.static_source(section.access_key(Some(token))?)
        }
        "RamRoleArn" => {
            let base = access_key(section)?;
            Box::new(AssumeRole::new(base, role(section, config, ctx)?))
        }
        "EcsRamRole" => section.delegate_to(ecs_ram_role(section, config)),
        "RamRoleArnWithRoleName" => {
            let base = Box::new(ecs_ram_role(section, config));
            section.delegate_to(AssumeRole::new(base, role(section, config, ctx)?))
        }
        "OIDC" => {
            let provider = section.required_or_env("oidc_provider_arn", &PROVIDER_ARN, ctx)?;
            let token_file = section.required_or_env("oidc_token_file", &TOKEN_FILE, ctx)?;
            let role = role(section, config, ctx)?;
            section.delegate_to(AssumeRoleWithOidc::new(role, provider, token_file))
        }
        "External" => section.delegate_to(External::new(section.clone(), config.clone())),
        "CredentialsURI" => {
            check_allowed(section, ctx)?;
            let variables = [credentials_uri::URI_VAR];
            let uri = section.required_or_env("credentials_uri", &variables, ctx)?;
            section.delegate_to(CredentialsUri::new(uri))
        }
        "CloudSSO" | "OAuth" => stored_sign_in(section, mode, ctx)?,
        _ => return Err(section.unsupported("mode", SUPPORTED)),
    })
}

/// Returns the mode of a profile, derived from the other settings if `mode` is not set; `None` for
/// an empty profile.
pub(super) fn mode(section: &ProfileSection) -> Option<&str> {
    let has = |name| section.setting(name).is_some();
    section.setting("mode").or_else(|| {
        Some(match () {
            () if has("access_key_id") && has("access_key_secret") => match () {
                () if has("sts_token") => "StsToken",
                () if has("ram_role_arn") => "RamRoleArn",
                () => "AK",
            },
            () if has("ram_role_name") => "EcsRamRole",
            () if has("process_command") => "External",
            () if has("oidc_provider_arn") && has("oidc_token_file") => "OIDC",
            () if has("cloud_sso_sign_in_url") => "CloudSSO",
            () => return None,
        })
    })
}

/// Returns the fault of a profile without a mode and with a part of the settings of a mode; `None` for a
/// profile without any setting of a key.
pub(super) fn incomplete(section: &ProfileSection) -> Option<Fault> {
    const SETTINGS: [&str; 9] = [
        "access_key_id",
        "access_key_secret",
        "sts_token",
        "ram_role_arn",
        "oidc_provider_arn",
        "oidc_token_file",
        "credentials_uri",
        "source_profile",
        "cloud_sso_account_id",
    ];
    let has = |name: &str| section.setting(name).is_some();
    match SETTINGS.into_iter().find(|name| has(name))? {
        "access_key_id" | "access_key_secret" => section.access_key(None).err(),
        name => Some(section.fault(&format!("has {name}, but no mode: set mode"))),
    }
}

/// Returns the access key of a profile, with the session token if the profile has one.
pub(super) fn access_key(section: &ProfileSection) -> Result<Box<dyn CredentialSource>, Fault> {
    Ok(section.static_source(section.access_key(section.setting("sts_token"))?))
}

/// Returns the role of a profile.
pub(super) fn role(
    section: &ProfileSection,
    config: &CredentialSourceConfig,
    ctx: &ProviderContext<'_>,
) -> Result<Role, Fault> {
    // `aliyun` writes the first name; the Python library reads the second one for OIDC.
    const NAMES: RoleSettingNames = RoleSettingNames {
        session_name: &["ram_session_name", "role_session_name"],
        duration: "expired_seconds",
    };
    let arn = section.required_or_env("ram_role_arn", &ROLE_ARN, ctx)?;
    section.role(arn, &NAMES, config)
}

const SUPPORTED: &str = "AK, StsToken, RamRoleArn, EcsRamRole, RamRoleArnWithRoleName, OIDC, \
                         ChainableRamRoleArn, External or CredentialsURI";

fn ecs_ram_role(section: &ProfileSection, config: &CredentialSourceConfig) -> EcsRamRole {
    let source = EcsRamRole::new().with_config(config.clone());
    match section.setting("ram_role_name") {
        Some(name) => source.with_role(name),
        None => source,
    }
}

/// Returns the key that `aliyun` stored at the last sign-in, until the key expires. A new
/// sign-in needs a person and a browser.
fn stored_sign_in(
    section: &ProfileSection,
    mode: &str,
    ctx: &ProviderContext<'_>,
) -> Result<Box<dyn CredentialSource>, Fault> {
    let now = ctx.signing_context().unix();
    let expires = section.time("sts_expiration").filter(|expires| {
        let seconds = expires.duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(seconds.as_secs()).is_ok_and(|seconds| seconds > now)
    });
    match (expires, section.setting("sts_token")) {
        (Some(expires), Some(token)) => {
            Ok(section.expiring_source(section.access_key(Some(token))?, expires))
        }
        _ => Err(section.fault(&format!(
            "has the mode {mode}, whose sign-in is not supported, and no valid stored key: run any \
             `aliyun` command with this profile to store a key"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use provider_testing::FakeHost;

    use super::*;
    use crate::credentials::tests::ctx;

    const LOCATION: &str = r#"profile "x" in f"#;

    fn section(settings: &[(&str, &str)]) -> ProfileSection {
        let settings = settings.iter();
        let settings = settings.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        ProfileSection::new(LOCATION.to_owned(), settings.collect())
    }

    /// The order of `AutoModeRecognition` in the source of `aliyun`.
    #[test]
    fn mode_comes_from_the_other_settings_if_it_is_not_set() {
        for (names, expected) in [
            ("", None),
            ("access_key_id", None),
            ("access_key_secret", None),
            ("access_key_id access_key_secret", Some("AK")),
            (
                "access_key_id access_key_secret sts_token",
                Some("StsToken"),
            ),
            (
                "access_key_id access_key_secret ram_role_arn",
                Some("RamRoleArn"),
            ),
            (
                "access_key_id access_key_secret sts_token ram_role_arn",
                Some("StsToken"),
            ),
            ("ram_role_arn", None),
            ("ram_role_name", Some("EcsRamRole")),
            ("access_key_id ram_role_name", Some("EcsRamRole")),
            ("process_command", Some("External")),
            ("oidc_provider_arn", None),
            ("oidc_token_file", None),
            ("oidc_provider_arn oidc_token_file", Some("OIDC")),
            ("cloud_sso_sign_in_url", Some("CloudSSO")),
            ("mode process_command", Some("set")),
        ] {
            let settings: Vec<_> = names.split(' ').map(|name| (name, "set")).collect();
            assert_eq!(mode(&section(&settings)), expected, "{names}");
        }
    }

    #[test]
    fn source_has_the_name_of_the_profile_and_the_requirements_of_the_mode() {
        let settings = [
            ("access_key_id", "i"),
            ("access_key_secret", "s"),
            ("sts_token", "t"),
            ("sts_expiration", "9999999999"),
            ("ram_role_arn", "acs:ram::1:role/web"),
            ("ram_role_name", "web"),
            ("oidc_provider_arn", "p"),
            ("oidc_token_file", "/var/token"),
            ("process_command", "program"),
            ("credentials_uri", "http://127.0.0.1/"),
        ];
        for (mode, name, requirements) in [
            ("AK", "", None),
            ("StsToken", "", None),
            ("CloudSSO", "", None),
            ("OAuth", "", None),
            (
                "EcsRamRole",
                ", ECS RAM role",
                Some("a RAM role of the ECS instance"),
            ),
            (
                "RamRoleArnWithRoleName",
                ", role acs:ram::1:role/web assumed with ECS RAM role",
                Some("a RAM role of the ECS instance"),
            ),
            (
                "OIDC",
                ", OIDC role acs:ram::1:role/web",
                Some("OIDC token file /var/token"),
            ),
            ("External", ", external program", None),
            (
                "CredentialsURI",
                ", credentials URI",
                Some("ALIBABA_CLOUD_CREDENTIALS_URI"),
            ),
        ] {
            let source = source_of(mode, &settings);
            assert_eq!(source.name(), format!("{LOCATION}{name}"), "{mode}");
            let expected = requirements.unwrap_or(LOCATION);
            assert_eq!(source.requirements(), expected, "{mode}");
        }
        let assumed = source_of("RamRoleArn", &settings);
        assert_eq!(
            assumed.name(),
            format!("role acs:ram::1:role/web assumed with {LOCATION}")
        );
        assert_eq!(assumed.requirements(), LOCATION);
    }

    fn source_of(mode: &str, settings: &[(&str, &str)]) -> Box<dyn CredentialSource> {
        let section = section(&[&[("mode", mode)], settings].concat());
        let config = CredentialSourceConfig::default();
        source(&section, &config, &ctx(&FakeHost::new(&[]))).unwrap()
    }
}
