//! Tests of requests against recorded requests of the vendor's Python SDK (Alibaba).

use lifecycle_core::{Credential, InstanceFilter, Provider, SigningContext, StopBilling};
use provider_testing::{check_limits, numbered_ids, reboot, recorded_request, start, stop};
use serde_json::Value;

use super::*;
use crate::{
    Aliyun,
    sign::tests::{decoded_query, verify},
};

/// Returns the request of this crate for a recorded call of the vendor's Python SDK; `None` for a
/// call that this crate never sends.
fn equivalent_request(name: &str) -> Option<UnsignedRequest> {
    let together = &config().with_batch_mode(BatchMode::AllTogether);
    let one = &ids(1)[..];
    Some(match name {
        "start-instance" => act_request(
            &config(),
            start(),
            &[InstanceId::new("i-instance1").unwrap()],
        ),
        "start-instance-sts" | "start-instance-async-client" => {
            act_request(&config(), start(), one)
        }
        "start-instances-three" => act_request(&config(), start(), &ids(3)),
        "stop-instance" => act_request(&config(), stop(StopMode::Graceful, StopBilling::Keep), one),
        "stop-instances" => act_request(
            together,
            stop(StopMode::Graceful, StopBilling::Keep),
            &ids(2),
        ),
        "reboot-instance" => act_request(&config(), reboot(StopMode::Graceful), one),
        "reboot-instance-force" => act_request(&config(), reboot(StopMode::Forced), one),
        "reboot-instances-force" => act_request(together, reboot(StopMode::Forced), &ids(2)),
        "describe-instances-ids" => observe(&config(), &ids(2), NO_DETAILS).unwrap().request,
        "describe-instances-first-page" => list_request(InstanceFilter::default(), None),
        "describe-instances-next-page" => {
            let token = PageToken::new("caeba0bbb2be03f84eb48b699f0a4883");
            list_request(InstanceFilter::default(), Some(&token))
        }
        "describe-instances-filters" => {
            let filter = named("web srv*~/+%=&é测").with_state(PowerState::Running);
            list_request(with_tags(filter, &["env=prod x", "team="]), None)
        }
        "list-by-name" => list_request(named("ci-*"), None),
        "list-by-tags" => {
            let tags = ["env=dev", "!protected", "owner", "name=中文 & more"];
            list_request(with_tags(InstanceFilter::default(), &tags), None)
        }
        "list-by-status-zone-type" => {
            let filter = InstanceFilter::default().with_state(PowerState::Stopped);
            let filter = filter.with_zone("cn-hangzhou-h");
            list_request(filter.with_instance_type("ecs.g7.large"), None)
        }
        "list-by-ids" => {
            let mut filter = InstanceFilter::default().with_state(PowerState::Running);
            filter.instances = ids(2);
            list_request(filter, None)
        }
        "list-by-twelve-tags" => {
            let tags: Vec<String> = (1..=12).map(|n| format!("k{n}=v{n}")).collect();
            let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
            list_request(with_tags(InstanceFilter::default(), &tags), None)
        }
        "regions" => crate::regions::regions().request,
        // Dry runs, ConfirmStop, a batch of one instance, an unused operation.
        "start-instance-options"
        | "start-instances-dry-run"
        | "stop-instance-options"
        | "start-instances-one"
        | "describe-instance-status"
        | "describe-instance-status-region" => return None,
        // The V1 signature.
        "start-instance-v1-signature"
        | "legacy-sdk-start-instance"
        | "legacy-sdk-start-instances"
        | "legacy-sdk-describe-instances" => return None,
        _ => panic!("{name} is missing in this table"),
    })
}

/// Parameters that this crate always sends and the SDK omits. The values are the defaults of ECS,
/// except `StoppedMode`, which has no default, and the page size.
const EXPLICIT_DEFAULTS: &[(&str, &str)] = &[
    ("ForceStop", "false"),
    ("StoppedMode", "KeepCharging"),
    ("BatchOptimization", "AllTogether"),
    ("MaxResults", "100"),
];

