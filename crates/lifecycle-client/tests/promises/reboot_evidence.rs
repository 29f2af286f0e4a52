//! Tests of the promise that a reboot is reported as reached only with evidence.

use crate::{
    scripts::{timeline, timeline_after, with_job},
    support::{CallResult, ids, ok, outcomes, seconds},
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

/// A view can be 15 s old: the states of a boot or a reboot before the request arrive after the
/// request, also after a newer view.
#[tokio::test(start_paused = true)]
async fn view_that_can_precede_the_request_is_no_evidence_of_a_reboot() {
    type Timeline = &'static [(u64, &'static str)];
    type Response = fn() -> CallResult;
    const ACCEPTED: Response = || ok("ok");
    const LOST: Response = || CallResult::ConnectionBroken;
    let rows: [(Response, Timeline, &str); 10] = [
        // The boot of an instance that was starting.
        (
            LOST,
            &[
                (0, "starting"),
                (1, "running"),
                (4, "starting"),
                (7, "running"),
            ],
            "uncertain",
        ),
        (
            ACCEPTED,
            &[
                (0, "starting"),
                (1, "running"),
                (4, "starting"),
                (7, "running"),
            ],
            "pending",
        ),
        // The boot goes on after the request, and its view comes later still.
        (
            ACCEPTED,
            &[
                (0, "starting"),
                (7, "running"),
                (16, "starting"),
                (19, "running"),
            ],
            "pending",
        ),
        (
            ACCEPTED,
            &[
                (0, "starting"),
                (1, "running"),
                (24, "rebooting"),
                (40, "running"),
            ],
            "reached",
        ),
        // The boot or the reboot of an instance that runs again when the request begins.
        (
            LOST,
            &[(0, "running"), (4, "starting"), (7, "running")],
            "uncertain",
        ),
        (
            LOST,
            &[(0, "running"), (4, "rebooting"), (7, "running")],
            "uncertain",
        ),
        (
            LOST,
            &[
                (0, "running 10:05"),
                (4, "starting 10:00"),
                (7, "running 10:05"),
            ],
            "uncertain",
        ),
        (
            LOST,
            &[(0, "running"), (4, "rebooting"), (25, "running")],
            "reached",
        ),
        // The acceptance and a state other than running together are evidence.
        (
            ACCEPTED,
            &[(0, "running"), (4, "rebooting"), (7, "running")],
            "reached",
        ),
        (
            ACCEPTED,
            &[(0, "running"), (4, "starting"), (7, "running")],
            "reached",
        ),
    ];
    for (result, steps, expected) in rows {
        let client = timeline_after(result, steps).client();
        let report = client.reboot(ids(1)).wait(seconds(60)).await.unwrap();
        let row = &report.instances()[0];
        assert_eq!(row.outcome.as_str(), expected, "{steps:?}: {row}");
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

#[tokio::test(start_paused = true)]
async fn success_of_the_part_of_an_instance_ends_the_reboot_at_once() {
    let cloud = with_job(&["running\ni-0 ok"], "running");
    let begin = tokio::time::Instant::now();
    let reboot = cloud.client().reboot(ids(1)).wait(seconds(300));
    assert_eq!(outcomes(&reboot.await.unwrap()), ["reached"]);
    assert!(begin.elapsed() < seconds(3), "{:?}", begin.elapsed());
    assert_eq!(cloud.calls("job").len(), 1);
}
