//! Helpers of the unit tests: the state of a cloud without a server, and received requests.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use bytes::Bytes;
use serde_json::Value;

use crate::{
    Cloud, ExecutionCounts, Impairment, InstanceTemplate, Operation, SimulatedState, Switches,
    TransitionTimes,
    account::{Account, Key},
    cloud_api::AuthErrorCause,
    cloud_state::{CloudConfig, CloudState, RegionScope},
    request::ReceivedRequest,
    response::Response,
    time::{Moment, Timeline},
};

/// The code of a response without an error code.
pub(crate) const NO_CODE: &str = "no code";

/// Creates a cloud with one key whose clock starts at `unix`.
pub(crate) fn cloud_state_at(kind: Cloud, unix: u64, key: Key) -> CloudState {
    let config = CloudConfig {
        seed: 1,
        transition_times: TransitionTimes {
            spread: 0.0,
            ..TransitionTimes::default()
        },
        timeline: Timeline::starting_at(UNIX_EPOCH + Duration::from_secs(unix)),
        switches: Switches::default(),
        log_limit: 100,
    };
    let mut cloud = CloudState::new(kind, Account::new("0".repeat(32), key), config);
    cloud.begin_call(Moment::default(), Duration::ZERO);
    cloud
}

/// Creates a cloud for tests that skip authentication.
pub(crate) fn cloud_state(kind: Cloud) -> CloudState {
    cloud_state_at(
        kind,
        1_767_225_600,
        Key::pair("id".into(), "secret".into(), None),
    )
}

/// Creates instances and returns the ids.
pub(crate) fn add(
    cloud: &mut CloudState,
    region: &str,
    count: usize,
    state: SimulatedState,
    impairment: Option<Impairment>,
) -> Vec<String> {
    (0..count)
        .map(|_| {
            let index = cloud.add(region, state, impairment);
            cloud.instance(index).id().to_owned()
        })
        .collect()
}

/// Creates instances with a template and returns the ids.
pub(crate) fn add_with(
    cloud: &mut CloudState,
    region: &str,
    count: usize,
    state: SimulatedState,
    template: InstanceTemplate,
) -> Vec<String> {
    let first = cloud.instances().count();
    cloud.add_group(region, count, (state, None), Some(&Arc::new(template)));
    let new = cloud.instances().skip(first);
    new.map(|index| cloud.instance(index).id().to_owned())
        .collect()
}

/// Moves the clock of the cloud to this time, in seconds after the start.
pub(crate) fn move_clock_to(cloud: &mut CloudState, seconds: u64) {
    cloud.begin_call(
        Moment::since_start(Duration::from_secs(seconds)),
        Duration::ZERO,
    );
}

/// Returns the counts of the operations that were executed on the instance.
pub(crate) fn executed(cloud: &CloudState, id: &str) -> ExecutionCounts {
    let index = cloud.find(RegionScope::AllRegions, id).unwrap();
    cloud.instance(index).executed
}

/// Creates a received request.
pub(crate) fn received(
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> ReceivedRequest {
    let mut request = http::Request::builder().method(method).uri(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    ReceivedRequest::new(request.body(Bytes::from(body.to_owned())).unwrap())
}

/// Returns a copy of the request with this header.
pub(crate) fn with_header(
    request: &ReceivedRequest,
    name: &'static str,
    value: &str,
) -> ReceivedRequest {
    let mut request = request.clone();
    request.headers.insert(name, value.parse().unwrap());
    request
}

/// Returns a copy of the request without this header.
pub(crate) fn without_header(request: &ReceivedRequest, name: &str) -> ReceivedRequest {
    let mut request = request.clone();
    request.headers.remove(name);
    request
}

/// Handles a request without authentication. Returns status and JSON body; `null` for an empty body.
pub(crate) fn handle(
    cloud: &mut CloudState,
    request: &ReceivedRequest,
    scope: RegionScope,
) -> (u16, Value) {
    let response = cloud.kind.api().handle(cloud, request, scope);
    read(&response)
}

/// Authenticates and handles a request.
pub(crate) fn exchange(cloud: &mut CloudState, request: &ReceivedRequest) -> Response {
    let api = cloud.kind.api();
    assert!(api.serves(request), "no cloud serves {}", request.path);
    match api.authenticate(cloud, request) {
        Ok(()) => api.handle(cloud, request, RegionScope::AllRegions),
        Err(auth_error) => *auth_error.error,
    }
}

/// Authenticates a request. Returns cause, status and JSON body of the error, or `None` for success.
pub(crate) fn auth_error(
    cloud: &mut CloudState,
    request: &ReceivedRequest,
) -> Option<(AuthErrorCause, u16, Value)> {
    let auth_error = cloud.kind.api().authenticate(cloud, request).err()?;
    let (status, body) = read(&auth_error.error);
    Some((auth_error.cause, status, body))
}

/// Authenticates a request of Baidu or Zenlayer. Returns cause, status and code of the error, or `None`
/// for success.
pub(crate) fn auth_error_code(
    cloud: &mut CloudState,
    request: &ReceivedRequest,
) -> Option<(AuthErrorCause, u16, Value)> {
    let (cause, status, body) = auth_error(cloud, request)?;
    Some((cause, status, body["code"].clone()))
}

/// Calls an identity or metadata service. Returns status and body as text.
pub(crate) fn identity_call(
    cloud: &mut CloudState,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> (u16, String) {
    let request = received(method, path, headers, "");
    let call = cloud.kind.api().classify(&request);
    assert_eq!(call.operation, Operation::Identify);
    let response = exchange(cloud, &request);
    let text = String::from_utf8(response.body().to_vec()).unwrap();
    (response.status().as_u16(), text)
}

/// Returns a text field of a test vector.
pub(crate) fn text<'v>(vector: &'v Value, key: &str) -> &'v str {
    vector[key].as_str().unwrap_or_default()
}

/// Creates the request of a test vector with method, headers and body, and with another Authorization
/// header.
pub(crate) fn vector_request(vector: &Value, target: &str, authorization: &str) -> ReceivedRequest {
    let headers: Vec<(&str, &str)> = vector["headers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap()))
        .filter(|(name, _)| !name.eq_ignore_ascii_case("authorization"))
        .chain([("authorization", authorization)])
        .collect();
    received(
        text(vector, "method"),
        target,
        &headers,
        text(vector, "body"),
    )
}

/// Returns status and JSON body of a response; `null` for an empty body.
pub(crate) fn read(response: &Response) -> (u16, Value) {
    let status = response.status().as_u16();
    if response.body().is_empty() {
        return (status, Value::Null);
    }
    (status, serde_json::from_slice(response.body()).unwrap())
}

/// Returns copies of the request with one change in the method, the path, the query, the body or one of
/// these headers, each with the name of the changed part.
pub(crate) fn forgeries(
    request: &ReceivedRequest,
    headers: &[&str],
) -> Vec<(String, ReceivedRequest)> {
    let mut forged = Vec::new();
    let mut add = |part: &str, change: &dyn Fn(&mut ReceivedRequest)| {
        let mut copy = request.clone();
        change(&mut copy);
        forged.push((part.to_owned(), copy));
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
    for (position, letter) in request.query.char_indices() {
        // A letter inside an escape can spell the same character in another way.
        if letter.is_ascii_alphanumeric() && !request.query.contains('%') {
            let other = if letter == 'a' { "b" } else { "a" };
            add("query letter", &|r| {
                r.query.replace_range(position..=position, other);
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

/// Returns the path and the type of each value of a JSON document. Members of a list share one path.
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
