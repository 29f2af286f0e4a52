//! Tests of the simulated Huawei IAM: tokens, temporary keys, agencies and projects.

use std::time::Duration;

use lifecycle_core::encode::{hmac_sha256_hex, sha256_hex};

use super::*;
use crate::{
    Identity, Operation, Role,
    account::Key,
    huawei::switches::{ExpiredKey, IdentityError},
    testing::{exchange, move_clock_to},
};

const TEMPORARY_KEY_PATH: &str = "/v3.0/OS-CREDENTIAL/securitytokens";
const AGENCY: &str = "iam::1001:agency:night";
const PROVIDER: &str = "iam::1001:oidc-provider:ci";

fn cloud_state() -> CloudState {
    let mut cloud = super::cloud_state();
    cloud.identity = Identity::new()
        .user("ops", "pass", "company")
        .role(Role::new(AGENCY))
        .id_token("ci", "an.id.token")
        .id_token(PROVIDER, "an.id.token");
    cloud
}

fn login() -> Value {
    json!({"auth": {
        "identity": {
            "methods": ["password"],
            "password": {"user": {
                "name": "ops",
                "password": "pass",
                "domain": {"name": "company"},
            }},
        },
        "scope": {"project": {"name": REGION}},
    }})
}

fn post(cloud: &mut CloudState, path: &str, headers: &[(&str, &str)], body: &Value) -> Response {
    let mut all = vec![
        ("host", "iam.example"),
        ("content-type", "application/json"),
    ];
    all.extend(headers);
    exchange(cloud, &received("POST", path, &all, &body.to_string()))
}

/// Requests an IAM token with a password.
fn iam_token(cloud: &mut CloudState) -> String {
    let response = post(cloud, "/v3/auth/tokens", &[], &login());
    subject_token(&response)
}

/// Returns the IAM token in a successful response.
fn subject_token(response: &Response) -> String {
    assert_eq!(response.status(), 201, "{response:?}");
    let token = response.headers().get("x-subject-token").unwrap();
    token.to_str().unwrap().to_owned()
}

/// Lists the servers with a token.
fn list_servers_with_token(cloud: &mut CloudState, token: &str) -> (u16, Value) {
    let target = format!("/v1/{PROJECT}/cloudservers/detail");
    read(&exchange(
        cloud,
        &received("GET", &target, &[("x-auth-token", token)], ""),
    ))
}

/// Creates a call that `key` signs. Only the date header is signed.
fn signed(cloud: &CloudState, key: &Key, method: &str, path: &str, body: &str) -> ReceivedRequest {
    let date = cloud.wall_time().strftime("%Y%m%dT%H%M%SZ").to_string();
    let canonical = format!(
        "{method}\n{path}/\n\nx-sdk-date:{date}\n\nx-sdk-date\n{}",
        sha256_hex(body.as_bytes())
    );
    let hash = sha256_hex(canonical.as_bytes());
    let text = format!("SDK-HMAC-SHA256\n{date}\n{hash}");
    let signature = hmac_sha256_hex(key.secret.as_bytes(), text.as_bytes());
    let authorization = format!(
        "SDK-HMAC-SHA256 Access={}, SignedHeaders=x-sdk-date, Signature={signature}",
        key.id
    );
    let mut headers = vec![("x-sdk-date", &*date), ("authorization", &*authorization)];
    if let Some(session) = &key.session {
        headers.push(("x-security-token", session));
    }
    received(method, path, &headers, body)
}

fn list_servers(cloud: &mut CloudState, key: &Key) -> (u16, Value) {
    let path = format!("/v1/{PROJECT}/cloudservers/detail");
    let request = signed(cloud, key, "GET", &path, "");
    read(&exchange(cloud, &request))
}

/// Returns the body of a request for a temporary key. Without a token, the request must be signed.
fn temporary_key_body(token: Option<&str>, seconds: Option<u64>) -> Value {
    json!({"auth": {"identity": {
        "methods": ["token"],
        "token": {"id": token, "duration_seconds": seconds},
    }}})
}

