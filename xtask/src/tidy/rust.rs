//! The parts of a Rust file: code, comments and literals.

use std::ops::Range;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Code,
    Comment,
    /// A string or a character, with the quotes.
    Literal,
}

/// Returns the text with blanks in place of other parts. Each kept byte stays at the same place.
pub(super) fn keep(wanted: &[Part], text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    for (part, range) in parts(text) {
        let piece = &text[range];
        if wanted.contains(&part) {
            kept.push_str(piece);
        } else {
            kept.push_str(&blank(piece));
        }
    }
    kept
}

/// Returns the text with blanks in place of each item with `#[cfg(test)]`.
pub(super) fn without_tests(text: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let code = keep(&[Part::Code], text);
    let mut rest = text.to_owned();
    let mut at = 0;
    while let Some(begin) = code[at..].find(MARK).map(|found| at + found) {
        let mut depth = 0;
        let end = code[begin + MARK.len()..]
            .char_indices()
            .find(|(_, letter)| {
                depth += isize::from(*letter == '{') - isize::from(*letter == '}');
                depth == 0 && [';', '}'].contains(letter)
            });
        at = end.map_or(code.len(), |(end, _)| begin + MARK.len() + end + 1);
        rest.replace_range(begin..at, &blank(&code[begin..at]));
    }
    rest
}

fn blank(text: &str) -> String {
    let blank = |byte| if byte == b'\n' { '\n' } else { ' ' };
    text.bytes().map(blank).collect()
}

fn parts(text: &str) -> Vec<(Part, Range<usize>)> {
    let mut parts: Vec<(Part, Range<usize>)> = Vec::new();
    let mut at = 0;
    let mut in_word = false;
    while let Some(letter) = text[at..].chars().next() {
        let rest = &text[at..];
        let (part, length) = if rest.starts_with("//") {
            (Part::Comment, rest.find('\n').unwrap_or(rest.len()))
        } else if rest.starts_with("/*") {
            (Part::Comment, block_comment(rest))
        } else if let Some(length) = literal(rest, in_word) {
            (Part::Literal, length)
        } else {
            (Part::Code, letter.len_utf8())
        };
        in_word = part == Part::Code && (letter.is_alphanumeric() || letter == '_');
        match parts.last_mut() {
            Some((last, range)) if *last == part && part == Part::Code => range.end += length,
            _ => parts.push((part, at..at + length)),
        }
        at += length;
    }
    parts
}

/// Returns the length of a comment, which may hold other comments.
fn block_comment(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while let Some(letter) = text[at..].chars().next() {
        let (step, change) = match &text[at..] {
            rest if rest.starts_with("/*") => (2, 1),
            rest if rest.starts_with("*/") => (2, -1),
            _ => (letter.len_utf8(), 0),
        };
        at += step;
        depth += change;
        if depth == 0 {
            break;
        }
    }
    at
}

/// Returns the length of the literal at the beginning of `text`.
fn literal(text: &str, in_word: bool) -> Option<usize> {
    if text.starts_with('"') {
        return Some(until_quote(text, '"'));
    }
    if let Some(rest) = text.strip_prefix('\'') {
        // A lifetime has no quote after the first letter.
        let mut letters = rest.chars();
        let is_character = letters.next()? == '\\' || letters.next() == Some('\'');
        return is_character.then(|| until_quote(text, '\''));
    }
    let prefix = ["br", "cr", "r"]
        .into_iter()
        .find(|prefix| !in_word && text.starts_with(prefix))?;
    let rest = &text[prefix.len()..];
    let inside = rest.trim_start_matches('#');
    let hashes = &rest[..rest.len() - inside.len()];
    let begin = prefix.len() + hashes.len() + 1;
    inside.starts_with('"').then(|| {
        let end = format!("\"{hashes}");
        let found = text[begin..].find(&end);
        found.map_or(text.len(), |at| begin + at + end.len())
    })
}

fn until_quote(text: &str, quote: char) -> usize {
    let mut escaped = false;
    let end = text.char_indices().skip(1).find(|(_, letter)| {
        let found = *letter == quote && !escaped;
        escaped = *letter == '\\' && !escaped;
        found
    });
    end.map_or(text.len(), |(at, _)| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, code: &str, comments: &str) {
        assert_eq!(keep(&[Part::Code], text), code);
        assert_eq!(keep(&[Part::Comment], text), comments);
    }

    #[test]
    fn comments_and_code_keep_their_places() {
        check(
            "a // b\n/* c /* d */ e */ f\n",
            "a     \n                  f\n",
            "  // b\n/* c /* d */ e */  \n",
        );
    }

    #[test]
    fn literals_are_neither_code_nor_comment() {
        check(r#"a("// \" b", c)"#, "a(         , c)", "               ");
        check("r#\"a\" // b\"# c", "             c", "              ");
        check("br\"\\\" a", "      a", "       ");
        check("'\"' a '\\'' b", "    a      b", "            ");
        check("é \"é\" é", "é      é", "          ");
    }

    #[test]
    fn lifetimes_and_words_that_end_in_r_are_code() {
        check("<'a, 'b> for\"x\"", "<'a, 'b> for   ", "               ");
    }

    #[test]
    fn unclosed_literal_reaches_to_the_end() {
        check("a \"b", "a   ", "    ");
        check("a r#\"b", "a     ", "      ");
    }

    #[test]
    fn items_of_tests_are_blanked_out() {
        let text = "a\n#[cfg(test)]\nmod tests { fn f() {} }\nb\n#[cfg(test)]\nmod c;\nd // é\n";

        assert_eq!(
            without_tests(text).split_whitespace().collect::<Vec<_>>(),
            ["a", "b", "d", "//", "é"]
        );
        assert_eq!(without_tests(text).lines().nth(3), Some("b"));
    }
}
