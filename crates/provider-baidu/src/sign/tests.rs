//! Tests of Baidu's signature: every stage against recorded vectors, and complete requests,
//! verified like on a server.

use lifecycle_core::Provider;
use provider_testing::{check_signing_vectors, read_vectors};
use serde_json::Value;

use super::*;
use crate::{Baidu, Config};

#[test]
fn vectors() {
    check_signing_vectors(env!("CARGO_MANIFEST_DIR"), differences);
}

/// Returns the stages whose text differs from the recorded text.
fn differences(vector: &Value) -> Vec<String> {
    let text = |field: &str| vector[field].as_str().unwrap();
    let headers = pairs(&vector["headers"]);
    let headers: Vec<(&str, &str)> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_deref().unwrap_or_default()))
        .filter(|(name, _)| is_selected(name, &vector["headers_to_sign"]))
        .collect();
    let request = request(vector);
    let expiry = vector["expires_in"].to_string();

    let context = SigningContext::from_unix(vector["timestamp_unix"].as_i64().unwrap(), 0);
    let prefix = auth_string_prefix(text("access_key"), &context.extended(), &expiry);
    let signing_key = signing_key(text("secret_key"), &prefix);
    let uri = canonical_uri(&request.path);
    let query = canonical_query(&request.query);
    let lines = canonical_headers(&headers);
    let canonical = canonical_request(&request.method, &uri, &query, &lines);
    let signature = signature(&signing_key, &canonical);
    let explicit = authorization(&prefix, &signed_headers(&headers), &signature);
    let default = authorization(&prefix, "", &signature);

    let mut differences = Vec::new();
    for (stage, expected) in vector["expected"].as_object().unwrap() {
        let computed: &str = match stage.as_str() {
            "auth_string_prefix" => &prefix,
            "signing_key" => &signing_key,
            "canonical_uri" => &uri,
            "canonical_query" => &query,
            "canonical_headers" => &lines,
            "canonical_request" | "string_to_sign" => &canonical.concat(),
            "signature" => &signature,
            "authorization" if vector["headers_to_sign"].is_null() => &default,
            "authorization" | "authorization_explicit_headers" => &explicit,
            _ => "a stage without a test",
        };
        if expected != computed {
            differences.push(stage.clone());
        }
    }
    if context.extended() != text("timestamp") {
        differences.push("timestamp".to_owned());
    }
    if is_signed_like_sign(vector) {
        let signed = provider(text("host"))
            .sign(&request, &key(vector), &context)
            .unwrap();
        if signed.headers()["authorization"]
            != *vector["expected"]["authorization"].as_str().unwrap()
        {
            differences.push("request".to_owned());
        }
    }
    differences
}

/// Returns whether a vector signs a header: the vector lists the header, or else the default set of
/// Baidu has the header.
fn is_selected(name: &str, listed: &Value) -> bool {
    let name = name.to_lowercase();
    match listed.as_array() {
        Some(listed) => listed.iter().any(|other| *other == name.as_str()),
        None => {
            matches!(
                name.as_str(),
                "host" | "content-length" | "content-type" | "content-md5"
            ) || name.starts_with("x-bce-")
        }
    }
}

/// Returns whether `sign` has the headers, the expiry and the host of this vector.
fn is_signed_like_sign(vector: &Value) -> bool {
    let names: &[&str] = match vector["session_token"] {
        Value::Null => &["host", DATE.as_str()],
        _ => &["host", DATE.as_str(), SECURITY_TOKEN.as_str()],
    };
    vector["headers_to_sign"] == serde_json::json!(names)
        && vector["expires_in"].as_i64() == VALIDITY_SECONDS.parse().ok()
        && vector["path"].as_str().unwrap().starts_with('/')
        && provider(vector["host"].as_str().unwrap())
            .config
            .endpoint()
            .authority()
            == vector["host"]
}

#[test]
fn two_vectors_are_compared_with_complete_requests() {
    let vectors = read_vectors(env!("CARGO_MANIFEST_DIR"), "signing.json");
    let vectors = vectors.as_array().unwrap().iter();
    let names: Vec<&str> = vectors
        .filter(|vector| is_signed_like_sign(vector))
        .map(|vector| vector["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["sts_token_explicit_headers", "explicit_host_and_date"]
    );
}

#[test]
fn request_has_the_signed_headers_and_no_others() {
    let unsigned = UnsignedRequest::new("StopInstance", Method::PUT, "/v2/instance/i-1")
        .with_query("stop")
        .with_body("{}");
    let key = Credential::session("AK", "SK", "to/ken+==");
    let request = provider("127.0.0.1:8080")
        .sign(
            &unsigned,
            &key,
            &SigningContext::from_unix(1_760_947_200, 0),
        )
        .unwrap();

    assert_eq!(
        request.uri(),
        "https://127.0.0.1:8080/v2/instance/i-1?stop",
        "no equals sign after the key"
    );
    assert_eq!(request.body(), "{}");
    let mut headers: Vec<(&str, &str, bool)> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap(), value.is_sensitive()))
        .filter(|(name, ..)| *name != "authorization")
        .collect();
    headers.sort_unstable();
    assert_eq!(
        headers,
        [
            ("content-type", "application/json; charset=utf-8", false),
            ("host", "127.0.0.1:8080", false),
            ("x-bce-date", "2025-10-20T08:00:00Z", false),
            ("x-bce-security-token", "to/ken+==", true),
        ]
    );
    let authorization = &request.headers()["authorization"];
    assert!(authorization.is_sensitive());
    assert!(
        authorization
            .to_str()
            .unwrap()
            .contains("/1800/host;x-bce-date;x-bce-security-token/")
    );
    assert_eq!(verify(&request, "SK"), Ok(()));
}

