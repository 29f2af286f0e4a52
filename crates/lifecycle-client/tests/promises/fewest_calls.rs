//! Tests of the promise that the client makes the fewest calls, with a bounded search for the
//! instance that makes the cloud reject a batch.

use lifecycle_core::{FaultKind, PowerState};

use crate::support::{
    ScriptedCloud, SentCall, all_in_state, answer, fault, id, ids, ok, outcomes, seconds,
};

/// Returns a cloud that rejects a whole batch of starts if one instance is in `running`, or in
/// `always_rejected`. The instances in `always_rejected` are stopped, so their state explains nothing.
fn all_or_nothing(running: &'static [usize], always_rejected: &'static [usize]) -> ScriptedCloud {
    let holds = |sent: &SentCall, bad: &[usize]| {
        let bad: Vec<String> = bad.iter().map(|n| id(*n).to_string()).collect();
        sent.ids.iter().any(|id| bad.contains(id))
    };
    ScriptedCloud::new(move |sent| match sent.operation.as_str() {
        "observe" => {
            let running: Vec<String> = running.iter().map(|n| id(*n).to_string()).collect();
            let lines: Vec<String> = sent
                .ids
                .iter()
                .map(|id| match running.contains(id) {
                    true => format!("{id} running"),
                    false => format!("{id} stopped"),
                })
                .collect();
            ok(lines.join("\n"))
        }
        _ if holds(sent, running) || holds(sent, always_rejected) => fault(FaultKind::WrongState),
        _ => ok("ok"),
    })
}

#[tokio::test(start_paused = true)]
async fn lookup_finds_the_instances_that_make_the_cloud_reject_a_batch() {
    let cloud = all_or_nothing(&[2, 5], &[]);
    let report = cloud.client().start(ids(10)).await.unwrap();
    let mut expected = ["accepted"; 10];
    expected[2] = "unchanged";
    expected[5] = "unchanged";
    assert_eq!(outcomes(&report), expected);
    assert_eq!(cloud.calls("start").len(), 2);
    assert_eq!(cloud.calls("observe").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn bisection_finds_an_instance_that_no_state_explains() {
    let cloud = all_or_nothing(&[], &[7]);
    let report = cloud.client().start(ids(10)).await.unwrap();
    let mut expected = ["accepted"; 10];
    expected[7] = "refused";
    assert_eq!(outcomes(&report), expected);
    let calls = cloud.calls("start").len();
    assert!(calls <= 2 + 2 * 4, "{calls} calls");
}

#[tokio::test(start_paused = true)]
async fn search_ends_within_its_budget_if_every_instance_is_rejected() {
    let cloud = ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "observe" => all_in_state(sent, "stopped"),
        _ => fault(FaultKind::Capacity),
    });
    let client = cloud.client_in_batches_of(100);
    let report = client.start(ids(100)).await.unwrap();
    assert_eq!(outcomes(&report), ["refused"; 100]);
    // Enough calls to find eight unfit instances among a hundred.
    let calls = cloud.calls("start").len();
    assert!(calls <= 2 + 2 * 8 * 7, "{calls} calls");
}

