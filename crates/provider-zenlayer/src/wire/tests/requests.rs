//! Tests of requests against recorded requests of the vendor's SDK (Zenlayer).

use bytes::Bytes;
use lifecycle_core::{
    Credential, Endpoint, InstanceFilter, LocalDisk, Provider, SigningContext, StartOptions,
    StopBilling, StopMode, TagCondition,
};
use provider_testing::{check_limits, ids, reboot, recorded_request, start};

use super::*;
use crate::{Zenlayer, sign::tests::verify};

/// Returns the request for an operation of the recorded SDK; `None` for an operation that this crate
/// does not use.
fn request_like(name: &str) -> Option<UnsignedRequest> {
    let one = &ids(&["instanceId1"])[..];
    let two = &ids(&["instanceId1", "instanceId2"])[..];
    Some(match name {
        "start" => request(&start(), two),
        "start_bearer_token" | "start_keep_alive" => request(&start(), one),
        // A stop without the flag is a forced stop.
        "stop_default" => request(&stop(StopMode::Forced), one),
        "stop_graceful" => request(&stop(StopMode::Graceful), one),
        "stop_forced" => request(&stop(StopMode::Forced), two),
        "reboot" => request(&reboot(StopMode::Graceful), one),
        "reboot_forced" => request(&reboot(StopMode::Forced), one),
        "describe_status_ids" => observe(&Config::new(), two).unwrap().request,
        "describe_instances_filters" => {
            let filter = named("网关-01").with_zone("asia-southeast-1a");
            listed(
                filter.with_state(PowerState::Stopped).with_tag(tag("env")),
                None,
            )
        }
        "list_by_name" => listed(named("网关-*"), None),
        "list_by_tags" => {
            let tags = ["env=dev", "!old", "team=a&b", "owner"];
            let filter = InstanceFilter::default();
            let filter = tags
                .iter()
                .fold(filter, |filter, text| filter.with_tag(tag(text)));
            listed(filter, None)
        }
        "list_by_zone_status" => {
            let filter = InstanceFilter::default().with_zone("asia-southeast-1a");
            listed(filter.with_state(PowerState::Stopped), Some("2"))
        }
        "list_by_ids" => {
            let mut filter = InstanceFilter::default();
            filter.instances = two.to_vec();
            listed(filter, None)
        }
        "describe_by_ids" => describe(&Config::new(), two).unwrap().request,
        // Unused pages, and an older version of the API.
        "describe_status_all"
        | "describe_status_page"
        | "describe_instances_ids"
        | "start_2024_04_01"
        | "stop_2024_04_01"
        | "reboot_2024_04_01"
        | "describe_status_2024_04_01"
        | "describe_instances_2024_04_01" => return None,
        _ => panic!("{name} has no line in this table"),
    })
}

fn listed(filter: InstanceFilter, page: Option<&str>) -> UnsignedRequest {
    let page = page.map(PageToken::new);
    let call = list(&Config::new(), &ListQuery::new(filter), page.as_ref());
    call.unwrap().request
}

fn named(pattern: &str) -> InstanceFilter {
    InstanceFilter::default().with_name(pattern.parse().unwrap())
}

fn tag(condition: &str) -> TagCondition {
    condition.parse().unwrap()
}

fn request(action: &Action, ids: &[InstanceId]) -> UnsignedRequest {
    act(action, ids).unwrap().request
}

fn stop(mode: StopMode) -> Action {
    provider_testing::stop(mode, StopBilling::Keep)
}

#[test]
fn requests_have_the_meaning_of_the_recorded_requests() {
    let mut compared = 0;
    for entry in [recorded("requests"), recorded_lists("requests")].concat() {
        let name = entry["name"].as_str().unwrap();
        let recorded = recorded_request(&entry);
        let (key, secret) = match entry["access_key_password"].as_str() {
            Some(secret) => {
                assert_eq!(verify(&recorded, secret), Ok(()), "recorded {name}");
                let id = entry["access_key_id"].as_str().unwrap();
                (Credential::keys(id, secret), Some(secret))
            }
            None => (Credential::token("FAKE-access-token"), None),
        };
        let Some(unsigned) = request_like(name) else {
            continue;
        };
        compared += 1;

        let endpoint = Endpoint::parse(entry["host"].as_str().unwrap()).unwrap();
        let signed = Zenlayer::new(Config::new().with_endpoint(endpoint))
            .sign(
                &unsigned,
                &key,
                &SigningContext::from_unix(1_700_000_000, 0),
            )
            .unwrap();
        assert_eq!(signed.method(), recorded.method(), "{name}");
        assert_eq!(signed.uri().path(), recorded.uri().path(), "{name}");
        assert_eq!(api_headers(&signed), api_headers(&recorded), "{name}");
        assert_eq!(all_fields(&signed), all_fields(&recorded), "{name}");
        match secret {
            Some(secret) => assert_eq!(verify(&signed, secret), Ok(()), "{name}"),
            None => assert_eq!(
                signed.headers()["authorization"],
                recorded.headers()["authorization"]
            ),
        }
    }
    assert_eq!(compared, 15);
}

