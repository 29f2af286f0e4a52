//! Tests of Huawei's signature: the stages against recorded vectors, and complete requests,
//! verified like on a server.

use lifecycle_core::{Endpoint, InstanceId, ListQuery, Provider, StopOptions};
use provider_testing::check_signing_vectors;
use serde_json::Value;

use super::*;
use crate::{Config, Huawei};

#[test]
fn vectors() {
    check_signing_vectors(env!("CARGO_MANIFEST_DIR"), differences);
}

/// Returns the stages whose text differs from the recorded text.
fn differences(vector: &Value) -> Vec<String> {
    let text = |field: &str| vector[field].as_str().unwrap();
    let headers = headers(vector);
    let headers: Vec<(&str, &str)> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let signed = signed_headers(&headers);
    let names = signed_names(&signed);
    let query = canonical_query(&encoded_query(&vector["query"]));
    let method = text("method").to_ascii_uppercase();
    let (uri, lines) = (canonical_uri(text("path")), canonical_headers(&signed));
    let payload_hash = payload_hash(&signed, text("body").as_bytes());
    let canonical = canonical_request(&method, &uri, &query, &lines, &names, &payload_hash);
    let hash = encode::sha256_hex_of(&canonical);
    let to_sign = string_to_sign(text("date"), &hash);
    let authorization = authorization(text("ak"), &Secret::new(text("sk")), &names, &to_sign);

    let mut differences = Vec::new();
    for (stage, expected) in vector["expected"].as_object().unwrap() {
        let computed = match stage.as_str() {
            "canonical_request" => &canonical.concat(),
            "string_to_sign" => &to_sign.concat(),
            "authorization" => &authorization,
            "request_target" => &request_target(text("path"), &query),
            _ => "a stage without a test",
        };
        if expected != computed {
            differences.push(format!("{stage} is {computed:?}, not {expected}"));
        }
    }
    differences
}

/// Returns the headers that the SDK signs: the headers of the vector, the headers for the other
/// fields of the vector, and the header that replaces the hash of a body other than JSON.
fn headers(vector: &Value) -> Vec<(String, String)> {
    let given = vector["headers"].as_object().unwrap();
    let added = [
        ("Host", &vector["host"]),
        ("X-Sdk-Date", &vector["date"]),
        ("X-Project-Id", &vector["project_id"]),
        ("X-Security-Token", &vector["security_token"]),
    ];
    let mut headers: Vec<(String, String)> = given
        .iter()
        .map(|(name, value)| (name.as_str(), value))
        .chain(added)
        .filter_map(|(name, value)| Some((name.to_owned(), value.as_str()?.to_owned())))
        .collect();
    let is_json = |content_type: &str| {
        content_type.starts_with("application/json") || content_type.starts_with("application/bson")
    };
    let content_type = given.get("Content-Type").and_then(Value::as_str);
    if content_type.is_some_and(|value| !value.is_empty() && !is_json(value)) {
        headers.retain(|(name, _)| !name.eq_ignore_ascii_case("X-Sdk-Content-Sha256"));
        headers.push(("X-Sdk-Content-Sha256".into(), "UNSIGNED-PAYLOAD".into()));
    }
    headers
}

/// Encodes the pairs of a vector like the query of an unsigned request.
fn encoded_query(pairs: &Value) -> String {
    let pairs: Vec<String> = pairs
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| {
            let [name, value] = [&pair[0], &pair[1]].map(raw_text);
            format!("{}={}", encode::percent(&name), encode::percent(&value))
        })
        .collect();
    pairs.join("&")
}

fn raw_text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn config(endpoint: &str) -> Config {
    Config::new("cn-north-4", "0123456789abcdef0123456789abcdef")
        .unwrap()
        .with_endpoint(Endpoint::parse(endpoint).unwrap())
}

fn sign_here(
    unsigned: &UnsignedRequest,
    key: &Credential,
    ctx: &SigningContext,
) -> Result<Request<Bytes>, Fault> {
    Huawei::new(config("127.0.0.1:7070")).sign(unsigned, key, ctx)
}

#[test]
fn path_and_query_have_one_encoding() {
    for (path, canonical) in [
        ("/v1/a-b_c.d~e", "/v1/a-b_c.d~e/"),
        ("/v1/", "/v1/"),
        ("/a b/%7e%2F", "/a%20b/~/"),
        ("/a%2Fb", "/a/b/"),
        ("/ü%C3%BC", "/%C3%BC%C3%BC/"),
    ] {
        assert_eq!(canonical_uri(path), canonical, "{path}");
    }
    for (query, canonical) in [
        ("", ""),
        ("server_id=a%2Cb", "server_id=a%2Cb"),
        ("b=a,b&a", "a=&b=a%2Cb"),
        ("b=%2c%7e&&a=ü", "a=%C3%BC&b=%2C~"),
        // The decoded texts are sorted: a comma is before the letters, and a bar is after them.
        ("a%7C=1&ab=1&a%2C=1", "a%2C=1&ab=1&a%7C=1"),
        ("a=%7C&a=b&a=%2C&A=z", "A=z&a=%2C&a=b&a=%7C"),
    ] {
        assert_eq!(canonical_query(query), canonical, "{query}");
    }
}

fn stop_two() -> UnsignedRequest {
    let ids = ["a-1", "b-2"].map(|id| InstanceId::new(id).unwrap());
    Huawei::new(config("127.0.0.1:7070"))
        .act(&StopOptions::default().into(), &ids)
        .unwrap()
        .request
}

