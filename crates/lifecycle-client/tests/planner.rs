//! Tests of the number of calls: planned calls, sent calls, and the cost of a search for rejected
//! instances.

mod support;

use std::collections::HashSet;

use lifecycle_client::Waves;
use lifecycle_core::FaultKind;
use proptest::prelude::*;
use support::{ScriptedCloud, all_in_state, fault, ids, ok, outcomes, seconds};
use tokio::runtime::{Builder, Runtime};

/// The batch limit of the toy cloud, for actions and observations.
const LIMIT: usize = 10;

fn paused_runtime() -> Runtime {
    Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
}

fn accepting_cloud() -> ScriptedCloud {
    ScriptedCloud::new(|sent| match sent.operation.as_str() {
        "observe" => all_in_state(sent, "running"),
        _ => ok("ok"),
    })
}

/// Returns a cloud that rejects a whole call because of one bad id. No observation explains the
/// rejection.
fn all_or_nothing_cloud(bad: HashSet<String>) -> ScriptedCloud {
    ScriptedCloud::new(move |sent| match sent.operation.as_str() {
        "observe" => all_in_state(sent, "stopped"),
        _ if sent.ids.iter().any(|id| bad.contains(id)) => fault(FaultKind::Capacity),
        _ => ok("ok"),
    })
}

proptest! {
    #[test]
    fn start_makes_as_few_calls_as_the_limit_allows(count in 0_usize..500) {
        paused_runtime().block_on(async {
            let cloud = accepting_cloud();
            let client = cloud.client();
            let planned = client.start(ids(count)).dry_run().unwrap();
            prop_assert_eq!(planned.len(), count.div_ceil(LIMIT));
            prop_assert_eq!(cloud.log().len(), 0, "a dry run sends nothing");
            let report = client.start(ids(count)).await.unwrap();
            prop_assert!(report.is_success());
            prop_assert_eq!(cloud.log().len(), count.div_ceil(LIMIT));
            let sent: HashSet<_> = cloud.log().into_iter().map(|sent| sent.ids).collect();
            let expected: HashSet<Vec<String>> = planned
                .into_iter()
                .map(|call| call.instances.iter().map(ToString::to_string).collect())
                .collect();
            prop_assert_eq!(sent, expected, "the planned calls are the sent calls");
            Ok(())
        })?;
    }

    #[test]
    fn reboot_makes_one_lookup_per_batch_in_addition(count in 0_usize..200) {
        paused_runtime().block_on(async {
            let cloud = accepting_cloud();
            let client = cloud.client();
            let planned = client.reboot(ids(count)).dry_run().unwrap();
            client.reboot(ids(count)).await.unwrap();
            for operation in ["observe", "reboot"] {
                let expected = planned.iter().filter(|call| call.operation == operation).count();
                prop_assert_eq!(expected, count.div_ceil(LIMIT), "{} planned", operation);
                prop_assert_eq!(cloud.calls(operation).len(), expected, "{} sent", operation);
            }
            Ok(())
        })?;
    }

    #[test]
    fn dry_run_of_waves_plans_the_sent_calls(count in 1_usize..80, size in 1_usize..40) {
        paused_runtime().block_on(async {
            let cloud = accepting_cloud();
            let client = cloud.client();
            let request = client.start(ids(count)).waves(Waves::of(size)).wait(seconds(60));
            let planned = request.dry_run().unwrap();
            prop_assert_eq!(planned.last().unwrap().wave, count.div_ceil(size));
            request.await.unwrap();
            prop_assert_eq!(cloud.calls("start").len(), planned.len());
            Ok(())
        })?;
    }

    #[test]
    fn search_for_bad_ids_stays_within_the_bound(
        size in 2_usize..=100,
        picked in proptest::collection::hash_set(0_usize..100, 0..=8),
    ) {
        let bad: HashSet<String> = picked
            .into_iter()
            .filter(|n| *n < size)
            .map(|n| format!("i-{n}"))
            .collect();
        let k = bad.len();
        paused_runtime().block_on(async {
            let cloud = all_or_nothing_cloud(bad.clone());
            let client = cloud.client_in_batches_of(100);
            let report = client.start(ids(size)).await.unwrap();
            for (n, outcome) in outcomes(&report).into_iter().enumerate() {
                let expected = if bad.contains(&format!("i-{n}")) { "refused" } else { "accepted" };
                prop_assert_eq!(outcome, expected, "i-{}", n);
            }
            let calls = cloud.calls("start").len();
            prop_assert!(
                calls as f64 <= bound(size, k),
                "{} calls for {} bad ids of {}; at most {} are allowed",
                calls, k, size, bound(size, k)
            );
            Ok(())
        })?;
    }
}

/// Returns the largest number of action calls for `k` bad ids in a batch of `n`.
fn bound(n: usize, k: usize) -> f64 {
    2.0 + 2.0 * k as f64 * (n as f64).log2()
}

#[tokio::test(start_paused = true)]
async fn fault_of_the_whole_call_starts_no_search() {
    for kind in [
        FaultKind::Throttled,
        FaultKind::Unavailable,
        FaultKind::Permission,
    ] {
        let cloud = ScriptedCloud::new(move |sent| match sent.operation.as_str() {
            "observe" => all_in_state(sent, "stopped"),
            _ => fault(kind),
        });
        cloud.client().start(ids(8)).await.unwrap();
        let whole = |sent: &support::SentCall| sent.ids.len() == 8;
        assert!(cloud.calls("start").iter().all(whole), "{kind}");
    }
}
