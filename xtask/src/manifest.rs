//! Reading a crate's `Cargo.toml` as far as the checks need it.
//!
//! Not a TOML reader: it knows `[section]` and `key = value`, where a value may span lines inside
//! brackets. Cargo has read the file before, so what is left is to see how it was written.

/// The entries of one manifest, in order.
#[derive(Debug)]
pub(crate) struct Manifest {
    pub(crate) entries: Vec<Entry>,
}

/// One `key = value` and the section that it stands in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) section: String,
    pub(crate) key: String,
    /// The value without blanks outside of strings, on one line.
    pub(crate) value: String,
}

impl Manifest {
    pub(crate) fn read(text: &str) -> Self {
        let mut entries: Vec<Entry> = Vec::new();
        let mut section = String::new();
        let mut depth = 0;
        for line in text
            .lines()
            .map(significant)
            .filter(|line| !line.is_empty())
        {
            let in_value = depth > 0;
            if !in_value && line.starts_with('[') {
                section = line.trim_matches(['[', ']']).to_owned();
                continue;
            }
            match (in_value, entries.last_mut(), line.split_once('=')) {
                (true, Some(entry), _) => entry.value.push_str(&line),
                (_, _, Some((key, value))) => entries.push(Entry::new(&section, key, value)),
                _ => {}
            }
            depth += nesting(&line);
        }
        Self { entries }
    }

    /// Whether `[package]` says anything about `field`, here or by inheriting it.
    pub(crate) fn has_field(&self, field: &str) -> bool {
        self.package()
            .any(|entry| entry.key == field || entry.key.strip_prefix(field) == Some(".workspace"))
    }

    /// The text of a field of `[package]` that is written here as a string.
    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        let entry = self.package().find(|entry| entry.key == field)?;
        entry.value.strip_prefix('"')?.strip_suffix('"')
    }

    pub(crate) fn is_published(&self) -> bool {
        !self
            .package()
            .any(|entry| entry.key == "publish" && entry.value == "false")
    }

    /// The entries of all sections of dependencies. One written as `[dependencies.name]` is several
    /// entries.
    pub(crate) fn dependencies(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| {
            entry
                .section
                .split('.')
                .any(|part| part.ends_with("dependencies"))
        })
    }

    fn package(&self) -> impl Iterator<Item = &Entry> {
        self.entries
            .iter()
            .filter(|entry| entry.section == "package")
    }
}

impl Entry {
    fn new(section: &str, key: &str, value: &str) -> Self {
        Self {
            section: section.to_owned(),
            key: key.to_owned(),
            value: value.to_owned(),
        }
    }

    /// The dependency that it describes, however it is written.
    pub(crate) fn name(&self) -> &str {
        self.key
            .split_once('.')
            .map_or(self.key.as_str(), |(name, _)| name)
    }

    /// The version that an inline table asks for.
    pub(crate) fn version(&self) -> Option<&str> {
        let (_, rest) = self.value.split_once("version=\"")?;
        rest.split_once('"').map(|(version, _)| version)
    }

    /// Whether the version is that of `[workspace.dependencies]`.
    pub(crate) fn inherits(&self) -> bool {
        (self.key.ends_with(".workspace") && self.value == "true")
            || self.value.contains("workspace=true")
    }

    /// Whether it is a dependency of tests on a neighbour in the workspace. Without a version it
    /// vanishes on packaging.
    pub(crate) fn is_neighbour_in_tests(&self) -> bool {
        self.section.ends_with("dev-dependencies")
            && self.value.contains("path=")
            && !self.value.contains("version=")
    }
}

/// What a line says: without comment, and without blanks outside of strings.
fn significant(line: &str) -> String {
    let mut in_string = false;
    line.chars()
        .take_while(|&letter| {
            in_string ^= letter == '"';
            in_string || letter != '#'
        })
        .collect::<String>()
        .split('"')
        .enumerate()
        .map(|(part, text)| {
            if part % 2 == 0 {
                text.split_whitespace().collect()
            } else {
                text.to_owned()
            }
        })
        .collect::<Vec<String>>()
        .join("\"")
}

fn nesting(line: &str) -> isize {
    let outside_strings = line.split('"').step_by(2).flat_map(str::chars);
    outside_strings
        .map(|letter| isize::from("[{".contains(letter)) - isize::from("]}".contains(letter)))
        .sum()
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

[dev-dependencies]
lifecycle-sim = { path = "../lifecycle-sim" }
lifecycle-core = { path = "../lifecycle-core", version = "0.1.0" }

[target.'cfg(target_os = "linux")'.dependencies]
libc = "0.2"
"##;

    #[test]
    fn entries_know_their_section_and_values_span_lines() {
        let manifest = Manifest::read(MANIFEST);

        assert_eq!(manifest.entries.len(), 9);
        assert_eq!(
            manifest.entries[1],
            Entry::new("package", "description", "\"signs # and [sends] nothing\"")
        );
        assert_eq!(
            manifest.entries[5],
            Entry::new(
                "dependencies",
                "serde",
                "{workspace=true,features=[\"derive\",]}"
            )
        );
        assert_eq!(
            manifest.entries[8],
            Entry::new(
                "target.'cfg(target_os=\"linux\")'.dependencies",
                "libc",
                "\"0.2\""
            )
        );
    }

    #[test]
    fn a_field_counts_when_written_or_inherited() {
        let manifest = Manifest::read(MANIFEST);

        assert!(manifest.has_field("description"));
        assert!(manifest.has_field("edition"));
        assert!(!manifest.has_field("license"));
        assert!(!manifest.has_field("desc"));
    }

    #[test]
    fn a_text_is_read_without_its_quotes() {
        let manifest = Manifest::read(MANIFEST);

        assert_eq!(manifest.text("name"), Some("provider-x"));
        assert_eq!(manifest.text("publish"), None);
    }

    #[test]
    fn a_crate_is_published_unless_it_says_otherwise() {
        assert!(!Manifest::read(MANIFEST).is_published());
        assert!(Manifest::read("[package]\nname = \"a\"").is_published());
    }

    #[test]
    fn dependencies_of_every_section_are_seen() {
        let manifest = Manifest::read(MANIFEST);
        let origins: Vec<(&str, bool, bool)> = manifest
            .dependencies()
            .map(|entry| {
                (
                    entry.name(),
                    entry.inherits(),
                    entry.is_neighbour_in_tests(),
                )
            })
            .collect();

        assert_eq!(
            manifest.entries[7].version(),
            Some("0.1.0"),
            "of lifecycle-core"
        );
        assert_eq!(
            origins,
            [
                ("http", true, false),
                ("serde", true, false),
                ("lifecycle-sim", false, true),
                ("lifecycle-core", false, false),
                ("libc", false, false)
            ]
        );
    }
}
