//! Tests of requests and responses, and the samples that they share.

mod mutations;
mod requests;
mod responses;

use bytes::Bytes;
use lifecycle_core::{Endpoint, StopBilling};
use provider_testing::http_response;
use serde_json::Value;

use super::*;

fn recordings() -> Value {
    serde_json::from_str(include_str!("../../tests/vectors/wire.json")).unwrap()
}

fn config() -> Config {
    let recorder = Endpoint::parse("http://127.0.0.1:18765").unwrap();
    Config::new("cn-hangzhou").unwrap().with_endpoint(recorder)
}

fn act_request(config: &Config, action: Action, ids: &[InstanceId]) -> UnsignedRequest {
    act(config, &action, ids).unwrap().request
}

fn start() -> Action {
    StartOptions::default().into()
}

fn initialize() -> Action {
    StartOptions::default()
        .with_local_disk(LocalDisk::Initialize)
        .into()
}

fn stop(mode: StopMode, billing: StopBilling) -> Action {
    StopOptions::default()
        .with_mode(mode)
        .with_billing(billing)
        .into()
}

fn reboot(mode: StopMode) -> Action {
    RebootOptions::default().with_mode(mode).into()
}

fn ids(count: usize) -> Vec<InstanceId> {
    (1..=count)
        .map(|n| InstanceId::new(&format!("i-bp67acfmxazb4p{n:03}")).unwrap())
        .collect()
}

fn short_ids(count: usize) -> Vec<InstanceId> {
    (1..=count)
        .map(|n| InstanceId::new(&format!("i-{n}")).unwrap())
        .collect()
}

fn success(body: &'static str) -> HttpResponse {
    http_response(
        200,
        http::HeaderMap::new(),
        Bytes::from_static(body.as_bytes()),
    )
}

/// A recorded or documented response.
struct Sample {
    name: String,
    operation: String,
    response: HttpResponse,
}

fn samples() -> Vec<Sample> {
    let text = |entry: &Value, field: &str| entry[field].as_str().unwrap().to_owned();
    let recordings = recordings();
    let entries = recordings["responses"].as_array().unwrap().iter();
    entries
        .map(|entry| Sample {
            name: text(entry, "name"),
            operation: text(entry, "operation"),
            response: response_of(entry),
        })
        .collect()
}

fn response_of(entry: &Value) -> HttpResponse {
    let mut headers = http::HeaderMap::new();
    let content_type = entry["content_type"].as_str().unwrap();
    headers.insert("content-type", content_type.parse().unwrap());
    for (name, value) in entry["headers"].as_object().unwrap() {
        let name: http::HeaderName = name.parse().unwrap();
        headers.insert(name, value.as_str().unwrap().parse().unwrap());
    }
    http_response(
        entry["status"].as_u64().unwrap().try_into().unwrap(),
        headers,
        entry["body"].as_str().unwrap().to_owned(),
    )
}
