//! The credential sources of Alibaba's own tools, in the same order.
//!
//! The order and the defaults follow the vendor's credentials library (Python
//! `alibabacloud_credentials` 1.0.12, Go `credentials-go`). Settings that only the vendor's command
//! line (`aliyun` 3.4) reads and writes are supported too.
//! <https://www.alibabacloud.com/help/en/sdk/developer-reference/v2-manage-python-access-credentials>

mod assume_role;
mod command;
mod config_file;
mod credentials_file;
mod credentials_uri;
mod ecs_ram_role;
mod external;
mod mode;
mod oidc;
mod profile_section;
mod role;
mod signature;
mod temporary_key;

use lifecycle_core::{
    CredentialSource, CredentialSourceConfig, credential_source::EnvCredentialSource,
};

pub use assume_role::AssumeRole;
pub use config_file::ConfigFile;
pub use credentials_file::CredentialsFile;
pub use credentials_uri::CredentialsUri;
pub use ecs_ram_role::EcsRamRole;
pub use oidc::{AssumeRoleWithOidc, OidcVariables};
pub use role::Role;

use crate::PROFILE;

/// Returns the vendor's default chain: environment variables, an OIDC role,
/// `~/.aliyun/config.json`, the credentials file, the RAM role of the ECS instance, a credentials
/// URI.
pub fn sources(config: &CredentialSourceConfig) -> Vec<Box<dyn CredentialSource>> {
    let mut sources: Vec<Box<dyn CredentialSource>> = vec![
        Box::new(EnvCredentialSource::new(PROFILE.env_vars)),
        Box::new(OidcVariables::new().with_config(config.clone())),
    ];
    sources.extend(files(config));
    sources.push(Box::new(EcsRamRole::new().with_config(config.clone())));
    sources.push(Box::new(CredentialsUri::from_variable()));
    sources
}

/// Returns the file sources of the chain.
pub fn files(config: &CredentialSourceConfig) -> Vec<Box<dyn CredentialSource>> {
    vec![
        Box::new(ConfigFile::new().with_config(config.clone())),
        Box::new(CredentialsFile::new().with_config(config.clone())),
    ]
}

#[cfg(test)]
pub(crate) mod tests;
