//! Tests of requests against the requests of Huawei's SDK, and of the meaning of every recorded
//! response.

mod support;

use std::collections::BTreeSet;

use lifecycle_core::{
    Credential, Endpoint, InstanceFilter, InstanceId, JobId, ListQuery, PageToken, PowerState,
    Provider, RebootOptions, SigningContext, StartOptions, StopMode, StopOptions, UnsignedRequest,
    encode,
};
use provider_huawei::{Config, Huawei};
use provider_testing::{recorded_request, recorded_response};
use serde_json::Value;

use support::{CALLS, JOB, PROJECT, describe, fault, ids, list_recordings, provider, recordings};

/// Requests of the SDK that this crate never sends, with the reason.
const UNUSED_REQUESTS: [(&str, &str); 11] = [
    ("batch-start-empty-list", "an empty batch is rejected"),
    ("batch-stop-type-omitted", "the type is always sent"),
    ("list-default", "pages of 25 servers are too small"),
    ("list-page", "page numbers are deprecated"),
    ("list-status-name", "an asterisk is not part of a name"),
    (
        "list-not-tags",
        "the client applies conditions that exclude",
    ),
    ("show-server-odd-id", "invalid instance id"),
    ("show-server-no-project-id", "invalid configuration"),
    ("project-id-lookup#1", "the project id is configuration"),
    ("iam-regions", "sent by find_regions"),
    ("iam-projects", "sent by find_regions"),
];

/// Returns the request of this crate for a recorded call of the SDK.
fn equivalent_request(name: &str) -> Option<UnsignedRequest> {
    let provider = provider();
    let two = ids();
    let one = &two[..1];
    let start = StartOptions::default();
    let mode = if name.ends_with("-hard") {
        StopMode::Forced
    } else {
        StopMode::Graceful
    };
    let stop = StopOptions::default().with_mode(mode);
    let reboot = RebootOptions::default().with_mode(mode);
    Some(match name {
        "batch-start-two" | "batch-start-fixed-date" => {
            provider.act(&start.into(), &two).unwrap().request
        }
        "batch-start-one" | "batch-start-security-token" => {
            provider.act(&start.into(), one).unwrap().request
        }
        "batch-stop-soft" => provider.act(&stop.into(), &two).unwrap().request,
        "batch-stop-hard" => provider.act(&stop.into(), one).unwrap().request,
        "batch-reboot-soft" => provider.act(&reboot.into(), one).unwrap().request,
        "batch-reboot-hard" => provider.act(&reboot.into(), &two).unwrap().request,
        "show-job" => provider.follow(&JobId::new(JOB).unwrap()).unwrap().request,
        "list-marker" => {
            let marker = PageToken::new(two[0].as_str());
            provider
                .list(&ListQuery::default(), Some(&marker))
                .unwrap()
                .request
        }
        "list-by-name-and-tag" => {
            let filter = InstanceFilter::default().with_name("网关.1*".parse().unwrap());
            list(filter.with_tag("env=a b&c".parse().unwrap()), None)
        }
        "list-by-status-flavor" => {
            let filter = InstanceFilter::default().with_state(PowerState::Running);
            list(filter.with_instance_type("s3.small.1"), None)
        }
        "list-by-address" => {
            let filter = InstanceFilter::default().with_private_ip("192.168.1.9");
            list(filter, Some(&PageToken::new(two[0].as_str())))
        }
        "list-server-ids-comma" => provider.observe(&two).unwrap().request,
        "show-server"
        | "show-server-security-token"
        | "show-server-no-content-type"
        | "project-id-lookup#2" => provider.observe(one).unwrap().request,
        _ => return None,
    })
}

fn list(filter: InstanceFilter, page: Option<&PageToken>) -> UnsignedRequest {
    let call = provider().list(&ListQuery::new(filter), page);
    call.unwrap().request
}

