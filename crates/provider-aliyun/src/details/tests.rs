//! Tests of the details of instances (Alibaba).

use lifecycle_core::{ListQuery, Observation, Provider};
use provider_testing::{json_mutations, read_vectors, recorded_response, response, with_body};
use serde_json::{Value, json};

use super::*;
use crate::{Aliyun, Config};

fn recorded(name: &str) -> HttpResponse {
    let vectors = read_vectors(env!("CARGO_MANIFEST_DIR"), "list.json");
    let mut responses = vectors["responses"].as_array().unwrap().iter();
    recorded_response(responses.find(|entry| entry["name"] == name).unwrap())
}

fn rows(response: &HttpResponse, query: &ListQuery) -> Vec<Observation> {
    let aliyun = Aliyun::new(Config::new("cn-beijing").unwrap());
    let call = aliyun.list(query, None).unwrap();
    call.read(response).unwrap().observations
}

fn with_details(response: &HttpResponse) -> Vec<Observation> {
    rows(response, &ListQuery::default().with_details())
}

/// Returns the details of one row; `None` if the row has no details.
fn details_of(row: &Value) -> Option<Box<InstanceDetails>> {
    let mut row = row.clone();
    row["InstanceId"] = "i-1".into();
    let body = json!({"RequestId": "r", "Instances": {"Instance": [row]}});
    with_details(&response(200, &body)).remove(0).details
}

#[test]
fn every_detail_comes_from_its_field() {
    let rows = with_details(&recorded("list-with-details"));
    let [first, second, third] = rows.as_slice() else {
        panic!("{rows:?}");
    };
    let details = first.details.as_deref().unwrap();
    assert_eq!(
        details.tags,
        [Tag::new("env", "dev"), Tag::new("owner", "")]
    );
    assert_eq!(details.zone.as_deref(), Some("cn-hangzhou-h"));
    assert_eq!(details.instance_type.as_deref(), Some("ecs.g7.large"));
    assert_eq!(
        details.private_ips,
        ["172.17.0.1", "172.17.0.2", "2001:db8::1"]
    );
    assert_eq!(details.public_ips, ["121.40.0.1", "42.112.0.1"]);
    assert_eq!(details.charge_type, Some(ChargeType::Postpaid));
    assert_eq!(details.created_at.as_deref(), Some("2017-12-10T04:04:00Z"));
    assert_eq!(details.started_at.as_deref(), Some("2017-12-10T04:05:00Z"));
    assert_eq!(details.expires_at, None, "no paid term");
    // The evidence of a reboot keeps the format of the cloud.
    assert_eq!(first.started_at.as_deref(), Some("2017-12-10T04:05Z"));

    let details = second.details.as_deref().unwrap();
    assert_eq!(details.tags, []);
    assert_eq!(details.private_ips, ["10.170.0.1"]);
    assert_eq!(details.public_ips, [""; 0]);
    assert_eq!(details.charge_type, Some(ChargeType::Prepaid));
    assert_eq!(details.expires_at.as_deref(), Some("2026-12-10T16:00:00Z"));
    assert_eq!(details.started_at, None);

    let details = third.details.as_deref().unwrap();
    assert_eq!(details.charge_type, Some(ChargeType::Spot));
}

#[test]
fn details_in_xml_are_those_of_json() {
    let rows = with_details(&recorded("list-with-details-xml"));
    let details = rows[0].details.as_deref().unwrap();
    assert_eq!(details.tags, [Tag::new("env", "")]);
    assert_eq!(details.zone.as_deref(), Some("cn-hangzhou-h"));
    assert_eq!(details.private_ips, ["172.17.0.1"]);
    assert_eq!(details.public_ips, [""; 0]);
    assert_eq!(details.expires_at.as_deref(), Some("2026-12-10T16:00:00Z"));
}

#[test]
fn lookup_has_details_only_on_request() {
    let aliyun = Aliyun::new(Config::new("cn-beijing").unwrap());
    let ids = provider_testing::ids(&["i-bp67acfmxazb4p001"]);
    let response = recorded("list-with-details");
    let described = aliyun.describe(&ids).unwrap();
    let observed = aliyun.observe(&ids).unwrap();
    assert_eq!(described.request, observed.request);
    let described = described.read(&response).unwrap();
    assert!(described.iter().all(|row| row.details.is_some()));
    let observed = observed.read(&response).unwrap();
    assert!(observed.iter().all(|row| row.details.is_none()));
    assert!(
        rows(&response, &ListQuery::default())
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
        json!([]),
        json!({"Tag": 7}),
        json!({"Tag": ["env"]}),
        json!({"Tag": [{"TagValue": "dev"}]}),
        json!({"Tag": [{"TagKey": "env"}, null]}),
    ] {
        assert_eq!(details_of(&json!({"Tags": tags})), None, "{tags}");
    }
    for tags in [
        json!(null),
        json!({}),
        json!({"Tag": null}),
        json!({"Tag": []}),
    ] {
        let details = details_of(&json!({"Tags": tags}));
        assert_eq!(details.unwrap().tags, [], "{tags}");
    }
    let odd = json!({"Tags": {"Tag": [{"TagKey": 7, "TagValue": true}]}});
    assert_eq!(details_of(&odd).unwrap().tags, [Tag::new("7", "true")]);
}

#[test]
fn unknown_charge_type_is_kept_as_text() {
    let details = details_of(&json!({"InstanceChargeType": "Barter", "ExpiredTime": "never"}));
    let details = details.unwrap();
    assert_eq!(
        details.charge_type,
        Some(ChargeType::Other("Barter".into()))
    );
    assert_eq!(details.expires_at.as_deref(), Some("never"));
}

/// Each value of each type: no row is lost or changed, and no other row loses its details.
#[test]
fn odd_detail_never_affects_a_row() {
    let original = recorded("list-with-details");
    let states = rows(&original, &ListQuery::default());
    let details = with_details(&original);
    let document: Value = serde_json::from_slice(original.body()).unwrap();
    let row = &document["Instances"]["Instance"][0];
    let own = [
        "InstanceId",
        "InstanceName",
        "Status",
        "StartTime",
        "StoppedMode",
    ];
    let mut changes = 0;
    for mutation in json_mutations(row) {
        let field = mutation.pointer.split('/').nth(1).unwrap_or_default();
        if field.is_empty() || own.contains(&field) || field == "OperationLocks" {
            continue;
        }
        let mut document = document.clone();
        document["Instances"]["Instance"][0] = mutation.document.clone();
        let mutant = with_body(&original, document.to_string());
        let read = with_details(&mutant);
        assert_eq!(read.len(), states.len(), "{mutation:?}");
        let bare = read[0].clone().with_details(None);
        assert_eq!(bare, states[0], "{mutation:?}");
        assert_eq!(read[1..], details[1..], "{mutation:?}");
        changes += 1;
    }
    assert!(changes > 300, "{changes}");
}
