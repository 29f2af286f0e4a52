//! The stages against recorded vectors, and whole requests against a verifier of their own.

use lifecycle_core::Provider;
use serde_json::Value;

use super::*;
use crate::{Baidu, Config};

/// Every vector of `signing.json`, or of `$LIFECYCLE_VECTORS/baidu/signing.json`.
#[test]
fn vectors() {
    let text = match std::env::var_os("LIFECYCLE_VECTORS") {
        Some(folder) => {
            let path = std::path::Path::new(&folder).join("baidu/signing.json");
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
    println!("baidu: {} passed, {failed} failed", vectors.len() - failed);
    assert!(failed == 0 && !vectors.is_empty());
}

/// The stages whose text differs from the one recorded.
fn problems_of(vector: &Value) -> Vec<String> {
    let text = |field: &str| vector[field].as_str().unwrap();
    let headers = pairs(&vector["headers"]);
    let headers: Vec<(&str, &str)> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_deref().unwrap_or_default()))
        .filter(|(name, _)| is_selected(name, &vector["headers_to_sign"]))
        .collect();
    let draft = draft(vector);
    let expiry = vector["expires_in"].as_i64().unwrap();

    let stamp = SigningContext::from_unix(vector["timestamp_unix"].as_i64().unwrap(), 0);
    let prefix = auth_string_prefix(text("access_key"), &stamp.extended(), expiry);
    let signing_key = signing_key(text("secret_key"), &prefix);
    let uri = canonical_uri(&draft.path);
    let query = canonical_query(&draft.query);
    let lines = canonical_headers(&headers);
    let canonical = canonical_request(&draft.method, &uri, &query, &lines);
    let signature = signature(&signing_key, &canonical);
    let explicit = authorization(&prefix, &signed_headers(&headers), &signature);
    let default = authorization(&prefix, "", &signature);

    let mut problems = Vec::new();
    for (stage, expected) in vector["expected"].as_object().unwrap() {
        let ours: &str = match stage.as_str() {
            "auth_string_prefix" => &prefix,
            "signing_key" => &signing_key,
            "canonical_uri" => &uri,
            "canonical_query" => &query,
            "canonical_headers" => &lines,
            "canonical_request" | "string_to_sign" => &canonical,
            "signature" => &signature,
            "authorization" if vector["headers_to_sign"].is_null() => &default,
            "authorization" | "authorization_explicit_headers" => &explicit,
            _ => "a stage without a test",
        };
        if expected != ours {
            problems.push(stage.clone());
        }
    }
    if stamp.extended() != text("timestamp") {
        problems.push("timestamp".to_owned());
    }
    if signs_as_we_do(vector) {
        let request = provider(text("host"))
            .sign(&draft, &key(vector), &stamp)
            .unwrap();
        if request.headers()["authorization"]
            != *vector["expected"]["authorization"].as_str().unwrap()
        {
            problems.push("request".to_owned());
        }
    }
    problems
}

/// Which headers a vector signs: those that it lists, or else Baidu's default set.
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

/// Would `sign` choose the headers and the expiry of this vector, for an endpoint on this host?
fn signs_as_we_do(vector: &Value) -> bool {
    let names: &[&str] = match vector["session_token"] {
        Value::Null => &["host", DATE.as_str()],
        _ => &["host", DATE.as_str(), SESSION.as_str()],
    };
    vector["headers_to_sign"] == serde_json::json!(names)
        && vector["expires_in"] == EXPIRY_SECONDS
        && vector["path"].as_str().unwrap().starts_with('/')
        && provider(vector["host"].as_str().unwrap())
            .config
            .endpoint()
            .authority()
            == vector["host"]
}

