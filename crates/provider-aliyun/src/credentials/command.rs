//! Splits the text of a command into program and arguments, like Alibaba's tool `aliyun`. No
//! shell is involved.

use std::str::Chars;

/// Splits a command into program and arguments by the POSIX shell rules for blanks, quotes and
/// backslashes, without any expansion. On Windows, a backslash is an ordinary character of a path.
///
/// # Errors
/// The reason, such as "a quote is not closed".
pub(super) fn split(command: &str) -> Result<Vec<String>, &'static str> {
    Splitter {
        chars: command.chars(),
        escapes: !cfg!(windows),
    }
    .words()
}

struct Splitter<'a> {
    chars: Chars<'a>,
    /// True if a backslash escapes the next character.
    escapes: bool,
}

const OPEN_QUOTE: &str = "a quote is not closed";

impl Splitter<'_> {
    fn words(mut self) -> Result<Vec<String>, &'static str> {
        let mut words = Vec::new();
        // `None` between words; an empty word in quotes counts as a word.
        let mut word: Option<String> = None;
        while let Some(character) = self.chars.next() {
            match character {
                '\'' => self.quoted(word.get_or_insert_default())?,
                '"' => self.double_quoted(word.get_or_insert_default())?,
                '\\' if self.escapes => match self.chars.next() {
                    Some('\n') => {}
                    Some(escaped) => word.get_or_insert_default().push(escaped),
                    None => return Err("a backslash stands at the end"),
                },
                blank if blank.is_whitespace() => words.extend(word.take()),
                character => word.get_or_insert_default().push(character),
            }
        }
        words.extend(word);
        match words.first() {
            Some(program) if !program.is_empty() => Ok(words),
            _ => Err("the program is missing"),
        }
    }

    fn quoted(&mut self, word: &mut String) -> Result<(), &'static str> {
        loop {
            match self.chars.next().ok_or(OPEN_QUOTE)? {
                '\'' => return Ok(()),
                character => word.push(character),
            }
        }
    }

    /// Reads to the closing quote. A backslash escapes only characters with a special meaning in
    /// quotes.
    fn double_quoted(&mut self, word: &mut String) -> Result<(), &'static str> {
        loop {
            match self.chars.next().ok_or(OPEN_QUOTE)? {
                '"' => return Ok(()),
                '\\' => match self.chars.next().ok_or(OPEN_QUOTE)? {
                    '"' => word.push('"'),
                    '\n' if self.escapes => {}
                    escaped @ ('\\' | '$' | '`') if self.escapes => word.push(escaped),
                    other => word.extend(['\\', other]),
                },
                character => word.push(character),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(command: &str, escapes: bool) -> Result<Vec<String>, &'static str> {
        let chars = command.chars();
        Splitter { chars, escapes }.words()
    }

    #[test]
    fn command_splits_like_in_a_posix_shell() {
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
    fn windows_path_keeps_its_backslashes() {
        for (command, expected) in [
            (
                r#"C:\tools\cred.exe "C:\Program Files\x" "a \"b\"" 'c\d'"#,
                &[
                    r"C:\tools\cred.exe",
                    r"C:\Program Files\x",
                    r#"a "b""#,
                    r"c\d",
                ][..],
            ),
            (
                r#""\\server\share x" "C:\$new\`a""#,
                &[r"\\server\share x", r"C:\$new\`a"],
            ),
            ("a \"b\\\nc\"", &["a", "b\\\nc"]),
        ] {
            assert_eq!(words(command, false).unwrap(), expected, "{command}");
        }
    }

    #[test]
    fn backslash_is_an_escape_except_on_windows() {
        let expected: &[&str] = match cfg!(windows) {
            true => &["a\\", "b"],
            false => &["a b"],
        };
        assert_eq!(split("a\\ b").unwrap(), expected);
    }
}