#[test]
fn change_of_a_signed_part_invalidates_the_signature() {
    let provider = provider("bcc.bj.baidubce.com");
    let context = SigningContext::from_unix(1_760_947_200, 0);
    let key = Credential::keys("AK", "SK");
    let unsigned =
        UnsignedRequest::new("StartInstance", Method::PUT, "/v2/instance/i-1").with_query("start");
    let signed = |context: &SigningContext| provider.sign(&unsigned, &key, context).unwrap();
    assert_eq!(verify(&signed(&context), "SK"), Ok(()));
    assert!(verify(&signed(&context), "other").is_err());

    let mut other_action = signed(&context);
    *other_action.uri_mut() = "https://bcc.bj.baidubce.com/v2/instance/i-1?stop"
        .parse()
        .unwrap();
    assert!(verify(&other_action, "SK").is_err());
    let mut other_date = signed(&context);
    other_date
        .headers_mut()
        .insert(&DATE, HeaderValue::from_static("2025-10-20T08:00:01Z"));
    assert!(verify(&other_date, "SK").is_err());

    let later = signed(&SigningContext::from_unix(1_760_947_201, 0));
    assert_ne!(
        later.headers()["authorization"],
        signed(&context).headers()["authorization"],
        "each attempt has another signature"
    );
}

#[test]
fn unsupported_key_is_rejected_without_its_secret() {
    let provider = provider("bcc.bj.baidubce.com");
    let unsigned = UnsignedRequest::new("GetInstance", Method::GET, "/v2/instance/i-1");
    for key in [
        Credential::token("hidden"),
        Credential::keys("two\nlines", "hidden"),
        Credential::session("AK", "SK", "hidden\ntoken"),
    ] {
        let fault = provider
            .sign(&unsigned, &key, &SigningContext::from_unix(0, 0))
            .unwrap_err();
        assert_eq!(fault.kind(), FaultKind::Credential);
        assert!(!format!("{fault:?}").contains("hidden"), "{fault:?}");
    }
}

/// Verifies a received request as a server does, with the headers that the request lists.
pub(crate) fn verify(request: &Request<Bytes>, secret: &str) -> Result<(), String> {
    let authorization = request.headers()["authorization"].to_str().unwrap();
    let parts: Vec<&str> = authorization.split('/').collect();
    let ["bce-auth-v1", id, date, expiry, names, sent] = parts[..] else {
        return Err(format!("invalid header {authorization}"));
    };
    let listed = match names {
        "" => Value::Null,
        _ => names.split(';').collect(),
    };
    let headers: Vec<(&str, &str)> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
        .filter(|(name, _)| is_selected(name, &listed))
        .collect();
    let uri = canonical_uri(request.uri().path());
    let query = canonical_query(request.uri().query().unwrap_or_default());
    let lines = canonical_headers(&headers);
    let canonical = canonical_request(request.method(), &uri, &query, &lines);
    let prefix = auth_string_prefix(id, date, expiry);
    let expected = signature(&signing_key(secret, &prefix), &canonical);
    if sent == expected {
        Ok(())
    } else {
        Err(format!(
            "{sent} is not the signature of {}",
            canonical.concat()
        ))
    }
}

fn provider(host: &str) -> Baidu {
    let endpoint = Endpoint::parse(host).unwrap();
    Baidu::new(Config::new("bj").unwrap().with_endpoint(endpoint))
}

fn key(vector: &Value) -> Credential {
    let text = |field: &str| vector[field].as_str().unwrap();
    match vector["session_token"].as_str() {
        None => Credential::keys(text("access_key"), text("secret_key")),
        Some(token) => Credential::session(text("access_key"), text("secret_key"), token),
    }
}

/// Returns the request of a vector, whose path and query are not percent-encoded.
fn request(vector: &Value) -> UnsignedRequest {
    let text = |field: &str| vector[field].as_str().unwrap();
    let query: Vec<String> = pairs(&vector["query"])
        .iter()
        .map(|(name, value)| match value {
            None => encode::percent(name).into_owned(),
            Some(value) => format!("{}={}", encode::percent(name), encode::percent(value)),
        })
        .collect();
    UnsignedRequest::new(
        "vector",
        text("method").parse().unwrap(),
        encode::percent_path(text("path")),
    )
    .with_query(query.join("&"))
}

fn pairs(list: &Value) -> Vec<(String, Option<String>)> {
    serde_json::from_value(list.clone()).unwrap()
}
