//! What a changelog must say before its crate is released.
//!
//! The words are those of Keep a Changelog. An entry is for users, so no tool writes it.

/// The kinds of change, under each of which a release lists what it brings.
const KINDS: [&str; 6] = [
    "Added",
    "Changed",
    "Deprecated",
    "Removed",
    "Fixed",
    "Security",
];

const WAITING: &str = "Unreleased";

/// What `text` says about `version`, or what is missing.
pub(super) fn entry(text: &str, version: &str) -> Result<String, String> {
    let headings: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .collect();
    if headings.first() != Some(&"[Unreleased]") {
        return Err("CHANGELOG.md does not begin with `## [Unreleased]`".to_owned());
    }
    let beginning = format!("[{version}] - ");
    let Some(date) = headings
        .iter()
        .find_map(|heading| heading.strip_prefix(&beginning))
    else {
        return Err(format!("CHANGELOG.md has no `## [{version}] - DATE`"));
    };
    if date != WAITING && !is_date(date) {
        return Err(format!(
            "CHANGELOG.md says `{date}` where {version} has its date: write 2027-01-31, or {WAITING}"
        ));
    }
    let kinds = kinds(text, &beginning);
    if let Some(unknown) = kinds.iter().find(|kind| !KINDS.contains(kind)) {
        return Err(format!(
            "CHANGELOG.md has `{unknown}` under {version}; the words are {}",
            KINDS.join(", ")
        ));
    }
    if kinds.is_empty() {
        return Err(format!("CHANGELOG.md says nothing about {version}"));
    }
    let when = match date {
        WAITING => "still to be dated by the release",
        date => date,
    };
    Ok(format!("{version}, {when}: {}", kinds.join(", ")))
}

/// The headings within the entry that begins so.
fn kinds<'a>(text: &'a str, beginning: &str) -> Vec<&'a str> {
    text.lines()
        .skip_while(|line| {
            line.strip_prefix("## ")
                .is_none_or(|heading| !heading.starts_with(beginning))
        })
        .skip(1)
        .take_while(|line| !line.starts_with("## "))
        .filter_map(|line| line.strip_prefix("### "))
        .collect()
}

/// Whether it has the shape 2027-01-31.
fn is_date(text: &str) -> bool {
    let shape: String = text
        .chars()
        .map(|letter| if letter.is_ascii_digit() { '0' } else { letter })
        .collect();
    shape == "0000-00-00"
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# Changelog

## [Unreleased]

### Added

## [0.2.0] - 2027-01-31

### Changed

- Two things.

### Fixed

- One.

## [0.1.1] - Unreleased

### Security

## [0.1.0] - soon

### Added
";

    #[test]
    fn an_entry_is_found_with_its_date_and_kinds() {
        assert_eq!(
            entry(TEXT, "0.2.0"),
            Ok("0.2.0, 2027-01-31: Changed, Fixed".to_owned())
        );
        assert_eq!(
            entry(TEXT, "0.1.1"),
            Ok("0.1.1, still to be dated by the release: Security".to_owned())
        );
    }

    #[test]
    fn what_is_missing_is_named() {
        let check = |text: &str, version: &str, expected: &str| {
            let missing = entry(text, version).expect_err("something is missing");
            assert!(missing.contains(expected), "{missing}");
        };

        check(TEXT, "0.3.0", "no `## [0.3.0] - DATE`");
        check(TEXT, "0.1.0", "says `soon`");
        check(
            &TEXT.replace("[Unreleased]", "[Next]"),
            "0.2.0",
            "does not begin with",
        );
        check(&TEXT.replace("Fixed", "Mended"), "0.2.0", "has `Mended`");
        check(
            "## [Unreleased]\n## [1.0.0] - 2027-01-31\n",
            "1.0.0",
            "says nothing about",
        );
    }
}
