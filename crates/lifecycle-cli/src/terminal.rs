//! Text of others on a terminal.
//!
//! Names, messages, codes and ids come from clouds, proxies and files. Control characters in such a text
//! would steer the terminal, and invisible characters would show another text than the one that is
//! there. So [`plain`] is applied to everything that reaches a terminal.

use ::console::Term;

/// Returns the width of a terminal in columns; `None` for a stream that is no terminal, and for a terminal that reports a
/// width of 0 or 1, as terminals of some automation tools do.
pub(crate) fn width(terminal: &Term) -> Option<u16> {
    known_width(terminal.size_checked().map(|(_, columns)| columns))
}

/// Returns a reported width, unless no text fits into the width.
pub(crate) fn known_width(reported: Option<u16>) -> Option<u16> {
    reported.filter(|width| *width > 1)
}

/// Returns text of others as one line that shows every character. White space becomes a space; a control
/// character or an invisible character becomes the replacement character.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(visible).collect()
}

/// Returns [`plain`] text of at most `limit` characters, with an ellipsis in place of the rest.
pub(crate) fn shortened(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => plain(&text[..end]) + "…",
        None => plain(text),
    }
}

/// The longest code, id or name in characters. The longest ones of the clouds have 128.
pub(crate) const LONGEST_NAME: usize = 128;

/// The longest message in characters.
pub(crate) const LONGEST_MESSAGE: usize = 2_000;

/// Returns JSON in which every control character and every invisible character is escaped. The meaning
/// of the JSON does not change: these characters can occur only in strings.
pub(crate) fn escaped_json(json: &str) -> String {
    // Lists have up to a million rows, and nearly all of them are plain ASCII.
    if json.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return json.to_owned();
    }
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_control() || is_invisible(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                escaped.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            escaped.push(c);
        }
    }
    escaped
}

fn visible(c: char) -> char {
    match c {
        '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => ' ',
        c if c.is_control() || is_invisible(c) => char::REPLACEMENT_CHARACTER,
        c => c,
    }
}

/// Returns whether a character has no glyph: format characters such as the ones that change the
/// direction of a text, zero-width characters, separators of lines and paragraphs, tags, and fillers.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{600}'..='\u{605}'
            | '\u{61c}'
            | '\u{6dd}'
            | '\u{70f}'
            | '\u{8e2}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "\u{1b}[2J\u{1b}]0;T\u{7}\nfake\r\u{9b}31m\u{202e}A\u{2066}\u{200b}\u{2028}\u{85}\u{e0041}\u{7f}";

    #[test]
    fn plain_text_has_no_control_and_no_invisible_character() {
        assert_eq!(plain(HOSTILE), "�[2J�]0;T� fake �31m�A��  ��");
        assert_eq!(plain("实例 é ก็ 🚀 a\u{301}"), "实例 é ก็ 🚀 a\u{301}");
    }

    #[test]
    fn long_text_is_cut_at_a_character() {
        assert_eq!(shortened("实例abc", 3), "实例a…");
        assert_eq!(shortened("实例a", 3), "实例a");
    }

    #[test]
    fn escaped_json_has_the_same_meaning() {
        assert_eq!(escaped_json("{\"a\":1}"), "{\"a\":1}");
        let json = serde_json::to_string(HOSTILE).unwrap();
        let escaped = escaped_json(&json);
        assert_eq!(plain(&escaped), escaped, "nothing to hide");
        assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), HOSTILE);
    }

    #[test]
    fn terminal_without_columns_counts_as_none() {
        for (reported, width) in [
            (Some(0), None),
            (Some(1), None),
            (Some(2), Some(2)),
            (None, None),
        ] {
            assert_eq!(known_width(reported), width);
        }
    }
}
