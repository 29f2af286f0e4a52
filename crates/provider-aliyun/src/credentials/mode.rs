//! What a profile of the vendor's command line stands for, by its mode.

use std::time::Duration;

use lifecycle_core::{CredentialSource, CredentialSourceConfig, Fault, ProviderContext};

use super::{
    assume_role::AssumeRole,
    credentials_uri::{self, CredentialsUri},
    ecs_ram_role::EcsRamRole,
    entry::{Entry, RoleWords},
    external::{External, refuse_if_off},
    oidc::{AssumeRoleWithOidc, PROVIDER_ARN, ROLE_ARN, TOKEN_FILE},
    role::Role,
};

/// How long before its end the vendor's library runs the program of a profile again.
pub(super) const PROGRAM_RENEWAL: Duration = Duration::from_secs(180);

/// The modes that stand on their own; `ChainableRamRoleArn` needs the other profiles of its file.
/// <https://github.com/aliyun/aliyun-cli#configure-authentication-methods>
pub(super) fn origin(
    entry: &Entry,
    config: &CredentialSourceConfig,
    ctx: &ProviderContext<'_>,
) -> Result<Box<dyn CredentialSource>, Fault> {
    let mode = mode(entry).unwrap_or_default();
    Ok(match mode {
        "AK" => entry.own(entry.key(None)?),
        "StsToken" => entry.own(entry.key(Some(entry.need("sts_token")?))?),
        "RamRoleArn" => {
            let base = entry.own(entry.key(entry.text("sts_token"))?);
            Box::new(AssumeRole::new(base, role(entry, config, ctx)?))
        }
        "EcsRamRole" => entry.through(ecs_ram_role(entry, config)),
        "RamRoleArnWithRoleName" => {
            let base = Box::new(ecs_ram_role(entry, config));
            entry.through(AssumeRole::new(base, role(entry, config, ctx)?))
        }
        "OIDC" => {
            let provider = entry.need_or("oidc_provider_arn", &PROVIDER_ARN, ctx)?;
            let token_file = entry.need_or("oidc_token_file", &TOKEN_FILE, ctx)?;
            let role = role(entry, config, ctx)?;
            entry.through(AssumeRoleWithOidc::new(role, provider, token_file))
        }
        "External" => entry.through(External::new(entry.clone(), config.clone())),
        "CredentialsURI" => {
            refuse_if_off(entry, ctx)?;
            let uri = entry.need_or("credentials_uri", &[credentials_uri::VARIABLE], ctx)?;
            entry.through(CredentialsUri::new(uri))
        }
        "CloudSSO" | "OAuth" => signed_in(entry, mode, ctx)?,
        _ => return Err(entry.unsupported("mode", SUPPORTED)),
    })
}

/// The mode of a profile: what it says, or else what its settings amount to; `None` for one that
/// nobody has filled in.
pub(super) fn mode(entry: &Entry) -> Option<&str> {
    let has = |name| entry.text(name).is_some();
    entry.text("mode").or_else(|| {
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

/// The key that a profile without a mode holds.
pub(super) fn keys(entry: &Entry) -> Result<Box<dyn CredentialSource>, Fault> {
    Ok(entry.own(entry.key(entry.text("sts_token"))?))
}

/// The profile's role.
pub(super) fn role(
    entry: &Entry,
    config: &CredentialSourceConfig,
    ctx: &ProviderContext<'_>,
) -> Result<Role, Fault> {
    // The command line writes the first name, the Python library reads the second for OIDC.
    const WORDS: RoleWords = RoleWords {
        session_name: &["ram_session_name", "role_session_name"],
        duration: "expired_seconds",
    };
    let arn = entry.need_or("ram_role_arn", &ROLE_ARN, ctx)?;
    entry.role(arn, &WORDS, config)
}

const SUPPORTED: &str = "AK, StsToken, RamRoleArn, EcsRamRole, RamRoleArnWithRoleName, OIDC, \
                         ChainableRamRoleArn, External or CredentialsURI";

fn ecs_ram_role(entry: &Entry, config: &CredentialSourceConfig) -> EcsRamRole {
    let origin = EcsRamRole::new().with_config(config.clone());
    match entry.text("ram_role_name") {
        Some(name) => origin.with_role(name),
        None => origin,
    }
}

/// Signing in needs a person and a browser. The key that the command line left behind is good
/// until it ends.
fn signed_in(
    entry: &Entry,
    mode: &str,
    ctx: &ProviderContext<'_>,
) -> Result<Box<dyn CredentialSource>, Fault> {
    let now = ctx.signing_context().unix();
    let ends = entry.moment("sts_expiration");
    let left = ends.filter(|ends| {
        let ends = ends
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        i64::try_from(ends.as_secs()).is_ok_and(|ends| ends > now)
    });
    match (left, entry.text("sts_token")) {
        (Some(ends), Some(token)) => Ok(entry.own_until(entry.key(Some(token))?, ends)),
        _ => Err(entry.fault(&format!(
            "has the mode {mode}, which is not supported, and no key of it that is still good: \
             any call of `aliyun` with this profile leaves one behind"
        ))),
    }
}
