//! Tests of the simulated Alibaba's describe operations.

use std::slice::from_ref;

use super::*;
use crate::testing::move_clock_to;

fn ids_of(response: &(u16, Value)) -> Vec<String> {
    assert_eq!(response.0, 200, "{}", response.1);
    let body = &response.1;
    let rows = body["Instances"]["Instance"]
        .as_array()
        .or_else(|| body["InstanceStatuses"]["InstanceStatus"].as_array())
        .unwrap();
    rows.iter()
        .map(|row| row["InstanceId"].as_str().unwrap().to_owned())
        .collect()
}

fn list(cloud: &mut CloudState, more: &[(&str, &str)]) -> (u16, Value) {
    let mut parameters = vec![("RegionId", REGION)];
    parameters.extend(more);
    call(cloud, "DescribeInstances", &parameters)
}

fn many(cloud: &mut CloudState, count: usize) -> Vec<String> {
    testing::add(cloud, REGION, count, Running, None)
}

#[test]
fn filter_without_simulation_is_refused() {
    let mut cloud = cloud_state();
    many(&mut cloud, 1);
    for filter in [
        ("VpcId", "vpc-1"),
        ("ImageId", "m-1"),
        ("ResourceGroupId", "rg-1"),
        ("Filter.1.Key", "CreationStartTime"),
    ] {
        let response = list(&mut cloud, &[filter]);
        assert_eq!(
            status_and_code(&response),
            (400, "InvalidParameter"),
            "{filter:?}"
        );
    }
}

#[test]
fn next_tokens_lead_through_all_pages() {
    let mut cloud = cloud_state();
    let ids = many(&mut cloud, 23);
    for empty_last in [true, false] {
        cloud.switches.aliyun.empty_last_token = empty_last;
        let mut seen = Vec::new();
        let mut token = String::new();
        loop {
            let mut parameters = vec![("MaxResults", "3")];
            if !token.is_empty() {
                parameters.push(("NextToken", &token));
            }
            let page = list(&mut cloud, &parameters);
            assert_eq!(page.1["PageSize"], 10, "fewer than 10 are 10");
            seen.extend(ids_of(&page));
            match page.1.get("NextToken").and_then(Value::as_str) {
                Some("") => {
                    assert!(empty_last);
                    break;
                }
                None => {
                    assert!(!empty_last);
                    break;
                }
                Some(next) => token = next.to_owned(),
            }
        }
        assert_eq!(seen, ids);
    }
    let page = list(&mut cloud, &[("MaxResults", "500")]);
    assert_eq!(
        (ids_of(&page).len(), &page.1["PageSize"]),
        (23, &100.into())
    );
    for token in ["xyz", "696e", "6"] {
        let response = list(&mut cloud, &[("NextToken", token)]);
        assert_eq!(
            status_and_code(&response),
            (400, "InvalidParameter"),
            "{token}"
        );
    }
}

#[test]
fn full_last_page_has_an_empty_next_token() {
    let mut cloud = cloud_state();
    many(&mut cloud, 10);
    let page = list(&mut cloud, &[("MaxResults", "10")]);
    assert_eq!(ids_of(&page).len(), 10);
    assert_eq!(page.1["NextToken"], "");
}

#[test]
fn page_numbers_lead_through_all_pages() {
    let mut cloud = cloud_state();
    let ids = many(&mut cloud, 12);
    let first = list(&mut cloud, &[]);
    assert_eq!(ids_of(&first), ids[..10]);
    assert_eq!(first.1["TotalCount"], 12);
    assert!(first.1.get("NextToken").is_none());
    let second = list(&mut cloud, &[("PageNumber", "2")]);
    assert_eq!(ids_of(&second), ids[10..]);
    let beyond = list(&mut cloud, &[("PageNumber", "9"), ("PageSize", "100")]);
    assert_eq!(
        (ids_of(&beyond).len(), &beyond.1["TotalCount"]),
        (0, &12.into())
    );
    let response = list(&mut cloud, &[("PageSize", "101")]);
    assert_eq!(status_and_code(&response), (400, "InvalidParameter"));

    cloud.switches.aliyun.reversed_rows = true;
    let reversed: Vec<_> = ids[10..].iter().rev().cloned().collect();
    assert_eq!(ids_of(&list(&mut cloud, &[("PageNumber", "2")])), reversed);
}

#[test]
fn list_of_named_instances_has_pages() {
    let mut cloud = cloud_state();
    let ids = many(&mut cloud, 101);
    let text = |ids: &[String]| serde_json::to_string(ids).unwrap();
    let params = text(&ids[..100]);
    assert_eq!(
        ids_of(&list(&mut cloud, &[("InstanceIds", &params)])).len(),
        10
    );
    let all = list(&mut cloud, &[("InstanceIds", &params), ("PageSize", "100")]);
    assert_eq!(ids_of(&all), ids[..100]);
    let all = list(
        &mut cloud,
        &[("InstanceIds", &params), ("MaxResults", "100")],
    );
    assert_eq!(ids_of(&all), ids[..100]);
    let response = list(&mut cloud, &[("InstanceIds", &text(&ids))]);
    assert_eq!(status_and_code(&response), (400, "InvalidParameter"));

    let with_unknown = text(&["i-unknown".to_owned(), ids[3].clone()]);
    let found = list(&mut cloud, &[("InstanceIds", &with_unknown)]);
    assert_eq!(ids_of(&found), [ids[3].clone()], "unknown ids are left out");
    assert_eq!(ids_of(&list(&mut cloud, &[("InstanceIds", "[]")])), [""; 0]);
    let response = list(&mut cloud, &[("InstanceIds", "i-1,i-2")]);
    assert_eq!(status_and_code(&response), (400, "InvalidParameter"));
}

