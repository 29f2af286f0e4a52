//! Tests of the simulated Alibaba's authentication with requests of the vendor's SDKs, and with
//! forged requests.

use serde::Deserialize;

use super::*;
use crate::{
    account::{Account, Key},
    aliyun::{api_error::ApiError, auth::verify, switches::Switches},
    cloud_api::{AuthError, AuthErrorCause},
    request::encode_pairs,
    testing::{auth_error, cloud_state_at, forgeries, move_clock_to, with_header, without_header},
    time::read_extended,
};

#[derive(Deserialize)]
struct Vectors {
    v3: Vec<V3>,
    v1: Vec<V1>,
}

#[derive(Deserialize)]
struct V3 {
    name: String,
    method: String,
    path: String,
    query: Vec<(String, String)>,
    headers: std::collections::BTreeMap<String, String>,
    body: String,
    #[serde(flatten)]
    keys: Keys,
    date: String,
    signed_headers: String,
    expected: V3Expected,
}

#[derive(Deserialize)]
struct V3Expected {
    canonical_request: String,
    authorization: String,
}

#[derive(Deserialize)]
struct V1 {
    name: String,
    method: String,
    host: String,
    query: Vec<(String, String)>,
    body_params: Vec<(String, String)>,
    #[serde(flatten)]
    keys: Keys,
    date: String,
    expected: V1Expected,
}

#[derive(Deserialize)]
struct V1Expected {
    string_to_sign: String,
    signature: String,
}

#[derive(Deserialize)]
struct Wire {
    about: About,
    requests: Vec<Captured>,
}

#[derive(Deserialize)]
struct About {
    credentials: std::collections::BTreeMap<String, Keys>,
}

#[derive(Clone, Deserialize)]
struct Keys {
    access_key_id: String,
    access_key_secret: String,
    security_token: Option<String>,
}

#[derive(Deserialize)]
struct Captured {
    name: String,
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: String,
}

fn vectors() -> Vectors {
    serde_json::from_str(SIGNING).unwrap()
}

impl V3 {
    fn request(&self) -> ReceivedRequest {
        let target = format!("{}?{}", self.path, encode_pairs(&self.query));
        let mut headers: Vec<_> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        headers.push(("authorization", &self.expected.authorization));
        received(&self.method, &target, &headers, &self.body)
    }
}

impl V1 {
    fn request(&self) -> ReceivedRequest {
        let target = format!(
            "/?{}&Signature={}",
            encode_pairs(&self.query),
            percent(&self.expected.signature)
        );
        let mut headers = vec![("host", self.host.as_str())];
        if !self.body_params.is_empty() {
            headers.push(("content-type", "application/x-www-form-urlencoded"));
        }
        received(
            &self.method,
            &target,
            &headers,
            &encode_pairs(&self.body_params),
        )
    }
}

impl Keys {
    fn account(&self) -> Account {
        let session = self.security_token.clone();
        let key = Key::pair(
            self.access_key_id.clone(),
            self.access_key_secret.clone(),
            session,
        );
        Account::new("0".repeat(32), key)
    }

    fn with_another_secret(&self) -> Self {
        Self {
            access_key_secret: "othersecret".into(),
            ..self.clone()
        }
    }
}

fn check(
    request: &ReceivedRequest,
    account: &Account,
    date: &str,
) -> Result<String, AuthError<ApiError>> {
    let now = read_extended(date).unwrap();
    verify(request, account, now, &Switches::default()).map(|key_nonce| key_nonce.access_key)
}

/// Checks that the request is accepted, and that changes in the signed parts are not. A V1 signature
/// covers neither the path nor a body that is not a form.
fn assert_only_the_original_is_accepted(
    name: &str,
    request: &ReceivedRequest,
    keys: &Keys,
    date: &str,
    signed_headers: &str,
    unsigned_parts: &[&str],
) {
    let account = keys.account();
    let accepted = check(request, &account, date);
    assert_eq!(accepted.as_ref(), Ok(&keys.access_key_id), "{name}");
    let signed: Vec<_> = signed_headers
        .split(';')
        .filter(|name| !name.is_empty())
        .collect();
    for (part, forged) in forgeries(request, &signed) {
        if !unsigned_parts.contains(&&*part) {
            let result = check(&forged, &account, date);
            assert!(result.is_err(), "{name}: forged {part} was accepted");
        }
    }
}

