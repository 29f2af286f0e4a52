//! Answers look like those that the documents and users show.

use std::time::Duration;

use super::*;
use crate::{
    huawei::switches::{ServerIds, Throttling, UnfitServer},
    testing::{at, shape},
};

fn shown(name: &str) -> (u16, Value) {
    let wire: Value = serde_json::from_str(WIRE).unwrap();
    let responses = wire["responses"].as_array().unwrap();
    let found = responses.iter().find(|response| response["name"] == name);
    let found = found.unwrap_or_else(|| panic!("no answer is called {name}"));
    let status = found["http_status"].as_u64().unwrap();
    (u16::try_from(status).unwrap(), found["body"].clone())
}

/// The same status, keys and types.
fn assert_alike(answer: &(u16, Value), name: &str) {
    let (status, body) = shown(name);
    assert_eq!(answer.0, status, "{name}");
    assert_eq!(shape(&answer.1), shape(&body), "{name}");
}

/// The same answer, but for what names a request or a time.
fn assert_equal(answer: &(u16, Value), name: &str) {
    assert_alike(answer, name);
    let (_, body) = shown(name);
    for field in ["error", "error_code", "error_msg"] {
        assert_eq!(answer.1.get(field), body.get(field), "{name}");
    }
}

#[test]
fn jobs() {
    let mut site = site();
    let ids = testing::add(&mut site, REGION, 2, State::Stopped, None);
    let accepted = start(&mut site, &[&ids[0], &ids[1]]);
    assert_alike(&accepted, "accepted");
    site.switches.huawei.accepted_status = 202;
    let idle = start(&mut site, &[]);
    assert_eq!(idle.0, 400);
    let more = add(&mut site, State::Stopped, None);
    assert_alike(&start(&mut site, &[&more]), "accepted-delayed");

    let path = format!("jobs/{}", job_id(&accepted));
    assert_alike(&get(&mut site, &path), "job-init");
    at(&mut site, 10);
    assert_alike(&get(&mut site, &path), "job-running-real");
    at(&mut site, 30);
    assert_alike(&get(&mut site, &path), "job-success-batch-two");
    assert_alike(&get(&mut site, &path), "job-success-doc");

    let fresh = add(&mut site, State::Stopped, None);
    let locked = add(&mut site, State::Stopped, Trouble::Locked);
    let partial = job_id(&start(&mut site, &[&fresh, &locked]));
    at(&mut site, 90);
    assert_alike(
        &get(&mut site, &format!("jobs/{partial}")),
        "job-fail-partial",
    );
    site.switches.huawei.bare_single_job = true;
    let single = add(&mut site, State::Stopped, None);
    let single = job_id(&start(&mut site, &[&single]));
    at(&mut site, 150);
    assert_alike(
        &get(&mut site, &format!("jobs/{single}")),
        "job-single-entity",
    );
    assert_equal(&get(&mut site, "jobs/unknown"), "job-id-invalid");
}

#[test]
fn servers_in_each_state() {
    let mut site = site();
    let mut check = |state: State, trouble: Option<Trouble>, name: &str| {
        let id = add(&mut site, state, trouble);
        let answer = get(&mut site, &format!("cloudservers/{id}"));
        assert_alike(&answer, name);
        let theirs = &shown(name).1["server"];
        let own = &answer.1["server"];
        for field in [
            "status",
            "OS-EXT-STS:vm_state",
            "OS-EXT-STS:task_state",
            "OS-EXT-STS:power_state",
        ] {
            assert_eq!(own[field], theirs[field], "{name}: {field}");
        }
    };
    check(State::Running, None, "show-active");
    check(State::Stopping, None, "show-stopping");
    check(State::Starting, None, "show-starting");
    check(State::Stopped, None, "show-shutoff");
    check(State::Rebooting, None, "show-rebooting");
    check(State::Running, Some(Trouble::Failed), "show-error");
    let id = add(&mut site, State::Running, None);
    reboot(&mut site, &[&id], "HARD");
    assert_alike(
        &get(&mut site, &format!("cloudservers/{id}")),
        "show-hard-rebooting",
    );
    assert_eq!(show(&mut site, &id)["status"], "HARD_REBOOT");
}