/// Returns the temporary key in a successful response.
fn key_of(response: &Response) -> Key {
    let (status, body) = read(response);
    assert_eq!(status, 201, "{body}");
    let text = |name: &str| body["credential"][name].as_str().unwrap().to_owned();
    Key::pair(text("access"), text("secret"), Some(text("securitytoken")))
}

#[test]
fn password_gets_a_token_for_a_day() {
    let mut cloud = cloud_state();
    let response = post(&mut cloud, "/v3/auth/tokens", &[], &login());
    let body = read(&response).1;
    let token = subject_token(&response);
    assert_eq!(body["token"]["expires_at"], "2026-01-02T00:00:00.000000Z");
    assert_eq!(body["token"]["issued_at"], "2026-01-01T00:00:00.000000Z");
    assert_eq!(body["token"]["project"]["id"], PROJECT);
    assert_eq!(body["token"]["project"]["name"], REGION);
    assert_eq!(body["token"]["user"]["domain"]["name"], "company");

    assert_eq!(list_servers_with_token(&mut cloud, &token).0, 200);
    let projects = received(
        "GET",
        "/v3/projects?name=cn-north-4",
        &[("x-auth-token", &token)],
        "",
    );
    let (status, body) = read(&exchange(&mut cloud, &projects));
    assert_eq!((status, &body["projects"][0]["id"]), (200, &PROJECT.into()));
    move_clock_to(&mut cloud, 86_399);
    assert_eq!(list_servers_with_token(&mut cloud, &token).0, 200);
    move_clock_to(&mut cloud, 86_400);
    let (status, body) = list_servers_with_token(&mut cloud, &token);
    assert_eq!((status, &body["error_code"]), (401, &"APIGW.0307".into()));
}

#[test]
fn token_without_scope_is_refused_by_project_services() {
    let mut cloud = cloud_state();
    let mut unscoped = login();
    unscoped["auth"].as_object_mut().unwrap().remove("scope");
    let response = post(&mut cloud, "/v3/auth/tokens", &[], &unscoped);
    assert!(read(&response).1["token"].get("project").is_none());
    let token = subject_token(&response);
    let refused = list_servers_with_token(&mut cloud, &token);
    assert_eq!(
        (refused.0, &refused.1["error_code"]),
        (403, &"APIGW.0302".into())
    );
    let projects = received("GET", "/v3/projects", &[("x-auth-token", &token)], "");
    assert_eq!(exchange(&mut cloud, &projects).status(), 200);
    let mut by_id = login();
    by_id["auth"]["scope"]["project"] = json!({"id": PROJECT});
    subject_token(&post(&mut cloud, "/v3/auth/tokens", &[], &by_id));
}

#[test]
fn wrong_or_malformed_login_is_refused() {
    let user = "/auth/identity/password/user";
    let cases = [
        (format!("{user}/name"), json!("other"), 401),
        (format!("{user}/password"), json!("other"), 401),
        (format!("{user}/domain/name"), json!("other"), 401),
        ("/auth/scope/project/name".to_owned(), json!("nowhere"), 401),
        (format!("{user}/name"), json!(7), 400),
        (format!("{user}/domain"), json!(null), 400),
        ("/auth/identity/methods".to_owned(), json!(["token"]), 400),
        ("/auth/identity/password".to_owned(), json!(null), 400),
        ("/auth".to_owned(), json!([]), 400),
    ];
    for (position, value, expected) in cases {
        let mut body = login();
        *body.pointer_mut(&position).unwrap() = value;
        let response = read(&post(&mut cloud_state(), "/v3/auth/tokens", &[], &body));
        assert_eq!(response.0, expected, "{position}");
        assert_eq!(response.1["error"]["code"], expected, "{position}");
    }
    let mut cloud = cloud_state();
    cloud.switches.huawei.identity_error = IdentityError::WithoutErrorObject;
    cloud.identity = Identity::new();
    let (status, body) = read(&post(&mut cloud, "/v3/auth/tokens", &[], &login()));
    assert_eq!((status, &body["error_code"]), (401, &"IAM.0011".into()));
}

