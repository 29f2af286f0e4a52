//! `LocationPattern`: one location, some or all regions of a cloud, or the regions of an account.

use std::{fmt, str::FromStr};

use lifecycle_core::NamePattern;

use super::{
    Location,
    location::{check_account_name, example_location},
};
use crate::cloud::{Cloud, ParseReferenceError};

/// A pattern of locations, such as `aliyun/*`.
///
/// | text | locations |
/// | --- | --- |
/// | `aliyun/cn-hangzhou` | one region |
/// | `aliyun/*`, `aliyun/cn-*` | the regions that the cloud reports and that match |
/// | `prod@aliyun/*` | the same, with the key of the account `prod` |
/// | `prod@` | the region of the account `prod`; all regions if the account has no region |
///
/// # Examples
/// ```
/// use lifecycle_facade::{Cloud, LocationPattern};
///
/// let cloud = Cloud::ALL[0];
/// let all: LocationPattern = format!("{cloud}/*").parse()?;
/// assert!(matches!(all, LocationPattern::Regions { .. }));
/// assert!("prod@".parse::<LocationPattern>().is_ok());
/// assert!("prod".parse::<LocationPattern>().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LocationPattern {
    /// One location.
    Location(Location),
    /// The regions of a cloud with a matching id.
    Regions {
        /// The cloud.
        cloud: Cloud,
        /// The name of the account; `None` for the key of the cloud's own tools.
        account: Option<String>,
        /// The pattern of the region's id, in lower case.
        region: NamePattern,
    },
    /// The region of a named account; all regions if the account has no region.
    Account(String),
}

impl From<Location> for LocationPattern {
    fn from(location: Location) -> Self {
        Self::Location(location)
    }
}

impl FromStr for LocationPattern {
    type Err = ParseReferenceError;

    fn from_str(text: &str) -> Result<Self, ParseReferenceError> {
        if let Some(account) = text.strip_suffix('@') {
            check_account_name(account)?;
            return Ok(Self::Account(account.to_owned()));
        }
        let location = match text.split_once('/') {
            Some((_, region)) if region.contains(['*', '?']) => None,
            _ => Some(text.parse::<Location>()),
        };
        if let Some(location) = location {
            return location.map(Self::Location).map_err(|error| {
                match text.parse::<Cloud>() {
                    // The text names a cloud without a region.
                    Ok(cloud) => ParseReferenceError::new(format!(
                        "{text:?} has no region: write {}, or {cloud}/* for all regions",
                        cloud.example_location()
                    )),
                    Err(_) => error,
                }
            });
        }
        let (cloud, region) = text.split_once('/').unwrap_or_default();
        let (account, cloud) = match cloud.split_once('@') {
            Some((account, cloud)) => (Some(account), cloud),
            None => (None, cloud),
        };
        if region.contains('/') {
            return Err(ParseReferenceError::new(format!(
                "invalid location {text:?}: write cloud/region or cloud/*, for example {}",
                example_location()
            )));
        }
        if let Some(account) = account {
            check_account_name(account)?;
        }
        Ok(Self::Regions {
            cloud: cloud.parse()?,
            account: account.map(Into::into),
            region: region
                .to_ascii_lowercase()
                .parse()
                .map_err(|error| ParseReferenceError::new(format!("{text:?}: {error}")))?,
        })
    }
}

impl fmt::Display for LocationPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Location(location) => location.fmt(f),
            Self::Regions {
                cloud,
                account,
                region,
            } => {
                if let Some(account) = account {
                    write!(f, "{account}@")?;
                }
                write!(f, "{cloud}/{region}")
            }
            Self::Account(account) => write!(f, "{account}@"),
        }
    }
}