#[test]
fn lists() {
    let mut site = site();
    let list = "cloudservers/detail";
    assert_equal(&get(&mut site, list), "list-empty");
    add(&mut site, State::Running, None);
    add(&mut site, State::Stopped, None);
    assert_alike(&get(&mut site, list), "list-two");
    site.switches.huawei.server_ids = ServerIds::Comma;
    assert_alike(
        &get(&mut site, &format!("{list}?server_id=gone")),
        "list-unknown-id",
    );
}

#[test]
fn projects() {
    let mut site = site();
    let request = received(
        "GET",
        "/v3/projects?name=cn-north-4",
        &[("host", "iam")],
        "",
    );
    let answer = answer(&mut site, &request);
    assert!(answer.headers().contains_key("x-request-id"));
    assert_alike(&read(&answer), "projects");
}

#[test]
fn refusals() {
    let mut site = site();
    site.switches.huawei.unfit_server = UnfitServer::Refused;
    site.switches.huawei.idle_succeeds = false;
    let running = add(&mut site, State::Running, None);
    let locked = add(&mut site, State::Running, Trouble::Locked);
    let rebooting = add(&mut site, State::Rebooting, None);
    assert_equal(&start(&mut site, &[]), "bad-parameter");
    assert_equal(&start(&mut site, &[&running]), "wrong-state");
    assert_equal(&start(&mut site, &["gone"]), "show-not-found");
    assert_equal(&get(&mut site, "cloudservers/gone"), "show-not-found");
    assert_equal(&stop(&mut site, &[&locked], "SOFT"), "locked");
    assert_equal(
        &stop(&mut site, &[&rebooting], "SOFT"),
        "other-command-running",
    );
    let many: Vec<_> = (0..1001).map(|number| format!("id-{number}")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    assert_equal(&start(&mut site, &many), "too-many-servers");
    site.switches.huawei.unfit_server = UnfitServer::RefusedWithDetails;
    assert_alike(&start(&mut site, &[&running]), "batch-failed-with-details");
    let nowhere = received("GET", "/v1/x/y/z", &[], "");
    let nowhere = answer(&mut site, &nowhere);
    assert!(nowhere.headers().contains_key("x-request-id"));
    assert_equal(&read(&nowhere), "apigw-no-such-api");
}

#[test]
fn throttling_comes_in_several_forms() {
    let mut site = site();
    let wait = Some(Duration::from_millis(1_200));
    for (form, name) in [
        (Throttling::Gateway429, "apigw-throttled-user"),
        (Throttling::Service503, "api-flow-control-503"),
        (Throttling::Service429, "api-flow-control-429"),
        (Throttling::FlowLimit202, "flow-limit-202"),
    ] {
        site.switches.huawei.throttling = form;
        let answer = Huawei.throttled(&mut site, wait);
        assert_eq!(answer.headers()["retry-after"], "2", "{form:?}");
        let (status, body) = read(&answer);
        assert_alike(&(status, body.clone()), name);
        let theirs = shown(name).1;
        assert_eq!(body["error"]["code"], theirs["error"]["code"], "{form:?}");
        assert_eq!(body["error_code"], theirs["error_code"], "{form:?}");
        let bare = Huawei.throttled(&mut site, None);
        assert!(!bare.headers().contains_key("retry-after"), "{form:?}");
    }
}

#[test]
fn the_cloud_has_trouble_of_its_own() {
    let mut site = site();
    for (status, name) in [
        (500, "system-exception"),
        (502, "apigw-backend-unavailable"),
        (504, "apigw-backend-timeout"),
    ] {
        let answer = Huawei.failure(&mut site, status);
        assert_equal(&read(&answer), name);
    }
    let (status, body) = read(&Huawei.failure(&mut site, 503));
    assert_eq!((status, &body["error_code"]), (503, &"APIGW.0601".into()));
}
