//! References: `cloud/region` and `cloud/region/instance`.

use std::{fmt, str::FromStr};

use lifecycle_core::InstanceId;

use super::Cloud;

/// A region of a cloud, written `cloud/region`, or `account@cloud/region` for one of several
/// accounts. Clouds with one global endpoint have the region `global`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Location {
    /// The cloud.
    pub cloud: Cloud,
    /// The region, in the cloud's own words and in lower case.
    pub region: String,
    /// The name of the account; `None` for the one that the cloud's own tools would use.
    pub account: Option<String>,
}

impl Location {
    /// A region of a cloud, in lower case: however it is written, it is one place.
    pub fn new(cloud: Cloud, region: impl AsRef<str>) -> Self {
        Self {
            cloud,
            region: region.as_ref().to_ascii_lowercase(),
            account: None,
        }
    }

    /// Of the account with this name.
    #[must_use]
    pub fn of_account(mut self, name: impl Into<String>) -> Self {
        self.account = Some(name.into());
        self
    }
}

/// One instance in the world, written `cloud/region/instance`, or
/// `account@cloud/region/instance`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InstanceReference {
    /// Where it is.
    pub place: Location,
    /// Which one it is there.
    pub instance: InstanceId,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(account) = &self.account {
            write!(f, "{account}@")?;
        }
        write!(f, "{}/{}", self.cloud, self.region)
    }
}

impl fmt::Display for InstanceReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.place, self.instance)
    }
}

impl FromStr for Location {
    type Err = ParseReferenceError;

    fn from_str(text: &str) -> Result<Self, ParseReferenceError> {
        match *text.split('/').collect::<Vec<_>>() {
            [cloud, region] if !cloud.is_empty() && !region.is_empty() => place(cloud, region),
            _ => Err(ParseReferenceError::new(format!(
                "{text:?} is no region: write cloud/region, such as baidu/bj or zenlayer/global"
            ))),
        }
    }
}

impl FromStr for InstanceReference {
    type Err = ParseReferenceError;

    fn from_str(text: &str) -> Result<Self, ParseReferenceError> {
        match *text.split('/').collect::<Vec<_>>() {
            [cloud, region, instance] if !cloud.is_empty() && !region.is_empty() => Ok(Self {
                place: place(cloud, region)?,
                instance: InstanceId::new(instance)
                    .map_err(|invalid| ParseReferenceError::new(format!("{text:?}: {invalid}")))?,
            }),
            _ => Err(ParseReferenceError::new(format!(
                "{text:?} is no reference: write cloud/region/instance-id, such as baidu/bj/i-a1b2c3d4"
            ))),
        }
    }
}

fn place(cloud: &str, region: &str) -> Result<Location, ParseReferenceError> {
    match cloud.split_once('@') {
        Some((account, cloud)) => {
            admit_account(account)?;
            Ok(Location::new(cloud.parse()?, region).of_account(account))
        }
        None => Ok(Location::new(cloud.parse()?, region)),
    }
}

/// Can an account have this name?
pub(super) fn admit_account(name: &str) -> Result<(), ParseReferenceError> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if !name.is_empty() && name.bytes().all(fits) {
        return Ok(());
    }
    Err(ParseReferenceError::new(format!(
        "{name:?} is no name of an account: write letters, digits, - and _"
    )))
}

impl TryFrom<&str> for InstanceReference {
    type Error = ParseReferenceError;

    fn try_from(text: &str) -> Result<Self, ParseReferenceError> {
        text.parse()
    }
}

impl TryFrom<String> for InstanceReference {
    type Error = ParseReferenceError;

    fn try_from(text: String) -> Result<Self, ParseReferenceError> {
        text.parse()
    }
}

impl TryFrom<&String> for InstanceReference {
    type Error = ParseReferenceError;

    fn try_from(text: &String) -> Result<Self, ParseReferenceError> {
        text.parse()
    }
}

impl From<&InstanceReference> for InstanceReference {
    fn from(reference: &InstanceReference) -> Self {
        reference.clone()
    }
}

/// A text that is no reference. Says what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ParseReferenceError(String);

impl ParseReferenceError {
    pub(crate) fn new(message: String) -> Self {
        Self(message)
    }
}

impl From<std::convert::Infallible> for ParseReferenceError {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}
