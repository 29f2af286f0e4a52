//! `Location` (`cloud/region`) and `InstanceReference` (`cloud/region/instance`).

use std::{fmt, str::FromStr, sync::Arc};

use lifecycle_core::InstanceId;

use crate::cloud::{Cloud, ParseReferenceError};

/// A region of a cloud, written `cloud/region`, or `account@cloud/region` for a named account.
/// Clouds with one endpoint for all regions have the region `global`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Location {
    /// The cloud.
    pub cloud: Cloud,
    /// The region, as named by the cloud, in lower case.
    pub region: Arc<str>,
    /// The name of the account; `None` for the account of the cloud's own tools.
    pub account: Option<Arc<str>>,
}

impl Location {
    /// Returns a region of a cloud. The case of `region` makes no difference.
    pub fn new(cloud: Cloud, region: impl AsRef<str>) -> Self {
        Self {
            cloud,
            region: region.as_ref().to_ascii_lowercase().into(),
            account: None,
        }
    }

    /// Sets the name of the account.
    #[must_use]
    pub fn with_account(mut self, name: impl AsRef<str>) -> Self {
        self.account = Some(name.as_ref().into());
        self
    }

    /// Returns the location without the name of the account: an id names one instance there, whatever the account.
    pub(super) fn without_account(&self) -> Self {
        Self {
            account: None,
            ..self.clone()
        }
    }
}

/// An instance of a cloud, written `cloud/region/instance`, or `account@cloud/region/instance` for a
/// named account.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub struct InstanceReference {
    /// The location of the instance.
    pub location: Location,
    /// The ID of the instance in the location.
    pub instance: InstanceId,
}

impl InstanceReference {
    /// Returns the reference of an instance in a location.
    pub fn new(location: Location, instance: InstanceId) -> Self {
        Self { location, instance }
    }

    /// Returns the name of the machine: the reference without the account, with the id as the cloud spells the id.
    /// Two references name one machine if the names of their machines are equal. Sends nothing.
    ///
    /// # Examples
    /// ```
    /// # #[cfg(feature = "huawei")] {
    /// use lifecycle_facade::InstanceReference;
    ///
    /// let reference: InstanceReference =
    ///     "ops@huawei/cn-north-4/616FB98F-46CA-475E-917E-2563E5A8CD19".parse()?;
    /// let machine = reference.machine().to_string();
    /// assert_eq!(machine, "huawei/cn-north-4/616fb98f-46ca-475e-917e-2563e5a8cd19");
    /// # }
    /// # Ok::<(), lifecycle_facade::ParseReferenceError>(())
    /// ```
    #[must_use]
    pub fn machine(&self) -> Self {
        Self {
            instance: self.location.cloud.canonical_id(&self.instance),
            location: self.location.without_account(),
        }
    }
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
        write!(f, "{}/{}", self.location, self.instance)
    }
}

impl FromStr for Location {
    type Err = ParseReferenceError;

    fn from_str(text: &str) -> Result<Self, ParseReferenceError> {
        match *text.split('/').collect::<Vec<_>>() {
            [cloud, region] if !cloud.is_empty() && !region.is_empty() => location(cloud, region),
            _ => Err(ParseReferenceError::new(format!(
                "invalid region {text:?}: write cloud/region, for example {}",
                example_location()
            ))),
        }
    }
}

impl FromStr for InstanceReference {
    type Err = ParseReferenceError;

    fn from_str(text: &str) -> Result<Self, ParseReferenceError> {
        match *text.split('/').collect::<Vec<_>>() {
            [cloud, region, instance] if !cloud.is_empty() && !region.is_empty() => {
                let location = location(cloud, region)?;
                let instance = InstanceId::new(instance)
                    .map_err(|invalid| ParseReferenceError::new(format!("{text:?}: {invalid}")))?;
                Ok(Self::new(location, instance))
            }
            _ => Err(ParseReferenceError::new(format!(
                "invalid reference {text:?}: write cloud/region/instance-id, for example {}/i-a1b2c3d4",
                example_location()
            ))),
        }
    }
}

fn location(cloud: &str, region: &str) -> Result<Location, ParseReferenceError> {
    match cloud.split_once('@') {
        Some((account, cloud)) => {
            check_account_name(account)?;
            Ok(Location::new(cloud.parse()?, region).with_account(account))
        }
        None => Ok(Location::new(cloud.parse()?, region)),
    }
}

/// Returns a location of this build for messages.
pub(super) fn example_location() -> String {
    let cloud = Cloud::ALL.first();
    cloud.map_or_else(String::new, |cloud| cloud.example_location())
}

/// Checks that a reference can hold the name of an account.
pub(super) fn check_account_name(name: &str) -> Result<(), ParseReferenceError> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if !name.is_empty() && name.bytes().all(fits) {
        return Ok(());
    }
    Err(ParseReferenceError::new(format!(
        "invalid account name {name:?}: use letters, digits, - and _"
    )))
}

/// Converts text, and references to a value, into a value.
macro_rules! convert_into {
    ($value:ty, $($text:ty),+) => {
        $(impl TryFrom<$text> for $value {
            type Error = ParseReferenceError;

            fn try_from(text: $text) -> Result<Self, ParseReferenceError> {
                text.parse()
            }
        })+

        impl From<&$value> for $value {
            fn from(value: &$value) -> Self {
                value.clone()
            }
        }
    };
}

convert_into!(Location, &str, &&str, String, &String);
convert_into!(InstanceReference, &str, &&str, String, &String);
