//! `Selector`: instances by location, name, tags and state.

use std::fmt;

use lifecycle_core::{
    InstanceFilter, InstanceId, NamePattern, Observation, PowerState, TagCondition,
};

use super::{InstanceReference, LocationPattern};

/// Selects instances by location, name, tags, state, zone and type.
///
/// [`Fleet::select`](crate::Fleet::select) returns the instances, and
/// [`Fleet::stop`](crate::Fleet::stop) and its siblings select and act.
///
/// # Examples
/// ```
/// use lifecycle_facade::{PowerState, Selector};
///
/// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
/// # setup::run(async |fleet, references| {
/// # let cloud = setup::location().cloud; // such as "aliyun"
/// let stopped = Selector::new()
///     .location(format!("{cloud}/*").parse()?)
///     .state(PowerState::Stopped);
/// let selection = fleet.select(&stopped).await?;
/// assert_eq!(selection.instances.len(), references.len());
/// # Ok(())
/// # });
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Selector {
    /// The locations; without locations all named accounts of the fleet.
    pub locations: Vec<LocationPattern>,
    /// The conditions on the instances.
    pub filter: InstanceFilter,
    /// Patterns of names, ids or references to leave out.
    pub exclude: Vec<NamePattern>,
    /// The maximum number of instances. A larger selection is an error.
    pub max: Option<usize>,
    /// The selection acts on protected instances as well; see [`Protection`](crate::Protection).
    pub include_protected: bool,
}

impl Selector {
    /// Returns a selector for all instances of all named accounts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds locations.
    #[must_use]
    pub fn location(mut self, location: LocationPattern) -> Self {
        self.locations.push(location);
        self
    }

    /// Adds a pattern of names. One of the patterns must match.
    #[must_use]
    pub fn name(mut self, pattern: NamePattern) -> Self {
        self.filter.names.push(pattern);
        self
    }

    /// Adds a condition on a tag. All conditions must be met.
    #[must_use]
    pub fn tag(mut self, condition: TagCondition) -> Self {
        self.filter.tags.push(condition);
        self
    }

    /// Adds a state. The instance must be in one of the states.
    #[must_use]
    pub fn state(mut self, state: PowerState) -> Self {
        self.filter.states.push(state);
        self
    }

    /// Adds an availability zone. The instance must be in one of the zones.
    #[must_use]
    pub fn zone(mut self, zone: impl Into<String>) -> Self {
        self.filter.zones.push(zone.into());
        self
    }

    /// Adds an instance type. The instance must have one of the types.
    #[must_use]
    pub fn instance_type(mut self, instance_type: impl Into<String>) -> Self {
        self.filter.instance_types.push(instance_type.into());
        self
    }

    /// Adds an instance. The instance must be one of them.
    #[must_use]
    pub fn instance(mut self, id: InstanceId) -> Self {
        self.filter.instances.push(id);
        self
    }

    /// Adds a pattern of names, ids or references to leave out.
    #[must_use]
    pub fn exclude(mut self, pattern: NamePattern) -> Self {
        self.exclude.push(pattern);
        self
    }

    /// Limits the number of instances. A larger selection is an error, and nothing is sent.
    #[must_use]
    pub fn max(mut self, instances: usize) -> Self {
        self.max = Some(instances);
        self
    }

    /// Includes protected instances in stops and reboots.
    #[must_use]
    pub fn include_protected(mut self) -> Self {
        self.include_protected = true;
        self
    }

    /// Returns `true` if the name, the id or the reference of the instance is excluded.
    pub fn excludes(&self, reference: &InstanceReference, observation: &Observation) -> bool {
        if self.exclude.is_empty() {
            return false;
        }
        let text = reference.to_string();
        let name = observation.name.as_deref();
        let id = observation.instance.as_str();
        self.exclude.iter().any(|pattern| {
            name.is_some_and(|name| pattern.matches(name))
                || pattern.matches(id)
                || pattern.matches(&text)
        })
    }
}

/// Writes the selector for people, such as `aliyun/*, name ci-*, tag env=dev`.
impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        let filter = &self.filter;
        parts.push(match self.locations.is_empty() {
            true => "all accounts".to_owned(),
            false => or_list("", &texts(&self.locations)),
        });
        for (title, values) in [
            ("name ", texts(&filter.names)),
            ("state ", texts(&filter.states)),
            ("zone ", texts(&filter.zones)),
            ("type ", texts(&filter.instance_types)),
            ("id ", texts(&filter.instances)),
            ("private address ", texts(&filter.private_ips)),
        ] {
            if !values.is_empty() {
                parts.push(or_list(title, &values));
            }
        }
        parts.extend(filter.tags.iter().map(|tag| format!("tag {tag}")));
        if !self.exclude.is_empty() {
            parts.push(or_list("without ", &texts(&self.exclude)));
        }
        f.write_str(&parts.join(", "))
    }
}

fn texts<T: ToString>(values: &[T]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

fn or_list(title: &str, values: &[String]) -> String {
    format!("{title}{}", values.join(" or "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cloud;

    #[test]
    fn selector_is_displayed_with_all_conditions() {
        let cloud = Cloud::ALL[0];
        let selector = Selector::new()
            .location(format!("{cloud}/*").parse().unwrap())
            .location("prod@".parse().unwrap())
            .name("ci-*".parse().unwrap())
            .tag("env=dev".parse().unwrap())
            .tag("!keep".parse().unwrap())
            .state(PowerState::Stopped)
            .exclude("ci-7".parse().unwrap());
        assert_eq!(
            selector.to_string(),
            format!(
                "{cloud}/* or prod@, name ci-*, state stopped, tag env=dev, tag !keep, without ci-7"
            )
        );
        assert_eq!(Selector::new().to_string(), "all accounts");
    }

    #[test]
    fn exclusion_matches_name_id_or_reference() {
        let location = format!("{}/bj/i-1", Cloud::ALL[0]);
        let reference: InstanceReference = location.parse().unwrap();
        let row = Observation::new(reference.instance.clone(), PowerState::Running, "Running")
            .with_name(Some("web-1".into()));
        for (pattern, expected) in [
            ("web-*", true),
            ("i-1", true),
            ("*/bj/*", true),
            ("web", false),
            ("i-2", false),
        ] {
            let selector = Selector::new().exclude(pattern.parse().unwrap());
            assert_eq!(selector.excludes(&reference, &row), expected, "{pattern}");
        }
    }
}