#[test]
fn filters_combine_with_and() {
    let mut cloud = cloud_state();
    let running = add(&mut cloud, Running, None);
    let locked = add(&mut cloud, Running, Impairment::Locked);
    let stopped = add(&mut cloud, Stopped, None);
    let mut found = |parameters: &[(&str, &str)]| ids_of(&list(&mut cloud, parameters));
    assert_eq!(found(&[("Status", "Stopped")]), from_ref(&stopped));
    assert_eq!(found(&[("Status", "Running")]), [running, locked.clone()]);
    let security = ("LockReason", "security");
    assert_eq!(found(&[("Status", "Running"), security]), [locked]);
    assert_eq!(found(&[("Status", "Stopped"), security]), [""; 0]);
    assert_eq!(found(&[("InstanceName", "vm-000002")]), from_ref(&stopped));
    assert_eq!(found(&[("ZoneId", "cn-hangzhou-i")]), [stopped]);
    assert_eq!(found(&[("Tag.1.Key", "env")]), [""; 0]);
    let response = list(&mut cloud, &[("Status", "Asleep")]);
    assert_eq!(status_and_code(&response), (404, "InvalidStatus.NotFound"));
    let response = list(&mut cloud, &[("LockReason", "fun")]);
    assert_eq!(
        status_and_code(&response),
        (404, "InvalidLockReason.NotFound")
    );
    let response = list(&mut cloud, &[("DryRun", "true")]);
    assert_eq!(status_and_code(&response), (400, "DryRunOperation"));
}

#[test]
fn status_page_has_at_most_fifty_rows() {
    let mut cloud = cloud_state();
    let ids = many(&mut cloud, 60);
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    let mut page = |more: &[(&str, &str)]| {
        let response = batch(&mut cloud, "DescribeInstanceStatus", &ids, more);
        (ids_of(&response).len(), response.1["TotalCount"].as_u64())
    };
    assert_eq!(page(&[]), (10, Some(60)));
    assert_eq!(page(&[("PageSize", "50")]), (50, Some(60)));
    assert_eq!(
        page(&[("PageSize", "50"), ("PageNumber", "2")]),
        (10, Some(60))
    );
    assert_eq!(
        page(&[("PageSize", "50"), ("PageNumber", "3")]),
        (0, Some(60))
    );
    for bad in [("PageSize", "51"), ("PageSize", "0"), ("PageNumber", "0")] {
        let response = batch(&mut cloud, "DescribeInstanceStatus", &ids, &[bad]);
        assert_eq!(
            status_and_code(&response),
            (400, "InvalidParameter"),
            "{bad:?}"
        );
    }
    let region = batch(
        &mut cloud,
        "DescribeInstanceStatus",
        &[],
        &[("ZoneId", "cn-hangzhou-g")],
    );
    assert_eq!(region.1["TotalCount"], 20);
    let cluster = [("ClusterId", "c-1")];
    let response = batch(&mut cloud, "DescribeInstanceStatus", &[], &cluster);
    assert_eq!(status_and_code(&response), (400, "InvalidParameter"));
}

#[test]
fn unknown_id_has_no_status_row_or_is_refused_by_switch() {
    let mut cloud = cloud_state();
    let known = add(&mut cloud, Running, None);
    let ids = [known.as_str(), "i-unknown"];
    let response = batch(&mut cloud, "DescribeInstanceStatus", &ids, &[]);
    assert_eq!(ids_of(&response), [known.as_str()]);
    cloud.switches.aliyun.refuses_unknown_ids = true;
    let response = batch(&mut cloud, "DescribeInstanceStatus", &ids, &[]);
    assert_eq!(
        status_and_code(&response),
        (404, "InvalidInstanceId.NotFound")
    );
}

#[test]
fn impaired_instance_shows_a_documented_status_and_lock() {
    let mut cloud = cloud_state();
    let cases = [
        (Impairment::Expired, "Stopped", Some("financial")),
        (Impairment::Recycled, "Stopped", Some("Recycling")),
        (Impairment::Locked, "Running", Some("security")),
        (Impairment::Arrears, "Running", Some("financial")),
        (Impairment::Creating, "Pending", None),
        (Impairment::Changing, "Stopped", None),
    ];
    for (impairment, status, lock) in cases {
        let id = add(&mut cloud, Running, impairment);
        let record = record(&mut cloud, &id);
        assert_eq!(record["Status"], status, "{impairment:?}");
        let reason = &record["OperationLocks"]["LockReason"][0]["LockReason"];
        assert_eq!(reason.as_str(), lock, "{impairment:?}");
    }
}

#[test]
fn start_time_has_minute_precision() {
    let mut cloud = cloud_state();
    let id = add(&mut cloud, Running, None);
    assert_eq!(record(&mut cloud, &id)["StartTime"], "2025-12-31T23:00Z");
    call(&mut cloud, "RebootInstance", &[("InstanceId", &id)]);
    move_clock_to(&mut cloud, 100);
    assert_eq!(record(&mut cloud, &id)["StartTime"], "2026-01-01T00:00Z");
    call(&mut cloud, "RebootInstance", &[("InstanceId", &id)]);
    move_clock_to(&mut cloud, 200);
    assert_eq!(record(&mut cloud, &id)["StartTime"], "2026-01-01T00:02Z");
}
