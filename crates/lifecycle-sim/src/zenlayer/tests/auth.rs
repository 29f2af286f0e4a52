//! Tests of the simulated Zenlayer's authentication with signatures of the vendor's signer, and with forged
//! requests.

use super::*;
use crate::{
    account::Key,
    cloud_api::AuthErrorCause,
    testing::{auth_error_code, cloud_state_at, forgeries, text, vector_request},
};

const SIGNING: &str = include_str!("../../../tests/vectors/zenlayer/signing.json");
const REQUESTS: &str = include_str!("../../../tests/vectors/zenlayer/requests.json");

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
fn vector_or_captured_request_is_accepted_and_each_forgery_refused() {
    let mut forged = 0;
    for (vector, time, authorization) in vectors().into_iter().chain(captured()) {
        let name = text(&vector, "name");
        let mut cloud = cloud_with_key(&vector, time);
        let request = vector_request(&vector, text(&vector, "path"), &authorization);
        assert_eq!(auth_error_code(&mut cloud, &request), None, "{name}");
        if authorization.starts_with("Bearer") {
            continue;
        }
        for (part, forgery) in forgeries(&request, &["host", "content-type", "x-zc-timestamp"]) {
            // The signature covers neither path nor query.
            if part == "path" || part.starts_with("query") {
                continue;
            }
            let (cause, status, code) = auth_error_code(&mut cloud, &forgery).expect(&part);
            let expected = match part.as_str() {
                "x-zc-timestamp" => (AuthErrorCause::Other, 401, "AUTHFAILURE_SIGNATURE_EXPIRED"),
                _ => (AuthErrorCause::Key, 401, "AUTHFAILURE_SIGNATURE_FAILURE"),
            };
            assert_eq!(
                (cause, status, code.as_str().unwrap()),
                expected,
                "{name}: {part}"
            );
            forged += 1;
        }
        let mut later = request.clone();
        let next = (time + 1).to_string().parse().unwrap();
        later.headers.insert("x-zc-timestamp", next);
        assert!(
            auth_error_code(&mut cloud, &later).is_some(),
            "the timestamp is signed"
        );
        let mut stranger = vector.clone();
        stranger["access_key_password"] = "another".into();
        assert!(auth_error_code(&mut cloud_with_key(&stranger, time), &request).is_some());
    }
    assert_eq!(forged, (24 + 17) * 5);
}

#[test]
fn request_expires_after_five_minutes() {
    let (vector, time, authorization) = vectors().swap_remove(0);
    let request = vector_request(&vector, text(&vector, "path"), &authorization);
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
        let error = auth_error_code(&mut cloud_with_key(&vector, now), &request);
        assert_eq!(error, (!accepted).then_some(expired));
    }
}

#[test]
fn signature_over_further_headers_and_lower_case_values_is_accepted() {
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
        // The page shows values in lower case, the SDKs sign the values as sent.
        let good = received("POST", "/api/v2/zec", &headers("StartInstances"), body);
        let lower_only = value == "application/json";
        assert_eq!(auth_error_code(&mut cloud, &good).is_some(), lower_only);
        let forged = received("POST", "/api/v2/zec", &headers("StopInstances"), body);
        assert!(auth_error_code(&mut cloud, &forged).is_some());
    }
}

#[test]
fn malformed_authorization_or_invalid_key_is_refused() {
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
        let request = vector_request(&vector, text(&vector, "path"), authorization);
        let error = auth_error_code(&mut cloud_with_key(&vector, time), &request);
        assert_eq!(error, Some(malformed.clone()), "{authorization:?}");
    }
    for missing in ["x-zc-timestamp", "x-zc-signature-method", "authorization"] {
        let mut request = vector_request(&vector, text(&vector, "path"), &good);
        request.headers.remove(missing);
        let error = auth_error_code(&mut cloud_with_key(&vector, time), &request);
        assert_eq!(error, Some(malformed.clone()), "{missing}");
    }
    let bad_key = Some((
        AuthErrorCause::Key,
        401,
        json!("AUTHFAILURE_SIGNATURE_FAILURE"),
    ));
    let request = vector_request(&vector, text(&vector, "path"), &good);
    let mut revoking = cloud_with_key(&vector, time);
    revoking.account.revoke_after(0);
    assert_eq!(auth_error_code(&mut revoking, &request), bad_key);
    let mut stranger = vector.clone();
    stranger["access_key_id"] = "another".into();
    assert_eq!(
        auth_error_code(&mut cloud_with_key(&stranger, time), &request),
        bad_key
    );

    let bearer = vector_request(&vector, text(&vector, "path"), "Bearer nothing");
    let bad_token = Some((
        AuthErrorCause::Key,
        401,
        json!("AUTHFAILURE_INVALID_AUTHORIZATION"),
    ));
    assert_eq!(
        auth_error_code(&mut cloud_with_key(&vector, time), &bearer),
        bad_token
    );
}
