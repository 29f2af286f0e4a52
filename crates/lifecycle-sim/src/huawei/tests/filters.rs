//! Tests of the facts, the filters and the regions of the simulated Huawei.

use std::time::{Duration, UNIX_EPOCH};

use lifecycle_core::ChargeType;

use super::*;
use crate::{IgnoredFilters, InstanceTemplate, huawei::switches::SeveralTags, testing::add_with};

/// Creates web-1 and web-2 (running, `env=dev`), Db (stopped, `env=prod`, `tier=a,b`), and vm-000003.
fn fleet() -> CloudState {
    let mut cloud = cloud_state();
    let web = InstanceTemplate::new().name("web-#").tag("env", "dev");
    add_with(&mut cloud, REGION, 2, Running, web);
    let db = InstanceTemplate::new()
        .name("Db")
        .tag("env", "prod")
        .tag("tier", "a,b")
        .instance_type("s7.db")
        .private_ip("192.168.0.9");
    add_with(&mut cloud, REGION, 1, Stopped, db);
    add(&mut cloud, Running, None);
    cloud
}

fn found(cloud: &mut CloudState, query: &str) -> Vec<String> {
    let (status, body) = get(cloud, &format!("cloudservers/detail?{query}"));
    assert_eq!(status, 200, "{query}: {body}");
    let servers = body["servers"].as_array().unwrap();
    assert_eq!(body["count"], servers.len(), "{query}");
    servers
        .iter()
        .map(|server| server["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn each_filter_finds_exactly_the_matching_servers() {
    let mut cloud = fleet();
    let all = ["web-1", "web-2", "Db", "vm-000003"];
    let web = &all[..2];
    for (query, expected) in [
        ("", &all[..]),
        ("tags=env%3Ddev", web),
        ("tags=env", &[]),
        ("tags=tier%3Da,b", &all[2..3]),
        ("tags=env%3Dprod&tags=tier%3Da,b", &all[2..3]),
        ("tags=env%3Ddev&tags=tier%3Da,b", &[]),
        ("not-tags=env%3Ddev", &all[2..]),
        ("not-tags=__type_baremetal", &all),
        ("name=web", web),
        ("name=w.b", web),
        ("name=db", &[]),
        ("status=SHUTOFF", &all[2..3]),
        ("flavor=s7.db", &all[2..3]),
        ("ip=192.168", &all[2..3]),
        ("ip_eq=192.168.0.9", &all[2..3]),
        ("ip_eq=192.168.0", &[]),
        ("name=2&tags=env%3Ddev", &all[1..2]),
    ] {
        assert_eq!(found(&mut cloud, query), expected, "{query}");
    }
}

#[test]
fn unknown_meaning_of_a_filter_follows_the_switch() {
    let mut cloud = fleet();
    cloud.switches.huawei.names_ignore_case = true;
    assert_eq!(found(&mut cloud, "name=DB"), ["Db"]);
    cloud.switches.huawei.tag_keys_match = true;
    assert_eq!(found(&mut cloud, "tags=env").len(), 3);
    let two = "tags=env%3Ddev&tags=env%3Dprod";
    assert!(found(&mut cloud, two).is_empty());
    cloud.switches.huawei.several_tags = SeveralTags::First;
    assert_eq!(found(&mut cloud, two).len(), 2);
    cloud.switches.huawei.several_tags = SeveralTags::Comma;
    assert_eq!(found(&mut cloud, "tags=env%3Dprod,env").len(), 1);
    assert!(found(&mut cloud, "tags=tier%3Da,b").is_empty());

    cloud.switches.huawei.ignored_filters = IgnoredFilters::Tags;
    assert_eq!(found(&mut cloud, "tags=no&not-tags=env").len(), 4);
    assert!(found(&mut cloud, "name=no").is_empty());
    cloud.switches.huawei.ignored_filters = IgnoredFilters::All;
    assert_eq!(
        found(&mut cloud, "tags=no&name=no&status=ERROR&ip=no").len(),
        4
    );
}

#[test]
fn server_shows_the_facts_in_the_formats_of_the_vendor() {
    let mut cloud = cloud_state();
    let template = InstanceTemplate::new()
        .name("web-#")
        .tag("env", "dev")
        .tag("lone", "")
        .zone("cn-north-4g")
        .charge_type(ChargeType::Spot)
        .created_at(UNIX_EPOCH + Duration::from_secs(1_700_000_000))
        .public();
    let ids = add_with(&mut cloud, REGION, 1, Running, template);
    let (_, list) = get(&mut cloud, "cloudservers/detail");
    for server in [show(&mut cloud, &ids[0]), list["servers"][0].clone()] {
        assert_eq!(server["name"], "web-1");
        assert_eq!(server["tags"], serde_json::json!(["env=dev", "lone="]));
        assert_eq!(server["OS-EXT-AZ:availability_zone"], "cn-north-4g");
        assert_eq!(server["metadata"]["charging_mode"], "2");
        assert_eq!(server["created"], "2023-11-14T22:13:20Z");
        assert_eq!(
            server["OS-SRV-USG:launched_at"],
            "2023-11-14T22:13:20.000000"
        );
        let networks = server["addresses"].as_object().unwrap();
        let addresses: Vec<_> = networks
            .values()
            .next()
            .unwrap()
            .as_array()
            .unwrap()
            .clone();
        let shown: Vec<_> = addresses
            .iter()
            .map(|one| (one["addr"].as_str(), one["OS-EXT-IPS:type"].as_str()))
            .collect();
        let expected = [
            (Some("10.0.0.0"), Some("fixed")),
            (Some("198.18.0.0"), Some("floating")),
        ];
        assert_eq!(shown, expected);
    }
}

#[test]
fn regions_and_projects_are_listed_and_a_region_without_access_has_no_project() {
    let mut cloud = cloud_state();
    testing::add(&mut cloud, "cn-new-1", 1, Running, None);
    cloud.set_region_access(REGION, false);
    let iam = |cloud: &mut CloudState, path: &str| {
        let request = received("GET", path, &[("host", "iam.example")], "");
        read(&respond(cloud, &request))
    };
    let (status, body) = iam(&mut cloud, "/v3/regions");
    assert_eq!(status, 200);
    let regions = body["regions"].as_array().unwrap();
    assert_eq!(regions.len(), 34);
    let forbidden = regions.iter().find(|region| region["id"] == REGION);
    assert_eq!(forbidden.unwrap()["locales"]["zh-cn"], "华北-北京四");
    assert!(body["links"]["self"].is_string());

    let (_, body) = iam(&mut cloud, "/v3/projects");
    let projects = body["projects"].as_array().unwrap();
    let names: Vec<_> = projects
        .iter()
        .filter_map(|one| one["name"].as_str())
        .collect();
    assert_eq!(names.len(), 33);
    assert!(names.contains(&"cn-new-1") && !names.contains(&REGION));
    let (_, body) = iam(&mut cloud, &format!("/v3/projects?name={REGION}"));
    assert_eq!(body["projects"], Value::Array(vec![]));

    let path = format!("/v1/{PROJECT}/cloudservers/detail");
    let request = received("GET", &path, &[], "");
    let response = crate::huawei::Huawei.handle(&mut cloud, &request, RegionScope::Forbidden);
    let (status, body) = read(&response);
    assert_eq!((status, &body["error_code"]), (403, &"APIGW.0802".into()));
}
