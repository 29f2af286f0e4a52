//! `tidy`: splits a Rust file into code, comments and literals, and replaces unwanted parts with blanks.

use std::ops::Range;

/// The kind of a part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Code,
    Comment,
    /// A string or a character, with the quotes and with the prefix of a raw string.
    Literal,
}

/// Returns the text with blanks in place of all parts except `wanted`. Each kept byte stays at the
/// same place.
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

/// Returns the text with blanks in place of each item with `#[cfg(test)]`. An item ends at the first `;` or
/// `}` outside of braces, which is enough for the items of this repository.
pub(super) fn without_tests(text: &str) -> String {
    const CFG_TEST: &str = "#[cfg(test)]";
    let code = keep(&[Part::Code], text);
    let mut result = text.to_owned();
    let mut at = 0;
    while let Some(begin) = code[at..].find(CFG_TEST).map(|found| at + found) {
        let mut depth = 0;
        let end = code[begin + CFG_TEST.len()..]
            .char_indices()
            .find(|(_, c)| {
                depth += isize::from(*c == '{') - isize::from(*c == '}');
                depth == 0 && [';', '}'].contains(c)
            });
        at = end.map_or(code.len(), |(end, _)| begin + CFG_TEST.len() + end + 1);
        result.replace_range(begin..at, &blank(&code[begin..at]));
    }
    result
}

/// Replaces all bytes except line ends with blanks.
fn blank(text: &str) -> String {
    let blank = |byte| if byte == b'\n' { '\n' } else { ' ' };
    text.bytes().map(blank).collect()
}

/// Returns the parts of a file, in order.
fn parts(text: &str) -> Vec<(Part, Range<usize>)> {
    let mut parts: Vec<(Part, Range<usize>)> = Vec::new();
    let (mut code_begin, mut at) = (0, 0);
    let can_start_part = |byte| [b'/', b'"', b'\''].contains(&byte);
    while let Some(found) = text.as_bytes()[at..]
        .iter()
        .position(|byte| can_start_part(*byte))
    {
        at += found;
        let rest = &text[at..];
        let (part, begin, end) = if rest.starts_with("//") {
            (
                Part::Comment,
                at,
                at + rest.find('\n').unwrap_or(rest.len()),
            )
        } else if rest.starts_with("/*") {
            (Part::Comment, at, at + block_comment_length(rest))
        } else if let Some(range) = literal_range(text, at) {
            (Part::Literal, range.start, range.end)
        } else {
            at += 1;
            continue;
        };
        parts.push((Part::Code, code_begin..begin));
        parts.push((part, begin..end));
        (code_begin, at) = (end, end);
    }
    parts.push((Part::Code, code_begin..text.len()));
    parts
}

/// Returns the length of a `/* */` comment, which may contain other comments.
fn block_comment_length(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let (step, change) = match &text[at..] {
            rest if rest.starts_with("/*") => (2, 1),
            rest if rest.starts_with("*/") => (2, -1),
            _ => (c.len_utf8(), 0),
        };
        at += step;
        depth += change;
        if depth == 0 {
            break;
        }
    }
    at
}

/// Returns the range of the literal whose opening quote is at `at`, with the prefix (`r`, `br`,
/// `cr`) and the hashes of a raw string. Returns `None` if no literal starts at `at`, for example at a
/// lifetime or a division.
fn literal_range(text: &str, at: usize) -> Option<Range<usize>> {
    let rest = &text[at..];
    if let Some(inside) = rest.strip_prefix('\'') {
        // `'a'` is a character, `'a` a lifetime: a character has a quote after one letter or an escape.
        let mut letters = inside.chars();
        let is_character = letters.next()? == '\\' || letters.next() == Some('\'');
        return is_character.then(|| at..at + quoted_length(rest, '\''));
    }
    if !rest.starts_with('"') {
        return None;
    }
    let before = text[..at].trim_end_matches('#');
    let hashes = &text[before.len()..at];
    let start = before
        .trim_end_matches(|c: char| c.is_alphanumeric() || c == '_')
        .len();
    let is_raw = ["r", "br", "cr"].contains(&&before[start..]);
    if !is_raw {
        return Some(at..at + quoted_length(rest, '"'));
    }
    let end = format!("\"{hashes}");
    let length = rest[1..]
        .find(&end)
        .map_or(rest.len(), |found| 1 + found + end.len());
    Some(start..at + length)
}

/// Returns the length of a literal, up to and including the closing quote.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    let end = text.char_indices().skip(1).find(|(_, c)| {
        let found = *c == quote && !escaped;
        escaped = *c == '\\' && !escaped;
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
