//! Tests of the simulated Baidu's authentication with signatures of the vendor's signer, and with
//! forged requests.

use super::*;
use crate::{
    account::Key,
    baidu::switches::*,
    cloud_api::AuthErrorCause,
    testing::{auth_error_code, cloud_state_at, forgeries, text, vector_request},
    time::read_extended,
};

const SIGNING: &str = include_str!("../../../tests/vectors/baidu/signing.json");
const QUIRKS: &str = include_str!("../../../tests/vectors/baidu/signing_quirks.json");
const REQUESTS: &str = include_str!("../../../tests/vectors/baidu/requests.json");

fn cloud_with_key(vector: &Value, timestamp: &str) -> CloudState {
    let key = Key::pair(
        text(vector, "access_key").to_owned(),
        text(vector, "secret_key").to_owned(),
        vector["session_token"].as_str().map(str::to_owned),
    );
    let unix = read_extended(timestamp).unwrap();
    cloud_state_at(Cloud::Baidu, unix.unsigned_abs(), key)
}

#[test]
fn vector_is_accepted_and_each_forgery_refused() {
    let vectors: Vec<Value> = serde_json::from_str(SIGNING).unwrap();
    assert_eq!(vectors.len(), 27);
    let mut forged = 0;
    for vector in &vectors {
        let mut cloud = cloud_with_key(vector, text(vector, "timestamp"));
        let target = text(vector, "python_sdk_request_target");
        let expected = &vector["expected"];
        for authorization in ["authorization", "authorization_explicit_headers"] {
            let Some(authorization) = expected[authorization].as_str() else {
                continue;
            };
            let request = vector_request(vector, target, authorization);
            let error = auth_error_code(&mut cloud, &request);
            assert!(error.is_none(), "{}: {error:?}", text(vector, "name"));

            let lines = text(expected, "canonical_headers").split('\n');
            let signed: Vec<_> = lines.filter_map(|line| line.split(':').next()).collect();
            for (part, forgery) in forgeries(&request, &signed) {
                // The signature covers the length of the body and no other part.
                if part == "body" {
                    continue;
                }
                let error = auth_error_code(&mut cloud, &forgery);
                assert!(error.is_some(), "{}: {part}", text(vector, "name"));
                forged += 1;
            }
        }
    }
    assert!(forged > 500, "{forged}");
}

/// Other SDKs send pairs in any order, and keys without a value and without an equals sign.
#[test]
fn signature_is_valid_for_any_order_and_form_of_query_pairs() {
    use lifecycle_core::encode::percent;
    let vectors: Vec<Value> = serde_json::from_str(SIGNING).unwrap();
    for vector in &vectors {
        let pairs = vector["query"].as_array().unwrap();
        let written = pairs.iter().rev().map(|pair| match pair[1].as_str() {
            None | Some("") => percent(pair[0].as_str().unwrap()).into_owned(),
            Some(value) => format!("{}={}", percent(pair[0].as_str().unwrap()), percent(value)),
        });
        let query: Vec<String> = written.collect();
        let path = text(&vector["expected"], "canonical_uri");
        let target = format!("{path}?{}", query.join("&"));
        let request = vector_request(vector, &target, text(&vector["expected"], "authorization"));
        let mut cloud = cloud_with_key(vector, text(vector, "timestamp"));
        let error = auth_error_code(&mut cloud, &request);
        assert!(error.is_none(), "{}: {error:?}", text(vector, "name"));
    }
}

#[test]
fn signature_expires_after_the_stated_lifetime() {
    let vectors: Vec<Value> = serde_json::from_str(SIGNING).unwrap();
    let vector = vectors.iter().find(|v| v["name"] == "expiry_60").unwrap();
    let target = text(vector, "python_sdk_request_target");
    let request = vector_request(vector, target, text(&vector["expected"], "authorization"));
    for (now, accepted) in [
        ("2025-10-20T08:01:00Z", true),
        ("2025-10-20T08:01:01Z", false),
    ] {
        let error = auth_error_code(&mut cloud_with_key(vector, now), &request);
        assert_eq!(error.is_none(), accepted, "{now}");
    }
}

