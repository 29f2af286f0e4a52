//! The search for one secret in all its spellings.

use std::fmt;

use memchr::{memchr, memchr3, memmem};

use crate::Secret;

/// One secret to find.
pub(super) struct Pattern(Secret);

/// The memory of a search, which all searches in one text share: a search starts at each escape of the text.
#[derive(Debug, Default)]
pub(super) struct Ends {
    /// The positions at which the characters so far can end.
    now: Vec<usize>,
    /// The positions at which the next character can end.
    next: Vec<usize>,
}

/// The positions at which a spelling of one of several secrets can start.
#[derive(Default)]
pub(super) struct Starts {
    /// A bit for each byte with which a spelling can start.
    bytes: [u64; 4],
    /// The largest number of backslashes between the beginning of a spelling and the first byte after these
    /// backslashes.
    most_backslashes: usize,
}

impl Starts {
    pub(super) fn add(&mut self, pattern: &Pattern) {
        let secret = pattern.0.expose();
        for byte in secret.bytes().take(1).chain(*b"%\\&") {
            self.bytes[usize::from(byte / 64)] |= 1 << (byte % 64);
        }
        let own = secret.bytes().take_while(|byte| *byte == b'\\').count();
        self.most_backslashes = self.most_backslashes.max(MOST_BACKSLASHES * (own + 1));
    }

    /// Returns the first start in `text` from `at` on.
    pub(super) fn next_in(&self, text: &[u8], at: usize) -> Option<usize> {
        let is_start = |byte: &u8| self.bytes[usize::from(byte / 64)] >> (byte % 64) & 1 == 1;
        text[at..].iter().position(is_start).map(|next| at + next)
    }

    /// Returns the next position to search after `start`, where no secret starts: of a long run of
    /// backslashes, only the last ones belong to a secret.
    pub(super) fn after(&self, text: &[u8], start: usize) -> usize {
        let run = text[start..].iter().take_while(|byte| **byte == b'\\');
        start + run.count().saturating_sub(self.most_backslashes).max(1)
    }
}

impl Pattern {
    pub(super) fn new(secret: &str) -> Self {
        Self(Secret::new(secret))
    }

    pub(super) fn len(&self) -> usize {
        self.0.expose().len()
    }

    /// Returns the end of the secret that starts at `at`; `None` if no spelling of the secret starts
    /// there.
    pub(super) fn end_of_match(&self, text: &[u8], at: usize, ends: &mut Ends) -> Option<usize> {
        let end = self.end_of_spelling(text, at, ends)?;
        let is_alone = || starts_word(text, at) && ends_word(text, end);
        (self.len() >= LONG || is_alone()).then_some(end)
    }

    /// Returns whether `text` contains the secret as plain text.
    pub(super) fn is_plainly_in(&self, text: &[u8]) -> bool {
        memmem::find(text, self.0.expose().as_bytes()).is_some()
    }

    fn end_of_spelling(&self, text: &[u8], at: usize, ends: &mut Ends) -> Option<usize> {
        let secret = self.0.expose();
        let pairs = secret.bytes().zip(&text[at..]);
        let same = pairs
            .take_while(|(expected, found)| expected == *found)
            .count();
        if same == secret.len() {
            return Some(at + same);
        }
        // Bytes other than escapes have one spelling, so most texts differ here for good.
        let before_difference = &text[at..text.len().min(at + same + 1)];
        match has_escape(before_difference) {
            true => self.end_of_escaped(text, at, ends),
            false => None,
        }
    }

    /// Returns the end of the longest spelling of the secret at `at`, which may contain escapes.
    fn end_of_escaped(&self, text: &[u8], at: usize, ends: &mut Ends) -> Option<usize> {
        // A character has several spellings, and a spelling can be the start of a longer one. So the
        // search follows all positions at which the characters so far can end.
        let Ends { now, next } = ends;
        now.clear();
        now.push(at);
        for c in self.0.expose().chars() {
            next.clear();
            for end in &*now {
                push_ends(c, text, *end, next);
            }
            if next.is_empty() {
                return None;
            }
            std::mem::swap(now, next);
        }
        now.iter().max().copied()
    }
}

/// The length from which a secret is replaced inside a longer word, too. A shorter secret may be a part
/// of another text by chance.
const LONG: usize = 16;

/// The percent sign of an escape, encoded once to three times.
const PERCENT: [&[u8]; 3] = [b"%", b"%25", b"%2525"];

