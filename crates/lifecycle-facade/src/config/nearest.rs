//! What somebody meant who wrote something else.

/// The known names that `written` is a slip of, all of those that are equally near; none when it
/// is a different word. A slip is a letter for each three of the name, and at least one.
pub(super) fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let written = written.to_lowercase();
    let mut best = usize::MAX;
    let mut found = Vec::new();
    for name in known {
        let distance = strsim::osa_distance(&written, &name.to_lowercase());
        if distance > (name.chars().count() / 3).max(1) || distance > best {
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

/// The end of a message about `written`: what was probably meant, else what there is.
pub(super) fn hint<'a>(written: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    match nearest(written, known.clone()) {
        meant if meant.is_empty() => format!("write one of {}", quoted(known, ", ")),
        meant => format!("did you mean {}?", quoted(meant, " or ")),
    }
}

/// The names in quotes, with `between` between them.
pub(super) fn quoted<'a>(names: impl IntoIterator<Item = &'a str>, between: &str) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("{name:?}")).collect();
    names.join(between)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_other_words_are_not() {
        let known = ["region", "role", "id", "ip"];
        for (written, expected) in [
            ("reigon", &["region"][..]),
            ("Region", &["region"]),
            ("rôle", &["role"]),
            ("idd", &["id"]),
            ("ie", &["id", "ip"]),
            ("secret", &[]),
            ("", &[]),
        ] {
            assert_eq!(nearest(written, known), expected, "{written:?}");
        }
    }

    #[test]
    fn a_hint_names_what_was_meant_or_what_there_is() {
        let known = ["public", "vpc"];
        assert_eq!(hint("vcp", known), "did you mean \"vpc\"?");
        assert_eq!(hint("none", known), "write one of \"public\", \"vpc\"");
    }
}
