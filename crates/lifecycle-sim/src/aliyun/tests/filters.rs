//! Tests of the facts and the filters of the simulated `DescribeInstances`.

use std::time::{Duration, UNIX_EPOCH};

use lifecycle_core::ChargeType;

use super::*;
use crate::{
    IgnoredFilters, InstanceTemplate,
    aliyun::switches::EmptyTagValue,
    testing::{add_with, shape},
};

fn found(cloud: &mut CloudState, filters: &[(&str, &str)]) -> Vec<String> {
    let mut parameters = vec![("RegionId", REGION), ("PageSize", "100")];
    parameters.extend(filters);
    let (status, body) = call(cloud, "DescribeInstances", &parameters);
    assert_eq!(status, 200, "{body}");
    let rows = body["Instances"]["Instance"].as_array().unwrap();
    assert_eq!(body["TotalCount"], rows.len(), "{filters:?}");
    rows.iter()
        .map(|row| row["InstanceName"].as_str().unwrap().to_owned())
        .collect()
}

/// Creates web-1 and web-2 (running, `env=dev`), Db (stopped, `env=prod`, `lone`), and vm-000003.
fn fleet() -> CloudState {
    let mut cloud = cloud_state();
    let web = InstanceTemplate::new().name("web-#").tag("env", "dev");
    add_with(&mut cloud, REGION, 2, Running, web.zone("z-1"));
    let db = InstanceTemplate::new()
        .name("Db")
        .tag("env", "prod")
        .tag("lone", "")
        .instance_type("ecs.db")
        .charge_type(ChargeType::Prepaid)
        .private_ip("192.168.0.9");
    add_with(&mut cloud, REGION, 1, Stopped, db);
    add(&mut cloud, Running, None);
    cloud
}

