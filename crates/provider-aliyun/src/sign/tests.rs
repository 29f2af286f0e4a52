//! Every stage of the signature, compared with values of the vendor's Python SDK, and complete requests,
//! verified like on a server.

use std::{collections::BTreeMap, env, fs, path::Path};

use serde::Deserialize;
use serde_json::Value;

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

#[derive(Debug, Deserialize, PartialEq)]
struct Expected {
    canonical_request: String,
    string_to_sign: String,
    authorization: String,
}

/// Reads `signing.json`, or `$LIFECYCLE_VECTORS/aliyun/signing.json` if the variable is set.
#[test]
fn vectors() {
    let mut failed = Vec::new();
    let mut count = 0;
    for vector in read_vectors() {
        count += 1;
        let name = vector["name"].to_string();
        match serde_json::from_value::<Vector>(vector) {
            Ok(vector) if computed(&vector) == vector.expected => {}
            Ok(vector) => {
                println!("{name}: expected {:#?}", vector.expected);
                println!("{name}: computed {:#?}", computed(&vector));
                failed.push(name);
            }
            Err(error) => failed.push(format!("{name}: {error}")),
        }
    }
    for name in &failed {
        println!("failed: {name}");
    }
    println!(
        "aliyun: {} passed, {} failed",
        count - failed.len(),
        failed.len()
    );
    assert!(failed.is_empty() && count > 0);
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
    let string_to_sign = string_to_sign(canonical_request);
    let authorization = authorization(
        &vector.access_key_id,
        &vector.access_key_secret,
        &signed_headers.names,
        &string_to_sign,
    );
    Expected {
        canonical_request: canonical_request.concat(),
        string_to_sign,
        authorization,
    }
}

/// Reads a list of vectors, or an object with such a list under `v3`.
fn read_vectors() -> Vec<Value> {
    let text = match env::var_os("LIFECYCLE_VECTORS") {
        Some(folder) => {
            fs::read_to_string(Path::new(&folder).join("aliyun").join("signing.json")).unwrap()
        }
        None => include_str!("../../tests/vectors/signing.json").to_owned(),
    };
    match serde_json::from_str(&text).unwrap() {
        Value::Array(vectors) => vectors,
        Value::Object(mut versions) => match versions.remove("v3") {
            Some(Value::Array(vectors)) => vectors,
            other => panic!("v3 is {other:?}"),
        },
        other => panic!("vectors are {other:?}"),
    }
}

#[test]
fn values_of_a_repeated_header_are_joined_in_order() {
    let headers = canonical_headers(&[("X-Note", " b "), ("host", "h"), ("x-note", "a")]);
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
    let pairs = uri.query().unwrap_or_default().split('&');
    pairs
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap();
            (percent_decoded(key), percent_decoded(value))
        })
        .collect()
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = match first {
            b'%' => {
                let digits = str::from_utf8(&tail[..2]).unwrap();
                bytes.push(u8::from_str_radix(digits, 16).unwrap());
                &tail[2..]
            }
            byte => {
                bytes.push(*byte);
                tail
            }
        };
    }
    String::from_utf8(bytes).unwrap()
}
