//! Tests of Zenlayer's signature: every stage against recorded vectors, and complete requests,
//! verified like on a server.

use lifecycle_core::Provider;
use provider_testing::{check_signing_vectors, read_vectors};
use serde_json::Value;

use super::*;
use crate::{Config, Zenlayer};

#[test]
fn vectors() {
    check_signing_vectors(env!("CARGO_MANIFEST_DIR"), differences);
}

/// Returns the stages whose text differs from the recorded text.
fn differences(vector: &Value) -> Vec<String> {
    let text = |field: &str| vector[field].as_str().unwrap();
    let context = SigningContext::from_unix(vector["timestamp"].as_i64().unwrap(), 0);
    let payload_hash = encode::sha256_hex(text("body").as_bytes());
    let canonical = canonical_request(
        header(vector, "content-type"),
        header(vector, "host"),
        &payload_hash,
    );
    let (timestamp, hash) = (
        context.unix().to_string(),
        encode::sha256_hex_of(&canonical),
    );
    let string_to_sign = string_to_sign(&timestamp, &hash);
    let signature = signature(text("access_key_password"), &string_to_sign);
    let authorization = authorization(text("access_key_id"), &signature);

    let mut differences = Vec::new();
    for (stage, expected) in vector["expected"].as_object().unwrap() {
        let computed: &str = match stage.as_str() {
            "payload_hash" => &payload_hash,
            "canonical_request" => &canonical.concat(),
            "string_to_sign" => &string_to_sign.concat(),
            "signature" => &signature,
            "authorization" => &authorization,
            _ => "a stage without a test",
        };
        if expected != computed {
            differences.push(stage.clone());
        }
    }
    if is_signed_like_sign(vector) {
        let unsigned =
            UnsignedRequest::new("vector", text("method").parse().unwrap(), text("path"))
                .with_body(text("body").to_owned());
        let key = Credential::keys(text("access_key_id"), text("access_key_password"));
        let request = provider(text("host"))
            .sign(&unsigned, &key, &context)
            .unwrap();
        if request.headers()["authorization"] != authorization {
            differences.push("request".to_owned());
        }
    }
    differences
}

/// Returns whether `sign` has the content type and the host of this vector.
fn is_signed_like_sign(vector: &Value) -> bool {
    let endpoint = Endpoint::parse(header(vector, "host"));
    header(vector, "content-type") == JSON
        && endpoint.is_ok_and(|endpoint| endpoint.authority() == header(vector, "host"))
        && vector["path"].as_str().unwrap().starts_with('/')
}

fn header<'a>(vector: &'a Value, name: &str) -> &'a str {
    let mut headers = vector["headers"].as_array().unwrap().iter();
    let header = headers.find(|header| header[0].as_str().unwrap().eq_ignore_ascii_case(name));
    header.unwrap()[1].as_str().unwrap()
}

