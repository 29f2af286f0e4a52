//! Tests of the simulated Huawei's operations that list servers and read one server.

use super::*;
use crate::huawei::switches::{ServerIds, ShowNotFound};

fn listed(cloud: &mut CloudState, query: &str) -> (Vec<String>, u64) {
    let (status, body) = get(cloud, &format!("cloudservers/detail?{query}"));
    assert_eq!(status, 200, "{query}: {body}");
    let servers = body["servers"].as_array().unwrap();
    let ids = servers
        .iter()
        .map(|server| server["id"].as_str().unwrap().to_owned())
        .collect();
    (ids, body["count"].as_u64().unwrap())
}

#[test]
fn page_numbers_start_at_one() {
    let mut cloud = cloud_state();
    let ids = testing::add(&mut cloud, REGION, 30, Running, None);
    assert_eq!(listed(&mut cloud, ""), (ids[..25].to_vec(), 30));
    for first in ["limit=20", "limit=20&offset=0", "limit=20&offset=1"] {
        assert_eq!(
            listed(&mut cloud, first),
            (ids[..20].to_vec(), 30),
            "{first}"
        );
    }
    assert_eq!(
        listed(&mut cloud, "limit=20&offset=2"),
        (ids[20..].to_vec(), 30)
    );
    assert_eq!(listed(&mut cloud, "limit=20&offset=3"), (vec![], 30));
    for bad in [
        "limit=0",
        "limit=1001",
        "limit=x",
        "offset=-1",
        "marker=unknown",
    ] {
        let response = get(&mut cloud, &format!("cloudservers/detail?{bad}"));
        assert_eq!(status_and_code(&response), (400, "Ecs.0005"), "{bad}");
    }
}

#[test]
fn list_without_server_ids_and_markers_ignores_both() {
    let mut cloud = cloud_state();
    let ids = testing::add(&mut cloud, REGION, 30, Running, None);
    cloud.switches.huawei.server_ids = ServerIds::Ignored;
    for query in [
        format!("limit=20&server_id={},{}", ids[28], ids[29]),
        format!("limit=20&server_id={}&server_id={}", ids[28], ids[29]),
        format!("limit=20&marker={}", ids[19]),
    ] {
        assert_eq!(listed(&mut cloud, &query), (ids[..20].to_vec(), 30));
    }
}

#[test]
fn filter_without_simulation_is_refused() {
    let mut cloud = cloud_state();
    testing::add(&mut cloud, REGION, 1, Running, None);
    for filter in ["reservation_id=r", "enterprise_project_id=other"] {
        let response = get(&mut cloud, &format!("cloudservers/detail?{filter}"));
        assert_eq!(status_and_code(&response), (400, "Ecs.0005"), "{filter}");
    }
    for project in ["0", "all_granted_eps"] {
        let query = format!("enterprise_project_id={project}");
        assert_eq!(listed(&mut cloud, &query).1, 1);
    }
}

#[test]
fn list_continues_after_the_marker() {
    let mut cloud = cloud_state();
    let ids = testing::add(&mut cloud, REGION, 30, Running, None);
    let after = format!("limit=25&marker={}", ids[24]);
    assert_eq!(listed(&mut cloud, &after), (ids[25..].to_vec(), 30));
    cloud.delete(cloud.find(RegionScope::AllRegions, &ids[24]).unwrap());
    assert_eq!(listed(&mut cloud, &after), (ids[25..].to_vec(), 29));
    let end = format!("marker={}", ids[29]);
    assert_eq!(listed(&mut cloud, &end), (vec![], 29));
}

#[test]
fn status_filter_covers_related_states() {
    let mut cloud = cloud_state();
    let up = add(&mut cloud, Running, None);
    let stopping = add(&mut cloud, SimulatedState::Stopping, None);
    let down = add(&mut cloud, Stopped, None);
    let rebooting = add(&mut cloud, SimulatedState::Rebooting, None);
    let resizing = add(&mut cloud, Stopped, Impairment::Changing);
    let mut found = |query: &str| listed(&mut cloud, query).0;
    assert_eq!(
        found("status=ACTIVE"),
        [up, stopping.clone(), rebooting.clone(), resizing.clone()]
    );
    assert_eq!(found("status=SHUTOFF"), [down.clone(), resizing]);
    assert_eq!(found("status=REBOOT"), [rebooting]);
    assert_eq!(found("status=ERROR"), [""; 0]);
    assert_eq!(found("name=00000."), found(""));
    assert_eq!(found("name=vm-000001"), [stopping]);
    assert_eq!(found("name=2&status=SHUTOFF"), [down]);
    assert_eq!(found("name=x"), [""; 0]);
    assert_eq!(found("tags=k%3Dv"), [""; 0]);
    assert_eq!(found("not-tags=__type_baremetal").len(), 5);
}

#[test]
fn form_of_named_servers_follows_the_switch() {
    let mut cloud = cloud_state();
    let ids = testing::add(&mut cloud, REGION, 2, Running, None);
    let comma = format!("server_id={}%2C{}", ids[0], ids[1]);
    let repeated = format!("server_id={}&server_id={}", ids[0], ids[1]);
    let both = ids.clone();
    let glued = vec![format!("{},{}", ids[0], ids[1])];
    let first = vec![ids[0].clone()];
    for (form, by_comma, by_repetition) in [
        (ServerIds::Both, &both, &both),
        (ServerIds::Comma, &both, &first),
        (ServerIds::Repeated, &glued, &both),
    ] {
        cloud.switches.huawei.server_ids = form;
        assert_eq!(&listed(&mut cloud, &comma).0, by_comma, "{form:?}");
        assert_eq!(&listed(&mut cloud, &repeated).0, by_repetition, "{form:?}");
    }
}

