//! Test helper: damaged copies of a response (truncated, another JSON value, changed bytes).

use std::collections::BTreeSet;

use lifecycle_core::HttpResponse;
use serde_json::{Value, json};

use crate::with_body;

/// Returns `response` with every shorter body, from an empty body on.
pub fn truncated(response: &HttpResponse) -> impl Iterator<Item = HttpResponse> {
    (0..response.body().len()).map(|end| with_body(response, response.body().slice(..end)))
}

/// A JSON document with a change.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct JsonMutation {
    /// The JSON pointer (RFC 6901) of the changed value; empty for the document itself.
    pub pointer: String,
    /// The document after the change.
    pub document: Value,
}

/// Returns copies of a document, each with a single change: every value is replaced by values of every
/// type, and every field is removed.
pub fn json_mutations(document: &Value) -> Vec<JsonMutation> {
    let replacements = [
        Value::Null,
        json!(true),
        json!(7),
        json!(-1.5e300),
        json!("x"),
        json!([]),
        json!([null]),
        json!([[1]]),
        json!({}),
        json!({"a": {"b": null}}),
    ];
    let mut mutations = Vec::new();
    for pointer in pointers(document) {
        for replacement in &replacements {
            let mut document = document.clone();
            if let Some(value) = document.pointer_mut(&pointer) {
                value.clone_from(replacement);
            }
            mutations.push(JsonMutation {
                pointer: pointer.clone(),
                document,
            });
        }
        mutations.extend(without_field(document, pointer));
    }
    mutations
}

fn without_field(document: &Value, pointer: String) -> Option<JsonMutation> {
    let (parent, name) = pointer.rsplit_once('/')?;
    let mut document = document.clone();
    let fields = document.pointer_mut(parent)?.as_object_mut()?;
    fields.remove(&name.replace("~1", "/").replace("~0", "~"));
    Some(JsonMutation { pointer, document })
}

/// Returns the pointers of all values, parents first.
fn pointers(document: &Value) -> Vec<String> {
    let mut pointers = Vec::new();
    let mut open = vec![(String::new(), document)];
    while let Some((pointer, value)) = open.pop() {
        match value {
            Value::Object(fields) => open.extend(fields.iter().map(|(name, value)| {
                let name = name.replace('~', "~0").replace('/', "~1");
                (format!("{pointer}/{name}"), value)
            })),
            Value::Array(items) => open.extend(
                items
                    .iter()
                    .enumerate()
                    .map(|(index, value)| (format!("{pointer}/{index}"), value)),
            ),
            _ => {}
        }
        pointers.push(pointer);
    }
    pointers
}

/// Returns `count` copies of `response`, each with up to four changed bytes. The changes are the same in
/// every run.
pub fn changed_bytes(response: &HttpResponse, count: usize) -> impl Iterator<Item = HttpResponse> {
    let mut state: u64 = 0x5eed;
    let mut next = move |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(state >> 33).unwrap_or_default() % below
    };
    let count = if response.body().is_empty() { 0 } else { count };
    (0..count).map(move |_| {
        let mut body = response.body().to_vec();
        for _ in 0..=next(4) {
            let index = next(body.len());
            body[index] = u8::try_from(next(256)).unwrap_or_default();
        }
        with_body(response, body)
    })
}

/// Returns every mutation of this module, each with the status of `response` and with status 200.
pub fn damaged(response: &HttpResponse) -> impl Iterator<Item = HttpResponse> {
    let statuses = BTreeSet::from([200, response.status().as_u16()]);
    let document = serde_json::from_slice(response.body()).ok();
    let replaced = document.into_iter().flat_map(|document: Value| {
        let mutations = json_mutations(&document).into_iter();
        mutations.map(|mutation| with_body(response, mutation.document.to_string()))
    });
    truncated(response)
        .chain(replaced)
        .chain(changed_bytes(response, 50))
        .flat_map(move |damaged| {
            statuses.clone().into_iter().map(move |status| {
                let mut damaged = damaged.clone();
                *damaged.status_mut() = http::StatusCode::from_u16(status).expect("a status");
                damaged
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::response;

    #[test]
    fn every_value_is_replaced_and_every_field_removed() {
        let document = json!({"a/b": [1, {"c": null}]});
        let mutations = json_mutations(&document);
        let pointers: BTreeSet<&str> = mutations.iter().map(|m| m.pointer.as_str()).collect();
        assert_eq!(
            pointers.into_iter().collect::<Vec<_>>(),
            ["", "/a~1b", "/a~1b/0", "/a~1b/1", "/a~1b/1/c"]
        );
        let documents: BTreeSet<String> =
            mutations.iter().map(|m| m.document.to_string()).collect();
        for expected in [
            json!({}),
            json!({"a/b": [1, {}]}),
            json!({"a/b": [1, {"c": "x"}]}),
            json!({"a/b": [[[1]], {"c": null}]}),
            json!(7),
        ] {
            assert!(documents.contains(&expected.to_string()), "{expected}");
        }
    }

    #[test]
    fn damaged_responses_have_both_statuses_and_leave_the_original_out() {
        let original = response(403, &json!({"a": 1}));
        let damaged: Vec<_> = damaged(&original).collect();
        assert!(damaged.iter().any(|d| same(d, 200, r#"{"a":"#)));
        assert!(damaged.iter().any(|d| same(d, 403, r#"{"a":null}"#)));
        assert!(truncated(&original).all(|cut| cut.body().len() < original.body().len()));
        assert_eq!(changed_bytes(&original, 3).count(), 3);
        assert_eq!(changed_bytes(&response(200, ""), 3).count(), 0);
    }

    fn same(response: &HttpResponse, status: u16, body: &str) -> bool {
        response.status() == status && response.body() == body
    }
}
