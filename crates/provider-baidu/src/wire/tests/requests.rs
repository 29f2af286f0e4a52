//! Tests of requests against recorded requests of the vendor's SDK (Baidu).

use bytes::Bytes;
use lifecycle_core::{
    Credential, Endpoint, LocalDisk, Provider, SigningContext, StartOptions, StopBilling, StopMode,
};
use provider_testing::{check_limits, ids, reboot, recorded_request, start, stop};

use super::*;
use crate::{Baidu, Config, sign::tests::verify};

/// Returns the request for an operation of the recorded SDK; `None` for an operation that this crate
/// does not use.
fn request_like(operation: &str) -> Option<UnsignedRequest> {
    let one = &ids(&["i-YufwpQAe"])[..];
    let two = &ids(&["i-YufwpQAe", "i-IyWRtII7"])[..];
    Some(match operation {
        "start"
        | "start_with_security_token_configured"
        | "start_endpoint_https"
        | "start_endpoint_bare_host" => request(&start(), one),
        "batch_start" => request(&start(), two),
        "stop" => request(&stop(StopMode::Graceful, StopBilling::Keep), one),
        "stop_force" => request(&stop(StopMode::Forced, StopBilling::Keep), one),
        "stop_no_charge" => request(&stop(StopMode::Graceful, StopBilling::Release), one),
        "batch_stop" => request(&stop(StopMode::Graceful, StopBilling::Keep), two),
        "batch_stop_force" => request(&stop(StopMode::Forced, StopBilling::Keep), two),
        "batch_stop_force_no_charge" => request(&stop(StopMode::Forced, StopBilling::Release), two),
        "reboot" => request(&reboot(StopMode::Graceful), one),
        "reboot_force" => request(&reboot(StopMode::Forced), one),
        "get_instance" => observe(one).unwrap().request,
        "list_instance_by_instance_ids" => observe(two).unwrap().request,
        "list_instances" => all(None),
        "list_instances_page" => all(Some("i-IyWRtII7")),
        "batch_reboot" => request(&reboot(StopMode::Graceful), two),
        "batch_reboot_force" => request(&reboot(StopMode::Forced), two),
        "list_by_names" => {
            let filter = named("web 1").with_name("web&2".parse().unwrap());
            listed(filter, None)
        }
        "list_by_fuzzy_name" => listed(named("*网关-*"), None),
        "list_by_tag_zone_status" => {
            let filter = tagged("env=dev").with_zone("cn-bj-a");
            listed(filter.with_state(PowerState::Running), None)
        }
        "list_by_tag_key" => listed(tagged("env"), Some("i-IyWRtII7")),
        "list_by_ip" => {
            let filter = InstanceFilter::default().with_private_ip("192.168.0.1");
            listed(filter, None)
        }
        "list_by_ids" => describe(two).unwrap().request,
        "describe_regions" => crate::regions::regions().request,
        // A batch of one instance, unused filters, and an invalid id.
        "batch_start_auto_token"
        | "get_instance_contains_failed"
        | "get_instance_with_deploy_set"
        | "list_instances_by_ids"
        | "list_instance_no_charge"
        | "get_instance_id_not_encoded" => return None,
        _ => panic!("{operation} has no line in this table"),
    })
}

fn all(page: Option<&str>) -> UnsignedRequest {
    listed(InstanceFilter::default(), page)
}

fn listed(filter: InstanceFilter, page: Option<&str>) -> UnsignedRequest {
    let page = page.map(PageToken::new);
    list(&ListQuery::new(filter), page.as_ref()).request
}

fn named(pattern: &str) -> InstanceFilter {
    InstanceFilter::default().with_name(pattern.parse().unwrap())
}

fn tagged(condition: &str) -> InstanceFilter {
    InstanceFilter::default().with_tag(condition.parse().unwrap())
}

fn request(action: &Action, ids: &[InstanceId]) -> UnsignedRequest {
    act(action, ids, &crate::BATCH_REBOOT_PROFILE)
        .unwrap()
        .request
}

#[test]
fn requests_have_the_meaning_of_the_recorded_requests() {
    let vectors = read_vectors(env!("CARGO_MANIFEST_DIR"), "wire.json");
    let secret = vectors["secret_key"].as_str().unwrap();
    let key = Credential::keys(vectors["access_key"].as_str().unwrap(), secret);
    let mut compared = 0;
    for entry in &[recorded("requests"), recorded_lists("requests")].concat() {
        let operation = entry["op"].as_str().unwrap();
        let recorded = recorded_request(entry);
        assert_eq!(verify(&recorded, secret), Ok(()), "recorded {operation}");
        let Some(unsigned) = request_like(operation) else {
            continue;
        };
        compared += 1;

        let signed = provider(recorded.headers()["host"].to_str().unwrap())
            .sign(
                &unsigned,
                &key,
                &SigningContext::from_unix(1_760_947_200, 0),
            )
            .unwrap();
        assert_eq!(verify(&signed, secret), Ok(()), "{operation}");
        assert_eq!(signed.method(), recorded.method(), "{operation}");
        assert_eq!(signed.uri().path(), recorded.uri().path(), "{operation}");
        assert_eq!(parameters(&signed), parameters(&recorded), "{operation}");
        assert_eq!(set_fields(&signed), set_fields(&recorded), "{operation}");
    }
    assert_eq!(compared, 27);
}

