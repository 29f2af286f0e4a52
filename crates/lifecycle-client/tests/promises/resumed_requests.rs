//! Tests of the promise that a resumed request continues where an earlier process ended.

use futures_util::StreamExt;
use lifecycle_client::{
    Event, Evidence, InstanceReport, Outcome, Report, ResumePoint, WaitTimeout, Waves,
};
use lifecycle_core::{
    Fault, FaultKind, InstanceId, JobId, Observation, PowerState, StoppedBilling,
};

use crate::{
    scripts::{constant_state, with_job},
    support::{ScriptedCloud, all_in_state, id, ids, ok, outcomes, seconds},
};

const WAIT: WaitTimeout = WaitTimeout::minutes(5);

fn lost() -> Fault {
    Fault::new(FaultKind::NoAnswer, "the process ended")
}

/// Returns the instance as seen before the action.
fn before(n: usize, state: PowerState, started_at: Option<&str>) -> Option<Observation> {
    let seen = Observation::new(id(n), state, state.as_str());
    Some(seen.with_started_at(started_at.map(Into::into)))
}

fn unclear(before: Option<Observation>, resend: bool) -> ResumePoint {
    ResumePoint::Unclear {
        before,
        fault: lost(),
        resend,
    }
}

fn settled(n: usize, outcome: Outcome) -> (InstanceId, ResumePoint) {
    let row = InstanceReport::new(id(n), outcome);
    (id(n), ResumePoint::Settled(Box::new(row)))
}

fn accepted(job: Option<&str>) -> ResumePoint {
    ResumePoint::Accepted {
        before: None,
        request_id: Some("r-1".to_owned()),
        job: job.and_then(JobId::new),
    }
}

fn only(report: &Report) -> &Outcome {
    &report.instances()[0].outcome
}

#[tokio::test(start_paused = true)]
async fn settled_row_of_a_resumed_stop_has_a_price() {
    let cloud = ScriptedCloud::new(|_| ok("i-1 stopped"));
    let stop = cloud.client().stop(ids(2)).wait(WAIT);
    let report = stop.resume([settled(0, Outcome::Unchanged)]).await.unwrap();
    let prices = report.instances().iter().map(|row| row.billing);
    assert!(prices.eq([Some(StoppedBilling::Unknown); 2]), "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn reboot_with_a_changed_start_time_is_reached_and_not_sent_again() {
    let cloud = ScriptedCloud::new(|_| ok("i-0 running 2026-01-02"));
    let was = before(0, PowerState::Running, Some("2026-01-01"));
    for resend in [false, true] {
        let reboot = cloud.client().reboot(ids(1)).wait(WAIT);
        let report = reboot
            .resume([(id(0), unclear(was.clone(), resend))])
            .await
            .unwrap();
        let evidence = Evidence::StartTimeChanged;
        assert!(
            matches!(only(&report), Outcome::Reached(seen) if *seen == evidence),
            "{report:?}"
        );
        assert_eq!(cloud.calls("reboot"), []);
    }
}

#[tokio::test(start_paused = true)]
async fn reboot_without_evidence_is_uncertain_after_the_time_to_settle() {
    let cloud = ScriptedCloud::new(|_| ok("i-0 running 2026-01-01"));
    let was = before(0, PowerState::Running, Some("2026-01-01"));
    let reboot = cloud.client().reboot(ids(1)).wait(WAIT);
    let begin = tokio::time::Instant::now();
    let report = reboot.resume([(id(0), unclear(was, true))]).await.unwrap();
    assert_eq!(outcomes(&report), ["uncertain"]);
    assert_eq!(begin.elapsed().as_secs(), 30);
    assert_eq!(cloud.calls("reboot"), []);
}

#[tokio::test(start_paused = true)]
async fn instance_at_the_goal_is_not_sent_again_and_another_is() {
    let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "observe" if sent.at < seconds(1) => ok("i-0 running\ni-1 starting\ni-2 stopped"),
        "observe" => all_in_state(sent, "running"),
        _ => ok("ok"),
    });
    let points = (0..3).map(|n| (id(n), unclear(None, true)));
    let report = cloud
        .client()
        .start(ids(3))
        .wait(WAIT)
        .resume(points)
        .await
        .unwrap();
    assert_eq!(outcomes(&report), ["reached"; 3]);
    let sent: Vec<_> = cloud
        .calls("start")
        .into_iter()
        .map(|call| call.ids)
        .collect();
    assert_eq!(sent, [["i-2"]]);
}

#[tokio::test(start_paused = true)]
async fn accepted_action_is_watched_and_not_sent_again() {
    let cloud = constant_state("ok", "running");
    let start = cloud.client().start(ids(1)).wait(WAIT);
    let report = start.resume([(id(0), accepted(None))]).await.unwrap();
    assert_eq!(outcomes(&report), ["reached"]);
    assert_eq!(report.instances()[0].request_id.as_deref(), Some("r-1"));
    assert_eq!(cloud.calls("start"), []);
}

#[tokio::test(start_paused = true)]
async fn job_of_an_accepted_reboot_is_followed() {
    let cloud = with_job(&["running", "ok\ni-0 ok"], "running");
    let reboot = cloud.client().reboot(ids(1)).wait(WAIT);
    let report = reboot
        .resume([(id(0), accepted(Some("j-1")))])
        .await
        .unwrap();
    assert!(
        matches!(only(&report), Outcome::Reached(Evidence::Job(_))),
        "{report:?}"
    );
    assert_eq!(cloud.calls("reboot"), []);
}

