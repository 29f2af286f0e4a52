//! Where keys for BCC come from: what Baidu's own tools have set up, and what its token service
//! (STS) gives in exchange.

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

/// The places where Baidu's tools look for keys: the variables of its Terraform provider, then the
/// profile of its command line with the variables that fill it up.
///
/// Its SDKs look nowhere, and BCC has no metadata service that gives keys. [`SessionToken`] and
/// [`AssumeRole`] exchange a key from one of these places, and are never in the chain by
/// themselves.
pub fn sources(config: &CredentialSourceConfig) -> Vec<Box<dyn CredentialSource>> {
    vec![
        Box::new(EnvCredentialSource::new(&[TERRAFORM])),
        Box::new(command_line(config)),
    ]
}

/// The files of Baidu's tools, those of the chain.
pub fn files(config: &CredentialSourceConfig) -> Vec<Box<dyn CredentialSource>> {
    vec![Box::new(command_line(config).alone())]
}

fn command_line(config: &CredentialSourceConfig) -> CommandLineProfile {
    match &config.profile {
        Some(name) => CommandLineProfile::new().with_profile(name),
        None => CommandLineProfile::new(),
    }
}

/// Whether the key is that of Baidu's Terraform provider, whatever else is set up.
pub(crate) fn has_key_of_terraform(ctx: &ProviderContext<'_>) -> bool {
    matches!(
        EnvCredentialSource::new(&[TERRAFORM]).begin(ctx),
        ExchangeStep::Done(_) | ExchangeStep::Failed(_)
    )
}

/// The variables of Baidu's Terraform provider.
pub(crate) const TERRAFORM: EnvVarNames = EnvVarNames::Keys {
    id: "BAIDUCLOUD_ACCESS_KEY",
    secret: "BAIDUCLOUD_SECRET_KEY",
    session: Some("BAIDUCLOUD_SESSION_TOKEN"),
};

#[cfg(test)]
pub(crate) mod tests;
