//! Tests that an outcome names the reason why nothing newer is known, and a slow or
//! unreadable answer leads to a look at the instance.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use lifecycle_client::{Event, Outcome, Pending, Report};
use lifecycle_core::{FaultKind, PowerState};

use crate::support::{
    Fate, Scripted, Sent, all, fault, id, ids, ok, outcomes, seconds, server_error,
};

/// A cloud that accepts a start, shows `starting` in the first lookup, and then looks like `later`.
fn then(later: impl Fn(&Sent) -> Fate + Send + 'static) -> Scripted {
    let looks = AtomicUsize::new(0);
    Scripted::new(move |sent| match sent.operation.as_str() {
        "observe" if looks.fetch_add(1, Ordering::Relaxed) == 0 => all(sent, "starting"),
        "observe" => later(sent),
        _ => ok("ok"),
    })
}

async fn start_and_wait(cloud: &Scripted, limit: u64) -> Report {
    let client = cloud.client();
    let start = client.start(ids(1)).wait(seconds(limit));
    start.await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn failed_lookups_at_the_deadline_are_the_reason_of_the_pending_row() {
    type Later = fn(&Sent) -> Fate;
    let failures: [(Later, FaultKind); 3] = [
        (|_| Fate::Refused, FaultKind::Unreachable),
        (|_| server_error(), FaultKind::Unavailable),
        (|_| Fate::Silence, FaultKind::NoAnswer),
    ];
    for (later, kind) in failures {
        for limit in [25, 300] {
            let report = start_and_wait(&then(later), limit).await;
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
async fn lookup_that_succeeds_again_makes_the_state_current() {
    let looks = AtomicUsize::new(0);
    let cloud = then(move |sent| match looks.fetch_add(1, Ordering::Relaxed) {
        0..20 => Fate::Refused,
        _ => all(sent, "starting"),
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
    let cloud = then(|_| Fate::Refused);
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
    type Job = fn() -> Fate;
    let jobs: [(&str, Job); 3] = [
        ("a server error", server_error),
        ("an unknown status", || ok("odd")),
        ("no answer", || Fate::Silence),
    ];
    for (name, job) in jobs {
        let cloud = Scripted::new(move |sent| match sent.operation.as_str() {
            "job" => job(),
            "observe" => all(sent, "running"),
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
    let reads = AtomicUsize::new(0);
    let cloud = Scripted::new(move |sent| match sent.operation.as_str() {
        "job" if reads.fetch_add(1, Ordering::Relaxed) < 6 => ok("odd"),
        "job" => ok("capacity"),
        "observe" => all(sent, "stopped"),
        _ => ok("job j-1"),
    });
    let report = start_and_wait(&cloud, 600).await;
    assert_eq!(outcomes(&report), ["refused"]);
}

/// A cloud that never answers a start, and executes the start if `executes` is set.
fn slow(executes: bool) -> Scripted {
    let started = Arc::new(AtomicBool::new(false));
    Scripted::new(move |sent| match sent.operation.as_str() {
        "observe" if started.load(Ordering::Relaxed) => all(sent, "running"),
        "observe" => all(sent, "stopped"),
        _ => {
            started.store(executes, Ordering::Relaxed);
            Fate::Silence
        }
    })
}

#[tokio::test(start_paused = true)]
async fn start_without_answer_is_not_sent_again_if_a_lookup_shows_the_goal() {
    let cloud = slow(true);
    let report = start_and_wait(&cloud, 600).await;
    assert_eq!(outcomes(&report), ["reached"]);
    assert_eq!(cloud.calls("start").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn start_without_answer_is_looked_at_before_each_repeat() {
    let cloud = slow(false);
    let report = start_and_wait(&cloud, 600).await;
    assert_eq!(outcomes(&report), ["uncertain"]);
    let log = cloud.log();
    let operations: Vec<&str> = log.iter().map(|sent| sent.operation.as_str()).collect();
    let repeats = operations
        .windows(2)
        .filter(|pair| *pair == ["start", "start"]);
    assert_eq!(repeats.count(), 0, "{operations:?}");
    assert_eq!(cloud.calls("start").len(), 5);
}

#[tokio::test(start_paused = true)]
async fn instance_already_running_does_not_hide_that_a_slow_start_is_still_needed() {
    let first = AtomicBool::new(true);
    let cloud = Scripted::new(move |sent| match sent.operation.as_str() {
        "observe" if first.load(Ordering::Relaxed) => ok("i-0 running\ni-1 stopped"),
        "observe" => all(sent, "running"),
        _ if sent.at < seconds(30) => Fate::Silence,
        _ => {
            first.store(false, Ordering::Relaxed);
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
async fn action_that_never_left_is_skipped_and_a_rejected_one_is_refused() {
    let unreachable = Scripted::new(|_| Fate::Refused);
    for (cloud, expected) in [
        (unreachable, "skipped"),
        (Scripted::new(|_| fault(FaultKind::Permission)), "refused"),
        (Scripted::new(|_| fault(FaultKind::Credential)), "refused"),
    ] {
        let client = cloud.client();
        let start = client.start([id(1)]).await.unwrap();
        assert_eq!(outcomes(&start), [expected]);
        let reboot = client.reboot([id(1)]).await.unwrap();
        assert_eq!(outcomes(&reboot), [expected]);
    }
}
