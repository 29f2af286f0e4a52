//! A command line as text, taken apart as the vendor's command line does it. No shell reads it.

use std::str::Chars;

/// Splits a command into program and arguments by the rules of a POSIX shell for blanks, quotes
/// and backslashes. Nothing is expanded. On Windows a backslash belongs to a path.
///
/// # Errors
/// What is wrong, as a fragment that follows the setting's name.
pub(super) fn split(command: &str) -> Result<Vec<String>, &'static str> {
    Splitter {
        letters: command.chars(),
        escapes: !cfg!(windows),
    }
    .words()
}

struct Splitter<'a> {
    letters: Chars<'a>,
    /// Is a backslash more than a letter outside quotes?
    escapes: bool,
}

const OPEN_QUOTE: &str = "has a quote that is not closed";

impl Splitter<'_> {
    fn words(mut self) -> Result<Vec<String>, &'static str> {
        let mut words = Vec::new();
        // A word that has begun; an empty one in quotes counts too.
        let mut word: Option<String> = None;
        while let Some(letter) = self.letters.next() {
            match letter {
                '\'' => self.quoted(word.get_or_insert_default())?,
                '"' => self.double_quoted(word.get_or_insert_default())?,
                '\\' if self.escapes => match self.letters.next() {
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

    fn quoted(&mut self, word: &mut String) -> Result<(), &'static str> {
        loop {
            match self.letters.next().ok_or(OPEN_QUOTE)? {
                '\'' => return Ok(()),
                letter => word.push(letter),
            }
        }
    }

    /// A backslash only escapes what would have a meaning here.
    fn double_quoted(&mut self, word: &mut String) -> Result<(), &'static str> {
        loop {
            match self.letters.next().ok_or(OPEN_QUOTE)? {
                '"' => return Ok(()),
                '\\' => match self.letters.next().ok_or(OPEN_QUOTE)? {
                    '"' => word.push('"'),
                    '\n' if self.escapes => {}
                    escaped @ ('\\' | '$' | '`') if self.escapes => word.push(escaped),
                    other => word.extend(['\\', other]),
                },
                letter => word.push(letter),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(command: &str, escapes: bool) -> Result<Vec<String>, &'static str> {
        let letters = command.chars();
        Splitter { letters, escapes }.words()
    }

    #[test]
    fn commands_are_taken_apart_as_a_shell_would() {
        for (command, expected) in [
            (
                "acs-sso login --profile sso",
                &["acs-sso", "login", "--profile", "sso"][..],
            ),
            ("  a\t b\n", &["a", "b"]),
            (
                r#""C:/Program Files/x" 'it is' """#,
                &["C:/Program Files/x", "it is", ""],
            ),
            (r"a\ b c\\d e\'f", &["a b", r"c\d", "e'f"]),
            (
                r#"a "b \"c\" \n \$d" '\e'"#,
                &["a", r#"b "c" \n $d"#, r"\e"],
            ),
            ("a \\\n b \"c\\\nd\"", &["a", "b", "cd"]),
            ("a b'c'\"d\"e", &["a", "bcde"]),
            ("echo $HOME;ls|x && y", &["echo", "$HOME;ls|x", "&&", "y"]),
        ] {
            assert_eq!(words(command, true).unwrap(), expected, "{command}");
        }
        for command in ["", " \n", "\"\" a", "a 'b", "a \"b", "a \"b\\", "a \\"] {
            assert!(words(command, true).is_err(), "{command:?}");
        }
    }

    #[test]
    fn windows_paths_keep_their_backslashes() {
        let command = r#"C:\tools\cred.exe "C:\Program Files\x" "a \"b\"" 'c\d'"#;
        let expected = [
            r"C:\tools\cred.exe",
            r"C:\Program Files\x",
            r#"a "b""#,
            r"c\d",
        ];
        assert_eq!(words(command, false).unwrap(), expected);
    }
}
