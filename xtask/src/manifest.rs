//! Reads the parts of a crate's `Cargo.toml` that the checks need.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

/// One manifest.
#[derive(Debug)]
pub(crate) struct Manifest {
    /// The fields of `[package]`; the text is absent where the value is not a string.
    fields: BTreeMap<String, Option<String>>,
    is_published: bool,
    is_workspace: bool,
    /// The dependencies of all sections.
    pub(crate) dependencies: Vec<Dependency>,
}

/// One dependency of one section.
#[derive(Debug)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// The value as written.
    pub(crate) value: String,
    pub(crate) version: Option<String>,
    pub(crate) has_path: bool,
    /// The version comes from `[workspace.dependencies]`.
    pub(crate) inherits: bool,
    is_for_tests: bool,
}

impl Manifest {
    /// Reads a manifest. Cargo has read the same file before and reported errors in the syntax.
    pub(crate) fn read(text: &str) -> Self {
        let (document, _) = DeTable::parse_recoverable(text);
        let document = document.get_ref();
        let package = document
            .get("package")
            .and_then(|it| it.get_ref().as_table());
        let fields = package.into_iter().flatten();
        let mut dependencies = Vec::new();
        collect_dependencies(document, text, &mut dependencies);
        Self {
            fields: fields
                .map(|(key, value)| {
                    let text = value.get_ref().as_str().map(str::to_owned);
                    (key.get_ref().to_string(), text)
                })
                .collect(),
            is_published: package
                .and_then(|package| package.get("publish")?.get_ref().as_bool())
                .unwrap_or(true),
            is_workspace: document.get("workspace").is_some(),
            dependencies,
        }
    }

    /// Reports whether `[package]` has a value for `field`, in this file or from the workspace.
    pub(crate) fn has_field(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }

    /// Returns a field of `[package]` whose value in this file is a string.
    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        self.fields.get(field)?.as_deref()
    }

    pub(crate) fn is_published(&self) -> bool {
        self.is_published
    }

    /// Reports whether the crate is a workspace of its own, which inherits nothing.
    pub(crate) fn is_workspace(&self) -> bool {
        self.is_workspace
    }
}

impl Dependency {
    fn new(section: &str, name: &str, value: &DeValue<'_>, written: &str) -> Self {
        let text = |field| Some(value.get(field)?.get_ref().as_str()?.to_owned());
        Self {
            name: name.to_owned(),
            value: written.to_owned(),
            version: value
                .as_str()
                .map(str::to_owned)
                .or_else(|| text("version")),
            has_path: value.get("path").is_some(),
            inherits: value.get("workspace").and_then(|it| it.get_ref().as_bool()) == Some(true),
            is_for_tests: section == "dev-dependencies",
        }
    }

    /// Reports whether tests use a neighbour in the workspace. Packaging drops a neighbour without a
    /// version.
    pub(crate) fn is_neighbour_in_tests(&self) -> bool {
        self.is_for_tests && self.has_path && self.version.is_none()
    }
}

/// Collects dependencies from every section, such as `[target.'cfg(unix)'.dependencies]`.
fn collect_dependencies(table: &DeTable<'_>, text: &str, found: &mut Vec<Dependency>) {
    for (key, value) in table {
        let section = key.get_ref().as_ref();
        match value.get_ref() {
            DeValue::Table(table) if section.ends_with("dependencies") => {
                found.extend(table.iter().map(|(name, value)| {
                    Dependency::new(
                        section,
                        name.get_ref(),
                        value.get_ref(),
                        &text[value.span()],
                    )
                }));
            }
            DeValue::Table(table) => collect_dependencies(table, text, found),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r##"
[package]
name = "provider-x" # the crate
description = "signs # and [sends] nothing"
edition.workspace = true
publish = false

[dependencies]
http.workspace = true
serde = { workspace = true, features = [
    "derive",
] }

[dependencies.bytes]
version = "1"

[dev-dependencies]
lifecycle-core = { path = "../lifecycle-core", version = "0.1.0" }
lifecycle-sim = { path = "../lifecycle-sim" }

[target.'cfg(target_os = "linux")'.dependencies]
libc = "0.2"
"##;

    #[test]
    fn field_is_present_if_written_or_inherited() {
        let manifest = Manifest::read(MANIFEST);

        assert!(manifest.has_field("description"));
        assert!(manifest.has_field("edition"));
        assert!(!manifest.has_field("license"));
        assert!(!manifest.has_field("desc"));
    }

    #[test]
    fn text_has_no_quotes() {
        let manifest = Manifest::read(MANIFEST);

        assert_eq!(manifest.text("name"), Some("provider-x"));
        assert_eq!(
            manifest.text("description"),
            Some("signs # and [sends] nothing")
        );
        assert_eq!(manifest.text("publish"), None);
    }

    #[test]
    fn crate_is_published_unless_publish_is_false() {
        assert!(!Manifest::read(MANIFEST).is_published());
        assert!(Manifest::read("[package]\nname = \"a\"").is_published());
        assert!(Manifest::read("[package]\npublish = true").is_published());
    }

    #[test]
    fn crate_with_a_workspace_table_is_a_workspace() {
        assert!(!Manifest::read(MANIFEST).is_workspace());
        assert!(Manifest::read("[package]\nname = \"a\"\n[workspace]").is_workspace());
    }

    #[test]
    fn dependencies_of_every_section_are_read() {
        let manifest = Manifest::read(MANIFEST);
        let rows: Vec<(&str, Option<&str>, bool, bool)> = manifest
            .dependencies
            .iter()
            .map(|it| {
                (
                    &*it.name,
                    it.version.as_deref(),
                    it.inherits,
                    it.is_neighbour_in_tests(),
                )
            })
            .collect();

        assert_eq!(
            rows,
            [
                ("bytes", Some("1"), false, false),
                ("http", None, true, false),
                ("serde", None, true, false),
                ("lifecycle-core", Some("0.1.0"), false, false),
                ("lifecycle-sim", None, false, true),
                ("libc", Some("0.2"), false, false)
            ]
        );
        assert_eq!(
            manifest.dependencies[4].value,
            "{ path = \"../lifecycle-sim\" }"
        );
    }
}