#[test]
fn each_filter_finds_exactly_the_matching_instances() {
    let mut cloud = fleet();
    let all = ["web-1", "web-2", "Db", "vm-000003"];
    let web = &all[..2];
    for (filters, expected) in [
        (&[][..], &all[..]),
        (&[("Tag.1.Key", "env")], &all[..3]),
        (&[("Tag.1.Key", "env"), ("Tag.1.Value", "dev")], web),
        (&[("Tag.1.Key", "env"), ("Tag.2.Key", "lone")], &all[2..3]),
        (&[("Tag.1.Key", "ENV")], &[]),
        (&[("Tag.1.Value", "dev")], &all),
        (&[("InstanceName", "web-*")], web),
        (&[("InstanceName", "*-1")], &all[..1]),
        (&[("InstanceName", "web-?")], &[]),
        (&[("InstanceName", "web-1")], &all[..1]),
        (&[("InstanceName", "WEB-1")], &[]),
        (&[("InstanceName", "web")], &[]),
        (&[("Status", "Stopped")], &all[2..3]),
        (&[("ZoneId", "z-1")], web),
        (&[("InstanceType", "ecs.db")], &all[2..3]),
        (&[("InstanceChargeType", "PrePaid")], &all[2..3]),
        (
            &[("PrivateIpAddresses", r#"["192.168.0.9","10.0.0.1"]"#)],
            &all[1..3],
        ),
        (&[("PrivateIpAddresses", r#"["192.168.0.10"]"#)], &[]),
        (&[("Status", "Running"), ("Tag.1.Key", "env")], web),
    ] {
        assert_eq!(found(&mut cloud, filters), expected, "{filters:?}");
    }
    let tags: Vec<_> = (1..=21).map(|number| format!("Tag.{number}.Key")).collect();
    let mut many = vec![("RegionId", REGION)];
    many.extend(tags.iter().map(|name| (name.as_str(), "env")));
    let response = call(&mut cloud, "DescribeInstances", &many);
    assert_eq!(status_and_code(&response), (400, "InvalidParameter"));
}

#[test]
fn unknown_meaning_of_a_filter_follows_the_switch() {
    let mut cloud = fleet();
    cloud.switches.aliyun.names_ignore_case = true;
    assert_eq!(found(&mut cloud, &[("InstanceName", "WEB-*")]).len(), 2);
    cloud.switches.aliyun.names_match_parts = true;
    assert_eq!(found(&mut cloud, &[("InstanceName", "WEB")]).len(), 2);
    let empty = [("Tag.1.Key", "env"), ("Tag.1.Value", "")];
    assert_eq!(found(&mut cloud, &empty).len(), 3);
    cloud.switches.aliyun.empty_tag_value = EmptyTagValue::Empty;
    assert!(found(&mut cloud, &empty).is_empty());
}

#[test]
fn ignored_filter_has_no_effect() {
    let filters = [
        ("Tag.1.Key", "no"),
        ("InstanceName", "no"),
        ("Status", "Pending"),
    ];
    for (ignored, filter) in [
        (IgnoredFilters::Tags, filters[0]),
        (IgnoredFilters::Names, filters[1]),
        (IgnoredFilters::States, filters[2]),
    ] {
        let mut cloud = fleet();
        cloud.switches.aliyun.ignored_filters = ignored;
        assert_eq!(found(&mut cloud, &[filter]).len(), 4, "{filter:?}");
        for other in filters.iter().filter(|other| **other != filter) {
            assert!(
                found(&mut cloud, &[*other]).is_empty(),
                "{ignored:?} {other:?}"
            );
        }
        cloud.switches.aliyun.ignored_filters = IgnoredFilters::All;
        assert_eq!(found(&mut cloud, &filters).len(), 4);
        assert_eq!(found(&mut cloud, &[("ZoneId", "no")]).len(), 4);
        assert!(found(&mut cloud, &[("InstanceIds", "[]")]).is_empty());
    }
}

#[test]
fn record_shows_the_facts_in_the_formats_of_the_vendor() {
    let mut cloud = cloud_state();
    let time = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
    let template = InstanceTemplate::new()
        .name("web-#")
        .tag("env", "dev")
        .charge_type(ChargeType::Spot)
        .created_at(time(1_700_000_000))
        .expires_at(time(1_800_000_000))
        .public_ip("203.0.113.7");
    let ids = add_with(&mut cloud, REGION, 2, Running, template);
    let first = record(&mut cloud, &ids[0]);
    assert_eq!(first["InstanceName"], "web-1");
    assert_eq!(first["Tags"]["Tag"][0]["TagKey"], "env");
    assert_eq!(first["Tags"]["Tag"][0]["TagValue"], "dev");
    assert_eq!(first["InstanceChargeType"], "PostPaid");
    assert_eq!(first["SpotStrategy"], "SpotAsPriceGo");
    assert_eq!(first["CreationTime"], "2023-11-14T22:13Z");
    assert_eq!(first["ExpiredTime"], "2027-01-15T08:00Z");
    let private = &first["VpcAttributes"]["PrivateIpAddress"]["IpAddress"];
    assert_eq!(private[0], "10.0.0.0");
    assert_eq!(first["PublicIpAddress"]["IpAddress"][0], "203.0.113.7");
    assert_eq!(first["EipAddress"]["IpAddress"], "");
    let second = record(&mut cloud, &ids[1]);
    assert_eq!(second["PublicIpAddress"]["IpAddress"], Value::Array(vec![]));
    assert_eq!(second["EipAddress"]["IpAddress"], "203.0.113.7");
    assert_eq!(shape(&second["Tags"]), shape(&first["Tags"]));

    let params = request(
        "DescribeInstances",
        &[("RegionId", REGION), ("Format", "XML")],
    );
    let response = respond(&mut cloud, &params);
    let text = std::str::from_utf8(response.body()).unwrap();
    let tags = "<Tags><Tag><TagKey>env</TagKey><TagValue>dev</TagValue></Tag></Tags>";
    assert!(text.contains(tags), "{text}");
}
