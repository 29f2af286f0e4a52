//! `InstanceFilter`: conditions on instances that are the same for all clouds; its parts `NamePattern` and
//! `TagCondition`; and `FilterSupport`, the conditions that a cloud applies itself.

use std::{fmt, str::FromStr};

use wildmatch::WildMatch;

use crate::{InstanceId, Observation, PowerState};

/// Conditions on instances, in one list for each property. An instance matches if each list is empty or met.
///
/// Tags must meet all conditions of the list, every other property must meet one. A filter without
/// conditions matches every instance.
///
/// Some clouds apply some of the conditions ([`Profile::filter_support`](crate::Profile::filter_support)).
/// The client applies all conditions again to the observations that the cloud returns, so the result does not
/// depend on the cloud.
///
/// # Examples
/// ```
/// use lifecycle_core::{FilterMatch, InstanceFilter, Observation, PowerState};
///
/// let filter = InstanceFilter::default()
///     .with_name("ci-*".parse()?)
///     .with_state(PowerState::Stopped);
/// let row = Observation::new("i-1".parse()?, PowerState::Stopped, "Stopped")
///     .with_name(Some("ci-7".into()));
/// assert_eq!(filter.matches(&row), FilterMatch::Yes);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct InstanceFilter {
    /// Patterns of the name. The name must match one of them.
    pub names: Vec<NamePattern>,
    /// Conditions on tags. The tags must meet all of them.
    pub tags: Vec<TagCondition>,
    /// States. The instance must be in one of them.
    pub states: Vec<PowerState>,
    /// Availability zones, in the terms of the cloud. The instance must be in one of them.
    pub zones: Vec<String>,
    /// Instance types, in the terms of the cloud. The instance must have one of them.
    pub instance_types: Vec<String>,
    /// Ids. The instance must have one of them.
    pub instances: Vec<InstanceId>,
    /// Private IP addresses. The instance must have one of them.
    pub private_ips: Vec<String>,
}

/// The result of a filter for one instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FilterMatch {
    /// All conditions are met.
    Yes,
    /// A condition is not met.
    No,
    /// The observation lacks details that a condition needs, and no other condition fails.
    Unknown,
}

impl InstanceFilter {
    /// Adds a pattern of the name.
    #[must_use]
    pub fn with_name(mut self, pattern: NamePattern) -> Self {
        self.names.push(pattern);
        self
    }

    /// Adds a condition on a tag.
    #[must_use]
    pub fn with_tag(mut self, condition: TagCondition) -> Self {
        self.tags.push(condition);
        self
    }

    /// Adds a state.
    #[must_use]
    pub fn with_state(mut self, state: PowerState) -> Self {
        self.states.push(state);
        self
    }

    /// Adds an availability zone.
    #[must_use]
    pub fn with_zone(mut self, zone: impl Into<String>) -> Self {
        self.zones.push(zone.into());
        self
    }

    /// Adds an instance type.
    #[must_use]
    pub fn with_instance_type(mut self, instance_type: impl Into<String>) -> Self {
        self.instance_types.push(instance_type.into());
        self
    }

    /// Adds an instance.
    #[must_use]
    pub fn with_instance(mut self, instance: InstanceId) -> Self {
        self.instances.push(instance);
        self
    }

    /// Adds a private IP address.
    #[must_use]
    pub fn with_private_ip(mut self, address: impl Into<String>) -> Self {
        self.private_ips.push(address.into());
        self
    }

    /// Returns `true` if the filter has no conditions.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns `true` if [`matches`](Self::matches) needs the [`details`](Observation::details) of an
    /// observation.
    pub fn needs_details(&self) -> bool {
        !(self.tags.is_empty()
            && self.zones.is_empty()
            && self.instance_types.is_empty()
            && self.private_ips.is_empty())
    }

