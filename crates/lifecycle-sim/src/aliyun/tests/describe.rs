//! Looking.

use std::slice::from_ref;

use super::*;
use crate::testing::at;

fn ids_of(answer: &(u16, Value)) -> Vec<String> {
    assert_eq!(answer.0, 200, "{}", answer.1);
    let body = &answer.1;
    let rows = body["Instances"]["Instance"]
        .as_array()
        .or_else(|| body["InstanceStatuses"]["InstanceStatus"].as_array())
        .unwrap();
    rows.iter()
        .map(|row| row["InstanceId"].as_str().unwrap().to_owned())
        .collect()
}

fn list(site: &mut Site, more: &[(&str, &str)]) -> (u16, Value) {
    let mut parameters = vec![("RegionId", REGION)];
    parameters.extend(more);
    call(site, "DescribeInstances", &parameters)
}

fn many(site: &mut Site, count: usize) -> Vec<String> {
    testing::add(site, REGION, count, State::Running, None)
}

#[test]
fn tokens_lead_through_all_pages() {
    let mut site = site();
    let ids = many(&mut site, 23);
    for empty_last in [true, false] {
        site.switches.aliyun.empty_last_token = empty_last;
        let mut seen = Vec::new();
        let mut token = String::new();
        loop {
            let mut parameters = vec![("MaxResults", "3")];
            if !token.is_empty() {
                parameters.push(("NextToken", &token));
            }
            let page = list(&mut site, &parameters);
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
    let page = list(&mut site, &[("MaxResults", "500")]);
    assert_eq!(
        (ids_of(&page).len(), &page.1["PageSize"]),
        (23, &100.into())
    );
    for token in ["xyz", "696e", "6"] {
        let answer = list(&mut site, &[("NextToken", token)]);
        assert_eq!(code(&answer), (400, "InvalidParameter"), "{token}");
    }
}

#[test]
fn a_page_that_ends_with_the_list_is_the_last() {
    let mut site = site();
    many(&mut site, 10);
    let page = list(&mut site, &[("MaxResults", "10")]);
    assert_eq!(ids_of(&page).len(), 10);
    assert_eq!(page.1["NextToken"], "");
}

#[test]
fn numbers_lead_through_all_pages() {
    let mut site = site();
    let ids = many(&mut site, 12);
    let first = list(&mut site, &[]);
    assert_eq!(ids_of(&first), ids[..10]);
    assert_eq!(first.1["TotalCount"], 12);
    assert!(first.1.get("NextToken").is_none());
    let second = list(&mut site, &[("PageNumber", "2")]);
    assert_eq!(ids_of(&second), ids[10..]);
    let beyond = list(&mut site, &[("PageNumber", "9"), ("PageSize", "100")]);
    assert_eq!(
        (ids_of(&beyond).len(), &beyond.1["TotalCount"]),
        (0, &12.into())
    );
    let answer = list(&mut site, &[("PageSize", "101")]);
    assert_eq!(code(&answer), (400, "InvalidParameter"));

    site.switches.aliyun.reversed_rows = true;
    let reversed: Vec<_> = ids[10..].iter().rev().cloned().collect();
    assert_eq!(ids_of(&list(&mut site, &[("PageNumber", "2")])), reversed);
}

#[test]
fn named_instances_are_paged_too() {
    let mut site = site();
    let ids = many(&mut site, 101);
    let text = |ids: &[String]| serde_json::to_string(ids).unwrap();
    let asked = text(&ids[..100]);
    assert_eq!(
        ids_of(&list(&mut site, &[("InstanceIds", &asked)])).len(),
        10
    );
    let all = list(&mut site, &[("InstanceIds", &asked), ("PageSize", "100")]);
    assert_eq!(ids_of(&all), ids[..100]);
    let all = list(&mut site, &[("InstanceIds", &asked), ("MaxResults", "100")]);
    assert_eq!(ids_of(&all), ids[..100]);
    let answer = list(&mut site, &[("InstanceIds", &text(&ids))]);
    assert_eq!(code(&answer), (400, "InvalidParameter"));

    let with_unknown = text(&["i-unknown".to_owned(), ids[3].clone()]);
    let found = list(&mut site, &[("InstanceIds", &with_unknown)]);
    assert_eq!(ids_of(&found), [ids[3].clone()], "unknown ids are left out");
    assert_eq!(ids_of(&list(&mut site, &[("InstanceIds", "[]")])), [""; 0]);
    let answer = list(&mut site, &[("InstanceIds", "i-1,i-2")]);
    assert_eq!(code(&answer), (400, "InvalidParameter"));
}

#[test]
fn filters_combine() {
    let mut site = site();
    let running = add(&mut site, State::Running, None);
    let locked = add(&mut site, State::Running, Trouble::Locked);
    let stopped = add(&mut site, State::Stopped, None);
    let mut found = |parameters: &[(&str, &str)]| ids_of(&list(&mut site, parameters));
    assert_eq!(found(&[("Status", "Stopped")]), from_ref(&stopped));
    assert_eq!(found(&[("Status", "Running")]), [running, locked.clone()]);
    let security = ("LockReason", "security");
    assert_eq!(found(&[("Status", "Running"), security]), [locked]);
    assert_eq!(found(&[("Status", "Stopped"), security]), [""; 0]);
    assert_eq!(found(&[("InstanceName", "vm-000002")]), from_ref(&stopped));
    assert_eq!(found(&[("ZoneId", "cn-hangzhou-i")]), [stopped]);
    assert_eq!(found(&[("Tag.1.Key", "env")]), [""; 0]);
    let answer = list(&mut site, &[("Status", "Asleep")]);
    assert_eq!(code(&answer), (404, "InvalidStatus.NotFound"));
    let answer = list(&mut site, &[("LockReason", "fun")]);
    assert_eq!(code(&answer), (404, "InvalidLockReason.NotFound"));
    let answer = list(&mut site, &[("DryRun", "true")]);
    assert_eq!(code(&answer), (400, "DryRunOperation"));
}

#[test]
fn a_status_page_holds_fifty_at_most() {
    let mut site = site();
    let ids = many(&mut site, 60);
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    let mut page = |more: &[(&str, &str)]| {
        let answer = batch(&mut site, "DescribeInstanceStatus", &ids, more);
        (ids_of(&answer).len(), answer.1["TotalCount"].as_u64())
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
        let answer = batch(&mut site, "DescribeInstanceStatus", &ids, &[bad]);
        assert_eq!(code(&answer), (400, "InvalidParameter"), "{bad:?}");
    }
    let region = batch(
        &mut site,
        "DescribeInstanceStatus",
        &[],
        &[("ZoneId", "cn-hangzhou-g")],
    );
    assert_eq!(region.1["TotalCount"], 20);
}

#[test]
fn unknown_ids_have_no_status() {
    let mut site = site();
    let known = add(&mut site, State::Running, None);
    let ids = [known.as_str(), "i-unknown"];
    let answer = batch(&mut site, "DescribeInstanceStatus", &ids, &[]);
    assert_eq!(ids_of(&answer), [known.as_str()]);
    site.switches.aliyun.refuses_unknown_ids = true;
    let answer = batch(&mut site, "DescribeInstanceStatus", &ids, &[]);
    assert_eq!(code(&answer), (404, "InvalidInstanceId.NotFound"));
}

#[test]
fn withheld_instances_are_stopped_and_locked() {
    let mut site = site();
    let cases = [
        (Trouble::Expired, "Stopped", Some("financial")),
        (Trouble::Recycled, "Stopped", Some("Recycling")),
        (Trouble::Locked, "Running", Some("security")),
        (Trouble::Arrears, "Running", Some("financial")),
        (Trouble::Creating, "Pending", None),
        (Trouble::Changing, "Stopped", None),
    ];
    for (trouble, status, lock) in cases {
        let id = add(&mut site, State::Running, trouble);
        let record = record(&mut site, &id);
        assert_eq!(record["Status"], status, "{trouble:?}");
        let reason = &record["OperationLocks"]["LockReason"][0]["LockReason"];
        assert_eq!(reason.as_str(), lock, "{trouble:?}");
    }
}

#[test]
fn a_start_time_is_cut_to_the_minute() {
    let mut site = site();
    let id = add(&mut site, State::Running, None);
    assert_eq!(record(&mut site, &id)["StartTime"], "2025-12-31T23:00Z");
    call(&mut site, "RebootInstance", &[("InstanceId", &id)]);
    at(&mut site, 100);
    assert_eq!(record(&mut site, &id)["StartTime"], "2026-01-01T00:00Z");
    call(&mut site, "RebootInstance", &[("InstanceId", &id)]);
    at(&mut site, 200);
    assert_eq!(record(&mut site, &id)["StartTime"], "2026-01-01T00:02Z");
}
