//! The V1 signature, `HMAC-SHA1`, which STS requires, in the order of the vendor's page:
//! <https://www.alibabacloud.com/help/en/sdk/product-overview/rpc-mechanism>

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use lifecycle_core::{Credential, Fault, FaultKind, Secret, SigningContext, encode};
use sha1::Sha1;

use crate::wire::Query;

/// Returns the signed query of a GET to `/`. The query holds the session token of a temporary key.
pub(super) fn signed_query(
    parameters: Query<'_>,
    key: &Credential,
    ctx: &SigningContext,
) -> Result<SignedQuery, Fault> {
    let Credential::Keys {
        id,
        secret,
        session,
    } = key
    else {
        return Err(Fault::new(
            FaultKind::Credential,
            "Alibaba Cloud STS requires an access key; a token alone is not accepted",
        ));
    };
    let parameters = parameters
        .with("AccessKeyId", id)
        .with("SignatureMethod", "HMAC-SHA1")
        .with("SignatureNonce", &ctx.nonce())
        .with("SignatureVersion", "1.0")
        .with("Timestamp", &ctx.extended());
    let parameters = match session {
        Some(session) => parameters.with("SecurityToken", session.expose()),
        None => parameters,
    };
    let query = parameters.canonical();
    let signature = signature(secret.expose(), &string_to_sign("GET", &query));
    Ok(SignedQuery {
        query: format!("{query}&Signature={}", encode::percent(&signature)),
        signature: Secret::new(signature),
    })
}

/// A query with its signature.
pub(super) struct SignedQuery {
    /// The percent-encoded query, including the signature.
    pub(super) query: String,
    /// The signature alone.
    pub(super) signature: Secret,
}

/// Encodes the canonical query a second time, as the vendor's page requires.
fn string_to_sign(method: &str, canonical_query: &str) -> String {
    format!("{method}&%2F&{}", encode::percent(canonical_query))
}

/// Signs with the secret followed by an ampersand as the HMAC key.
fn signature(secret: &str, string_to_sign: &str) -> String {
    #[expect(clippy::expect_used, reason = "HMAC accepts a key of any length")]
    let mut mac =
        Hmac::<Sha1>::new_from_slice(format!("{secret}&").as_bytes()).expect("a key of any length");
    mac.update(string_to_sign.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Vectors {
        v1: Vec<Vector>,
    }

    #[derive(Deserialize)]
    struct Vector {
        name: String,
        method: String,
        query: Vec<(String, String)>,
        body_params: Vec<(String, String)>,
        access_key_secret: String,
        expected: Expected,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Expected {
        canonical_query: String,
        string_to_sign: String,
        signature: String,
    }

    /// The example of the vendor's page, and values that the vendor's Python SDK computed.
    #[test]
    fn v1_signature_matches_every_vector() {
        let text = include_str!("../../tests/vectors/signing.json");
        let vectors: Vectors = serde_json::from_str(text).unwrap();
        assert!(!vectors.v1.is_empty());
        for vector in &vectors.v1 {
            let parameters = vector.query.iter().chain(&vector.body_params);
            let canonical_query = parameters
                .fold(Query::default(), |query, (key, value)| {
                    query.with(key, value)
                })
                .canonical();
            let string_to_sign = string_to_sign(&vector.method, &canonical_query);
            let signature = signature(&vector.access_key_secret, &string_to_sign);
            let computed = Expected {
                canonical_query,
                string_to_sign,
                signature,
            };
            assert_eq!(computed, vector.expected, "{}", vector.name);
        }
    }
}
