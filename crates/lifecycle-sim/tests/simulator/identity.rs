//! Tests of the identity services with injected faults, throttles and invalid requests.

use std::time::Duration;

use bytes::Bytes;
use lifecycle_client::Transport;
use lifecycle_sim::{
    Cloud, ErrorBody, FaultRule, FaultTiming, Identity, InjectedFault, Metadata, Operation, Role,
    Simulator, Throttle,
};
use serde_json::{Value, json};

use crate::calls::{SendResult, baidu, builder, send};

const HOST: &str = "sts.bj.baidubce.com";
const ASSUME: &str = "/v1/credential?accountId=a1&assumeRole=&roleName=night";

fn simulator() -> Simulator {
    builder()
        .fleet("baidu/bj=1,huawei/cn-north-4=1")
        .unwrap()
        .identity(Cloud::Baidu, Identity::new().role(Role::new("a1/night")))
        .identity(
            Cloud::Aliyun,
            Identity::new().metadata(Metadata::Role("web".into())),
        )
        .identity(
            Cloud::Huawei,
            Identity::new()
                .user("ops", "pass", "company")
                .metadata(Metadata::Role("ops".into())),
        )
        .build()
}

/// Assumes the role at Baidu, with a signature over host and query.
async fn assume(simulator: &Simulator) -> SendResult {
    use lifecycle_client::Clock;
    use lifecycle_core::{Credential, encode};
    let Credential::Keys { id, secret, .. } = simulator.credential(Cloud::Baidu) else {
        panic!("Baidu takes keys");
    };
    let date = simulator.clock().signing_context(0).extended();
    let (path, query) = ASSUME.split_once('?').unwrap();
    let prefix = format!("bce-auth-v1/{id}/{date}/1800");
    let key = encode::hmac_sha256_hex(secret.expose().as_bytes(), prefix.as_bytes());
    let canonical = format!("POST\n{path}\n{query}\nhost:{HOST}");
    let signature = encode::hmac_sha256_hex(key.as_bytes(), canonical.as_bytes());
    let request = http::Request::post(format!("https://{HOST}{ASSUME}"))
        .header("host", HOST)
        .header("authorization", format!("{prefix}/host/{signature}"))
        .body(Bytes::new())
        .unwrap();
    send(simulator, request).await
}

fn key_id(simulator: &Simulator) -> String {
    match simulator.credential(Cloud::Baidu) {
        lifecycle_core::Credential::Keys { id, .. } => id,
        other => panic!("unexpected {other:?}"),
    }
}

async fn get(simulator: &Simulator, url: &str) -> SendResult {
    let request = http::Request::get(url).body(Bytes::new()).unwrap();
    send(simulator, request).await
}

async fn login(simulator: &Simulator, password: &str) -> SendResult {
    let body = json!({"auth": {"identity": {
        "methods": ["password"],
        "password": {"user": {
            "name": "ops", "password": password, "domain": {"name": "company"},
        }},
    }}});
    let request = http::Request::post("https://iam.myhuaweicloud.com/v3/auth/tokens")
        .body(Bytes::from(body.to_string()))
        .unwrap();
    send(simulator, request).await
}

const SECURITY_KEY: &str = "http://169.254.169.254/openstack/latest/securitykey";
const RAM_KEY: &str = "http://100.100.100.200/latest/meta-data/ram/security-credentials/web";

#[tokio::test(start_paused = true)]
async fn identity_calls_issue_keys_and_are_in_the_ledger() {
    let simulator = simulator();
    let (status, body) = assume(&simulator).await.unwrap();
    assert_eq!(status, 200, "{body}");
    // The issued key is not the account's own key, which signs the next call.
    assert_ne!(key_id(&simulator), body["accessKeyId"].as_str().unwrap());
    assert_eq!(login(&simulator, "pass").await.unwrap().0, 201);
    assert_eq!(login(&simulator, "wrong").await.unwrap().0, 401);
    assert_eq!(get(&simulator, SECURITY_KEY).await.unwrap().0, 200);
    assert_eq!(get(&simulator, RAM_KEY).await.unwrap().0, 200);

    let ledger = simulator.ledger();
    let names: Vec<_> = ledger.calls().iter().map(|call| call.name).collect();
    let expected = [
        "AssumeRole",
        "KeystoneCreateUserTokenByPassword",
        "KeystoneCreateUserTokenByPassword",
        "GetSecurityKey",
        "GetMetadataCredentials",
    ];
    assert_eq!(names, expected);
    assert_eq!(ledger.count(Cloud::Huawei, Operation::Identify), 3);
    assert_eq!(ledger.calls_after_refusal(Cloud::Huawei), 0);
    assert!(ledger.calls().iter().all(|call| !call.credential_refused));
}

