//! Tests of Alibaba's signature: every stage against values of the vendor's Python SDK, and
//! complete requests, verified like on a server.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use provider_testing::check_signing_vectors;
use serde::Deserialize;

use super::*;
use crate::wire::Query;

#[derive(Deserialize)]
struct Vector {
    method: String,
    path: String,
    query: Vec<(String, Option<String>)>,
    headers: BTreeMap<String, Option<String>>,
    body: Option<String>,
    access_key_id: String,
    access_key_secret: String,
    expected: Expected,
}

#[derive(Deserialize)]
struct Expected {
    canonical_request: String,
    string_to_sign: String,
    authorization: String,
}

#[test]
fn vectors() {
    check_signing_vectors(env!("CARGO_MANIFEST_DIR"), |vector| {
        let vector: Vector = match serde_json::from_value(vector.clone()) {
            Ok(vector) => vector,
            Err(error) => return vec![error.to_string()],
        };
        let (computed, expected) = (computed(&vector), &vector.expected);
        let mut differences = Vec::new();
        for (stage, computed, expected) in [
            (
                "canonical_request",
                computed.canonical_request,
                &expected.canonical_request,
            ),
            (
                "string_to_sign",
                computed.string_to_sign,
                &expected.string_to_sign,
            ),
            (
                "authorization",
                computed.authorization,
                &expected.authorization,
            ),
        ] {
            if computed != *expected {
                differences.push(format!("{stage} is {computed:?}, not {expected:?}"));
            }
        }
        differences
    });
}

fn computed(vector: &Vector) -> Expected {
    let query = vector
        .query
        .iter()
        .fold(Query::default(), |query, (key, value)| match value {
            Some(value) => query.with(key, value),
            None => query,
        });
    let headers: Vec<(&str, &str)> = vector
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.as_deref()?)))
        .collect();
    let signed_headers = canonical_headers(&headers);
    let query = query.canonical();
    let payload = payload_hash(vector.body.as_deref().unwrap_or_default().as_bytes());
    let canonical_request = canonical_request(
        &vector.method,
        &vector.path,
        &query,
        &signed_headers,
        &payload,
    );
    let hash = encode::sha256_hex_of(&canonical_request);
    let string_to_sign = string_to_sign(&hash);
    let authorization = authorization(
        &vector.access_key_id,
        &vector.access_key_secret,
        &signed_headers.names,
        &string_to_sign,
    );
    Expected {
        canonical_request: canonical_request.concat(),
        string_to_sign: string_to_sign.concat(),
        authorization,
    }
}

#[test]
fn values_of_a_repeated_header_are_joined_in_order() {
    let headers = canonical_headers(&[("X-Note", " b "), ("HOST", "h"), ("x-note", "a")]);
    assert_eq!(headers.lines, "host:h\nx-note:a,b\n");
    assert_eq!(headers.names, "host;x-note");
}

#[test]
fn secret_headers_are_sensitive_and_faults_do_not_show_them() {
    let endpoint = Endpoint::parse("ecs.cn-beijing.aliyuncs.com").unwrap();
    let unsigned =
        UnsignedRequest::new("StartInstance", http::Method::POST, "/").with_query("InstanceId=i-1");
    let ctx = SigningContext::from_unix(1_517_212_800, 10);

    let key = Credential::session("id", "hidden-secret", "hidden-token");
    let request = sign(&endpoint, &unsigned, &key, &ctx).unwrap();
    let shown = format!("{request:?}");
    assert!(
        !shown.contains("hidden") && !shown.contains("Signature="),
        "{shown}"
    );
    assert_eq!(request.headers()["x-acs-security-token"], "hidden-token");
    assert_eq!(request.headers()["x-acs-accesskey-id"], "id");

    for key in [
        Credential::keys("i\nd", "hidden"),
        Credential::session("id", "hidden", "hidd\u{7}en"),
        Credential::token("hidden"),
    ] {
        let fault = sign(&endpoint, &unsigned, &key, &ctx).unwrap_err();
        assert_eq!(fault.kind(), FaultKind::Credential);
        assert!(!format!("{fault} {fault:?}").contains("hidd"), "{fault:?}");
    }
}

/// Verifies a signature like a server, from the received request only.
pub(crate) fn verify(request: &http::Request<Bytes>, secret: &str) {
    let header = |name: &str| request.headers()[name].to_str().unwrap();
    let authorization = header("authorization")
        .strip_prefix("ACS3-HMAC-SHA256 Credential=")
        .unwrap();
    let (_, rest) = authorization.split_once(",SignedHeaders=").unwrap();
    let (names, signature) = rest.split_once(",Signature=").unwrap();
    for name in request.headers().keys().map(HeaderName::as_str) {
        let must = name == "host" || name == "content-type" || name.starts_with("x-acs-");
        assert!(
            !must || names.split(';').any(|signed| signed == name),
            "{name}"
        );
    }
    let hash = encode::sha256_hex(request.body());
    assert_eq!(header("x-acs-content-sha256"), hash);

    let query = decoded_query(request.uri());
    let query: Vec<String> = query
        .iter()
        .map(|(key, value)| format!("{key}={}", encode::percent(value)))
        .collect();
    let mut text = format!("{}\n/\n{}\n", request.method(), query.join("&"));
    for name in names.split(';') {
        text += &format!("{name}:{}\n", header(name));
    }
    text += &format!("\n{names}\n{hash}");
    let text = format!("ACS3-HMAC-SHA256\n{}", encode::sha256_hex(text.as_bytes()));
    let expected = encode::hmac_sha256_hex(secret.as_bytes(), text.as_bytes());
    assert_eq!(signature, expected, "{request:?}");
}

/// Returns the decoded and sorted parameters of a request.
pub(crate) fn decoded_query(uri: &http::Uri) -> BTreeMap<String, String> {
    let decode = |text| percent_decode_str(text).decode_utf8().unwrap().into_owned();
    let pairs = uri.query().unwrap_or_default().split('&');
    pairs
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap();
            (decode(key), decode(value))
        })
        .collect()
}
