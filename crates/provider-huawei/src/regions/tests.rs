//! Tests of the regions of a Huawei key.

use lifecycle_core::Endpoint;
use provider_testing::{
    ExchangeRun, FakeHost, ScriptedAnswer, read_vectors, recorded_request, recorded_response,
    run_exchange,
};
use serde_json::Value;

use super::*;
use crate::credentials::tests::ctx;

fn recorded(part: &str, name: &str) -> Value {
    let vectors = read_vectors(env!("CARGO_MANIFEST_DIR"), "list.json");
    let mut entries = vectors[part].as_array().unwrap().iter();
    entries.find(|entry| entry["name"] == name).unwrap().clone()
}

fn answer(name: &str) -> ScriptedAnswer {
    ScriptedAnswer::Http(Ok(recorded_response(&recorded("responses", name))))
}

fn run(answers: impl IntoIterator<Item = ScriptedAnswer>) -> ExchangeRun<Vec<Region>> {
    let host = FakeHost::default();
    let local = Endpoint::parse("http://127.0.0.1:7070").unwrap();
    let config = CredentialSourceConfig::in_region("cn-north-4").with_identity(local);
    let key = Credential::keys("FAKEACCESSKEY0000001", "hidden");
    let ctx = ctx(&host);
    run_exchange(find_regions(&config, &key, &ctx), &ctx, answers)
}

const FORBIDDEN: &str = r#"{"error": {"code": 403, "message": "not allowed"}}"#;

#[test]
fn region_without_a_project_of_the_key_is_unavailable() {
    let outcome = run([answer("iam-regions"), answer("iam-projects")]);
    assert_eq!(
        outcome.lines(),
        [
            "GET http://127.0.0.1:7070/v3/regions",
            "GET http://127.0.0.1:7070/v3/projects"
        ]
    );
    let region = |id: &str, name: &str, problem: Option<&str>| {
        let region = Region::new(id).with_name(Some(name.into()));
        region.with_unavailable(problem.map(str::to_owned))
    };
    assert_eq!(
        outcome.done(),
        [
            region("cn-north-4", "CN North-Beijing4", None),
            region(
                "cn-east-3",
                "CN East-Shanghai1",
                Some("the project of the key in this region is disabled")
            ),
            region(
                "ap-southeast-1",
                "CN-Hong Kong",
                Some("the key has no project in this region")
            ),
        ]
    );
}

#[test]
fn projects_stand_for_regions_if_the_list_of_regions_is_refused() {
    let outcome = run([ScriptedAnswer::http(403, FORBIDDEN), answer("iam-projects")]);
    let disabled = "the project of the key in this region is disabled";
    assert_eq!(
        outcome.done(),
        [
            Region::new("cn-north-4"),
            Region::new("cn-east-3").with_unavailable(Some(disabled.into())),
        ],
        "neither sub-projects nor projects of other services"
    );
}

#[test]
fn fault_of_iam_ends_the_search() {
    for (status, body, kind) in [
        (
            401,
            r#"{"error_code": "APIGW.0301", "error_msg": "verify aksk signature fail"}"#,
            FaultKind::Credential,
        ),
        (503, "", FaultKind::Unavailable),
        (200, "{}", FaultKind::Unreadable),
        (
            200,
            r#"{"regions": [{"type": "public"}]}"#,
            FaultKind::Unreadable,
        ),
        (
            200,
            r#"{"regions": [], "links": {"next": "http://127.0.0.1/2"}}"#,
            FaultKind::Unreadable,
        ),
    ] {
        // The key is not used a second time.
        let outcome = run([ScriptedAnswer::http(status, body)]);
        assert_eq!(outcome.fault().kind(), kind, "{body}");
    }
    for (status, body, kind) in [
        (403, FORBIDDEN, FaultKind::Permission),
        (200, r#"{"projects": 7}"#, FaultKind::Unreadable),
        (200, r#"{"projects": [{"id": "p"}]}"#, FaultKind::Unreadable),
        (
            200,
            r#"{"projects": [], "links": {"next": "http://127.0.0.1/2"}}"#,
            FaultKind::Unreadable,
        ),
    ] {
        let projects = ScriptedAnswer::http(status, body);
        let outcome = run([answer("iam-regions"), projects]);
        assert_eq!(outcome.fault().kind(), kind, "{body}");
    }
    let outcome = run([ScriptedAnswer::no_response(FaultKind::NoAnswer)]);
    assert_eq!(outcome.fault().kind(), FaultKind::NoAnswer);
}

/// Compares with the requests of huaweicloudsdkiam 3.1.219, which adds `X-Domain-Id`.
#[test]
fn requests_equal_the_recorded_ones() {
    let outcome = run([answer("iam-regions"), answer("iam-projects")]);
    for (index, name) in ["iam-regions", "iam-projects"].into_iter().enumerate() {
        let recorded = recorded_request(&recorded("requests", name));
        let request = outcome.request(index);
        assert_eq!(request.method(), recorded.method());
        assert_eq!(
            request.uri().path_and_query(),
            recorded.uri().path_and_query()
        );
        assert_eq!(request.body(), recorded.body());
        for name in request.headers().keys() {
            assert!(recorded.headers().contains_key(name), "{name}");
        }
    }
}
