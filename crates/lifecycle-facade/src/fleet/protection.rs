//! `Protection`: the rule by which selections leave instances alone.

use lifecycle_core::{ActionKind, NamePattern, Observation};

/// The instances that a selection never stops or reboots, unless the selection includes protected instances.
///
/// The rule applies to selections: a request that names an instance by its reference means this instance.
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
    /// The key of the tag, whatever the value; `None` for no tag. By default `lifecycle:protected`.
    pub tag: Option<String>,
    /// Patterns of names.
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

    /// Sets the key of the tag.
    #[must_use]
    pub fn with_tag(mut self, key: impl Into<String>) -> Self {
        self.tag = Some(key.into());
        self
    }

    /// Adds a pattern of names.
    #[must_use]
    pub fn with_name(mut self, pattern: NamePattern) -> Self {
        self.names.push(pattern);
        self
    }

    /// Returns `true` if the rule is about stops and reboots: a start harms no instance.
    pub(super) fn is_about(action: Option<ActionKind>) -> bool {
        matches!(action, Some(ActionKind::Stop | ActionKind::Reboot))
    }

    /// Returns the reason for which an instance is protected; `None` for an instance without protection.
    ///
    /// An instance whose tags were not read is protected: the tag may be there.
    pub(super) fn reason(&self, observation: &Observation) -> Option<String> {
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
