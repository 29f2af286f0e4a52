//! Tests of the conditions that ZEC applies.

use lifecycle_core::{Credential, ListQuery, Provider};
use provider_testing::{
    check_random_filters, name_filter as name, numbered_ids, tag_filter as tags,
};

use super::*;
use crate::{Config, Zenlayer};

/// Returns the body of the first page, without the fields of every list.
fn body(filter: InstanceFilter) -> Value {
    let zenlayer = Zenlayer::new(Config::new());
    let call = zenlayer.list(&ListQuery::new(filter), None).unwrap();
    assert_eq!(call.request.operation, "DescribeInstances");
    let mut body: Value = serde_json::from_slice(&call.request.body).unwrap();
    let fields = body.as_object_mut().unwrap();
    assert_eq!(fields.remove("pageSize"), Some(1000.into()));
    assert_eq!(fields.remove("pageNum"), Some(1.into()));
    body
}

#[test]
fn condition_with_one_value_is_a_field() {
    let any = InstanceFilter::default;
    for (filter, expected) in [
        (any(), json!({})),
        (name("web \"1\""), json!({"name": "web \"1\""})),
        (name("ci-*-runner"), json!({"name": "-runner"})),
        (name("网&*"), json!({"name": "网&"})),
        (name("*"), json!({})),
        (name("a").with_name("b".parse().unwrap()), json!({})),
        (any().with_zone("z-a"), json!({"zoneId": "z-a"})),
        (any().with_zone("z-a").with_zone("z-b"), json!({})),
        (any().with_instance_type("z2a"), json!({})),
        (any().with_private_ip("10.0.0.1"), json!({})),
        (
            any().with_instance("1".parse().unwrap()).with_zone("z"),
            json!({"instanceIds": ["1"], "zoneId": "z"}),
        ),
        (
            tags(&["env=dev", "!old", "!env=prod", "owner", "empty=", "a=b&c"]),
            json!({
                "tagKeys": ["owner", "empty"],
                "tags": [{"key": "env", "value": "dev"}, {"key": "a", "value": "b&c"}],
            }),
        ),
    ] {
        let text = format!("{filter:?}");
        assert_eq!(body(filter), expected, "{text}");
    }
}

#[test]
fn state_with_one_status_is_a_field() {
    for state in PowerState::ALL {
        let expected = match state {
            PowerState::Running => json!({"status": "RUNNING"}),
            PowerState::Stopping => json!({"status": "STOPPING"}),
            PowerState::Stopped => json!({"status": "STOPPED"}),
            PowerState::Rebooting => json!({"status": "REBOOT"}),
            _ => json!({}),
        };
        let one = InstanceFilter::default().with_state(*state);
        assert_eq!(body(one.clone()), expected);
        assert_eq!(body(one.with_state(PowerState::Unknown)), json!({}));
    }
}

#[test]
fn number_of_values_is_limited() {
    let mut filter = InstanceFilter::default();
    filter.instances = numbered_ids("1", 100);
    assert_eq!(
        body(filter.clone())["instanceIds"]
            .as_array()
            .unwrap()
            .len(),
        100
    );
    filter.instances = numbered_ids("1", 101);
    assert_eq!(body(filter), json!({}));
    let many: Vec<String> = (0..25)
        .flat_map(|n| [format!("k{n}=v"), format!("j{n}")])
        .collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let sent = body(tags(&many));
    assert_eq!(sent["tags"].as_array().unwrap().len(), MAX_TAGS);
    assert_eq!(sent["tagKeys"].as_array().unwrap().len(), MAX_TAGS);
}

#[test]
fn any_filter_has_a_valid_request() {
    let zenlayer = Zenlayer::new(Config::new());
    check_random_filters(&zenlayer, &Credential::keys("id", "hidden"));
}
