//! The keeper with simulated clouds, under paused time: days, drift, crashes and stores that fail.

use std::{
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use lifecycle_facade::{Credential, EmptyHost, Fleet, config::Config};
use lifecycle_sim::{
    Cloud, FaultRule, FaultTiming, Impairment, InjectedFault, PowerOperation, SimulatedState,
    Simulator,
};
use tokio::time::{Instant, sleep, sleep_until};

use super::*;
use crate::{
    decide::{Fact, FactKind},
    history::HistoryEntry,
    memory::MemoryStore,
    record::{Hold, Record, Wanted},
    settings::Settings,
    state::State,
    store::{HistoryQuery, Store, StoreError},
};

mod ended_early; // passes that are dropped or stopped
mod names; // machines with several names
mod outage; // a store that goes away in the middle of a pass
mod shared; // stores and groups of several controllers

/// A fleet of two machines in each of two clouds, its store, and the configuration.
struct Stage {
    simulator: Simulator,
    store: Arc<MemoryStore>,
    settings: Settings,
    machines: Vec<String>,
    began: Instant,
    epoch: Timestamp,
}

impl Stage {
    /// Begins at a time of day in Shanghai, on Friday, 27 November 2026.
    fn at(clock: &str, more: &str) -> Self {
        let key = Credential::keys("SIMULATEDKEY", "simulated-secret-that-opens-nothing");
        let epoch: Timestamp = format!("2026-11-27T{clock}:00+08:00").parse().unwrap();
        let simulator = Simulator::builder()
            .fleet("baidu/bj=2,aliyun/cn-hangzhou=2")
            .unwrap()
            .epoch(SystemTime::from(epoch))
            .credential(Cloud::Baidu, &key)
            .credential(Cloud::Aliyun, &key)
            .build();
        let machines = simulator.instances();
        let text = format!(
            "groups.web = {machines:?}\n\
             keep.web = \"office\"\n\
             [schedules.office]\n\
             zone = \"Asia/Shanghai\"\n\
             windows = [{{ days = \"workdays\", from = \"08:00\", to = \"20:00\" }}]\n\
             {more}"
        );
        let settings = Settings::from_config(&Config::parse(&text).unwrap()).unwrap();
        Self {
            simulator,
            store: Arc::default(),
            settings,
            machines,
            began: Instant::now(),
            epoch,
        }
    }

    /// Begins eight minutes before the maintenance. All machines run.
    async fn in_maintenance(more: &str) -> Self {
        let stage = Self::at("12:50", more);
        for machine in &stage.machines {
            let start = PowerOperation::Start;
            stage.simulator.execute_externally(machine, start).unwrap();
        }
        sleep(Duration::from_secs(120)).await;
        stage
    }

    fn fleet(&self) -> Fleet {
        Fleet::builder()
            .machine(EmptyHost)
            .transport(self.simulator.transport())
            .clock(self.simulator.clock())
            .credential(Credential::keys(
                "SIMULATEDKEY",
                "simulated-secret-that-opens-nothing",
            ))
            .configure_client(|client| client.seed(1))
            .build()
            .unwrap()
    }

    fn keeper_with(&self, store: Arc<dyn Store>) -> Keeper {
        Keeper::new(self.fleet(), store, self.settings.clone(), "test")
            .clock(self.simulator.clock())
    }

    fn keeper(&self) -> Keeper {
        self.keeper_with(self.store.clone())
    }

    fn moment(&self, clock: &str) -> Instant {
        let at: Timestamp = format!("2026-11-27T{clock}:00+08:00").parse().unwrap();
        self.began + Duration::try_from(at.duration_since(self.epoch)).unwrap()
    }

    /// Runs the keeper until a time of day, and returns all reports.
    async fn run_until(&self, clock: &str) -> Vec<PassReport> {
        let reports = Mutex::new(Vec::new());
        self.keeper()
            .run(sleep_until(self.moment(clock)), |report| {
                reports.lock().unwrap().push(report.clone());
            })
            .await
            .unwrap();
        reports.into_inner().unwrap()
    }

    fn states(&self) -> Vec<SimulatedState> {
        let machines = self.machines.iter();
        machines
            .map(|machine| self.simulator.state_of(machine).unwrap())
            .collect()
    }

    fn all(&self, state: SimulatedState) -> bool {
        self.states().iter().all(|seen| *seen == state)
    }

    async fn notices(&self) -> Vec<String> {
        let records = self.store.records().into_iter();
        records
            .filter_map(|record| match record {
                Record::Notice(notice) => Some(notice.kind),
                _ => None,
            })
            .collect()
    }
}

#[tokio::test(start_paused = true)]
async fn day_starts_and_stops_the_machines_at_the_edges() {
    let stage = Stage::at("07:50", "");
    let reports = stage.run_until("12:00").await;
    assert!(stage.all(SimulatedState::Running), "{reports:?}");
    stage.run_until("21:00").await;
    assert!(stage.all(SimulatedState::Stopped));
    for machine in &stage.machines {
        let executed = stage.simulator.ledger().executed(machine).unwrap();
        assert_eq!((executed.starts, executed.stops), (1, 1), "{machine}");
    }
    // The history explains every operation of the clouds.
    let history = stage.store.history(&HistoryQuery::default()).await.unwrap();
    for machine in &stage.machines {
        let calls = history
            .iter()
            .filter(|entry| entry.kind == "call" && entry.subject.as_ref() == Some(machine));
        assert!(calls.clone().all(|call| call.outcome == Some("reached")));
        assert_eq!(calls.count(), 2, "{machine}");
    }
    // The first action is sent within seconds of the edge.
    let first = history.iter().find(|entry| entry.kind == "call").unwrap();
    let edge: Timestamp = "2026-11-27T08:00:00+08:00".parse().unwrap();
    let delay = first.at.duration_since(edge);
    assert!((0..10).contains(&delay.as_secs()), "{delay:?}");
    assert!(
        first
            .why
            .as_deref()
            .unwrap()
            .starts_with("schedule office: running since")
    );
}

#[tokio::test(start_paused = true)]
async fn second_pass_changes_nothing() {
    let stage = Stage::at("08:00", "");
    let first = stage.keeper().pass().await.unwrap();
    assert_eq!(first.actions.len(), 4);
    assert!(first.is_complete(), "{first:?}");
    let second = stage.keeper().pass().await.unwrap();
    assert!(second.actions.is_empty() && second.waiting.is_empty() && second.facts.is_empty());
    let next: Timestamp = "2026-11-27T08:05:00+08:00".parse().unwrap();
    let until = second.next.unwrap().duration_since(next).abs();
    assert!(until < SignedDuration::from_mins(3), "{second:?}");
}

/// The first machine of each cloud.
const FIRST_MACHINES: [usize; 2] = [0, 2];

#[tokio::test(start_paused = true)]
async fn capacity_error_is_retried_until_it_heals() {
    for broken in FIRST_MACHINES {
        let stage = Stage::at("07:59", "");
        let machine = &stage.machines[broken];
        let no_stock = Some(Impairment::NoStock);
        stage.simulator.set_impairment(machine, no_stock).unwrap();
        let reports = stage.run_until("09:00").await;
        assert_eq!(
            stage.simulator.state_of(machine),
            Some(SimulatedState::Stopped)
        );
        let failed = reports.iter().flat_map(|report| &report.actions);
        let failed =
            failed.filter(|(action, result)| action.instance == *machine && !result.reached);
        let attempts = failed.count();
        // At 0, 1, 3, 7, 15 and 31 minutes after the edge.
        assert_eq!(attempts, 6, "{machine}");
        // The machine beside the broken one is not blocked.
        assert_eq!(
            stage.simulator.state_of(&stage.machines[broken + 1]),
            Some(SimulatedState::Running)
        );
        stage.simulator.set_impairment(machine, None).unwrap();
        stage.run_until("10:30").await;
        assert!(stage.all(SimulatedState::Running));
        assert!(stage.notices().await.is_empty(), "{machine}");
    }
}

#[tokio::test(start_paused = true)]
async fn machine_that_never_started_is_given_up_at_the_end_of_the_window() {
    for broken in FIRST_MACHINES {
        let stage = Stage::at("07:59", "");
        let machine = &stage.machines[broken];
        let no_stock = Some(Impairment::NoStock);
        stage.simulator.set_impairment(machine, no_stock).unwrap();
        stage.run_until("20:10").await;
        assert_eq!(stage.notices().await, ["given-up"]);
    }
}

#[tokio::test(start_paused = true)]
async fn manual_stop_is_left_until_the_next_change_and_reported_once() {
    let stage = Stage::at("07:59", "");
    stage.run_until("12:00").await;
    let machine = &stage.machines[0];
    let stop = PowerOperation::Stop;
    stage.simulator.execute_externally(machine, stop).unwrap();
    stage.run_until("19:00").await;
    assert_eq!(
        stage.simulator.state_of(machine),
        Some(SimulatedState::Stopped)
    );
    assert_eq!(stage.notices().await, ["drifted"]);
}

#[tokio::test(start_paused = true)]
async fn manual_stop_is_corrected_after_the_time_of_leave_for() {
    let stage = Stage::at("07:59", "manual = { leave_for = \"1h\" }");
    stage.run_until("12:00").await;
    let machine = &stage.machines[0];
    let stop = PowerOperation::Stop;
    stage.simulator.execute_externally(machine, stop).unwrap();
    stage.run_until("12:50").await;
    assert_eq!(
        stage.simulator.state_of(machine),
        Some(SimulatedState::Stopped)
    );
    stage.run_until("13:20").await;
    assert_eq!(
        stage.simulator.state_of(machine),
        Some(SimulatedState::Running)
    );
}

#[tokio::test(start_paused = true)]
async fn hold_keeps_the_machines_running_and_ends_by_itself() {
    let stage = Stage::at("19:00", "");
    stage.keeper().pass().await.unwrap();
    let hold = Hold {
        target: "web".to_owned(),
        state: crate::record::Wanted::Running,
        until: "2026-11-27T22:00:00+08:00".parse().unwrap(),
        why: "release".to_owned(),
        by: "ops".to_owned(),
        at: stage.keeper().now(),
    };
    stage.store.append(vec![Record::Hold(hold)]).await.unwrap();
    stage.run_until("21:50").await;
    assert!(stage.all(SimulatedState::Running));
    stage.run_until("22:10").await;
    assert!(stage.all(SimulatedState::Stopped));
}

#[tokio::test(start_paused = true)]
async fn protected_machine_is_not_stopped() {
    let stage = Stage::at("07:59", "");
    stage.run_until("12:00").await;
    stage
        .simulator
        .add("baidu/bj=1:running;tag:lifecycle:protected=yes")
        .unwrap();
    let machines = stage.simulator.instances();
    let protected = machines
        .iter()
        .find(|name| !stage.machines.contains(name))
        .unwrap();
    let mut stage = stage;
    let text = format!(
        "groups.web = [{protected:?}]\nkeep.web = \"office\"\n[schedules.office]\nzone = \"Asia/Shanghai\"\n\
         windows = [{{ days = \"all\", from = \"08:00\", to = \"20:00\" }}]"
    );
    stage.settings = Settings::from_config(&Config::parse(&text).unwrap()).unwrap();
    let reports = stage.run_until("20:30").await;
    assert_eq!(
        stage.simulator.state_of(protected),
        Some(SimulatedState::Running)
    );
    let waiting = &reports.last().unwrap().waiting[0];
    assert!(waiting.why.contains("lifecycle:protected"), "{waiting:?}");
}

const MAINTENANCE: &str = "[[maintenance]]\ngroup = \"web\"\nzone = \"Asia/Shanghai\"\n\
    on = { weekday = \"fri\" }\nfrom = \"13:00\"";

#[tokio::test(start_paused = true)]
async fn maintenance_reboots_each_machine_once() {
    let stage = Stage::at("07:59", MAINTENANCE);
    stage.run_until("18:00").await;
    for machine in &stage.machines {
        let executed = stage.simulator.ledger().executed(machine).unwrap();
        assert_eq!(executed.reboots, 1, "{machine}");
    }
}

#[tokio::test(start_paused = true)]
async fn lost_reboot_answer_is_reported_as_uncertain_or_reached_and_never_repeated() {
    let stage = Stage::in_maintenance(MAINTENANCE).await;
    stage.simulator.inject(
        FaultRule::new(InjectedFault::Reset(FaultTiming::After))
            .on_actions()
            .times(1),
    );
    stage.run_until("14:00").await;
    assert!(stage.simulator.ledger().most_reboots() <= 1);
}

/// A store in memory whose appends can fail.
struct FaultyStore {
    inner: MemoryStore,
    appends: AtomicUsize,
    fault: Box<AppendFault>,
}

/// Returns the error of an append, and whether the records are written nevertheless. Appends are counted from 1.
type AppendFault = dyn Fn(usize, &[Record]) -> Option<(StoreError, bool)> + Send + Sync;

impl FaultyStore {
    fn new(
        fault: impl Fn(usize, &[Record]) -> Option<(StoreError, bool)> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            inner: MemoryStore::default(),
            appends: AtomicUsize::new(0),
            fault: Box::new(fault),
        })
    }

    fn appends(&self) -> usize {
        self.appends.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyStore").finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for FaultyStore {
    async fn append(&self, records: Vec<Record>) -> Result<(), StoreError> {
        let number = self.appends.fetch_add(1, Ordering::Relaxed) + 1;
        let fault = (self.fault)(number, &records);
        if fault.as_ref().is_none_or(|(_, is_written)| *is_written) {
            self.inner.append(records).await?;
        }
        fault.map_or(Ok(()), |(error, _)| Err(error))
    }

    async fn state(&self) -> Result<State, StoreError> {
        self.inner.state().await
    }

    async fn history(&self, query: &HistoryQuery) -> Result<Vec<HistoryEntry>, StoreError> {
        self.inner.history(query).await
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_that_is_not_recorded() {
    for left in 0..12 {
        let stage = Stage::at("08:00", "");
        let store = FaultyStore::new(move |number, _| {
            let disk_is_full = || StoreError::Other("the disk is full".to_owned());
            (number > left).then(|| (disk_is_full(), false))
        });
        let result = stage.keeper_with(store.clone()).pass().await;
        let intents = store.inner.records().into_iter();
        let recorded: Vec<String> = intents
            .flat_map(|record| match record {
                Record::Intent(intent) => intent.instances,
                _ => Vec::new(),
            })
            .map(|intent| intent.instance)
            .collect();
        for machine in &stage.machines {
            let executed = stage.simulator.ledger().executed(machine).unwrap();
            let is_recorded = recorded.contains(machine);
            assert!(executed.starts == 0 || is_recorded, "{machine}, {left}");
        }
        assert!(left > 8 || result.is_err(), "{left}");
    }
}

#[tokio::test(start_paused = true)]
async fn mass_mistake_breaks_the_circuit_once() {
    let stage = Stage::at("08:00", "[controller]\nmax_changes = 3");
    let reports = stage.run_until("08:30").await;
    assert!(reports.iter().all(|report| report.blocked.is_some()));
    assert!(stage.all(SimulatedState::Stopped));
    assert_eq!(stage.notices().await, ["circuit-breaker"]);
}

#[tokio::test(start_paused = true)]
async fn unreachable_cloud_does_not_block_the_other() {
    let stage = Stage::at("08:00", "");
    let rule = FaultRule::new(InjectedFault::Unreachable).at(Cloud::Baidu);
    stage.simulator.inject(rule.always());
    let report = stage.keeper().pass().await.unwrap();
    assert_eq!(report.actions.len(), 2, "{report:?}");
    assert_eq!(report.problems.len(), 2, "{report:?}");
    assert!(!report.is_complete());
}

/// Fails, or is slow, as a program of `on_change` can be.
#[derive(Debug)]
struct SlowNotifier(AtomicUsize);

#[async_trait]
impl Notifier for SlowNotifier {
    async fn notify(&self, message: Message) -> Result<(), String> {
        assert_eq!(message.facts[0].kind, "circuit-breaker");
        self.0.fetch_add(1, Ordering::Relaxed);
        sleep(Duration::from_secs(1_000)).await;
        Err("the program is broken".to_owned())
    }
}

#[tokio::test(start_paused = true)]
async fn slow_notifier_blocks_no_pass_and_its_failure_is_recorded() {
    let stage = Stage::at("08:00", "[controller]\nmax_changes = 3");
    let notifier = Arc::new(SlowNotifier(AtomicUsize::new(0)));
    let passes = AtomicUsize::new(0);
    let keeper = stage.keeper().notifier(notifier.clone());
    keeper
        .run(sleep_until(stage.moment("08:30")), |_| {
            passes.fetch_add(1, Ordering::Relaxed);
        })
        .await
        .unwrap();
    assert!(passes.into_inner() >= 6);
    assert_eq!(notifier.0.load(Ordering::Relaxed), 1);
    assert_eq!(
        stage.notices().await,
        ["circuit-breaker", "notification-failed"]
    );
}

#[cfg(unix)]
#[tokio::test]
async fn program_gets_json_and_its_failures_have_reasons() {
    let facts = [Fact {
        kind: FactKind::Drifted,
        subject: "baidu/bj/i-1".to_owned(),
        message: "somebody else".to_owned(),
    }];
    let message = || Message::new(Timestamp::UNIX_EPOCH, "test", &facts);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("message");
    let shell = |script: String| {
        let command = ["sh".to_owned(), "-c".to_owned(), script];
        ProgramNotifier::new(&command).unwrap()
    };
    let writes = shell(format!("cat > '{}'", file.display()));
    writes.notify(message()).await.unwrap();
    let written = std::fs::read_to_string(&file).unwrap();
    assert_eq!(
        written,
        "{\"schema\":1,\"at\":\"1970-01-01T00:00:00Z\",\"by\":\"test\",\"facts\":[{\"kind\":\"drifted\",\
         \"subject\":\"baidu/bj/i-1\",\"message\":\"somebody else\"}]}\n"
    );
    let failed = shell("exit 3".to_owned())
        .notify(message())
        .await
        .unwrap_err();
    assert!(failed.contains("exit status: 3"), "{failed}");
    let slow = shell("sleep 60".to_owned()).limit(Duration::from_millis(50));
    let failed = slow.notify(message()).await.unwrap_err();
    assert!(failed.contains("did not end within 0.05 s"), "{failed}");
    let missing = ProgramNotifier::new(&["/does/not/exist".to_owned()]).unwrap();
    let failed = missing.notify(message()).await.unwrap_err();
    assert!(failed.contains("cannot be started"), "{failed}");
    assert!(ProgramNotifier::new(&[]).is_none());
}

#[test]
fn calendar_warns_from_thirty_days_before_its_end() {
    use jiff::civil::date;

    let calendar = crate::settings::CalendarEnd {
        name: "cn".to_owned(),
        ends: Some(date(2026, 12, 31)),
    };
    let warning = |today| calendar_warning(&calendar, today);
    assert_eq!(warning(date(2026, 11, 30)), None);
    assert!(warning(date(2026, 12, 1)).unwrap().contains("in 30 days"));
    assert!(warning(date(2026, 12, 31)).unwrap().contains("in 0 days"));
    assert!(
        warning(date(2027, 1, 1))
            .unwrap()
            .contains("ended on 2026-12-31")
    );
}
