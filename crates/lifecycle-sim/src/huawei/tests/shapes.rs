//! Tests of the format of the simulated Huawei's responses, against examples of the documentation and users.

use std::time::Duration;

use super::*;
use crate::{
    huawei::switches::{ServerIds, Throttling, UnfitServer},
    testing::{move_clock_to, shape},
};

fn example(name: &str) -> (u16, Value) {
    let wire: Value = serde_json::from_str(WIRE).unwrap();
    let responses = wire["responses"].as_array().unwrap();
    let found = responses.iter().find(|response| response["name"] == name);
    let found = found.unwrap_or_else(|| panic!("no answer is called {name}"));
    let status = found["http_status"].as_u64().unwrap();
    (u16::try_from(status).unwrap(), found["body"].clone())
}

/// Checks status, keys and types.
fn assert_alike(response: &(u16, Value), name: &str) {
    let (status, body) = example(name);
    assert_eq!(response.0, status, "{name}");
    assert_eq!(shape(&response.1), shape(&body), "{name}");
}

/// Checks the whole error except request ids and times.
fn assert_equal(response: &(u16, Value), name: &str) {
    assert_alike(response, name);
    let (_, body) = example(name);
    for field in ["error", "error_code", "error_msg"] {
        assert_eq!(response.1.get(field), body.get(field), "{name}");
    }
}

#[test]
fn job_in_each_state_matches_the_example() {
    let mut cloud = cloud_state();
    let ids = testing::add(&mut cloud, REGION, 2, Stopped, None);
    let accepted = start(&mut cloud, &[&ids[0], &ids[1]]);
    assert_alike(&accepted, "accepted");
    cloud.switches.huawei.accepted_status = 202;
    let idle = start(&mut cloud, &[]);
    assert_eq!(idle.0, 400);
    let more = add(&mut cloud, Stopped, None);
    assert_alike(&start(&mut cloud, &[&more]), "accepted-delayed");

    let path = format!("jobs/{}", job_id(&accepted));
    assert_alike(&get(&mut cloud, &path), "job-init");
    move_clock_to(&mut cloud, 10);
    assert_alike(&get(&mut cloud, &path), "job-running-real");
    move_clock_to(&mut cloud, 30);
    assert_alike(&get(&mut cloud, &path), "job-success-batch-two");
    assert_alike(&get(&mut cloud, &path), "job-success-doc");

    let fresh = add(&mut cloud, Stopped, None);
    let locked = add(&mut cloud, Stopped, Impairment::Locked);
    let partial = job_id(&start(&mut cloud, &[&fresh, &locked]));
    move_clock_to(&mut cloud, 90);
    assert_alike(
        &get(&mut cloud, &format!("jobs/{partial}")),
        "job-fail-partial",
    );
    cloud.switches.huawei.bare_single_job = true;
    let single = add(&mut cloud, Stopped, None);
    let single = job_id(&start(&mut cloud, &[&single]));
    move_clock_to(&mut cloud, 150);
    assert_alike(
        &get(&mut cloud, &format!("jobs/{single}")),
        "job-single-entity",
    );
    assert_equal(&get(&mut cloud, "jobs/unknown"), "job-id-invalid");
}

#[test]
fn server_in_each_state_matches_the_example() {
    let mut cloud = cloud_state();
    let mut check = |state: SimulatedState, impairment: Option<Impairment>, name: &str| {
        let id = add(&mut cloud, state, impairment);
        let response = get(&mut cloud, &format!("cloudservers/{id}"));
        assert_alike(&response, name);
        let theirs = &example(name).1["server"];
        let own = &response.1["server"];
        for field in [
            "status",
            "OS-EXT-STS:vm_state",
            "OS-EXT-STS:task_state",
            "OS-EXT-STS:power_state",
        ] {
            assert_eq!(own[field], theirs[field], "{name}: {field}");
        }
    };
    check(Running, None, "show-active");
    check(SimulatedState::Stopping, None, "show-stopping");
    check(SimulatedState::Starting, None, "show-starting");
    check(Stopped, None, "show-shutoff");
    check(SimulatedState::Rebooting, None, "show-rebooting");
    check(Running, Some(Impairment::BrokenDisk), "show-error");
    let id = add(&mut cloud, Running, None);
    reboot(&mut cloud, &[&id], "HARD");
    assert_alike(
        &get(&mut cloud, &format!("cloudservers/{id}")),
        "show-hard-rebooting",
    );
    assert_eq!(show(&mut cloud, &id)["status"], "HARD_REBOOT");
}

