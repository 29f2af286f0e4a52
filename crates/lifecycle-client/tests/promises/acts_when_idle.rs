//! Tests of the promise "acts when idle": a request with `when_idle` sends the action after the transition
//! of the instance, within the time limit, and a reboot is executed at most once.

use std::{sync::Mutex, time::Duration};

use lifecycle_client::Event;
use lifecycle_core::FaultKind;

use crate::support::{
    CallResult, ScriptedCloud, SentCall, answer, fault, id, ids, ok, outcomes, seconds,
    server_error,
};

/// The state of an instance from a time on, in seconds since the beginning of the test.
type Steps = &'static [(u64, &'static str)];

fn at(steps: Steps, time: Duration) -> &'static str {
    let step = steps.iter().rev().find(|(from, _)| time >= seconds(*from));
    step.unwrap_or(&steps[0]).1
}

/// A cloud with these true states before the first accepted action, and the states `after` from the accepted
/// action on. Views before the action are `lag` old. The cloud accepts an action in the state `ready`, and
/// refuses the action with `refusal` in any other state.
fn cloud(
    before: Steps,
    lag: u64,
    ready: &'static str,
    refusal: fn() -> CallResult,
    after: Steps,
) -> ScriptedCloud {
    let mut accepted_at = None;
    ScriptedCloud::new(move |sent| {
        if sent.operation != "observe" {
            if accepted_at.is_some() || at(before, sent.at) != ready {
                return refusal();
            }
            accepted_at = Some(sent.at);
            return ok("ok");
        }
        let state = match accepted_at {
            Some(since) => at(after, sent.at - since),
            None => at(before, sent.at.saturating_sub(seconds(lag))),
        };
        crate::support::all_in_state(sent, state)
    })
}

const BOOT: Steps = &[(0, "starting"), (20, "running")];
const SHUTDOWN: Steps = &[(0, "stopping"), (8, "stopped")];

fn wrong_state() -> CallResult {
    fault(FaultKind::WrongState)
}

#[tokio::test(start_paused = true)]
async fn stop_of_a_starting_instance_is_sent_after_the_boot() {
    let cloud = cloud(BOOT, 0, "running", wrong_state, SHUTDOWN);
    let stop = cloud.client().stop(ids(3)).when_idle().wait(seconds(600));
    assert_eq!(outcomes(&stop.await.unwrap()), ["reached"; 3]);
    let calls = cloud.calls("stop");
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert!(calls[0].at >= seconds(20) && calls[0].at <= seconds(24));
}

