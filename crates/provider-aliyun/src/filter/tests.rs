//! Tests of the conditions that ECS applies.

use lifecycle_core::{Credential, InstanceFilter, ListQuery, PageToken, Provider};
use provider_testing::{
    check_random_filters, name_filter as name, numbered_ids, tag_filter as tags,
};

use super::*;
use crate::{Aliyun, Config};

fn aliyun() -> Aliyun {
    Aliyun::new(Config::new("cn-beijing").unwrap())
}

/// Returns the query of the first page, without the parameters of every list.
fn query(filter: InstanceFilter) -> String {
    page_query(filter, None)
}

fn page_query(filter: InstanceFilter, page: Option<&str>) -> String {
    let page = page.map(PageToken::new);
    let call = aliyun().list(&ListQuery::new(filter), page.as_ref());
    let query = call.unwrap().request.query;
    let common = ["MaxResults=100", "RegionId=cn-beijing"];
    let pairs = query.split('&').filter(|pair| !common.contains(pair));
    pairs.collect::<Vec<_>>().join("&")
}

#[test]
fn condition_with_one_value_is_a_parameter() {
    let any = InstanceFilter::default;
    for (filter, expected) in [
        (any(), ""),
        (name("web-1"), "InstanceName=web-1"),
        (name("ci-*"), "InstanceName=ci-%2A"),
        (name("ci-??-*"), "InstanceName=ci-%2A%2A-%2A"),
        (name("a b&网"), "InstanceName=a%20b%26%E7%BD%91"),
        (name("a").with_name("b".parse().unwrap()), ""),
        (any().with_zone("z-a"), "ZoneId=z-a"),
        (any().with_zone("z-a").with_zone("z-b"), ""),
        (any().with_instance_type("ecs.g7"), "InstanceType=ecs.g7"),
        (
            any()
                .with_instance_type("ecs.g7")
                .with_instance_type("ecs.c7"),
            "",
        ),
        (
            any().with_instance("i-1".parse().unwrap()),
            "InstanceIds=%5B%22i-1%22%5D",
        ),
        // Classic networks and further network interfaces have private addresses, too.
        (any().with_private_ip("10.0.0.1"), ""),
        (
            name("a")
                .with_state(PowerState::Stopped)
                .with_zone("z")
                .with_instance_type("t"),
            "InstanceName=a&InstanceType=t&Status=Stopped&ZoneId=z",
        ),
    ] {
        let text = format!("{filter:?}");
        assert_eq!(query(filter), expected, "{text}");
    }
}

#[test]
fn state_with_one_status_is_a_parameter() {
    for state in PowerState::ALL {
        let expected = match state {
            PowerState::Creating => "Status=Pending",
            PowerState::Starting => "Status=Starting",
            PowerState::Running => "Status=Running",
            PowerState::Stopping => "Status=Stopping",
            PowerState::Stopped => "Status=Stopped",
            _ => "",
        };
        let one = InstanceFilter::default().with_state(*state);
        assert_eq!(query(one.clone()), expected);
        assert_eq!(query(one.with_state(PowerState::Unknown)), "");
    }
}

#[test]
fn ids_are_a_parameter_up_to_the_limit() {
    let filter = |count| {
        let mut filter = InstanceFilter::default();
        filter.instances = numbered_ids("i-", count);
        filter
    };
    assert!(query(filter(LIMIT)).starts_with("InstanceIds=%5B%22i-1%22%2C%22i-2%22"));
    assert_eq!(query(filter(LIMIT + 1)), "");
}

#[test]
fn tags_are_numbered_and_excluded_tags_are_left_out() {
    let long = "k".repeat(129);
    for (conditions, expected) in [
        (&["env=dev"][..], "Tag.1.Key=env&Tag.1.Value=dev"),
        (&["env="], "Tag.1.Key=env&Tag.1.Value="),
        (&["env"], "Tag.1.Key=env"),
        (&["!env", "!env=dev"], ""),
        (
            &["a b=c&d", "!x", "网=络", "z"],
            "Tag.1.Key=a%20b&Tag.1.Value=c%26d&Tag.2.Key=%E7%BD%91&Tag.2.Value=%E7%BB%9C&Tag.3.Key=z",
        ),
        // Keys and values that no tag of a user can have.
        (&["acs:ecs:x=1", "ALIYUN-y", "http://k", "k=https://v"], ""),
        (&[&long], ""),
    ] {
        assert_eq!(query(tags(conditions)), expected, "{conditions:?}");
    }
    let twelve: Vec<String> = (1..=25).map(|number| format!("k{number}=v")).collect();
    let twelve: Vec<&str> = twelve.iter().map(String::as_str).collect();
    let query = query(tags(&twelve));
    let mut sorted: Vec<_> = query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap())
        .collect();
    let sent = sorted.clone();
    sorted.sort_unstable();
    assert_eq!(sent, sorted);
    assert_eq!(sent.len(), 2 * MAX_TAGS);
}

#[test]
fn list_by_tags_at_the_limit_continues_without_tags() {
    let filter = || tags(&["env=dev"]).with_zone("z");
    assert_eq!(
        page_query(filter(), Some("900 t")),
        "NextToken=t&Tag.1.Key=env&Tag.1.Value=dev&ZoneId=z"
    );
    assert_eq!(page_query(filter(), Some("all")), "ZoneId=z");
    assert_eq!(page_query(filter(), Some("all t")), "NextToken=t&ZoneId=z");
    // Without tags, the token is the token of ECS.
    let untagged = InstanceFilter::default().with_zone("z");
    assert_eq!(
        page_query(untagged, Some("all t")),
        "NextToken=all%20t&ZoneId=z"
    );
}

#[test]
fn any_filter_has_a_valid_request() {
    check_random_filters(&aliyun(), &Credential::keys("id", "hidden"));
}
