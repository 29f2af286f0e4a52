//! Tests of the details of servers (Huawei).

use lifecycle_core::Provider;
use provider_testing::{
    check_details_on_request, check_odd_details, check_tags, first_details, ids, listed,
    listed_with_details, recorded_list,
};
use serde_json::{Value, json};

use super::*;
use crate::{Config, Huawei};

fn recorded(name: &str) -> HttpResponse {
    recorded_list(env!("CARGO_MANIFEST_DIR"), name)
}

fn huawei() -> Huawei {
    Huawei::new(Config::new("cn-north-4", "0123456789abcdef").unwrap())
}

/// Returns the details of one row; `None` if the row has no details.
fn details_of(mut row: Value) -> Option<InstanceDetails> {
    row["id"] = "id-1".into();
    let body = json!({"count": 1, "servers": [row]});
    first_details(&huawei(), &body)
}

#[test]
fn every_detail_comes_from_its_field() {
    let rows = listed_with_details(&huawei(), &recorded("list-with-details"));
    let [first, second] = rows.as_slice() else {
        panic!("{rows:?}");
    };
    let details = first.details.as_deref().unwrap();
    assert_eq!(
        details.tags,
        [
            Tag::new("env", "dev"),
            Tag::new("owner", ""),
            Tag::new("path", "a=b")
        ]
    );
    assert_eq!(details.zone.as_deref(), Some("cn-north-4a"));
    assert_eq!(details.instance_type.as_deref(), Some("s3.small.1"));
    assert_eq!(details.private_ips, ["192.168.1.9", "2001:db8::1"]);
    assert_eq!(details.public_ips, ["119.3.0.1"]);
    assert_eq!(details.charge_type, Some(ChargeType::Postpaid));
    assert_eq!(details.created_at, Some("2025-11-01T02:03:04Z".into()));
    assert_eq!(details.started_at, Some("2025-11-01T02:04:05Z".into()));
    assert_eq!(details.expires_at, None);
    assert_eq!(first.started_at, None, "not evidence of a start");

    let details = second.details.as_deref().unwrap();
    assert_eq!(details.tags, []);
    assert_eq!(details.private_ips, [""; 0]);
    assert_eq!(details.charge_type, Some(ChargeType::Prepaid));
    assert_eq!(details.started_at, None);
}

#[test]
fn lookup_has_details_only_on_request() {
    let two = ids(&[
        "616fb98f-46ca-475e-917e-2563e5a8cd19",
        "726fb98f-46ca-475e-917e-2563e5a8cd20",
    ]);
    let single = recorded("show-with-details");
    let several = recorded("list-with-details");
    for (ids, response) in [(&two[..1], &single), (&two[..], &several)] {
        check_details_on_request(&huawei(), ids, response);
        let requests = [huawei().describe(ids), huawei().observe(ids)];
        let [described, observed] = requests.map(|call| call.unwrap().request);
        assert_eq!(described, observed);
    }
    let rows = listed(&huawei(), &several);
    assert!(rows.iter().all(|row| row.details.is_none()));
}

#[test]
fn row_with_unreadable_tags_has_no_details() {
    let unreadable = [
        json!(7),
        json!("env=dev"),
        json!([7]),
        json!(["env=dev", null]),
        json!([{"key": "env"}]),
        json!([""]),
        json!(["=dev"]),
    ];
    let without_tags = [json!(null), json!([])];
    check_tags(
        |tags| details_of(json!({"tags": tags})),
        &unreadable,
        &without_tags,
    );
}

#[test]
fn charge_type_is_mapped_or_kept_as_text() {
    for (mode, expected) in [
        (json!("0"), ChargeType::Postpaid),
        (json!(1), ChargeType::Prepaid),
        (json!("2"), ChargeType::Spot),
        (json!("3"), ChargeType::Other("3".into())),
    ] {
        let details = details_of(json!({"metadata": {"charging_mode": mode}})).unwrap();
        assert_eq!(details.charge_type, Some(expected), "{mode}");
    }
}

#[test]
fn address_of_an_unknown_type_is_left_out() {
    let row = json!({"addresses": {
        "n1": [{"addr": "10.0.0.1"}, {"addr": "10.0.0.2", "OS-EXT-IPS:type": "fixed"}, 7],
        "n2": {"addr": "10.1.0.1", "OS-EXT-IPS:type": "fixed"},
        "n3": 7,
    }});
    let details = details_of(row).unwrap();
    assert_eq!(details.private_ips, ["10.0.0.2", "10.1.0.1"]);
    assert_eq!(details.public_ips, [""; 0]);
}

#[test]
fn odd_detail_never_affects_a_row() {
    let own = [
        "id",
        "name",
        "status",
        "locked",
        "OS-EXT-STS:vm_state",
        "OS-EXT-STS:task_state",
    ];
    let original = recorded("list-with-details");
    let changes = check_odd_details(&huawei(), &original, "/servers", &own);
    assert!(changes > 200, "{changes}");
}
