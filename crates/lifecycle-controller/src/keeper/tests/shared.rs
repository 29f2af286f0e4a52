//! A store that does not answer for a while, and the groups of one of several controllers.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::AtomicBool,
};

use super::*;
use crate::{
    leases::{GroupLeases, Holder, Share},
    record::OperationId,
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
            true => Err(StoreError::Unavailable {
                message: "database ops@db: connection closed".to_owned(),
            }),
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

/// A store that does not answer one append, and answers before the pass ends.
#[derive(Debug, Default)]
struct InterruptedStore {
    inner: MemoryStore,
    /// The number of the append that fails, counted from 1.
    fails_at: usize,
    appends: AtomicUsize,
}

#[async_trait]
impl Store for InterruptedStore {
    async fn append(&self, records: Vec<Record>) -> Result<(), StoreError> {
        if self.appends.fetch_add(1, Ordering::Relaxed) + 1 == self.fails_at {
            return Err(StoreError::Unavailable {
                message: "database ops@db: connection closed".to_owned(),
            });
        }
        self.inner.append(records).await
    }

    async fn state(&self) -> Result<State, StoreError> {
        self.inner.state().await
    }

    async fn history(&self, query: &HistoryQuery) -> Result<Vec<HistoryEntry>, StoreError> {
        self.inner.history(query).await
    }
}

#[tokio::test(start_paused = true)]
async fn maintenance_is_made_good_after_a_store_that_did_not_answer_for_a_moment() {
    let mut appends = 0;
    for fails_at in 1.. {
        let stage = Stage::at("12:50", MAINTENANCE);
        for machine in &stage.machines {
            let start = PowerOperation::Start;
            stage.simulator.execute_externally(machine, start).unwrap();
        }
        sleep(Duration::from_secs(120)).await;
        let store = Arc::new(InterruptedStore {
            fails_at,
            ..InterruptedStore::default()
        });
        let keeper = stage.keeper_with(store.clone());
        let run = keeper.run(sleep_until(stage.moment("13:30")), |_| {});
        run.await.unwrap();
        for machine in &stage.machines {
            let executed = stage.simulator.ledger().executed(machine).unwrap();
            assert_eq!(executed.reboots, 1, "{machine}: append {fails_at}");
        }
        if store.appends.load(Ordering::Relaxed) < fails_at {
            break;
        }
        appends = fails_at;
    }
    assert!(appends > 10, "the test interrupts nothing: {appends}");
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

/// All groups, and a renewal of the leases that fails at a moment.
#[derive(Debug)]
struct FailingRenewals {
    store: Arc<MemoryStore>,
    groups: BTreeSet<String>,
    fails_at: Instant,
}

#[async_trait]
impl GroupLeases for FailingRenewals {
    async fn begin_pass(&self, _: &[BTreeSet<String>]) -> Result<Share, StoreError> {
        let groups = self.groups.clone();
        Ok(Share::new(groups, BTreeMap::new(), self.store.clone(), ()))
    }

    async fn changed(&self) {
        std::future::pending::<()>().await;
    }

    async fn unavailable(&self) -> StoreError {
        sleep_until(self.fails_at).await;
        StoreError::Unavailable {
            message: "database ops@db: no answer within 11 s".to_owned(),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn store_that_does_not_answer_is_reported_while_a_pass_waits_for_machines() {
    let stage = Stage::at("08:00", "");
    let began = stage.began;
    let leases = Arc::new(FailingRenewals {
        store: stage.store.clone(),
        groups: BTreeSet::from(["web".to_owned()]),
        fails_at: began + Duration::from_secs(5),
    });
    let keeper = stage.keeper().leases(leases);
    let reports = Mutex::new(Vec::new());
    let run = keeper.run(sleep_until(stage.moment("08:04")), |report| {
        reports
            .lock()
            .unwrap()
            .push((began.elapsed(), report.clone()));
    });
    run.await.unwrap();
    let reports = reports.into_inner().unwrap();
    let (at, first) = &reports[0];
    assert!(first.store_unavailable, "{first:#?}");
    assert!(
        first.problems[0].contains("nothing new is sent"),
        "{first:#?}"
    );
    assert_eq!(at.as_secs(), 5);
    // The machines need longer to boot than the renewal to fail, and the pass goes on to its end.
    let (at, second) = &reports[1];
    assert!(*at > Duration::from_secs(5), "{at:?}");
    assert_eq!(second.actions.len(), 4);
    assert!(
        second.facts[0].message.contains("answers again after"),
        "{second:#?}"
    );
}
