//! The credential sources of Baidu BCC: the settings of Baidu's tools, and temporary keys of the
//! token service (STS).

mod command_line;
mod sts;

use lifecycle_core::{
    CredentialSource, CredentialSourceConfig, EnvVarNames, ExchangeStep, ProviderContext,
    credential_source::EnvCredentialSource,
};

pub(crate) use command_line::{VARIABLES as COMMAND_LINE, stored_profile};
pub use {
    command_line::CommandLineProfile,
    sts::{AssumeRole, SessionToken},
};

/// Returns the sources of the tools of Baidu, in order of precedence: the variables of the Terraform
/// provider, then the profile of the command line with the variables of the command line.
///
/// The SDKs of Baidu have no sources, and BCC has no metadata service with keys. [`SessionToken`] and
/// [`AssumeRole`] exchange a key of a source, and are not in the list.
pub fn sources(config: &CredentialSourceConfig) -> Vec<Box<dyn CredentialSource>> {
    vec![
        Box::new(EnvCredentialSource::new(&[TERRAFORM])),
        Box::new(command_line(config)),
    ]
}

/// Returns the sources of [`sources`] that are files.
pub fn files(config: &CredentialSourceConfig) -> Vec<Box<dyn CredentialSource>> {
    vec![Box::new(command_line(config).profile_only())]
}

fn command_line(config: &CredentialSourceConfig) -> CommandLineProfile {
    match &config.profile {
        Some(name) => CommandLineProfile::new().with_profile(name),
        None => CommandLineProfile::new(),
    }
}

/// Returns whether a variable of the Terraform provider of Baidu has a key, which takes precedence.
pub(crate) fn has_terraform_key(ctx: &ProviderContext<'_>) -> bool {
    matches!(
        EnvCredentialSource::new(&[TERRAFORM]).begin(ctx),
        ExchangeStep::Done(_) | ExchangeStep::Failed(_)
    )
}

/// The variables of the Terraform provider of Baidu.
pub(crate) const TERRAFORM: EnvVarNames = EnvVarNames::Keys {
    id: "BAIDUCLOUD_ACCESS_KEY",
    secret: "BAIDUCLOUD_SECRET_KEY",
    session: Some("BAIDUCLOUD_SESSION_TOKEN"),
};

#[cfg(test)]
pub(crate) mod tests;
