//! Arguments that select regions, and the arguments of `credentials` and `doctor`.

use std::{convert::Infallible, str::FromStr};

use super::ConnectionArgs;
use crate::completion;

/// The arguments of `credentials` and `doctor`.
#[derive(Debug, clap::Args)]
pub(crate) struct LocationsArgs {
    /// Regions, for example baidu/bj or prod@aliyun/cn-hangzhou, or names of accounts in the
    /// configuration file. Default: all accounts and all clouds
    #[arg(value_name = "CLOUD/REGION", add = completion::locations())]
    pub(crate) locations: Vec<LocationArg>,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

/// An argument that names a region or an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LocationArg {
    /// The text `cloud/region` or `account@cloud/region`, not parsed yet: the error message depends
    /// on the accounts.
    Region(String),
    /// The name of an account.
    Account(String),
}

impl FromStr for LocationArg {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let text = text.to_owned();
        Ok(if text.contains(['/', '@']) {
            Self::Region(text)
        } else {
            Self::Account(text)
        })
    }
}