#[test]
fn list_matches_the_example() {
    let mut cloud = cloud_state();
    let list = "cloudservers/detail";
    assert_equal(&get(&mut cloud, list), "list-empty");
    add(&mut cloud, Running, None);
    add(&mut cloud, Stopped, None);
    assert_alike(&get(&mut cloud, list), "list-two");
    cloud.switches.huawei.server_ids = ServerIds::Comma;
    assert_alike(
        &get(&mut cloud, &format!("{list}?server_id=gone")),
        "list-unknown-id",
    );
}

#[test]
fn project_list_matches_the_example() {
    let mut cloud = cloud_state();
    let request = received(
        "GET",
        "/v3/projects?name=cn-north-4",
        &[("host", "iam")],
        "",
    );
    let response = respond(&mut cloud, &request);
    assert!(response.headers().contains_key("x-request-id"));
    assert_alike(&read(&response), "projects");
}

#[test]
fn error_matches_the_example() {
    let mut cloud = cloud_state();
    cloud.switches.huawei.unfit_server = UnfitServer::Refused;
    cloud.switches.huawei.succeeds_in_target_state = false;
    let running = add(&mut cloud, Running, None);
    let locked = add(&mut cloud, Running, Impairment::Locked);
    let rebooting = add(&mut cloud, SimulatedState::Rebooting, None);
    assert_equal(&start(&mut cloud, &[]), "bad-parameter");
    assert_equal(&start(&mut cloud, &[&running]), "wrong-state");
    assert_equal(&start(&mut cloud, &["gone"]), "show-not-found");
    assert_equal(&get(&mut cloud, "cloudservers/gone"), "show-not-found");
    assert_equal(&stop(&mut cloud, &[&locked], "SOFT"), "locked");
    assert_equal(
        &stop(&mut cloud, &[&rebooting], "SOFT"),
        "other-command-running",
    );
    let many: Vec<_> = (0..1001).map(|number| format!("id-{number}")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    assert_equal(&start(&mut cloud, &many), "too-many-servers");
    cloud.switches.huawei.unfit_server = UnfitServer::RefusedWithDetails;
    assert_alike(&start(&mut cloud, &[&running]), "batch-failed-with-details");
    let nowhere = received("GET", "/v1/x/y/z", &[], "");
    let nowhere = respond(&mut cloud, &nowhere);
    assert!(nowhere.headers().contains_key("x-request-id"));
    assert_equal(&read(&nowhere), "apigw-no-such-api");
}

#[test]
fn throttling_error_follows_the_switch() {
    let mut cloud = cloud_state();
    let wait = Some(Duration::from_millis(1_200));
    for (form, name) in [
        (Throttling::Gateway429, "apigw-throttled-user"),
        (Throttling::Service503, "api-flow-control-503"),
        (Throttling::Service429, "api-flow-control-429"),
        (Throttling::FlowLimit202, "flow-limit-202"),
    ] {
        cloud.switches.huawei.throttling = form;
        let response = Huawei.throttled(&mut cloud, wait);
        assert_eq!(response.headers()["retry-after"], "2", "{form:?}");
        let (status, body) = read(&response);
        assert_alike(&(status, body.clone()), name);
        let theirs = example(name).1;
        assert_eq!(body["error"]["code"], theirs["error"]["code"], "{form:?}");
        assert_eq!(body["error_code"], theirs["error_code"], "{form:?}");
        let bare = Huawei.throttled(&mut cloud, None);
        assert!(!bare.headers().contains_key("retry-after"), "{form:?}");
    }
}

#[test]
fn server_error_matches_the_example() {
    let mut cloud = cloud_state();
    for (status, name) in [
        (500, "system-exception"),
        (502, "apigw-backend-unavailable"),
        (504, "apigw-backend-timeout"),
    ] {
        let response = Huawei.server_error(&mut cloud, status);
        assert_equal(&read(&response), name);
    }
    let (status, body) = read(&Huawei.server_error(&mut cloud, 503));
    assert_eq!((status, &body["error_code"]), (503, &"APIGW.0601".into()));
}