#[test]
fn request_has_the_meaning_of_the_recorded_sdk_request() {
    let mut compared = 0;
    let requests = [recordings("requests"), list_recordings("requests")].concat();
    for request in &requests {
        let name = request["name"].as_str().unwrap();
        let is_used = !UNUSED_REQUESTS.iter().any(|(other, _)| *other == name);
        let unsigned = equivalent_request(name);
        assert_eq!(unsigned.is_some(), is_used, "{name} is not listed");
        let Some(unsigned) = unsigned else { continue };
        compared += 1;

        let (path, query) = split_target(request["path_and_query"].as_str().unwrap());
        let mut ours = pairs(&unsigned.query);
        if name == "list-server-ids-comma" {
            // The recorded call has no limit and would return 25 of 100 servers.
            assert!(ours.remove(&("limit".to_owned(), "100".to_owned())));
        }
        assert_eq!(
            unsigned.method,
            *request["method"].as_str().unwrap(),
            "{name}"
        );
        assert_eq!(unsigned.path, path, "{name}");
        assert_eq!(ours, pairs(query), "{name}");
        assert_eq!(
            json(&unsigned.body),
            json(request["body"].as_str().unwrap().as_bytes()),
            "{name}"
        );
        assert_is_signed_like(&unsigned, request);
    }
    assert_eq!(compared + UNUSED_REQUESTS.len(), requests.len());
}

#[test]
fn harmful_requests_of_the_sdk_are_rejected() {
    assert!(InstanceId::new("a/b c~é").is_err());
    assert!(Config::new("cn-north-4", "{project_id}").is_err());
    assert!(
        provider()
            .act(&StartOptions::default().into(), &[])
            .is_err()
    );
    assert!(provider().observe(&[]).is_err());
}

/// Signs with the key and the time of the recorded request, and compares with a signature of the
/// sent headers that is computed here.
fn assert_is_signed_like(unsigned: &UnsignedRequest, recorded: &Value) {
    let name = recorded["name"].as_str().unwrap();
    let recorded_request = recorded_request(recorded);
    let header = |name: &str| recorded_request.headers().get(name)?.to_str().ok();
    let (id, secret) = (
        recorded["access_key"].as_str().unwrap(),
        recorded["secret_key"].as_str().unwrap(),
    );
    let key = match header("x-security-token") {
        None => Credential::keys(id, secret),
        Some(session) => Credential::session(id, secret, session),
    };
    let host = Endpoint::parse(header("host").unwrap()).unwrap();
    let config = Config::new("cn-north-4", PROJECT).unwrap();
    let provider = Huawei::new(config.with_endpoint(host));
    let date = header("x-sdk-date").unwrap();
    let request = provider
        .sign(unsigned, &key, &signing_context_at(date))
        .unwrap();

    let names = request
        .headers()
        .keys()
        .filter(|name| *name != "authorization");
    let mut names: Vec<&str> = names.map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    let mut lines = String::new();
    for signed in &names {
        let value = request.headers()[*signed].to_str().unwrap();
        assert_eq!(Some(value), header(signed), "{name}: {signed}");
        lines += &format!("{signed}:{value}\n");
    }
    let canonical = format!(
        "{}\n{}/\n{}\n{lines}\n{}\n{}",
        request.method(),
        request.uri().path(),
        request.uri().query().unwrap_or_default(),
        names.join(";"),
        encode::sha256_hex(request.body()),
    );
    let hash = encode::sha256_hex(canonical.as_bytes());
    let to_sign = format!("SDK-HMAC-SHA256\n{date}\n{hash}");
    let signature = encode::hmac_sha256_hex(secret.as_bytes(), to_sign.as_bytes());
    let authorization = request.headers()["authorization"].to_str().unwrap();
    assert_eq!(
        authorization,
        format!(
            "SDK-HMAC-SHA256 Access={id}, SignedHeaders={}, Signature={signature}",
            names.join(";")
        ),
        "{name}"
    );
}

