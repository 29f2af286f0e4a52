//! Tests of the conditions that ECS applies (Huawei).

use lifecycle_core::{Credential, ListQuery, PageToken, Provider};
use provider_testing::{
    check_random_filters, name_filter as name, numbered_ids, tag_filter as tags,
};

use super::*;
use crate::{Config, Huawei};

fn huawei() -> Huawei {
    Huawei::new(Config::new("cn-north-4", "0123456789abcdef").unwrap())
}

/// Returns the query of a page.
fn query(filter: &InstanceFilter, page: Option<&str>) -> String {
    let page = page.map(PageToken::new);
    let call = huawei().list(&ListQuery::new(filter.clone()), page.as_ref());
    call.unwrap().request.query
}

#[test]
fn condition_with_one_value_is_a_parameter() {
    let any = InstanceFilter::default;
    for (filter, expected) in [
        (any(), "limit=100"),
        (name("web 1&2"), "limit=100&name=web%201%262"),
        (name("ci-*-runner.1"), "limit=100&name=-runner.1"),
        (name("网?关-*"), "limit=100&name=%E5%85%B3-"),
        // Special characters of a regular expression.
        (name("a[longest]+"), "limit=100&name=longest"),
        (name("(*"), "limit=100"),
        (name("a").with_name("b".parse().unwrap()), "limit=100"),
        (any().with_zone("cn-north-4a"), "limit=100"),
        (
            any().with_instance_type("s3.small.1"),
            "flavor=s3.small.1&limit=100",
        ),
        (
            any().with_instance_type("s3").with_instance_type("s6"),
            "limit=100",
        ),
        (
            any().with_private_ip("10.0.0.1"),
            "ip_eq=10.0.0.1&limit=100",
        ),
        (any().with_private_ip("fd00::1"), "limit=100"),
        (
            any()
                .with_private_ip("10.0.0.1")
                .with_private_ip("10.0.0.2"),
            "limit=100",
        ),
        // The other conditions would be ignored.
        (
            name("a").with_instance(numbered_ids("i-", 1).remove(0)),
            "limit=100&name=a",
        ),
    ] {
        assert_eq!(query(&filter, None), expected, "{filter:?}");
    }
    assert_eq!(
        query(&name("a").with_state(PowerState::Failed), Some("id-9")),
        "limit=100&marker=id-9&name=a&status=ERROR"
    );
    assert_eq!(
        query(&tags(&["a=b"]).with_instance_type("s3"), Some("offset=2")),
        "flavor=s3&limit=100&offset=2&tags=a%3Db"
    );
}

#[test]
fn state_that_has_one_status_is_a_parameter() {
    for state in PowerState::ALL {
        let expected = match state {
            PowerState::Running => "limit=100&status=ACTIVE",
            PowerState::Failed => "limit=100&status=ERROR",
            // `SHUTOFF` and the statuses of shelved servers.
            _ => "limit=100",
        };
        let one = InstanceFilter::default().with_state(*state);
        assert_eq!(query(&one, None), expected);
        let two = one.with_state(PowerState::Unknown);
        assert_eq!(query(&two, None), "limit=100");
    }
}

#[test]
fn one_tag_with_a_value_is_a_parameter() {
    for (conditions, expected) in [
        (&["env=dev", "team=a"][..], "limit=100&tags=env%3Ddev"),
        (
            &["owner", "!old", "env=a b&c"],
            "limit=100&tags=env%3Da%20b%26c",
        ),
        (&["owner"], "limit=100"),
        (&["!env=dev"], "limit=100"),
        (&["env="], "limit=100"),
        (&["a=b=c", "a,b=c", "a=b,c"], "limit=100"),
    ] {
        assert_eq!(query(&tags(conditions), None), expected, "{conditions:?}");
    }
}

#[test]
fn any_filter_has_a_valid_request() {
    check_random_filters(&huawei(), &Credential::keys("id", "hidden"));
}
