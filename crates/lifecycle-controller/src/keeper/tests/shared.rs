//! A store that does not answer for a while, and the groups of one of several controllers.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
    sync::atomic::AtomicBool,
};

use lifecycle_facade::{Fault, FaultKind, WaitTimeout, Waves};

use super::*;
use crate::{
    leases::{GroupLeases, Holder, Share},
    record::{EdgeProgress, OperationId},
    recorder::StoreRecorder,
};

/// A store that does not answer while it is away.
#[derive(Debug, Default)]
struct DistantStore {
    inner: MemoryStore,
    is_away: AtomicBool,
    /// Goes away after this number of appends.
    appends: AtomicUsize,
}

impl DistantStore {
    fn check(&self) -> Result<(), StoreError> {
        match self.is_away.load(Ordering::Relaxed) {
            true => Err(is_away()),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl Store for DistantStore {
    async fn append(&self, records: Vec<Record>) -> Result<(), StoreError> {
        self.check()?;
        if self.appends.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.is_away.store(true, Ordering::Relaxed);
        }
        self.inner.append(records).await
    }

    async fn state(&self) -> Result<State, StoreError> {
        self.check()?;
        self.inner.state().await
    }

    async fn history(&self, query: &HistoryQuery) -> Result<Vec<HistoryEntry>, StoreError> {
        self.inner.history(query).await
    }
}

#[tokio::test(start_paused = true)]
async fn store_that_goes_away_stops_new_calls_only_and_the_passes_recover() {
    // The store goes away before each append of the pass: before the edges, the intents, the answers …
    for appends in 1..14 {
        let stage = Stage::at("07:59", "");
        let store = Arc::new(DistantStore::default());
        store.appends.store(appends, Ordering::Relaxed);
        let reports = Mutex::new(Vec::new());
        let back = async {
            sleep_until(stage.moment("08:20")).await;
            store.appends.store(usize::MAX, Ordering::Relaxed);
            store.is_away.store(false, Ordering::Relaxed);
        };
        let keeper = stage.keeper_with(store.clone());
        let run = keeper.run(sleep_until(stage.moment("08:40")), |report| {
            reports.lock().unwrap().push(report.clone());
        });
        let (ran, ()) = tokio::join!(run, back);
        ran.unwrap();
        let reports = reports.into_inner().unwrap();
        let away = reports
            .iter()
            .filter(|report| report.store_unavailable && !report.problems.is_empty());
        assert_eq!(away.count(), 1, "{appends}: said once: {reports:#?}");
        assert!(
            stage.all(SimulatedState::Running),
            "{appends}: {:?}",
            stage.states()
        );
        let records = store.inner.records();
        let kinds = records.iter().filter_map(|record| match record {
            Record::Notice(notice) => Some((notice.kind.as_str(), notice.message.as_str())),
            _ => None,
        });
        let kinds: Vec<_> = kinds.collect();
        let told = kinds
            .iter()
            .filter(|(kind, _)| *kind == "store-unavailable");
        let told: Vec<_> = told.collect();
        assert_eq!(told.len(), 1, "{appends}: {kinds:?}");
        assert!(told[0].1.contains("answers again after"), "{told:?}");
        // Every executed start has an intent, and no machine was started twice.
        let ledger = stage.simulator.ledger();
        for machine in &stage.machines {
            let executed = ledger.executed(machine).unwrap().starts;
            let intents = records.iter().filter(|record| match record {
                Record::Intent(intent) => intent
                    .instances
                    .iter()
                    .any(|sent| sent.instance == *machine),
                _ => false,
            });
            assert_eq!(executed, 1, "{appends}");
            assert!(intents.count() >= 1, "{appends}: {machine}");
        }
    }
}

fn is_away() -> StoreError {
    StoreError::Unavailable {
        message: "database ops@db: connection closed".to_owned(),
    }
}

/// Returns a store that does not answer some appends. With `is_written`, only the answer is lost.
fn interrupted_store(fails: RangeInclusive<usize>, is_written: bool) -> Arc<FaultyStore> {
    FaultyStore::new(move |number, _| fails.contains(&number).then(|| (is_away(), is_written)))
}

#[tokio::test(start_paused = true)]
async fn every_outcome_is_recorded_after_a_store_that_did_not_answer_for_a_moment() {
    for (writes, more) in [(false, 0), (false, 1), (true, 0), (true, 1)] {
        let mut finished = 0;
        for fails_at in 2.. {
            let stage = Stage::in_maintenance("").await;
            let store = interrupted_store(fails_at..=fails_at + more, writes);
            let recorder = StoreRecorder::new(store.clone(), "ops", "test");
            let reboot = stage.fleet().reboot(&stage.machines).waves(Waves::of(1));
            let reboot = reboot.wait(WaitTimeout::minutes(5));
            let report = reboot.recorder(Arc::new(recorder)).await.unwrap();

            let state = store.inner.state().await.unwrap();
            let operation = state.latest().unwrap();
            let mut is_complete = true;
            for row in report.instances() {
                let kind = row.outcome.fault().map(Fault::kind);
                let is_open = kind == Some(FaultKind::NotRecorded);
                let recorded = operation.progress(&row.instance.to_string());
                let recorded = recorded.outcome.as_ref().map(|row| row.outcome.as_str());
                // The second failure can be the last chance.
                if recorded.is_some() || more == 0 {
                    let expected = (!is_open).then_some(row.outcome.as_str());
                    assert_eq!(recorded, expected, "append {fails_at}, written: {writes}");
                }
                is_complete &= recorded.is_some();
            }
            assert_eq!(
                operation.is_finished(),
                is_complete,
                "append {fails_at}, written: {writes}"
            );
            finished += usize::from(operation.ended);
            if store.appends() < fails_at {
                assert!(operation.ended, "no append fails");
                break;
            }
        }
        assert!(finished > 2, "{finished} requests have an end");
    }
}

#[tokio::test(start_paused = true)]
async fn outcome_that_the_store_never_takes_keeps_no_later_outcome_out() {
    let stage = Stage::in_maintenance("").await;
    let machine = stage.machines[1].clone();
    let store = FaultyStore::new(move |_, records| {
        let is_refused = |record: &Record| match record {
            Record::Outcome(outcomes) => outcomes.rows.iter().any(|row| row.instance == machine),
            _ => false,
        };
        let refusal = || StoreError::Other("the tables do not take the record".to_owned());
        records.iter().any(is_refused).then(|| (refusal(), false))
    });
    let recorder = StoreRecorder::new(store.clone(), "ops", "test");
    let reboot = stage.fleet().reboot(&stage.machines).waves(Waves::of(1));
    let reboot = reboot.wait(WaitTimeout::minutes(5));
    let report = reboot.recorder(Arc::new(recorder)).await.unwrap();
    assert!(report.is_success());
    let state = store.inner.state().await.unwrap();
    let operation = state.latest().unwrap();
    let machines = stage.machines.iter();
    let recorded = machines.map(|machine| operation.progress(machine).outcome.is_some());
    assert_eq!(recorded.collect::<Vec<_>>(), [true, false, true, true]);
    assert!(
        !operation.is_finished(),
        "a resume decides about the machine"
    );
}

#[tokio::test(start_paused = true)]
async fn maintenance_is_made_good_after_a_store_that_did_not_answer_for_a_moment() {
    for writes in [false, true] {
        let (mut interrupted, mut lost) = (0, 0);
        for fails_at in 1.. {
            let stage = Stage::in_maintenance(MAINTENANCE).await;
            let store = interrupted_store(fails_at..=fails_at, writes);
            let keeper = stage.keeper_with(store.clone());
            let run = keeper.run(sleep_until(stage.moment("13:30")), |_| {});
            run.await.unwrap();
            for machine in &stage.machines {
                let executed = stage.simulator.ledger().executed(machine).unwrap();
                // An intent that may be recorded counts as sent.
                let least = u32::from(!writes);
                assert!(
                    (least..=1).contains(&executed.reboots),
                    "{machine}: {} reboots, append {fails_at}, written: {writes}",
                    executed.reboots
                );
                lost += 1 - executed.reboots;
            }
            if store.appends() < fails_at {
                break;
            }
            interrupted = fails_at;
        }
        assert!(interrupted > 10, "nothing is interrupted: {interrupted}");
        assert!(lost <= 4, "{lost} reboots were lost");
    }
}

#[tokio::test(start_paused = true)]
async fn start_that_could_not_be_recorded_is_made_soon_and_is_no_failed_attempt() {
    let mut interrupted = 0;
    for fails_at in 1.. {
        let stage = Stage::at("08:00", "");
        let store = interrupted_store(fails_at..=fails_at, false);
        let keeper = stage.keeper_with(store.clone());
        let run = keeper.run(sleep_until(stage.moment("08:02")), |_| {});
        run.await.unwrap();
        for machine in &stage.machines {
            let executed = stage.simulator.ledger().executed(machine).unwrap();
            assert_eq!(executed.starts, 1, "{machine}: append {fails_at}");
        }
        let is_failed = |record: &Record| match record {
            Record::Edge(edge) => {
                matches!(edge.progress, EdgeProgress::Open { failures, .. } if failures > 0)
            }
            _ => false,
        };
        let records = store.inner.records();
        assert!(
            !records.iter().any(is_failed),
            "append {fails_at}: {records:#?}"
        );
        if store.appends() < fails_at {
            break;
        }
        interrupted = fails_at;
    }
    assert!(interrupted > 5, "nothing is interrupted: {interrupted}");
}

#[tokio::test(start_paused = true)]
async fn halted_maintenance_goes_on_in_no_later_pass() {
    let stage = Stage::in_maintenance(&format!("{MAINTENANCE}\nwaves = 1")).await;
    for machine in &stage.machines {
        let impairment = Some(Impairment::Arrears);
        stage.simulator.set_impairment(machine, impairment).unwrap();
    }
    let keeper = stage.keeper();
    let run = keeper.run(sleep_until(stage.moment("14:50")), |_| {});
    run.await.unwrap();
    let calls = stage.simulator.ledger().calls();
    let reboots = calls.iter().filter(|call| call.operation.is_action());
    assert_eq!(reboots.count(), 1, "{calls:#?}");
}

/// The groups of one of two controllers.
#[derive(Debug)]
struct HalfOfTheGroups {
    store: Arc<MemoryStore>,
    groups: BTreeSet<String>,
    bundles: Mutex<Vec<BTreeSet<String>>>,
}

#[async_trait]
impl GroupLeases for HalfOfTheGroups {
    async fn begin_pass(&self, bundles: &[BTreeSet<String>]) -> Result<Share, StoreError> {
        bundles.clone_into(&mut self.bundles.lock().unwrap());
        let others = bundles.iter().flatten();
        let others = others.filter(|group| !self.groups.contains(*group));
        let others: BTreeMap<_, _> = others
            .map(|group| (group.clone(), Holder::new("other@host", "run", 1)))
            .collect();
        Ok(Share::new(
            self.groups.clone(),
            others,
            self.store.clone(),
            (),
        ))
    }

    async fn changed(&self) {
        std::future::pending::<()>().await;
    }
}

#[tokio::test(start_paused = true)]
async fn keeper_acts_on_the_groups_of_its_share_only() {
    let mut stage = Stage::at("08:00", "");
    let machines = stage.machines.clone();
    let text = format!(
        "groups.mine = {:?}\ngroups.theirs = {:?}\nkeep.mine = \"office\"\nkeep.theirs = \"office\"\n\
         [schedules.office]\nzone = \"Asia/Shanghai\"\n\
         windows = [{{ days = \"workdays\", from = \"08:00\", to = \"20:00\" }}]\n",
        &machines[..2],
        &machines[2..]
    );
    stage.settings = Settings::from_config(&Config::parse(&text).unwrap()).unwrap();
    let leases = Arc::new(HalfOfTheGroups {
        store: stage.store.clone(),
        groups: BTreeSet::from(["mine".to_owned()]),
        bundles: Mutex::default(),
    });
    let keeper = stage.keeper().leases(leases.clone());
    let report = keeper.pass().await.unwrap();
    assert_eq!(report.machines, 2);
    assert_eq!(report.actions.len(), 2);
    assert_eq!(report.elsewhere["theirs"].name, "other@host");
    assert_eq!(leases.bundles.lock().unwrap().len(), 2);
    let ledger = stage.simulator.ledger();
    let starts: Vec<u32> = machines
        .iter()
        .map(|machine| ledger.executed(machine).unwrap().starts)
        .collect();
    assert_eq!(starts, [1, 1, 0, 0]);
}

/// A store whose operations belong to another living controller.
#[derive(Debug, Default)]
struct StoreOfAnother(MemoryStore);

#[async_trait]
impl Store for StoreOfAnother {
    async fn append(&self, records: Vec<Record>) -> Result<(), StoreError> {
        self.0.append(records).await
    }

    async fn state(&self) -> Result<State, StoreError> {
        self.0.state().await
    }

    async fn history(&self, query: &HistoryQuery) -> Result<Vec<HistoryEntry>, StoreError> {
        self.0.history(query).await
    }

    async fn take_over(&self, _: Vec<OperationId>) -> Result<Vec<OperationId>, StoreError> {
        Ok(Vec::new())
    }
}

#[tokio::test(start_paused = true)]
async fn operation_of_another_living_controller_is_left_alone() {
    let stage = Stage::at("08:00", "");
    let store = Arc::new(StoreOfAnother::default());
    let open: Vec<Record> = [
        serde_json::json!({
            "record": "request", "operation": "op", "at": "2026-11-27T00:00:00Z", "by": "other", "why": "test",
            "action": {"kind": "reboot", "forced": false}, "options": {"strict": false},
            "instances": [stage.machines[0]],
        }),
        serde_json::json!({
            "record": "intent", "operation": "op", "call": 1, "at": "2026-11-27T00:00:00Z",
            "action": {"kind": "reboot", "forced": false}, "instances": [{"instance": stage.machines[0]}],
        }),
    ]
    .into_iter()
    .map(|json| serde_json::from_value(json).unwrap())
    .collect();
    store.append(open).await.unwrap();
    let report = stage.keeper_with(store.clone()).pass().await.unwrap();
    assert_eq!(report.actions.len(), 3, "{report:#?}");
    assert_eq!(report.waiting.len(), 1);
    assert!(
        report.waiting[0].why.contains("no outcome yet"),
        "{report:#?}"
    );
    assert_eq!(store.state().await.unwrap().unfinished().count(), 1);
}

#[tokio::test(start_paused = true)]
async fn problem_that_lasts_is_reported_once_beside_other_controllers() {
    let stage = Stage::at("08:00", "[controller]\nmax_changes = 3");
    let leases = Arc::new(HalfOfTheGroups {
        store: stage.store.clone(),
        groups: BTreeSet::from(["web".to_owned()]),
        bundles: Mutex::default(),
    });
    let keeper = stage.keeper().leases(leases);
    for pass in 0..3 {
        let report = keeper.pass().await.unwrap();
        let facts: Vec<_> = report.facts.iter().map(|fact| fact.kind).collect();
        let expected = match pass {
            0 => &[FactKind::CircuitBreaker][..],
            _ => &[],
        };
        assert_eq!(facts, expected, "{pass}");
        let other = serde_json::json!({
            "record": "pass", "at": "2026-11-27T00:00:00Z", "by": "other", "instances": 0, "changes": 0,
        });
        let other = serde_json::from_value(other).unwrap();
        stage.store.append(vec![other]).await.unwrap();
    }
}

/// Two controllers of one store: the first one has the group `mine`, the other one `theirs`.
fn two_controllers(stage: &mut Stage, clock: &str, more: &str) -> [Keeper; 2] {
    *stage = Stage::at(clock, "");
    let text = format!(
        "groups.mine = {:?}\ngroups.theirs = {:?}\nkeep.mine = \"office\"\nkeep.theirs = \"office\"\n\
         [schedules.office]\nzone = \"Asia/Shanghai\"\n\
         windows = [{{ days = \"workdays\", from = \"08:00\", to = \"20:00\" }}]\n{more}",
        &stage.machines[..2],
        &stage.machines[2..]
    );
    stage.settings = Settings::from_config(&Config::parse(&text).unwrap()).unwrap();
    ["mine", "theirs"].map(|group| {
        let leases = HalfOfTheGroups {
            store: stage.store.clone(),
            groups: BTreeSet::from([group.to_owned()]),
            bundles: Mutex::default(),
        };
        stage.keeper().leases(Arc::new(leases))
    })
}

async fn facts(keeper: &Keeper) -> Vec<(FactKind, String)> {
    let report = keeper.pass().await.unwrap();
    let facts = report.facts.into_iter();
    facts.map(|fact| (fact.kind, fact.subject)).collect()
}

#[tokio::test(start_paused = true)]
async fn hold_is_reported_once_by_the_controller_of_its_group() {
    let mut stage = Stage::at("12:00", "");
    let [mine, theirs] = two_controllers(&mut stage, "12:00", "");
    for keeper in [&mine, &theirs] {
        keeper.pass().await.unwrap();
    }
    for (target, holder, other) in [
        ("mine".to_owned(), &mine, &theirs),
        (stage.machines[3].clone(), &theirs, &mine),
    ] {
        sleep(Duration::from_secs(60)).await;
        let now = mine.now();
        let until = now + SignedDuration::from_hours(4);
        let hold = Hold::new(&target, Wanted::AsIs, until, "release", "ops", now);
        stage.store.append(vec![Record::Hold(hold)]).await.unwrap();
        sleep(Duration::from_secs(60)).await;
        assert_eq!(facts(other).await, []);
        assert_eq!(facts(holder).await, [(FactKind::Held, target)]);
        assert_eq!(facts(other).await, []);
        assert_eq!(facts(holder).await, []);
    }
}

#[tokio::test(start_paused = true)]
async fn hold_is_reported_once_if_the_clock_is_set_back() {
    let stage = Stage::at("12:00", "");
    let keeper = stage.keeper();
    keeper.pass().await.unwrap();
    // By the clock of another machine, which is an hour ahead.
    let at = keeper.now() + SignedDuration::from_hours(1);
    let until = at + SignedDuration::from_hours(4);
    let hold = Hold::new("web", Wanted::AsIs, until, "release", "ops", at);
    stage.store.append(vec![Record::Hold(hold)]).await.unwrap();
    assert_eq!(facts(&keeper).await, [(FactKind::Held, "web".to_owned())]);
    for _ in 0..3 {
        sleep(Duration::from_secs(300)).await;
        assert_eq!(facts(&keeper).await, []);
    }
}

#[tokio::test(start_paused = true)]
async fn calendar_is_reported_once_a_week_for_each_group_whoever_passes_between() {
    let calendar = "calendar = \"cn\"\n[calendars.cn]\nends = \"2026-12-01\"\n";
    let mut stage = Stage::at("12:00", "");
    let [mine, theirs] = two_controllers(&mut stage, "12:00", calendar);
    let reminder = |group: &str| (FactKind::CalendarEnding, group.to_owned());
    let mut counts = [0, 0];
    for _ in 0..24 {
        for (keeper, group, count) in [(&mine, "mine", 0), (&theirs, "theirs", 1)] {
            let reported = facts(keeper).await.into_iter();
            counts[count] += reported.filter(|fact| *fact == reminder(group)).count();
        }
        sleep(Duration::from_secs(24 * 3_600)).await;
    }
    // 24 days touch four or five weeks.
    assert!(
        counts.iter().all(|count| (4..=5).contains(count)),
        "{counts:?}"
    );
}
