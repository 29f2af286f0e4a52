//! Checks that README and CHANGELOG describe the provider, as soon as the code is no longer the code of the
//! template.

const SOURCES: [&str; 4] = [
    include_str!("../src/config.rs"),
    include_str!("../src/fault.rs"),
    include_str!("../src/sign.rs"),
    include_str!("../src/wire.rs"),
];
const DOCUMENTS: [(&str, &str, &str); 2] = [
    ("README.md", include_str!("../README.md"), "created this crate"),
    ("CHANGELOG.md", include_str!("../CHANGELOG.md"), "Cloud: start, stop, reboot, observe and list."),
];

/// Returns the documents that are still the text of the template, although a source file is not.
fn unchanged(sources: &[&str], documents: &[(&'static str, &str, &str)]) -> Vec<&'static str> {
    // The first lines of the template's files say that they are a template.
    let head = |text: &str| text.lines().take(5).any(|line| line.to_lowercase().contains("template"));
    if sources.iter().any(|text| head(text)) {
        return Vec::new();
    }
    let documents = documents.iter();
    let unchanged = documents.filter(|(_, text, sentence)| text.contains(sentence));
    unchanged.map(|(name, _, _)| *name).collect()
}

#[test]
fn readme_and_changelog_are_not_the_template_when_the_code_is_finished() {
    let unchanged = unchanged(&SOURCES, &DOCUMENTS);
    assert!(
        unchanged.is_empty(),
        "{} still describes the template: describe your cloud, its keys and its limits",
        unchanged.join(", ")
    );
}

#[test]
fn template_is_found_only_beside_finished_code() {
    let document = [("README.md", "the command created this crate", "created this crate")];
    assert_eq!(unchanged(&["//! A template."], &document), [""; 0]);
    assert_eq!(unchanged(&["//! The signature."], &document), ["README.md"]);
    let own = [("README.md", "Acme Cloud", "created this crate")];
    assert_eq!(unchanged(&["//! The signature."], &own), [""; 0]);
}
