//! Tests of the simulated Huawei's authentication with requests of the vendor's SDK, and with forged requests.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;
use crate::{
    account::{Account, Key},
    cloud_api::{AuthError, AuthErrorCause},
    huawei::{api_error::ApiError, auth::verify, switches::Switches},
    request::encode_pairs,
    testing::{auth_error, cloud_state_at, forgeries, move_clock_to, with_header},
    time::read_basic,
};

#[derive(Deserialize)]
struct Vector {
    name: String,
    method: String,
    host: String,
    path: String,
    /// The pairs in the order of the caller.
    query: Vec<(String, String)>,
    headers: BTreeMap<String, String>,
    body: String,
    ak: String,
    sk: String,
    security_token: Option<String>,
    project_id: Option<String>,
    date: String,
    expected: Expected,
}

#[derive(Deserialize)]
struct Expected {
    canonical_request: String,
    authorization: String,
}

#[derive(Deserialize)]
struct Captured {
    name: String,
    method: String,
    path_and_query: String,
    headers: Vec<(String, String)>,
    body: String,
    access_key: String,
    secret_key: String,
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str(SIGNING).unwrap()
}

/// Creates the request of the vector. Some paths are invalid for an HTTP parser.
fn request_of(vector: &Vector) -> ReceivedRequest {
    let mut request = received(&vector.method, "/", &[], &vector.body);
    request.path = vector.path.clone();
    request.query = encode_pairs(&vector.query);
    let is_unsigned = vector
        .expected
        .canonical_request
        .ends_with("UNSIGNED-PAYLOAD");
    let unsigned = is_unsigned.then_some(("X-Sdk-Content-Sha256", "UNSIGNED-PAYLOAD"));
    let own = [
        Some(("Host", vector.host.as_str())),
        Some(("X-Sdk-Date", &vector.date)),
        Some(("Authorization", &vector.expected.authorization)),
        vector.project_id.as_deref().map(|id| ("X-Project-Id", id)),
        vector
            .security_token
            .as_deref()
            .map(|token| ("X-Security-Token", token)),
        unsigned,
    ];
    let given = vector
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in own.into_iter().flatten().chain(given) {
        let name: http::HeaderName = name.parse().unwrap();
        let value = http::HeaderValue::from_bytes(value.as_bytes()).unwrap();
        request.headers.insert(name, value);
    }
    request
}

fn account(ak: &str, sk: &str, session: Option<&str>) -> Account {
    let key = Key::pair(ak.into(), sk.into(), session.map(str::to_owned));
    Account::new(PROJECT.into(), key)
}

fn check(
    request: &ReceivedRequest,
    account: &Account,
    date: &str,
) -> Result<(), AuthError<ApiError>> {
    verify(
        request,
        account,
        read_basic(date).unwrap(),
        &Switches::default(),
    )
}

/// Returns the names of the signed headers with ASCII values.
fn signed(request: &ReceivedRequest) -> Vec<String> {
    let authorization = request.header("authorization").unwrap();
    let list = authorization.split("SignedHeaders=").nth(1).unwrap();
    let names = list.split(',').next().unwrap().split(';');
    names
        .filter(|name| request.header(name).is_some())
        .map(str::to_owned)
        .collect()
}

fn assert_no_forgery(request: &ReceivedRequest, account: &Account, date: &str, name: &str) {
    let is_unsigned = request.headers.contains_key("x-sdk-content-sha256");
    let headers = signed(request);
    let headers: Vec<_> = headers.iter().map(String::as_str).collect();
    assert!(headers.contains(&"x-sdk-date"), "{name}");
    for (part, forged) in forgeries(request, &headers) {
        if part == "body" && is_unsigned {
            assert!(check(&forged, account, date).is_ok(), "{name}");
            continue;
        }
        let result = check(&forged, account, date);
        assert!(result.is_err(), "{name}: forged {part} was accepted");
    }
}

#[test]
fn vector_is_accepted_and_each_forgery_refused() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 20);
    for vector in vectors {
        let request = request_of(&vector);
        let account = account(&vector.ak, &vector.sk, vector.security_token.as_deref());
        let result = check(&request, &account, &vector.date);
        assert_eq!(result, Ok(()), "{}", vector.name);
        assert_no_forgery(&request, &account, &vector.date, &vector.name);

        let other = self::account(&vector.ak, "other", vector.security_token.as_deref());
        let AuthError { cause, error } = check(&request, &other, &vector.date).unwrap_err();
        assert_eq!((cause, error.code), (AuthErrorCause::Key, "APIGW.0301"));
        let echo = vector.expected.canonical_request.replace('\n', "|");
        assert!(
            error.message.ends_with(&format!("canonicalRequest:{echo}")),
            "{}: {}",
            vector.name,
            error.message
        );
    }
}

