//! Tests of the simulated Zenlayer's describe operations.

use super::*;
use crate::zenlayer::switches::*;

fn describe_fields(cloud: &mut CloudState, action: &str, body: &Value) -> (Vec<String>, u64) {
    let (status, response) = respond(cloud, &request(action, body));
    assert_eq!(status, 200, "{response}");
    let response = &response["response"];
    let rows = response["dataSet"].as_array().unwrap();
    let rows = rows
        .iter()
        .map(|row| row["instanceId"].as_str().unwrap().to_owned());
    (rows.collect(), response["totalCount"].as_u64().unwrap())
}

#[test]
fn filter_without_simulation_is_refused() {
    let mut cloud = cloud_state(Cloud::Zenlayer);
    add(&mut cloud, "asia-southeast-1", 1, Running, None);
    for filter in [
        json!({"imageId": "a"}),
        json!({"instanceTypeSeries": "a"}),
        json!({"ipv6Address": "fd00::1"}),
    ] {
        let response = respond(&mut cloud, &request("DescribeInstances", &filter));
        assert_eq!(
            status_and_code(&response),
            (400, "INVALID_PARAMETER"),
            "{filter}"
        );
    }
}

#[test]
fn describe_calls_have_pages_and_filters() {
    let mut cloud = cloud_state(Cloud::Zenlayer);
    let mut all = add(&mut cloud, "asia-southeast-1", 30, Running, None);
    all.extend(add(&mut cloud, "europe-west-1", 3, Stopped, None));
    for action in ["DescribeInstancesStatus", "DescribeInstances"] {
        assert_eq!(
            describe_fields(&mut cloud, action, &json!({})),
            (all[..20].to_vec(), 33)
        );
        let second = json!({"pageSize": 30, "pageNum": 2});
        assert_eq!(
            describe_fields(&mut cloud, action, &second),
            (all[30..].to_vec(), 33)
        );
        let third = json!({"pageSize": 30, "pageNum": 3});
        assert_eq!(describe_fields(&mut cloud, action, &third), (vec![], 33));

        let named = json!({ "instanceIds": all[..25] });
        assert_eq!(
            describe_fields(&mut cloud, action, &named),
            (all[..20].to_vec(), 25)
        );
        let rest = json!({ "instanceIds": all[..25], "pageNum": 2 });
        assert_eq!(
            describe_fields(&mut cloud, action, &rest),
            (all[20..25].to_vec(), 25)
        );
        cloud.switches.zenlayer.ids_page = IdsPage::All;
        assert_eq!(
            describe_fields(&mut cloud, action, &named),
            (all[..25].to_vec(), 25)
        );
        cloud.switches.zenlayer.ids_page = IdsPage::Default;

        cloud.switches.zenlayer.order = RowOrder::Reversed;
        let backwards = [all[1].clone(), all[0].clone()].to_vec();
        assert_eq!(
            describe_fields(&mut cloud, action, &json!({"pageSize": 2})),
            (backwards, 33)
        );
        cloud.switches.zenlayer.order = RowOrder::Creation;

        let one_unknown = json!({"instanceIds": ["1", all[4]]});
        assert_eq!(
            describe_fields(&mut cloud, action, &one_unknown),
            (vec![all[4].clone()], 1)
        );
    }
    let second = json!({"status": "STOPPED", "pageSize": 2, "pageNum": 2});
    let found = describe_fields(&mut cloud, "DescribeInstances", &second);
    assert_eq!(found, (vec![all[32].clone()], 3));
    let filters = json!({"status": "STOPPED", "zoneId": "europe-west-1a", "name": "000031"});
    let found = describe_fields(&mut cloud, "DescribeInstances", &filters);
    assert_eq!(found, (vec![all[31].clone()], 1));

    cloud.switches.zenlayer.unknown_in_describe = UnknownInDescribe::Refused;
    for (setting, expected) in [
        (UnknownId::InstanceNotFound, "INVALID_INSTANCE_NOT_FOUND"),
        (
            UnknownId::ResourceNotFound,
            "OPERATION_FAILED_RESOURCE_NOT_FOUND",
        ),
    ] {
        cloud.switches.zenlayer.unknown_id = setting;
        let response = respond(
            &mut cloud,
            &request_with_ids("DescribeInstances", &["1".to_owned()]),
        );
        assert_eq!(status_and_code(&response), (404, expected));
    }
}

#[test]
fn each_state_has_the_same_status_in_both_describe_calls() {
    for (state, impairment, word) in [
        (Stopped, Some(Impairment::Creating), "DEPLOYING"),
        (Stopped, Some(Impairment::Changing), "RESIZING"),
        (Stopped, Some(Impairment::Expired), "STOPPED"),
        (Stopped, Some(Impairment::BrokenDisk), "CREATE_FAILED"),
        (Stopped, Some(Impairment::Recycled), "RECYCLE"),
        (Running, Some(Impairment::Locked), "RUNNING"),
    ] {
        let mut cloud = cloud_state(Cloud::Zenlayer);
        let vm = one_instance(&mut cloud, state, impairment);
        assert_eq!(instance_status(&mut cloud, &vm[0]), word);
        let (_, body) = respond(&mut cloud, &request_with_ids("DescribeInstances", &vm));
        assert_eq!(body["response"]["dataSet"][0]["status"], word);
    }
    let mut cloud = cloud_state(Cloud::Zenlayer);
    cloud.switches.zenlayer.recycled = Recycled::Recycled;
    let vm = one_instance(&mut cloud, Stopped, Some(Impairment::Recycled));
    assert_eq!(instance_status(&mut cloud, &vm[0]), "RECYCLED");
}
