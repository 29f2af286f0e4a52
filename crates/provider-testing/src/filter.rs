//! Test helpers for filters: filters with one kind of condition, and a check of the requests of lists with random
//! filters.

use lifecycle_core::{
    Credential, InstanceFilter, InstanceId, ListQuery, PageToken, PowerState, Provider,
    SigningContext, TagCondition,
};
use proptest::{
    collection::vec,
    option,
    prelude::{Strategy, any},
    sample::select,
    test_runner::{Config, TestRunner},
};
use serde_json::Value;

/// Returns a filter with a pattern of the name.
///
/// # Panics
/// If the pattern is invalid.
pub fn name_filter(pattern: &str) -> InstanceFilter {
    InstanceFilter::default().with_name(pattern.parse().expect("a pattern"))
}

/// Returns a filter with conditions on tags, such as `env=dev` and `!keep`.
///
/// # Panics
/// If a condition is invalid.
pub fn tag_filter(conditions: &[&str]) -> InstanceFilter {
    let mut filter = InstanceFilter::default();
    let conditions = conditions.iter().map(|text| text.parse());
    filter.tags = conditions.collect::<Result<_, _>>().expect("conditions");
    filter
}

/// The word in every key and value of a condition that excludes a tag.
const EXCLUDED: &str = "EXCLUDED";

/// Checks that a list with any filter has a valid request: the query is percent-encoded, the body is empty
/// or JSON, and the request can be signed with `key`. A condition that excludes a tag is never part of
/// the request, because a cloud could read the condition as the opposite.
///
/// # Panics
/// If a filter has another request.
pub fn check_random_filters(provider: &impl Provider, key: &Credential) {
    let config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    let pages = option::of("[a-z0-9 ]{1,8}".prop_map(PageToken::new));
    let outcome = TestRunner::new(config).run(&(filters(), pages), |(filter, page)| {
        check(provider, key, filter, page.as_ref());
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

fn check(
    provider: &impl Provider,
    key: &Credential,
    filter: InstanceFilter,
    page: Option<&PageToken>,
) {
    let query = ListQuery::new(filter);
    // Some clouds reject a token that is not their own.
    let call = provider.list(&query, page).or_else(|fault| {
        assert!(page.is_some(), "{fault}");
        provider.list(&query, None)
    });
    let request = call.expect("a request").request;
    let is_encoded = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~%=&".contains(&byte);
    assert!(request.query.bytes().all(is_encoded), "{request:?}");
    let pairs: Vec<_> = request.query.split('&').collect();
    let mut names: Vec<_> = pairs
        .iter()
        .filter_map(|pair| pair.split_once('='))
        .collect();
    assert!(
        request.query.is_empty() || names.len() == pairs.len(),
        "{request:?}"
    );
    names.sort_unstable();
    names.dedup_by_key(|(name, _)| *name);
    assert_eq!(
        names.len(),
        pairs.iter().filter(|pair| !pair.is_empty()).count(),
        "{request:?}"
    );
    if !request.body.is_empty() {
        assert!(
            serde_json::from_slice::<Value>(&request.body).is_ok_and(|body| body.is_object()),
            "{request:?}"
        );
    }
    let body = String::from_utf8_lossy(&request.body);
    for text in [&*request.query, &*body] {
        assert!(!text.contains(EXCLUDED), "{request:?}");
    }
    let signed = provider.sign(&request, key, &SigningContext::from_unix(1_780_000_000, 7));
    let signed = signed.unwrap_or_else(|fault| panic!("{request:?}: {fault}"));
    let target = signed.uri().path_and_query().map(ToString::to_string);
    assert_eq!(target, Some(request.target()));
}

fn filters() -> impl Strategy<Value = InstanceFilter> {
    let text = || any::<String>().prop_filter("a text", |text| !text.is_empty());
    let names = vec(
        "[a*? &,.:=\"\\\\中]{1,6}".prop_map(|text| text.parse().expect("a pattern")),
        0..3,
    );
    let excluded = |(text, value): (String, Option<String>)| {
        let key = format!("{text}{EXCLUDED}");
        match value {
            Some(value) => TagCondition::Differs {
                key,
                value: format!("{value}{EXCLUDED}"),
            },
            None => TagCondition::Absent(key),
        }
    };
    let required = |(key, value): (String, Option<String>)| match value {
        Some(value) => TagCondition::Equals { key, value },
        None => TagCondition::Present(key),
    };
    let tag = (any::<bool>(), text(), option::of(any::<String>()));
    let tags = vec(
        tag.prop_map(move |(is_excluded, key, value)| match is_excluded {
            true => excluded((key, value)),
            false => required((key, value)),
        }),
        0..25,
    );
    let ids = "[a-zA-Z0-9_-]{1,12}".prop_map(|text| InstanceId::new(&text).expect("an id"));
    (
        names,
        tags,
        vec(select(PowerState::ALL), 0..3),
        vec(text(), 0..3),
        vec(text(), 0..3),
        vec(ids, 0..3),
        vec(text(), 0..3),
    )
        .prop_map(|(names, tags, states, zones, types, ids, addresses)| {
            let mut filter = InstanceFilter::default();
            filter.names = names;
            filter.tags = tags;
            filter.states = states;
            filter.zones = zones;
            filter.instance_types = types;
            filter.instances = ids;
            filter.private_ips = addresses;
            filter
        })
}