#[tokio::test(start_paused = true)]
async fn start_of_a_stopping_instance_is_sent_after_the_shutdown() {
    const BOOTS: Steps = &[(0, "starting"), (9, "running")];
    let cloud = cloud(SHUTDOWN, 0, "stopped", wrong_state, BOOTS);
    let start = cloud.client().start(ids(1)).when_idle().wait(seconds(600));
    assert_eq!(outcomes(&start.await.unwrap()), ["reached"]);
    assert_eq!(cloud.calls("start").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn request_without_wait_ends_with_the_acceptance_after_the_transition() {
    let cloud = cloud(BOOT, 0, "running", wrong_state, SHUTDOWN);
    let report = cloud.client().stop(ids(1)).when_idle().await.unwrap();
    assert_eq!(outcomes(&report), ["accepted"]);
}

#[tokio::test(start_paused = true)]
async fn idle_instances_are_sent_at_once_and_later_ones_together() {
    let cloud = ScriptedCloud::new(|sent| {
        let state = |id: &String| match id.as_str() {
            "i-0" => "running",
            _ => at(BOOT, sent.at),
        };
        let rows = sent.ids.iter().map(|id| format!("{id} {}", state(id)));
        match sent.operation.as_str() {
            "observe" => ok(rows.collect::<Vec<_>>().join("\n")),
            _ => ok("ok"),
        }
    });
    let report = cloud.client().stop(ids(4)).when_idle().await.unwrap();
    assert_eq!(outcomes(&report), ["accepted"; 4]);
    let calls = cloud.calls("stop");
    let sent: Vec<_> = calls.iter().map(|call| call.ids.len()).collect();
    assert_eq!(sent, [1, 3]);
    assert!(calls[0].at < seconds(1), "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn refusal_after_a_late_view_is_not_final() {
    for (lag, refusal) in [
        (10, wrong_state as fn() -> CallResult),
        (10, || fault(FaultKind::Busy)),
        // The cloud gives no reason: the look shows the transition.
        (2, || ok("perhaps i-0")),
        (10, || ok("perhaps i-0")),
    ] {
        // Stopped, then a boot by another request. The first views show the state before the boot.
        const BEFORE: Steps = &[(0, "starting"), (15, "running")];
        let mut accepted_at = None;
        let cloud = ScriptedCloud::new(move |sent| {
            let state = at(BEFORE, sent.at);
            if sent.operation != "observe" {
                if state != "running" {
                    return refusal();
                }
                accepted_at = accepted_at.or(Some(sent.at));
                return ok("ok");
            }
            let view = match accepted_at {
                Some(since) => at(SHUTDOWN, sent.at - since),
                None if sent.at < seconds(lag) => "running",
                None => state,
            };
            crate::support::all_in_state(sent, view)
        });
        let stop = cloud.client().stop(ids(1)).when_idle().wait(seconds(600));
        let report = stop.await.unwrap();
        assert_eq!(outcomes(&report), ["reached"], "{report:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn late_view_at_the_goal_is_not_reported_as_unchanged() {
    const BEFORE: Steps = &[(0, "starting"), (20, "running")];
    let mut accepted_at = None;
    let cloud = ScriptedCloud::new(move |sent| {
        let state = at(BEFORE, sent.at);
        if sent.operation != "observe" {
            if state != "running" {
                return wrong_state();
            }
            accepted_at = accepted_at.or(Some(sent.at));
            return ok("ok");
        }
        let view = match accepted_at {
            Some(since) => at(SHUTDOWN, sent.at - since),
            // A view of the time before the start.
            None if sent.at < seconds(12) => "stopped",
            None => state,
        };
        crate::support::all_in_state(sent, view)
    });
    let stop = cloud.client().stop(ids(1)).when_idle().wait(seconds(600));
    assert_eq!(outcomes(&stop.await.unwrap()), ["reached"]);
    let executed = cloud.calls("stop").last().unwrap().at;
    assert!(executed >= seconds(20));
}

#[tokio::test(start_paused = true)]
async fn refused_instance_that_stays_at_the_goal_is_unchanged() {
    for strict in [false, true] {
        let cloud = cloud(&[(0, "stopped")], 0, "running", wrong_state, SHUTDOWN);
        let stop = cloud.client().stop(ids(1)).when_idle().wait(seconds(600));
        let stop = if strict { stop.strict() } else { stop };
        let report = stop.await.unwrap();
        let expected = if strict { "refused" } else { "unchanged" };
        assert_eq!(outcomes(&report), [expected]);
        assert_eq!(cloud.calls("stop").len(), usize::from(!strict));
    }
}

#[tokio::test(start_paused = true)]
async fn refusal_that_lasts_longer_than_a_view_can_be_late_is_final() {
    for action in ["start", "reboot"] {
        let cloud = ScriptedCloud::new(move |sent| match sent.operation.as_str() {
            "observe" if action == "start" => crate::support::all_in_state(sent, "stopped"),
            "observe" => crate::support::all_in_state(sent, "running"),
            _ => wrong_state(),
        });
        let client = cloud.client();
        let request = match action {
            "start" => client.start(ids(1)).when_idle().wait(seconds(600)).await,
            _ => client.reboot(ids(1)).when_idle().wait(seconds(600)).await,
        };
        assert_eq!(outcomes(&request.unwrap()), ["refused"], "{action}");
        let calls = cloud.calls(action).len();
        assert!((2..=6).contains(&calls), "{action}: {calls} calls");
    }
}

#[tokio::test(start_paused = true)]
async fn instance_that_is_never_idle_is_skipped_with_the_transition() {
    let cloud = cloud(&[(0, "starting")], 0, "running", wrong_state, SHUTDOWN);
    let stop = cloud.client().stop(ids(1)).when_idle().wait(seconds(60));
    let report = stop.await.unwrap();
    assert_eq!(outcomes(&report), ["skipped"]);
    let text = report.instances()[0].outcome.to_string();
    assert!(text.contains("still starting at the time limit"), "{text}");
    assert_eq!(cloud.calls("stop").len(), 0);
}

#[tokio::test(start_paused = true)]
async fn refused_instance_that_is_never_idle_is_refused_with_the_answer_and_the_transition() {
    let first = Mutex::new(true);
    let late = ScriptedCloud::new(move |sent| match sent.operation.as_str() {
        "observe" if std::mem::take(&mut *first.lock().unwrap()) => {
            crate::support::all_in_state(sent, "running")
        }
        "observe" => crate::support::all_in_state(sent, "starting"),
        _ => wrong_state(),
    });
    let stop = late.client().stop(ids(1)).when_idle().wait(seconds(60));
    let report = stop.await.unwrap();
    assert_eq!(outcomes(&report), ["refused"]);
    let text = report.instances()[0].outcome.to_string();
    assert!(
        text.contains("no; the instance was still starting"),
        "{text}"
    );
    assert_eq!(late.calls("stop").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn action_is_not_sent_in_the_last_two_seconds() {
    for boot in [55, 57, 58, 59] {
        let cloud = ScriptedCloud::new(move |sent| match sent.operation.as_str() {
            "observe" if sent.at < seconds(boot) => crate::support::all_in_state(sent, "starting"),
            "observe" => crate::support::all_in_state(sent, "running"),
            _ => ok("ok"),
        });
        let stop = cloud.client().stop(ids(1)).when_idle().wait(seconds(60));
        let report = stop.await.unwrap();
        let calls = cloud.calls("stop");
        assert!(calls.iter().all(|call| call.at < seconds(58)), "{calls:?}");
        let expected = if calls.is_empty() {
            "skipped"
        } else {
            "pending"
        };
        assert_eq!(outcomes(&report), [expected]);
    }
}

#[tokio::test(start_paused = true)]
async fn failed_look_is_repeated() {
    let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "observe" if sent.at < seconds(40) => server_error(),
        "observe" => crate::support::all_in_state(sent, "running"),
        _ => ok("ok"),
    });
    let report = cloud.client().stop(ids(1)).when_idle().await.unwrap();
    assert_eq!(outcomes(&report), ["accepted"]);
}

#[tokio::test(start_paused = true)]
async fn reboot_of_a_starting_instance_is_sent_once_after_the_boot() {
    const REBOOT: Steps = &[(0, "running"), (4, "rebooting"), (12, "running")];
    let cloud = cloud(BOOT, 0, "running", wrong_state, REBOOT);
    let reboot = cloud.client().reboot(ids(2)).when_idle();
    let report = reboot.wait(seconds(600)).await.unwrap();
    assert_eq!(outcomes(&report), ["reached"; 2]);
    assert_eq!(cloud.calls("reboot").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn late_view_of_the_boot_is_no_evidence_of_the_reboot() {
    // The cloud accepts the reboot, and executes nothing. Some views are 14 s old.
    let mut looks = 0;
    let cloud = ScriptedCloud::new(move |sent| {
        if sent.operation != "observe" {
            return ok("ok");
        }
        looks += 1;
        let lag = if looks % 2 == 0 { 14 } else { 0 };
        let state = at(BOOT, sent.at.saturating_sub(seconds(lag)));
        crate::support::all_in_state(sent, state)
    });
    let reboot = cloud.client().reboot(ids(1)).when_idle();
    let report = reboot.wait(seconds(600)).await.unwrap();
    assert_eq!(outcomes(&report), ["pending"]);
    assert_eq!(cloud.calls("reboot").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn refused_reboot_is_sent_again_when_idle_and_executed_once() {
    // Another reboot is under way, and the first view is late.
    const OTHER: Steps = &[(0, "rebooting"), (9, "running")];
    const REBOOT: Steps = &[(0, "rebooting"), (7, "running")];
    let mut executed_at: Option<Duration> = None;
    let cloud = ScriptedCloud::new(move |sent| {
        let state = at(OTHER, sent.at);
        if sent.operation != "observe" {
            if state != "running" || executed_at.is_some() {
                return wrong_state();
            }
            executed_at = Some(sent.at);
            return ok("ok");
        }
        let view = match executed_at {
            Some(since) => at(REBOOT, sent.at - since),
            None if sent.at < seconds(1) => "running",
            None => state,
        };
        crate::support::all_in_state(sent, view)
    });
    let reboot = cloud.client().reboot(ids(1)).when_idle();
    let report = reboot.wait(seconds(600)).await.unwrap();
    assert_eq!(outcomes(&report), ["reached"]);
    assert_eq!(cloud.calls("reboot").len(), 2);
}

/// A name, and a function that makes the end of a call.
type NamedEnd = (&'static str, fn() -> CallResult);

/// Every end of a reboot call that does not prove "not executed" is final.
#[tokio::test(start_paused = true)]
async fn reboot_is_not_sent_again_if_the_call_may_have_been_executed() {
    let ends: [NamedEnd; 6] = [
        ("no answer", || CallResult::NoAnswer),
        ("broken", || CallResult::ConnectionBroken),
        ("server error", server_error),
        ("garbage", || ok("<html>")),
        ("half way", || {
            answer(400, &[("kind", "failed")], "half way")
        }),
        ("half way in a list", || ok("perhaps i-0")),
    ];
    for (name, end) in ends {
        let cloud = ScriptedCloud::new(move |sent| match sent.operation.as_str() {
            "observe" => crate::support::all_in_state(sent, "running"),
            _ => end(),
        });
        let reboot = cloud.client().reboot(ids(1)).when_idle();
        let report = reboot.wait(seconds(600)).await.unwrap();
        assert_eq!(outcomes(&report), ["uncertain"], "{name}");
        assert_eq!(cloud.calls("reboot").len(), 1, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn reboot_is_not_sent_again_after_a_failed_job() {
    let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "observe" => crate::support::all_in_state(sent, "running"),
        "job" => ok("wrong-state"),
        _ => ok("job j-1"),
    });
    let reboot = cloud.client().reboot(ids(1)).when_idle();
    let report = reboot.wait(seconds(600)).await.unwrap();
    assert_eq!(outcomes(&report), ["refused"]);
    assert_eq!(cloud.calls("reboot").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn stop_is_sent_again_after_a_job_that_failed_because_of_the_state() {
    let mut stopped_at: Option<Duration> = None;
    let cloud = ScriptedCloud::new(move |sent: &SentCall| match sent.operation.as_str() {
        "observe" => match stopped_at {
            Some(since) => crate::support::all_in_state(sent, at(SHUTDOWN, sent.at - since)),
            // The first view is late.
            None if sent.at < seconds(1) => crate::support::all_in_state(sent, "running"),
            None => crate::support::all_in_state(sent, at(BOOT, sent.at)),
        },
        "job" => match stopped_at {
            Some(_) => ok("running"),
            None => ok("wrong-state"),
        },
        _ => {
            if at(BOOT, sent.at) == "running" {
                stopped_at = Some(sent.at);
            }
            ok("job j-1")
        }
    });
    let stop = cloud.client().stop(ids(1)).when_idle().wait(seconds(600));
    assert_eq!(outcomes(&stop.await.unwrap()), ["reached"]);
    assert_eq!(cloud.calls("stop").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn cancelled_request_skips_the_waiting_instances() {
    let cloud = cloud(BOOT, 0, "running", wrong_state, SHUTDOWN);
    let mut events = cloud.client().stop(ids(1)).when_idle().events();
    let event = events.next().await.unwrap();
    assert!(matches!(event, Event::State { instance, .. } if instance == id(0)));
    let report = events.cancel().unwrap();
    assert_eq!(outcomes(&report), ["skipped"]);
}

#[tokio::test(start_paused = true)]
async fn refusal_without_reason_stands_if_no_look_shows_a_transition() {
    let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "observe" => crate::support::all_in_state(sent, "running"),
        _ => ok("perhaps i-0"),
    });
    let stop = cloud.client().stop(ids(1)).when_idle().wait(seconds(600));
    assert_eq!(outcomes(&stop.await.unwrap()), ["refused"]);
    assert_eq!(cloud.calls("stop").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn action_without_an_answer_at_the_deadline_is_uncertain() {
    // The order of the parts of a request at the deadline is random.
    for _ in 0..12 {
        let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
            "observe" => crate::support::all_in_state(sent, at(BOOT, sent.at)),
            _ => CallResult::NoAnswer,
        });
        let stop = cloud.client().stop(ids(1)).when_idle().wait(seconds(40));
        let report = stop.await.unwrap();
        assert_eq!(cloud.calls("stop").len(), 1);
        assert_eq!(outcomes(&report), ["uncertain"], "{report:?}");
    }
}
