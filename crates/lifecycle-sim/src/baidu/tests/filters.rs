//! Tests of the facts, the filters and the regions of the simulated Baidu.

use std::time::{Duration, UNIX_EPOCH};

use lifecycle_core::ChargeType;

use super::*;
use crate::{
    IgnoredFilters, InstanceTemplate,
    baidu::switches::{OtherStatuses, TagColon},
    testing::add_with,
};

/// Creates web-1 and web-2 (running, `env=dev`), Db (stopped, `env=prod`, `a:b=c`), and vm-000003.
fn fleet() -> CloudState {
    let mut cloud = cloud_state(Cloud::Baidu);
    let web = InstanceTemplate::new().name("web-#").tag("env", "dev");
    add_with(&mut cloud, "bj", 2, Running, web.zone("cn-bj-b"));
    let db = InstanceTemplate::new()
        .name("Db")
        .tag("env", "prod")
        .tag("a:b", "c")
        .charge_type(ChargeType::Prepaid)
        .private_ip("192.168.0.9");
    add_with(&mut cloud, "bj", 1, Stopped, db);
    one_instance(&mut cloud, Running, None);
    cloud
}

fn list(cloud: &mut CloudState, query: &str) -> (u16, Value) {
    respond(
        cloud,
        &received("GET", &format!("/v2/instance?{query}"), &[], ""),
    )
}

fn found(cloud: &mut CloudState, query: &str) -> Vec<String> {
    let (status, body) = list(cloud, query);
    assert_eq!(status, 200, "{query}: {body}");
    let rows = body["instances"].as_array().unwrap();
    rows.iter()
        .map(|row| row["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn each_filter_finds_exactly_the_matching_instances() {
    let mut cloud = fleet();
    let all = ["web-1", "web-2", "Db", "vm-000003"];
    let web = &all[..2];
    for (query, expected) in [
        ("", &all[..]),
        ("tags=env", &all[..3]),
        ("tags=env%3Adev", web),
        ("tags=env:dev,env:prod", &all[..3]),
        ("tags=a:b:c", &[]),
        ("instanceNames=Db,web-2", &all[1..3]),
        ("instanceNames=web", &[]),
        ("fuzzyInstanceName=web", web),
        ("fuzzyInstanceName=db", &[]),
        ("status=Stopped", &all[2..3]),
        ("status=Stopped,Running&tags=env:dev", web),
        ("zoneName=cn-bj-b", web),
        ("internalIp=192.168.0.9", &all[2..3]),
        ("internalIp=192.168.0", &[]),
        ("paymentTiming=Prepaid", &all[2..3]),
        ("paymentTiming=Prepaid,Postpaid", &all),
    ] {
        assert_eq!(found(&mut cloud, query), expected, "{query}");
    }
}

#[test]
fn pages_of_a_filtered_list_have_the_matching_instances() {
    let mut cloud = fleet();
    let (_, body) = list(&mut cloud, "tags=env&maxKeys=2");
    assert_eq!(body["isTruncated"], true);
    let marker = body["nextMarker"].as_str().unwrap().to_owned();
    let query = format!("tags=env&maxKeys=2&marker={marker}");
    let (_, last) = list(&mut cloud, &query);
    assert_eq!(last["instances"].as_array().unwrap().len(), 1);
    assert_eq!(last["isTruncated"], false);
}

#[test]
fn unknown_meaning_of_a_filter_follows_the_switch() {
    let mut cloud = fleet();
    cloud.switches.baidu.names_ignore_case = true;
    assert_eq!(found(&mut cloud, "fuzzyInstanceName=d"), ["Db"]);
    assert_eq!(found(&mut cloud, "instanceNames=dB"), ["Db"]);
    cloud.switches.baidu.tag_colon = TagColon::Last;
    assert_eq!(found(&mut cloud, "tags=a:b:c"), ["Db"]);
    assert!(found(&mut cloud, "status=Expired").is_empty());
    cloud.switches.baidu.other_statuses = OtherStatuses::Refused;
    assert_eq!(
        status_and_code(&list(&mut cloud, "status=Expired")),
        (400, "BadRequest")
    );
    assert_eq!(found(&mut cloud, "status=Stopped"), ["Db"]);

    cloud.switches.baidu.ignored_filters = IgnoredFilters::Tags;
    assert_eq!(found(&mut cloud, "tags=no").len(), 4);
    assert!(found(&mut cloud, "instanceNames=no").is_empty());
    cloud.switches.baidu.ignored_filters = IgnoredFilters::All;
    assert_eq!(
        found(&mut cloud, "tags=no&zoneName=no&internalIp=no").len(),
        4
    );
    assert!(found(&mut cloud, "instanceIds=no").is_empty());
}

#[test]
fn all_reads_show_the_facts() {
    let mut cloud = cloud_state(Cloud::Baidu);
    let time = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
    let template = InstanceTemplate::new()
        .name("web-#")
        .tag("env", "dev")
        .instance_type("bcc.g5.c2m8")
        .charge_type(ChargeType::Prepaid)
        .created_at(time(1_700_000_000))
        .expires_at(time(1_800_000_000))
        .public();
    let ids = add_with(&mut cloud, "bj", 1, Running, template);
    let by_ids = received(
        "POST",
        "/v2/instance/listByInstanceId",
        &[],
        &json!({ "instanceIds": ids }).to_string(),
    );
    let detail = received("GET", &format!("/v2/instance/{}", ids[0]), &[], "");
    for row in [
        list(&mut cloud, "").1["instances"][0].clone(),
        respond(&mut cloud, &by_ids).1["instances"][0].clone(),
        respond(&mut cloud, &detail).1["instance"].clone(),
    ] {
        assert_eq!(row["name"], "web-1");
        assert_eq!(row["tags"], json!([{"tagKey": "env", "tagValue": "dev"}]));
        assert_eq!(row["spec"], "bcc.g5.c2m8");
        assert_eq!(row["paymentTiming"], "Prepaid");
        assert_eq!(row["createTime"], "2023-11-14T22:13:20Z");
        assert_eq!(row["expireTime"], "2027-01-15T08:00:00Z");
        assert_eq!(row["internalIp"], "10.0.0.0");
        assert_eq!(row["publicIp"], "198.18.0.0");
        assert_eq!(row["zoneName"], "cn-bj-a");
    }
}

#[test]
fn regions_are_listed_by_any_host_and_calls_without_access_are_refused() {
    let mut cloud = fleet();
    add(&mut cloud, "new", 1, Running, None);
    let regions = |cloud: &mut CloudState, body: &str| {
        let request = received("POST", "/v2/region/describeRegions", &[], body);
        let (status, body) = handle(cloud, &request, RegionScope::Forbidden);
        assert_eq!(status, 200);
        body["regions"].as_array().unwrap().clone()
    };
    let all = regions(&mut cloud, r#"{"region":""}"#);
    assert_eq!(all.len(), 7);
    assert_eq!(all[0]["regionId"], "bj");
    assert_eq!(all[0]["regionName"], "Beijing");
    assert_eq!(all[6]["regionEndpoint"], "bcc.new.baidubce.com");
    assert_eq!(regions(&mut cloud, r#"{"region":"gz"}"#).len(), 1);

    let request = received("GET", "/v2/instance", &[], "");
    let response = handle(&mut cloud, &request, RegionScope::Forbidden);
    assert_eq!(status_and_code(&response), (403, "AccessDenied"));
    cloud.set_region_access("bj", false);
    assert_eq!(cloud.scope("bj"), RegionScope::Forbidden);
}