#[test]
fn request_has_the_meaning_of_the_recorded_sdk_request() {
    let mut compared = 0;
    let (recordings, list_recordings) = (recordings(), list_recordings());
    let requests = |recordings: &Value| recordings["requests"].as_array().unwrap().clone();
    let recorded = [requests(&recordings), requests(&list_recordings)].concat();
    for recorded in &recorded {
        let name = recorded["name"].as_str().unwrap();
        let Some(unsigned) = equivalent_request(name) else {
            continue;
        };
        let recorded_request = recorded_request(recorded);
        let header = |name: &str| recorded_request.headers().get(name);
        let nonce = header("x-acs-signature-nonce").unwrap().to_str().unwrap();
        let nonce = u128::from_str_radix(nonce, 16).unwrap();
        let ctx = SigningContext::from_unix(1_517_212_800, nonce);
        let (key, secret) = credential(&recordings["about"]["credentials"], name);
        let request = Aliyun::new(config()).sign(&unsigned, &key, &ctx).unwrap();

        verify(&request, &secret);
        assert_eq!(request.method(), recorded_request.method());
        assert_eq!(request.uri().path(), "/");
        assert!(request.body().is_empty());
        for equal in [
            "host",
            "accept",
            "x-acs-action",
            "x-acs-version",
            "x-acs-date",
            "x-acs-signature-nonce",
            "x-acs-content-sha256",
            "x-acs-accesskey-id",
            "x-acs-security-token",
            "content-length",
        ] {
            assert_eq!(
                request.headers().get(equal),
                header(equal),
                "{name}: {equal}"
            );
        }
        for different in ["user-agent", "content-type"] {
            assert!(
                !request.headers().contains_key(different),
                "{name}: {different}"
            );
        }

        let mut ours = decoded_query(request.uri());
        for pair in recorded["decoded_query"].as_array().unwrap() {
            let (key, theirs) = (pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
            let value = ours
                .remove(key)
                .unwrap_or_else(|| panic!("{name}: no {key}"));
            assert_eq!(normalized(&value), normalized(theirs), "{name}: {key}");
        }
        for (key, value) in &ours {
            assert!(
                EXPLICIT_DEFAULTS.contains(&(key.as_str(), value.as_str())),
                "{name}: unexpected {key}={value}"
            );
        }
        compared += 1;
    }
    assert_eq!(compared, 19);
}

/// Parses a value, because the SDK writes `True` and JSON with blanks.
fn normalized(value: &str) -> Value {
    match serde_json::from_str(&value.replace("True", "true").replace("False", "false")) {
        Ok(value) => value,
        Err(_) => Value::from(value),
    }
}

fn credential(credentials: &Value, name: &str) -> (Credential, String) {
    let named = credentials.get(name).unwrap_or(&credentials["default"]);
    let text = |name: &str| named[name].as_str();
    let (id, secret) = (
        text("access_key_id").unwrap(),
        text("access_key_secret").unwrap(),
    );
    let key = match text("security_token") {
        Some(token) => Credential::session(id, secret, token),
        None => Credential::keys(id, secret),
    };
    (key, secret.to_owned())
}

#[test]
fn options_select_operation_and_parameters() {
    for (action, count, operation, query) in [
        (start(), 1, "StartInstance", "InstanceId=i-1"),
        (
            initialize(),
            1,
            "StartInstance",
            "InitLocalDisk=true&InstanceId=i-1",
        ),
        (
            start(),
            2,
            "StartInstances",
            "BatchOptimization=SuccessFirst&InstanceId.1=i-1&InstanceId.2=i-2&RegionId=cn-beijing",
        ),
        (
            stop(StopMode::Graceful, StopBilling::Keep),
            1,
            "StopInstance",
            "ForceStop=false&InstanceId=i-1&StoppedMode=KeepCharging",
        ),
        (
            stop(StopMode::Forced, StopBilling::Release),
            1,
            "StopInstance",
            "ForceStop=true&InstanceId=i-1&StoppedMode=StopCharging",
        ),
        (
            stop(StopMode::Forced, StopBilling::Release),
            2,
            "StopInstances",
            "BatchOptimization=SuccessFirst&ForceStop=true&InstanceId.1=i-1&InstanceId.2=i-2\
             &RegionId=cn-beijing&StoppedMode=StopCharging",
        ),
        (
            reboot(StopMode::Graceful),
            1,
            "RebootInstance",
            "ForceStop=false&InstanceId=i-1",
        ),
        (
            reboot(StopMode::Forced),
            2,
            "RebootInstances",
            "BatchOptimization=SuccessFirst&ForceReboot=true&InstanceId.1=i-1&InstanceId.2=i-2\
             &RegionId=cn-beijing",
        ),
    ] {
        let request = act_request(
            &Config::new("cn-beijing").unwrap(),
            action,
            &numbered_ids("i-", count),
        );
        assert_eq!(
            (request.operation, request.query.as_str()),
            (operation, query)
        );
        assert_eq!((request.method, request.path.as_str()), (Method::POST, "/"));
    }
}

#[test]
fn list_encodes_the_page_token() {
    let next = PageToken::new("a+b/c=&d");
    assert_eq!(
        list_request(InstanceFilter::default(), Some(&next)).query,
        "MaxResults=100&NextToken=a%2Bb%2Fc%3D%26d&RegionId=cn-hangzhou"
    );
}

#[test]
fn call_accepts_one_instance_up_to_the_limit() {
    let aliyun = Aliyun::new(config());
    check_limits(&aliyun);
    for action in [
        initialize(),
        stop(StopMode::Forced, StopBilling::Release),
        reboot(StopMode::Forced),
    ] {
        aliyun.profile().supports(&action).unwrap();
        let limit = aliyun.profile().batch_limit(&action);
        assert!(aliyun.act(&action, &ids(limit)).is_ok(), "{action:?}");
        let fault = aliyun.act(&action, &ids(limit + 1)).unwrap_err();
        assert_eq!(fault.kind(), FaultKind::Invalid, "{action:?}");
    }
}

#[test]
fn start_of_several_instances_with_initialized_disks_is_rejected() {
    let fault = act(&config(), &initialize(), &ids(2)).unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Invalid);
    assert!(fault.to_string().contains("1 to 1 are allowed"), "{fault}");
}