#[test]
fn unknown_named_server_has_null_fields() {
    let mut cloud = cloud_state();
    let known = add(&mut cloud, Running, None);
    let query = format!("cloudservers/detail?server_id=gone,{known}&status=SHUTOFF");
    let (_, body) = get(&mut cloud, &query);
    assert_eq!(body["count"], 2);
    assert_eq!(
        body["servers"][1]["status"], "ACTIVE",
        "other filters are ignored"
    );
    let gone = body["servers"][0].as_object().unwrap();
    for (name, value) in gone {
        let is_set = name == "id" || name == "fault";
        assert_eq!(value.is_null(), !is_set, "{name}");
    }
    assert_eq!(gone["id"], "gone");
}

#[test]
fn list_of_named_servers_has_pages_by_switch() {
    let mut cloud = cloud_state();
    let ids = testing::add(&mut cloud, REGION, 100, Running, None);
    let query = format!("server_id={}", ids.join(","));
    assert_eq!(listed(&mut cloud, &query).0, ids);
    cloud.switches.huawei.pages_named_servers = true;
    assert_eq!(listed(&mut cloud, &query), (ids[..25].to_vec(), 100));
    assert_eq!(listed(&mut cloud, &format!("{query}&limit=100")).0, ids);
    let response = get(&mut cloud, &format!("cloudservers/detail?{query},more"));
    assert_eq!(status_and_code(&response), (400, "Ecs.0005"), "at most 100");
}

#[test]
fn query_of_an_unknown_server_follows_the_switch() {
    let mut cloud = cloud_state();
    for (form, expected) in [
        (ShowNotFound::Ecs0114, "Ecs.0114"),
        (ShowNotFound::Ecs0614, "Ecs.0614"),
    ] {
        cloud.switches.huawei.show_not_found = form;
        assert_eq!(
            status_and_code(&get(&mut cloud, "cloudservers/gone")),
            (404, expected)
        );
    }
    cloud.switches.huawei.show_not_found = ShowNotFound::ItemNotFound;
    let (status, body) = get(&mut cloud, "cloudservers/gone");
    assert_eq!((status, &body["itemNotFound"]["code"]), (404, &404.into()));
}

#[test]
fn impaired_server_shows_a_documented_status() {
    let mut cloud = cloud_state();
    for (impairment, status, vm_state) in [
        (Impairment::Creating, "BUILD", "building"),
        (Impairment::Changing, "RESIZE", "stopped"),
        (Impairment::Expired, "SHUTOFF", "stopped"),
        (Impairment::BrokenDisk, "ERROR", "error"),
        (Impairment::Recycled, "UNKNOWN", "soft-delete"),
        (Impairment::Locked, "ACTIVE", "active"),
    ] {
        let id = add(&mut cloud, Running, impairment);
        let (shown, vm, _) = shown_status(&mut cloud, &id);
        assert_eq!((shown.as_str(), vm.as_str()), (status, vm_state));
        let server = show(&mut cloud, &id);
        assert_eq!(server["locked"], impairment == Impairment::Locked);
        assert_eq!(
            server["fault"].is_object(),
            impairment == Impairment::BrokenDisk
        );
        let frozen = server["metadata"].get("EcmResStatus").is_some();
        assert_eq!(frozen, impairment == Impairment::Expired);
    }
}

#[test]
fn project_is_found_by_the_region_name() {
    let mut cloud = cloud_state();
    let mut found = |query: &str| {
        let target = format!("/v3/projects{query}");
        let request = received("GET", &target, &[("host", "iam.example")], "");
        let (status, body) = read(&respond(&mut cloud, &request));
        assert_eq!(status, 200);
        body["projects"].as_array().unwrap().clone()
    };
    let one = found("?name=cn-north-4");
    assert_eq!((one.len(), &one[0]["id"]), (1, &PROJECT.into()));
    assert_eq!(one[0]["name"], "cn-north-4");
    assert!(found("?name=nowhere").is_empty());
    assert_eq!(found("").len(), 33);
}

#[test]
fn unknown_path_or_method_is_refused() {
    let mut cloud = cloud_state();
    let action = format!("/v1/{PROJECT}/cloudservers/action");
    let nova = format!("/v2.1/{PROJECT}/servers/s/action");
    for (method, path) in [
        ("PUT", action.as_str()),
        ("POST", &nova),
        ("GET", "/v1"),
        ("POST", "/v3/projects"),
        ("DELETE", &format!("/v1/{PROJECT}/jobs/j")),
        ("GET", &format!("/v1/{PROJECT}/cloudservers/s/more")),
    ] {
        let request = received(method, path, &[], "{}");
        let (status, body) = read(&respond(&mut cloud, &request));
        assert_eq!(
            (status, &body["error_code"]),
            (404, &"APIGW.0101".into()),
            "{method} {path}"
        );
    }
}
