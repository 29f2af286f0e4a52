//! Tests of the power calls of simulated Huawei ECS, and of the project and the region of a call. The helpers
//! (`add`, `start`, `stop`, `reboot`, `job`, `job_id`, `shown_status`) are in the parent module; `job_id` panics if a
//! call is not accepted.

use super::*;
use crate::{
    huawei::switches::{BusyServer, UnfitServer, UnknownServer, WrongProject},
    testing::move_clock_to,
};

/// The code of an undocumented body.
const INVALID_BODY: &str = "Ecs.0005";

/// The code of a call with too many servers.
const TOO_MANY: &str = "Ecs.0118";

/// Returns status, VM state and task as the server shows them.
fn status_triple(
    status: &str,
    vm_state: &str,
    task: Option<&str>,
) -> (String, String, Option<String>) {
    (status.into(), vm_state.into(), task.map(str::to_owned))
}

#[test]
fn power_action_shows_the_documented_states() {
    let mut cloud = cloud_state();
    let id = add(&mut cloud, Stopped, None);
    let (on, off) = (
        status_triple("ACTIVE", "active", None),
        status_triple("SHUTOFF", "stopped", None),
    );
    assert_eq!(shown_status(&mut cloud, &id), off);
    job_id(&start(&mut cloud, &[&id]));
    let starting = status_triple("SHUTOFF", "stopped", Some("powering-on"));
    assert_eq!(shown_status(&mut cloud, &id), starting);
    move_clock_to(&mut cloud, 30);
    assert_eq!(shown_status(&mut cloud, &id), on);

    for (kind, status, early, late) in [
        ("SOFT", "REBOOT", "rebooting", "reboot_started"),
        (
            "HARD",
            "HARD_REBOOT",
            "rebooting_hard",
            "reboot_started_hard",
        ),
    ] {
        let now = cloud.now().elapsed().as_secs();
        job_id(&reboot(&mut cloud, &[&id], kind));
        assert_eq!(
            shown_status(&mut cloud, &id),
            status_triple(status, "active", Some(early))
        );
        move_clock_to(&mut cloud, now + if kind == "SOFT" { 30 } else { 15 });
        assert_eq!(
            shown_status(&mut cloud, &id),
            status_triple(status, "active", Some(late))
        );
        move_clock_to(&mut cloud, now + 40);
        assert_eq!(shown_status(&mut cloud, &id), on);
    }
    let now = cloud.now().elapsed().as_secs();
    job_id(&stop(&mut cloud, &[&id], "SOFT"));
    let stopping = status_triple("ACTIVE", "active", Some("powering-off"));
    assert_eq!(shown_status(&mut cloud, &id), stopping);
    move_clock_to(&mut cloud, now + 20);
    assert_eq!(shown_status(&mut cloud, &id), off);

    let executed = executed(&cloud, &id);
    assert_eq!(
        (executed.starts, executed.stops, executed.reboots),
        (1, 1, 2)
    );
    assert_eq!((executed.forced_stops, executed.forced_reboots), (0, 1));
}

#[test]
fn stop_without_a_type_is_graceful() {
    let mut cloud = cloud_state();
    let [a, b] = [(); 2].map(|()| add(&mut cloud, Running, None));
    job_id(&post(
        &mut cloud,
        &json!({"os-stop": {"servers": servers(&[&a])}}),
    ));
    assert_eq!(
        (
            executed(&cloud, &a).stops,
            executed(&cloud, &a).forced_stops
        ),
        (1, 0)
    );
    job_id(&stop(&mut cloud, &[&b], "HARD"));
    assert_eq!(
        (
            executed(&cloud, &b).stops,
            executed(&cloud, &b).forced_stops
        ),
        (1, 1)
    );
}

#[test]
fn undocumented_body_is_refused() {
    let mut cloud = cloud_state();
    let id = add(&mut cloud, Running, None);
    let list = servers(&[&id]);
    for body in [
        json!({"reboot": {"servers": list}}),
        json!({"reboot": {"servers": list, "type": "soft"}}),
        json!({"os-stop": {"servers": list, "type": "FORCE"}}),
        json!({"os-start": {"servers": list, "type": "SOFT"}}),
        json!({"os-start": {"servers": list}, "os-stop": {"servers": list}}),
        json!({"os-dance": {"servers": list}}),
        json!({"os-start": {"servers": [id]}}),
        json!({"os-start": {}}),
        json!({}),
        json!([]),
    ] {
        assert_eq!(
            status_and_code(&post(&mut cloud, &body)),
            (400, INVALID_BODY),
            "{body}"
        );
    }
    let garbage = read(&respond(&mut cloud, &power_request("{")));
    assert_eq!(status_and_code(&garbage), (400, INVALID_BODY));
    let empty = read(&respond(&mut cloud, &power_request("")));
    assert_eq!(status_and_code(&empty), (400, "Common.0002"));
    assert_eq!(executed(&cloud, &id), ExecutionCounts::default());
}

