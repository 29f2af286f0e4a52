//! Tests of the simulated Baidu's operations that read lists and single instances.

use super::*;

fn listed(cloud: &mut CloudState, query: &str, scope: RegionScope) -> (Vec<String>, Value) {
    let (status, body) = handle(
        cloud,
        &received("GET", &format!("/v2/instance{query}"), &[], ""),
        scope,
    );
    assert_eq!(status, 200, "{body}");
    let ids = body["instances"].as_array().unwrap();
    let ids = ids.iter().map(|i| i["id"].as_str().unwrap().to_owned());
    (ids.collect(), body)
}

#[test]
fn filter_without_simulation_is_refused() {
    let mut cloud = cloud_state(Cloud::Baidu);
    add(&mut cloud, "bj", 1, Running, None);
    let region = cloud.scope("bj");
    for filter in [
        "vpcId=vpc-1",
        "privateIps=10.0.0.1",
        "volumeIds=v-1",
        "cdsIds=v-1",
        "deploySetIds=d-1",
        "autoRenew=true",
        "ipv6Addresses=fd00::1",
        "dedicateHostId=d-1",
        "dedicatedHostId=d-1",
        "fuzzyInstanceName=web&instanceNames=web",
    ] {
        let request = received("GET", &format!("/v2/instance?{filter}"), &[], "");
        let response = handle(&mut cloud, &request, region);
        assert_eq!(status_and_code(&response), (400, "BadRequest"), "{filter}");
    }
}

#[test]
fn markers_lead_through_all_pages_of_a_region() {
    let mut cloud = cloud_state(Cloud::Baidu);
    let mut all = add(&mut cloud, "bj", 5, Running, None);
    let other = add(&mut cloud, "gz", 2, Stopped, None);
    all.extend(add(&mut cloud, "bj", 2, Running, None));
    let region = cloud.scope("bj");

    let mut seen = Vec::new();
    let mut query = "?maxKeys=3".to_owned();
    loop {
        let (ids, body) = listed(&mut cloud, &query, region);
        seen.extend(ids);
        let Some(next) = body["nextMarker"].as_str() else {
            assert_eq!(body["isTruncated"], false);
            break;
        };
        assert_eq!(body["isTruncated"], true);
        query = format!("?maxKeys=3&marker={next}");
    }
    assert_eq!(seen, all);

    let (everything, body) = listed(&mut cloud, "", RegionScope::AllRegions);
    assert_eq!(everything.len(), 9);
    assert_eq!(body["maxKeys"], 1000);
    assert_eq!(
        listed(
            &mut cloud,
            "?status=Stopped,Expired",
            RegionScope::AllRegions
        )
        .0,
        other
    );
    let wanted = format!("?instanceIds={},{}", all[1], other[0]);
    assert_eq!(listed(&mut cloud, &wanted, region).0, [all[1].clone()]);
    let nowhere = cloud.scope("su");
    assert_eq!(listed(&mut cloud, "", nowhere).0, Vec::<String>::new());

    // A full last page has no next marker.
    let (ids, body) = listed(&mut cloud, "?maxKeys=7", region);
    assert_eq!((ids.len(), &body["isTruncated"]), (7, &json!(false)));
    // Deleted instances are missing in lists and totals.
    let index = cloud.find(region, &all[6]).unwrap();
    cloud.delete(index);
    assert_eq!(listed(&mut cloud, "", region).0, all[..6]);
}

#[test]
fn each_state_has_a_status_and_the_card_count_is_a_text() {
    for (state, impairment, word) in [
        (SimulatedState::Starting, None, "Starting"),
        (SimulatedState::Stopping, None, "Stopping"),
        (SimulatedState::Rebooting, None, "Starting"),
        (Stopped, Some(Impairment::Creating), "Starting"),
        (Stopped, Some(Impairment::Changing), "Scaling"),
        (Stopped, Some(Impairment::Expired), "Expired"),
        (Stopped, Some(Impairment::BrokenDisk), "Error"),
        (Stopped, Some(Impairment::Recycled), "Recycled"),
        (Running, Some(Impairment::Locked), "Running"),
    ] {
        let mut cloud = cloud_state(Cloud::Baidu);
        let ids = one_instance(&mut cloud, state, impairment);
        assert_eq!(instance_status(&mut cloud, &ids[0]), word);
        let (_, body) = listed(&mut cloud, "", RegionScope::AllRegions);
        assert_eq!(body["instances"][0]["cardCount"], "0");
    }
}
