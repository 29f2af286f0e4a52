//! What becomes of an accepted power call.

use super::*;
use crate::testing::at;

const DAY: u64 = 24 * 60 * 60;

#[test]
fn a_job_goes_through_its_states() {
    let mut site = site();
    let ids = testing::add(&mut site, REGION, 2, State::Stopped, None);
    let id = job_id(&start(&mut site, &[&ids[0], &ids[1]]));
    let init = job(&mut site, &id);
    assert_eq!(
        (&init["status"], &init["end_time"]),
        (&"INIT".into(), &"".into())
    );
    assert_eq!(init["entities"]["sub_jobs_total"], 0);

    at(&mut site, 10);
    let running = job(&mut site, &id);
    assert_eq!(
        (&running["status"], &running["end_time"]),
        (&"RUNNING".into(), &"".into())
    );
    assert!(running.get("error_code").is_none() && running.get("fail_reason").is_none());
    let part = &running["entities"]["sub_jobs"][1];
    assert_eq!(
        (&part["status"], &part["end_time"]),
        (&"RUNNING".into(), &"".into())
    );
    assert!(part.get("error_code").is_none() && part.get("fail_reason").is_none());
    assert_eq!(part["entities"]["server_id"], ids[1].as_str());

    at(&mut site, 30);
    let done = job(&mut site, &id);
    assert_eq!(done["status"], "SUCCESS");
    assert_eq!(done["begin_time"], "2026-01-01T00:00:00.000Z");
    assert_eq!(done["end_time"], "2026-01-01T00:00:30.000Z");
    assert_eq!(done["error_code"], Value::Null);
    assert!(done.as_object().unwrap().contains_key("fail_reason"));
    assert_eq!(done["entities"]["sub_jobs_total"], 2);
    let parts = done["entities"]["sub_jobs"].as_array().unwrap();
    assert_ne!(parts[0]["job_id"], parts[1]["job_id"]);
    assert!(parts.iter().all(|part| part["status"] == "SUCCESS"));
}

#[test]
fn a_boot_that_fails_fails_its_job() {
    let mut site = site();
    let down = add(&mut site, State::Stopped, Trouble::Broken);
    let up = add(&mut site, State::Running, Trouble::Broken);
    let started = job_id(&start(&mut site, &[&down]));
    let rebooted = job_id(&reboot(&mut site, &[&up], "SOFT"));
    at(&mut site, 10);
    assert_eq!(job(&mut site, &started)["status"], "RUNNING");
    at(&mut site, 60);
    for (id, cause, server) in [(started, "Ecs.0226", down), (rebooted, "Ecs.0227", up)] {
        let failed = job(&mut site, &id);
        assert_eq!(
            (&failed["status"], &failed["error_code"]),
            (&"FAIL".into(), &"Common.0021".into())
        );
        let part = &failed["entities"]["sub_jobs"][0];
        assert_eq!(
            (&part["status"], &part["error_code"]),
            (&"FAIL".into(), &cause.into())
        );
        assert!(part["entities"]["errorcode_message"].is_string());
        assert_eq!(standing(&mut site, &server).0, "ERROR");
    }
}

#[test]
fn a_partial_failure_shows_in_the_parent_by_switch() {
    let mut site = site();
    let good = add(&mut site, State::Stopped, None);
    let bad = add(&mut site, State::Stopped, Trouble::Locked);
    let partial = job_id(&start(&mut site, &[&good, &bad]));
    let whole = job_id(&start(&mut site, &[&bad]));
    at(&mut site, 60);
    assert_eq!(job(&mut site, &partial)["status"], "FAIL");
    site.switches.huawei.partial_failure_fails_job = false;
    let shown = job(&mut site, &partial);
    assert_eq!(
        (&shown["status"], &shown["error_code"]),
        (&"SUCCESS".into(), &Value::Null)
    );
    assert_eq!(shown["entities"]["sub_jobs"][1]["status"], "FAIL");
    assert_eq!(
        job(&mut site, &whole)["status"],
        "FAIL",
        "nothing succeeded"
    );
}

#[test]
fn the_job_of_one_server_may_have_no_parts() {
    let mut site = site();
    site.switches.huawei.bare_single_job = true;
    let good = add(&mut site, State::Stopped, None);
    let bad = add(&mut site, State::Stopped, Trouble::Locked);
    let started = job_id(&start(&mut site, &[&good]));
    let refused = job_id(&start(&mut site, &[&bad]));
    at(&mut site, 60);
    let started = job(&mut site, &started);
    assert_eq!(started["entities"], json!({"server_id": good}));
    let refused = job(&mut site, &refused);
    assert_eq!(
        (&refused["status"], &refused["error_code"]),
        (&"FAIL".into(), &"Ecs.0605".into())
    );
}

#[test]
fn a_stop_that_the_guest_ignores_runs_on_or_fails() {
    for (fails, status) in [(false, "RUNNING"), (true, "FAIL")] {
        let mut site = site();
        site.switches.huawei.stuck_stop_fails = fails;
        let id = add(&mut site, State::Running, Trouble::Stubborn);
        let stopping = job_id(&stop(&mut site, &[&id], "SOFT"));
        at(&mut site, 299);
        assert_eq!(job(&mut site, &stopping)["status"], "RUNNING");
        at(&mut site, 10_000);
        assert_eq!(job(&mut site, &stopping)["status"], status);
        assert_eq!(standing(&mut site, &id).2.as_deref(), Some("powering-off"));
        job_id(&stop(&mut site, &[&id], "HARD"));
        at(&mut site, 10_010);
        assert_eq!(standing(&mut site, &id).0, "SHUTOFF");
    }
}

#[test]
fn a_finished_job_is_deleted_after_a_day() {
    let mut site = site();
    let id = add(&mut site, State::Stopped, None);
    let started = format!("jobs/{}", job_id(&start(&mut site, &[&id])));
    at(&mut site, 30 + DAY);
    assert_eq!(get(&mut site, &started).0, 200);
    at(&mut site, 31 + DAY);
    assert_eq!(code(&get(&mut site, &started)), (400, "Common.0011"));
    site.switches.huawei.expired_job_status = 404;
    assert_eq!(code(&get(&mut site, &started)), (404, "Common.0011"));
    assert_eq!(code(&get(&mut site, "jobs/unknown")), (400, "Common.0011"));
}