/// Returns the signing context of a time like `20251121T080000Z`, by binary search.
fn signing_context_at(basic: &str) -> SigningContext {
    let (mut low, mut high) = (0_i64, 1 << 33);
    while low < high {
        let middle = low.midpoint(high);
        if SigningContext::from_unix(middle, 0).basic().as_str() < basic {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    let ctx = SigningContext::from_unix(low, 0);
    assert_eq!(ctx.basic(), basic);
    ctx
}

fn split_target(target: &str) -> (&str, &str) {
    target.split_once('?').unwrap_or((target, ""))
}

/// Returns the decoded name and value of every parameter.
fn pairs(query: &str) -> BTreeSet<(String, String)> {
    let decode = |text: &str| {
        percent_encoding::percent_decode_str(text)
            .decode_utf8()
            .unwrap()
            .into_owned()
    };
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap())
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

fn json(body: &[u8]) -> Option<Value> {
    (!body.is_empty()).then(|| serde_json::from_slice(body).unwrap())
}

/// The meaning of every recorded response: the state of a job and of each server of the job, the
/// instances as `[id name state (Huawei's state)]`, or the fault with the kind and the execution
/// status.
const MEANINGS: [(&str, &str); 46] = [
    ("accepted", "job ff80808288d41e1b018990260955686a"),
    ("accepted-delayed", "job ff80808288d41e1b018990260955686a"),
    ("job-init", "running"),
    ("job-running-real", "running, 1c74e090 running"),
    ("job-success-doc", "succeeded, bae51750 succeeded"),
    (
        "job-success-batch-two",
        "succeeded, 616fb98f succeeded, 726fb98f succeeded",
    ),
    (
        "job-fail-partial",
        "failed Common.0021, maybe executed, 616fb98f succeeded, 726fb98f wrong-state Ecs.0100, not executed",
    ),
    ("job-fail-no-subjobs", "failed Ecs.0226, maybe executed"),
    ("job-single-entity", "succeeded, 616fb98f succeeded"),
    ("job-pending-payment", "unknown"),
    (
        "job-id-invalid",
        "invalid-request Common.0011, not executed",
    ),
    ("show-active", "[616fb98f web-1 running (ACTIVE)]"),
    (
        "show-stopping",
        "[616fb98f web-1 stopping (ACTIVE/powering-off)]",
    ),
    (
        "show-starting",
        "[616fb98f web-1 starting (SHUTOFF/powering-on)]",
    ),
    ("show-shutoff", "[616fb98f web-1 stopped (SHUTOFF)]"),
    (
        "show-rebooting",
        "[616fb98f web-1 rebooting (REBOOT/rebooting)]",
    ),
    (
        "show-hard-rebooting",
        "[616fb98f web-1 rebooting (HARD_REBOOT/rebooting_hard)]",
    ),
    ("show-error", "[616fb98f web-1 failed (ERROR)]"),
    ("show-not-found", "not-found Ecs.0114, not executed"),
    ("nova-item-not-found", "not-found 404, not executed"),
    (
        "not-found-hidden-in-400",
        "not-found Ecs.0307, maybe executed",
    ),
    ("nova-error-as-string", "failed Ecs.1000, maybe executed"),
    (
        "list-two",
        "[616fb98f web-1 running (ACTIVE), 726fb98f web-2 stopped (SHUTOFF)]",
    ),
    ("list-empty", "[]"),
    ("list-unknown-id", "[]"),
    ("bad-parameter", "invalid-request Ecs.0005, not executed"),
    ("wrong-state", "wrong-state Ecs.0100, not executed"),
    ("too-many-servers", "quota Ecs.0118, not executed"),
    ("locked", "locked Ecs.0605, not executed"),
    ("other-command-running", "busy Ecs.0603, not executed"),
    (
        "batch-failed-with-details",
        "wrong-state Ecs.0611, maybe executed",
    ),
    (
        "batch-internalError-form",
        "wrong-state Ecs.0611, maybe executed, names 616fb98f",
    ),
    ("flow-limit-202", "throttled Common.0024, not executed"),
    (
        "api-flow-control-503",
        "throttled Common.1503, not executed",
    ),
    (
        "api-flow-control-429",
        "throttled Common.1503, not executed",
    ),
    (
        "system-exception",
        "unavailable Common.0001, maybe executed",
    ),
    ("policy-denied", "permission Pdp.0001, not executed"),
    ("apigw-signature", "credential APIGW.0301, not executed"),
    ("apigw-clock", "clock-skew APIGW.0301, not executed"),
    ("apigw-unknown-ak", "credential APIGW.0301, not executed"),
    ("apigw-token-stale", "credential APIGW.0307, not executed"),
    ("apigw-throttled-user", "throttled APIGW.0308, not executed"),
    ("apigw-throttled-ip", "throttled APIGW.0308, not executed"),
    (
        "apigw-no-such-api",
        "wrong-endpoint APIGW.0101, not executed",
    ),
    (
        "apigw-backend-timeout",
        "unavailable APIGW.0201, maybe executed",
    ),
    (
        "apigw-backend-unavailable",
        "unavailable APIGW.0201, maybe executed",
    ),
];

/// Responses to calls that this crate never sends.
const UNUSED_RESPONSES: [&str; 2] = ["projects", "token-created"];

#[test]
fn recorded_response_has_the_meaning_in_the_table() {
    let entries = recordings("responses");
    for entry in &entries {
        let name = entry["name"].as_str().unwrap();
        if UNUSED_RESPONSES.contains(&name) {
            continue;
        }
        let (_, expected) = MEANINGS
            .iter()
            .find(|(listed, _)| *listed == name)
            .unwrap_or_else(|| panic!("{name} is not in the table"));
        for call in entry["for"].as_array().unwrap() {
            let call = match call.as_str().unwrap() {
                ours if CALLS.contains(&ours) => ours,
                // The error format is independent of the call.
                _ => "batch-reboot",
            };
            // A row with an id only is an unknown id in a lookup, and a server in a list of all
            // servers.
            let expected = match (name, call) {
                ("list-unknown-id", "list") => "[726fb98f - unknown ()]",
                _ => expected,
            };
            assert_eq!(
                describe(call, &recorded_response(entry)),
                expected,
                "{name} to {call}"
            );
        }
    }
    assert_eq!(MEANINGS.len() + UNUSED_RESPONSES.len(), entries.len());
}

/// Errors that this crate and the SDK read differently: code and message of this crate, and the
/// reason.
const DIFFERENCES: [(&str, Option<&str>, &str, &str); 8] = [
    (
        "ecs-error-with-details",
        Some("Ecs.0611"),
        "outer (Ecs.0100 inner)",
        "the outer message says nothing",
    ),
    (
        "batch-internalError",
        Some("Ecs.0611"),
        "Batch operation failed. (Ecs.0100 x)",
        "the outer message says nothing",
    ),
    (
        "apigw-throttle-get",
        Some("APIGW.0308"),
        "The throttling threshold has been reached: policy user over ratelimit,limit:200,time:5 minute",
        "the HTTP library of the SDK drops the body",
    ),
    (
        "html-502",
        None,
        "the response is not in the format of the cloud: <html><body>Bad Gateway</body></html>",
        "an HTTP status is not an error code",
    ),
    (
        "empty-500",
        None,
        "the response is empty",
        "an HTTP status is not an error code",
    ),
    (
        "status-202-flow-limit",
        Some("Common.0024"),
        "exceeds flow over limit",
        "the SDK treats every status below 400 as a success",
    ),
    (
        "status-204-empty",
        None,
        "the response is empty (EOF while parsing a value at line 1 column 0)",
        "the SDK treats every status below 400 as a success",
    ),
    (
        "status-302",
        None,
        "the response is empty",
        "the SDK treats every status below 400 as a success",
    ),
];

#[test]
fn recorded_error_is_read_like_in_the_sdk() {
    let mut unlike = 0;
    for entry in recordings("sdk_error_parsing") {
        let name = entry["name"].as_str().unwrap();
        let call = match entry["operation"].as_str().unwrap() {
            "start" => "batch-start",
            "status" => "show-server",
            "job" => "show-job",
            "list" => "list",
            other => panic!("{other} is not listed"),
        };
        let ours = fault(call, &recorded_response(&entry));
        let ours = ours.as_ref().map(|fault| (fault.code(), fault.message()));
        let theirs = &entry["sdk_outcome"];
        let their_code = match &theirs["error_code"] {
            Value::Number(number) => Some(number.to_string()),
            other => other.as_str().map(str::to_owned),
        };
        let same = match (ours, theirs["ok"] == true) {
            (None, ok) => ok,
            (Some(_), true) => false,
            (Some((code, message)), false) => {
                code == their_code.as_deref() && message == theirs["error_message"]
            }
        };
        let listed = DIFFERENCES.iter().find(|(listed, ..)| *listed == name);
        match listed {
            None => assert!(same, "{name}: {ours:?} is not {theirs}"),
            Some((_, code, message, _)) => {
                assert!(!same, "{name} does not differ");
                assert_eq!(ours, Some((*code, *message)), "{name}");
                unlike += 1;
            }
        }
    }
    assert_eq!(unlike, DIFFERENCES.len());
}