#[test]
fn batch_has_at_most_1000_servers_in_a_call_or_a_minute() {
    let mut cloud = cloud_state();
    let ids = testing::add(&mut cloud, REGION, 1001, Stopped, None);
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    assert_eq!(status_and_code(&start(&mut cloud, &ids)), (400, TOO_MANY));
    job_id(&start(&mut cloud, &ids[..1000]));

    cloud.switches.huawei.limit_is_per_minute = true;
    move_clock_to(&mut cloud, 59);
    assert_eq!(
        status_and_code(&start(&mut cloud, &ids[1000..])),
        (400, TOO_MANY)
    );
    move_clock_to(&mut cloud, 60);
    job_id(&start(&mut cloud, &ids[1000..]));
    assert_eq!(executed(&cloud, ids[1000]).starts, 1);
}

#[test]
fn empty_batch_is_accepted_only_by_switch() {
    let mut cloud = cloud_state();
    assert_eq!(
        status_and_code(&start(&mut cloud, &[])),
        (400, INVALID_BODY)
    );
    cloud.switches.huawei.accepts_empty_batch = true;
    let id = job_id(&start(&mut cloud, &[]));
    assert_eq!(job(&mut cloud, &id)["status"], "SUCCESS");
}

#[test]
fn server_named_twice_counts_once_or_is_refused_by_switch() {
    let mut cloud = cloud_state();
    let id = add(&mut cloud, Running, None);
    cloud.switches.huawei.folds_duplicates = false;
    assert_eq!(
        status_and_code(&reboot(&mut cloud, &[&id, &id], "SOFT")),
        (400, INVALID_BODY)
    );
    cloud.switches.huawei.folds_duplicates = true;
    job_id(&reboot(&mut cloud, &[&id, &id], "SOFT"));
    assert_eq!(executed(&cloud, &id).reboots, 1);
}

#[test]
fn action_in_each_state_and_impairment_has_the_documented_code() {
    use SimulatedState::{Rebooting, Starting, Stopping};
    const WRONG_STATE: &str = "Ecs.0100";
    const BUSY: &str = "Ecs.0603";
    const ACTIONS: [&str; 5] = [
        "start",
        "soft stop",
        "hard stop",
        "soft reboot",
        "hard reboot",
    ];
    // The codes of the actions, in the order of `ACTIONS`.
    let cases: [(SimulatedState, Option<Impairment>, [&str; 5]); 14] = [
        (
            Stopped,
            None,
            [NO_CODE, WRONG_STATE, WRONG_STATE, WRONG_STATE, WRONG_STATE],
        ),
        (
            Running,
            None,
            [WRONG_STATE, NO_CODE, NO_CODE, NO_CODE, NO_CODE],
        ),
        (Starting, None, [BUSY; 5]),
        (Stopping, None, [BUSY, BUSY, NO_CODE, BUSY, NO_CODE]),
        (Rebooting, None, [BUSY, BUSY, NO_CODE, BUSY, NO_CODE]),
        (Stopped, Some(Impairment::Creating), [WRONG_STATE; 5]),
        (Stopped, Some(Impairment::Changing), [BUSY; 5]),
        (Stopped, Some(Impairment::BrokenDisk), [WRONG_STATE; 5]),
        (Stopped, Some(Impairment::Recycled), [WRONG_STATE; 5]),
        (Running, Some(Impairment::Locked), ["Ecs.0605"; 5]),
        (Stopped, Some(Impairment::Expired), ["Ecs.0030"; 5]),
        (
            Stopped,
            Some(Impairment::Arrears),
            [
                "Ecs.0003",
                WRONG_STATE,
                WRONG_STATE,
                WRONG_STATE,
                WRONG_STATE,
            ],
        ),
        (
            Stopped,
            Some(Impairment::NoStock),
            [
                "Ecs.0319",
                WRONG_STATE,
                WRONG_STATE,
                WRONG_STATE,
                WRONG_STATE,
            ],
        ),
        (
            Running,
            Some(Impairment::Arrears),
            ["Ecs.0003", NO_CODE, NO_CODE, NO_CODE, NO_CODE],
        ),
    ];
    for (state, impairment, expected) in cases {
        for (action, expected) in ACTIONS.into_iter().zip(expected) {
            let mut cloud = cloud_state();
            cloud.switches.huawei.unfit_server = UnfitServer::Refused;
            cloud.switches.huawei.succeeds_in_target_state = false;
            let id = add(&mut cloud, state, impairment);
            let response = match action {
                "start" => start(&mut cloud, &[&id]),
                "soft stop" => stop(&mut cloud, &[&id], "SOFT"),
                "hard stop" => stop(&mut cloud, &[&id], "HARD"),
                "soft reboot" => reboot(&mut cloud, &[&id], "SOFT"),
                _ => reboot(&mut cloud, &[&id], "HARD"),
            };
            let case = format!("{action} in {state} {impairment:?}");
            assert_eq!(status_and_code(&response).1, expected, "{case}");
            let status = match expected {
                NO_CODE => 200,
                BUSY => 501,
                "Ecs.0003" => 403,
                _ => 400,
            };
            assert_eq!(response.0, status, "{case}");
            assert_eq!(
                executed(&cloud, &id) != ExecutionCounts::default(),
                expected == NO_CODE,
                "{case}"
            );
        }
    }
}

