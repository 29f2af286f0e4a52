//! Tests of the details of instances (Zenlayer).

use lifecycle_core::Provider;
use provider_testing::{
    check_details_on_request, check_odd_details, check_tags, first_details, ids, listed,
    listed_with_details, read_vectors, recorded_response,
};
use serde_json::{Value, json};

use super::*;
use crate::{Config, Zenlayer};

fn recorded() -> HttpResponse {
    let vectors = read_vectors(env!("CARGO_MANIFEST_DIR"), "list.json");
    recorded_response(&vectors["responses"][0])
}

fn zenlayer() -> Zenlayer {
    Zenlayer::new(Config::new())
}

/// Returns the details of one row; `None` if the row has no details.
fn details_of(mut row: Value) -> Option<InstanceDetails> {
    row["instanceId"] = "1".into();
    let body = json!({"response": {"totalCount": 1, "dataSet": [row]}});
    first_details(&zenlayer(), &body)
}

#[test]
fn every_detail_comes_from_its_field() {
    let rows = listed_with_details(&zenlayer(), &recorded());
    let [first, second] = rows.as_slice() else {
        panic!("{rows:?}");
    };
    let details = first.details.as_deref().unwrap();
    assert_eq!(
        details.tags,
        [Tag::new("env", "dev"), Tag::new("owner", "")]
    );
    assert_eq!(details.zone.as_deref(), Some("asia-southeast-1a"));
    assert_eq!(details.instance_type.as_deref(), Some("z2a.cpu.1"));
    assert_eq!(details.private_ips, ["10.0.0.1", "fd00::1"]);
    assert_eq!(details.public_ips, ["128.14.0.1"]);
    assert_eq!(details.charge_type, None);
    assert_eq!(details.created_at, Some("2024-03-18T03:05:04Z".into()));
    assert_eq!(details.started_at, None);
    assert_eq!(details.expires_at, Some("2024-04-18T03:05:04Z".into()));

    let details = second.details.as_deref().unwrap();
    assert_eq!(details.tags, []);
    assert_eq!(details.instance_type, None);
    assert_eq!(details.public_ips, [""; 0]);
    assert_eq!(details.expires_at, None);
}

#[test]
fn lookup_has_details_only_on_request() {
    let ids = ids(&["instanceId1", "instanceId2"]);
    check_details_on_request(&zenlayer(), &ids, &recorded());
    let operations = [zenlayer().describe(&ids), zenlayer().observe(&ids)];
    let operations = operations.map(|call| call.unwrap().request.operation);
    assert_eq!(operations, ["DescribeInstances", "DescribeInstancesStatus"]);
    let rows = listed(&zenlayer(), &recorded());
    assert!(rows.iter().all(|row| row.details.is_none()));
}

#[test]
fn row_with_unreadable_tags_has_no_details() {
    let unreadable = [
        json!(7),
        json!("env"),
        json!([{"key": "env"}]),
        json!({"tags": 7}),
        json!({"tags": ["env"]}),
        json!({"tags": [{"value": "dev"}]}),
        json!({"tags": [{"key": "env"}, null]}),
    ];
    let without_tags = [
        json!(null),
        json!({}),
        json!({"tags": null}),
        json!({"tags": []}),
    ];
    check_tags(
        |tags| details_of(json!({"tags": tags})),
        &unreadable,
        &without_tags,
    );
    let odd = json!({"tags": {"tags": [{"key": 7, "value": true}]}});
    assert_eq!(details_of(odd).unwrap().tags, [Tag::new("7", "true")]);
}

#[test]
fn odd_detail_never_affects_a_row() {
    let own = ["instanceId", "instanceName", "status"];
    let changes = check_odd_details(&zenlayer(), &recorded(), "/response/dataSet", &own);
    assert!(changes > 150, "{changes}");
}
