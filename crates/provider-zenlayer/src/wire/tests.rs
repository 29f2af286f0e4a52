//! Tests of Zenlayer's requests and responses. This file holds samples and helpers.

mod mutations;
mod requests;
mod responses;

use provider_testing::{NO_DETAILS, read_vectors};

use super::*;

/// Recorded requests of the vendor's SDK, and responses of the vendor's pages.
fn recorded(part: &str) -> Vec<Value> {
    let vectors = read_vectors(env!("CARGO_MANIFEST_DIR"), "wire.json");
    vectors[part].as_array().unwrap().clone()
}

/// Recorded lists with conditions, and a list with details.
fn recorded_lists(part: &str) -> Vec<Value> {
    let vectors = read_vectors(env!("CARGO_MANIFEST_DIR"), "list.json");
    vectors[part].as_array().unwrap().clone()
}

fn ok(body: &str) -> HttpResponse {
    provider_testing::response(200, body)
}