#[tokio::test(start_paused = true)]
async fn error_that_names_the_instance_needs_no_search() {
    let cloud = ScriptedCloud::new(|sent| {
        if sent.ids.contains(&"i-4".to_owned()) {
            return answer(404, &[], "there is no i-4 here");
        }
        ok("ok")
    });
    let report = cloud.client().start(ids(10)).await.unwrap();
    assert_eq!(outcomes(&report)[4], "refused");
    assert_eq!(report.failures().count(), 1);
    assert_eq!(cloud.log().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn failed_batch_is_resent_without_the_named_instance_if_idempotent() {
    let failing = || {
        ScriptedCloud::new(|sent| match sent.operation.as_str() {
            "observe" => ok("i-0 stopped\ni-1 stopped\ni-2 stopped"),
            _ if sent.ids.contains(&"i-1".to_owned()) => answer(400, &[("kind", "failed")], "i-1"),
            _ => ok("ok"),
        })
    };
    let report = failing().client().start(ids(3)).await.unwrap();
    assert_eq!(outcomes(&report), ["accepted", "refused", "accepted"]);
    let cloud = failing();
    let report = cloud.client().reboot(ids(3)).await.unwrap();
    assert_eq!(outcomes(&report), ["refused"; 3], "all were down");
}

#[tokio::test(start_paused = true)]
async fn fault_of_the_whole_account_starts_no_search() {
    for kind in [FaultKind::Permission, FaultKind::Invalid] {
        let cloud = ScriptedCloud::new(move |_| fault(kind));
        let report = cloud.client().start(ids(10)).await.unwrap();
        assert_eq!(outcomes(&report), ["refused"; 10]);
        assert_eq!(cloud.log().len(), 1, "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn half_with_the_rejected_instance_is_split_without_another_call() {
    let rows: [(&'static [usize], &[&str]); 3] = [
        // The first half is accepted each time, so the other half has the bad instance.
        (&[7], &["0-7", "0-3", "4-5", "6-6", "7-7"]),
        // The second halves are accepted, and say nothing about the batches that wait.
        (&[0], &["0-7", "0-3", "0-1", "0-0", "1-1", "2-3", "4-7"]),
        (
            &[0, 4],
            &[
                "0-7", "0-3", "0-1", "0-0", "1-1", "2-3", "4-7", "4-5", "4-4", "5-5", "6-7",
            ],
        ),
    ];
    for (bad, expected) in rows {
        let cloud = all_or_nothing(&[], bad);
        let report = cloud.client().start(ids(8)).await.unwrap();
        for (n, outcome) in outcomes(&report).into_iter().enumerate() {
            let is_bad = bad.contains(&n);
            assert_eq!(outcome == "refused", is_bad, "i-{n} of {bad:?}");
        }
        let sent: Vec<String> = cloud
            .calls("start")
            .iter()
            .map(|call| {
                let number = |id: &String| id.trim_start_matches("i-").to_owned();
                let ends = [call.ids.first(), call.ids.last()];
                ends.map(|id| number(id.unwrap())).join("-")
            })
            .collect();
        assert_eq!(sent, expected, "{bad:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn search_that_needs_more_calls_than_allowed_uses_the_whole_budget() {
    for (names_one, expected) in [(true, 114), (false, 113)] {
        let cloud = ScriptedCloud::new(move |sent| match sent.operation.as_str() {
            "observe" => all_in_state(sent, "stopped"),
            // The first answer names an instance: the others are sent again in one batch.
            _ if names_one && sent.ids.contains(&"i-0".to_owned()) => {
                answer(400, &[("kind", "capacity")], "i-0")
            }
            _ => fault(FaultKind::Capacity),
        });
        let client = cloud.client_in_batches_of(100);
        let report = client.start(ids(100)).await.unwrap();
        assert_eq!(outcomes(&report), ["refused"; 100]);
        // A call for each batch that is left, and a call for each half of a batch that is split.
        assert_eq!(cloud.calls("start").len(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn instance_with_an_outcome_is_not_polled_any_more() {
    let cloud = ScriptedCloud::new(|sent| match sent.at < seconds(40) {
        true => ok("i-0 running\ni-1 starting"),
        false => ok("i-0 running\ni-1 running"),
    });
    let wait = cloud.client().wait(ids(2), PowerState::Running);
    assert!(wait.await.unwrap().is_success());
    let lookups = cloud.calls("observe");
    assert_eq!(lookups[0].ids, ["i-0", "i-1"]);
    assert!(lookups.len() > 5, "{lookups:?}");
    for lookup in &lookups[1..] {
        assert_eq!(lookup.ids, ["i-1"]);
    }
}
