//! Tests of unclear answers: an outcome names the reason why nothing newer is known, and a missing or
//! unreadable answer leads to a lookup of the instance.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use lifecycle_client::{Event, Outcome, Pending, Report};
use lifecycle_core::{FaultKind, PowerState};

use crate::support::{
    CallResult, ScriptedCloud, SentCall, all_in_state, fault, id, ids, ok, outcomes, seconds,
    server_error,
};

/// Returns a cloud that accepts a start and shows `starting` in the first lookup. `later` answers the
/// other lookups.
fn starting_then(later: impl Fn(&SentCall) -> CallResult + Send + 'static) -> ScriptedCloud {
    let lookups = AtomicUsize::new(0);
    ScriptedCloud::new(move |sent| match sent.operation.as_str() {
        "observe" if lookups.fetch_add(1, Ordering::Relaxed) == 0 => all_in_state(sent, "starting"),
        "observe" => later(sent),
        _ => ok("ok"),
    })
}

async fn start_and_wait(cloud: &ScriptedCloud, limit: u64) -> Report {
    let client = cloud.client();
    let start = client.start(ids(1)).wait(seconds(limit));
    start.await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn failed_lookups_at_the_deadline_are_the_reason_of_the_pending_row() {
    type Later = fn(&SentCall) -> CallResult;
    let failures: [(Later, FaultKind); 4] = [
        (|_| fault(FaultKind::Throttled), FaultKind::Throttled),
        (|_| CallResult::ConnectionRefused, FaultKind::Unreachable),
        (|_| server_error(), FaultKind::Unavailable),
        (|_| CallResult::NoAnswer, FaultKind::NoAnswer),
    ];
    for (later, kind) in failures {
        for limit in [25, 300] {
            let report = start_and_wait(&starting_then(later), limit).await;
            let Outcome::Pending(Pending::StateOutdated { last, age, fault }) =
                &report.instances()[0].outcome
            else {
                panic!("{kind}, {limit} s: {:?}", report.instances());
            };
            assert_eq!((*last, fault.kind()), (Some(PowerState::Starting), kind));
            // The only successful lookup was after 2 s.
            let age = age.unwrap().as_secs();
            assert!(
                (limit - 4..limit).contains(&age),
                "{kind}, {limit} s: {age}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn uncertain_row_has_the_reason_why_lookups_did_not_settle_the_question() {
    type Observe = fn(&SentCall) -> CallResult;
    let answers: [(Observe, bool); 2] = [
        (|_| CallResult::ConnectionRefused, true),
        (|sent| all_in_state(sent, "stopped"), false),
    ];
    for (observe, fails) in answers {
        let cloud = ScriptedCloud::new(move |sent| match sent.operation.as_str() {
            "observe" => observe(sent),
            _ => CallResult::NoAnswer,
        });
        let report = start_and_wait(&cloud, 300).await;
        let Outcome::Uncertain(fault) = &report.instances()[0].outcome else {
            panic!("{:?}", report.instances());
        };
        let is_told = fault
            .message()
            .contains("; a look at the instance failed: ");
        assert_eq!(is_told, fails, "{fault}");
        assert_eq!(fault.kind(), FaultKind::NoAnswer);
    }
}

#[tokio::test(start_paused = true)]
async fn lookup_that_succeeds_again_makes_the_state_current() {
    let lookups = AtomicUsize::new(0);
    let cloud = starting_then(move |sent| match lookups.fetch_add(1, Ordering::Relaxed) {
        0..20 => CallResult::ConnectionRefused,
        _ => all_in_state(sent, "starting"),
    });
    let report = start_and_wait(&cloud, 300).await;
    assert!(
        matches!(
            report.instances()[0].outcome,
            Outcome::Pending(Pending::Deadline(Some(PowerState::Starting)))
        ),
        "{:?}",
        report.instances()
    );
}

#[tokio::test(start_paused = true)]
async fn failed_lookups_of_the_poller_are_events_of_every_waiter() {
    let cloud = starting_then(|_| CallResult::ConnectionRefused);
    let client = cloud.client();
    let mut events = client.start(ids(2)).wait(seconds(25)).events();
    let mut retries = 0;
    while let Some(event) = events.next().await {
        if let Event::Retrying {
            operation,
            fault,
            instances,
            ..
        } = event
        {
            assert_eq!(
                (operation, fault.kind()),
                ("observe", FaultKind::Unreachable)
            );
            assert_eq!(instances.len(), 2);
            retries += 1;
        }
    }
    assert!(retries >= 4, "{retries}");
}

#[tokio::test(start_paused = true)]
async fn unreadable_job_leads_to_lookups_after_a_few_reads() {
    type Job = fn() -> CallResult;
    let jobs: [(&str, Job); 3] = [
        ("a server error", server_error),
        ("an unknown status", || ok("odd")),
        ("no answer", || CallResult::NoAnswer),
    ];
    for (name, job) in jobs {
        let cloud = ScriptedCloud::new(move |sent| match sent.operation.as_str() {
            "job" => job(),
            "observe" => all_in_state(sent, "running"),
            _ => ok("job j-1"),
        });
        let report = start_and_wait(&cloud, 600).await;
        assert_eq!(outcomes(&report), ["reached"], "{name}");
        let reads = cloud.calls("job").len();
        assert!((2..=6).contains(&reads), "{name}: {reads} reads");
    }
}

#[tokio::test(start_paused = true)]
async fn unreadable_job_is_followed_until_it_fails() {
    for unreadable in [|| ok("odd"), server_error] {
        let reads = AtomicUsize::new(0);
        let cloud = ScriptedCloud::new(move |sent| match sent.operation.as_str() {
            "job" if reads.fetch_add(1, Ordering::Relaxed) < 6 => unreadable(),
            "job" => ok("capacity"),
            "observe" => all_in_state(sent, "stopped"),
            _ => ok("job j-1"),
        });
        let report = start_and_wait(&cloud, 600).await;
        assert_eq!(outcomes(&report), ["refused"]);
    }
}

#[tokio::test(start_paused = true)]
async fn lookups_begin_after_the_second_read_of_a_job_without_a_status() {
    let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "job" => ok("odd"),
        "observe" => all_in_state(sent, "running"),
        _ => ok("job j-1"),
    });
    assert_eq!(outcomes(&start_and_wait(&cloud, 600).await), ["reached"]);
    assert_eq!(cloud.calls("job").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn silent_read_of_a_job_ends_after_an_attempt_and_the_longest_interval() {
    let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "job" => CallResult::NoAnswer,
        "observe" => all_in_state(sent, "running"),
        _ => ok("job j-1"),
    });
    assert_eq!(outcomes(&start_and_wait(&cloud, 600).await), ["reached"]);
    // The read begins after 2 s, an attempt has 30 s, and the longest interval is 15 s. No attempt is sent
    // without time for its answer.
    let log = cloud.log();
    let log: Vec<_> = log
        .iter()
        .map(|sent| (sent.operation.as_str(), sent.at.as_secs()))
        .collect();
    let expected = [("start", 0), ("job", 2), ("job", 32), ("observe", 47)];
    assert_eq!(log, expected);
}

#[tokio::test(start_paused = true)]
async fn job_is_not_read_any_more_when_lookups_have_settled_its_instances() {
    // The job of i-0 never has a status, and the job of i-1 takes two minutes.
    let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "job" if sent.ids == ["i-0"] => ok("odd"),
        "job" if sent.at < seconds(120) => ok("running"),
        "job" => ok("ok\ni-1 ok"),
        "observe" => all_in_state(sent, "running"),
        _ => ok(format!("job {}", sent.ids[0])),
    });
    let client = cloud.client_in_batches_of(1);
    let report = client.start(ids(2)).wait(seconds(600)).await.unwrap();
    assert_eq!(outcomes(&report), ["reached"; 2]);
    let mut reads = cloud.calls("job");
    reads.retain(|read| read.ids == ["i-0"]);
    // A read that waits for its time is not cancelled by a lookup.
    assert!(reads.len() <= 3, "{reads:?}");
}

