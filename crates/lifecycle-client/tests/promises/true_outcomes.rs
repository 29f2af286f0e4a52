//! Tests of the promise that outcomes are true. Refused, uncertain, unchanged and pending mean what
//! the documentation says.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures_util::StreamExt;
use lifecycle_client::{Event, Outcome, Pending};
use lifecycle_core::FaultKind;

use crate::support::{
    CallResult, ScriptedCloud, SentCall, all_in_state, answer, fault, ids, ok, outcomes, seconds,
    server_error,
};

/// Refuses every start, whole batches first, and shows everything stopped; after the first
/// seconds, `later` answers observations.
fn refusing(later: impl Fn(&SentCall) -> CallResult + Send + 'static) -> ScriptedCloud {
    ScriptedCloud::new(move |sent| match sent.operation.as_str() {
        "observe" if sent.at < seconds(2) => all_in_state(sent, "stopped"),
        "observe" => later(sent),
        _ => fault(FaultKind::WrongState),
    })
}

#[tokio::test(start_paused = true)]
async fn instance_listed_as_failed_in_successful_response_is_refused() {
    let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "observe" => all_in_state(sent, "changing"),
        _ => ok("except i-1"),
    });
    let report = cloud.client().start(ids(3)).await.unwrap();
    assert_eq!(outcomes(&report), ["accepted", "refused", "accepted"]);
}

/// An expired or broken instance makes the cloud refuse the batch, and is refused alone after that.
#[tokio::test(start_paused = true)]
async fn unfit_instance_of_a_refused_batch_is_refused_at_once() {
    for state in ["expired", "failed"] {
        let cloud = ScriptedCloud::new(move |sent| match sent.operation.as_str() {
            "observe" => {
                let state_of = |id: &String| match id.as_str() {
                    "i-1" => format!("{id} {state}"),
                    _ => format!("{id} stopped"),
                };
                let lines: Vec<String> = sent.ids.iter().map(state_of).collect();
                ok(lines.join("\n"))
            }
            _ if sent.ids.iter().any(|id| id == "i-1") => fault(FaultKind::Capacity),
            _ => ok("ok"),
        });
        let report = cloud.client().start(ids(2)).await.unwrap();
        assert_eq!(outcomes(&report), ["accepted", "refused"], "{state}");
        assert!(cloud.log().last().unwrap().at < seconds(3), "{state}");
    }
}

#[tokio::test(start_paused = true)]
async fn instance_missing_from_response_is_uncertain() {
    let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "observe" => all_in_state(sent, "stopped"),
        _ => ok("each i-0=ok i-1=no"),
    });
    let report = cloud.client().start(ids(3)).await.unwrap();
    assert_eq!(outcomes(&report), ["accepted", "refused", "uncertain"]);
}

#[tokio::test(start_paused = true)]
async fn repeat_rejected_because_first_attempt_worked_is_accepted() {
    let count = AtomicUsize::new(0);
    let cloud = ScriptedCloud::new(move |sent| match sent.operation.as_str() {
        "observe" => all_in_state(sent, "starting"),
        _ => match count.fetch_add(1, Ordering::Relaxed) {
            0 => CallResult::ConnectionBroken,
            _ => fault(FaultKind::WrongState),
        },
    });
    let report = cloud.client().start(ids(3)).await.unwrap();
    assert_eq!(outcomes(&report), ["accepted"; 3]);
}

#[tokio::test(start_paused = true)]
async fn rejected_batch_is_refused_only_if_instances_stay_unchanged() {
    let seen = refusing(|sent| all_in_state(sent, "stopped"));
    let report = seen.client().start(ids(2)).await.unwrap();
    assert_eq!(outcomes(&report), ["refused"; 2]);
    let unseen = refusing(|_| fault(FaultKind::Permission));
    let report = unseen.client().start(ids(2)).await.unwrap();
    assert_eq!(outcomes(&report), ["uncertain"; 2]);
    let moved = refusing(|sent| all_in_state(sent, "starting"));
    let report = moved.client().start(ids(2)).await.unwrap();
    assert_eq!(outcomes(&report), ["accepted"; 2]);
}

#[tokio::test(start_paused = true)]
async fn rejection_explained_by_a_later_view_is_unchanged() {
    for state in ["running", "starting"] {
        let cloud = refusing(move |sent| all_in_state(sent, state));
        let client = cloud.client();
        let events: Vec<Event> = client.start(ids(1)).events().collect().await;
        let accepted = |event: &Event| matches!(event, Event::Accepted { .. });
        assert!(!events.iter().any(accepted), "nobody has accepted it");
        let Some(Event::Finished(Ok(report))) = events.last() else {
            panic!("no report");
        };
        assert_eq!(outcomes(report), ["unchanged"], "{state}");
    }
}

#[tokio::test(start_paused = true)]
async fn rejection_of_a_single_instance_needs_no_lookup() {
    let cloud = refusing(|_| fault(FaultKind::Permission));
    let report = cloud.client().start(ids(1)).await.unwrap();
    assert_eq!(outcomes(&report), ["refused"]);
}

