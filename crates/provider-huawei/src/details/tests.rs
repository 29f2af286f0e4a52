//! Tests of the details of servers (Huawei).

use lifecycle_core::{ListQuery, Observation, Provider};
use provider_testing::{ids, json_mutations, read_vectors, recorded_response, response, with_body};
use serde_json::{Value, json};

use super::*;
use crate::{Config, Huawei};

fn recorded(name: &str) -> HttpResponse {
    let vectors = read_vectors(env!("CARGO_MANIFEST_DIR"), "list.json");
    let mut responses = vectors["responses"].as_array().unwrap().iter();
    recorded_response(responses.find(|entry| entry["name"] == name).unwrap())
}

fn huawei() -> Huawei {
    Huawei::new(Config::new("cn-north-4", "0123456789abcdef").unwrap())
}

fn rows(response: &HttpResponse, query: &ListQuery) -> Vec<Observation> {
    let call = huawei().list(query, None).unwrap();
    call.read(response).unwrap().observations
}

fn with_details(response: &HttpResponse) -> Vec<Observation> {
    rows(response, &ListQuery::default().with_details())
}

/// Returns the details of one row; `None` if the row has no details.
fn details_of(row: &Value) -> Option<Box<InstanceDetails>> {
    let mut row = row.clone();
    row["id"] = "id-1".into();
    let body = json!({"count": 1, "servers": [row]});
    with_details(&response(200, &body)).remove(0).details
}

#[test]
fn every_detail_comes_from_its_field() {
    let rows = with_details(&recorded("list-with-details"));
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
    assert_eq!(details.created_at.as_deref(), Some("2025-11-01T02:03:04Z"));
    assert_eq!(details.started_at.as_deref(), Some("2025-11-01T02:04:05Z"));
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
        let described = huawei().describe(ids).unwrap();
        let observed = huawei().observe(ids).unwrap();
        assert_eq!(described.request, observed.request);
        let described = described.read(response).unwrap();
        assert_eq!(described.len(), ids.len());
        assert!(described.iter().all(|row| row.details.is_some()));
        let observed = observed.read(response).unwrap();
        assert!(observed.iter().all(|row| row.details.is_none()));
    }
    assert!(
        rows(&several, &ListQuery::default())
            .iter()
            .all(|row| row.details.is_none())
    );
}

/// A protected server must not lose the tag that protects the server.
#[test]
fn row_with_unreadable_tags_has_no_details() {
    for tags in [
        json!(7),
        json!("env=dev"),
        json!([7]),
        json!(["env=dev", null]),
        json!([{"key": "env"}]),
        json!([""]),
        json!(["=dev"]),
    ] {
        assert_eq!(details_of(&json!({"tags": tags})), None, "{tags}");
    }
    for tags in [json!(null), json!([])] {
        let details = details_of(&json!({"tags": tags}));
        assert_eq!(details.unwrap().tags, [], "{tags}");
    }
}

#[test]
fn charge_type_is_mapped_or_kept_as_text() {
    for (mode, expected) in [
        (json!("0"), ChargeType::Postpaid),
        (json!(1), ChargeType::Prepaid),
        (json!("2"), ChargeType::Spot),
        (json!("3"), ChargeType::Other("3".into())),
    ] {
        let details = details_of(&json!({"metadata": {"charging_mode": mode}})).unwrap();
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
    let details = details_of(&row).unwrap();
    assert_eq!(details.private_ips, ["10.0.0.2", "10.1.0.1"]);
    assert_eq!(details.public_ips, [""; 0]);
}

/// Each value of each type: no row is lost or changed, and no other row loses its details.
#[test]
fn odd_detail_never_affects_a_row() {
    let original = recorded("list-with-details");
    let states = rows(&original, &ListQuery::default());
    let details = with_details(&original);
    let document: Value = serde_json::from_slice(original.body()).unwrap();
    let own = [
        "",
        "id",
        "name",
        "status",
        "locked",
        "OS-EXT-STS:vm_state",
        "OS-EXT-STS:task_state",
    ];
    let mut changes = 0;
    for mutation in json_mutations(&document["servers"][0]) {
        let field = mutation.pointer.split('/').nth(1).unwrap_or_default();
        if own.contains(&field) {
            continue;
        }
        let mut document = document.clone();
        document["servers"][0] = mutation.document.clone();
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
    assert!(changes > 200, "{changes}");
}