#[test]
fn some_bundled_vectors_go_through_the_whole_of_sign() {
    let vectors: Vec<Value> =
        serde_json::from_str(include_str!("../../tests/vectors/signing.json")).unwrap();
    let names: Vec<&str> = vectors
        .iter()
        .filter(|vector| signs_as_we_do(vector))
        .map(|vector| vector["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["sts_token_explicit_headers", "explicit_host_and_date"]
    );
}

#[test]
fn a_request_carries_what_was_signed_and_nothing_else() {
    let draft = UnsignedRequest::new("StopInstance", Method::PUT, "/v2/instance/i-1")
        .with_query("stop")
        .with_body("{}");
    let key = Credential::session("AK", "SK", "to/ken+==");
    let request = provider("127.0.0.1:8080")
        .sign(&draft, &key, &SigningContext::from_unix(1_760_947_200, 0))
        .unwrap();

    assert_eq!(
        request.uri(),
        "https://127.0.0.1:8080/v2/instance/i-1?stop",
        "the key without a value goes out bare"
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
fn every_signed_part_counts() {
    let provider = provider("bcc.bj.baidubce.com");
    let at = SigningContext::from_unix(1_760_947_200, 0);
    let key = Credential::keys("AK", "SK");
    let draft =
        UnsignedRequest::new("StartInstance", Method::PUT, "/v2/instance/i-1").with_query("start");
    let signed =
        |draft: &UnsignedRequest, at: &SigningContext| provider.sign(draft, &key, at).unwrap();
    assert_eq!(verify(&signed(&draft, &at), "SK"), Ok(()));
    assert!(verify(&signed(&draft, &at), "other").is_err());

    let mut other_action = signed(&draft, &at);
    *other_action.uri_mut() = "https://bcc.bj.baidubce.com/v2/instance/i-1?stop"
        .parse()
        .unwrap();
    assert!(verify(&other_action, "SK").is_err());
    let mut other_date = signed(&draft, &at);
    other_date
        .headers_mut()
        .insert(&DATE, HeaderValue::from_static("2025-10-20T08:00:01Z"));
    assert!(verify(&other_date, "SK").is_err());

    let later = signed(&draft, &SigningContext::from_unix(1_760_947_201, 0));
    assert_ne!(
        later.headers()["authorization"],
        signed(&draft, &at).headers()["authorization"],
        "a repeat is signed anew"
    );
}

#[test]
fn keys_that_cannot_sign_are_refused_without_showing_them() {
    let provider = provider("bcc.bj.baidubce.com");
    let draft = UnsignedRequest::new("GetInstance", Method::GET, "/v2/instance/i-1");
    for key in [
        Credential::token("hidden"),
        Credential::keys("two\nlines", "hidden"),
        Credential::session("AK", "SK", "hidden\ntoken"),
    ] {
        let fault = provider
            .sign(&draft, &key, &SigningContext::from_unix(0, 0))
            .unwrap_err();
        assert_eq!(fault.kind(), FaultKind::Credential);
        assert!(!format!("{fault:?}").contains("hidden"), "{fault:?}");
    }
}

/// Checks a request as a server does: from what arrived, by the headers that it names.
pub(crate) fn verify(request: &Request<Bytes>, secret: &str) -> Result<(), String> {
    let authorization = request.headers()["authorization"].to_str().unwrap();
    let parts: Vec<&str> = authorization.split('/').collect();
    let ["bce-auth-v1", id, date, expiry, named, sent] = parts[..] else {
        return Err(format!("cannot read {authorization}"));
    };
    let listed = match named {
        "" => Value::Null,
        _ => named.split(';').collect(),
    };
    let headers: Vec<(&str, &str)> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
        .filter(|(name, _)| is_selected(name, &listed))
        .collect();
    let canonical = canonical_request(
        request.method(),
        &canonical_uri(request.uri().path()),
        &canonical_query(request.uri().query().unwrap_or_default()),
        &canonical_headers(&headers),
    );
    let prefix = auth_string_prefix(id, date, expiry.parse().unwrap());
    let expected = signature(&signing_key(secret, &prefix), &canonical);
    if sent == expected {
        Ok(())
    } else {
        Err(format!("{sent} does not sign {canonical}"))
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

/// The draft of a vector, whose path and query are not encoded yet.
fn draft(vector: &Value) -> UnsignedRequest {
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
