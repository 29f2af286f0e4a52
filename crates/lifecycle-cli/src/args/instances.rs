//! Arguments that select instances.

use std::str::FromStr;

use lifecycle_facade::{InstanceReference, ParseReferenceError};

use crate::completion;

/// The instances of a command.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct InstanceArgs {
    /// Instances: cloud/region/instance-id, for example baidu/bj/i-a1b2c3d4 or
    /// zenlayer/global/1234567890. For another account: account@cloud/region/instance-id. For a
    /// group in the configuration file: its name. For references from standard input: -
    #[arg(value_name = "REFERENCE", required = true, add = completion::references())]
    pub(crate) instances: Vec<InstanceArg>,
}

/// One argument of a command on instances.
#[derive(Clone, Debug)]
pub(crate) enum InstanceArg {
    Reference(InstanceReference),
    /// The name of a group in the configuration file.
    Group(String),
    StandardInput,
}

impl FromStr for InstanceArg {
    type Err = ParseReferenceError;

    fn from_str(text: &str) -> Result<Self, ParseReferenceError> {
        match text {
            "-" => Ok(Self::StandardInput),
            text if is_name(text) => Ok(Self::Group(text.to_owned())),
            text => text.parse().map(Self::Reference),
        }
    }
}

/// Returns `true` for a text that can be the name of a group.
fn is_name(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    !text.is_empty() && text.bytes().all(fits)
}
