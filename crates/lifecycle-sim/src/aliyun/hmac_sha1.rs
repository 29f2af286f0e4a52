//! HMAC-SHA1, the digest of Alibaba's older signature.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// Returns the HMAC-SHA1 of `message` under `key` (RFC 2104), in Base64.
pub(super) fn hmac_sha1_base64(key: &[u8], message: &[u8]) -> String {
    #[expect(clippy::expect_used, reason = "HMAC accepts a key of any length")]
    let mut mac = Hmac::<Sha1>::new_from_slice(key).expect("key of any length");
    mac.update(message);
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_test_case_has_the_published_digest() {
        // RFC 2202, test cases 2 and 6.
        assert_eq!(
            hmac_sha1_base64(b"Jefe", b"what do ya want for nothing?"),
            "7/zfauXrL6LSdBbV8YTfnCWafHk="
        );
        assert_eq!(
            hmac_sha1_base64(
                &[0xaa; 80],
                b"Test Using Larger Than Block-Size Key - Hash Key First"
            ),
            "qkrl4VJy0A6VcFY3zoo7Ve1AIRI="
        );
    }
}
