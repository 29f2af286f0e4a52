//! Suggestions for misspelled names.

/// Returns the known names closest to `written`, all names at the same distance; none if `written` is
/// a different word. A name may have one wrong letter for each three letters, and at least one.
pub(crate) fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let written = written.to_lowercase();
    let length = written.chars().count();
    let mut best = usize::MAX;
    let mut found = Vec::new();
    for name in known {
        let allowed = (name.chars().count() / 3).max(1);
        // The comparison of a very long text takes very long, and its length alone is a difference.
        if length.abs_diff(name.chars().count()) > allowed {
            continue;
        }
        let distance = strsim::osa_distance(&written, &name.to_lowercase());
        if distance > allowed || distance > best {
            continue;
        }
        if distance < best {
            best = distance;
            found.clear();
        }
        found.push(name);
    }
    found
}

/// Returns the end of a message about the unknown name `written`, such as `did you mean "web"?`, or
/// `None` if every known name is a different word.
pub fn did_you_mean<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    match nearest(written, known) {
        meant if meant.is_empty() => None,
        meant => Some(format!("did you mean {}?", quoted(meant, " or "))),
    }
}

/// Returns the end of a message about the unknown name `written`: the closest names, else all known names.
#[cfg(any(feature = "config", test))]
pub(crate) fn hint<'a>(written: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    did_you_mean(written, known.clone())
        .unwrap_or_else(|| format!("write one of {}", quoted(known, ", ")))
}

/// Quotes the names and joins the quoted names with `between`.
pub(crate) fn quoted<'a>(names: impl IntoIterator<Item = &'a str>, between: &str) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("{name:?}")).collect();
    names.join(between)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelled_names_are_found_and_other_words_are_not() {
        let known = ["region", "role", "id", "ip"];
        for (written, expected) in [
            ("reigon", &["region"][..]),
            ("Region", &["region"]),
            ("rôle", &["role"]),
            ("idd", &["id"]),
            ("ie", &["id", "ip"]),
            ("secret", &[]),
            (&"region".repeat(1_000_000), &[]),
            ("", &[]),
        ] {
            assert_eq!(nearest(written, known), expected, "{written:?}");
        }
    }

    #[test]
    fn hint_names_the_closest_name_or_all_names() {
        let known = ["public", "vpc"];
        assert_eq!(hint("vcp", known), "did you mean \"vpc\"?");
        assert_eq!(hint("none", known), "write one of \"public\", \"vpc\"");
    }
}