#[test]
fn id_token_is_exchanged_for_an_iam_token_and_the_iam_token_for_a_key() {
    let mut cloud = cloud_state();
    let body = json!({"auth": {"id_token": {"id": "an.id.token"}}});
    let path = "/v3.0/OS-AUTH/id-token/tokens";
    let token = subject_token(&post(&mut cloud, path, &[("x-idp-id", "ci")], &body));
    assert_eq!(
        list_servers_with_token(&mut cloud, &token).0,
        403,
        "the token has no scope"
    );

    // The Python SDK sends the token only in the body.
    let response = post(
        &mut cloud,
        TEMPORARY_KEY_PATH,
        &[],
        &temporary_key_body(Some(&token), Some(21_600)),
    );
    let expires = read(&response).1["credential"]["expires_at"].clone();
    assert_eq!(expires, "2026-01-01T06:00:00.000000Z");
    let key = key_of(&response);
    assert_eq!(list_servers(&mut cloud, &key).0, 200);
    move_clock_to(&mut cloud, 21_600);
    let expired = list_servers(&mut cloud, &key);
    assert_eq!(
        (expired.0, &expired.1["error_code"]),
        (401, &"APIGW.0301".into())
    );
    cloud.switches.huawei.expired_key = ExpiredKey::LikeExpiredToken;
    let expired = list_servers(&mut cloud, &key);
    assert_eq!(
        (expired.0, &expired.1["error_code"]),
        (401, &"APIGW.0307".into())
    );

    let wrong = json!({"auth": {"id_token": {"id": "another"}}});
    for (idp, body, expected) in [
        (Some("ci"), &wrong, 401),
        (Some("other"), &body, 401),
        (None, &body, 400),
        (Some("ci"), &json!({}), 400),
    ] {
        let header = idp.map(|idp| ("x-idp-id", idp));
        let response = post(&mut cloud, path, header.as_slice(), body);
        assert_eq!(response.status(), expected, "{idp:?} {body}");
    }
}

#[test]
fn key_is_issued_for_a_token_in_the_header_or_for_a_signature() {
    let mut cloud = cloud_state();
    let token = iam_token(&mut cloud);
    let body = temporary_key_body(None, None);
    let by_token = post(
        &mut cloud,
        TEMPORARY_KEY_PATH,
        &[("x-auth-token", &token)],
        &body,
    );
    let expires = &read(&by_token).1["credential"]["expires_at"];
    assert_eq!(expires, "2026-01-01T00:15:00.000000Z");
    let permanent = cloud.account.newest_permanent_key().unwrap().clone();
    let request = signed(
        &cloud,
        &permanent,
        "POST",
        TEMPORARY_KEY_PATH,
        &body.to_string(),
    );
    key_of(&exchange(&mut cloud, &request));

    let unknown = post(
        &mut cloud,
        TEMPORARY_KEY_PATH,
        &[],
        &temporary_key_body(Some("made-up"), None),
    );
    assert_eq!(unknown.status(), 401);
    let none = post(&mut cloud, TEMPORARY_KEY_PATH, &[], &body);
    assert_eq!(none.status(), 401);
    for seconds in [899, 86_401] {
        let body = temporary_key_body(Some(&token), Some(seconds));
        let response = post(&mut cloud, TEMPORARY_KEY_PATH, &[], &body);
        assert_eq!(response.status(), 400, "{seconds}");
    }
    let request = received(
        "POST",
        TEMPORARY_KEY_PATH,
        &[],
        &temporary_key_body(Some("t"), None).to_string(),
    );
    assert_eq!(Huawei.classify(&request).key, "t");
    move_clock_to(&mut cloud, 86_400);
    let stale = read(&post(
        &mut cloud,
        TEMPORARY_KEY_PATH,
        &[("x-auth-token", &token)],
        &body,
    ));
    assert_eq!(
        (stale.0, &stale.1["error_code"]),
        (401, &"APIGW.0307".into())
    );
}

