//! Tests of the facts and the filters of the simulated `DescribeInstances`.

use std::time::{Duration, UNIX_EPOCH};

use lifecycle_core::ChargeType;

use super::*;
use crate::{IgnoredFilters, InstanceTemplate, testing::add_with, zenlayer::switches::SeveralTags};

const REGION: &str = "asia-southeast-1";

/// Creates web-1 and web-2 (running, `env=dev`), Db (stopped, `env=prod`, `lone`), and vm-000003.
fn fleet() -> CloudState {
    let mut cloud = cloud_state(Cloud::Zenlayer);
    let web = InstanceTemplate::new().name("web-#").tag("env", "dev");
    add_with(&mut cloud, REGION, 2, Running, web.zone("z-1"));
    let db = InstanceTemplate::new()
        .name("Db")
        .tag("env", "prod")
        .tag("lone", "")
        .instance_type("z2a.db")
        .private_ip("192.168.0.9");
    add_with(&mut cloud, REGION, 1, Stopped, db);
    add(&mut cloud, REGION, 1, Running, None);
    cloud
}

fn found(cloud: &mut CloudState, body: &Value) -> Vec<String> {
    let (status, response) = respond(cloud, &request("DescribeInstances", body));
    assert_eq!(status, 200, "{body}: {response}");
    let response = &response["response"];
    let rows = response["dataSet"].as_array().unwrap();
    assert_eq!(response["totalCount"], rows.len(), "{body}");
    rows.iter()
        .map(|row| row["instanceName"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn each_filter_finds_exactly_the_matching_instances() {
    let mut cloud = fleet();
    let all = ["web-1", "web-2", "Db", "vm-000003"];
    let web = &all[..2];
    for (body, expected) in [
        (json!({}), &all[..]),
        (json!({"tagKeys": ["env"]}), &all[..3]),
        (json!({"tagKeys": ["env", "lone"]}), &all[2..3]),
        (json!({"tags": [{"key": "env", "value": "dev"}]}), web),
        (json!({"tags": [{"key": "lone"}]}), &all[2..3]),
        (json!({"tags": []}), &all),
        (json!({"name": "web"}), web),
        (json!({"name": "db"}), &[]),
        (json!({"status": "STOPPED"}), &all[2..3]),
        (json!({"zoneId": "z-1"}), web),
        (json!({"instanceType": "z2a.db"}), &all[2..3]),
        (json!({"ipv4Address": "192.168.0.9"}), &all[2..3]),
        (json!({"name": "2", "tagKeys": ["env"]}), &all[1..2]),
    ] {
        assert_eq!(found(&mut cloud, &body), expected, "{body}");
    }
    let ids: Vec<_> = cloud
        .instances()
        .map(|index| cloud.instance(index).id().to_owned())
        .collect();
    let two = json!({"instanceIds": [ids[0], ids[2]], "status": "STOPPED"});
    assert_eq!(found(&mut cloud, &two), ["Db"]);
    let many: Vec<_> = (0..21).map(|number| number.to_string()).collect();
    let response = respond(
        &mut cloud,
        &request("DescribeInstances", &json!({ "tagKeys": many })),
    );
    assert_eq!(
        status_and_code(&response),
        (400, "INVALID_PARAMETER_EXCEED_LENGTH")
    );
}

#[test]
fn status_call_refuses_the_filters_of_the_other_call() {
    let mut cloud = fleet();
    for body in [
        json!({"name": "web"}),
        json!({"status": "STOPPED"}),
        json!({"zoneId": "z-1"}),
        json!({"tags": [{"key": "env", "value": "dev"}]}),
        json!({"tagKeys": ["env"]}),
        json!({"instanceType": "z2a.db"}),
        json!({"ipv4Address": "192.168.0.9"}),
    ] {
        let response = respond(&mut cloud, &request("DescribeInstancesStatus", &body));
        assert_eq!(
            status_and_code(&response),
            (400, "INVALID_PARAMETER"),
            "{body}"
        );
    }
}

#[test]
fn unknown_meaning_of_a_filter_follows_the_switch() {
    let mut cloud = fleet();
    cloud.switches.zenlayer.names_ignore_case = true;
    assert_eq!(found(&mut cloud, &json!({"name": "DB"})), ["Db"]);
    cloud.switches.zenlayer.several_tags = SeveralTags::Any;
    let keys = json!({"tagKeys": ["env", "lone"]});
    assert_eq!(found(&mut cloud, &keys).len(), 3);

    cloud.switches.zenlayer.ignored_filters = IgnoredFilters::Tags;
    assert_eq!(found(&mut cloud, &json!({"tagKeys": ["no"]})).len(), 4);
    assert!(found(&mut cloud, &json!({"name": "no"})).is_empty());
    cloud.switches.zenlayer.ignored_filters = IgnoredFilters::All;
    let all = json!({"tagKeys": ["no"], "name": "no", "zoneId": "no", "status": "STOPPED"});
    assert_eq!(found(&mut cloud, &all).len(), 4);
}

#[test]
fn full_row_shows_the_facts_and_the_status_row_does_not() {
    let mut cloud = cloud_state(Cloud::Zenlayer);
    let time = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
    let template = InstanceTemplate::new()
        .name("web-#")
        .tag("env", "dev")
        .created_at(time(1_700_000_000))
        .public();
    add_with(&mut cloud, REGION, 1, Running, template);
    let prepaid = InstanceTemplate::new().charge_type(ChargeType::Prepaid);
    add_with(&mut cloud, REGION, 1, Running, prepaid);
    let rows = |cloud: &mut CloudState, action: &str| {
        let (_, body) = respond(cloud, &request(action, &json!({})));
        body["response"]["dataSet"].as_array().unwrap().clone()
    };
    let full = rows(&mut cloud, "DescribeInstances");
    assert_eq!(full[0]["instanceName"], "web-1");
    let tags = json!({"tags": [{"key": "env", "value": "dev"}]});
    assert_eq!(full[0]["tags"], tags);
    assert_eq!(full[0]["privateIpAddresses"], json!(["10.0.0.0"]));
    assert_eq!(full[0]["publicIpAddresses"], json!(["198.18.0.0"]));
    assert_eq!(full[0]["createTime"], "2023-11-14T22:13:20Z");
    assert_eq!(full[0]["expiredTime"], Value::Null);
    assert_eq!(full[1]["expiredTime"], "2026-01-31T00:00:00Z");
    let bare = rows(&mut cloud, "DescribeInstancesStatus");
    assert_eq!(bare[0].as_object().unwrap().len(), 2);
}
