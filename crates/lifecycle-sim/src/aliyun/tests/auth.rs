//! The vendor's own requests are let in; nothing else is.

use serde::Deserialize;

use super::*;
use crate::{
    account::{Account, Key},
    aliyun::{api_error::ApiError, auth::verify, switches::Switches},
    cloud_api::{AuthError, AuthErrorCause},
    testing::{at, auth_error, cloud_state_at, forgeries, with_header, without_header},
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
    access_key_id: String,
    access_key_secret: String,
    security_token: Option<String>,
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
    access_key_id: String,
    access_key_secret: String,
    security_token: Option<String>,
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

fn encoded(pairs: &[(String, String)]) -> String {
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", percent(name), percent(value)))
        .collect();
    pairs.join("&")
}

impl V3 {
    fn request(&self) -> ReceivedRequest {
        let target = format!("{}?{}", self.path, encoded(&self.query));
        let mut headers: Vec<_> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        headers.push(("authorization", &self.expected.authorization));
        received(&self.method, &target, &headers, &self.body)
    }

    fn account(&self) -> Account {
        account(
            &self.access_key_id,
            &self.access_key_secret,
            self.security_token.as_deref(),
        )
    }
}

impl V1 {
    fn request(&self) -> ReceivedRequest {
        let target = format!(
            "/?{}&Signature={}",
            encoded(&self.query),
            percent(&self.expected.signature)
        );
        let mut headers = vec![("host", self.host.as_str())];
        if !self.body_params.is_empty() {
            headers.push(("content-type", "application/x-www-form-urlencoded"));
        }
        received(&self.method, &target, &headers, &encoded(&self.body_params))
    }

    fn account(&self) -> Account {
        account(
            &self.access_key_id,
            &self.access_key_secret,
            self.security_token.as_deref(),
        )
    }
}

fn account(id: &str, secret: &str, session: Option<&str>) -> Account {
    let key = Key::pair(id.into(), secret.into(), session.map(str::to_owned));
    Account::new("0".repeat(32), key)
}

fn check(
    request: &ReceivedRequest,
    account: &Account,
    date: &str,
) -> Result<String, AuthError<ApiError>> {
    let now = read_extended(date).unwrap();
    verify(request, account, now, &Switches::default()).map(|key_nonce| key_nonce.access_key)
}

#[test]
fn every_v3_vector_is_let_in_and_no_forgery_of_it() {
    for vector in vectors().v3 {
        let (request, account) = (vector.request(), vector.account());
        let key_nonce = check(&request, &account, &vector.date);
        assert_eq!(
            key_nonce.as_ref(),
            Ok(&vector.access_key_id),
            "{}",
            vector.name
        );

        let signed: Vec<_> = vector.signed_headers.split(';').collect();
        for (what, forged) in forgeries(&request, &signed) {
            let result = check(&forged, &account, &vector.date);
            assert!(result.is_err(), "{}: forged {what} was let in", vector.name);
        }
        let other = self::account(
            &vector.access_key_id,
            "othersecret",
            vector.security_token.as_deref(),
        );
        let AuthError { cause, error } = check(&request, &other, &vector.date).unwrap_err();
        assert_eq!(
            (cause, &*error.code),
            (AuthErrorCause::Key, "SignatureDoesNotMatch")
        );
        let quoted = format!(
            "server CanonicalRequest is [{}]",
            vector.expected.canonical_request
        );
        assert!(
            error.message.ends_with(&quoted),
            "{}: {}",
            vector.name,
            error.message
        );
    }
}

#[test]
fn every_v1_vector_is_let_in_and_no_forgery_of_it() {
    for vector in vectors().v1 {
        let (request, account) = (vector.request(), vector.account());
        let key_nonce = check(&request, &account, &vector.date);
        assert_eq!(
            key_nonce.as_ref(),
            Ok(&vector.access_key_id),
            "{}",
            vector.name
        );

        let has_form = !vector.body_params.is_empty();
        for (what, forged) in forgeries(&request, &[]) {
            // A V1 signature covers neither the path nor a body that is no form.
            if what == "path" || what == "body" && !has_form {
                continue;
            }
            let result = check(&forged, &account, &vector.date);
            assert!(result.is_err(), "{}: forged {what} was let in", vector.name);
        }
        let other = self::account(
            &vector.access_key_id,
            "othersecret",
            vector.security_token.as_deref(),
        );
        let AuthError { cause, error } = check(&request, &other, &vector.date).unwrap_err();
        assert_eq!(
            (cause, &*error.code),
            (AuthErrorCause::Key, "SignatureDoesNotMatch")
        );
        let quoted = format!(
            "server string to sign is:{}",
            vector.expected.string_to_sign
        );
        assert!(
            error.message.ends_with(&quoted),
            "{}: {}",
            vector.name,
            error.message
        );
    }
}

#[test]
fn every_request_of_the_vendors_sdks_is_let_in() {
    let wire: Wire = serde_json::from_str(WIRE).unwrap();
    let date = "2018-01-29T08:00:00Z";
    assert_eq!(wire.requests.len(), 23);
    for captured in wire.requests {
        let keys = wire
            .about
            .credentials
            .get(&captured.name)
            .unwrap_or(&wire.about.credentials["default"]);
        let headers: Vec<_> = captured
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let request = received(&captured.method, &captured.target, &headers, &captured.body);
        let account = account(
            &keys.access_key_id,
            &keys.access_key_secret,
            keys.security_token.as_deref(),
        );
        assert!(Aliyun.serves(&request), "{}", captured.name);
        let key_nonce = check(&request, &account, date);
        assert_eq!(
            key_nonce.as_ref(),
            Ok(&keys.access_key_id),
            "{}",
            captured.name
        );
        let intent = Aliyun.classify(&request);
        assert_eq!(intent.key, keys.access_key_id, "{}", captured.name);
        assert_ne!(intent.name, "unknown", "{}", captured.name);

        let signed = request
            .header("authorization")
            .and_then(|value| value.split("SignedHeaders=").nth(1)?.split(',').next())
            .unwrap_or_default()
            .to_owned();
        let signed: Vec<_> = signed.split(';').filter(|name| !name.is_empty()).collect();
        let is_v1 = signed.is_empty();
        for (what, forged) in forgeries(&request, &signed) {
            if is_v1 && (what == "path" || what == "body") {
                continue;
            }
            let result = check(&forged, &account, date);
            assert!(
                result.is_err(),
                "{}: forged {what} was let in",
                captured.name
            );
        }
    }
}

/// The first vector, before a site whose clock stands at its date.
fn first_vector() -> (CloudState, ReceivedRequest) {
    let vector = vectors().v3.remove(0);
    let unix = u64::try_from(read_extended(&vector.date).unwrap()).unwrap();
    let key = Key::pair(
        vector.access_key_id.clone(),
        vector.access_key_secret.clone(),
        None,
    );
    (cloud_state_at(Cloud::Aliyun, unix, key), vector.request())
}

/// Returns cause, status and code of the error.
fn error_code(cloud: &mut CloudState, request: &ReceivedRequest) -> (AuthErrorCause, u16, String) {
    let (cause, status, body) = auth_error(cloud, request).unwrap();
    (cause, status, code(&(status, body)).1.to_owned())
}

fn expected(cause: AuthErrorCause, status: u16, code: &str) -> (AuthErrorCause, u16, String) {
    (cause, status, code.to_owned())
}

/// The gate's answers are JSON when the request says so.
fn respond_in_json(cloud: &mut CloudState) {
    cloud.switches.aliyun.xml_by_default = false;
}

#[test]
fn a_nonce_is_good_once() {
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
fn clocks_may_be_fifteen_minutes_apart() {
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
fn keys_must_be_known_and_good() {
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
fn a_temporary_key_needs_its_token() {
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
    let session = vector.security_token.unwrap();
    let key = |session: &str| {
        Key::pair(
            vector.access_key_id.clone(),
            vector.access_key_secret.clone(),
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
fn what_must_be_signed_must_be_there() {
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
fn a_v1_request_names_its_time() {
    let vector = vectors().v1.remove(0);
    let mut request = vector.request();
    request.query = request.query.replace("Timestamp", "Zeit");
    let AuthError { cause, error } = check(&request, &vector.account(), &vector.date).unwrap_err();
    assert_eq!(
        (cause, &*error.code),
        (AuthErrorCause::Other, "IllegalTimestamp")
    );
}

#[test]
fn nonces_are_forgotten_when_no_clock_could_still_take_them() {
    let (mut cloud, request) = first_vector();
    assert!(Aliyun.authenticate(&mut cloud, &request).is_ok());
    at(&mut cloud, 901);
    cloud.skew = -901;
    assert!(Aliyun.authenticate(&mut cloud, &request).is_ok());
}