fn provider(host: &str) -> Baidu {
    let endpoint = Endpoint::parse(host).unwrap();
    Baidu::new(Config::new("bj").unwrap().with_endpoint(endpoint))
}

/// Returns the sorted query without the page size and without the idempotency token, which is not
/// documented for these calls.
fn parameters(request: &http::Request<Bytes>) -> Vec<&str> {
    let query = request.uri().query().unwrap_or_default();
    let mut pairs: Vec<&str> = query
        .split('&')
        .filter(|pair| !pair.starts_with("clientToken=") && !pair.starts_with("maxKeys="))
        .map(|pair| pair.trim_end_matches('='))
        .filter(|pair| !pair.is_empty())
        .collect();
    pairs.sort_unstable();
    pairs
}

/// Returns the body without flags with their default value `false`.
fn set_fields(request: &http::Request<Bytes>) -> Value {
    if request.body().is_empty() {
        return Value::Null;
    }
    let mut body: Value = serde_json::from_slice(request.body()).unwrap();
    body.as_object_mut()
        .unwrap()
        .retain(|_, value| *value != false);
    body
}

#[test]
fn every_flag_is_sent_explicitly() {
    let one = &ids(&["i-1"])[..];
    let two = &ids(&["i-1", "i-2"])[..];
    for (action, ids, query, expected) in [
        (start(), one, "start", ""),
        (start(), two, "start", r#"{"instanceIds":["i-1","i-2"]}"#),
        (
            stop(StopMode::Graceful, StopBilling::Keep),
            one,
            "stop",
            r#"{"forceStop":false,"stopWithNoCharge":false}"#,
        ),
        (
            stop(StopMode::Forced, StopBilling::Release),
            two,
            "stop",
            r#"{"instanceIds":["i-1","i-2"],"forceStop":true,"stopWithNoCharge":true}"#,
        ),
        (
            reboot(StopMode::Graceful),
            one,
            "reboot",
            r#"{"forceStop":false}"#,
        ),
        (
            reboot(StopMode::Forced),
            one,
            "reboot",
            r#"{"forceStop":true}"#,
        ),
    ] {
        let request = request(&action, ids);
        assert_eq!(request.query, query, "no equals sign after the key");
        assert_eq!(request.body, expected);
    }
}

#[test]
fn reads_request_the_maximum_page_size() {
    let two = ids(&["i-1", "i-2"]);
    assert_eq!(observe(&two).unwrap().request.query, "maxKeys=100");
    assert_eq!(observe(&two[..1]).unwrap().request.query, "");
    assert_eq!(all(None).query, "maxKeys=1000");
    assert_eq!(all(Some("a b/&")).query, "marker=a%20b%2F%26&maxKeys=1000");
}

#[test]
fn request_accepts_one_to_100_instances_and_one_reboot() {
    assert_eq!(PROFILE.batch_limits.of(start().kind()), 100);
    let reboots = act(&reboot(StopMode::Graceful), &ids(&["i-1", "i-2"]), &PROFILE);
    assert_eq!(reboots.unwrap_err().kind(), FaultKind::Invalid);
    check_limits(&provider("bcc.bj.baidubce.com"));
}

#[test]
fn bad_request_is_an_unknown_call_for_the_batch_reboot_only() {
    let baidu = Baidu::new(Config::new("bj").unwrap().with_batch_reboot());
    let body = r#"{"requestId":"r","code":"BadRequest","message":"m"}"#;
    let rejected = provider_testing::response(400, body);
    let two = &ids(&["i-1", "i-2"])[..];
    for (action, ids, kind) in [
        (reboot(StopMode::Graceful), two, FaultKind::Unsupported),
        (reboot(StopMode::Forced), &two[..1], FaultKind::Invalid),
        (start(), two, FaultKind::Invalid),
    ] {
        let call = baidu.act(&action, ids).unwrap();
        let fault = call.refined(baidu.check(&rejected).unwrap_err());
        assert_eq!((fault.kind(), fault.code()), (kind, Some("BadRequest")));
        assert!(!fault.maybe_executed());
    }
}

#[test]
fn unsupported_option_is_rejected() {
    let initialize = StartOptions::default().with_local_disk(LocalDisk::Initialize);
    let fault = act(&initialize.into(), &ids(&["i-1"]), &PROFILE).unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Unsupported);
    for supported in [
        stop(StopMode::Forced, StopBilling::Release),
        reboot(StopMode::Forced),
    ] {
        assert_eq!(PROFILE.supports(&supported), Ok(()));
    }
}
