//! Start, stop and reboot.

use super::*;
use crate::{
    huawei::switches::{BusyServer, UnfitServer, UnknownServer, WrongProject},
    testing::at,
};

fn words(status: &str, vm_state: &str, task: Option<&str>) -> (String, String, Option<String>) {
    (status.into(), vm_state.into(), task.map(str::to_owned))
}

#[test]
fn actions_take_the_documented_way() {
    let mut site = site();
    let id = add(&mut site, State::Stopped, None);
    let (on, off) = (
        words("ACTIVE", "active", None),
        words("SHUTOFF", "stopped", None),
    );
    assert_eq!(standing(&mut site, &id), off);
    job_id(&start(&mut site, &[&id]));
    let starting = words("SHUTOFF", "stopped", Some("powering-on"));
    assert_eq!(standing(&mut site, &id), starting);
    at(&mut site, 30);
    assert_eq!(standing(&mut site, &id), on);

    for (kind, status, early, late) in [
        ("SOFT", "REBOOT", "rebooting", "reboot_started"),
        (
            "HARD",
            "HARD_REBOOT",
            "rebooting_hard",
            "reboot_started_hard",
        ),
    ] {
        let now = site.now().elapsed().as_secs();
        job_id(&reboot(&mut site, &[&id], kind));
        assert_eq!(
            standing(&mut site, &id),
            words(status, "active", Some(early))
        );
        at(&mut site, now + if kind == "SOFT" { 30 } else { 15 });
        assert_eq!(
            standing(&mut site, &id),
            words(status, "active", Some(late))
        );
        at(&mut site, now + 40);
        assert_eq!(standing(&mut site, &id), on);
    }
    let now = site.now().elapsed().as_secs();
    job_id(&stop(&mut site, &[&id], "SOFT"));
    let stopping = words("ACTIVE", "active", Some("powering-off"));
    assert_eq!(standing(&mut site, &id), stopping);
    at(&mut site, now + 20);
    assert_eq!(standing(&mut site, &id), off);

    let executed = executed(&site, &id);
    assert_eq!(
        (executed.starts, executed.stops, executed.reboots),
        (1, 1, 2)
    );
    assert_eq!((executed.forced_stops, executed.forced_reboots), (0, 1));
}

#[test]
fn a_stop_is_graceful_unless_told() {
    let mut site = site();
    let [a, b] = [(); 2].map(|()| add(&mut site, State::Running, None));
    job_id(&post(
        &mut site,
        &json!({"os-stop": {"servers": servers(&[&a])}}),
    ));
    assert_eq!(
        (executed(&site, &a).stops, executed(&site, &a).forced_stops),
        (1, 0)
    );
    job_id(&stop(&mut site, &[&b], "HARD"));
    assert_eq!(
        (executed(&site, &b).stops, executed(&site, &b).forced_stops),
        (1, 1)
    );
}

#[test]
fn only_the_documented_bodies_are_taken() {
    let mut site = site();
    let id = add(&mut site, State::Running, None);
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
        assert_eq!(code(&post(&mut site, &body)), (400, "Ecs.0005"), "{body}");
    }
    let garbage = read(&answer(&mut site, &order("{")));
    assert_eq!(code(&garbage), (400, "Ecs.0005"));
    let empty = read(&answer(&mut site, &order("")));
    assert_eq!(code(&empty), (400, "Common.0002"));
    assert_eq!(executed(&site, &id), Executed::default());
}

#[test]
fn a_batch_holds_a_thousand() {
    let mut site = site();
    let ids = testing::add(&mut site, REGION, 1001, State::Stopped, None);
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    assert_eq!(code(&start(&mut site, &ids)), (400, "Ecs.0118"));
    job_id(&start(&mut site, &ids[..1000]));

    site.switches.huawei.limit_is_per_minute = true;
    at(&mut site, 59);
    assert_eq!(code(&start(&mut site, &ids[1000..])), (400, "Ecs.0118"));
    at(&mut site, 60);
    job_id(&start(&mut site, &ids[1000..]));
    assert_eq!(executed(&site, ids[1000]).starts, 1);
}

#[test]
fn an_empty_batch_is_taken_by_switch() {
    let mut site = site();
    assert_eq!(code(&start(&mut site, &[])), (400, "Ecs.0005"));
    site.switches.huawei.accepts_empty_batch = true;
    let id = job_id(&start(&mut site, &[]));
    assert_eq!(job(&mut site, &id)["status"], "SUCCESS");
}