/// Checks that the error for another secret quotes this text of the cloud.
fn assert_mismatch_quotes(
    name: &str,
    request: &ReceivedRequest,
    keys: &Keys,
    date: &str,
    quoted: &str,
) {
    let account = keys.with_another_secret().account();
    let AuthError { cause, error } = check(request, &account, date).unwrap_err();
    assert_eq!(
        (cause, &*error.code),
        (AuthErrorCause::Key, "SignatureDoesNotMatch")
    );
    assert!(error.message.ends_with(quoted), "{name}: {}", error.message);
}

#[test]
fn v3_vector_is_accepted_and_each_forgery_refused() {
    for vector in vectors().v3 {
        let (request, name) = (vector.request(), &vector.name);
        let (keys, date) = (&vector.keys, &vector.date);
        let signed = &vector.signed_headers;
        assert_only_the_original_is_accepted(name, &request, keys, date, signed, &[]);
        let canonical = &vector.expected.canonical_request;
        let quoted = format!("server CanonicalRequest is [{canonical}]");
        assert_mismatch_quotes(name, &request, keys, date, &quoted);
    }
}

#[test]
fn v1_vector_is_accepted_and_each_forgery_refused() {
    for vector in vectors().v1 {
        let (request, name) = (vector.request(), &vector.name);
        let (keys, date) = (&vector.keys, &vector.date);
        let unsigned: &[_] = if vector.body_params.is_empty() {
            &["path", "body"]
        } else {
            &["path"]
        };
        assert_only_the_original_is_accepted(name, &request, keys, date, "", unsigned);
        let quoted = format!(
            "server string to sign is:{}",
            vector.expected.string_to_sign
        );
        assert_mismatch_quotes(name, &request, keys, date, &quoted);
    }
}

#[test]
fn captured_sdk_request_is_accepted_and_each_forgery_refused() {
    let wire: Wire = serde_json::from_str(WIRE).unwrap();
    let date = "2018-01-29T08:00:00Z";
    assert_eq!(wire.requests.len(), 23);
    for captured in wire.requests {
        let name = &captured.name;
        let credentials = &wire.about.credentials;
        let keys = credentials.get(name).unwrap_or(&credentials["default"]);
        let headers: Vec<_> = captured
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let request = received(&captured.method, &captured.target, &headers, &captured.body);
        assert!(Aliyun.serves(&request), "{name}");
        let call = Aliyun.classify(&request);
        assert_eq!(call.key, keys.access_key_id, "{name}");
        assert_ne!(call.name, "unknown", "{name}");

        let signed = request
            .header("authorization")
            .and_then(|value| value.split("SignedHeaders=").nth(1)?.split(',').next())
            .unwrap_or_default();
        let unsigned: &[_] = if signed.is_empty() {
            &["path", "body"]
        } else {
            &[]
        };
        assert_only_the_original_is_accepted(name, &request, keys, date, signed, unsigned);
    }
}

/// Returns the first vector, and a cloud at the time of the vector.
fn first_vector() -> (CloudState, ReceivedRequest) {
    let vector = vectors().v3.remove(0);
    let unix = u64::try_from(read_extended(&vector.date).unwrap()).unwrap();
    let key = Key::pair(
        vector.keys.access_key_id.clone(),
        vector.keys.access_key_secret.clone(),
        None,
    );
    (cloud_state_at(Cloud::Aliyun, unix, key), vector.request())
}

/// Returns cause, status and code of the error.
fn error_code(cloud: &mut CloudState, request: &ReceivedRequest) -> (AuthErrorCause, u16, String) {
    let (cause, status, body) = auth_error(cloud, request).unwrap();
    (cause, status, status_and_code(&(status, body)).1.to_owned())
}

fn expected(cause: AuthErrorCause, status: u16, code: &str) -> (AuthErrorCause, u16, String) {
    (cause, status, code.to_owned())
}

/// Makes JSON the default format, so that the tests can read errors.
fn respond_in_json(cloud: &mut CloudState) {
    cloud.switches.aliyun.xml_by_default = false;
}

#[test]
fn repeated_nonce_is_refused() {
    let (mut cloud, request) = first_vector();
    respond_in_json(&mut cloud);
    assert!(Aliyun.authenticate(&mut cloud, &request).is_ok());
    let again = error_code(&mut cloud, &request);
    assert_eq!(
        again,
        expected(AuthErrorCause::Other, 400, "SignatureNonceUsed")
    );
}

