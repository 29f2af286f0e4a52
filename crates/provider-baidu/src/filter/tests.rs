//! Tests of the conditions that BCC applies.

use lifecycle_core::{Credential, InstanceFilter};
use provider_testing::{
    check_random_filters, name_filter as name, numbered_ids, tag_filter as tags,
};

use super::*;
use crate::{Baidu, Config};

#[test]
fn condition_that_a_parameter_can_express_is_sent() {
    let any = InstanceFilter::default;
    for (filter, expected) in [
        (any(), ""),
        (name("web 1"), "&instanceNames=web%201"),
        (
            name("web&1").with_name("网".parse().unwrap()),
            "&instanceNames=web%261%2C%E7%BD%91",
        ),
        // A comma would separate two names.
        (name("web,1"), "&fuzzyInstanceName=web%2C1"),
        (name("a,b").with_name("c".parse().unwrap()), ""),
        (name("ci-*-runner"), "&fuzzyInstanceName=-runner"),
        (name("*"), ""),
        (name("ci-*").with_name("web".parse().unwrap()), ""),
        (any().with_zone("cn-bj-a"), "&zoneName=cn-bj-a"),
        (any().with_zone("cn-bj-a").with_zone("cn-bj-b"), ""),
        (any().with_instance_type("bcc.g4.c2m8"), ""),
        (any().with_private_ip("10.0.0.1"), "&internalIp=10.0.0.1"),
        (any().with_private_ip("fd00::1"), ""),
        (
            any()
                .with_private_ip("10.0.0.1")
                .with_private_ip("10.0.0.2"),
            "",
        ),
        (
            any()
                .with_instance("i-1".parse().unwrap())
                .with_instance("i-2".parse().unwrap()),
            "&instanceIds=i-1%2Ci-2",
        ),
        (
            tags(&["env=dev"]).with_state(PowerState::Stopped),
            "&tags=env%3Adev&status=Stopped",
        ),
    ] {
        assert_eq!(parameters(&filter), expected, "{filter:?}");
    }
}

#[test]
fn one_tag_is_sent_because_several_are_alternatives() {
    for (conditions, expected) in [
        (&["env=dev", "owner"][..], "&tags=env%3Adev"),
        (&["!env", "owner"], "&tags=owner"),
        (&["!env=dev"], ""),
        (&["env="], "&tags=env"),
        // Separators of the parameter.
        (&["a:b=c", "a=b:c", "a,b", "a=b,c", "k=v"], "&tags=k%3Av"),
        (&["网=a b"], "&tags=%E7%BD%91%3Aa%20b"),
    ] {
        assert_eq!(parameters(&tags(conditions)), expected, "{conditions:?}");
    }
}

#[test]
fn state_with_one_documented_status_is_sent() {
    for state in PowerState::ALL {
        let expected = match state {
            PowerState::Starting => "&status=Starting",
            PowerState::Running => "&status=Running",
            PowerState::Stopping => "&status=Stopping",
            PowerState::Stopped => "&status=Stopped",
            PowerState::Recycled => "&status=Recycled",
            _ => "",
        };
        let one = InstanceFilter::default().with_state(*state);
        assert_eq!(parameters(&one), expected);
        assert_eq!(parameters(&one.with_state(PowerState::Unknown)), "");
    }
}

#[test]
fn number_of_values_is_limited() {
    let mut filter = InstanceFilter::default();
    filter.instances = numbered_ids("i-", MAX_VALUES);
    assert!(parameters(&filter).starts_with("&instanceIds=i-1%2Ci-2%2C"));
    filter.instances = numbered_ids("i-", MAX_VALUES + 1);
    assert_eq!(parameters(&filter), "");
    let mut filter = InstanceFilter::default();
    filter.names = vec!["web".parse().unwrap(); MAX_VALUES];
    assert!(parameters(&filter).starts_with("&instanceNames=web%2C"));
    filter.names.push("web".parse().unwrap());
    assert_eq!(parameters(&filter), "");
}

#[test]
fn any_filter_has_a_valid_request() {
    let baidu = Baidu::new(Config::new("bj").unwrap());
    check_random_filters(&baidu, &Credential::keys("id", "hidden"));
}
