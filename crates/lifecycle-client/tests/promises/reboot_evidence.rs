//! Tests of the promise that a reboot is reported as reached only with evidence.

use crate::{
    scripts::{timeline, with_job},
    support::{ids, outcomes, seconds},
};

#[tokio::test(start_paused = true)]
async fn reboot_is_reached_only_with_evidence() {
    type Timeline = &'static [(u64, &'static str)];
    let rows: [(Timeline, &str); 5] = [
        (&[(0, "running")], "Pending(Unconfirmed)"),
        (
            &[(0, "running"), (4, "rebooting"), (20, "running")],
            "Reached(LeftAndReturned)",
        ),
        (
            &[(0, "running 10:00"), (9, "running 10:05")],
            "Reached(StartTimeChanged)",
        ),
        // A boot that was under way before the request proves nothing.
        (&[(0, "starting"), (9, "running")], "Pending(Unconfirmed)"),
        (
            &[(0, "rebooting 10:00"), (9, "running 10:05")],
            "Pending(Unconfirmed)",
        ),
    ];
    for (steps, expected) in rows {
        let client = timeline(steps).client();
        let report = client.reboot(ids(1)).wait(seconds(60)).await.unwrap();
        let outcome = format!("{:?}", report.instances()[0].outcome);
        assert_eq!(outcome, expected, "{steps:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn job_status_of_an_instance_outweighs_the_status_of_the_job() {
    let cloud = with_job(
        &[
            "running",
            "running\ni-0 ok\ni-1 running",
            "ok\ni-0 ok\ni-1 busy",
        ],
        "running",
    );
    let report = cloud
        .client()
        .reboot(ids(2))
        .wait(seconds(300))
        .await
        .unwrap();
    assert_eq!(outcomes(&report), ["reached", "refused"]);
    assert_eq!(cloud.calls("job").len(), 3);
}

#[tokio::test(start_paused = true)]
async fn job_success_without_the_instance_is_confirmed_by_polling() {
    let cloud = with_job(&["ok"], "running");
    let report = cloud
        .client()
        .reboot(ids(2))
        .wait(seconds(300))
        .await
        .unwrap();
    assert_eq!(outcomes(&report), ["reached"; 2]);
    let cloud = with_job(&["ok"], "stopped");
    let report = cloud
        .client()
        .start(ids(2))
        .wait(seconds(60))
        .await
        .unwrap();
    assert_eq!(outcomes(&report), ["pending"; 2]);
}

#[tokio::test(start_paused = true)]
async fn job_failed_because_of_the_goal_state_is_unchanged() {
    let cloud = with_job(&["failed\ni-0 wrong-state"], "running");
    let report = cloud
        .client()
        .start(ids(1))
        .wait(seconds(60))
        .await
        .unwrap();
    assert_eq!(outcomes(&report), ["unchanged"]);
}
