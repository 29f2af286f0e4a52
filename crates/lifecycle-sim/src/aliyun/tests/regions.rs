//! Tests of the simulated `DescribeRegions`, and of regions without access.

use super::*;
use crate::aliyun::switches::ForbiddenList;

fn regions(cloud: &mut CloudState, language: &str) -> Vec<Value> {
    let parameters = [("AcceptLanguage", language)];
    let (status, body) = call(cloud, "DescribeRegions", &parameters);
    assert_eq!(status, 200, "{body}");
    body["Regions"]["Region"].as_array().unwrap().clone()
}

#[test]
fn regions_with_and_without_instances_are_listed() {
    let mut cloud = cloud_state();
    add(&mut cloud, Running, None);
    testing::add(&mut cloud, "cn-new-1", 1, Running, None);
    let all = regions(&mut cloud, "");
    assert_eq!(all.len(), 40);
    let of = |all: &[Value], id: &str| {
        let found: Vec<_> = all
            .iter()
            .filter(|region| region["RegionId"] == id)
            .collect();
        assert_eq!(found.len(), 1, "{id}");
        found[0].clone()
    };
    let hangzhou = of(&all, REGION);
    assert_eq!(hangzhou["LocalName"], "华东1（杭州）");
    assert_eq!(hangzhou["RegionEndpoint"], "ecs-cn-hangzhou.aliyuncs.com");
    assert_eq!(
        of(&all, "cn-new-1")["RegionEndpoint"],
        "ecs.cn-new-1.aliyuncs.com"
    );
    let english = regions(&mut cloud, "en-US");
    assert_eq!(of(&english, REGION)["LocalName"], REGION);
}

#[test]
fn call_in_a_region_without_access_is_refused_or_shows_nothing() {
    let mut cloud = cloud_state();
    let id = add(&mut cloud, Running, None);
    cloud.set_region_access(REGION, false);
    let named = [("RegionId", REGION)];
    let list = call(&mut cloud, "DescribeInstances", &named);
    assert_eq!((list.0, &list.1["TotalCount"]), (200, &0.into()));
    let statuses = call(&mut cloud, "DescribeInstanceStatus", &named);
    assert_eq!(status_and_code(&statuses), (403, "Forbidden.RAM"));
    cloud.switches.aliyun.forbidden_list = ForbiddenList::Refused;
    let list = call(&mut cloud, "DescribeInstances", &named);
    assert_eq!(status_and_code(&list), (403, "Forbidden.RAM"));
    // The host name of the region has the same effect.
    let stop = request("StopInstance", &[("InstanceId", &id)]);
    let response = Aliyun.handle(&mut cloud, &stop, RegionScope::Forbidden);
    assert_eq!(status_and_code(&read(&response)), (403, "Forbidden.RAM"));
    assert_eq!(regions(&mut cloud, "").len(), 39);

    cloud.set_region_access(REGION, true);
    let list = call(&mut cloud, "DescribeInstances", &named);
    assert_eq!(list.1["TotalCount"], 1);
}
