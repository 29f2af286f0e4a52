//! Tests of the details of instances (Baidu).

use lifecycle_core::Provider;
use provider_testing::{
    check_details_on_request, check_odd_details, check_tags, first_details, ids, listed,
    listed_with_details, recorded_list,
};
use serde_json::{Value, json};

use super::*;
use crate::{Baidu, Config};

fn recorded(name: &str) -> HttpResponse {
    recorded_list(env!("CARGO_MANIFEST_DIR"), name)
}

fn baidu() -> Baidu {
    Baidu::new(Config::new("bj").unwrap())
}

/// Returns the details of one row; `None` if the row has no details.
fn details_of(mut row: Value) -> Option<InstanceDetails> {
    row["id"] = "i-1".into();
    let body = json!({"isTruncated": false, "instances": [row]});
    first_details(&baidu(), &body)
}

#[test]
fn every_detail_comes_from_its_field() {
    let rows = listed_with_details(&baidu(), &recorded("list_with_details"));
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
    assert_eq!(details.created_at, Some("2023-06-13T08:07:52Z".into()));
    assert_eq!(details.started_at, None);
    assert_eq!(details.expires_at, None);

    let details = second.details.as_deref().unwrap();
    assert_eq!(details.tags, []);
    assert_eq!(details.instance_type.as_deref(), Some("N5"));
    assert_eq!(details.public_ips, [""; 0]);
    assert_eq!(details.charge_type, Some(ChargeType::Prepaid));
    assert_eq!(details.expires_at, Some("2024-06-13T08:07:52Z".into()));
}

#[test]
fn lookup_has_details_only_on_request() {
    let one = &ids(&["i-JmwRSUbR"])[..];
    let two = &ids(&["i-JmwRSUbR", "i-IyWRtII7"])[..];
    let single = recorded("get_instance_with_details");
    let several = recorded("list_with_details");
    check_details_on_request(&baidu(), one, &single);
    check_details_on_request(&baidu(), two, &several);
    let described = baidu().describe(one).unwrap().read(&single).unwrap();
    assert_eq!(described[0], listed_with_details(&baidu(), &several)[0]);
    let rows = listed(&baidu(), &several);
    assert!(rows.iter().all(|row| row.details.is_none()));
    let request = baidu().describe(two).unwrap().request;
    assert_eq!(
        request.target(),
        "/v2/instance?maxKeys=1000&instanceIds=i-JmwRSUbR%2Ci-IyWRtII7"
    );
}

#[test]
fn row_with_unreadable_tags_has_no_details() {
    let unreadable = [
        json!(7),
        json!("env"),
        json!(["env"]),
        json!([{"tagValue": "dev"}]),
        json!([{"tagKey": "env"}, null]),
    ];
    let without_tags = [json!(null), json!([])];
    check_tags(
        |tags| details_of(json!({"tags": tags})),
        &unreadable,
        &without_tags,
    );
    let odd = json!({"tags": [{"tagKey": 7, "tagValue": true}]});
    assert_eq!(details_of(odd).unwrap().tags, [Tag::new("7", "true")]);
}

#[test]
fn charge_type_is_mapped_or_kept_as_text() {
    for (timing, expected) in [
        ("bidding", ChargeType::Spot),
        ("Spotpaid", ChargeType::Spot),
        ("Barter", ChargeType::Other("Barter".into())),
    ] {
        let details = details_of(json!({"paymentTiming": timing})).unwrap();
        assert_eq!(details.charge_type, Some(expected));
    }
}

#[test]
fn odd_detail_never_affects_a_row() {
    let original = recorded("list_with_details");
    let own = ["id", "name", "status"];
    let changes = check_odd_details(&baidu(), &original, "/instances", &own);
    assert!(changes > 150, "{changes}");
}