/// The most backslashes of one escape: JSON inside JSON has twice as many at each level. The limit keeps the
/// search in a text of backslashes alone linear.
const MOST_BACKSLASHES: usize = 16;

/// Returns whether `text` contains a byte with which an escape can start. A plus sign is the escape of a
/// blank.
pub(super) fn has_escape(text: &[u8]) -> bool {
    memchr3(b'%', b'\\', b'&', text).is_some() || memchr(b'+', text).is_some()
}

/// Returns whether no letter or digit stands before `at`. The last digit of an escape is none.
fn starts_word(text: &[u8], at: usize) -> bool {
    // The starts of an escape, and its digits.
    const HEX: [(&[&[u8]], usize); 3] = [(&PERCENT, 2), (&[b"\\x"], 2), (&[b"u"], 4)];
    let before = &text[..at];
    let ends_hex = HEX.iter().any(|(starts, digits)| {
        let split = before.len().checked_sub(*digits);
        split.is_some_and(|split| {
            let (before, digits) = before.split_at(split);
            digits.iter().all(u8::is_ascii_hexdigit)
                && starts.iter().any(|start| before.ends_with(start))
        })
    });
    let is_short_escape = matches!(
        before,
        [.., b'\\', b'n' | b'r' | b't' | b'b' | b'f']
            | [.., b'\\', b'0'..=b'3', b'0'..=b'7', b'0'..=b'7']
    );
    !before.last().is_some_and(u8::is_ascii_alphanumeric) || ends_hex || is_short_escape
}

/// Returns whether no letter or digit stands at `end`.
fn ends_word(text: &[u8], end: usize) -> bool {
    !text.get(end).is_some_and(u8::is_ascii_alphanumeric)
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Leaves out the bytes: one of them is the first of a secret.
impl fmt::Debug for Starts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Starts").finish_non_exhaustive()
    }
}

/// Adds the ends of all spellings of `c` at `at`.
fn push_ends(c: char, text: &[u8], at: usize, ends: &mut Vec<usize>) {
    let mut add = |end: usize| {
        if !ends.contains(&end) {
            ends.push(end);
        }
    };
    let mut utf8 = [0; 4];
    let utf8 = c.encode_utf8(&mut utf8).as_bytes();
    if text[at..].starts_with(utf8) {
        add(at + utf8.len());
    }
    match text.get(at) {
        Some(b'%') => after_percent(utf8, text, at).for_each(add),
        Some(b'\\') => after_backslash(c, text, at).for_each(add),
        Some(b'&') => after_entity(c, text, at).into_iter().for_each(add),
        Some(b'+') if c == ' ' => add(at + 1),
        _ => {}
    }
}

/// Returns the ends of percent-encoded UTF-8, encoded once to three times.
fn after_percent<'t>(
    utf8: &'t [u8],
    text: &'t [u8],
    at: usize,
) -> impl Iterator<Item = usize> + 't {
    PERCENT.into_iter().filter_map(move |percent| {
        utf8.iter().try_fold(at, |at, byte| {
            let digits = text.get(at..)?.strip_prefix(percent)?.get(..2)?;
            (hex(digits)? == u32::from(*byte)).then_some(at + percent.len() + 2)
        })
    })
}

/// Returns the ends of a JSON escape. JSON inside JSON has further backslashes.
fn after_backslash(c: char, text: &[u8], at: usize) -> impl Iterator<Item = usize> {
    let run = backslashes(&text[at..]);
    let rest = &text[at + run..];
    let escape = match rest {
        [b'u', digits @ ..] => unicode_escape(digits).filter(|(found, _)| *found == c),
        [byte @ (b'"' | b'\'' | b'/'), ..] => (char::from(*byte) == c).then_some((c, 0)),
        _ => None,
    };
    let escaped = escape.map(|(_, len)| at + run + 1 + len);
    // Each level of JSON doubles a backslash of the secret.
    let doubled = [2, 4, 8, MOST_BACKSLASHES].into_iter();
    let doubled = doubled.filter(move |len| c == '\\' && *len <= run);
    escaped.into_iter().chain(doubled.map(move |len| at + len))
}

/// Returns the number of backslashes at the beginning of `text`, up to the most of one escape.
fn backslashes(text: &[u8]) -> usize {
    let text = text.iter().take(MOST_BACKSLASHES);
    text.take_while(|byte| **byte == b'\\').count()
}

