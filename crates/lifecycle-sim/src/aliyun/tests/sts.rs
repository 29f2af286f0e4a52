//! Tests of the simulated Alibaba's Security Token Service.

use std::time::Duration;

use super::*;
use crate::{
    Identity, Operation, Role,
    account::Key,
    aliyun::hmac_sha1::hmac_sha1_base64,
    request::encode_pairs,
    testing::{exchange, move_clock_to},
};

const ROLE: &str = "acs:ram::1001:role/night";
const PROVIDER: &str = "acs:ram::1001:oidc-provider/ci";

/// A request of the vendor's Python library (alibabacloud_credentials 1.0.12) with the key and the
/// time of these tests.
const VENDOR_REQUEST: &str = "/?Action=AssumeRole&Format=JSON&Version=2015-04-01\
&DurationSeconds=1800&RoleArn=acs%3Aram%3A%3A1001%3Arole%2Fnight&RoleSessionName=patch-night\
&SignatureMethod=HMAC-SHA1&SignatureVersion=1.0&Timestamp=2026-01-01T00%3A00%3A00Z\
&SignatureNonce=5f2c8a30-0000-5000-8000-000000000001&ExternalId=patch&AccessKeyId=testid\
&Signature=D1gz56BpTlGVJd2nTkcCVDPfrDU%3D";

/// Creates a cloud with one key, one role that requires an external id, and one other role.
fn cloud_state() -> CloudState {
    let mut cloud = super::cloud_state();
    let own = Key::pair("testid".into(), "testsecret".into(), None);
    cloud.account.add(own);
    cloud.identity = Identity::new()
        .role(Role::new(ROLE).external_id("patch"))
        .role(Role::new("acs:ram::1001:role/long").longest_session(Duration::from_secs(43_200)))
        .id_token(PROVIDER, "an.id.token");
    cloud
}

/// Creates a GET call with the older signature and a random nonce of the cloud.
fn signed(cloud: &mut CloudState, key: &Key, parameters: &[(&str, &str)]) -> ReceivedRequest {
    let nonce = cloud.uuid();
    let date = cloud.wall_time().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let mut all = vec![
        ("Action", "AssumeRole"),
        ("Version", "2015-04-01"),
        ("Format", "JSON"),
        ("SignatureMethod", "HMAC-SHA1"),
        ("SignatureVersion", "1.0"),
        ("SignatureNonce", &*nonce),
        ("Timestamp", &*date),
        ("AccessKeyId", &*key.id),
    ];
    all.extend(key.session.as_deref().map(|token| ("SecurityToken", token)));
    for (name, value) in parameters {
        all.retain(|(known, _)| known != name);
        all.push((name, value));
    }
    all.sort_unstable();
    let query = encode_pairs(&all);
    let text = format!("GET&%2F&{}", percent(&query));
    let secret = format!("{}&", key.secret);
    let signature = hmac_sha1_base64(secret.as_bytes(), text.as_bytes());
    let target = format!("/?{query}&Signature={}", percent(&signature));
    received("GET", &target, &[("host", "sts.aliyuncs.com")], "")
}

/// Requests the role that requires an external id, with changed parameters.
fn assume(cloud: &mut CloudState, changes: &[(&str, &str)]) -> (u16, Value) {
    let own = cloud.account.key("testid").unwrap().clone();
    let mut parameters = vec![
        ("RoleArn", ROLE),
        ("RoleSessionName", "patch-night"),
        ("ExternalId", "patch"),
    ];
    for (name, value) in changes {
        parameters.retain(|(known, _)| known != name);
        parameters.push((name, value));
    }
    let request = signed(cloud, &own, &parameters);
    read(&exchange(cloud, &request))
}

/// Requests the role with an identity token and without a signature.
fn assume_by_id_token(cloud: &mut CloudState, changes: &[(&str, &str)]) -> (u16, Value) {
    let mut parameters = vec![
        ("Action", "AssumeRoleWithOIDC"),
        ("Version", "2015-04-01"),
        ("Format", "JSON"),
        ("Timestamp", "2026-01-01T00:00:00Z"),
        ("RoleArn", ROLE),
        ("RoleSessionName", "ci"),
        ("OIDCProviderArn", PROVIDER),
        ("OIDCToken", "an.id.token"),
    ];
    for (name, value) in changes {
        parameters.retain(|(known, _)| known != name);
        parameters.push((name, value));
    }
    let target = format!("/?{}", encode_pairs(&parameters));
    let request = received("GET", &target, &[("host", "sts.aliyuncs.com")], "");
    read(&exchange(cloud, &request))
}