    /// Applies all conditions to an observation. An instance without a name counts as an instance with an
    /// empty name.
    pub fn matches(&self, observation: &Observation) -> FilterMatch {
        let name = observation.name.as_deref().unwrap_or_default();
        let may_match = meets_one(&self.states, |state| *state == observation.state)
            && meets_one(&self.names, |pattern| pattern.matches(name))
            && meets_one(&self.instances, |id| *id == observation.instance);
        if !may_match {
            return FilterMatch::No;
        }
        if !self.needs_details() {
            return FilterMatch::Yes;
        }
        let Some(details) = &observation.details else {
            return FilterMatch::Unknown;
        };
        let zone = details.zone.as_deref();
        let instance_type = details.instance_type.as_deref();
        let is_met = self
            .tags
            .iter()
            .all(|tag| tag.matches(details.tag(tag.key())))
            && meets_one(&self.zones, |wanted| Some(wanted.as_str()) == zone)
            && meets_one(&self.instance_types, |wanted| {
                Some(wanted.as_str()) == instance_type
            })
            && meets_one(&self.private_ips, |address| {
                details.private_ips.contains(address)
            });
        match is_met {
            true => FilterMatch::Yes,
            false => FilterMatch::No,
        }
    }
}

/// Returns `true` if a list of conditions is empty, or if one of the conditions is met.
fn meets_one<T>(conditions: &[T], is_met: impl Fn(&T) -> bool) -> bool {
    conditions.is_empty() || conditions.iter().any(is_met)
}

/// A pattern for a whole name: `*` stands for any number of characters, `?` for one character. Upper and
/// lower case differ.
///
/// # Examples
/// ```
/// use lifecycle_core::NamePattern;
///
/// let pattern: NamePattern = "ci-*-runner".parse()?;
/// assert!(pattern.matches("ci-7-runner"));
/// assert!(!pattern.matches("ci-7-runner-2"));
/// assert_eq!(pattern.longest_literal(), "-runner");
/// # Ok::<(), lifecycle_core::ParseFilterError>(())
/// ```
#[derive(Clone)]
pub struct NamePattern {
    text: String,
    compiled: WildMatch,
}

impl NamePattern {
    /// Returns `true` if the pattern matches the whole name.
    pub fn matches(&self, name: &str) -> bool {
        self.compiled.matches(name)
    }

    /// Returns the pattern as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the only matching name if the pattern has no wildcard.
    pub fn literal(&self) -> Option<&str> {
        (!self.text.contains(WILDCARDS)).then_some(&*self.text)
    }

    /// Returns the longest part without a wildcard; an empty text if the pattern has only wildcards.
    ///
    /// Every matching name contains the part, so the part is the text for a cloud that searches names by a
    /// contained text.
    pub fn longest_literal(&self) -> &str {
        let parts = self.text.split(WILDCARDS);
        parts.max_by_key(|part| part.len()).unwrap_or_default()
    }
}

/// The characters with a meaning of their own in a [`NamePattern`].
const WILDCARDS: [char; 2] = ['*', '?'];

impl FromStr for NamePattern {
    type Err = ParseFilterError;

    fn from_str(text: &str) -> Result<Self, ParseFilterError> {
        if text.is_empty() {
            return Err(ParseFilterError(
                "an empty name pattern matches nothing: write a name such as ci-*",
            ));
        }
        Ok(Self {
            text: text.to_owned(),
            compiled: WildMatch::new(text),
        })
    }
}

impl PartialEq for NamePattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for NamePattern {}

impl fmt::Debug for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

/// A condition on one tag, written `key=value`, `key`, `!key` or `!key=value`.
///
/// # Examples
/// ```
/// use lifecycle_core::TagCondition;
///
/// let condition: TagCondition = "env=dev".parse()?;
/// assert!(condition.matches(Some("dev")));
/// let absent: TagCondition = "!lifecycle:protected".parse()?;
/// assert!(absent.matches(None));
/// # Ok::<(), lifecycle_core::ParseFilterError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TagCondition {
    /// The tag has this value.
    Equals {
        /// The key of the tag.
        key: String,
        /// The value.
        value: String,
    },
    /// The tag is missing or has another value.
    Differs {
        /// The key of the tag.
        key: String,
        /// The excluded value.
        value: String,
    },
    /// The tag exists, with any value.
    Present(String),
    /// The tag does not exist.
    Absent(String),
}

impl TagCondition {
    /// Returns the key of the tag.
    pub fn key(&self) -> &str {
        match self {
            Self::Equals { key, .. } | Self::Differs { key, .. } => key,
            Self::Present(key) | Self::Absent(key) => key,
        }
    }