/// Returns the character of the digits after `\u`, and the length up to its end. A character above
/// U+FFFF has two escapes.
fn unicode_escape(digits: &[u8]) -> Option<(char, usize)> {
    let first = hex(digits.get(..4)?)?;
    if let Some(c) = char::from_u32(first) {
        return Some((c, 4));
    }
    let rest = digits.get(4..)?;
    let slashes = backslashes(rest);
    let second = hex(rest.get(slashes..)?.strip_prefix(b"u")?.get(..4)?)?;
    let low = second.checked_sub(0xDC00).filter(|low| *low < 0x400)?;
    let c = char::from_u32(0x1_0000 + ((first - 0xD800) << 10) + low)?;
    Some((c, 4 + slashes + 1 + 4))
}

/// Returns the end of an XML or HTML entity.
fn after_entity(c: char, text: &[u8], at: usize) -> Option<usize> {
    const LONGEST: usize = 10;
    let window = &text[at..text.len().min(at + LONGEST)];
    let len = window.iter().position(|byte| *byte == b';')?;
    let found = match &window[1..len] {
        b"amp" => '&',
        b"lt" => '<',
        b"gt" => '>',
        b"quot" => '"',
        b"apos" => '\'',
        [b'#', b'x' | b'X', digits @ ..] => char::from_u32(hex(digits)?)?,
        [b'#', digits @ ..] => {
            let number = std::str::from_utf8(digits).ok()?;
            char::from_u32(number.parse().ok()?)?
        }
        _ => return None,
    };
    (found == c).then_some(at + len + 1)
}

