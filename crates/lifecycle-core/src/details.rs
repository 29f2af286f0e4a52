//! `InstanceDetails`: facts about an instance besides the state, and helpers that give these facts the same
//! form for all clouds.

use std::fmt;

use jiff::{Timestamp, Unit, civil::DateTime, tz::TimeZone};

/// The facts about an instance that change rarely: tags, addresses, type, billing.
///
/// A fact is `None` or empty if the cloud does not report the fact. The documentation of each provider names
/// the field of the response from which a fact comes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct InstanceDetails {
    /// The tags, in the order of the cloud.
    pub tags: Vec<Tag>,
    /// The availability zone, in the terms of the cloud.
    pub zone: Option<String>,
    /// The instance type (flavor), in the terms of the cloud.
    pub instance_type: Option<String>,
    /// The IP addresses in the private network of the owner, IPv4 before IPv6.
    pub private_ips: Vec<String>,
    /// The IP addresses on the internet, IPv4 before IPv6.
    pub public_ips: Vec<String>,
    /// The payment method.
    pub charge_type: Option<ChargeType>,
    /// The time of the creation; see [`utc_time`] for the format.
    pub created_at: Option<String>,
    /// The time of the last start, for people only; see [`utc_time`] for the format. Evidence of a reboot is
    /// [`Observation::started_at`](crate::Observation::started_at).
    pub started_at: Option<String>,
    /// The end of the paid term; see [`utc_time`] for the format.
    pub expires_at: Option<String>,
}

impl InstanceDetails {
    /// Returns the value of the tag `key`, or `""` for a tag without a value; `None` if the instance has no
    /// such tag.
    ///
    /// # Examples
    /// ```
    /// use lifecycle_core::{InstanceDetails, Tag};
    ///
    /// let mut details = InstanceDetails::default();
    /// details.tags.push(Tag::new("env", "dev"));
    /// assert_eq!(details.tag("env"), Some("dev"));
    /// assert_eq!(details.tag("owner"), None);
    /// ```
    pub fn tag(&self, key: &str) -> Option<&str> {
        let mut tags = self.tags.iter();
        let tag = tags.find(|tag| tag.key == key)?;
        Some(&tag.value)
    }
}

/// A label that the owner gave to an instance.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Tag {
    /// The key. Clouds distinguish upper and lower case.
    pub key: String,
    /// The value; empty for a tag without a value.
    pub value: String,
}

impl Tag {
    /// Returns a tag; an empty `value` for a tag without a value.
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            value: value.into(),
        }
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.key, self.value)
    }
}

/// The payment method of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChargeType {
    /// Pay per use.
    Postpaid,
    /// A paid term of months or years.
    Prepaid,
    /// Spare capacity at a lower price, which the cloud can reclaim.
    Spot,
    /// Another method, in the terms of the cloud.
    Other(String),
}

impl ChargeType {
    /// Returns the name in lower case, or the text of the cloud for [`Other`](Self::Other).
    pub fn as_str(&self) -> &str {
        match self {
            Self::Postpaid => "postpaid",
            Self::Prepaid => "prepaid",
            Self::Spot => "spot",
            Self::Other(text) => text,
        }
    }
}

impl fmt::Display for ChargeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Returns the IP addresses without duplicates and without empty texts, IPv4 before IPv6.
///
/// # Examples
/// ```
/// use lifecycle_core::distinct_addresses;
///
/// let addresses = ["fd00::1", "10.0.0.1", "", "10.0.0.1"].map(String::from);
/// assert_eq!(distinct_addresses(addresses), ["10.0.0.1", "fd00::1"]);
/// ```
pub fn distinct_addresses(addresses: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::new();
    for address in addresses {
        if !address.is_empty() && !distinct.contains(&address) {
            distinct.push(address);
        }
    }
    let is_ipv6 = |address: &String| address.contains(':');
    distinct.sort_by_key(is_ipv6);
    distinct.shrink_to_fit();
    distinct
}

/// Returns the time that a cloud reports in the format `2026-11-22T08:00:00Z`.
///
/// `text` may lack seconds or the time zone, or have fractional seconds. A time without a zone is in UTC. A
/// text that is not a time is returned unchanged.
///
/// # Examples
/// ```
/// use lifecycle_core::utc_time;
///
/// assert_eq!(utc_time("2017-12-10T04:04Z"), "2017-12-10T04:04:00Z");
/// assert_eq!(utc_time("2019-05-22T03:23:59.000000"), "2019-05-22T03:23:59Z");
/// assert_eq!(utc_time("2026-01-02T08:00:00+08:00"), "2026-01-02T00:00:00Z");
/// assert_eq!(utc_time("unlimited"), "unlimited");
/// ```
pub fn utc_time(text: &str) -> String {
    let without_zone = || {
        let time = text.parse::<DateTime>().ok()?;
        Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
    };
    let time = text.parse::<Timestamp>().ok().or_else(without_zone);
    let time = time.and_then(|time| time.round(Unit::Second).ok());
    time.map_or_else(|| text.to_owned(), |time| time.to_string())
}
