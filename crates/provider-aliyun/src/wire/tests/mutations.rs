//! Tests of responses that are truncated or have invalid values (Alibaba).

use provider_testing::{changed_bytes, json_mutations, truncated, with_body};

use super::*;

#[test]
fn truncated_response_is_never_a_success() {
    for Sample { name, response, .. } in samples() {
        for cut in truncated(&response) {
            let length = cut.body().len();
            match fault::check(&cut) {
                Err(fault) => assert_eq!(fault.code(), None, "{length} bytes of {name}"),
                Ok(()) => assert!(Body::read(&cut).is_err(), "{length} bytes of {name}"),
            }
        }
    }
}

#[test]
fn odd_value_drops_at_most_one_row() {
    for Sample { name, response, .. } in samples() {
        let Ok(document) = serde_json::from_slice::<Value>(response.body()) else {
            continue;
        };
        let rows = count_rows(&response);
        for mutation in json_mutations(&document) {
            let mutant = with_body(&response, mutation.document.to_string());
            fault::request_id(&mutant);
            // A text that is no object is not a response of ECS.
            if fault::check(&mutant).is_err() || !mutation.document.is_object() {
                continue;
            }
            // The pointer of a row has three parts, as in `/Instances/Instance/0`. A document without
            // its list is an error.
            let is_in_row = mutation.pointer.split('/').count() > 3;
            let left = count_rows(&mutant);
            let allowed = match (left, rows) {
                (Some(left), Some(rows)) => rows.saturating_sub(left) <= 1 || !is_in_row,
                (None, None) => true,
                _ => !is_in_row,
            };
            assert!(allowed, "{mutation:?} in {name}: {left:?} rows of {rows:?}");
        }
    }
}

#[test]
fn changed_bytes_never_cause_a_panic() {
    for Sample { response, .. } in samples() {
        for mutant in changed_bytes(&response, 50) {
            let _ = fault::request_id(&mutant);
            let _ = fault::check(&mutant);
            let _ = read_single(&mutant);
            let _ = read_batch(&mutant);
            let _ = read_single_observation(&mutant, NO_DETAILS);
            let _ = read_page(&mutant, true, &first_page());
        }
    }
}

/// Counts the rows of a batch, or of a list. A row of a list keeps its place without its id.
fn count_rows(response: &HttpResponse) -> Option<usize> {
    match read_batch(response) {
        Ok(BatchAck::Each { accepted, refused }) if !accepted.is_empty() || !refused.is_empty() => {
            Some(accepted.len() + refused.len())
        }
        _ => Some(read_page(response, false, &first_page()).ok()?.rows()),
    }
}