#[test]
fn request_is_refused_if_the_clocks_differ_by_more_than_fifteen_minutes() {
    let (mut cloud, request) = first_vector();
    respond_in_json(&mut cloud);
    for (seconds, good) in [(-901, false), (-900, true), (900, true), (901, false)] {
        cloud.aliyun = Default::default();
        cloud.skew = seconds;
        let result = Aliyun.authenticate(&mut cloud, &request);
        assert_eq!(result.is_ok(), good, "{seconds}");
    }
    let expired = expected(AuthErrorCause::Other, 400, "InvalidTimeStamp.Expired");
    assert_eq!(error_code(&mut cloud, &request), expired);
    let malformed = with_header(&request, "x-acs-date", "yesterday");
    let error = expected(AuthErrorCause::Other, 400, "InvalidTimeStamp.Format");
    assert_eq!(error_code(&mut cloud, &malformed), error);
}

#[test]
fn unknown_or_disabled_key_is_refused() {
    let (mut cloud, request) = first_vector();
    respond_in_json(&mut cloud);
    let stranger = cloud_state_at(
        Cloud::Aliyun,
        1_517_212_800,
        Key::pair("x".into(), "y".into(), None),
    );
    let own = std::mem::replace(&mut cloud.account, stranger.account);
    let error = expected(AuthErrorCause::Key, 404, "InvalidAccessKeyId.NotFound");
    assert_eq!(error_code(&mut cloud, &request), error);
    cloud.switches.aliyun.unknown_key_status = 400;
    let error = expected(AuthErrorCause::Key, 400, "InvalidAccessKeyId.NotFound");
    assert_eq!(error_code(&mut cloud, &request), error);

    cloud.account = own;
    cloud.account.revoke_after(0);
    let error = expected(AuthErrorCause::Key, 400, "InvalidAccessKeyId.Inactive");
    assert_eq!(error_code(&mut cloud, &request), error);
}

#[test]
fn temporary_key_without_its_session_token_is_refused() {
    let (mut cloud, request) = first_vector();
    respond_in_json(&mut cloud);
    let key = |session: &str| Key::pair("testid".into(), "testsecret".into(), Some(session.into()));
    cloud.account.add(key("token"));
    let error = expected(AuthErrorCause::Key, 400, "MissingSecurityToken");
    assert_eq!(error_code(&mut cloud, &request), error);

    let vector = vectors()
        .v3
        .into_iter()
        .find(|vector| vector.name == "sts-token")
        .unwrap();
    let sent = vector.request();
    let session = vector.keys.security_token.unwrap();
    let key = |session: &str| {
        Key::pair(
            vector.keys.access_key_id.clone(),
            vector.keys.access_key_secret.clone(),
            Some(session.into()),
        )
    };
    cloud.account.add(key(&format!("{session}x")));
    let error = expected(
        AuthErrorCause::Key,
        400,
        "InvalidSecurityToken.MismatchWithAccessKey",
    );
    assert_eq!(error_code(&mut cloud, &sent), error);
    cloud.account.add(key(&session));
    assert!(Aliyun.authenticate(&mut cloud, &sent).is_ok());
    cloud.account.revoke_after(0);
    cloud.switches.aliyun.session_status = 403;
    let error = expected(AuthErrorCause::Key, 403, "InvalidSecurityToken.Expired");
    assert_eq!(error_code(&mut cloud, &sent), error);
}

#[test]
fn request_with_an_unsigned_mandatory_header_is_refused() {
    let (mut cloud, request) = first_vector();
    respond_in_json(&mut cloud);
    let incomplete = expected(AuthErrorCause::Other, 400, "IncompleteSignature");
    let unsigned = request
        .header("authorization")
        .unwrap()
        .replace("x-acs-date;", "");
    for bad in [
        without_header(&request, "authorization"),
        with_header(&request, "authorization", "ACS3-HMAC-SM3 Credential=testid"),
        with_header(&request, "authorization", &unsigned),
        without_header(&request, "x-acs-content-sha256"),
        with_header(&request, "x-acs-security-token", "unsigned"),
    ] {
        assert_eq!(error_code(&mut cloud, &bad), incomplete);
    }
}

#[test]
fn v1_request_without_a_timestamp_is_refused() {
    let vector = vectors().v1.remove(0);
    let mut request = vector.request();
    request.query = request.query.replace("Timestamp", "Zeit");
    let AuthError { cause, error } =
        check(&request, &vector.keys.account(), &vector.date).unwrap_err();
    assert_eq!(
        (cause, &*error.code),
        (AuthErrorCause::Other, "IllegalTimestamp")
    );
}

#[test]
fn nonce_is_accepted_again_after_fifteen_minutes() {
    let (mut cloud, request) = first_vector();
    assert!(Aliyun.authenticate(&mut cloud, &request).is_ok());
    move_clock_to(&mut cloud, 901);
    cloud.skew = -901;
    assert!(Aliyun.authenticate(&mut cloud, &request).is_ok());
}
