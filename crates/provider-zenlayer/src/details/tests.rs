//! Tests of the details of instances (Zenlayer).

use lifecycle_core::{ListQuery, Observation, Provider};
use provider_testing::{ids, json_mutations, read_vectors, recorded_response, response, with_body};
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

fn rows(response: &HttpResponse, query: &ListQuery) -> Vec<Observation> {
    let call = zenlayer().list(query, None).unwrap();
    call.read(response).unwrap().observations
}

fn with_details(response: &HttpResponse) -> Vec<Observation> {
    rows(response, &ListQuery::default().with_details())
}

/// Returns the details of one row; `None` if the row has no details.
fn details_of(row: &Value) -> Option<Box<InstanceDetails>> {
    let mut row = row.clone();
    row["instanceId"] = "1".into();
    let body = json!({"response": {"totalCount": 1, "dataSet": [row]}});
    with_details(&response(200, &body)).remove(0).details
}

#[test]
fn every_detail_comes_from_its_field() {
    let rows = with_details(&recorded());
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
    assert_eq!(details.created_at.as_deref(), Some("2024-03-18T03:05:04Z"));
    assert_eq!(details.started_at, None);
    assert_eq!(details.expires_at.as_deref(), Some("2024-04-18T03:05:04Z"));

    let details = second.details.as_deref().unwrap();
    assert_eq!(details.tags, []);
    assert_eq!(details.instance_type, None);
    assert_eq!(details.public_ips, [""; 0]);
    assert_eq!(details.expires_at, None);
}

#[test]
fn lookup_has_details_only_on_request() {
    let ids = ids(&["instanceId1", "instanceId2"]);
    let described = zenlayer().describe(&ids).unwrap();
    assert_eq!(described.request.operation, "DescribeInstances");
    let described = described.read(&recorded()).unwrap();
    assert!(described.iter().all(|row| row.details.is_some()));
    let observed = zenlayer().observe(&ids).unwrap();
    assert_eq!(observed.request.operation, "DescribeInstancesStatus");
    let observed = observed.read(&recorded()).unwrap();
    assert!(observed.iter().all(|row| row.details.is_none()));
    assert!(
        rows(&recorded(), &ListQuery::default())
            .iter()
            .all(|row| row.details.is_none())
    );
}

/// A protected instance must not lose the tag that protects the instance.
#[test]
fn row_with_unreadable_tags_has_no_details() {
    for tags in [
        json!(7),
        json!("env"),
        json!([{"key": "env"}]),
        json!({"tags": 7}),
        json!({"tags": ["env"]}),
        json!({"tags": [{"value": "dev"}]}),
        json!({"tags": [{"key": "env"}, null]}),
    ] {
        assert_eq!(details_of(&json!({"tags": tags})), None, "{tags}");
    }
    for tags in [
        json!(null),
        json!({}),
        json!({"tags": null}),
        json!({"tags": []}),
    ] {
        let details = details_of(&json!({"tags": tags}));
        assert_eq!(details.unwrap().tags, [], "{tags}");
    }
    let odd = json!({"tags": {"tags": [{"key": 7, "value": true}]}});
    assert_eq!(details_of(&odd).unwrap().tags, [Tag::new("7", "true")]);
}

/// Each value of each type: no row is lost or changed, and no other row loses its details.
#[test]
fn odd_detail_never_affects_a_row() {
    let original = recorded();
    let states = rows(&original, &ListQuery::default());
    let details = with_details(&original);
    let document: Value = serde_json::from_slice(original.body()).unwrap();
    let mut changes = 0;
    for mutation in json_mutations(&document["response"]["dataSet"][0]) {
        let field = mutation.pointer.split('/').nth(1).unwrap_or_default();
        if ["", "instanceId", "instanceName", "status"].contains(&field) {
            continue;
        }
        let mut document = document.clone();
        document["response"]["dataSet"][0] = mutation.document.clone();
        let read = with_details(&with_body(&original, document.to_string()));
        assert_eq!(read.len(), states.len(), "{mutation:?}");
        assert_eq!(
            read[0].clone().with_details(None),
            states[0],
            "{mutation:?}"
        );
        assert_eq!(read[1..], details[1..], "{mutation:?}");
        changes += 1;
    }
    assert!(changes > 150, "{changes}");
}