#[test]
fn numbered_keys_sort_as_text() {
    for count in 1..=LIMIT {
        let query = Query::default()
            .with_ids(&numbered_ids("i-", count))
            .canonical();
        let mut pairs: Vec<_> = (1..=count)
            .map(|n| (format!("InstanceId.{n}"), format!("i-{n}")))
            .collect();
        pairs.sort();
        let sorted: Vec<_> = pairs
            .iter()
            .map(|(key, id)| format!("{key}={id}"))
            .collect();
        assert_eq!(query, sorted.join("&"), "{count} ids");
    }
}

#[test]
fn reserved_space_is_the_length_of_the_query_with_numbers_of_three_digits() {
    let ids = numbered_ids("i-", LIMIT);
    for parameter in [
        Parameter::Text("RegionId=cn-beijing&".to_owned()),
        Parameter::Ids(&ids),
    ] {
        let mut written = String::new();
        parameter.write(&mut written);
        let unused = parameter.max_len().checked_sub(written.len());
        assert!(
            unused.is_some_and(|unused| unused <= 2 * LIMIT),
            "{unused:?}"
        );
    }
}

#[test]
fn canonical_query_is_sorted_and_encoded() {
    let ids = numbered_ids("i-", 2);
    let query = Query::default()
        .with("RegionId", "cn-beijing")
        .with_ids(&ids)
        .with("InstanceIds", "[\"i 1\"]")
        .with("BatchOptimization", "SuccessFirst");
    assert_eq!(
        query.canonical(),
        "BatchOptimization=SuccessFirst&InstanceId.1=i-1&InstanceId.2=i-2\
         &InstanceIds=%5B%22i%201%22%5D&RegionId=cn-beijing"
    );
    assert_eq!(Query::default().canonical(), "");
}

fn ids(count: usize) -> Vec<InstanceId> {
    numbered_ids("i-bp67acfmxazb4p00", count)
}

fn list_request(filter: InstanceFilter, page: Option<&PageToken>) -> UnsignedRequest {
    list(&config(), &ListQuery::new(filter), page).request
}

fn named(text: &str) -> InstanceFilter {
    InstanceFilter::default().with_name(text.parse().unwrap())
}

fn with_tags(filter: InstanceFilter, tags: &[&str]) -> InstanceFilter {
    let mut tags = tags.iter();
    tags.by_ref()
        .fold(filter, |filter, tag| filter.with_tag(tag.parse().unwrap()))
}

fn initialize() -> Action {
    StartOptions::default()
        .with_local_disk(LocalDisk::Initialize)
        .into()
}

fn act_request(config: &Config, action: Action, ids: &[InstanceId]) -> UnsignedRequest {
    act(config, &action, ids).unwrap().request
}
