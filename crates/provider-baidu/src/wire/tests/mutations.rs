//! Tests of damaged responses: truncated, with values of another type, or with changed bytes (Baidu).

use provider_testing::{damaged, recorded_response};
use serde::de::IgnoredAny;

use super::*;

#[test]
fn damaged_response_causes_no_panic_and_no_invented_instance() {
    for entry in [recorded("responses"), recorded_lists("responses")].concat() {
        damaged(&recorded_response(&entry)).for_each(|response| read_everything(&response));
    }
}

/// Reads a response with every reader. The body contains every id in the results.
fn read_everything(response: &HttpResponse) {
    _ = crate::fault::request_id(response);
    let body = String::from_utf8_lossy(response.body());
    let known = |id: &InstanceId| assert!(body.contains(id.as_str()), "{id} is not in {body}");
    if let Err(fault) = crate::fault::check(response) {
        fault.instances().iter().for_each(known);
    }
    match read_power(response) {
        Ok(BatchAck::Except(failed)) => failed.iter().for_each(|(id, _)| known(id)),
        Ok(BatchAck::All) => {
            let is_complete = response.body().trim_ascii().is_empty()
                || serde_json::from_slice::<IgnoredAny>(response.body()).is_ok();
            assert!(
                is_complete,
                "an incomplete body was read as success: {body}"
            );
        }
        Ok(other) => panic!("{other:?}"),
        Err(_) => (),
    }
    for row in [
        read_one(response, WITH_DETAILS),
        read_many(response, NO_DETAILS),
        read_page(response, WITH_DETAILS).map(|page| page.observations),
    ]
    .into_iter()
    .flatten()
    .flatten()
    {
        known(&row.instance);
    }
}