#[test]
fn a_server_named_twice_is_taken_once_or_refused() {
    let mut site = site();
    let id = add(&mut site, State::Running, None);
    site.switches.huawei.folds_duplicates = false;
    assert_eq!(
        code(&reboot(&mut site, &[&id, &id], "SOFT")),
        (400, "Ecs.0005")
    );
    site.switches.huawei.folds_duplicates = true;
    job_id(&reboot(&mut site, &[&id, &id], "SOFT"));
    assert_eq!(executed(&site, &id).reboots, 1);
}

#[test]
fn each_state_and_trouble_has_its_code() {
    use State::{Rebooting, Running, Starting, Stopped, Stopping};
    const OK: &str = "no code";
    const WRONG: &str = "Ecs.0100";
    const BUSY: &str = "Ecs.0603";
    // start, soft stop, hard stop, soft reboot, hard reboot
    let cases: [(State, Option<Trouble>, [&str; 5]); 14] = [
        (Stopped, None, [OK, WRONG, WRONG, WRONG, WRONG]),
        (Running, None, [WRONG, OK, OK, OK, OK]),
        (Starting, None, [BUSY; 5]),
        (Stopping, None, [BUSY, BUSY, OK, BUSY, OK]),
        (Rebooting, None, [BUSY, BUSY, OK, BUSY, OK]),
        (Stopped, Some(Trouble::Creating), [WRONG; 5]),
        (Stopped, Some(Trouble::Changing), [BUSY; 5]),
        (Stopped, Some(Trouble::Failed), [WRONG; 5]),
        (Stopped, Some(Trouble::Recycled), [WRONG; 5]),
        (Running, Some(Trouble::Locked), ["Ecs.0605"; 5]),
        (Stopped, Some(Trouble::Expired), ["Ecs.0030"; 5]),
        (
            Stopped,
            Some(Trouble::Arrears),
            ["Ecs.0003", WRONG, WRONG, WRONG, WRONG],
        ),
        (
            Stopped,
            Some(Trouble::NoStock),
            ["Ecs.0319", WRONG, WRONG, WRONG, WRONG],
        ),
        (
            Running,
            Some(Trouble::Arrears),
            ["Ecs.0003", OK, OK, OK, OK],
        ),
    ];
    for (state, trouble, expected) in cases {
        for (place, expected) in expected.into_iter().enumerate() {
            let mut site = site();
            site.switches.huawei.unfit_server = UnfitServer::Refused;
            site.switches.huawei.idle_succeeds = false;
            let id = add(&mut site, state, trouble);
            let answer = match place {
                0 => start(&mut site, &[&id]),
                1 => stop(&mut site, &[&id], "SOFT"),
                2 => stop(&mut site, &[&id], "HARD"),
                3 => reboot(&mut site, &[&id], "SOFT"),
                _ => reboot(&mut site, &[&id], "HARD"),
            };
            let case = format!("order {place} to {state} {trouble:?}");
            assert_eq!(code(&answer).1, expected, "{case}");
            let status = match expected {
                OK => 200,
                BUSY => 501,
                "Ecs.0003" => 403,
                _ => 400,
            };
            assert_eq!(answer.0, status, "{case}");
            assert_eq!(
                executed(&site, &id) != Executed::default(),
                expected == OK,
                "{case}"
            );
        }
    }
}

#[test]
fn an_unfit_server_spoils_the_batch_or_its_own_part() {
    let mut site = site();
    let good = add(&mut site, State::Running, None);
    let bad = add(&mut site, State::Running, Trouble::Locked);
    let both = [good.as_str(), bad.as_str()];
    site.switches.huawei.unfit_server = UnfitServer::Refused;
    assert_eq!(code(&reboot(&mut site, &both, "SOFT")), (400, "Ecs.0605"));
    site.switches.huawei.unfit_server = UnfitServer::RefusedWithDetails;
    let answer = reboot(&mut site, &both, "SOFT");
    assert_eq!(code(&answer), (400, "Ecs.0611"));
    let details = answer.1["error"]["details"].as_array().unwrap();
    assert_eq!(
        (details.len(), &details[0]["code"]),
        (1, &"Ecs.0605".into())
    );
    assert!(details[0]["message"].as_str().unwrap().contains(&bad));
    assert_eq!(executed(&site, &good).reboots, 0);

    site.switches.huawei.unfit_server = UnfitServer::SubJobFails;
    let id = job_id(&reboot(&mut site, &both, "SOFT"));
    assert_eq!(executed(&site, &good).reboots, 1);
    let running = job(&mut site, &id);
    assert_eq!(running["status"], "INIT");
    at(&mut site, 20);
    let parts = job(&mut site, &id)["entities"]["sub_jobs"].clone();
    assert_eq!(
        (&parts[0]["status"], &parts[1]["status"]),
        (&"RUNNING".into(), &"FAIL".into())
    );
    assert_eq!(parts[1]["error_code"], "Ecs.0605");
}