#[test]
fn captured_request_is_accepted_and_each_forgery_refused() {
    let requests: Vec<Value> = serde_json::from_str(REQUESTS).unwrap();
    assert_eq!(requests.len(), 26);
    let mut forged = 0;
    for captured in &requests {
        let headers = captured["headers"].as_array().unwrap();
        let header = |name: &str| {
            let pair = headers
                .iter()
                .find(|pair| pair[0].as_str().unwrap().eq_ignore_ascii_case(name));
            pair.unwrap()[1].as_str().unwrap()
        };
        let mut vector = captured.clone();
        vector["access_key"] = "FAKEAKwire0000000000000000000001".into();
        vector["secret_key"] = "FAKESKwire000000000000000000000f".into();
        let mut cloud = cloud_with_key(&vector, header("x-bce-date"));
        let target = match (text(captured, "path"), text(captured, "raw_query")) {
            (path, "") => path.to_owned(),
            (path, query) => format!("{path}?{query}"),
        };
        let request = vector_request(&vector, &target, header("authorization"));
        assert_eq!(
            auth_error_code(&mut cloud, &request),
            None,
            "{}",
            text(captured, "op")
        );

        for (part, forgery) in forgeries(&request, &["host", "x-bce-date", "content-length"]) {
            // The signature covers the length of the body and no other part.
            if part == "body" {
                continue;
            }
            let error = auth_error_code(&mut cloud, &forgery);
            let bad = Some((AuthErrorCause::Key, 400, json!("SignatureDoesNotMatch")));
            assert_eq!(error, bad, "{}: {part}", text(captured, "op"));
            forged += 1;
        }
        vector["secret_key"] = "FAKESKwire000000000000000000000e".into();
        let mut other = cloud_with_key(&vector, header("x-bce-date"));
        assert!(auth_error_code(&mut other, &request).is_some());
    }
    assert!(forged > 300, "{forged}");
}

#[test]
fn signature_that_deviates_from_the_page_is_refused() {
    let quirks: Vec<Value> = serde_json::from_str(QUIRKS).unwrap();
    for (name, accepted) in [
        ("explicit_list_omits_x_bce_date", false),
        ("explicit_list_names_absent_header", true),
        ("explicit_list_order_is_kept", true),
        ("authorization_query_param_is_signed", false),
    ] {
        let vector = quirks.iter().find(|q| q["name"] == name).unwrap();
        let mut cloud = cloud_with_key(vector, text(vector, "timestamp"));
        let query: Vec<String> = vector["query"]
            .as_array()
            .unwrap()
            .iter()
            .map(|pair| {
                format!(
                    "{}={}",
                    pair[0].as_str().unwrap(),
                    pair[1].as_str().unwrap_or("")
                )
            })
            .collect();
        let target = format!("{}?{}", text(vector, "path"), query.join("&"));
        let request = vector_request(
            vector,
            &target,
            text(&vector["python_sdk_output"], "authorization"),
        );
        assert_eq!(
            auth_error_code(&mut cloud, &request).is_none(),
            accepted,
            "{name}"
        );
    }
}

/// Returns the first vector with a date header: signed at 2015-08-11T04:17:29Z, valid for 1800 s.
fn sample() -> (Value, ReceivedRequest) {
    let vectors: Vec<Value> = serde_json::from_str(SIGNING).unwrap();
    let vector = vectors[2].clone();
    let target = text(&vector, "python_sdk_request_target").to_owned();
    let authorization = text(&vector["expected"], "authorization").to_owned();
    let request = vector_request(&vector, &target, &authorization);
    (vector, request)
}

