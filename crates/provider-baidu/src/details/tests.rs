//! Tests of the details of instances (Baidu).

use lifecycle_core::{ListQuery, Observation, Provider};
use provider_testing::{ids, json_mutations, read_vectors, recorded_response, response, with_body};
use serde_json::{Value, json};

use super::*;
use crate::{Baidu, Config};

fn recorded(name: &str) -> HttpResponse {
    let vectors = read_vectors(env!("CARGO_MANIFEST_DIR"), "list.json");
    let mut responses = vectors["responses"].as_array().unwrap().iter();
    recorded_response(responses.find(|entry| entry["name"] == name).unwrap())
}

fn baidu() -> Baidu {
    Baidu::new(Config::new("bj").unwrap())
}

fn rows(response: &HttpResponse, query: &ListQuery) -> Vec<Observation> {
    let call = baidu().list(query, None).unwrap();
    call.read(response).unwrap().observations
}

fn with_details(response: &HttpResponse) -> Vec<Observation> {
    rows(response, &ListQuery::default().with_details())
}

/// Returns the details of one row; `None` if the row has no details.
fn details_of(row: &Value) -> Option<Box<InstanceDetails>> {
    let mut row = row.clone();
    row["id"] = "i-1".into();
    let body = json!({"isTruncated": false, "instances": [row]});
    with_details(&response(200, &body)).remove(0).details
}

#[test]
fn every_detail_comes_from_its_field() {
    let rows = with_details(&recorded("list_with_details"));
    let [first, second] = rows.as_slice() else {
        panic!("{rows:?}");
    };
    let details = first.details.as_deref().unwrap();
    assert_eq!(
        details.tags,
        [Tag::new("env", "dev"), Tag::new("owner", "")]
    );
    assert_eq!(details.zone.as_deref(), Some("cn-bj-a"));
    assert_eq!(details.instance_type.as_deref(), Some("bcc.g4.c2m8"));
    assert_eq!(details.private_ips, ["172.16.16.15", "2400:da00::1"]);
    assert_eq!(details.public_ips, ["106.12.0.1"]);
    assert_eq!(details.charge_type, Some(ChargeType::Postpaid));
    assert_eq!(details.created_at.as_deref(), Some("2023-06-13T08:07:52Z"));
    assert_eq!(details.started_at, None);
    assert_eq!(details.expires_at, None);

    let details = second.details.as_deref().unwrap();
    assert_eq!(details.tags, []);
    assert_eq!(details.instance_type.as_deref(), Some("N5"));
    assert_eq!(details.public_ips, [""; 0]);
    assert_eq!(details.charge_type, Some(ChargeType::Prepaid));
    assert_eq!(details.expires_at.as_deref(), Some("2024-06-13T08:07:52Z"));
}

#[test]
fn lookup_has_details_only_on_request() {
    let one = &ids(&["i-JmwRSUbR"])[..];
    let two = &ids(&["i-JmwRSUbR", "i-IyWRtII7"])[..];
    let single = recorded("get_instance_with_details");
    let several = recorded("list_with_details");
    for (ids, response) in [(one, &single), (two, &several)] {
        let described = baidu().describe(ids).unwrap().read(response).unwrap();
        let observed = baidu().observe(ids).unwrap().read(response).unwrap();
        assert_eq!(described.len(), ids.len());
        assert!(described.iter().all(|row| row.details.is_some()));
        assert!(observed.iter().all(|row| row.details.is_none()));
    }
    assert!(
        rows(&several, &ListQuery::default())
            .iter()
            .all(|row| row.details.is_none())
    );
    let request = baidu().describe(two).unwrap().request;
    assert_eq!(
        request.target(),
        "/v2/instance?maxKeys=1000&instanceIds=i-JmwRSUbR%2Ci-IyWRtII7"
    );
}

/// A protected instance must not lose the tag that protects the instance.
#[test]
fn row_with_unreadable_tags_has_no_details() {
    for tags in [
        json!(7),
        json!("env"),
        json!(["env"]),
        json!([{"tagValue": "dev"}]),
        json!([{"tagKey": "env"}, null]),
    ] {
        assert_eq!(details_of(&json!({"tags": tags})), None, "{tags}");
    }
    for tags in [json!(null), json!([])] {
        let details = details_of(&json!({"tags": tags}));
        assert_eq!(details.unwrap().tags, [], "{tags}");
    }
    let odd = json!({"tags": [{"tagKey": 7, "tagValue": true}]});
    assert_eq!(details_of(&odd).unwrap().tags, [Tag::new("7", "true")]);
}

#[test]
fn charge_type_is_mapped_or_kept_as_text() {
    for (timing, expected) in [
        ("bidding", ChargeType::Spot),
        ("Spotpaid", ChargeType::Spot),
        ("Barter", ChargeType::Other("Barter".into())),
    ] {
        let details = details_of(&json!({"paymentTiming": timing})).unwrap();
        assert_eq!(details.charge_type, Some(expected));
    }
}

/// Each value of each type: no row is lost or changed, and no other row loses its details.
#[test]
fn odd_detail_never_affects_a_row() {
    let original = recorded("list_with_details");
    let states = rows(&original, &ListQuery::default());
    let details = with_details(&original);
    let document: Value = serde_json::from_slice(original.body()).unwrap();
    let mut changes = 0;
    for mutation in json_mutations(&document["instances"][0]) {
        let field = mutation.pointer.split('/').nth(1).unwrap_or_default();
        if ["", "id", "name", "status"].contains(&field) {
            continue;
        }
        let mut document = document.clone();
        document["instances"][0] = mutation.document.clone();
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
