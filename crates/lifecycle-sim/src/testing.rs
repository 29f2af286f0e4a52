//! What the unit tests of the cloud modules share: a site without a server, and requests as received.

use std::{
    collections::BTreeSet,
    time::{Duration, UNIX_EPOCH},
};

use bytes::Bytes;
use serde_json::Value;

use crate::{
    Cloud, State, Switches, Tempo, Trouble,
    account::{Account, Key},
    request::Received,
    response::Response,
    site::{Ground, Scope, Site},
    time::{Moment, Timeline},
};

/// A site whose clock stands at `unix` and which knows one key.
pub(crate) fn site_at(cloud: Cloud, unix: u64, key: Key) -> Site {
    let ground = Ground {
        seed: 1,
        tempo: Tempo {
            spread: 0.0,
            ..Tempo::default()
        },
        timeline: Timeline::starting_at(UNIX_EPOCH + Duration::from_secs(unix)),
        switches: Switches::default(),
        log_limit: 100,
    };
    let mut site = Site::new(cloud, Account::new("0".repeat(32), key), ground);
    site.arrive(Moment::default(), Duration::ZERO);
    site
}

/// A site of a cloud for tests that are past the signature.
pub(crate) fn site(cloud: Cloud) -> Site {
    site_at(
        cloud,
        1_767_225_600,
        Key::pair("id".into(), "secret".into(), None),
    )
}

/// Makes instances and gives their ids.
pub(crate) fn add(
    site: &mut Site,
    region: &str,
    count: usize,
    state: State,
    trouble: Option<Trouble>,
) -> Vec<String> {
    (0..count)
        .map(|_| {
            let index = site.add(region, state, trouble);
            site.instance(index).id().to_owned()
        })
        .collect()
}

/// The site's time becomes so many seconds after the start.
pub(crate) fn at(site: &mut Site, seconds: u64) {
    site.arrive(
        Moment::since_start(Duration::from_secs(seconds)),
        Duration::ZERO,
    );
}

/// A request as received.
pub(crate) fn received(
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Received {
    let mut request = http::Request::builder().method(method).uri(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Received::new(request.body(Bytes::from(body.to_owned())).unwrap())
}

/// Status and JSON body of the answer to a request that was let in; `null` for an empty body.
pub(crate) fn perform(site: &mut Site, request: &Received, scope: Scope) -> (u16, Value) {
    let response = site.cloud.dialect().perform(site, request, scope);
    read(&response)
}

/// What becomes of a request, signature and all: the denial if it is not let in, else the answer.
pub(crate) fn exchange(site: &mut Site, request: &Received) -> Response {
    let dialect = site.cloud.dialect();
    assert!(dialect.claims(request), "{} is for nobody", request.path);
    match dialect.authenticate(site, request) {
        Ok(()) => dialect.perform(site, request, Scope::Everywhere),
        Err(denial) => *denial.response,
    }
}

/// Status and JSON body of an answer; `null` for an empty body.
pub(crate) fn read(response: &Response) -> (u16, Value) {
    let status = response.status().as_u16();
    if response.body().is_empty() {
        return (status, Value::Null);
    }
    (status, serde_json::from_slice(response.body()).unwrap())
}

/// Every request that differs from `request` in one letter of the method, path, query, body or of one
/// of these headers, each with the name of what was changed.
pub(crate) fn forgeries(request: &Received, headers: &[&str]) -> Vec<(String, Received)> {
    let mut forged = Vec::new();
    let mut add = |what: &str, change: &dyn Fn(&mut Received)| {
        let mut copy = request.clone();
        change(&mut copy);
        forged.push((what.to_owned(), copy));
    };
    add("method", &|r| {
        r.method = if r.method == http::Method::GET {
            http::Method::HEAD
        } else {
            http::Method::PATCH
        };
    });
    add("path", &|r| r.path.push('x'));
    add("query", &|r| r.query.push_str("&forged=1"));
    for (place, letter) in request.query.char_indices() {
        // A letter inside an escape may spell the same character in another way.
        if letter.is_ascii_alphanumeric() && !request.query.contains('%') {
            let other = if letter == 'a' { "b" } else { "a" };
            add("query letter", &|r| {
                r.query.replace_range(place..=place, other);
            });
        }
    }
    add("body", &|r| {
        let mut body = r.body.to_vec();
        body.push(b' ');
        r.body = body.into();
    });
    for name in headers {
        add(name, &|r| {
            let mut value = r.header(name).unwrap_or_default().to_owned();
            value.push('0');
            let name: http::HeaderName = name.parse().unwrap();
            r.headers.insert(name, value.parse().unwrap());
        });
    }
    forged
}

/// The names on the way to every value of a JSON document, each with the value's type. Members of a
/// list share theirs.
pub(crate) fn shape(value: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    collect_shape(value, "", &mut names);
    names
}

fn collect_shape(value: &Value, path: &str, names: &mut BTreeSet<String>) {
    let kind = match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                collect_shape(value, &format!("{path}/{name}"), names);
            }
            "object"
        }
        Value::Array(members) => {
            for member in members {
                collect_shape(member, &format!("{path}[]"), names);
            }
            "list"
        }
        Value::String(_) => "text",
        Value::Number(_) => "number",
        Value::Bool(_) => "boolean",
        Value::Null => "null",
    };
    names.insert(format!("{path} {kind}"));
}