#[tokio::test(start_paused = true)]
async fn rule_selects_identity_calls_by_name_and_by_kind() {
    let simulator = simulator();
    let reset = FaultRule::new(InjectedFault::Reset(FaultTiming::After)).on_named("AssumeRole");
    simulator.inject(reset.at(Cloud::Baidu));
    assert!(assume(&simulator).await.is_err());
    assert_eq!(assume(&simulator).await.unwrap().0, 200);

    // From now on the identity services fail; the API of the cloud works.
    let failing = InjectedFault::ServerError {
        status: 503,
        body: ErrorBody::Json,
        when: FaultTiming::Before,
    };
    simulator.inject(FaultRule::new(failing).on(Operation::Identify).always());
    for _ in 0..3 {
        assert_eq!(assume(&simulator).await.unwrap().0, 503);
        assert_eq!(login(&simulator, "pass").await.unwrap().0, 503);
        assert_eq!(get(&simulator, RAM_KEY).await.unwrap().0, 503);
    }
    let host = "bcc.bj.baidubce.com";
    let list = baidu(&simulator, host, "GET", "/v2/instance", &Value::Null);
    assert_eq!(list.await.unwrap().0, 200);
    simulator.clear_faults();
    assert_eq!(assume(&simulator).await.unwrap().0, 200);
}

#[tokio::test(start_paused = true)]
async fn throttle_counts_identity_calls() {
    let simulator = simulator();
    let one = Throttle::PerMinute { calls: 1 };
    simulator.throttle(Cloud::Baidu, Some(one));
    simulator.throttle(Cloud::Huawei, Some(one));
    assert_eq!(assume(&simulator).await.unwrap().0, 200);
    assert_eq!(assume(&simulator).await.unwrap().0, 429);
    assert_eq!(get(&simulator, SECURITY_KEY).await.unwrap().0, 200);
    assert_eq!(login(&simulator, "pass").await.unwrap().0, 429);
}

#[tokio::test(start_paused = true)]
async fn identity_settings_can_change_at_runtime() {
    let simulator = simulator();
    simulator.identity(Cloud::Baidu, Identity::new());
    assert_eq!(assume(&simulator).await.unwrap().0, 403);
    simulator.identity(Cloud::Aliyun, Identity::new());
    assert_eq!(get(&simulator, RAM_KEY).await.unwrap().0, 404);
    let short = Identity::new()
        .role(Role::new("a1/night"))
        .lifetime(Duration::from_secs(60));
    simulator.identity(Cloud::Baidu, short);
    let (_, body) = assume(&simulator).await.unwrap();
    assert_eq!(body["expiration"], "2026-01-01T00:01:00Z");
}

/// Sends random texts to every address: each request gets a response without a key.
#[tokio::test(start_paused = true)]
async fn random_request_is_refused_without_a_panic() {
    const ADDRESSES: [(&str, &str); 14] = [
        ("GET", "/?Action=AssumeRole&Version=2015-04-01"),
        ("POST", "/?Action=AssumeRole&Version=2015-04-01"),
        ("GET", "/?Action=AssumeRoleWithOIDC&Version=2015-04-01"),
        ("POST", "/?Action=AssumeRoleWithOIDC&Version=2015-04-01"),
        ("PUT", "/latest/api/token?"),
        ("POST", "/latest/meta-data/ram/security-credentials/web?"),
        ("POST", "/v1/sessionToken?"),
        ("POST", "/v1/credential?assumeRole"),
        ("POST", "/v3/auth/tokens?"),
        ("POST", "/v3.0/OS-AUTH/id-token/tokens?"),
        ("POST", "/v3.0/OS-CREDENTIAL/securitytokens?"),
        ("POST", "/v5/agencies/assume-with-oidc?"),
        ("PUT", "/meta-data/latest/api/token?"),
        ("POST", "/openstack/latest/securitykey?"),
    ];
    const HEADERS: [&str; 8] = [
        "authorization",
        "x-auth-token",
        "x-idp-id",
        "content-type",
        "x-acs-action",
        "x-metadata-token-ttl-seconds",
        "x-aliyun-ecs-metadata-token-ttl-seconds",
        "x-sdk-date",
    ];
    const WORDS: [&str; 22] = [
        "",
        "é",
        "%",
        "%zz",
        "&RoleArn=",
        "acs:ram::1:role/",
        "&RoleSessionName=aa",
        "{",
        "}",
        "\"auth\":",
        "[]",
        "null",
        "-1",
        "1e999",
        "99999999999999999999",
        "SDK-HMAC-SHA256 ",
        "bce-auth-v1/a/2026-01-01T00:00:00Z/1//",
        "ACS3-HMAC-SHA256 Credential=a,",
        "&durationSeconds=",
        "&accountId=a1&roleName=night",
        "=",
        "application/x-www-form-urlencoded",
    ];
    let simulator = simulator();
    let mut chance = fastrand::Rng::with_seed(7);
    for round in 0..20_000 {
        let mut text = |most: usize| -> String {
            (0..chance.usize(..=most))
                .map(|_| WORDS[chance.usize(..WORDS.len())])
                .collect()
        };
        let (query, body, value) = (text(4), text(8), text(2));
        let (method, address) = ADDRESSES[round % ADDRESSES.len()];
        let mut request = http::Request::builder().method(method);
        let uri = format!("http://127.0.0.1{address}{query}");
        if uri.parse::<http::Uri>().is_err() {
            continue;
        }
        request = request.uri(&uri);
        if let Ok(value) = http::HeaderValue::from_bytes(value.as_bytes()) {
            request = request.header(HEADERS[round % HEADERS.len()], value);
        }
        let request = request.body(Bytes::from(body)).unwrap();
        let reply = simulator.transport().send(request).await.unwrap();
        assert!(
            reply.status().as_u16() >= 400,
            "{method} {uri}: {}",
            reply.status().as_u16()
        );
    }
}
