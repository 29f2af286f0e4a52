//! Tests of the simulated token service (STS) of Baidu: session tokens and assumed roles.

use lifecycle_core::encode::{hmac_sha256_hex, percent};
use serde_json::Value;

use crate::{
    Cloud, Identity, Operation, Role,
    account::Key,
    baidu::switches::{ExpiredKey, LongSession, UnknownRole},
    cloud_api::CloudApi,
    cloud_state::CloudState,
    request::ReceivedRequest,
    testing::{NO_CODE, cloud_state, exchange, move_clock_to, read, received},
};

const HOST: &str = "sts.bj.baidubce.com";
const ASSUME: &str = "/v1/credential?assumeRole&accountId=a1&roleName=night";

fn cloud_with_role(role: Role) -> CloudState {
    let mut cloud = cloud_state(Cloud::Baidu);
    cloud.identity = Identity::new().role(role);
    cloud
}

fn role() -> Role {
    Role::new("a1/night")
}

/// Creates a call with a signature over host and query.
fn signed(
    cloud: &CloudState,
    key: &Key,
    method: &str,
    target: &str,
    body: &str,
) -> ReceivedRequest {
    let date = cloud.wall_time().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let prefix = format!("bce-auth-v1/{}/{date}/1800", key.id);
    let signing_key = hmac_sha256_hex(key.secret.as_bytes(), prefix.as_bytes());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut pairs: Vec<_> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| match pair.split_once('=') {
            Some((name, value)) => format!("{name}={}", percent(value)),
            None => format!("{pair}="),
        })
        .collect();
    pairs.sort_unstable();
    let canonical = format!("{method}\n{path}\n{}\nhost:{HOST}", pairs.join("&"));
    let signature = hmac_sha256_hex(signing_key.as_bytes(), canonical.as_bytes());
    let authorization = format!("{prefix}/host/{signature}");
    let mut headers = vec![("host", HOST), ("authorization", &authorization)];
    if let Some(session) = &key.session {
        headers.push(("x-bce-security-token", session));
    }
    received(method, target, &headers, body)
}

/// Sends a request that the account's permanent key signs.
fn post(cloud: &mut CloudState, target: &str, body: &str) -> (u16, Value) {
    let permanent = cloud.account.newest_permanent_key().unwrap().clone();
    let request = signed(cloud, &permanent, "POST", target, body);
    read(&exchange(cloud, &request))
}

/// Returns the temporary key in a successful response.
fn key_of(response: &(u16, Value)) -> Key {
    assert_eq!(response.0, 200, "{response:?}");
    let text = |name: &str| response.1[name].as_str().unwrap().to_owned();
    Key::pair(
        text("accessKeyId"),
        text("secretAccessKey"),
        Some(text("sessionToken")),
    )
}

fn list_instances(cloud: &mut CloudState, key: &Key) -> (u16, Value) {
    let request = signed(cloud, key, "GET", "/v2/instance", "");
    read(&exchange(cloud, &request))
}

/// Returns status and error code.
fn status_and_code(response: &(u16, Value)) -> (u16, &str) {
    (response.0, response.1["code"].as_str().unwrap_or(NO_CODE))
}

#[test]
fn key_expires_after_the_requested_or_default_time() {
    let mut cloud = cloud_with_role(role());
    for (target, expected) in [
        ("/v1/sessionToken", "2026-01-01T12:00:00Z"),
        (
            "/v1/sessionToken?durationSeconds=600",
            "2026-01-01T00:10:00Z",
        ),
        (ASSUME, "2026-01-01T02:00:00Z"),
        (
            "/v1/credential?accountId=a1&assumeRole=&durationSeconds=900&roleName=night",
            "2026-01-01T00:15:00Z",
        ),
    ] {
        let (status, body) = post(&mut cloud, target, "");
        assert_eq!(
            (status, &body["expiration"]),
            (200, &expected.into()),
            "{body}"
        );
        assert_eq!(body["createTime"], "2026-01-01T00:00:00Z");
    }
    // The body may hold a list of permissions, which must be JSON.
    let acl = r#"{"id":"x","accessControlList":[]}"#;
    assert_eq!(post(&mut cloud, "/v1/sessionToken", acl).0, 200);
    let bad = post(&mut cloud, "/v1/sessionToken", "{");
    assert_eq!(status_and_code(&bad), (400, "MalformedJSON"));
}

