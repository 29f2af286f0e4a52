//! `Protection`: the rule for instances that selections do not stop or reboot.

use lifecycle_core::{ActionKind, NamePattern, Observation};

/// A rule for protected instances: a selection does not stop or reboot protected instances, unless
/// [`Selector::include_protected`](crate::Selector::include_protected) is set.
///
/// An instance is protected by a tag or by its name. The rule applies to selections only: a request with
/// references acts on all named instances, and [`Fleet::protected`](crate::Fleet::protected)
/// checks them before.
///
/// # Examples
/// ```
/// use lifecycle_facade::Protection;
///
/// let protection = Protection::default().with_name("prod-db-*".parse()?);
/// assert_eq!(protection.tag.as_deref(), Some("lifecycle:protected"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Protection {
    /// The key of the tag that protects an instance, with any value; `None` for no tag. The default is
    /// `lifecycle:protected`.
    pub tag: Option<String>,
    /// Patterns of the names of protected instances.
    pub names: Vec<NamePattern>,
}

impl Default for Protection {
    fn default() -> Self {
        Self {
            tag: Some("lifecycle:protected".to_owned()),
            names: Vec::new(),
        }
    }
}

impl Protection {
    /// Returns a rule that protects no instance.
    pub fn none() -> Self {
        Self {
            tag: None,
            names: Vec::new(),
        }
    }

    /// Sets the key of the tag that protects an instance.
    #[must_use]
    pub fn with_tag(mut self, key: impl Into<String>) -> Self {
        self.tag = Some(key.into());
        self
    }

    /// Adds a pattern of the names of protected instances.
    #[must_use]
    pub fn with_name(mut self, pattern: NamePattern) -> Self {
        self.names.push(pattern);
        self
    }

    /// Returns `true` for a stop or a reboot. A start or a wait harms no instance.
    pub(super) fn applies_to(action: Option<ActionKind>) -> bool {
        matches!(action, Some(ActionKind::Stop | ActionKind::Reboot))
    }

    /// Returns the reason for the protection of an instance; `None` for an unprotected instance.
    ///
    /// An instance with unknown tags is protected, because the instance may have the tag: observe the
    /// instance with details.
    pub fn reason(&self, observation: &Observation) -> Option<String> {
        let name = observation.name.as_deref().unwrap_or_default();
        if let Some(pattern) = self.names.iter().find(|pattern| pattern.matches(name)) {
            return Some(format!(
                "the name {name:?} is protected by the pattern {pattern}"
            ));
        }
        let key = self.tag.as_deref()?;
        match &observation.details {
            Some(details) => {
                details.tag(key)?;
                Some(format!("the instance has the tag {key}"))
            }
            None => Some(format!(
                "the cloud does not report the tags, so the tag {key} cannot be excluded"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use lifecycle_core::{InstanceDetails, InstanceId, PowerState, Tag};

    use super::*;

    fn named(name: &str) -> Observation {
        let id = InstanceId::new("i-1").unwrap();
        Observation::new(id, PowerState::Running, "Running").with_name(Some(name.into()))
    }

    fn tagged(tags: &[Tag]) -> Observation {
        let mut details = InstanceDetails::default();
        details.tags.extend_from_slice(tags);
        named("web").with_details(Some(details))
    }

    #[test]
    fn instance_is_protected_by_the_tag_by_the_name_and_by_unknown_tags() {
        let rule = Protection::default().with_name("db-*".parse().unwrap());
        for (observation, expected) in [
            (tagged(&[]), None),
            (tagged(&[Tag::new("lifecycle", "protected")]), None),
            (
                tagged(&[Tag::new("lifecycle:protected", "no")]),
                Some("has the tag"),
            ),
            (named("db-1"), Some("pattern db-*")),
            (named("web"), Some("does not report the tags")),
        ] {
            let reason = rule.reason(&observation);
            let is_expected = match (&reason, expected) {
                (Some(reason), Some(part)) => reason.contains(part),
                (reason, expected) => reason.is_none() && expected.is_none(),
            };
            assert!(is_expected, "{observation:?}: {reason:?}");
        }
        assert_eq!(Protection::none().reason(&named("db-1")), None);
    }
}