#[test]
fn unfit_server_fails_the_batch_or_its_sub_job_by_switch() {
    let mut cloud = cloud_state();
    let good = add(&mut cloud, Running, None);
    let bad = add(&mut cloud, Running, Impairment::Locked);
    let both = [good.as_str(), bad.as_str()];
    cloud.switches.huawei.unfit_server = UnfitServer::Refused;
    assert_eq!(
        status_and_code(&reboot(&mut cloud, &both, "SOFT")),
        (400, "Ecs.0605")
    );
    cloud.switches.huawei.unfit_server = UnfitServer::RefusedWithDetails;
    let response = reboot(&mut cloud, &both, "SOFT");
    assert_eq!(status_and_code(&response), (400, "Ecs.0611"));
    let details = response.1["error"]["details"].as_array().unwrap();
    assert_eq!(
        (details.len(), &details[0]["code"]),
        (1, &"Ecs.0605".into())
    );
    assert!(details[0]["message"].as_str().unwrap().contains(&bad));
    assert_eq!(executed(&cloud, &good).reboots, 0);

    cloud.switches.huawei.unfit_server = UnfitServer::SubJobFails;
    let id = job_id(&reboot(&mut cloud, &both, "SOFT"));
    assert_eq!(executed(&cloud, &good).reboots, 1);
    let new_job = job(&mut cloud, &id);
    assert_eq!(new_job["status"], "INIT");
    move_clock_to(&mut cloud, 20);
    let parts = job(&mut cloud, &id)["entities"]["sub_jobs"].clone();
    assert_eq!(
        (&parts[0]["status"], &parts[1]["status"]),
        (&"RUNNING".into(), &"FAIL".into())
    );
    assert_eq!(parts[1]["error_code"], "Ecs.0605");
}

#[test]
fn busy_server_fails_the_batch_or_its_sub_job_by_switch() {
    let mut cloud = cloud_state();
    let good = add(&mut cloud, Running, None);
    let busy = add(&mut cloud, SimulatedState::Rebooting, None);
    let both = [good.as_str(), busy.as_str()];
    assert_eq!(
        status_and_code(&stop(&mut cloud, &both, "SOFT")),
        (501, "Ecs.0603")
    );
    assert_eq!(executed(&cloud, &good).stops, 0);
    cloud.switches.huawei.busy_server = BusyServer::TreatedAsUnfit;
    let id = job_id(&stop(&mut cloud, &both, "SOFT"));
    move_clock_to(&mut cloud, 60);
    let parts = job(&mut cloud, &id)["entities"]["sub_jobs"].clone();
    assert_eq!(
        (&parts[0]["status"], &parts[1]["status"]),
        (&"SUCCESS".into(), &"FAIL".into())
    );
    assert_eq!(parts[1]["error_code"], "Ecs.0603");
}