    /// Returns `true` if an instance whose tag [`key`](Self::key) has the value `found` meets the condition;
    /// `None` for an instance without the tag.
    pub fn matches(&self, found: Option<&str>) -> bool {
        match self {
            Self::Equals { value, .. } => found == Some(value),
            Self::Differs { value, .. } => found != Some(value),
            Self::Present(_) => found.is_some(),
            Self::Absent(_) => found.is_none(),
        }
    }
}

impl FromStr for TagCondition {
    type Err = ParseFilterError;

    fn from_str(text: &str) -> Result<Self, ParseFilterError> {
        let (is_negative, condition) = match text.strip_prefix('!') {
            Some(condition) => (true, condition),
            None => (false, text),
        };
        let (key, value) = match condition.split_once('=') {
            Some((key, value)) => (key, Some(value.to_owned())),
            None => (condition, None),
        };
        if key.is_empty() {
            return Err(ParseFilterError(
                "a tag needs a key: write key=value, key, !key or !key=value",
            ));
        }
        let key = key.to_owned();
        Ok(match (is_negative, value) {
            (false, Some(value)) => Self::Equals { key, value },
            (true, Some(value)) => Self::Differs { key, value },
            (false, None) => Self::Present(key),
            (true, None) => Self::Absent(key),
        })
    }
}

impl fmt::Display for TagCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equals { key, value } => write!(f, "{key}={value}"),
            Self::Differs { key, value } => write!(f, "!{key}={value}"),
            Self::Present(key) => f.write_str(key),
            Self::Absent(key) => write!(f, "!{key}"),
        }
    }
}

/// The error of an invalid name pattern or tag condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ParseFilterError(&'static str);

/// The properties whose conditions a cloud can apply to a list. The cloud may return more instances than match,
/// never fewer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FilterSupport {
    /// Names, or texts that names contain.
    pub names: bool,
    /// Tags.
    pub tags: bool,
    /// All states, or some states.
    pub states: bool,
    /// Availability zones.
    pub zones: bool,
    /// Instance types.
    pub instance_types: bool,
    /// Ids.
    pub instances: bool,
    /// Private IP addresses.
    pub private_ips: bool,
}

impl FilterSupport {
    /// Support of no condition.
    pub const NONE: Self = Self {
        names: false,
        tags: false,
        states: false,
        zones: false,
        instance_types: false,
        instances: false,
        private_ips: false,
    };

    /// Support of every condition.
    pub const ALL: Self = Self {
        names: true,
        tags: true,
        states: true,
        zones: true,
        instance_types: true,
        instances: true,
        private_ips: true,
    };

    /// Sets the support of instance types.
    #[must_use]
    pub const fn with_instance_types(mut self, supported: bool) -> Self {
        self.instance_types = supported;
        self
    }

    /// Sets the support of zones.
    #[must_use]
    pub const fn with_zones(mut self, supported: bool) -> Self {
        self.zones = supported;
        self
    }

    /// Sets the support of ids.
    #[must_use]
    pub const fn with_instances(mut self, supported: bool) -> Self {
        self.instances = supported;
        self
    }

