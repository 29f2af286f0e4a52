//! Tests of the jobs of accepted simulated Huawei power calls.

use super::*;
use crate::testing::move_clock_to;

const DAY: u64 = 24 * 60 * 60;

#[test]
fn job_changes_from_init_to_running_to_success() {
    let mut cloud = cloud_state();
    let ids = testing::add(&mut cloud, REGION, 2, Stopped, None);
    let id = job_id(&start(&mut cloud, &[&ids[0], &ids[1]]));
    let initial = job(&mut cloud, &id);
    assert_eq!(
        (&initial["status"], &initial["end_time"]),
        (&"INIT".into(), &"".into())
    );
    assert_eq!(initial["entities"]["sub_jobs_total"], 0);

    move_clock_to(&mut cloud, 10);
    let running = job(&mut cloud, &id);
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

    move_clock_to(&mut cloud, 30);
    let done = job(&mut cloud, &id);
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
fn failed_boot_fails_the_job() {
    let mut cloud = cloud_state();
    let down = add(&mut cloud, Stopped, Impairment::FailsToBoot);
    let up = add(&mut cloud, Running, Impairment::FailsToBoot);
    let started = job_id(&start(&mut cloud, &[&down]));
    let rebooted = job_id(&reboot(&mut cloud, &[&up], "SOFT"));
    move_clock_to(&mut cloud, 10);
    assert_eq!(job(&mut cloud, &started)["status"], "RUNNING");
    move_clock_to(&mut cloud, 60);
    for (id, cause, server) in [(started, "Ecs.0226", down), (rebooted, "Ecs.0227", up)] {
        let failed = job(&mut cloud, &id);
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
        assert_eq!(shown_status(&mut cloud, &server).0, "ERROR");
    }
}

#[test]
fn partial_failure_fails_the_parent_job_by_switch() {
    let mut cloud = cloud_state();
    let good = add(&mut cloud, Stopped, None);
    let bad = add(&mut cloud, Stopped, Impairment::Locked);
    let partial = job_id(&start(&mut cloud, &[&good, &bad]));
    let failed = job_id(&start(&mut cloud, &[&bad]));
    move_clock_to(&mut cloud, 60);
    assert_eq!(job(&mut cloud, &partial)["status"], "FAIL");
    cloud.switches.huawei.partial_failure_fails_job = false;
    let shown = job(&mut cloud, &partial);
    assert_eq!(
        (&shown["status"], &shown["error_code"]),
        (&"SUCCESS".into(), &Value::Null)
    );
    assert_eq!(shown["entities"]["sub_jobs"][1]["status"], "FAIL");
    assert_eq!(
        job(&mut cloud, &failed)["status"],
        "FAIL",
        "nothing succeeded"
    );
}

#[test]
fn job_of_one_server_has_no_sub_jobs_by_switch() {
    let mut cloud = cloud_state();
    cloud.switches.huawei.bare_single_job = true;
    let good = add(&mut cloud, Stopped, None);
    let bad = add(&mut cloud, Stopped, Impairment::Locked);
    let started = job_id(&start(&mut cloud, &[&good]));
    let refused = job_id(&start(&mut cloud, &[&bad]));
    move_clock_to(&mut cloud, 60);
    let started = job(&mut cloud, &started);
    assert_eq!(started["entities"], json!({"server_id": good}));
    let refused = job(&mut cloud, &refused);
    assert_eq!(
        (&refused["status"], &refused["error_code"]),
        (&"FAIL".into(), &"Ecs.0605".into())
    );
}

#[test]
fn ignored_stop_runs_or_fails_after_five_minutes_by_switch() {
    for (fails, status) in [(false, "RUNNING"), (true, "FAIL")] {
        let mut cloud = cloud_state();
        cloud.switches.huawei.stuck_stop_fails = fails;
        let id = add(&mut cloud, Running, Impairment::Stubborn);
        let stopping = job_id(&stop(&mut cloud, &[&id], "SOFT"));
        move_clock_to(&mut cloud, 299);
        assert_eq!(job(&mut cloud, &stopping)["status"], "RUNNING");
        move_clock_to(&mut cloud, 10_000);
        assert_eq!(job(&mut cloud, &stopping)["status"], status);
        assert_eq!(
            shown_status(&mut cloud, &id).2.as_deref(),
            Some("powering-off")
        );
        job_id(&stop(&mut cloud, &[&id], "HARD"));
        move_clock_to(&mut cloud, 10_010);
        assert_eq!(shown_status(&mut cloud, &id).0, "SHUTOFF");
    }
}

#[test]
fn finished_job_is_deleted_after_a_day() {
    let mut cloud = cloud_state();
    let id = add(&mut cloud, Stopped, None);
    let started = format!("jobs/{}", job_id(&start(&mut cloud, &[&id])));
    move_clock_to(&mut cloud, 30 + DAY);
    assert_eq!(get(&mut cloud, &started).0, 200);
    move_clock_to(&mut cloud, 31 + DAY);
    assert_eq!(
        status_and_code(&get(&mut cloud, &started)),
        (400, "Common.0011")
    );
    cloud.switches.huawei.expired_job_status = 404;
    assert_eq!(
        status_and_code(&get(&mut cloud, &started)),
        (404, "Common.0011")
    );
    assert_eq!(
        status_and_code(&get(&mut cloud, "jobs/unknown")),
        (400, "Common.0011")
    );
}