#[tokio::test(start_paused = true)]
async fn unobservable_instance_of_rejected_batch_is_uncertain() {
    let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "observe" => fault(FaultKind::Permission),
        _ => fault(FaultKind::WrongState),
    });
    let client = cloud.client();
    // The cloud may have done a part of the batch that it refused, and refuse a repeat for it.
    let report = client.stop(ids(2)).await.unwrap();
    assert_eq!(outcomes(&report), ["uncertain"; 2]);
    let report = client.stop(ids(1)).await.unwrap();
    assert_eq!(outcomes(&report), ["refused"]);
}

#[tokio::test(start_paused = true)]
async fn instance_broken_after_rejected_batch_is_uncertain() {
    let cloud = ScriptedCloud::new(|sent| match (&*sent.operation, sent.ids.len()) {
        ("start", 3) => fault(FaultKind::WrongState),
        ("start", _) => ok("ok"),
        _ => {
            let state = |id: &String| if id == "i-0" { "failed" } else { "stopped" };
            let lines = sent.ids.iter().map(|id| format!("{id} {}", state(id)));
            ok(lines.collect::<Vec<_>>().join("\n"))
        }
    });
    let report = cloud.client().start(ids(3)).await.unwrap();
    assert_eq!(outcomes(&report), ["uncertain", "accepted", "accepted"]);
}

#[tokio::test(start_paused = true)]
async fn job_success_does_not_outweigh_a_later_lookup() {
    let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "observe" => all_in_state(sent, "stopped"),
        "job" => ok("ok\ni-0 ok"),
        _ => ok("job j-1"),
    });
    let report = cloud.client().start(ids(1)).wait(seconds(60)).await;
    assert_eq!(outcomes(&report.unwrap()), ["pending"]);
}

#[tokio::test(start_paused = true)]
async fn failed_job_after_a_lost_answer_is_not_trusted() {
    for (state, expected) in [
        ("running", "reached"),
        ("failed", "uncertain"),
        ("stopped", "uncertain"),
    ] {
        let mut calls = 0;
        let cloud = ScriptedCloud::new(move |sent| match sent.operation.as_str() {
            "observe" => all_in_state(sent, state),
            "job" => ok("failed\ni-0 wrong-state"),
            _ => {
                calls += 1;
                match calls {
                    1 => CallResult::ConnectionBroken,
                    _ => ok("job j-1"),
                }
            }
        });
        let report = cloud.client().start(ids(1)).wait(seconds(300)).await;
        assert_eq!(outcomes(&report.unwrap()), [expected], "{state}");
    }
}

#[tokio::test(start_paused = true)]
async fn missing_instance_of_an_accepted_batch_without_a_list_is_refused() {
    let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "observe" if sent.ids.contains(&"i-0".to_owned()) => ok("i-0 stopped"),
        "observe" => ok(""),
        _ => ok("unlisted"),
    });
    let report = cloud.client().start(ids(2)).await.unwrap();
    assert_eq!(outcomes(&report), ["accepted", "refused"]);
}

#[tokio::test(start_paused = true)]
async fn instance_that_vanishes_after_an_accepted_batch_without_a_list_is_uncertain() {
    let is_sent = AtomicBool::new(false);
    let cloud = ScriptedCloud::new(move |sent| match sent.operation.as_str() {
        "observe" if !is_sent.load(Ordering::Relaxed) => ok("i-0 running\ni-1 running"),
        "observe" => ok("i-0 running"),
        _ => {
            is_sent.store(true, Ordering::Relaxed);
            ok("unlisted")
        }
    });
    let report = cloud.client().reboot(ids(2)).await.unwrap();
    assert_eq!(outcomes(&report), ["accepted", "uncertain"]);
}

#[tokio::test(start_paused = true)]
async fn instance_that_vanishes_after_a_refused_forced_stop_is_pending_because_of_the_refusal() {
    let is_forced = AtomicBool::new(false);
    let cloud = ScriptedCloud::new(move |sent| match sent.operation.as_str() {
        "observe" if is_forced.load(Ordering::Relaxed) => ok(""),
        "observe" => all_in_state(sent, "running"),
        "force-stop" => {
            is_forced.store(true, Ordering::Relaxed);
            ok("perhaps i-0")
        }
        _ => ok("ok"),
    });
    let client = cloud.client();
    let stop = client.stop(ids(1)).strict().force_after(seconds(30));
    let report = stop.wait(seconds(36)).await.unwrap();
    let row = &report.instances()[0];
    assert!(
        matches!(row.outcome, Outcome::Pending(Pending::NotForced(_))),
        "{row:?}"
    );
}

/// Answers a batch without a list of the instances, shows i-0 only, and fails the first lookups.
fn unlisted_after_failed_lookups(failures: usize, failure: fn() -> CallResult) -> ScriptedCloud {
    let lookups = AtomicUsize::new(0);
    ScriptedCloud::new(move |sent| match sent.operation.as_str() {
        "observe" if lookups.fetch_add(1, Ordering::Relaxed) < failures => failure(),
        "observe" if sent.ids.contains(&"i-0".to_owned()) => ok("i-0 stopped"),
        "observe" => ok(""),
        _ => ok("unlisted"),
    })
}

