//! Passes that end early: the process is killed, or the pass is stopped.

use std::collections::{BTreeMap, BTreeSet};

use tokio::time::timeout;

use super::*;

/// The pass is dropped after any time, as by `kill -9`, and another keeper goes on with the same store.
#[tokio::test(start_paused = true)]
async fn pass_that_is_dropped_at_any_time_reboots_nothing_twice() {
    let mut sent_before_the_end = 0;
    for millis in (0..40_000).step_by(1_700) {
        let stage = Stage::at("07:59", MAINTENANCE);
        stage.run_until("12:59").await;
        sleep_until(stage.moment("13:00")).await;
        let keeper = stage.keeper();
        let _ = timeout(Duration::from_millis(millis), keeper.pass()).await;
        if stage.simulator.ledger().most_reboots() > 0 {
            sent_before_the_end += 1;
        }
        stage.run_until("14:00").await;
        for machine in &stage.machines {
            let executed = stage.simulator.ledger().executed(machine).unwrap();
            assert!(
                executed.reboots <= 1,
                "{machine}: dropped after {millis} ms"
            );
        }
        let state = stage.store.state().await.unwrap();
        assert_eq!(state.unfinished().count(), 0, "dropped after {millis} ms");
        assert!(
            stage.all(SimulatedState::Running),
            "dropped after {millis} ms"
        );
    }
    assert!(sent_before_the_end > 3, "{sent_before_the_end}");
}

#[tokio::test(start_paused = true)]
async fn start_that_was_dropped_is_made_good_by_the_next_pass() {
    for millis in (0..40_000).step_by(2_300) {
        let stage = Stage::at("08:00", "");
        let keeper = stage.keeper();
        let _ = timeout(Duration::from_millis(millis), keeper.pass()).await;
        stage.run_until("08:30").await;
        assert!(
            stage.all(SimulatedState::Running),
            "dropped after {millis} ms"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn pass_that_is_stopped_at_any_time_reports_every_sent_call() {
    let mut outcomes = BTreeSet::new();
    for millis in (0..40_000).step_by(700) {
        let stage = Stage::at("08:00", "");
        let stop = sleep(Duration::from_millis(millis));
        let report = stage.keeper().pass_until(stop).await.unwrap();
        let results: BTreeMap<_, _> = report
            .actions
            .iter()
            .map(|(action, result)| (action.instance.as_str(), result.outcome))
            .collect();
        for machine in &stage.machines {
            let executed = stage.simulator.ledger().executed(machine).unwrap();
            let outcome = results.get(machine.as_str()).copied();
            assert!(
                executed.starts == 0 || !matches!(outcome, None | Some("skipped")),
                "{machine}: {outcome:?} after {millis} ms"
            );
        }
        assert!(report.stopped || report.is_complete(), "{report:?}");
        outcomes.extend(results.into_values());
        stage.run_until("08:30").await;
        assert!(
            stage.all(SimulatedState::Running),
            "stopped after {millis} ms"
        );
        assert_eq!(stage.store.state().await.unwrap().unfinished().count(), 0);
    }
    assert!(outcomes.contains("pending"), "{outcomes:?}");
    assert!(outcomes.contains("reached"), "{outcomes:?}");
}

#[tokio::test(start_paused = true)]
async fn fact_of_a_pass_that_is_stopped_at_any_time_is_recorded_once() {
    for millis in (0..12_000).step_by(1_500) {
        let stage = Stage::at("07:59", "");
        let no_stock = Some(Impairment::NoStock);
        let machine = &stage.machines[2];
        stage.simulator.set_impairment(machine, no_stock).unwrap();
        stage.run_until("19:59").await;
        sleep_until(stage.moment("20:00")).await;
        let stop = sleep(Duration::from_millis(millis));
        stage.keeper().pass_until(stop).await.unwrap();
        stage.run_until("20:10").await;
        assert_eq!(stage.notices().await, ["given-up"], "after {millis} ms");
    }
}