#[tokio::test(start_paused = true)]
async fn waves_continue_in_the_first_wave_without_all_outcomes() {
    let cloud = constant_state("ok", "running");
    let points = [
        settled(0, Outcome::Unchanged),
        settled(1, Outcome::Accepted),
        settled(2, Outcome::Accepted),
    ];
    let waves = Waves::of(2).with_pause(seconds(600));
    let start = cloud.client().start(ids(6)).wait(WAIT).waves(waves);
    let begin = tokio::time::Instant::now();
    let report = start.resume(points).await.unwrap();
    let expected = [
        "unchanged",
        "accepted",
        "accepted",
        "reached",
        "reached",
        "reached",
    ];
    assert_eq!(outcomes(&report), expected);
    let sent: Vec<_> = cloud
        .calls("start")
        .into_iter()
        .map(|call| call.ids)
        .collect();
    assert_eq!(sent, [vec!["i-3"], vec!["i-4", "i-5"]]);
    let pauses = begin.elapsed().as_secs() / 600;
    assert_eq!(
        pauses, 1,
        "no pause before a wave that an earlier process began"
    );
}

#[tokio::test(start_paused = true)]
async fn failures_of_an_earlier_process_count_for_the_end_of_the_waves() {
    let cloud = constant_state("ok", "running");
    let points = [settled(0, Outcome::Refused(lost()))];
    let start = cloud.client().start(ids(3)).waves(Waves::of(1));
    let report = start.resume(points).await.unwrap();
    assert_eq!(outcomes(&report), ["refused", "skipped", "skipped"]);
    assert_eq!(cloud.log(), []);
}

#[tokio::test(start_paused = true)]
async fn finished_request_reports_its_rows_and_makes_no_call() {
    let cloud = constant_state("ok", "running");
    let points = [
        settled(1, Outcome::Accepted),
        settled(0, Outcome::Unchanged),
    ];
    let report = cloud
        .client()
        .reboot(ids(2))
        .wait(WAIT)
        .resume(points)
        .await
        .unwrap();
    assert_eq!(outcomes(&report), ["unchanged", "accepted"]);
    assert_eq!(cloud.log(), []);
}

#[tokio::test(start_paused = true)]
async fn action_that_cannot_be_sent_again_in_time_stays_uncertain() {
    let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "observe" => all_in_state(sent, "stopped"),
        _ => crate::support::CallResult::ConnectionRefused,
    });
    let start = cloud.client().start(ids(1)).wait(seconds(20));
    let report = start.resume([(id(0), unclear(None, true))]).await.unwrap();
    assert_eq!(outcomes(&report), ["uncertain"]);
}

#[tokio::test(start_paused = true)]
async fn cancelled_resume_reports_what_an_earlier_process_sent_as_uncertain() {
    let cloud = constant_state("ok", "running");
    let points = [settled(0, Outcome::Accepted), (id(1), unclear(None, false))];
    let reboot = cloud.client().reboot(ids(3)).wait(WAIT).resume(points);
    let report = reboot.events().cancel().unwrap();
    assert_eq!(outcomes(&report), ["accepted", "uncertain", "skipped"]);
}

#[tokio::test(start_paused = true)]
async fn action_is_sent_again_only_on_request_and_a_reboot_never() {
    let points = |resend| [(id(0), unclear(None, resend))];
    let cloud = constant_state("ok", "stopped");
    let client = cloud.client();
    let start = client.start(ids(1)).wait(WAIT).resume(points(false));
    assert_eq!(outcomes(&start.await.unwrap()), ["uncertain"]);
    let reboot = client.reboot(ids(1)).wait(WAIT).resume(points(true));
    assert_eq!(outcomes(&reboot.await.unwrap()), ["uncertain"]);
    assert_eq!(cloud.calls("start").len() + cloud.calls("reboot").len(), 0);
    let start = client.start(ids(1)).wait(WAIT).resume(points(true));
    assert_eq!(outcomes(&start.await.unwrap()), ["pending"]);
    assert_eq!(cloud.calls("start").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn job_of_several_instances_is_followed_once() {
    let cloud = with_job(&["ok\ni-0 ok\ni-1 ok\ni-2 ok"], "running");
    let points = [(0, "j-1"), (1, "j-2"), (2, "j-1")];
    let points = points.map(|(n, job)| (id(n), accepted(Some(job))));
    let start = cloud.client().start(ids(3)).wait(WAIT).resume(points);
    assert_eq!(outcomes(&start.await.unwrap()), ["reached"; 3]);
    let jobs = cloud.calls("job").into_iter();
    let jobs: Vec<_> = jobs.map(|read| read.ids.concat()).collect();
    assert_eq!(jobs, ["j-1", "j-2"]);
}

#[tokio::test(start_paused = true)]
async fn row_of_an_earlier_process_is_an_event_and_its_wave_does_not_begin_again() {
    let cloud = constant_state("ok", "running");
    let start = cloud.client().start(ids(2)).wait(WAIT).waves(Waves::of(1));
    let request = start.resume([settled(0, Outcome::Unchanged)]);
    let events: Vec<Event> = request.events().collect().await;
    let words = events.iter().filter_map(|event| match event {
        Event::Settled(row) => Some(format!("{} {}", row.instance, row.outcome.as_str())),
        Event::Wave { number, .. } => Some(format!("wave {number}")),
        _ => None,
    });
    let words: Vec<_> = words.collect();
    assert_eq!(words, ["i-0 unchanged", "wave 2", "i-1 reached"]);
}