/// The effect of a start that the cloud does not answer.
#[derive(Clone, Copy, PartialEq)]
enum UnansweredStart {
    Executed,
    NotExecuted,
}

/// Returns a cloud that never answers a start.
fn silent(start: UnansweredStart) -> ScriptedCloud {
    let started = Arc::new(AtomicBool::new(false));
    ScriptedCloud::new(move |sent| match sent.operation.as_str() {
        "observe" if started.load(Ordering::Relaxed) => all_in_state(sent, "running"),
        "observe" => all_in_state(sent, "stopped"),
        _ => {
            started.store(start == UnansweredStart::Executed, Ordering::Relaxed);
            CallResult::NoAnswer
        }
    })
}

#[tokio::test(start_paused = true)]
async fn start_without_answer_is_not_sent_again_if_a_lookup_shows_the_goal() {
    let cloud = silent(UnansweredStart::Executed);
    let report = start_and_wait(&cloud, 600).await;
    assert_eq!(outcomes(&report), ["reached"]);
    assert_eq!(cloud.calls("start").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn start_without_answer_is_followed_by_a_lookup_before_each_retry() {
    let cloud = silent(UnansweredStart::NotExecuted);
    let report = start_and_wait(&cloud, 600).await;
    assert_eq!(outcomes(&report), ["uncertain"]);
    let log = cloud.log();
    let operations: Vec<&str> = log.iter().map(|sent| sent.operation.as_str()).collect();
    let retries_without_lookup = operations
        .windows(2)
        .filter(|pair| *pair == ["start", "start"]);
    assert_eq!(retries_without_lookup.count(), 0, "{operations:?}");
    assert_eq!(cloud.calls("start").len(), 5);
}

#[tokio::test(start_paused = true)]
async fn instance_already_running_does_not_hide_that_an_unanswered_start_is_still_needed() {
    let i_1_is_stopped = AtomicBool::new(true);
    let cloud = ScriptedCloud::new(move |sent| match sent.operation.as_str() {
        "observe" if i_1_is_stopped.load(Ordering::Relaxed) => ok("i-0 running\ni-1 stopped"),
        "observe" => all_in_state(sent, "running"),
        _ if sent.at < seconds(30) => CallResult::NoAnswer,
        _ => {
            i_1_is_stopped.store(false, Ordering::Relaxed);
            ok("ok")
        }
    });
    let report = cloud
        .client()
        .start(ids(2))
        .wait(seconds(600))
        .await
        .unwrap();
    assert_eq!(outcomes(&report), ["reached"; 2]);
    assert_eq!(cloud.calls("start").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn action_that_was_never_sent_is_skipped_and_one_that_the_cloud_rejects_is_refused() {
    let unreachable = ScriptedCloud::new(|_| CallResult::ConnectionRefused);
    for (cloud, expected) in [
        (unreachable, "skipped"),
        (
            ScriptedCloud::new(|_| fault(FaultKind::Permission)),
            "refused",
        ),
        (
            ScriptedCloud::new(|_| fault(FaultKind::Credential)),
            "refused",
        ),
    ] {
        let client = cloud.client();
        let start = client.start([id(1)]).await.unwrap();
        assert_eq!(outcomes(&start), [expected]);
        let reboot = client.reboot([id(1)]).await.unwrap();
        assert_eq!(outcomes(&reboot), [expected]);
    }
}