#[test]
fn captured_sdk_request_is_accepted_and_each_forgery_refused() {
    let wire: Value = serde_json::from_str(WIRE).unwrap();
    let requests: Vec<Captured> = serde_json::from_value(wire["requests"].clone()).unwrap();
    assert_eq!(requests.len(), 24);
    for captured in requests {
        let headers: Vec<_> = captured
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let request = received(
            &captured.method,
            &captured.path_and_query,
            &headers,
            &captured.body,
        );
        let session = request.header("x-security-token");
        let account = account(&captured.access_key, &captured.secret_key, session);
        let date = request.header("x-sdk-date").unwrap().to_owned();
        assert!(Huawei.serves(&request), "{}", captured.name);
        assert_eq!(
            check(&request, &account, &date),
            Ok(()),
            "{}",
            captured.name
        );
        assert_no_forgery(&request, &account, &date, &captured.name);
        let call = Huawei.classify(&request);
        assert_eq!(call.key, captured.access_key, "{}", captured.name);
        assert_ne!(call.name, "unknown", "{}", captured.name);
    }
}

#[test]
fn header_added_after_signing_is_accepted() {
    let vector = vectors().remove(1);
    let mut request = request_of(&vector);
    request
        .headers
        .insert("x-domain-id", "added".parse().unwrap());
    let account = account(&vector.ak, &vector.sk, None);
    assert_eq!(check(&request, &account, &vector.date), Ok(()));
}

#[test]
fn empty_unsigned_payload_is_accepted_with_both_hashes() {
    use lifecycle_core::encode::{SHA256_OF_NOTHING, hmac_sha256_hex, sha256_hex};
    let date = "20251121T080000Z";
    for hash in [SHA256_OF_NOTHING, "UNSIGNED-PAYLOAD"] {
        let canonical = format!("GET\n/v3/projects/\n\nx-sdk-date:{date}\n\nx-sdk-date\n{hash}");
        let digest = sha256_hex(canonical.as_bytes());
        let text = format!("SDK-HMAC-SHA256\n{date}\n{digest}");
        let signature = hmac_sha256_hex(b"sk", text.as_bytes());
        let authorization =
            format!("SDK-HMAC-SHA256 Access=ak, SignedHeaders=x-sdk-date, Signature={signature}");
        let headers = [
            ("authorization", authorization.as_str()),
            ("x-sdk-date", date),
            ("x-sdk-content-sha256", "UNSIGNED-PAYLOAD"),
        ];
        let request = received("GET", "/v3/projects", &headers, "");
        assert_eq!(
            check(&request, &account("ak", "sk", None), date),
            Ok(()),
            "{hash}"
        );
    }
}

/// Returns the second vector, and a cloud at the time of the vector.
fn second_vector() -> (CloudState, ReceivedRequest) {
    let vector = vectors().remove(1);
    let unix = u64::try_from(read_basic(&vector.date).unwrap()).unwrap();
    let key = Key::pair(vector.ak.clone(), vector.sk.clone(), None);
    (
        cloud_state_at(Cloud::Huawei, unix, key),
        request_of(&vector),
    )
}

/// Returns cause, status and text of the gateway's error.
fn error_text(cloud: &mut CloudState, request: &ReceivedRequest) -> (AuthErrorCause, u16, String) {
    let (cause, status, body) = auth_error(cloud, request).unwrap();
    assert_eq!(body["error_code"], "APIGW.0301", "{body}");
    assert!(body["request_id"].is_string() && body.get("error").is_none());
    let text = body["error_msg"].as_str().unwrap_or_default().to_owned();
    (cause, status, text)
}

#[test]
fn request_is_refused_if_the_clocks_differ_by_more_than_fifteen_minutes() {
    let (mut cloud, request) = second_vector();
    for (seconds, good) in [(-901, false), (-900, true), (900, true), (901, false)] {
        cloud.skew = seconds;
        let result = Huawei.authenticate(&mut cloud, &request);
        assert_eq!(result.is_ok(), good, "{seconds}");
    }
    let (cause, status, text) = error_text(&mut cloud, &request);
    assert_eq!((cause, status), (AuthErrorCause::Other, 401));
    let times = "signature time:20251121T080000Z,server time:20251121T081501Z";
    assert!(text.ends_with(times), "{text}");
    let (cause, _, text) = error_text(&mut cloud, &with_header(&request, "x-sdk-date", "today"));
    assert_eq!(cause, AuthErrorCause::Other);
    assert!(
        text.ends_with("the format of x-sdk-date is wrong"),
        "{text}"
    );
}

