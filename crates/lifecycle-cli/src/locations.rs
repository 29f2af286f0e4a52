//! Resolves the location arguments of a command: `cloud/region`, or the name of an account in the
//! configuration file.

use lifecycle_facade::{
    Cloud, EmptyHost, Fleet, InstanceReference, Location, LocationPattern, ParseReferenceError,
    ResolvedLocations, SystemHost, did_you_mean,
};

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

/// Returns the locations of a list: patterns such as `aliyun/*` are resolved. Without arguments: all accounts
/// in the configuration file, or all clouds of a simulated fleet. `command` is the name for the example in an error.
///
/// # Errors
/// See [`resolve`]. The regions of a cloud cannot be read, or there are no accounts.
pub(crate) async fn of_list(
    args: &[LocationArg],
    fleet: &Fleet,
    is_simulated: bool,
    command: &str,
) -> Result<ResolvedLocations, CommandError> {
    let mut patterns = Vec::new();
    for arg in args {
        patterns.push(match arg {
            LocationArg::Region(text) => text.parse().map_err(|error| list_error(text, &error))?,
            LocationArg::Account(name) => match location_of_account(fleet, name) {
                Ok(location) => location.into(),
                Err(_) if fleet.accounts().any(|(known, _)| known == name) => {
                    LocationPattern::Account(name.clone())
                }
                Err(error) => return Err(error),
            },
        });
    }
    if patterns.is_empty() && is_simulated {
        patterns.extend(all_locations(fleet).into_iter().map(LocationPattern::from));
    }
    if patterns.is_empty() && fleet.accounts().next().is_none() {
        return Err(CommandError::wrong_usage(format!(
            "no region, and no account in the configuration file: write cloud/region or cloud/*, for \
             example lifecycle {command} aliyun/cn-hangzhou"
        )));
    }
    Ok(fleet.locations(&patterns).await?)
}

/// Returns the error of an invalid location of a list.
fn list_error(text: &str, error: &ParseReferenceError) -> CommandError {
    let reference: Result<InstanceReference, _> = text.parse();
    CommandError::wrong_usage(match reference {
        Ok(reference) => {
            let location = &reference.location;
            format!(
                "{text:?} is an instance: write lifecycle status {reference}, or lifecycle list {location} for all instances of the region"
            )
        }
        Err(_) => error.to_string(),
    })
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
        if let Ok(cloud) = name.parse::<Cloud>() {
            let example = cloud.default_region(&EmptyHost);
            return Err(CommandError::wrong_usage(format!(
                "invalid region {name:?}: write cloud/region, for example {cloud}/{example}; lifecycle list {cloud}/* lists all regions"
            )));
        }
        let names = fleet.accounts().map(|(known, _)| known);
        let hint = match suggestion(name, names) {
            Some(hint) => format!("; {hint}"),
            None if name.contains('-') => {
                let clouds: Vec<&str> = Cloud::ALL.iter().map(|cloud| cloud.as_str()).collect();
                let clouds = clouds.join(", ");
                format!(
                    "; for the region {name} write CLOUD/{name}, with one of {clouds} for CLOUD"
                )
            }
            None => String::new(),
        };
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

/// Returns the end of a message about a name that is neither in the configuration file nor a cloud: the closest
/// known name, or the cloud with the closest name or alias.
pub(crate) fn suggestion<'n>(
    name: &str,
    known: impl IntoIterator<Item = &'n str>,
) -> Option<String> {
    let clouds = Cloud::ALL.iter().map(|cloud| cloud.as_str());
    did_you_mean(name, known.into_iter().chain(clouds)).or_else(|| {
        let error = name.parse::<Cloud>().err()?.to_string();
        // Without a similar cloud, the error ends with all clouds.
        error.ends_with('?').then_some(error)
    })
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