#[test]
fn id_token_is_exchanged_for_a_key_of_an_agency() {
    let mut cloud = cloud_state();
    let path = "/v5/agencies/assume-with-oidc";
    let body = json!({
        "provider_urn": PROVIDER,
        "agency_urn": AGENCY,
        "agency_session_name": "ci",
        "id_token": "an.id.token",
        "duration_seconds": 3600,
    });
    let (status, response) = read(&post(&mut cloud, path, &[], &body));
    assert_eq!(status, 200, "{response}");
    let credentials = &response["credentials"];
    assert_eq!(credentials["expiration"], "2026-01-01T01:00:00.000000Z");
    assert_eq!(response["assumed_agency"]["urn"], format!("{AGENCY}/ci"));
    let text = |name: &str| credentials[name].as_str().unwrap().to_owned();
    let key = Key::pair(
        text("access_key_id"),
        text("secret_access_key"),
        Some(text("security_token")),
    );
    assert_eq!(list_servers(&mut cloud, &key).0, 200);

    for (name, value, expected) in [
        ("provider_urn", json!("other"), 401),
        ("agency_urn", json!("other"), 401),
        ("id_token", json!("other"), 401),
        ("duration_seconds", json!(899), 400),
        ("duration_seconds", json!(3601), 400),
        ("duration_seconds", json!(-1), 400),
        ("agency_session_name", json!(null), 400),
    ] {
        let mut body = body.clone();
        body[name] = value;
        let response = post(&mut cloud, path, &[], &body);
        assert_eq!(response.status(), expected, "{name}");
    }
}

#[test]
fn region_has_the_configured_number_of_projects() {
    let ids = |count: usize, query: &str| {
        let mut cloud = cloud_state();
        cloud.identity = Identity::new().projects(count);
        let request = received("GET", &format!("/v3/projects{query}"), &[], "");
        let (_, body) = read(&respond(&mut cloud, &request));
        let projects = body["projects"].as_array().unwrap().clone();
        let pair = |project: &Value| (project["name"].clone(), project["id"].clone());
        projects.iter().map(pair).collect::<Vec<_>>()
    };
    assert_eq!(ids(0, "?name=cn-north-4"), []);
    assert_eq!(ids(0, ""), []);
    assert_eq!(ids(1, "?name=nowhere"), []);
    let two = ids(2, "?name=cn-north-4");
    assert_eq!(two[0], (REGION.into(), PROJECT.into()));
    assert_eq!(two[1].0, "cn-north-4_1");
    assert_ne!(two[1].1, two[0].1);
}

#[test]
fn iam_call_has_its_api_name() {
    for (path, name) in [
        ("/v3/auth/tokens", "KeystoneCreateUserTokenByPassword"),
        ("/v3.0/OS-AUTH/id-token/tokens", "CreateTokenWithIdToken"),
        (TEMPORARY_KEY_PATH, "CreateTemporaryAccessKeyByToken"),
        ("/v5/agencies/assume-with-oidc", "AssumeAgencyWithOIDC"),
    ] {
        let request = received("POST", path, &[], "");
        assert!(Huawei.serves(&request), "{path}");
        let call = Huawei.classify(&request);
        assert_eq!((call.operation, call.name), (Operation::Identify, name));
    }
}

#[test]
fn configured_lifetime_applies_to_tokens() {
    let mut cloud = cloud_state();
    cloud.identity = cloud.identity.clone().lifetime(Duration::from_secs(1200));
    let token = iam_token(&mut cloud);
    move_clock_to(&mut cloud, 1200);
    assert_eq!(list_servers_with_token(&mut cloud, &token).0, 401);
}