    /// Sets the support of private IP addresses.
    #[must_use]
    pub const fn with_private_ips(mut self, supported: bool) -> Self {
        self.private_ips = supported;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{InstanceDetails, Tag};

    fn web() -> Observation {
        let details = InstanceDetails {
            tags: vec![Tag::new("env", "dev"), Tag::new("empty", "")],
            zone: Some("z-a".into()),
            instance_type: Some("t.small".into()),
            private_ips: ["10.0.0.1"].into_iter().collect(),
            ..InstanceDetails::default()
        };
        Observation::new(
            InstanceId::new("i-1").unwrap(),
            PowerState::Running,
            "Running",
        )
        .with_name(Some("web-1".into()))
        .with_details(Some(details))
    }

    fn filter() -> InstanceFilter {
        InstanceFilter::default()
    }

    #[test]
    fn filter_matches_if_each_kind_of_condition_is_met() {
        use FilterMatch::{No, Yes};
        let tag = |text: &str| filter().with_tag(text.parse().unwrap());
        let name = |text: &str| filter().with_name(text.parse().unwrap());
        let id = |text: &str| filter().with_instance(InstanceId::new(text).unwrap());
        for (filter, expected) in [
            (filter(), Yes),
            (name("web-?"), Yes),
            (name("Web-*"), No),
            (name("db-*").with_name("web-*".parse().unwrap()), Yes),
            (tag("env=dev"), Yes),
            (tag("env=prod"), No),
            (tag("env"), Yes),
            (tag("!env"), No),
            (tag("!env=prod"), Yes),
            (tag("!env=dev"), No),
            (tag("empty="), Yes),
            (tag("empty"), Yes),
            (tag("owner"), No),
            (tag("!owner").with_tag("env=dev".parse().unwrap()), Yes),
            (tag("env=dev").with_tag("owner".parse().unwrap()), No),
            (filter().with_state(PowerState::Stopped), No),
            (
                filter()
                    .with_state(PowerState::Stopped)
                    .with_state(PowerState::Running),
                Yes,
            ),
            (filter().with_zone("z-a"), Yes),
            (filter().with_zone("z-b"), No),
            (filter().with_instance_type("t.small"), Yes),
            (filter().with_instance_type("t.large"), No),
            (filter().with_private_ip("10.0.0.1"), Yes),
            (filter().with_private_ip("10.0.0.10"), No),
            (id("i-1"), Yes),
            (id("i-2"), No),
        ] {
            assert_eq!(filter.matches(&web()), expected, "{filter:?}");
        }
    }

    #[test]
    fn filter_on_missing_details_is_unknown_unless_another_condition_fails() {
        let bare = web().with_details(None);
        let tagged = filter().with_tag("!env".parse().unwrap());
        assert_eq!(tagged.matches(&bare), FilterMatch::Unknown);
        let other = tagged.with_state(PowerState::Stopped);
        assert_eq!(other.matches(&bare), FilterMatch::No);
        assert_eq!(filter().matches(&bare), FilterMatch::Yes);
    }

    #[test]
    fn longest_literal_is_in_every_matching_name() {
        for (text, literal, longest) in [
            ("web-1", Some("web-1"), "web-1"),
            ("ci-*-runner", None, "-runner"),
            ("*", None, ""),
            ("a?b", None, "b"),
        ] {
            let pattern: NamePattern = text.parse().unwrap();
            assert_eq!(pattern.literal(), literal, "{text}");
            assert_eq!(pattern.longest_literal(), longest, "{text}");
        }
    }

    #[test]
    fn tag_condition_is_written_as_it_is_read() {
        for text in ["env=dev", "!env=dev", "env", "!env", "a=b=c", "k="] {
            let condition: TagCondition = text.parse().unwrap();
            assert_eq!(condition.to_string(), text);
        }
        for text in ["", "!", "=dev", "!=dev"] {
            assert!(
                text.parse::<TagCondition>().is_err(),
                "{text:?} was accepted"
            );
        }
    }

    #[test]
    fn filter_with_a_condition_is_not_empty_and_needs_details_only_for_conditions_on_details() {
        assert!(filter().is_empty() && !filter().needs_details());
        for (filter, needs_details) in [
            (filter().with_name("*".parse().unwrap()), false),
            (filter().with_state(PowerState::Running), false),
            (
                filter().with_instance(InstanceId::new("i-1").unwrap()),
                false,
            ),
            (filter().with_tag("env".parse().unwrap()), true),
            (filter().with_zone("z-a"), true),
            (filter().with_instance_type("t.small"), true),
            (filter().with_private_ip("10.0.0.1"), true),
        ] {
            assert!(!filter.is_empty(), "{filter:?}");
            assert_eq!(filter.needs_details(), needs_details, "{filter:?}");
        }
    }

    #[test]
    fn name_patterns_are_equal_if_their_texts_are_equal() {
        let pattern = |text: &str| text.parse::<NamePattern>().unwrap();
        assert_eq!(pattern("ci-*").as_str(), "ci-*");
        assert_eq!(pattern("ci-*"), pattern("ci-*"));
        assert_ne!(pattern("ci-*"), pattern("ci-?"));
        assert_eq!(
            "".parse::<NamePattern>().unwrap_err().to_string(),
            "an empty name pattern matches nothing: write a name such as ci-*"
        );
    }
}
