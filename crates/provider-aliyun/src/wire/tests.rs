//! Tests of the requests and responses of Alibaba ECS, and the samples that the tests share.

mod mutations;
mod requests;
mod responses;

use lifecycle_core::Endpoint;
use provider_testing::{NO_DETAILS, read_vectors, recorded_response, response};
use serde_json::Value;

use super::*;

fn recordings() -> Value {
    read_vectors(env!("CARGO_MANIFEST_DIR"), "wire.json")
}

/// Recorded lists with conditions, and regions.
fn list_recordings() -> Value {
    read_vectors(env!("CARGO_MANIFEST_DIR"), "list.json")
}

/// The first page of a list without conditions.
fn first_page() -> Position {
    Position::of(None, false)
}

fn config() -> Config {
    let recorder = Endpoint::parse("http://127.0.0.1:18765").unwrap();
    Config::new("cn-hangzhou").unwrap().with_endpoint(recorder)
}

fn success(body: &str) -> HttpResponse {
    response(200, body)
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
            response: recorded_response(entry),
        })
        .collect()
}