/// The time of [`noon`] in a signature.
const NOON: &str = "20251121T120000Z";

fn noon() -> SigningContext {
    SigningContext::from_unix(1_763_726_400, 0)
}

fn names(request: &Request<Bytes>) -> Vec<&str> {
    let mut names: Vec<&str> = request.headers().keys().map(HeaderName::as_str).collect();
    names.sort_unstable();
    names
}

/// Verifies the signature of a received request, without the stages of this crate.
fn is_valid(request: &Request<Bytes>, secret: &str) -> bool {
    let header = |name: &str| request.headers()[name].to_str().unwrap();
    let authorization = header("authorization");
    let part = |name: &str| {
        let (_, rest) = authorization.split_once(name).unwrap();
        rest.split_once(',').map_or(rest, |(part, _)| part)
    };
    let mut lines = String::new();
    for name in part("SignedHeaders=").split(';') {
        lines += &format!("{name}:{}\n", header(name));
    }
    let canonical = format!(
        "{}\n{}/\n{}\n{lines}\n{}\n{}",
        request.method(),
        request.uri().path(),
        request.uri().query().unwrap_or_default(),
        part("SignedHeaders="),
        encode::sha256_hex(request.body()),
    );
    let to_sign = format!(
        "SDK-HMAC-SHA256\n{}\n{}",
        header("x-sdk-date"),
        encode::sha256_hex(canonical.as_bytes())
    );
    encode::hmac_sha256_hex(secret.as_bytes(), to_sign.as_bytes()) == part("Signature=")
}

#[test]
fn server_can_verify_every_signed_request() {
    let config = config("127.0.0.1:7070");
    let provider = Huawei::new(config.clone().with_enterprise_project("a b/c"));
    let ids = ["a-1", "b-2"].map(|id| InstanceId::new(id).unwrap());
    let requests = [
        stop_two(),
        provider.observe(&ids).unwrap().request,
        provider.observe(&ids[..1]).unwrap().request,
        provider.list(&ListQuery::default(), None).unwrap().request,
    ];
    for key in [
        Credential::keys("AK", "sk"),
        Credential::session("AK", "sk", "token+/=="),
    ] {
        for unsigned in &requests {
            let request = Huawei::new(config.clone())
                .sign(unsigned, &key, &noon())
                .unwrap();
            assert!(is_valid(&request, "sk"), "{request:?}");
            assert!(
                !is_valid(&request, "other"),
                "the verifier accepts every signature"
            );
            assert_eq!(request.headers()["x-sdk-date"], NOON);
        }
    }
}

#[test]
fn every_header_except_authorization_is_signed() {
    let key = Credential::session("AK", "sk", "token");
    let request = sign_here(&stop_two(), &key, &noon()).unwrap();
    let mut expected = names(&request);
    expected.retain(|name| *name != "authorization");
    assert_eq!(
        expected,
        [
            "content-type",
            "host",
            "x-project-id",
            "x-sdk-date",
            "x-security-token"
        ]
    );
    let authorization = request.headers()["authorization"].to_str().unwrap();
    assert!(authorization.contains(&format!("SignedHeaders={},", expected.join(";"))));
    assert_eq!(request.headers()["host"], "127.0.0.1:7070");
    assert_eq!(
        request.uri(),
        "https://127.0.0.1:7070/v1/0123456789abcdef0123456789abcdef/cloudservers/action"
    );
}

#[test]
fn read_has_no_body_and_no_content_type() {
    let unsigned = UnsignedRequest::new("ShowServer", Method::GET, "/v1/p/cloudservers/a");
    let key = Credential::keys("AK", "sk");
    let request = sign_here(&unsigned, &key, &noon()).unwrap();
    assert_eq!(
        names(&request),
        ["authorization", "host", "x-project-id", "x-sdk-date"]
    );
    assert!(request.body().is_empty());
}

#[test]
fn request_with_a_token_has_no_signature() {
    let key = Credential::token("FAKE-TOKEN");
    let request = sign_here(&stop_two(), &key, &noon()).unwrap();
    assert_eq!(names(&request), ["content-type", "host", "x-auth-token"]);
    assert_eq!(request.headers()["x-auth-token"], "FAKE-TOKEN");
}

#[test]
fn secret_headers_are_sensitive() {
    for key in [
        Credential::session("AK", "hidden-1", "hidden-2"),
        Credential::token("hidden-3"),
    ] {
        let request = sign_here(&stop_two(), &key, &noon()).unwrap();
        let debug = format!("{request:?}");
        assert!(
            !debug.contains("hidden") && !debug.contains("Signature"),
            "{debug}"
        );
    }
}

#[test]
fn key_that_is_not_a_valid_header_is_rejected_and_not_shown() {
    for key in [
        Credential::keys("A\nK", "sk"),
        Credential::session("AK", "sk", "to\nken"),
        Credential::token("to\u{7f}ken"),
    ] {
        let fault = sign_here(&stop_two(), &key, &noon()).unwrap_err();
        assert_eq!(fault.kind(), FaultKind::Credential);
        assert!(!fault.to_string().contains("ken"), "{fault}");
    }
}

#[test]
fn signature_depends_on_the_time() {
    let key = Credential::keys("AK", "sk");
    let at = |second: i64| {
        let ctx = SigningContext::from_unix(1_763_726_400 + second, 0);
        sign_here(&stop_two(), &key, &ctx).unwrap()
    };
    assert_ne!(
        at(0).headers()["authorization"],
        at(1).headers()["authorization"]
    );
}
