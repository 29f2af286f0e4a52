//! Credential sources: the environment variables and files of Huawei's tools, the agency (委托) of
//! the server, and exchanges at IAM and STS.

mod assume_agency;
mod command_line;
mod ecs_agency;
mod identity_provider;
mod oidc_agency;
mod password;
mod pod_identity;
mod sdk_profile;
mod sdk_variables;
mod temporary_key;

use lifecycle_core::{
    Credential, CredentialSource, CredentialSourceConfig, EnvVarNames, Fault, ProviderContext,
};

pub use {
    assume_agency::AssumeAgency,
    command_line::CommandLineProfile,
    ecs_agency::EcsAgency,
    identity_provider::IdentityProvider,
    oidc_agency::OidcAgency,
    password::{Password, PasswordVariable},
    pod_identity::PodIdentity,
    sdk_profile::SdkProfile,
    sdk_variables::SdkVariables,
};

/// Returns the default chain, in the order of Huawei's SDKs. A source of Huawei's Terraform
/// provider or command line follows the SDK source of the same kind.
///
/// A profile name in `config` selects a profile of the command line. The file of the SDKs has no
/// profiles and is left out then.
pub fn sources(config: &CredentialSourceConfig) -> Vec<Box<dyn CredentialSource>> {
    let oidc = OidcAgency::new().with_config(config.clone());
    let mut sources: Vec<Box<dyn CredentialSource>> = vec![Box::new(oidc)];
    sources.extend(variables(config));
    sources.extend(files(config));
    sources.push(Box::new(EcsAgency::new().with_config(config.clone())));
    sources.push(Box::new(PodIdentity::new()));
    sources
}

/// Returns the sources of the chain that environment variables configure.
pub fn variables(config: &CredentialSourceConfig) -> Vec<Box<dyn CredentialSource>> {
    let config = || config.clone();
    vec![
        Box::new(SdkVariables::new().with_config(config())),
        Box::new(assume_agency::TerraformVariables::new(config())),
        Box::new(password::TerraformPassword::new(config())),
    ]
}

/// Returns the file sources of the chain.
pub fn files(config: &CredentialSourceConfig) -> Vec<Box<dyn CredentialSource>> {
    let mut files: Vec<Box<dyn CredentialSource>> = Vec::new();
    if config.profile.is_none() {
        files.push(Box::new(SdkProfile::new().with_config(config.clone())));
    }
    files.push(Box::new(
        CommandLineProfile::new().with_config(config.clone()),
    ));
    files
}

/// Returns the project that a file stores together with this key, for this region. A profile that does not
/// exist is ignored: `key` comes from another source.
///
/// # Errors
/// The fault of a file that cannot be read: the file may hold `key` and a project.
pub(crate) fn stored_project(
    config: &CredentialSourceConfig,
    region: &str,
    key: &Credential,
    ctx: &ProviderContext<'_>,
) -> Result<Option<String>, Fault> {
    let Credential::Keys { id, .. } = key else {
        return Ok(None);
    };
    match sdk_profile::project_of(id, ctx)? {
        Some(project) => Ok(Some(project)),
        None => command_line::project_of(id, region, config, ctx),
    }
}

/// The environment variables that hold a complete key.
pub(crate) const VARIABLES: &[EnvVarNames] = &[SDK, TERRAFORM_KEY, OLD_TERRAFORM_KEY, TOKEN];

/// The variables of the SDKs.
const SDK: EnvVarNames = EnvVarNames::Keys {
    id: "HUAWEICLOUD_SDK_AK",
    secret: "HUAWEICLOUD_SDK_SK",
    session: Some("HUAWEICLOUD_SDK_SECURITY_TOKEN"),
};

/// The variables of the Terraform provider. Other `OS_` variables that the provider reads are left
/// out: they belong to OpenStack and may hold keys of another cloud.
const TERRAFORM: &[EnvVarNames] = &[TERRAFORM_KEY, OLD_TERRAFORM_KEY, TOKEN];

const TERRAFORM_KEY: EnvVarNames = EnvVarNames::Keys {
    id: "HW_ACCESS_KEY",
    secret: "HW_SECRET_KEY",
    session: Some("HW_SECURITY_TOKEN"),
};

const OLD_TERRAFORM_KEY: EnvVarNames = EnvVarNames::Keys {
    id: "OS_ACCESS_KEY",
    secret: "OS_SECRET_KEY",
    session: Some("HW_SECURITY_TOKEN"),
};

/// The token variable, which comes last because a forgotten token expires after 24 hours.
const TOKEN: EnvVarNames = EnvVarNames::Token("HW_AUTH_TOKEN");

#[cfg(test)]
pub(crate) mod tests;
