//! Test helpers for requests: instance ids, actions, and recorded requests.

use bytes::Bytes;
use lifecycle_core::{
    Action, InstanceId, RebootOptions, StartOptions, StopBilling, StopMode, StopOptions,
};
use serde_json::Value;

use crate::response::recorded_headers;

/// Returns the instance ids with these texts.
///
/// # Panics
/// If a text is not a valid id.
pub fn ids(texts: &[&str]) -> Vec<InstanceId> {
    texts.iter().map(|text| id(text)).collect()
}

/// Returns the ids from `{prefix}1` to `{prefix}{count}`.
///
/// # Panics
/// If the prefix is not part of a valid id.
pub fn numbered_ids(prefix: &str, count: usize) -> Vec<InstanceId> {
    (1..=count)
        .map(|number| id(&format!("{prefix}{number}")))
        .collect()
}

fn id(text: &str) -> InstanceId {
    InstanceId::new(text).unwrap_or_else(|error| panic!("{error}"))
}

/// Returns a start with default options.
pub fn start() -> Action {
    StartOptions::default().into()
}

/// Returns a stop.
pub fn stop(mode: StopMode, billing: StopBilling) -> Action {
    StopOptions::default()
        .with_mode(mode)
        .with_billing(billing)
        .into()
}

/// Returns a reboot.
pub fn reboot(mode: StopMode) -> Action {
    RebootOptions::default().with_mode(mode).into()
}

/// Returns the request that an entry of `wire.json` describes.
///
/// The entry has a `method`, a `target` or `path_and_query` (else a `path` and an optional
/// `raw_query`), a `body`, and `headers` in the format of
/// [`recorded_response`](crate::recorded_response).
///
/// # Panics
/// If the entry has another form.
pub fn recorded_request(entry: &Value) -> http::Request<Bytes> {
    let text = |field: &str| {
        let text = entry[field].as_str();
        text.unwrap_or_else(|| panic!("no {field} in {entry}"))
    };
    let target = entry["target"].as_str();
    let uri = match (
        target.or_else(|| entry["path_and_query"].as_str()),
        entry["raw_query"].as_str(),
    ) {
        (Some(target), _) => target.to_owned(),
        (None, None | Some("")) => text("path").to_owned(),
        (None, Some(query)) => format!("{}?{query}", text("path")),
    };
    let mut request = http::Request::new(Bytes::from(text("body").to_owned()));
    *request.method_mut() = text("method").parse().expect("an HTTP method");
    *request.uri_mut() = uri.parse().expect("a URI");
    *request.headers_mut() = recorded_headers(&entry["headers"]);
    request
}