#[test]
fn unknown_server_fails_the_batch_or_its_sub_job_by_switch() {
    let mut cloud = cloud_state();
    let good = add(&mut cloud, Running, None);
    let gone = add(&mut cloud, Running, None);
    cloud.delete(cloud.find(RegionScope::AllRegions, &gone).unwrap());
    let both = [good.as_str(), gone.as_str()];
    assert_eq!(
        status_and_code(&stop(&mut cloud, &both, "SOFT")),
        (404, "Ecs.0114")
    );
    cloud.switches.huawei.unknown_server = UnknownServer::Ecs0614;
    assert_eq!(
        status_and_code(&stop(&mut cloud, &both, "SOFT")),
        (404, "Ecs.0614")
    );
    assert_eq!(executed(&cloud, &good).stops, 0);
    cloud.switches.huawei.unknown_server = UnknownServer::SubJobFails;
    let id = job_id(&stop(&mut cloud, &both, "SOFT"));
    move_clock_to(&mut cloud, 60);
    let parts = job(&mut cloud, &id)["entities"]["sub_jobs"].clone();
    assert_eq!(parts[0]["status"], "SUCCESS");
    assert_eq!(
        (&parts[1]["status"], &parts[1]["error_code"]),
        (&"FAIL".into(), &"Ecs.0114".into())
    );
}

#[test]
fn action_in_the_target_state_succeeds_or_fails_without_execution() {
    for (succeeds, status) in [(true, "SUCCESS"), (false, "FAIL")] {
        let mut cloud = cloud_state();
        cloud.switches.huawei.succeeds_in_target_state = succeeds;
        let up = add(&mut cloud, Running, None);
        let down = add(&mut cloud, Stopped, None);
        let started = job_id(&start(&mut cloud, &[&up]));
        let stopped = job_id(&stop(&mut cloud, &[&down], "HARD"));
        for id in [started, stopped] {
            assert_eq!(job(&mut cloud, &id)["status"], status);
        }
        let rebooted = job_id(&reboot(&mut cloud, &[&down], "HARD"));
        assert_eq!(
            job(&mut cloud, &rebooted)["status"],
            "FAIL",
            "a stopped server cannot be rebooted"
        );
        assert_eq!(executed(&cloud, &up), ExecutionCounts::default());
        assert_eq!(executed(&cloud, &down), ExecutionCounts::default());
    }
}

#[test]
fn accepted_call_answers_200_or_202_by_switch() {
    let mut cloud = cloud_state();
    for status in [200, 202] {
        cloud.switches.huawei.accepted_status = status;
        let id = add(&mut cloud, Stopped, None);
        let response = start(&mut cloud, &[&id]);
        assert_eq!(response.0, status);
        assert_eq!(job_id(&response).len(), 32);
    }
}

#[test]
fn call_with_another_project_is_refused() {
    let mut cloud = cloud_state();
    let id = add(&mut cloud, Running, None);
    let path = |project: &str| format!("/v1/{project}/cloudservers/{id}");
    let unreplaced_placeholder = received("GET", &path("%7Bproject_id%7D"), &[("host", "h")], "");
    assert_eq!(
        status_and_code(&read(&respond(&mut cloud, &unreplaced_placeholder))),
        (400, "Ecs.0023")
    );
    cloud.switches.huawei.wrong_project = WrongProject::Common0018;
    assert_eq!(
        status_and_code(&read(&respond(&mut cloud, &unreplaced_placeholder))),
        (400, "Common.0018")
    );
    let header_differs_from_path =
        received("GET", &path(PROJECT), &[("x-project-id", "other")], "");
    assert_eq!(
        status_and_code(&read(&respond(&mut cloud, &header_differs_from_path))),
        (400, "Common.0018")
    );
    let same_in_both = received("GET", &path(PROJECT), &[("x-project-id", PROJECT)], "");
    assert_eq!(respond(&mut cloud, &same_in_both).status(), 200);
}

#[test]
fn server_of_another_region_is_not_found() {
    let mut cloud = cloud_state();
    let id = add(&mut cloud, Running, None);
    let elsewhere = cloud.scope("cn-north-1");
    let body = json!({"os-stop": {"servers": servers(&[&id])}}).to_string();
    let response = Huawei.handle(&mut cloud, &power_request(&body), elsewhere);
    assert_eq!(status_and_code(&read(&response)), (404, "Ecs.0114"));
}

#[test]
fn regional_host_name_contains_the_region() {
    for (host, region) in [
        ("ecs.cn-north-4.myhuaweicloud.com", Some("cn-north-4")),
        ("ecs.eu-west-101.myhuaweicloud.eu", Some("eu-west-101")),
        ("iam.cn-north-4.myhuaweicloud.com", Some("cn-north-4")),
        ("iam.myhuaweicloud.com", None),
        ("127.0.0.1", None),
    ] {
        assert_eq!(Huawei.region_of(host), region, "{host}");
    }
}