#[tokio::test(start_paused = true)]
async fn instance_of_an_accepted_batch_without_a_list_is_uncertain_until_a_lookup_succeeds() {
    type Row = (usize, fn() -> CallResult, [&'static str; 2]);
    let rows: [Row; 5] = [
        (0, server_error, ["accepted", "refused"]),
        // The retries of one lookup, and lookups later on.
        (5, server_error, ["accepted", "refused"]),
        (12, server_error, ["accepted", "refused"]),
        (usize::MAX, server_error, ["uncertain"; 2]),
        (
            usize::MAX,
            || fault(FaultKind::Permission),
            ["uncertain"; 2],
        ),
    ];
    for (failures, failure, expected) in rows {
        let client = unlisted_after_failed_lookups(failures, failure).client();
        let start = tokio::time::Instant::now();
        let report = client.start(ids(2)).await.unwrap();
        assert_eq!(outcomes(&report), expected, "{failures} failures");
        assert!(start.elapsed() < seconds(60), "{:?}", start.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn failed_start_of_a_single_instance_is_settled_by_lookups() {
    // The cloud names no instance: the start may have been executed, and is not sent again.
    let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "observe" => all_in_state(sent, "running"),
        _ => fault(FaultKind::Failed),
    });
    let report = cloud.client().start(ids(1)).wait(seconds(60)).await;
    assert_eq!(outcomes(&report.unwrap()), ["reached"]);
    assert_eq!(cloud.calls("start").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn refused_instance_that_does_not_exist_keeps_the_code_of_the_cloud() {
    for (code, kind, message) in [
        (Some("Conflict"), FaultKind::WrongState, "no"),
        (
            None,
            FaultKind::NotFound,
            "the cloud does not show it: there is none in this region, or the key may not see it",
        ),
    ] {
        let cloud = ScriptedCloud::new(move |sent| match (sent.operation.as_str(), code) {
            ("observe", _) => ok(""),
            (_, Some(code)) => answer(400, &[("kind", "wrong-state"), ("code", code)], "no"),
            (_, None) => fault(FaultKind::WrongState),
        });
        let report = cloud.client().start(ids(1)).await.unwrap();
        let fault = report.instances()[0].outcome.fault().unwrap();
        assert_eq!((fault.kind(), fault.code()), (kind, code));
        assert_eq!(fault.message(), message);
        assert_eq!(cloud.calls("start").len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn last_lookup_of_an_accepted_batch_without_a_list_is_at_the_end_of_the_settle_time() {
    let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "observe" => fault(FaultKind::Invalid),
        _ => ok("unlisted"),
    });
    let report = cloud.client().start(ids(1)).await.unwrap();
    assert_eq!(outcomes(&report), ["uncertain"]);
    let times: Vec<u64> = cloud
        .calls("observe")
        .iter()
        .map(|sent| sent.at.as_secs())
        .collect();
    assert_eq!(times, [0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30]);
}

/// Some clouds have one code for a lock, for missing capacity and for a transition, and may execute a part of
/// a refused batch.
#[tokio::test(start_paused = true)]
async fn busy_instance_of_a_refused_batch_is_refused_if_no_boot_can_have_passed_unseen() {
    for (silence, expected) in [(0..0, "refused"), (4..24, "uncertain")] {
        let accepted = AtomicBool::new(false);
        let cloud = ScriptedCloud::new(move |sent| match (sent.operation.as_str(), &*sent.ids) {
            ("observe", _) if silence.contains(&sent.at.as_secs()) => server_error(),
            ("observe", _) if accepted.load(Ordering::Relaxed) => ok("i-0 running\ni-1 stopped"),
            ("observe", _) => all_in_state(sent, "stopped"),
            (_, [only]) if only == "i-0" => {
                accepted.store(true, Ordering::Relaxed);
                ok("ok")
            }
            _ => fault(FaultKind::Busy),
        });
        let client = cloud.client();
        let report = client.start(ids(2)).wait(seconds(300)).await.unwrap();
        assert_eq!(outcomes(&report), ["reached", expected]);
    }
}

#[tokio::test(start_paused = true)]
async fn instance_refused_after_a_rejected_batch_is_looked_at() {
    // The cloud may have executed a part of the batch. It refuses the instance alone for another reason.
    for (later, expected) in [("running", "reached"), ("stopped", "refused")] {
        let cloud = ScriptedCloud::new(move |sent| match (&*sent.operation, sent.ids.len()) {
            ("observe", _) if sent.at < seconds(2) => all_in_state(sent, "stopped"),
            ("observe", _) => all_in_state(sent, later),
            (_, 2) => fault(FaultKind::WrongState),
            _ => fault(FaultKind::Capacity),
        });
        let cloud = cloud.with_action_latency(seconds(1));
        let report = cloud
            .client()
            .start(ids(2))
            .strict()
            .wait(seconds(60))
            .await;
        assert_eq!(outcomes(&report.unwrap()), [expected; 2], "{later}");
    }
}
