//! The signatures of the vendor's own signer are let in; nothing else is.

use super::*;
use crate::{
    account::Key,
    baidu::switches::*,
    cloud_api::AuthErrorCause,
    testing::{auth_error, cloud_state_at, forgeries},
    time::read_extended,
};

const SIGNING: &str = include_str!("../../../tests/vectors/baidu/signing.json");
const QUIRKS: &str = include_str!("../../../tests/vectors/baidu/signing_quirks.json");
const REQUESTS: &str = include_str!("../../../tests/vectors/baidu/requests.json");

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

fn cloud_with_key(vector: &Value, timestamp: &str) -> CloudState {
    let key = Key::pair(
        text(vector, "access_key").to_owned(),
        text(vector, "secret_key").to_owned(),
        vector["session_token"].as_str().map(str::to_owned),
    );
    let unix = read_extended(timestamp).unwrap();
    cloud_state_at(Cloud::Baidu, unix.unsigned_abs(), key)
}

fn request_of(vector: &Value, target: &str, authorization: &str) -> ReceivedRequest {
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
        target,
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

#[test]
fn every_vector_of_the_vendors_signer_is_accepted_and_every_forgery_refused() {
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
            let request = request_of(vector, target, authorization);
            let error = error_code(&mut cloud, &request);
            assert!(error.is_none(), "{}: {error:?}", text(vector, "name"));

            let lines = text(expected, "canonical_headers").split('\n');
            let signed: Vec<_> = lines.filter_map(|line| line.split(':').next()).collect();
            for (what, forgery) in forgeries(&request, &signed) {
                // The algorithm does not cover the body but by its length.
                if what == "body" {
                    continue;
                }
                let error = error_code(&mut cloud, &forgery);
                assert!(error.is_some(), "{}: {what}", text(vector, "name"));
                forged += 1;
            }
        }
    }
    assert!(forged > 500, "{forged}");
}

/// Other SDKs send pairs in any order, and keys without a value bare.
#[test]
fn the_order_and_form_of_query_pairs_on_the_wire_do_not_count() {
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
        let request = request_of(vector, &target, text(&vector["expected"], "authorization"));
        let mut cloud = cloud_with_key(vector, text(vector, "timestamp"));
        let error = error_code(&mut cloud, &request);
        assert!(error.is_none(), "{}: {error:?}", text(vector, "name"));
    }
}

#[test]
fn a_signature_lives_as_long_as_it_says() {
    let vectors: Vec<Value> = serde_json::from_str(SIGNING).unwrap();
    let vector = vectors.iter().find(|v| v["name"] == "expiry_60").unwrap();
    let target = text(vector, "python_sdk_request_target");
    let request = request_of(vector, target, text(&vector["expected"], "authorization"));
    for (now, accepted) in [
        ("2025-10-20T08:01:00Z", true),
        ("2025-10-20T08:01:01Z", false),
    ] {
        let error = error_code(&mut cloud_with_key(vector, now), &request);
        assert_eq!(error.is_none(), accepted, "{now}");
    }
}

#[test]
fn every_captured_request_is_accepted_and_every_forgery_refused() {
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
        let request = request_of(&vector, &target, header("authorization"));
        assert_eq!(
            error_code(&mut cloud, &request),
            None,
            "{}",
            text(captured, "op")
        );

        for (what, forgery) in forgeries(&request, &["host", "x-bce-date", "content-length"]) {
            // The algorithm does not cover the body but by its length.
            if what == "body" {
                continue;
            }
            let error = error_code(&mut cloud, &forgery);
            let bad = Some((AuthErrorCause::Key, 400, json!("SignatureDoesNotMatch")));
            assert_eq!(error, bad, "{}: {what}", text(captured, "op"));
            forged += 1;
        }
        vector["secret_key"] = "FAKESKwire000000000000000000000e".into();
        let mut other = cloud_with_key(&vector, header("x-bce-date"));
        assert!(error_code(&mut other, &request).is_some());
    }
    assert!(forged > 300, "{forged}");
}

#[test]
fn signers_that_stray_from_the_page_are_refused() {
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
        let request = request_of(
            vector,
            &target,
            text(&vector["python_sdk_output"], "authorization"),
        );
        assert_eq!(
            error_code(&mut cloud, &request).is_none(),
            accepted,
            "{name}"
        );
    }
}

/// The first vector with a date header: made at 2015-08-11T04:17:29Z, good for 1800 s.
fn sample() -> (Value, ReceivedRequest) {
    let vectors: Vec<Value> = serde_json::from_str(SIGNING).unwrap();
    let vector = vectors[2].clone();
    let target = text(&vector, "python_sdk_request_target").to_owned();
    let authorization = text(&vector["expected"], "authorization").to_owned();
    let request = request_of(&vector, &target, &authorization);
    (vector, request)
}

#[test]
fn a_request_ages() {
    let (vector, request) = sample();
    for (now, accepted) in [
        ("2015-08-11T04:47:29Z", true),
        ("2015-08-11T04:47:30Z", false),
        ("2015-08-11T03:47:29Z", true),
        ("2015-08-11T03:47:28Z", false),
    ] {
        for checked in [CheckedTime::Prefix, CheckedTime::Header, CheckedTime::Both] {
            let mut cloud = cloud_with_key(&vector, now);
            cloud.switches.baidu.checked_time = checked;
            let expected =
                (!accepted).then(|| (AuthErrorCause::Other, 400, json!("RequestExpired")));
            assert_eq!(
                error_code(&mut cloud, &request),
                expected,
                "{now} {checked:?}"
            );
        }
    }
    let mut cloud = cloud_with_key(&vector, "2015-08-11T04:17:29Z");
    cloud.skew = 1_801;
    assert!(
        error_code(&mut cloud, &request).is_some(),
        "the cloud's clock counts"
    );
}

#[test]
fn which_date_is_checked_is_a_switch() {
    let (vector, mut request) = sample();
    // The header is signed, so this request is refused in any case: by its age, or by its signature.
    request
        .headers
        .insert("x-bce-date", "2015-08-11T09:00:00Z".parse().unwrap());
    for (checked, code) in [
        (CheckedTime::Prefix, "SignatureDoesNotMatch"),
        (CheckedTime::Header, "RequestExpired"),
        (CheckedTime::Both, "RequestExpired"),
    ] {
        let mut cloud = cloud_with_key(&vector, "2015-08-11T04:17:29Z");
        cloud.switches.baidu.checked_time = checked;
        assert_eq!(error_code(&mut cloud, &request).unwrap().2, code);
    }
}

#[test]
fn keys_that_are_not_good() {
    let (vector, request) = sample();
    let now = "2015-08-11T04:17:29Z";

    let mut stranger = vector.clone();
    stranger["access_key"] = "another".into();
    let unknown = Some((AuthErrorCause::Key, 403, json!("InvalidAccessKeyId")));
    assert_eq!(
        error_code(&mut cloud_with_key(&stranger, now), &request),
        unknown
    );

    let mut revoking = cloud_with_key(&vector, now);
    revoking.account.revoke_after(0);
    assert_eq!(error_code(&mut revoking, &request), unknown);

    let mut temporary = vector;
    temporary["session_token"] = "token".into();
    assert_eq!(
        error_code(&mut cloud_with_key(&temporary, now), &request),
        unknown
    );
}

#[test]
fn headers_that_cannot_be_read() {
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
        let (cause, _, found) = error_code(&mut cloud, &request).unwrap();
        assert_eq!(
            (cause, found),
            (AuthErrorCause::Other, json!(code)),
            "{authorization:?}"
        );
    }
}
