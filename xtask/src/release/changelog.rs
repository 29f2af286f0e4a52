//! The check of the changelog before a release.
//!
//! The headings come from Keep a Changelog. Maintainers write the entries for users by hand.

/// The headings for kinds of changes.
const KINDS: [&str; 6] = [
    "Added",
    "Changed",
    "Deprecated",
    "Removed",
    "Fixed",
    "Security",
];

const UNDATED: &str = "Unreleased";

/// Returns a summary of the entry for `version`, or the error in the changelog.
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
    if date != UNDATED && !is_date(date) {
        return Err(format!(
            "CHANGELOG.md has the date `{date}` for {version}: write a date such as 2027-01-31, or {UNDATED}"
        ));
    }
    let kinds = kinds(text, &beginning);
    if let Some(unknown) = kinds.iter().find(|kind| !KINDS.contains(kind)) {
        return Err(format!(
            "CHANGELOG.md has the heading `{unknown}` under {version}; known headings: {}",
            KINDS.join(", ")
        ));
    }
    if kinds.is_empty() {
        return Err(format!("CHANGELOG.md has no changes under {version}"));
    }
    let when = match date {
        UNDATED => "the release sets the date",
        date => date,
    };
    Ok(format!("{version}, {when}: {}", kinds.join(", ")))
}

/// Returns the headings in the entry with this beginning.
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

/// Reports whether a text has the form 2027-01-31.
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
    fn entry_is_found_with_date_and_headings() {
        assert_eq!(
            entry(TEXT, "0.2.0"),
            Ok("0.2.0, 2027-01-31: Changed, Fixed".to_owned())
        );
        assert_eq!(
            entry(TEXT, "0.1.1"),
            Ok("0.1.1, the release sets the date: Security".to_owned())
        );
    }

    #[test]
    fn missing_or_invalid_part_is_named() {
        let check = |text: &str, version: &str, expected: &str| {
            let missing = entry(text, version).expect_err("something is missing");
            assert!(missing.contains(expected), "{missing}");
        };

        check(TEXT, "0.3.0", "no `## [0.3.0] - DATE`");
        check(TEXT, "0.1.0", "has the date `soon`");
        check(
            &TEXT.replace("[Unreleased]", "[Next]"),
            "0.2.0",
            "does not begin with",
        );
        check(
            &TEXT.replace("Fixed", "Mended"),
            "0.2.0",
            "has the heading `Mended`",
        );
        check(
            "## [Unreleased]\n## [1.0.0] - 2027-01-31\n",
            "1.0.0",
            "has no changes under",
        );
    }
}