/// Returns the key in a response.
fn key_of(response: &(u16, Value)) -> Key {
    assert_eq!(response.0, 200, "{response:?}");
    let text = |name: &str| response.1["Credentials"][name].as_str().unwrap().to_owned();
    Key::pair(
        text("AccessKeyId"),
        text("AccessKeySecret"),
        Some(text("SecurityToken")),
    )
}

/// Describes the instances with this key.
fn describe_instances(cloud: &mut CloudState, key: &Key) -> (u16, Value) {
    let describe_instances = [
        ("Action", "DescribeInstances"),
        ("Version", "2014-05-26"),
        ("RegionId", REGION),
    ];
    let request = signed(cloud, key, &describe_instances);
    read(&exchange(cloud, &request))
}

#[test]
fn request_of_the_vendors_library_gets_a_key_and_each_forgery_none() {
    let mut cloud = cloud_state();
    let request = received("GET", VENDOR_REQUEST, &[("host", "sts.aliyuncs.com")], "");
    let call = Aliyun.classify(&request);
    assert_eq!(
        (call.operation, call.name, &*call.key),
        (Operation::Identify, "AssumeRole", "testid")
    );
    let response = read(&exchange(&mut cloud, &request));
    key_of(&response);
    let body = response.1;
    assert_eq!(body["Credentials"]["Expiration"], "2026-01-01T00:30:00Z");
    assert_eq!(
        body["AssumedRoleUser"]["Arn"],
        "acs:ram::1001:role/night/patch-night"
    );
    assert!(body["RequestId"].is_string());
    for (part, forged) in testing::forgeries(&request, &[]) {
        // A V1 signature covers neither the path nor a body that is not a form.
        if part == "path" || part == "body" {
            continue;
        }
        let response = exchange(&mut self::cloud_state(), &forged);
        assert_ne!(response.status(), 200, "forged {part}");
    }
}

#[test]
fn issued_key_works_until_it_expires() {
    let mut cloud = cloud_state();
    let key = key_of(&assume(&mut cloud, &[("DurationSeconds", "900")]));
    assert_eq!(describe_instances(&mut cloud, &key).0, 200);
    let without = Key::pair(key.id.clone(), key.secret.clone(), None);
    let refused = describe_instances(&mut cloud, &without);
    assert_eq!(status_and_code(&refused), (400, "MissingSecurityToken"));
    move_clock_to(&mut cloud, 899);
    assert_eq!(describe_instances(&mut cloud, &key).0, 200);
    move_clock_to(&mut cloud, 900);
    let refused = describe_instances(&mut cloud, &key);
    assert_eq!(
        status_and_code(&refused),
        (400, "InvalidSecurityToken.Expired")
    );
    cloud.switches.aliyun.session_status = 403;
    let refused = describe_instances(&mut cloud, &key);
    assert_eq!(
        status_and_code(&refused),
        (403, "InvalidSecurityToken.Expired")
    );
    assert_eq!(
        cloud.account.newest_permanent_key().unwrap().id,
        "testid",
        "an issued key is not the account's own"
    );
}

#[test]
fn temporary_key_can_assume_a_further_role() {
    let mut cloud = cloud_state();
    let first = key_of(&assume(&mut cloud, &[]));
    let chained = [
        ("RoleArn", "acs:ram::1001:role/long"),
        ("RoleSessionName", "second"),
    ];
    let request = signed(&mut cloud, &first, &chained);
    let second = key_of(&read(&exchange(&mut cloud, &request)));
    assert_ne!(first.id, second.id);
    assert_eq!(describe_instances(&mut cloud, &second).0, 200);
    move_clock_to(&mut cloud, 3600);
    let request = signed(&mut cloud, &first, &chained);
    let refused = read(&exchange(&mut cloud, &request));
    assert_eq!(
        status_and_code(&refused),
        (400, "InvalidSecurityToken.Expired")
    );
}

