//! Tests of the regions (Baidu).

use lifecycle_core::FaultKind;
use provider_testing::{read_vectors, recorded_response, response};

use super::*;

#[test]
fn regions_have_ids_and_names() {
    let vectors = read_vectors(env!("CARGO_MANIFEST_DIR"), "list.json");
    let mut responses = vectors["responses"].as_array().unwrap().iter();
    let recorded = responses.find(|entry| entry["name"] == "regions").unwrap();
    let read = regions().read(&recorded_response(recorded)).unwrap();
    let named = |id: &str, name: &str| Region::new(id).with_name(Some(name.into()));
    assert_eq!(read, [named("bj", "华北-北京"), named("hkg", "香港")]);
}

#[test]
fn list_without_regions_is_unreadable() {
    for body in [
        "",
        "[]",
        "{}",
        r#"{"regions":7}"#,
        r#"{"regions":[{}]}"#,
        r#"{"regions":[{"regionId":"bj"},null]}"#,
    ] {
        let fault = regions().read(&response(200, body)).unwrap_err();
        assert_eq!(fault.kind(), FaultKind::Unreadable, "{body}");
    }
    let odd = response(200, r#"{"regions":[{"regionId":"bj","regionName":[7]}]}"#);
    assert_eq!(regions().read(&odd).unwrap(), [Region::new("bj")]);
}
