//! Resolves the location arguments of a command: `cloud/region`, or the name of an account in the
//! configuration file.

use lifecycle_facade::{Cloud, Fleet, Location, ParseReferenceError, SystemHost, did_you_mean};

use crate::{args::LocationArg, exit::CommandError};

/// Returns the locations that the arguments name.
///
/// # Errors
/// If a region is invalid, an account is unknown, or an account has no region.
pub(crate) fn resolve(args: &[LocationArg], fleet: &Fleet) -> Result<Vec<Location>, CommandError> {
    let locations = args.iter().map(|arg| match arg {
        LocationArg::Region(text) => {
            let parsed: Result<Location, ParseReferenceError> = text.parse();
            parsed.map_err(|error| CommandError::wrong_usage(error.to_string()))
        }
        LocationArg::Account(name) => location_of_account(fleet, name),
    });
    locations.collect()
}

/// Returns the locations that the arguments name, or [`all_locations`] without arguments.
///
/// # Errors
/// See [`resolve`].
pub(crate) fn resolve_or_all(
    args: &[LocationArg],
    fleet: &Fleet,
) -> Result<Vec<Location>, CommandError> {
    if args.is_empty() {
        Ok(all_locations(fleet))
    } else {
        resolve(args, fleet)
    }
}

/// Returns the location of the account `name`.
fn location_of_account(fleet: &Fleet, name: &str) -> Result<Location, CommandError> {
    let Some((_, account)) = fleet.accounts().find(|(known, _)| *known == name) else {
        let names = fleet.accounts().map(|(known, _)| known);
        let clouds = Cloud::ALL.iter().map(|cloud| cloud.as_str());
        let hint = did_you_mean(name, names.chain(clouds));
        let hint = hint.map_or_else(String::new, |hint| format!("; {hint}"));
        return Err(CommandError::wrong_usage(format!(
            "invalid region {name:?}: write cloud/region, for example baidu/bj or zenlayer/global, or the name of an account in the configuration file{hint}"
        )));
    };
    match account.region.as_deref().or(account.cloud.only_region()) {
        Some(region) => Ok(Location::new(account.cloud, region).with_account(name)),
        None => Err(CommandError::wrong_usage(format!(
            "the account {name:?} has no region in the configuration file: write {name}@{}/region",
            account.cloud
        ))),
    }
}

/// Returns the location of each account, and the default location of each cloud outside of accounts.
fn all_locations(fleet: &Fleet) -> Vec<Location> {
    let accounts = fleet.accounts().map(|(name, account)| {
        let default_region = account.cloud.default_region(&SystemHost);
        let region = account.region.as_deref().unwrap_or(&default_region);
        Location::new(account.cloud, region).with_account(name)
    });
    let clouds = Cloud::ALL
        .iter()
        .map(|cloud| Location::new(*cloud, cloud.default_region(&SystemHost)));
    accounts.chain(clouds).collect()
}