#[test]
fn request_expires_after_thirty_minutes() {
    let (vector, request) = sample();
    for (now, accepted) in [
        ("2015-08-11T04:47:29Z", true),
        ("2015-08-11T04:47:30Z", false),
        ("2015-08-11T03:47:29Z", true),
        ("2015-08-11T03:47:28Z", false),
    ] {
        for checked in [
            CheckedTime::Authorization,
            CheckedTime::DateHeader,
            CheckedTime::Both,
        ] {
            let mut cloud = cloud_with_key(&vector, now);
            cloud.switches.baidu.checked_time = checked;
            let expected =
                (!accepted).then(|| (AuthErrorCause::Other, 400, json!("RequestExpired")));
            assert_eq!(
                auth_error_code(&mut cloud, &request),
                expected,
                "{now} {checked:?}"
            );
        }
    }
    let mut cloud = cloud_with_key(&vector, "2015-08-11T04:17:29Z");
    cloud.skew = 1_801;
    assert!(
        auth_error_code(&mut cloud, &request).is_some(),
        "the cloud's clock counts"
    );
}

#[test]
fn checked_time_follows_the_switch() {
    let (vector, mut request) = sample();
    // The header is signed, so the request is refused for its age or for its signature.
    request
        .headers
        .insert("x-bce-date", "2015-08-11T09:00:00Z".parse().unwrap());
    for (checked, code) in [
        (CheckedTime::Authorization, "SignatureDoesNotMatch"),
        (CheckedTime::DateHeader, "RequestExpired"),
        (CheckedTime::Both, "RequestExpired"),
    ] {
        let mut cloud = cloud_with_key(&vector, "2015-08-11T04:17:29Z");
        cloud.switches.baidu.checked_time = checked;
        assert_eq!(auth_error_code(&mut cloud, &request).unwrap().2, code);
    }
}

#[test]
fn unknown_revoked_or_incomplete_key_is_refused() {
    let (vector, request) = sample();
    let now = "2015-08-11T04:17:29Z";

    let mut stranger = vector.clone();
    stranger["access_key"] = "another".into();
    let unknown = Some((AuthErrorCause::Key, 403, json!("InvalidAccessKeyId")));
    assert_eq!(
        auth_error_code(&mut cloud_with_key(&stranger, now), &request),
        unknown
    );

    let mut revoking = cloud_with_key(&vector, now);
    revoking.account.revoke_after(0);
    assert_eq!(auth_error_code(&mut revoking, &request), unknown);

    let mut temporary = vector;
    temporary["session_token"] = "token".into();
    assert_eq!(
        auth_error_code(&mut cloud_with_key(&temporary, now), &request),
        unknown
    );
}

#[test]
fn malformed_authorization_header_is_refused() {
    let (vector, request) = sample();
    let good = request.header("authorization").unwrap().to_owned();
    for (authorization, code) in [
        (None, "AccessDenied"),
        (Some(""), "InvalidHTTPAuthHeader"),
        (Some("Bearer x"), "InvalidHTTPAuthHeader"),
        (Some("bce-auth-v1/a/b"), "InvalidHTTPAuthHeader"),
        (
            Some("bce-auth-v1/a/2015-08-11T04:17:29Z/-1/host/s"),
            "InvalidHTTPAuthHeader",
        ),
        (
            Some("bce-auth-v1/a/yesterday/1800/host/s"),
            "InvalidHTTPAuthHeader",
        ),
        (Some(&format!("{good}/x")), "InvalidHTTPAuthHeader"),
        (
            Some("bce-auth-v1/a/2015-08-11T04:17:29Z/1800/x-bce-date/s"),
            "InvalidHTTPAuthHeader",
        ),
    ] {
        let mut request = request.clone();
        match authorization {
            None => request.headers.remove("authorization"),
            Some(text) => request
                .headers
                .insert("authorization", text.parse().unwrap()),
        };
        let mut cloud = cloud_with_key(&vector, "2015-08-11T04:17:29Z");
        let (cause, _, found) = auth_error_code(&mut cloud, &request).unwrap();
        assert_eq!(
            (cause, found),
            (AuthErrorCause::Other, json!(code)),
            "{authorization:?}"
        );
    }
}