#[test]
fn all_but_three_vectors_are_compared_with_complete_requests() {
    let vectors = read_vectors(env!("CARGO_MANIFEST_DIR"), "signing.json");
    let vectors = vectors.as_array().unwrap().iter();
    let others: Vec<&str> = vectors
        .filter(|vector| !is_signed_like_sign(vector))
        .map(|vector| vector["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        others,
        [
            "content_type_with_charset",
            "host_explicit_443",
            "vendor_document_example"
        ]
    );
}

#[test]
fn request_has_the_signed_headers_and_no_others() {
    let unsigned = start_request();
    let key = Credential::keys("AK", "SK");
    let request = provider("127.0.0.1:8080")
        .sign(
            &unsigned,
            &key,
            &SigningContext::from_unix(1_700_000_000, 0),
        )
        .unwrap();

    assert_eq!(request.method(), "POST");
    assert_eq!(request.uri(), "https://127.0.0.1:8080/api/v2/zec");
    assert_eq!(request.body(), &unsigned.body);
    assert_eq!(
        visible_headers(&request),
        [
            ("content-type", "application/json"),
            ("host", "127.0.0.1:8080"),
            ("x-zc-action", "StartInstances"),
            ("x-zc-service", "zec"),
            ("x-zc-signature-method", "ZC2-HMAC-SHA256"),
            ("x-zc-timestamp", "1700000000"),
            ("x-zc-version", "2025-09-01"),
        ]
    );
    let authorization = request.headers()["authorization"].to_str().unwrap();
    assert!(
        authorization.starts_with(
            "ZC2-HMAC-SHA256 Credential=AK, SignedHeaders=content-type;host, Signature="
        )
    );
    assert_eq!(verify(&request, "SK"), Ok(()));
}

#[test]
fn request_with_a_token_has_no_signature() {
    let request = provider("console.zenlayer.com")
        .sign(
            &start_request(),
            &Credential::token("to.ken"),
            &SigningContext::from_unix(1_700_000_000, 0),
        )
        .unwrap();
    assert_eq!(
        visible_headers(&request),
        [
            ("content-type", "application/json"),
            ("host", "console.zenlayer.com"),
            ("x-zc-action", "StartInstances"),
            ("x-zc-service", "zec"),
            ("x-zc-version", "2025-09-01"),
        ]
    );
    assert_eq!(request.headers()["authorization"], "Bearer to.ken");
}

/// Returns the headers that are not secret, sorted.
fn visible_headers(request: &Request<Bytes>) -> Vec<(&str, &str)> {
    let mut headers: Vec<(&str, &str)> = request
        .headers()
        .iter()
        .filter(|(_, value)| !value.is_sensitive())
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
        .collect();
    headers.sort_unstable();
    headers
}

#[test]
fn change_of_a_signed_part_invalidates_the_signature() {
    let provider = provider("console.zenlayer.com");
    let context = SigningContext::from_unix(1_700_000_000, 0);
    let key = Credential::keys("AK", "SK");
    let unsigned = start_request();
    let signed = |context: &SigningContext| provider.sign(&unsigned, &key, context).unwrap();
    assert_eq!(verify(&signed(&context), "SK"), Ok(()));
    assert!(verify(&signed(&context), "other").is_err());

    let mut other_body = signed(&context);
    *other_body.body_mut() = "{}".into();
    assert!(verify(&other_body, "SK").is_err());
    for (name, value) in [
        (&HOST, "elsewhere"),
        (&CONTENT_TYPE, "text/plain"),
        (&TIMESTAMP, "1700000001"),
    ] {
        let mut other_header = signed(&context);
        let headers = other_header.headers_mut();
        headers.insert(name, HeaderValue::from_static(value));
        assert!(verify(&other_header, "SK").is_err(), "{name}");
    }

    let later = signed(&SigningContext::from_unix(1_700_000_001, 0));
    assert_ne!(
        later.headers()["authorization"],
        signed(&context).headers()["authorization"],
        "each attempt has another signature"
    );
}

#[test]
fn unsupported_key_is_rejected_without_its_secret() {
    let provider = provider("console.zenlayer.com");
    for key in [
        Credential::session("AK", "hidden", "hidden"),
        Credential::keys("two\nlines", "hidden"),
        Credential::token("hidden\ntoken"),
    ] {
        let fault = provider
            .sign(&start_request(), &key, &SigningContext::from_unix(0, 0))
            .unwrap_err();
        assert_eq!(fault.kind(), FaultKind::Credential);
        assert!(!format!("{fault:?}").contains("hidden"), "{fault:?}");
    }
}

/// Verifies a received request as a server does.
pub(crate) fn verify(request: &Request<Bytes>, secret: &str) -> Result<(), String> {
    let header = |name: &str| request.headers()[name].to_str().unwrap();
    let (_, sent) = header("authorization")
        .split_once("SignedHeaders=content-type;host, Signature=")
        .ok_or("the signature is not in the documented format")?;
    let payload_hash = encode::sha256_hex(request.body());
    let canonical = canonical_request(header("content-type"), header("host"), &payload_hash);
    let hash = encode::sha256_hex_of(&canonical);
    let string_to_sign = string_to_sign(header("x-zc-timestamp"), &hash);
    if sent == signature(secret, &string_to_sign) {
        Ok(())
    } else {
        Err(format!(
            "{sent} is not the signature of {}",
            canonical.concat()
        ))
    }
}

fn start_request() -> UnsignedRequest {
    UnsignedRequest::new("StartInstances", http::Method::POST, "/api/v2/zec")
        .with_body(r#"{"instanceIds":["instanceId1"]}"#)
}

fn provider(host: &str) -> Zenlayer {
    Zenlayer::new(Config::new().with_endpoint(Endpoint::parse(host).unwrap()))
}