#[test]
fn unknown_or_revoked_key_is_refused() {
    let (mut cloud, request) = second_vector();
    let own = std::mem::replace(&mut cloud.account, account("other", "sk", None));
    let (cause, status, text) = error_text(&mut cloud, &request);
    assert_eq!((cause, status), (AuthErrorCause::Key, 401));
    let cause = "Get secretKey failed,ak:FAKEACCESSKEY0000001,err:ak not exist";
    assert!(text.ends_with(cause), "{text}");
    cloud.account = own;
    assert!(Huawei.authenticate(&mut cloud, &request).is_ok());
    cloud.account.revoke_after(0);
    assert!(error_text(&mut cloud, &request).2.ends_with(cause));
}

#[test]
fn temporary_key_without_its_session_token_is_refused() {
    let (mut cloud, request) = second_vector();
    let stray = with_header(&request, "x-security-token", "stray");
    assert_eq!(error_text(&mut cloud, &stray).0, AuthErrorCause::Key);
    let vector = vectors().remove(1);
    let key = Key::pair(vector.ak, vector.sk, Some("token".into()));
    cloud.account.add(key);
    assert_eq!(error_text(&mut cloud, &request).0, AuthErrorCause::Key);
    assert_eq!(error_text(&mut cloud, &stray).0, AuthErrorCause::Key);
    // The Terraform provider adds the token after signing.
    let good = with_header(&request, "x-security-token", "token");
    assert!(Huawei.authenticate(&mut cloud, &good).is_ok());
}

#[test]
fn malformed_authorization_has_another_cause_than_the_key() {
    let (mut cloud, request) = second_vector();
    let undated = request
        .header("authorization")
        .unwrap()
        .replace(";x-sdk-date", "");
    let absent = undated.replace("SignedHeaders=", "SignedHeaders=x-gone;x-sdk-date;");
    for bad in ["SDK-HMAC-SHA256", "Basic abc", &undated, &absent] {
        let (cause, status, _) =
            error_text(&mut cloud, &with_header(&request, "authorization", bad));
        assert_eq!((cause, status), (AuthErrorCause::Other, 401), "{bad}");
    }
    let mut bare = request;
    bare.headers.remove("authorization");
    let (_, _, text) = error_text(&mut cloud, &bare);
    assert!(text.ends_with("x-auth-token not found"), "{text}");
}

#[test]
fn key_is_locked_for_five_minutes_after_five_failures() {
    let (mut cloud, request) = second_vector();
    let bad = with_header(&request, "x-project-id", "forged");
    let is_locked = |text: &str| text.ends_with("AK access failed to reach the limit, forbidden");
    for round in 0..2 {
        for _ in 0..4 {
            assert!(!is_locked(&error_text(&mut cloud, &bad).2));
        }
        assert!(Huawei.authenticate(&mut cloud, &request).is_ok(), "{round}");
    }
    for _ in 0..5 {
        assert!(!is_locked(&error_text(&mut cloud, &bad).2));
    }
    assert!(
        is_locked(&error_text(&mut cloud, &request).2),
        "a good signature does not help"
    );
    move_clock_to(&mut cloud, 299);
    assert!(is_locked(&error_text(&mut cloud, &request).2));
    move_clock_to(&mut cloud, 300);
    assert!(
        !is_locked(&error_text(&mut cloud, &bad).2),
        "the count starts again"
    );
    assert!(Huawei.authenticate(&mut cloud, &request).is_ok());
}

#[test]
fn token_is_accepted_until_it_is_revoked() {
    let (mut cloud, _) = second_vector();
    let carry = |token: &str| received("GET", "/v1/p/jobs/j", &[("x-auth-token", token)], "");
    let (cause, status, text) = error_text(&mut cloud, &carry("t"));
    assert_eq!((cause, status), (AuthErrorCause::Key, 401));
    assert!(text.ends_with("decrypt token fail"), "{text}");
    cloud.account.add(Key::token("t".into()));
    assert!(Huawei.authenticate(&mut cloud, &carry("t")).is_ok());
    assert_eq!(Huawei.classify(&carry("t")).key, "t");
    cloud.account.revoke_after(0);
    let (_, status, body) = auth_error(&mut cloud, &carry("t")).unwrap();
    assert_eq!((status, &body["error_code"]), (401, &"APIGW.0307".into()));
}
