//! Tests of the regions (Alibaba).

use lifecycle_core::{FaultKind, Provider};
use provider_testing::{json_mutations, read_vectors, recorded_response, response, with_body};
use serde_json::Value;

use super::*;
use crate::{Aliyun, Config};

fn recorded() -> HttpResponse {
    let vectors = read_vectors(env!("CARGO_MANIFEST_DIR"), "list.json");
    let mut responses = vectors["responses"].as_array().unwrap().iter();
    recorded_response(responses.find(|entry| entry["name"] == "regions").unwrap())
}

#[test]
fn regions_have_ids_and_names() {
    let read = regions().read(&recorded()).unwrap();
    let named = |id: &str, name: &str| Region::new(id).with_name(Some(name.into()));
    assert_eq!(
        read,
        [
            named("cn-qingdao", "China (Qingdao)"),
            named("cn-hangzhou", "China (Hangzhou)")
        ]
    );
    let xml = "<DescribeRegionsResponse><Regions><Region><RegionId>cn-qingdao</RegionId></Region>\
               </Regions></DescribeRegionsResponse>";
    let read = regions().read(&response(200, xml)).unwrap();
    assert_eq!(read, [Region::new("cn-qingdao")]);
}

#[test]
fn list_without_regions_is_unreadable_and_never_shorter() {
    for body in [
        "{}",
        r#"{"Regions":{}}"#,
        r#"{"Regions":{"Region":[{}]}}"#,
        "x",
    ] {
        let fault = regions().read(&response(200, body)).unwrap_err();
        assert_eq!(fault.kind(), FaultKind::Unreadable, "{body}");
    }
    let document: Value = serde_json::from_slice(recorded().body()).unwrap();
    for mutation in json_mutations(&document) {
        let mutant = with_body(&recorded(), mutation.document.to_string());
        if let Ok(read) = regions().read(&mutant) {
            let is_list = mutation.pointer == "/Regions/Region";
            assert!(read.len() == 2 || is_list, "{mutation:?}");
        }
    }
}

#[test]
fn provider_of_any_region_lists_the_regions() {
    let call = Aliyun::new(Config::new("cn-beijing").unwrap()).regions();
    let call = call.unwrap();
    assert_eq!(call.request, regions().request);
    assert_eq!(call.read(&recorded()).unwrap().len(), 2);
}
