//! Where keys for ECS come from: what Huawei's own tools have set up, the agency of the machine, and
//! what its identity services give in exchange.

mod assume_agency;
mod command_line;
mod ecs_agency;
mod identity_provider;
mod issued;
mod oidc_agency;
mod password;
mod pod_identity;
mod sdk_profile;
mod sdk_variables;

use lifecycle_core::{
    Credential, CredentialSource, CredentialSourceConfig, EnvVarNames, ProviderContext,
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

/// The places where Huawei's tools look for keys, in the order of its SDKs. What only its Terraform
/// provider or its command line has stands behind what the SDKs have of the same kind.
///
/// A profile that is asked for by name is one of the command line's: the SDKs' file has none, and
/// is left out then.
pub fn sources(config: &CredentialSourceConfig) -> Vec<Box<dyn CredentialSource>> {
    let oidc = OidcAgency::new().with_config(config.clone());
    let mut origins: Vec<Box<dyn CredentialSource>> = vec![Box::new(oidc)];
    origins.extend(variables(config));
    origins.extend(files(config));
    origins.push(Box::new(EcsAgency::new().with_config(config.clone())));
    origins.push(Box::new(PodIdentity::new()));
    origins
}

/// The variables of Huawei's tools, those of the chain, with what they lead to.
pub fn variables(config: &CredentialSourceConfig) -> Vec<Box<dyn CredentialSource>> {
    let own = || config.clone();
    vec![
        Box::new(SdkVariables::new().with_config(own())),
        Box::new(assume_agency::TerraformVariables::new(own())),
        Box::new(password::FromVariables::new(own())),
    ]
}

/// The files of Huawei's tools, those of the chain.
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

/// The project that is stored with this very key, for this region. A file that cannot be read does
/// not hold the key that is already there.
pub(crate) fn stored_project(
    config: &CredentialSourceConfig,
    region: &str,
    key: &Credential,
    ctx: &ProviderContext<'_>,
) -> Option<String> {
    let Credential::Keys { id, .. } = key else {
        return None;
    };
    let of_sdk = || sdk_profile::project_of(id, ctx);
    let of_command_line = || command_line::project_of(id, region, config, ctx);
    of_sdk().or_else(of_command_line)
}

/// All variables that hold a key by themselves.
pub(crate) const VARIABLES: &[EnvVarNames] = &[SDK, TERRAFORM_KEY, OLD_TERRAFORM_KEY, TOKEN];

/// The SDKs'.
const SDK: EnvVarNames = EnvVarNames::Keys {
    id: "HUAWEICLOUD_SDK_AK",
    secret: "HUAWEICLOUD_SDK_SK",
    session: Some("HUAWEICLOUD_SDK_SECURITY_TOKEN"),
};

/// The Terraform provider's. It reads more names that begin with `OS_`, but these are OpenStack's
/// own: what they hold may be meant for another cloud.
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

/// Last, because a token that somebody left there is dead after 24 hours.
const TOKEN: EnvVarNames = EnvVarNames::Token("HW_AUTH_TOKEN");

#[cfg(test)]
pub(crate) mod tests;
