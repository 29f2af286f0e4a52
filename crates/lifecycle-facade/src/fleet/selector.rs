//! `Selector`: describes the instances of a selection by location, name, tags, state and other conditions.

use std::fmt;

use lifecycle_core::{
    InstanceFilter, InstanceId, NamePattern, Observation, PowerState, TagCondition,
};

use super::{InstanceReference, LocationPattern};

/// A description of instances by location, name, tags, state, zone, type and id.
///
/// [`Fleet::select`](crate::Fleet::select) returns the matching instances. Requests such as
/// [`Fleet::stop`](crate::Fleet::stop) accept a selector, and act on the instances that match when the request
/// runs.
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
    /// The locations; if empty, the locations of all named accounts of the fleet.
    pub locations: Vec<LocationPattern>,
    /// The conditions on the instances.
    pub filter: InstanceFilter,
    /// Excluded instances: patterns of names, ids or references.
    pub exclude: Vec<NamePattern>,
    /// The maximum number of instances; more instances are an error.
    pub max: Option<usize>,
    /// Stops and reboots act on protected instances, too; see [`Protection`](crate::Protection).
    pub include_protected: bool,
}

impl Selector {
    /// Returns a selector for all instances of all named accounts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a location, or a pattern of locations.
    #[must_use]
    pub fn location(mut self, location: LocationPattern) -> Self {
        self.locations.push(location);
        self
    }

    /// Adds a pattern of names. The name must match one of the patterns.
    #[must_use]
    pub fn name(mut self, pattern: NamePattern) -> Self {
        self.filter.names.push(pattern);
        self
    }

    /// Adds a condition on a tag. The tags must meet all conditions.
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

    /// Adds an id. The instance must have one of the ids.
    #[must_use]
    pub fn instance(mut self, id: InstanceId) -> Self {
        self.filter.instances.push(id);
        self
    }

    /// Excludes instances whose name, id or reference matches the pattern.
    #[must_use]
    pub fn exclude(mut self, pattern: NamePattern) -> Self {
        self.exclude.push(pattern);
        self
    }

    /// Limits the number of instances. More instances are an error, and no action is sent.
    #[must_use]
    pub fn max(mut self, instances: usize) -> Self {
        self.max = Some(instances);
        self
    }

    /// Stops and reboots protected instances, too.
    #[must_use]
    pub fn include_protected(mut self) -> Self {
        self.include_protected = true;
        self
    }

    /// Returns `true` if the name, the id or the reference of the instance is excluded.
    ///
    /// A pattern also matches the reference without the account, and ids match as the cloud compares them. A reference
    /// without wildcards excludes its machine, whatever the account.
    pub fn excludes(&self, reference: &InstanceReference, observation: &Observation) -> bool {
        if self.exclude.is_empty() {
            return false;
        }
        let machine = reference.machine();
        let names_machine = |pattern: &NamePattern| {
            let named = pattern.literal().map(str::parse::<InstanceReference>);
            named.is_some_and(|named| named.is_ok_and(|named| named.machine() == machine))
        };
        let ignores_case = ignores_case(&machine);
        let id = observation.instance.as_str();
        let texts = [&*reference.to_string(), &*machine.to_string(), id];
        let matches_text = |pattern: &NamePattern| {
            texts.iter().any(|text| pattern.matches(text))
                || (ignores_case && matches_in_any_case(pattern, &texts))
        };
        let name = observation.name.as_deref();
        self.exclude.iter().any(|pattern| {
            name.is_some_and(|name| pattern.matches(name))
                || matches_text(pattern)
                || names_machine(pattern)
        })
    }
}

/// Returns `true` if the cloud reads the id of the machine in upper case as the same id.
fn ignores_case(machine: &InstanceReference) -> bool {
    let upper = InstanceId::new(&machine.instance.as_str().to_ascii_uppercase());
    upper.is_ok_and(|upper| {
        InstanceReference::new(machine.location.clone(), upper).machine() == *machine
    })
}

fn matches_in_any_case(pattern: &NamePattern, texts: &[&str]) -> bool {
    let pattern = pattern.as_str().to_ascii_lowercase();
    let pattern = pattern.parse::<NamePattern>();
    pattern.is_ok_and(|pattern| {
        let mut texts = texts.iter().map(|text| text.to_ascii_lowercase());
        texts.any(|text| pattern.matches(&text))
    })
}

/// Writes the selector for people, such as `aliyun/*, name ci-*, tag env=dev`.
impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let filter = &self.filter;
        let locations = match self.locations.is_empty() {
            true => "all accounts".to_owned(),
            false => or_list("", &texts(&self.locations)),
        };
        let mut parts = vec![locations];
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

/// Returns a text such as `state stopped or expired`.
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

    #[cfg(feature = "huawei")]
    #[test]
    fn exclusion_matches_the_machine_whatever_the_account_and_the_case_of_the_id() {
        let reference = "ops@huawei/cn-north-4/616fb98f-46ca-475e-917e-2563e5a8cd19";
        let reference: InstanceReference = reference.parse().unwrap();
        let row = Observation::new(reference.instance.clone(), PowerState::Running, "ACTIVE")
            .with_name(Some("web-1".into()));
        for (pattern, expected) in [
            ("616FB98F-46CA-475E-917E-2563E5A8CD19", true),
            ("616FB98F-*", true),
            (
                "huawei/cn-north-4/616fb98f-46ca-475e-917e-2563e5a8cd19",
                true,
            ),
            (
                "huawei/CN-NORTH-4/616FB98F-46CA-475E-917E-2563E5A8CD19",
                true,
            ),
            (
                "dev@huawei/cn-north-4/616fb98f-46ca-475e-917e-2563e5a8cd19",
                true,
            ),
            ("huawei/*/616FB98F-*", true),
            ("ops@*", true),
            ("dev@*", false),
            ("WEB-1", false),
            (
                "huawei/cn-east-3/616fb98f-46ca-475e-917e-2563e5a8cd19",
                false,
            ),
            ("616FB98F-46CA-475E-917E-2563E5A8CD18", false),
        ] {
            let selector = Selector::new().exclude(pattern.parse().unwrap());
            assert_eq!(selector.excludes(&reference, &row), expected, "{pattern}");
        }
    }

    #[cfg(feature = "baidu")]
    #[test]
    fn exclusion_compares_the_case_of_ids_that_have_a_case() {
        let reference: InstanceReference = "baidu/bj/i-AbCd".parse().unwrap();
        let row = Observation::new(reference.instance.clone(), PowerState::Running, "Running");
        for (pattern, expected) in [("i-AbCd", true), ("i-abcd", false), ("baidu/bj/I-*", false)] {
            let selector = Selector::new().exclude(pattern.parse().unwrap());
            assert_eq!(selector.excludes(&reference, &row), expected, "{pattern}");
        }
    }
}
