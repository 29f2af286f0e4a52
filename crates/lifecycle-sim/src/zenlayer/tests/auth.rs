//! The signatures of the vendor's own signer are let in; nothing else is.

use super::*;
use crate::{
    account::Key,
    cloud_api::AuthErrorCause,
    testing::{auth_error, cloud_state_at, forgeries},
};

const SIGNING: &str = include_str!("../../../tests/vectors/zenlayer/signing.json");
const REQUESTS: &str = include_str!("../../../tests/vectors/zenlayer/requests.json");

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

fn cloud_with_key(vector: &Value, now: u64) -> CloudState {
    let key = match vector["access_key_id"].as_str() {
        Some(id) => Key::pair(
            id.to_owned(),
            text(vector, "access_key_password").to_owned(),
            None,
        ),
        None => Key::token("FAKE-access-token".to_owned()),
    };
    cloud_state_at(Cloud::Zenlayer, now, key)
}

fn request_of(vector: &Value, authorization: &str) -> ReceivedRequest {
    let headers: Vec<(&str, &str)> = vector["headers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap()))
        .filter(|(name, _)| !name.eq_ignore_ascii_case("authorization"))
        .chain([("authorization", authorization)])
        .collect();
    received(
        text(vector, "method"),
        text(vector, "path"),
        &headers,
        text(vector, "body"),
    )
}

/// Returns cause, status and code of the error, or `None` for success.
fn error_code(
    cloud: &mut CloudState,
    request: &ReceivedRequest,
) -> Option<(AuthErrorCause, u16, Value)> {
    let (cause, status, body) = auth_error(cloud, request)?;
    Some((cause, status, body["code"].clone()))
}

fn vectors() -> Vec<(Value, u64, String)> {
    let vectors: Vec<Value> = serde_json::from_str(SIGNING).unwrap();
    assert_eq!(vectors.len(), 24);
    vectors
        .into_iter()
        .map(|vector| {
            let time = vector["timestamp"].as_u64().unwrap();
            let authorization = text(&vector["expected"], "authorization").to_owned();
            (vector, time, authorization)
        })
        .collect()
}

fn captured() -> Vec<(Value, u64, String)> {
    let requests: Vec<Value> = serde_json::from_str(REQUESTS).unwrap();
    assert_eq!(requests.len(), 18);
    requests
        .into_iter()
        .map(|request| {
            let headers = request["headers"].as_array().unwrap();
            let authorization = headers.iter().find(|pair| pair[0] == "Authorization");
            let authorization = authorization.unwrap()[1].as_str().unwrap().to_owned();
            (request, 1_700_000_000, authorization)
        })
        .collect()
}

#[test]
fn what_the_vendors_signer_made_is_accepted_and_every_forgery_refused() {
    let mut forged = 0;
    for (vector, time, authorization) in vectors().into_iter().chain(captured()) {
        let name = text(&vector, "name");
        let mut cloud = cloud_with_key(&vector, time);
        let request = request_of(&vector, &authorization);
        assert_eq!(error_code(&mut cloud, &request), None, "{name}");
        if authorization.starts_with("Bearer") {
            continue;
        }
        for (what, forgery) in forgeries(&request, &["host", "content-type", "x-zc-timestamp"]) {
            // The algorithm covers neither path nor query.
            if what == "path" || what.starts_with("query") {
                continue;
            }
            let (cause, status, code) = error_code(&mut cloud, &forgery).expect(&what);
            let expected = match what.as_str() {
                "x-zc-timestamp" => (AuthErrorCause::Other, 401, "AUTHFAILURE_SIGNATURE_EXPIRED"),
                _ => (AuthErrorCause::Key, 401, "AUTHFAILURE_SIGNATURE_FAILURE"),
            };
            assert_eq!(
                (cause, status, code.as_str().unwrap()),
                expected,
                "{name}: {what}"
            );
            forged += 1;
        }
        let mut later = request.clone();
        let next = (time + 1).to_string().parse().unwrap();
        later.headers.insert("x-zc-timestamp", next);
        assert!(
            error_code(&mut cloud, &later).is_some(),
            "the timestamp is signed"
        );
        let mut stranger = vector.clone();
        stranger["access_key_password"] = "another".into();
        assert!(error_code(&mut cloud_with_key(&stranger, time), &request).is_some());
    }
    assert_eq!(forged, (24 + 17) * 5);
}

#[test]
fn a_request_ages_after_five_minutes() {
    let (vector, time, authorization) = vectors().swap_remove(0);
    let request = request_of(&vector, &authorization);
    for (now, accepted) in [
        (time + 300, true),
        (time + 301, false),
        (time - 300, true),
        (time - 301, false),
    ] {
        let expired = (
            AuthErrorCause::Other,
            401,
            json!("AUTHFAILURE_SIGNATURE_EXPIRED"),
        );
        let error = error_code(&mut cloud_with_key(&vector, now), &request);
        assert_eq!(error, (!accepted).then_some(expired));
    }
}

#[test]
fn further_headers_and_lower_case_values_may_be_signed() {
    use lifecycle_core::encode::{hmac_sha256_hex, sha256_hex};
    let body = "{}";
    for value in ["Application/JSON", "application/json"] {
        let canonical = format!(
            "POST\n/\n\ncontent-type:{value}\nhost:console.zenlayer.com\nx-zc-action:StartInstances\n\ncontent-type;host;x-zc-action\n{}",
            sha256_hex(body.as_bytes())
        );
        let to_sign = format!(
            "ZC2-HMAC-SHA256\n1700000000\n{}",
            sha256_hex(canonical.as_bytes())
        );
        let signature = hmac_sha256_hex(b"secret", to_sign.as_bytes());
        let authorization = format!(
            "ZC2-HMAC-SHA256 Credential=id,SignedHeaders=content-type;host;x-zc-action,Signature={signature}"
        );
        let headers = |action| {
            [
                ("host", "console.zenlayer.com"),
                ("content-type", "Application/JSON"),
                ("x-zc-action", action),
                ("x-zc-timestamp", "1700000000"),
                ("x-zc-signature-method", "ZC2-HMAC-SHA256"),
                ("authorization", authorization.as_str()),
            ]
        };
        let key = Key::pair("id".into(), "secret".into(), None);
        let mut cloud = cloud_state_at(Cloud::Zenlayer, 1_700_000_000, key);
        // The page has values in lower case, the SDKs as they are: `startinstances` or not.
        let good = received("POST", "/api/v2/zec", &headers("StartInstances"), body);
        let lower_only = value == "application/json";
        assert_eq!(error_code(&mut cloud, &good).is_some(), lower_only);
        let forged = received("POST", "/api/v2/zec", &headers("StopInstances"), body);
        assert!(error_code(&mut cloud, &forged).is_some());
    }
}

#[test]
fn headers_and_keys_that_are_not_good() {
    let (vector, time, good) = vectors().swap_remove(0);
    let malformed = (
        AuthErrorCause::Other,
        401,
        json!("AUTHFAILURE_INVALID_AUTHORIZATION"),
    );
    for authorization in [
        "",
        "Basic x",
        "ZC2-HMAC-SHA256 Credential=a",
        "ZC2-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=b",
        &format!("{good}, More=1"),
    ] {
        let request = request_of(&vector, authorization);
        let error = error_code(&mut cloud_with_key(&vector, time), &request);
        assert_eq!(error, Some(malformed.clone()), "{authorization:?}");
    }
    for missing in ["x-zc-timestamp", "x-zc-signature-method", "authorization"] {
        let mut request = request_of(&vector, &good);
        request.headers.remove(missing);
        let error = error_code(&mut cloud_with_key(&vector, time), &request);
        assert_eq!(error, Some(malformed.clone()), "{missing}");
    }
    let bad_key = Some((
        AuthErrorCause::Key,
        401,
        json!("AUTHFAILURE_SIGNATURE_FAILURE"),
    ));
    let request = request_of(&vector, &good);
    let mut revoking = cloud_with_key(&vector, time);
    revoking.account.revoke_after(0);
    assert_eq!(error_code(&mut revoking, &request), bad_key);
    let mut stranger = vector.clone();
    stranger["access_key_id"] = "another".into();
    assert_eq!(
        error_code(&mut cloud_with_key(&stranger, time), &request),
        bad_key
    );

    let bearer = request_of(&vector, "Bearer nothing");
    let bad_token = Some((
        AuthErrorCause::Key,
        401,
        json!("AUTHFAILURE_INVALID_AUTHORIZATION"),
    ));
    assert_eq!(
        error_code(&mut cloud_with_key(&vector, time), &bearer),
        bad_token
    );
}
