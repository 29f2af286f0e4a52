//! The stages against recorded vectors, and whole requests against a verifier of their own.

use lifecycle_core::Provider;
use serde_json::Value;

use super::*;
use crate::{Config, Zenlayer};

/// Every vector of `signing.json`, or of `$LIFECYCLE_VECTORS/zenlayer/signing.json`.
#[test]
fn vectors() {
    let text = match std::env::var_os("LIFECYCLE_VECTORS") {
        Some(folder) => {
            let path = std::path::Path::new(&folder).join("zenlayer/signing.json");
            std::fs::read_to_string(path).unwrap()
        }
        None => include_str!("../../tests/vectors/signing.json").to_owned(),
    };
    let vectors: Vec<Value> = serde_json::from_str(&text).unwrap();
    let mut failed = 0;
    for vector in &vectors {
        let problems = problems_of(vector);
        if !problems.is_empty() {
            failed += 1;
            let name = vector["name"].as_str().unwrap_or("?");
            println!("{name}: {}", problems.join(", "));
        }
    }
    println!(
        "zenlayer: {} passed, {failed} failed",
        vectors.len() - failed
    );
    assert!(failed == 0 && !vectors.is_empty());
}

/// The stages whose text differs from the one recorded.
fn problems_of(vector: &Value) -> Vec<String> {
    let text = |field: &str| vector[field].as_str().unwrap();
    let stamp = SigningContext::from_unix(vector["timestamp"].as_i64().unwrap(), 0);
    let payload_hash = encode::sha256_hex(text("body").as_bytes());
    let canonical = canonical_request(
        header(vector, "content-type"),
        header(vector, "host"),
        &payload_hash,
    );
    let string_to_sign = string_to_sign(&stamp.unix().to_string(), &canonical);
    let signature = signature(text("access_key_password"), &string_to_sign);
    let authorization = authorization(text("access_key_id"), &signature);

    let mut problems = Vec::new();
    for (stage, expected) in vector["expected"].as_object().unwrap() {
        let ours: &str = match stage.as_str() {
            "payload_hash" => &payload_hash,
            "canonical_request" => &canonical,
            "string_to_sign" => &string_to_sign,
            "signature" => &signature,
            "authorization" => &authorization,
            _ => "a stage without a test",
        };
        if expected != ours {
            problems.push(stage.clone());
        }
    }
    if signs_as_we_do(vector) {
        let draft = UnsignedRequest::new("vector", text("method").parse().unwrap(), text("path"))
            .with_body(text("body").to_owned());
        let key = Credential::keys(text("access_key_id"), text("access_key_password"));
        let request = provider(text("host")).sign(&draft, &key, &stamp).unwrap();
        if request.headers()["authorization"] != authorization {
            problems.push("request".to_owned());
        }
    }
    problems
}

/// Would `sign` send the content type of this vector, for an endpoint on this host?
fn signs_as_we_do(vector: &Value) -> bool {
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
fn most_bundled_vectors_go_through_the_whole_of_sign() {
    let vectors: Vec<Value> =
        serde_json::from_str(include_str!("../../tests/vectors/signing.json")).unwrap();
    let others: Vec<&str> = vectors
        .iter()
        .filter(|vector| !signs_as_we_do(vector))
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
fn a_request_carries_what_was_signed_and_nothing_else() {
    let draft = start_draft();
    let key = Credential::keys("AK", "SK");
    let request = provider("127.0.0.1:8080")
        .sign(&draft, &key, &SigningContext::from_unix(1_700_000_000, 0))
        .unwrap();

    assert_eq!(request.method(), "POST");
    assert_eq!(request.uri(), "https://127.0.0.1:8080/api/v2/zec");
    assert_eq!(request.body(), &draft.body);
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
fn a_token_stands_for_the_signature() {
    let request = provider("console.zenlayer.com")
        .sign(
            &start_draft(),
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

/// All headers that may be logged, sorted.
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
fn every_signed_part_counts() {
    let provider = provider("console.zenlayer.com");
    let at = SigningContext::from_unix(1_700_000_000, 0);
    let key = Credential::keys("AK", "SK");
    let draft = start_draft();
    let signed = |at: &SigningContext| provider.sign(&draft, &key, at).unwrap();
    assert_eq!(verify(&signed(&at), "SK"), Ok(()));
    assert!(verify(&signed(&at), "other").is_err());

    let mut other_body = signed(&at);
    *other_body.body_mut() = "{}".into();
    assert!(verify(&other_body, "SK").is_err());
    for (name, value) in [
        (&HOST, "elsewhere"),
        (&CONTENT_TYPE, "text/plain"),
        (&TIMESTAMP, "1700000001"),
    ] {
        let mut other_header = signed(&at);
        let headers = other_header.headers_mut();
        headers.insert(name, HeaderValue::from_static(value));
        assert!(verify(&other_header, "SK").is_err(), "{name}");
    }

    let later = signed(&SigningContext::from_unix(1_700_000_001, 0));
    assert_ne!(
        later.headers()["authorization"],
        signed(&at).headers()["authorization"],
        "a repeat is signed anew"
    );
}

#[test]
fn keys_that_cannot_sign_are_refused_without_showing_them() {
    let provider = provider("console.zenlayer.com");
    for key in [
        Credential::session("AK", "hidden", "hidden"),
        Credential::keys("two\nlines", "hidden"),
        Credential::token("hidden\ntoken"),
    ] {
        let fault = provider
            .sign(&start_draft(), &key, &SigningContext::from_unix(0, 0))
            .unwrap_err();
        assert_eq!(fault.kind(), FaultKind::Credential);
        assert!(!format!("{fault:?}").contains("hidden"), "{fault:?}");
    }
}

/// Checks a request as a server does: from what arrived.
pub(crate) fn verify(request: &Request<Bytes>, secret: &str) -> Result<(), String> {
    let header = |name: &str| request.headers()[name].to_str().unwrap();
    let (_, sent) = header("authorization")
        .split_once("SignedHeaders=content-type;host, Signature=")
        .ok_or("the signature is not in the documented form")?;
    let canonical = canonical_request(
        header("content-type"),
        header("host"),
        &encode::sha256_hex(request.body()),
    );
    let string_to_sign = string_to_sign(header("x-zc-timestamp"), &canonical);
    if sent == signature(secret, &string_to_sign) {
        Ok(())
    } else {
        Err(format!("{sent} does not sign {canonical}"))
    }
}

fn start_draft() -> UnsignedRequest {
    UnsignedRequest::new("StartInstances", http::Method::POST, "/api/v2/zec")
        .with_body(r#"{"instanceIds":["instanceId1"]}"#)
}

fn provider(host: &str) -> Zenlayer {
    Zenlayer::new(Config::new().with_endpoint(Endpoint::parse(host).unwrap()))
}