#[test]
fn issued_key_works_until_it_expires() {
    let mut cloud = cloud_with_role(role());
    let key = key_of(&post(
        &mut cloud,
        "/v1/sessionToken?durationSeconds=600",
        "",
    ));
    assert_eq!(list_instances(&mut cloud, &key).0, 200);
    let wrong_session = Key::pair(key.id.clone(), key.secret.clone(), Some("other".into()));
    assert_eq!(list_instances(&mut cloud, &wrong_session).0, 403);
    // A temporary key can request further keys.
    let request = signed(&cloud, &key, "POST", ASSUME, "");
    let second = key_of(&read(&exchange(&mut cloud, &request)));
    move_clock_to(&mut cloud, 600);
    for (switch, expected) in [
        (ExpiredKey::InvalidAccessKeyId, (403, "InvalidAccessKeyId")),
        (ExpiredKey::AccessDenied, (403, "AccessDenied")),
    ] {
        cloud.switches.baidu.expired_key = switch;
        assert_eq!(status_and_code(&list_instances(&mut cloud, &key)), expected);
    }
    assert_eq!(list_instances(&mut cloud, &second).0, 200);
}

#[test]
fn unknown_role_or_too_long_session_is_refused() {
    let mut cloud = cloud_with_role(role());
    let other_role = ASSUME.replace("night", "day");
    assert_eq!(
        status_and_code(&post(&mut cloud, &other_role, "")),
        (403, "AccessDenied")
    );
    cloud.switches.baidu.unknown_role = UnknownRole::NoSuchObject;
    assert_eq!(
        status_and_code(&post(&mut cloud, &other_role, "")),
        (404, "NoSuchObject")
    );
    let other_account = ASSUME.replace("a1", "a2");
    assert_eq!(
        status_and_code(&post(&mut cloud, &other_account, "")),
        (404, "NoSuchObject")
    );

    let long = format!("{ASSUME}&durationSeconds=7201");
    assert_eq!(
        status_and_code(&post(&mut cloud, &long, "")),
        (400, "BadRequest")
    );
    cloud.switches.baidu.long_session = LongSession::Shortened;
    let (_, body) = post(&mut cloud, &long, "");
    assert_eq!(body["expiration"], "2026-01-01T02:00:00Z");
    cloud.identity =
        Identity::new().role(role().longest_session(std::time::Duration::from_secs(60)));
    let (_, body) = post(&mut cloud, ASSUME, "");
    assert_eq!(body["expiration"], "2026-01-01T00:01:00Z");
}

#[test]
fn request_with_a_wrong_parameter_or_signature_is_refused() {
    let mut cloud = cloud_with_role(role());
    for (target, expected) in [
        ("/v1/credential", (400, "InvalidURI")),
        ("/v1/credential?assumeRole", (400, "BadRequest")),
        (
            "/v1/credential?assumeRole&accountId=a1",
            (400, "BadRequest"),
        ),
        (
            "/v1/credential?assumeRole&accountId=&roleName=night",
            (400, "BadRequest"),
        ),
        ("/v1/sessionToken?durationSeconds=0", (400, "BadRequest")),
        ("/v1/sessionToken?durationSeconds=x", (400, "BadRequest")),
    ] {
        assert_eq!(
            status_and_code(&post(&mut cloud, target, "")),
            expected,
            "{target}"
        );
    }
    let permanent = cloud.account.newest_permanent_key().unwrap().clone();
    let get = signed(&cloud, &permanent, "GET", "/v1/sessionToken", "");
    assert_eq!(
        status_and_code(&read(&exchange(&mut cloud, &get))),
        (400, "InvalidURI")
    );
    let wrong = Key::pair(permanent.id, "wrong".into(), None);
    let forged = signed(&cloud, &wrong, "POST", ASSUME, "");
    let refused = read(&exchange(&mut cloud, &forged));
    assert_eq!(status_and_code(&refused), (400, "SignatureDoesNotMatch"));
    let unsigned = received("POST", ASSUME, &[("host", HOST)], "");
    assert_eq!(
        status_and_code(&read(&exchange(&mut cloud, &unsigned))),
        (403, "AccessDenied")
    );
}

#[test]
fn sts_call_has_its_api_name() {
    let name = |target: &str| {
        let call = crate::baidu::Baidu.classify(&received("POST", target, &[], ""));
        (call.operation, call.name)
    };
    assert_eq!(name(ASSUME), (Operation::Identify, "AssumeRole"));
    assert_eq!(
        name("/v1/sessionToken"),
        (Operation::Identify, "GetSessionToken")
    );
}