#[test]
fn assume_role_accepts_both_methods_and_both_signatures() {
    let mut cloud = cloud_state();
    let own = cloud.account.key("testid").unwrap().clone();
    let get = signed(
        &mut cloud,
        &own,
        &[
            ("RoleArn", "acs:ram::1001:role/long"),
            ("RoleSessionName", "x1"),
        ],
    );
    // The form needs a new signature, because the signature covers the method.
    let query = get.query.split("&Signature=").next().unwrap();
    let text = format!("POST&%2F&{}", percent(query));
    let signature = hmac_sha1_base64(b"testsecret&", text.as_bytes());
    let form = format!("{query}&Signature={}", percent(&signature));
    let kind = ("content-type", "application/x-www-form-urlencoded");
    let post = received("POST", "/", &[("host", "sts.aliyuncs.com"), kind], &form);
    assert_eq!(exchange(&mut cloud, &post).status(), 200);

    let newer = v3(
        &cloud,
        &own,
        "RoleArn=acs%3Aram%3A%3A1001%3Arole%2Flong&RoleSessionName=x1",
    );
    let (status, body) = read(&exchange(&mut cloud, &newer));
    assert_eq!(status, 200, "{body}");
    assert_eq!(body["Credentials"]["Expiration"], "2026-01-01T01:00:00Z");
}

/// Creates a call with the newer signature. The query must be in the canonical form.
fn v3(cloud: &CloudState, key: &Key, query: &str) -> ReceivedRequest {
    use lifecycle_core::encode::{SHA256_OF_NOTHING, hmac_sha256_hex, sha256_hex};
    let date = cloud.wall_time().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let headers = [
        ("host", "sts.aliyuncs.com"),
        ("x-acs-action", "AssumeRole"),
        ("x-acs-content-sha256", SHA256_OF_NOTHING),
        ("x-acs-date", &*date),
        ("x-acs-signature-nonce", "once"),
        ("x-acs-version", "2015-04-01"),
    ];
    let names: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let lines: String = headers
        .iter()
        .map(|(name, value)| format!("{name}:{value}\n"))
        .collect();
    let canonical = format!("POST\n/\n{query}\n{lines}\n{names}\n{SHA256_OF_NOTHING}");
    let text = format!("ACS3-HMAC-SHA256\n{}", sha256_hex(canonical.as_bytes()));
    let signature = hmac_sha256_hex(key.secret.as_bytes(), text.as_bytes());
    let authorization = format!(
        "ACS3-HMAC-SHA256 Credential={},SignedHeaders={names},Signature={signature}",
        key.id
    );
    let mut headers = headers.to_vec();
    headers.push(("accept", "application/json"));
    headers.push(("authorization", &authorization));
    received("POST", &format!("/?{query}"), &headers, "")
}

