//! Tests of the details of instances (Alibaba).

use lifecycle_core::Provider;
use provider_testing::{
    check_details_on_request, check_odd_details, check_tags, first_details, ids, listed,
    listed_with_details, recorded_list, response,
};
use serde_json::{Value, json};

use super::*;
use crate::{Aliyun, Config};

fn recorded(name: &str) -> HttpResponse {
    recorded_list(env!("CARGO_MANIFEST_DIR"), name)
}

fn aliyun() -> Aliyun {
    Aliyun::new(Config::new("cn-beijing").unwrap())
}

/// Returns the details of one row; `None` if the row has no details.
fn details_of(mut row: Value) -> Option<InstanceDetails> {
    row["InstanceId"] = "i-1".into();
    let body = json!({"RequestId": "r", "Instances": {"Instance": [row]}});
    first_details(&aliyun(), &body)
}

#[test]
fn every_detail_comes_from_its_field() {
    let rows = listed_with_details(&aliyun(), &recorded("list-with-details"));
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
    assert_eq!(details.created_at, Some("2017-12-10T04:04:00Z".into()));
    assert_eq!(details.started_at, Some("2017-12-10T04:05:00Z".into()));
    assert_eq!(details.expires_at, None, "no paid term");
    // The evidence of a reboot keeps the format of the cloud.
    assert_eq!(first.started_at.as_deref(), Some("2017-12-10T04:05Z"));

    let details = second.details.as_deref().unwrap();
    assert_eq!(details.tags, []);
    assert_eq!(details.private_ips, ["10.170.0.1"]);
    assert_eq!(details.public_ips, [""; 0]);
    assert_eq!(details.charge_type, Some(ChargeType::Prepaid));
    assert_eq!(details.expires_at, Some("2026-12-10T16:00:00Z".into()));
    assert_eq!(details.started_at, None);

    let details = third.details.as_deref().unwrap();
    assert_eq!(details.charge_type, Some(ChargeType::Spot));
}

#[test]
fn details_in_xml_are_those_of_json() {
    let rows = listed_with_details(&aliyun(), &recorded("list-with-details-xml"));
    let details = rows[0].details.as_deref().unwrap();
    assert_eq!(details.tags, [Tag::new("env", "")]);
    assert_eq!(details.zone.as_deref(), Some("cn-hangzhou-h"));
    assert_eq!(details.private_ips, ["172.17.0.1"]);
    assert_eq!(details.public_ips, [""; 0]);
    assert_eq!(details.expires_at, Some("2026-12-10T16:00:00Z".into()));
}

/// An element without content is no value, in the only row of a page and in each of several rows.
#[test]
fn row_in_xml_without_tags_has_details_without_tags() {
    let row = "<Instance><InstanceId>i-1</InstanceId><Tags/></Instance>";
    for count in [1, 2] {
        let rows = row.repeat(count);
        let body = format!(
            "<DescribeInstancesResponse><Instances>{rows}</Instances></DescribeInstancesResponse>"
        );
        let rows = listed_with_details(&aliyun(), &response(200, &body));
        assert_eq!(rows.len(), count);
        for row in rows {
            assert_eq!(row.details.unwrap().tags, [], "{count} rows");
        }
    }
}

#[test]
fn lookup_has_details_only_on_request() {
    let ids = ids(&[
        "i-bp67acfmxazb4p001",
        "i-bp67acfmxazb4p002",
        "i-bp67acfmxazb4p003",
    ]);
    let response = recorded("list-with-details");
    check_details_on_request(&aliyun(), &ids, &response);
    let requests = [aliyun().describe(&ids), aliyun().observe(&ids)];
    let [described, observed] = requests.map(|call| call.unwrap().request);
    assert_eq!(described, observed);
    let rows = listed(&aliyun(), &response);
    assert!(rows.iter().all(|row| row.details.is_none()));
}

#[test]
fn row_with_unreadable_tags_has_no_details() {
    let unreadable = [
        json!(7),
        json!("env"),
        json!([]),
        json!({"Tag": 7}),
        json!({"Tag": ["env"]}),
        json!({"Tag": [{"TagValue": "dev"}]}),
        json!({"Tag": [{"TagKey": "env"}, null]}),
    ];
    let without_tags = [
        json!(null),
        json!({}),
        json!({"Tag": null}),
        json!({"Tag": []}),
    ];
    check_tags(
        |tags| details_of(json!({"Tags": tags})),
        &unreadable,
        &without_tags,
    );
    let odd = json!({"Tags": {"Tag": [{"TagKey": 7, "TagValue": true}]}});
    assert_eq!(details_of(odd).unwrap().tags, [Tag::new("7", "true")]);
}

#[test]
fn unknown_charge_type_is_kept_as_text() {
    let details = details_of(json!({"InstanceChargeType": "Barter", "ExpiredTime": "never"}));
    let details = details.unwrap();
    assert_eq!(
        details.charge_type,
        Some(ChargeType::Other("Barter".into()))
    );
    assert_eq!(details.expires_at, Some("never".into()));
}

#[test]
fn odd_detail_never_affects_a_row() {
    let own = [
        "InstanceId",
        "InstanceName",
        "Status",
        "StartTime",
        "StoppedMode",
        "OperationLocks",
    ];
    let original = recorded("list-with-details");
    let changes = check_odd_details(&aliyun(), &original, "/Instances/Instance", &own);
    assert!(changes > 300, "{changes}");
}
