//! Where keys come from: the places that Alibaba's own tools look at, in their order.
//!
//! The order and the defaults are those of the vendor's library for credentials (Python
//! `alibabacloud_credentials` 1.0.12, Go `credentials-go`); what its command line (`aliyun` 3.4)
//! writes and reads besides is taken as well.
//! <https://www.alibabacloud.com/help/en/sdk/developer-reference/v2-manage-python-access-credentials>

mod assume_role;
mod command;
mod config_file;
mod credentials_file;
mod credentials_uri;
mod ecs_ram_role;
mod entry;
mod external;
mod mode;
mod oidc;
mod role;
mod session;
mod signature;

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

/// The vendor's default chain: variables, an OIDC role, `~/.aliyun/config.json`, the credentials
/// file, the ECS instance's RAM role, a credentials URI.
pub fn sources(config: &CredentialSourceConfig) -> Vec<Box<dyn CredentialSource>> {
    let mut origins: Vec<Box<dyn CredentialSource>> = vec![
        Box::new(EnvCredentialSource::new(PROFILE.env_vars)),
        Box::new(OidcVariables::new().with_config(config.clone())),
    ];
    origins.extend(files(config));
    origins.push(Box::new(EcsRamRole::new().with_config(config.clone())));
    origins.push(Box::new(CredentialsUri::from_variable()));
    origins
}

/// The files of the vendor's tools, those of the chain.
pub fn files(config: &CredentialSourceConfig) -> Vec<Box<dyn CredentialSource>> {
    vec![
        Box::new(ConfigFile::new().with_config(config.clone())),
        Box::new(CredentialsFile::new().with_config(config.clone())),
    ]
}

#[cfg(test)]
pub(crate) mod tests;
