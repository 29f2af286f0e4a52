//! Places as people name them: a region, or an account of the configuration file.

use std::{convert::Infallible, str::FromStr};

use lifecycle_facade::{Cloud, Fleet, Location, SystemHost};

use crate::exit::CommandError;

/// One word where a place belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Somewhere {
    /// `cloud/region` or `account@cloud/region`; not read yet, since what is wrong with it depends
    /// on the accounts.
    Region(String),
    /// The name of an account.
    Name(String),
}

impl FromStr for Somewhere {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let text = text.to_owned();
        Ok(if text.contains(['/', '@']) {
            Self::Region(text)
        } else {
            Self::Name(text)
        })
    }
}

impl Somewhere {
    /// The place that is meant.
    ///
    /// # Errors
    /// When there is no such account, or it says no region.
    pub(crate) fn place(&self, fleet: &Fleet) -> Result<Location, CommandError> {
        match self {
            Self::Region(text) => {
                text.parse()
                    .map_err(|bad: lifecycle_facade::ParseReferenceError| {
                        CommandError::wrong_usage(bad.to_string())
                    })
            }
            Self::Name(name) => of_account(fleet, name),
        }
    }
}

fn of_account(fleet: &Fleet, name: &str) -> Result<Location, CommandError> {
    let Some((_, account)) = fleet.accounts().find(|(known, _)| *known == name) else {
        return Err(CommandError::wrong_usage(format!(
            "{name:?} is no region: write cloud/region, such as baidu/bj or zenlayer/global, or the name of an account in the configuration file"
        )));
    };
    match account.region.as_deref().or(account.cloud.only_region()) {
        Some(region) => Ok(Location::new(account.cloud, region).of_account(name)),
        None => Err(CommandError::wrong_usage(format!(
            "the account {name:?} has no region in the configuration file: write {name}@{}/region",
            account.cloud
        ))),
    }
}

/// Everything that can be looked at when nothing is named: all accounts, and each cloud as its own
/// tools would use it.
pub(crate) fn everywhere(fleet: &Fleet) -> Vec<Location> {
    let accounts = fleet.accounts().map(|(name, account)| {
        let usual = account.cloud.default_region(&SystemHost);
        let region = account.region.as_deref().unwrap_or(&usual);
        Location::new(account.cloud, region).of_account(name)
    });
    let clouds = Cloud::ALL
        .iter()
        .map(|cloud| Location::new(*cloud, cloud.default_region(&SystemHost)));
    accounts.chain(clouds).collect()
}
