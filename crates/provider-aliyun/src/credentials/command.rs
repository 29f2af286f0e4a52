//! A command line as text, taken apart as the vendor's command line does it. No shell reads it.

/// Splits a command into program and arguments by the rules of a POSIX shell for blanks, quotes
/// and backslashes. Nothing is expanded.
///
/// # Errors
/// What is wrong, as a fragment that follows the setting's name.
pub(super) fn split(command: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    // A word that has begun; an empty one in quotes counts too.
    let mut word: Option<String> = None;
    let mut letters = command.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\'' => quoted(&mut letters, word.get_or_insert_default())?,
            '"' => double_quoted(&mut letters, word.get_or_insert_default())?,
            '\\' => match letters.next() {
                Some('\n') => {}
                Some(escaped) => word.get_or_insert_default().push(escaped),
                None => return Err("ends with a backslash"),
            },
            blank if blank.is_whitespace() => words.extend(word.take()),
            letter => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    match words.first() {
        Some(program) if !program.is_empty() => Ok(words),
        _ => Err("names no program"),
    }
}

const OPEN_QUOTE: &str = "has a quote that is not closed";

fn quoted(letters: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), &'static str> {
    loop {
        match letters.next().ok_or(OPEN_QUOTE)? {
            '\'' => return Ok(()),
            letter => word.push(letter),
        }
    }
}

/// A backslash only escapes what would have a meaning here.
fn double_quoted(letters: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), &'static str> {
    loop {
        match letters.next().ok_or(OPEN_QUOTE)? {
            '"' => return Ok(()),
            '\\' => match letters.next().ok_or(OPEN_QUOTE)? {
                '\n' => {}
                escaped @ ('"' | '\\' | '$' | '`') => word.push(escaped),
                other => word.extend(['\\', other]),
            },
            letter => word.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_taken_apart_as_a_shell_would() {
        for (command, expected) in [
            (
                "acs-sso login --profile sso",
                vec!["acs-sso", "login", "--profile", "sso"],
            ),
            ("  a\t b\n", vec!["a", "b"]),
            (
                r#""C:/Program Files/x" 'it is' """#,
                vec!["C:/Program Files/x", "it is", ""],
            ),
            (r"a\ b c\\d e\'f", vec!["a b", r"c\d", "e'f"]),
            (
                r#"a "b \"c\" \n \$d" '\e'"#,
                vec!["a", r#"b "c" \n $d"#, r"\e"],
            ),
            ("a \\\n b", vec!["a", "b"]),
            ("a b'c'\"d\"e", vec!["a", "bcde"]),
            (
                "echo $HOME;ls|x && y",
                vec!["echo", "$HOME;ls|x", "&&", "y"],
            ),
        ] {
            assert_eq!(split(command).unwrap(), expected, "{command}");
        }
        for command in ["", " \n", "\"\" a", "a 'b", "a \"b", "a \"b\\", "a \\"] {
            assert!(split(command).is_err(), "{command:?}");
        }
    }
}
