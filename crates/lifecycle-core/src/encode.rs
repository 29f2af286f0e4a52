//! The common parts of all signatures: SHA-256, HMAC-SHA256, hexadecimal and percent-encoding.

use std::borrow::Cow;

use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use sha2::{Digest, Sha256};

/// Returns SHA-256 of `data`, as 64 lower-case hexadecimal digits.
pub fn sha256_hex(data: &[u8]) -> String {
    hex(&Sha256::digest(data))
}

/// Returns SHA-256 of the concatenation of `parts`, as 64 lower-case hexadecimal digits.
pub fn sha256_hex_of(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hex(&hash.finalize())
}

/// SHA-256 of an empty body, as 64 lower-case hexadecimal digits.
pub const SHA256_OF_NOTHING: &str =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Returns HMAC-SHA256 of `message` under `key`, as 64 lower-case hexadecimal digits.
pub fn hmac_sha256_hex(key: &[u8], message: &[u8]) -> String {
    hmac_hex(key, [message])
}

/// Returns HMAC-SHA256 of the concatenation of `parts` under `key`, as 64 lower-case hexadecimal digits.
pub fn hmac_sha256_hex_of(key: &[u8], parts: &[&str]) -> String {
    hmac_hex(key, parts.iter().map(|part| part.as_bytes()))
}

/// Returns the 32 bytes of HMAC-SHA256 of `message` under `key`. A derived key is the key of the next HMAC.
///
/// # Examples
/// ```
/// use lifecycle_core::encode::{hex, hmac_sha256, hmac_sha256_hex};
///
/// // A key for one day and one service, as in the signatures of several clouds.
/// let date = hmac_sha256(b"secret", b"20260101");
/// let service = hmac_sha256(&date, b"compute");
/// let signature = hmac_sha256_hex(&service, b"text to sign");
/// assert_eq!(hex(&hmac_sha256(&service, b"text to sign")), signature);
/// ```
pub fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    hmac_bytes(key, [message])
}

fn hmac_hex<'p>(key: &[u8], parts: impl IntoIterator<Item = &'p [u8]>) -> String {
    hex(&hmac_bytes(key, parts))
}

fn hmac_bytes<'p>(key: &[u8], parts: impl IntoIterator<Item = &'p [u8]>) -> [u8; 32] {
    #[expect(clippy::expect_used, reason = "HMAC accepts a key of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length is a key");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Returns `bytes` as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| nibble + if nibble < 10 { b'0' } else { b'a' - 10 };
    let digits = bytes
        .iter()
        .map(|byte| [digit(byte >> 4), digit(byte & 15)]);
    let digits: Vec<[u8; 2]> = digits.collect();
    // Digits are always UTF-8.
    String::from_utf8(digits.into_flattened()).unwrap_or_default()
}

/// Percent-encodes all characters except the unreserved characters of RFC 3986
/// (`A-Z a-z 0-9 - _ . ~`), in upper-case hexadecimal.
pub fn percent(text: &str) -> Cow<'_, str> {
    percent_encode(text.as_bytes(), RESERVED).into()
}

/// Returns whether `text` is what [`percent`] returns for an ASCII text. So only other texts need to be
/// decoded and encoded again, where a signature needs the one canonical form.
///
/// # Examples
/// ```
/// use lifecycle_core::encode::is_percent_encoded_ascii;
///
/// assert!(is_percent_encoded_ascii("i-1%2Ci-2"));
/// assert!(!is_percent_encoded_ascii("i-1,i-2"), "a reserved character");
/// assert!(!is_percent_encoded_ascii("i%2D1"), "a needless escape");
/// ```
pub fn is_percent_encoded_ascii(text: &str) -> bool {
    let is_unreserved =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    let all_unreserved = |bytes: &[u8]| bytes.iter().copied().all(is_unreserved);
    let mut parts = text.split('%');
    let plain = parts.next().unwrap_or_default();
    all_unreserved(plain.as_bytes())
        && parts.all(|part| match part.as_bytes() {
            [b'0'..=b'7', b'0'..=b'9' | b'A'..=b'F', rest @ ..] => {
                let escaped = u8::from_str_radix(&part[..2], 16);
                escaped.is_ok_and(|byte| !is_unreserved(byte)) && all_unreserved(rest)
            }
            _ => false,
        })
}

/// Percent-encodes a path: like [`percent`], but keeps `/`.
pub fn percent_path(path: &str) -> Cow<'_, str> {
    percent_encode(path.as_bytes(), RESERVED_IN_PATH).into()
}

const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

const RESERVED_IN_PATH: &AsciiSet = &RESERVED.remove(b'/');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_equal_the_published_test_cases() {
        // FIPS 180-4 "abc"; RFC 4231 test case 2.
        assert_eq!(
            sha256_hex(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(
            hmac_sha256_hex(b"Jefe", b"what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            hex(&hmac_sha256(b"Jefe", b"what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(sha256_hex(b""), SHA256_OF_NOTHING);
        // The parts of a text have the digest of the whole text.
        assert_eq!(sha256_hex_of(&["a", "", "bc"]), sha256_hex(b"abc"));
        assert_eq!(
            hmac_sha256_hex_of(b"Jefe", &["what do ya want ", "for nothing?"]),
            hmac_sha256_hex(b"Jefe", b"what do ya want for nothing?")
        );
    }

    #[test]
    fn percent_encoding_keeps_unreserved_characters_only() {
        assert_eq!(
            percent("a-b_c.d~e f+g*h%i/ü"),
            "a-b_c.d~e%20f%2Bg%2Ah%25i%2F%C3%BC"
        );
        assert_eq!(percent_path("/a b/c"), "/a%20b/c");
    }

    #[test]
    fn every_character_is_encoded_in_one_way() {
        for byte in 0..=127_u8 {
            let plain = char::from(byte).to_string();
            let (upper, lower) = (format!("%{byte:02X}"), format!("%{byte:02x}"));
            for text in [plain.as_str(), &upper, &lower] {
                let text = ["a", text, "z"].concat();
                let canonical = percent(&["a", &plain, "z"].concat()) == text;
                assert_eq!(is_percent_encoded_ascii(&text), canonical, "{text}");
            }
        }
        for text in [
            "%", "%2", "a%", "%2c", "%C3%BC", "%%2C", "%+C", "ü", "%2\u{fc}",
        ] {
            assert!(!is_percent_encoded_ascii(text), "{text}");
        }
        assert!(is_percent_encoded_ascii(""));
    }
}
