//! Responses that are truncated or have odd values.

use provider_testing::with_body;
use serde_json::Value;

use super::*;

#[test]
fn truncated_response_is_never_a_success() {
    for Sample { name, response, .. } in samples() {
        for length in 0..response.body().len() {
            let cut = with_body(&response, response.body().slice(..length));
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
        let Ok(whole) = serde_json::from_slice::<Value>(response.body()) else {
            continue;
        };
        let rows = count_rows(&response);
        for pointer in pointers(&whole) {
            for odd in ["null", "7", "-0.5", "true", r#""x""#, "[[]]", r#"{"x":{}}"#] {
                let mut damaged = whole.clone();
                *damaged.pointer_mut(&pointer).unwrap() = serde_json::from_str(odd).unwrap();
                let damaged = with_body(&response, damaged.to_string());
                fault::request_id(&damaged);
                if fault::check(&damaged).is_err() {
                    continue;
                }
                // The pointer of a row has three parts, as in `/Instances/Instance/0`.
                let inside_a_row = pointer.split('/').count() > 3;
                let left = count_rows(&damaged);
                let lost = left.zip(rows).map(|(left, rows)| rows - left);
                let allowed = lost.is_some_and(|lost| lost <= 1 || !inside_a_row);
                assert!(
                    allowed,
                    "{pointer} = {odd} in {name}: {left:?} rows of {rows:?}"
                );
            }
        }
    }
}

/// Changes the same bytes in every run: the seed is fixed.
#[test]
fn changed_bytes_never_cause_a_panic() {
    const SEED: u64 = 0x5eed;
    let mut state = SEED;
    let mut next = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(state >> 33).unwrap() % below
    };
    println!("seed {SEED:#x}");
    for Sample { response, .. } in samples() {
        for _ in 0..50 {
            let mut body = response.body().to_vec();
            for _ in 0..=next(3) {
                let place = next(body.len());
                body[place] = u8::try_from(next(256)).unwrap();
            }
            let changed = with_body(&response, body);
            let _ = fault::request_id(&changed);
            let _ = fault::check(&changed);
            let _ = read_single(&changed);
            let _ = read_batch(&changed);
            let _ = read_observations(&changed);
            let _ = read_page(&changed);
        }
    }
}

fn count_rows(response: &HttpResponse) -> Option<usize> {
    let BatchAck::Each { accepted, refused } = read_batch(response).ok()? else {
        return None;
    };
    let seen = read_page(response).ok()?.observations;
    Some(accepted.len() + refused.len() + seen.len())
}

/// Returns the JSON pointers of all values below the root.
fn pointers(value: &Value) -> Vec<String> {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(object) => object
            .iter()
            .map(|(key, value)| (key.clone(), value))
            .collect(),
        Value::Array(list) => {
            let numbered = list.iter().enumerate();
            numbered
                .map(|(place, value)| (place.to_string(), value))
                .collect()
        }
        _ => Vec::new(),
    };
    let mut found = Vec::new();
    for (name, child) in children {
        found.push(format!("/{name}"));
        found.extend(
            pointers(child)
                .iter()
                .map(|below| format!("/{name}{below}")),
        );
    }
    found
}
