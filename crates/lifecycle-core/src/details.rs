//! `InstanceDetails`: facts about an instance besides the state, in the same form for all clouds.

use std::{fmt, sync::Arc};

use crate::{IpAddresses, ReportedTime};

/// The facts about an instance that change rarely: tags, addresses, type, billing.
///
/// A fact is `None` or empty if the cloud does not report the fact. The documentation of each provider names
/// the field of the response from which a fact comes. Providers share equal texts of a response with a
/// [`TextPool`](crate::TextPool), because a program can keep the details of 100,000 instances.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct InstanceDetails {
    /// The tags, in the order of the cloud.
    pub tags: Vec<Tag>,
    /// The availability zone, in the terms of the cloud.
    pub zone: Option<Arc<str>>,
    /// The instance type (flavor), in the terms of the cloud.
    pub instance_type: Option<Arc<str>>,
    /// The IP addresses in the private network of the owner.
    pub private_ips: IpAddresses,
    /// The IP addresses on the internet.
    pub public_ips: IpAddresses,
    /// The payment method.
    pub charge_type: Option<ChargeType>,
    /// The time of the creation.
    pub created_at: Option<ReportedTime>,
    /// The time of the last start, for people only. Evidence of a reboot is
    /// [`Observation::started_at`](crate::Observation::started_at).
    pub started_at: Option<ReportedTime>,
    /// The end of the paid term.
    pub expires_at: Option<ReportedTime>,
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
        let tag = tags.find(|tag| *tag.key == *key)?;
        Some(&tag.value)
    }
}

/// A label that the owner gave to an instance.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Tag {
    /// The key. Clouds distinguish upper and lower case.
    pub key: Arc<str>,
    /// The value; empty for a tag without a value.
    pub value: Arc<str>,
}

impl Tag {
    /// Returns a tag; an empty `value` for a tag without a value.
    pub fn new(key: impl Into<Arc<str>>, value: impl Into<Arc<str>>) -> Self {
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
    Other(Box<str>),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn details_are_small_because_lists_keep_one_for_each_instance() {
        assert_eq!(size_of::<InstanceDetails>(), 160);
        assert_eq!(size_of::<Option<ReportedTime>>(), 16);
        assert_eq!(size_of::<Tag>(), 32);
    }

    #[test]
    fn payment_method_has_a_name_or_the_text_of_the_cloud() {
        for (charge_type, name) in [
            (ChargeType::Postpaid, "postpaid"),
            (ChargeType::Prepaid, "prepaid"),
            (ChargeType::Spot, "spot"),
            (ChargeType::Other("PayByTraffic".into()), "PayByTraffic"),
        ] {
            assert_eq!(charge_type.as_str(), name);
        }
    }

    #[test]
    fn value_of_a_tag_is_found_by_its_key() {
        let details = InstanceDetails {
            tags: vec![Tag::new("env", "dev"), Tag::new("empty", "")],
            ..InstanceDetails::default()
        };
        for (key, value) in [
            ("env", Some("dev")),
            ("empty", Some("")),
            ("Env", None),
            ("dev", None),
        ] {
            assert_eq!(details.tag(key), value, "{key}");
        }
    }
}