#[test]
fn assume_role_with_a_wrong_parameter_has_the_documented_code() {
    let cases = [
        (("RoleArn", ""), 400, "MissingParameter"),
        (("RoleSessionName", ""), 400, "MissingParameter"),
        (("RoleArn", "night"), 400, "InvalidParameter.RoleArn"),
        (
            ("RoleArn", "acs:ram::x:role/night"),
            400,
            "InvalidParameter.RoleArn",
        ),
        (
            ("RoleArn", "acs:ram::1001:user/night"),
            400,
            "InvalidParameter.RoleArn",
        ),
        (
            ("RoleArn", "acs:ram::1001:role/day"),
            404,
            "EntityNotExist.Role",
        ),
        (
            ("RoleSessionName", "a"),
            400,
            "InvalidParameter.RoleSessionName",
        ),
        (
            ("RoleSessionName", "a b"),
            400,
            "InvalidParameter.RoleSessionName",
        ),
        (("ExternalId", "other"), 403, "NoPermission"),
        (("ExternalId", ""), 403, "NoPermission"),
        (
            ("DurationSeconds", "899"),
            400,
            "InvalidParameter.DurationSeconds",
        ),
        (
            ("DurationSeconds", "3601"),
            400,
            "InvalidParameter.DurationSeconds",
        ),
        (
            ("DurationSeconds", "-1"),
            400,
            "InvalidParameter.DurationSeconds",
        ),
        (
            ("DurationSeconds", "99999999999999999999"),
            400,
            "InvalidParameter.DurationSeconds",
        ),
        (
            ("Policy", "allow all"),
            400,
            "InvalidParameter.PolicyGrammar",
        ),
        (("Version", "2015-04-02"), 404, "InvalidApi.NotFound"),
        (("Action", "AssumeRoleWithSAML"), 404, "InvalidApi.NotFound"),
        (
            ("AccessKeyId", "unknown"),
            404,
            "InvalidAccessKeyId.NotFound",
        ),
        (
            ("Timestamp", "2026-01-01T01:00:00Z"),
            400,
            "InvalidTimeStamp.Expired",
        ),
    ];
    for (change, status, expected) in cases {
        let response = assume(&mut cloud_state(), &[change]);
        assert_eq!(status_and_code(&response), (status, expected), "{change:?}");
    }
    let mut cloud = cloud_state();
    let stranger = Key::pair("testid".into(), "wrong".into(), None);
    let request = signed(&mut cloud, &stranger, &[("RoleArn", ROLE)]);
    let response = read(&exchange(&mut cloud, &request));
    assert_eq!(status_and_code(&response), (400, "SignatureDoesNotMatch"));
    let link = response.1["Recommend"].as_str().unwrap();
    assert!(link.contains("product=Sts"), "{link}");
}

#[test]
fn role_with_a_longer_maximum_allows_longer_sessions() {
    let mut cloud = cloud_state();
    let long = ("RoleArn", "acs:ram::1001:role/long");
    let response = assume(&mut cloud, &[long, ("DurationSeconds", "43200")]);
    let body = &response.1["Credentials"];
    assert_eq!(body["Expiration"], "2026-01-01T12:00:00Z", "{response:?}");
    let response = assume(&mut cloud, &[long, ("DurationSeconds", "43201")]);
    assert_eq!(
        status_and_code(&response),
        (400, "InvalidParameter.DurationSeconds")
    );
    let text = response.1["Message"].as_str().unwrap();
    assert!(text.ends_with("15min/12hr."), "{text}");
}

#[test]
fn identity_token_gets_a_key_without_a_signature() {
    // The external id of the role applies only to holders of keys.
    let mut cloud = cloud_state();
    let key = key_of(&assume_by_id_token(&mut cloud, &[]));
    assert_eq!(describe_instances(&mut cloud, &key).0, 200);
    let cases = [
        (
            ("OIDCToken", ""),
            401,
            "AuthenticationFail.OIDCToken.Invalid",
        ),
        (
            ("OIDCToken", "another.id.token"),
            401,
            "AuthenticationFail.OIDCToken.InvalidSignature",
        ),
        (
            ("OIDCProviderArn", "ci"),
            400,
            "InvalidParameter.OIDCProviderArn",
        ),
        (
            ("OIDCProviderArn", "acs:ram::1001:oidc-provider/other"),
            401,
            "AuthenticationFail.NoPermission",
        ),
        (
            ("RoleArn", "acs:ram::1001:role/day"),
            404,
            "EntityNotExist.Role",
        ),
        (("RoleSessionName", ""), 400, "MissingParameter"),
        (
            ("DurationSeconds", "x"),
            400,
            "InvalidParameter.DurationSeconds",
        ),
    ];
    for (change, status, expected) in cases {
        let response = assume_by_id_token(&mut cloud, &[change]);
        assert_eq!(status_and_code(&response), (status, expected), "{change:?}");
    }
}

#[test]
fn xml_response_has_the_credentials() {
    let mut cloud = cloud_state();
    let own = cloud.account.key("testid").unwrap().clone();
    let parameters = [
        ("RoleArn", "acs:ram::1001:role/long"),
        ("RoleSessionName", "x1"),
        ("Format", "XML"),
    ];
    let request = signed(&mut cloud, &own, &parameters);
    let response = exchange(&mut cloud, &request);
    let text = String::from_utf8(response.body().to_vec()).unwrap();
    assert!(
        text.contains("<Credentials><AccessKeyId>SIMALIYUN"),
        "{text}"
    );
}
