//! Test helpers for the details of instances: rows of lists, and the rules that hold for every cloud.

use lifecycle_core::{HttpResponse, InstanceDetails, InstanceId, ListQuery, Observation, Provider};
use serde_json::Value;

use crate::{json_mutations, read_vectors, recorded_response, response, with_body};

/// Returns the recorded response with this name in the file `list.json`.
///
/// `manifest_dir` is `env!("CARGO_MANIFEST_DIR")` of the provider.
///
/// # Panics
/// If the file has no such response.
pub fn recorded_list(manifest_dir: &str, name: &str) -> HttpResponse {
    let vectors = read_vectors(manifest_dir, "list.json");
    let entries = vectors["responses"].as_array().into_iter().flatten();
    let mut named = entries.filter(|entry| entry["name"] == name);
    recorded_response(named.next().expect("a response with this name"))
}

/// Returns the rows of a page without details.
///
/// # Panics
/// If the provider cannot read the response.
pub fn listed(provider: &impl Provider, response: &HttpResponse) -> Vec<Observation> {
    read_list(provider, response, &ListQuery::default())
}

/// Returns the rows of a page with details.
///
/// # Panics
/// If the provider cannot read the response.
pub fn listed_with_details(provider: &impl Provider, response: &HttpResponse) -> Vec<Observation> {
    read_list(provider, response, &ListQuery::default().with_details())
}

fn read_list(
    provider: &impl Provider,
    response: &HttpResponse,
    query: &ListQuery,
) -> Vec<Observation> {
    let call = provider.list(query, None).expect("a call");
    let page = call.read(response);
    page.unwrap_or_else(|fault| panic!("{fault}")).observations
}

/// Returns the details of the first row of a page with this body; `None` if the row has no details.
///
/// # Panics
/// If the page has no row.
pub fn first_details(provider: &impl Provider, body: &Value) -> Option<InstanceDetails> {
    let rows = listed_with_details(provider, &response(200, body));
    let first = rows.into_iter().next().expect("a row");
    first.details.map(|details| *details)
}

/// Checks that a lookup of `ids` has details only on request, and that a list has none without the request.
/// `response` is an answer to both.
///
/// # Panics
/// If a row has other details, or if a described instance is missing.
pub fn check_details_on_request(
    provider: &impl Provider,
    ids: &[InstanceId],
    response: &HttpResponse,
) {
    let read = |call: lifecycle_core::ApiCall<Vec<Observation>>| call.read(response).expect("rows");
    let described = read(provider.describe(ids).expect("a call"));
    assert_eq!(described.len(), ids.len());
    assert!(described.iter().all(|row| row.details.is_some()));
    let observed = read(provider.observe(ids).expect("a call"));
    assert!(observed.iter().all(|row| row.details.is_none()));
}

/// Checks that a row with unreadable tags has no details, and that a row without tags has details without tags: a
/// protected instance must not lose the tag that protects the instance. `details_of` returns the details of a row with
/// this value in the place of the tags.
///
/// # Panics
/// If a row has other details.
pub fn check_tags(
    details_of: impl Fn(&Value) -> Option<InstanceDetails>,
    unreadable: &[Value],
    without_tags: &[Value],
) {
    for tags in unreadable {
        assert_eq!(details_of(tags), None, "{tags}");
    }
    for tags in without_tags {
        let details = details_of(tags).unwrap_or_else(|| panic!("no details: {tags}"));
        assert_eq!(details.tags, [], "{tags}");
    }
}

/// Replaces each value in the first row of a page by values of each type. Checks that no row is lost or changed, and
/// that no other row loses its details. Returns the number of changed documents.
///
/// `rows` is the JSON pointer of the list in the body. Changes of the `own` fields, which are no details, are left out.
///
/// # Panics
/// If a row changes.
pub fn check_odd_details(
    provider: &impl Provider,
    original: &HttpResponse,
    rows: &str,
    own: &[&str],
) -> usize {
    let states = listed(provider, original);
    let details = listed_with_details(provider, original);
    let document: Value = serde_json::from_slice(original.body()).expect("JSON");
    let first = format!("{rows}/0");
    let mut changes = 0;
    for mutation in json_mutations(document.pointer(&first).expect("a row")) {
        let field = mutation.pointer.split('/').nth(1).unwrap_or_default();
        if field.is_empty() || own.contains(&field) {
            continue;
        }
        let mut document = document.clone();
        if let Some(row) = document.pointer_mut(&first) {
            row.clone_from(&mutation.document);
        }
        let read = listed_with_details(provider, &with_body(original, document.to_string()));
        assert_eq!(read.len(), states.len(), "{mutation:?}");
        let bare = read[0].clone().with_details(None);
        assert_eq!(bare, states[0], "{mutation:?}");
        assert_eq!(read[1..], details[1..], "{mutation:?}");
        changes += 1;
    }
    changes
}