#[test]
fn a_busy_server_spoils_the_batch_or_its_own_part() {
    let mut site = site();
    let good = add(&mut site, State::Running, None);
    let busy = add(&mut site, State::Rebooting, None);
    let both = [good.as_str(), busy.as_str()];
    assert_eq!(code(&stop(&mut site, &both, "SOFT")), (501, "Ecs.0603"));
    assert_eq!(executed(&site, &good).stops, 0);
    site.switches.huawei.busy_server = BusyServer::Unfit;
    let id = job_id(&stop(&mut site, &both, "SOFT"));
    at(&mut site, 60);
    let parts = job(&mut site, &id)["entities"]["sub_jobs"].clone();
    assert_eq!(
        (&parts[0]["status"], &parts[1]["status"]),
        (&"SUCCESS".into(), &"FAIL".into())
    );
    assert_eq!(parts[1]["error_code"], "Ecs.0603");
}

#[test]
fn an_unknown_server_spoils_the_batch_or_its_own_part() {
    let mut site = site();
    let good = add(&mut site, State::Running, None);
    let gone = add(&mut site, State::Running, None);
    site.delete(site.find(Scope::Everywhere, &gone).unwrap());
    let both = [good.as_str(), gone.as_str()];
    assert_eq!(code(&stop(&mut site, &both, "SOFT")), (404, "Ecs.0114"));
    site.switches.huawei.unknown_server = UnknownServer::Ecs0614;
    assert_eq!(code(&stop(&mut site, &both, "SOFT")), (404, "Ecs.0614"));
    assert_eq!(executed(&site, &good).stops, 0);
    site.switches.huawei.unknown_server = UnknownServer::SubJobFails;
    let id = job_id(&stop(&mut site, &both, "SOFT"));
    at(&mut site, 60);
    let parts = job(&mut site, &id)["entities"]["sub_jobs"].clone();
    assert_eq!(parts[0]["status"], "SUCCESS");
    assert_eq!(
        (&parts[1]["status"], &parts[1]["error_code"]),
        (&"FAIL".into(), &"Ecs.0114".into())
    );
}

#[test]
fn idle_orders_succeed_or_fail_and_do_nothing() {
    for (succeeds, status) in [(true, "SUCCESS"), (false, "FAIL")] {
        let mut site = site();
        site.switches.huawei.idle_succeeds = succeeds;
        let up = add(&mut site, State::Running, None);
        let down = add(&mut site, State::Stopped, None);
        let started = job_id(&start(&mut site, &[&up]));
        let stopped = job_id(&stop(&mut site, &[&down], "HARD"));
        for id in [started, stopped] {
            assert_eq!(job(&mut site, &id)["status"], status);
        }
        let rebooted = job_id(&reboot(&mut site, &[&down], "HARD"));
        assert_eq!(job(&mut site, &rebooted)["status"], "FAIL", "never idle");
        assert_eq!(executed(&site, &up), Executed::default());
        assert_eq!(executed(&site, &down), Executed::default());
    }
}

#[test]
fn acceptance_is_200_or_202() {
    let mut site = site();
    for status in [200, 202] {
        site.switches.huawei.accepted_status = status;
        let id = add(&mut site, State::Stopped, None);
        let answer = start(&mut site, &[&id]);
        assert_eq!(answer.0, status);
        assert_eq!(job_id(&answer).len(), 32);
    }
}

#[test]
fn a_project_keeps_to_itself() {
    let mut site = site();
    let id = add(&mut site, State::Running, None);
    let path = |project: &str| format!("/v1/{project}/cloudservers/{id}");
    let strange = received("GET", &path("%7Bproject_id%7D"), &[("host", "h")], "");
    assert_eq!(code(&read(&answer(&mut site, &strange))), (400, "Ecs.0023"));
    site.switches.huawei.wrong_project = WrongProject::Common0018;
    assert_eq!(
        code(&read(&answer(&mut site, &strange))),
        (400, "Common.0018")
    );
    let torn = received("GET", &path(PROJECT), &[("x-project-id", "other")], "");
    assert_eq!(code(&read(&answer(&mut site, &torn))), (400, "Common.0018"));
    let whole = received("GET", &path(PROJECT), &[("x-project-id", PROJECT)], "");
    assert_eq!(answer(&mut site, &whole).status(), 200);
}

#[test]
fn regions_keep_to_themselves() {
    let mut site = site();
    let id = add(&mut site, State::Running, None);
    let elsewhere = site.scope("cn-north-1");
    let body = json!({"os-stop": {"servers": servers(&[&id])}}).to_string();
    let answer = Huawei.perform(&mut site, &order(&body), elsewhere);
    assert_eq!(code(&read(&answer)), (404, "Ecs.0114"));
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
