//! Tests of damaged responses: truncated, with values of another type, or with changed bytes
//! (Zenlayer).

use provider_testing::{damaged, recorded_response};

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
    _ = crate::fault::check(response);
    let body = String::from_utf8_lossy(response.body());
    let known = |id: &InstanceId| assert!(body.contains(id.as_str()), "{id} is not in {body}");
    match read_power(response) {
        Ok(BatchAck::Except(failed)) => failed.iter().for_each(|(id, _)| known(id)),
        Ok(BatchAck::All) => {
            let fields: BTreeMap<String, &RawValue> =
                serde_json::from_slice(response.body()).unwrap();
            let is_object = |json: &&RawValue| json.get().starts_with('{');
            let has_result =
                fields.get("response").is_some_and(is_object) || fields.contains_key("instanceIds");
            assert!(has_result, "read as success: {body}");
        }
        Ok(other) => panic!("{other:?}"),
        Err(_) => (),
    }
    for row in [
        read_lookup(response, NO_DETAILS),
        read_page(response, true, 1).map(|page| page.observations),
    ]
    .into_iter()
    .flatten()
    .flatten()
    {
        known(&row.instance);
    }
}