/// Returns the headers with a meaning for the API, without the signature.
fn api_headers(request: &http::Request<Bytes>) -> Vec<(&str, &str)> {
    let mut headers: Vec<(&str, &str)> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
        .filter(|(name, _)| name.starts_with("x-zc-") || *name == "content-type")
        .filter(|(name, _)| !name.starts_with("x-zc-sdk-"))
        .collect();
    headers.sort_unstable();
    headers
}

/// Returns the body with the defaults of missing flags, and without the page size.
fn all_fields(request: &http::Request<Bytes>) -> Value {
    let mut body: Value = serde_json::from_slice(request.body()).unwrap();
    let fields = body.as_object_mut().unwrap();
    fields.remove("pageSize");
    match request.headers()["x-zc-action"].to_str().unwrap() {
        "StopInstances" => {
            fields.entry("forceShutdown").or_insert(true.into());
        }
        "RebootInstances" => {
            fields.entry("forceReboot").or_insert(false.into());
        }
        _ => (),
    }
    body
}

#[test]
fn every_flag_is_sent_explicitly() {
    let two = &ids(&["1", "2"])[..];
    for (action, operation, expected) in [
        (start(), "StartInstances", r#"{"instanceIds":["1","2"]}"#),
        (
            stop(StopMode::Graceful),
            "StopInstances",
            r#"{"instanceIds":["1","2"],"forceShutdown":false}"#,
        ),
        (
            stop(StopMode::Forced),
            "StopInstances",
            r#"{"instanceIds":["1","2"],"forceShutdown":true}"#,
        ),
        (
            reboot(StopMode::Graceful),
            "RebootInstances",
            r#"{"instanceIds":["1","2"],"forceReboot":false}"#,
        ),
        (
            reboot(StopMode::Forced),
            "RebootInstances",
            r#"{"instanceIds":["1","2"],"forceReboot":true}"#,
        ),
    ] {
        let request = request(&action, two);
        assert_eq!(request.operation, operation);
        assert_eq!(request.target(), "/api/v2/zec");
        assert_eq!(request.body, expected);
    }
}

#[test]
fn reads_request_the_maximum_page_size_of_one_group_or_of_all_groups() {
    let two = &ids(&["1", "2"])[..];
    let all = Config::new();
    let group = Config::new().with_resource_group("a \"group\"");
    let token = PageToken::new("2");
    for (request, operation, expected) in [
        (
            observe(&all, two).unwrap().request,
            "DescribeInstancesStatus",
            r#"{"instanceIds":["1","2"],"pageSize":100}"#,
        ),
        (
            observe(&group, two).unwrap().request,
            "DescribeInstancesStatus",
            r#"{"instanceIds":["1","2"],"pageSize":100,"resourceGroupId":"a \"group\""}"#,
        ),
        (
            list(&all, &ListQuery::default(), None).unwrap().request,
            "DescribeInstances",
            r#"{"pageSize":1000,"pageNum":1}"#,
        ),
        (
            list(&group, &ListQuery::default(), Some(&token))
                .unwrap()
                .request,
            "DescribeInstances",
            r#"{"pageSize":1000,"pageNum":2,"resourceGroupId":"a \"group\""}"#,
        ),
    ] {
        assert_eq!(request.operation, operation);
        assert_eq!(request.body, expected);
    }
}

#[test]
fn request_accepts_one_to_100_instances() {
    assert_eq!(PROFILE.batch_limits.of(start().kind()), 100);
    check_limits(&Zenlayer::new(Config::new()));
}

#[test]
fn unsupported_option_is_rejected() {
    for action in [
        StartOptions::default()
            .with_local_disk(LocalDisk::Initialize)
            .into(),
        provider_testing::stop(StopMode::Graceful, StopBilling::Release),
    ] {
        let fault = act(&action, &ids(&["1"])).unwrap_err();
        assert_eq!(fault.kind(), FaultKind::Unsupported);
    }
    for supported in [stop(StopMode::Forced), reboot(StopMode::Forced)] {
        assert_eq!(PROFILE.supports(&supported), Ok(()));
    }
}