/// Returns the number that the hexadecimal `digits` stand for.
fn hex(digits: &[u8]) -> Option<u32> {
    let number = digits.iter().try_fold(0_u32, |number, digit| {
        let digit = char::from(*digit).to_digit(16)?;
        number.checked_mul(16)?.checked_add(digit)
    });
    number.filter(|_| !digits.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Few letters, so that many texts contain many spellings of a part of the secret.
        #[test]
        fn short_cuts_find_what_the_full_search_finds(
            secret in "[ab2&%+ \\\\ä]{1,4}",
            text in "([ab2&%+ \\\\;ä]|%25|%61|%20|&amp;|\\\\u0061){0,12}",
        ) {
            let pattern = Pattern::new(&secret);
            let text = text.as_bytes();
            let full = |at: usize| match text[at..].starts_with(secret.as_bytes()) {
                true => Some(at + secret.len()),
                false => pattern.end_of_escaped(text, at, &mut Ends::default()),
            };
            let mut ends = Ends::default();
            for at in 0..text.len() {
                let found = pattern.end_of_spelling(text, at, &mut ends);
                prop_assert_eq!(found, full(at), "at {}", at);
            }
            let is_found = (0..text.len()).any(|at| full(at).is_some());
            prop_assert!(has_escape(text) || pattern.is_plainly_in(text) == is_found);
        }
    }

    #[test]
    fn spelling_ends_after_its_last_byte() {
        for (secret, text, expected) in [
            ("ab-1", "ab-12", Some(4)),
            ("ab-1", "ab-2", None),
            ("ab-1", "ab-", None),
            // Percent-encoded once to three times.
            ("a/b", "a%2Fb", Some(5)),
            ("a/b", "a%2fb", Some(5)),
            ("a/b", "a%252Fb", Some(7)),
            ("a/b", "a%25252Fb", Some(9)),
            ("a/b", "a%2525252Fb", None),
            ("a/b", "a%2Eb", None),
            ("a/b", "a%2", None),
            ("ä", "%C3%A4", Some(6)),
            ("ä", "%C3%", None),
            ("a b", "a+b", Some(3)),
            ("a b", "a%20b", Some(5)),
            ("a-b", "a+b", None),
            // JSON, and JSON inside JSON.
            (r"\a", r"\a", Some(2)),
            (r"\a", r"\\a", Some(3)),
            (r"\a", r"\\\\a", Some(5)),
            (r"S3cret\word", r"S3cret\\word", Some(12)),
            (r"S3cret\word", r"S3cret\\xxword", None),
            ("\"", r#"\""#, Some(2)),
            ("'", r"\'", Some(2)),
            ("/", r"\/", Some(2)),
            ("/", r"\\\/", Some(4)),
            ("/", r"\'", None),
            ("ä", r"\u00e4", Some(6)),
            ("ä", r"\\u00E4", Some(7)),
            ("ä", r"\u00e5", None),
            ("ä", r"\u00e", None),
            ("😀", r"\ud83d\ude00", Some(12)),
            ("😀", r"\\uD83D\\uDE00", Some(14)),
            ("😀", r"\ud83d\ude01", None),
            ("😀", r"\ud83d", None),
            // XML and HTML.
            ("&b", "&amp;b", Some(6)),
            ("<", "&lt;", Some(4)),
            (">", "&gt;", Some(4)),
            ("\"", "&quot;", Some(6)),
            ("'", "&apos;", Some(6)),
            ("'", "&#39;", Some(5)),
            ("'", "&#x27;", Some(6)),
            ("'", "&#X27;", Some(6)),
            ("<", "&gt;", None),
            ("<", "&lt", None),
            ("<", "&;", None),
            ("<", "&less;", None),
            // The longest entity has 10 bytes.
            ("'", "&#0000039;", Some(10)),
            ("'", "&#00000039;", None),
        ] {
            let (pattern, mut ends) = (Pattern::new(secret), Ends::default());
            for before in ["", "1", "1234567"] {
                let text = format!("{before}{text}");
                let end = pattern.end_of_spelling(text.as_bytes(), before.len(), &mut ends);
                assert_eq!(end, expected.map(|end| before.len() + end), "{text}");
            }
        }
    }

    /// A search starts at each backslash of a text, so a search must not read a whole run.
    #[test]
    fn search_reads_a_bounded_part_of_a_long_run_of_backslashes() {
        let run = r"\".repeat(16 << 20);
        assert_eq!(backslashes(run.as_bytes()), MOST_BACKSLASHES);
        assert_eq!(backslashes(br"\\\u"), 3);
        let mut found = Vec::new();
        push_ends('\\', run.as_bytes(), 7, &mut found);
        found.sort_unstable();
        assert_eq!(found, [8, 9, 11, 15, 23]);
        found.clear();
        push_ends('"', run.as_bytes(), 7, &mut found);
        assert_eq!(found, [0; 0]);
        let pair = format!(r"d83d{run}ude00");
        assert_eq!(unicode_escape(pair.as_bytes()), None);

        let (pattern, mut ends) = (Pattern::new(r"\\a"), Ends::default());
        let text = format!("{}a", r"\".repeat(2 * MOST_BACKSLASHES));
        for (text, expected) in [
            (&*run, None),
            (&text, Some(text.len())),
            (&format!(r"\{text}"), None),
        ] {
            let end = pattern.end_of_spelling(text.as_bytes(), 0, &mut ends);
            assert_eq!(end, expected);
            assert!(ends.now.capacity() <= 64 && ends.next.capacity() <= 64);
        }
    }

    #[test]
    fn character_above_ffff_is_read_from_two_escapes() {
        for (digits, expected) in [
            ("00C4", Some(('Ä', 4))),
            ("00c4\\u0041", Some(('Ä', 4))),
            (r"d83d\ude00", Some(('😀', 10))),
            (r"D83D\\\uDE00", Some(('😀', 12))),
            (r"d800\udc00", Some(('\u{10000}', 10))),
            (r"dbff\udfff", Some(('\u{10ffff}', 10))),
            // The second escape is not the second half of a pair.
            (r"d83d\u0041", None),
            (r"d83d\udbff", None),
            (r"d83d\ue000", None),
            (r"d83d\nde00", None),
            ("d83d", None),
            ("00g4", None),
            ("00c", None),
        ] {
            assert_eq!(unicode_escape(digits.as_bytes()), expected, "{digits}");
        }
    }

    #[test]
    fn number_has_hexadecimal_digits_only() {
        for (digits, expected) in [
            ("4a", Some(0x4a)),
            ("00FF", Some(0xff)),
            ("", None),
            ("+f", None),
            ("-f", None),
            ("0g", None),
        ] {
            assert_eq!(hex(digits.as_bytes()), expected, "{digits}");
        }
    }

    #[test]
    fn escape_starts_with_one_of_four_characters() {
        for text in ["a%", r"a\", "a&", "a+"] {
            assert!(has_escape(text.as_bytes()), "{text}");
        }
        for text in ["", "a", "ä-/=;'\""] {
            assert!(!has_escape(text.as_bytes()), "{text}");
        }
    }
}
