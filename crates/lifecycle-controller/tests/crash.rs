//! Tests of a crash at any await: the future of a recorded request is dropped, and the request is resumed on the
//! same store, until the request ends.
//!
//! Time is paused, the clouds are simulated, and the store is in memory. A store loses an append that was
//! dropped before it was durable, and can fail for good at any write. The environment variable
//! `LIFECYCLE_SEEDS` sets the number of drawn cases.

mod support;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use lifecycle_controller::{Operation, ResumeMode, SendPhase, StoreRecorder, resume_request};
use lifecycle_facade::{
    Credential, EmptyHost, Fleet, FleetReport, FleetRequest, Waves,
    lifecycle_core::{Action, RebootOptions, StartOptions, StopOptions},
};
use lifecycle_sim::{Cloud, FaultRule, FaultTiming, InjectedFault, Operation as Call, Simulator};
use support::{FragileStore, crash_after};

/// The clouds, the store and the request of one case.
struct Case {
    simulator: Simulator,
    store: Arc<FragileStore>,
    action: Action,
    waves: Option<Waves>,
    instances: Vec<String>,
}

impl Case {
    fn new(action: Action, seed: u64) -> Self {
        let state = match action {
            Action::Start(_) => "",
            _ => ":running",
        };
        let fleet = ["aliyun/cn-hangzhou=3", "baidu/bj=2", "huawei/cn-north-4=2"];
        let fleet = fleet.map(|part| format!("{part}{state}")).join(",");
        let key = Credential::keys("id", "secret");
        let builder = Simulator::builder().seed(seed).fleet(&fleet).unwrap();
        let builder = Cloud::ALL
            .into_iter()
            .fold(builder, |builder, cloud| builder.credential(cloud, &key));
        let simulator = builder.build();
        Self {
            instances: simulator.instances(),
            simulator,
            store: Arc::default(),
            action,
            waves: None,
        }
    }

    /// Returns a fleet as a new process has one.
    fn fleet(&self) -> Fleet {
        Fleet::builder()
            .machine(EmptyHost)
            .transport(self.simulator.transport())
            .clock(self.simulator.clock())
            .credential(Credential::keys("id", "secret"))
            .project(self.simulator.project_id())
            .configure_client(|client| client.seed(1))
            .build()
            .unwrap()
    }

    fn request(&self) -> FleetRequest<Action> {
        let recorder = StoreRecorder::new(self.store.clone(), "test", "crash test");
        let recorder = Arc::new(recorder.clock(self.simulator.clock()));
        let mut request = FleetRequest::new(self.fleet(), &self.instances, self.action)
            .wait(Duration::from_secs(300))
            .recorder(recorder);
        if let Some(waves) = self.waves {
            request = request.waves(waves);
        }
        request
    }

    fn operation(&self) -> Option<Operation> {
        self.store.state.lock().unwrap().latest().cloned()
    }

    /// Continues the operation of the store in a new process.
    async fn resume(&self, mode: ResumeMode) -> FleetReport {
        let operation = self.operation().unwrap();
        let (store, clock) = (self.store.clone(), self.simulator.clock());
        let resumed = resume_request(self.fleet(), &operation, mode, store, clock).unwrap();
        resumed.report().await.unwrap()
    }

    /// Returns the number of executed actions by instance.
    fn executed(&self) -> BTreeMap<String, u32> {
        let mut executed = BTreeMap::new();
        for record in self.simulator.ledger().power_operations() {
            *executed.entry(record.instance).or_default() += 1;
        }
        executed
    }

    /// Returns the number of calls that act.
    fn actions(&self) -> u64 {
        let ledger = self.simulator.ledger();
        let calls = [Call::Start, Call::Stop, Call::Reboot];
        let clouds = Cloud::ALL.into_iter();
        clouds
            .flat_map(|cloud| calls.map(|call| ledger.count(cloud, call)))
            .sum()
    }

    fn is_reboot(&self) -> bool {
        matches!(self.action, Action::Reboot(_))
    }

    /// Checks the promises about the calls so far.
    fn check_calls(&self) {
        let operation = self.operation();
        let intents = self.store.intents.lock().unwrap();
        for (name, times) in self.executed() {
            let intents = intents.iter().flat_map(|(_, intent, _)| &intent.instances);
            let intents = intents.filter(|intent| intent.instance == name).count();
            assert!(times as usize <= intents, "{name}: {times} of {intents}");
            let recorded = operation.as_ref();
            let recorded = recorded.map(|operation| &operation.progress(&name).phase);
            assert!(
                recorded.is_some_and(|phase| *phase != SendPhase::NotSent),
                "{name}: executed and not recorded"
            );
            assert!(times <= 1 || !self.is_reboot(), "{name}: {times} reboots");
        }
    }

    /// Checks the report of a request that ended.
    fn check_report(&self, report: &FleetReport) {
        let rows = report.instances().iter();
        let names: Vec<String> = rows.map(|row| row.instance.to_string()).collect();
        assert_eq!(names, self.instances, "one row for each instance, in order");
        let executed = self.executed();
        for row in report {
            let times = executed.get(&row.instance.to_string()).copied();
            let times = times.unwrap_or_default();
            match row.outcome.as_str() {
                "reached" | "pending" => assert!(times >= 1, "{row}"),
                "refused" | "skipped" => assert_eq!(times, 0, "{row}"),
                _ => {}
            }
        }
    }
}

/// Drops the request after each number of polls until the request ends by itself.
async fn crash_everywhere(action: Action, waves: Option<Waves>) {
    for polls in 1.. {
        let mut case = Case::new(action, 7);
        case.waves = waves;
        let ended = crash_after(polls, case.request().into_future()).await;
        case.check_calls();
        if let Some(report) = ended {
            assert!(report.unwrap().is_success());
            assert!(polls > 20, "the test drops nothing: {polls}");
            return;
        }
        let Some(operation) = case.operation() else {
            assert_eq!(case.actions(), 0, "sent before the request was recorded");
            continue;
        };
        let sent = case.actions();
        let looked = case.resume(ResumeMode::ReportOnly).await;
        assert_eq!(case.actions(), sent, "a report sends nothing");
        let unchanged = case.operation().unwrap();
        assert_eq!(unchanged, operation, "a report records nothing");
        let names: Vec<String> = looked
            .into_iter()
            .map(|row| row.instance.to_string())
            .collect();
        assert_eq!(names, case.instances);
        let report = case.resume(ResumeMode::Finish).await;
        case.check_calls();
        case.check_report(&report);
        if !case.is_reboot() {
            assert!(report.is_success(), "{polls}: {report:?}");
        }
        let sent = case.simulator.ledger().total();
        assert!(case.operation().unwrap().is_finished());
        let again = case.resume(ResumeMode::Finish).await;
        let total = case.simulator.ledger().total();
        assert_eq!(total, sent, "a finished request sends nothing");
        let row = |report: &FleetReport| format!("{:?}", report.instances());
        assert_eq!(row(&again), row(&report));
    }
}

#[tokio::test(start_paused = true)]
async fn reboots_dropped_at_any_await_are_executed_once_and_reported() {
    crash_everywhere(RebootOptions::default().into(), None).await;
}

#[tokio::test(start_paused = true)]
async fn starts_dropped_at_any_await_succeed_after_a_resume() {
    crash_everywhere(StartOptions::default().into(), None).await;
}

#[tokio::test(start_paused = true)]
async fn stops_in_waves_dropped_at_any_await_continue_with_the_next_wave() {
    crash_everywhere(StopOptions::default().into(), Some(Waves::of(4))).await;
}

/// Draws crashes, faults of the clouds and a full disk.
async fn drawn_case(seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let action: Action = match random.u8(..6) {
        0 => StartOptions::default().into(),
        1 => StopOptions::default().into(),
        _ => RebootOptions::default().into(),
    };
    let mut case = Case::new(action, seed);
    if random.bool() {
        let waves = Waves::of(random.usize(1..6)).with_stop_after(random.usize(1..10));
        case.waves = Some(waves);
    }
    for _ in 0..random.usize(..4) {
        let timing = match random.bool() {
            true => FaultTiming::Before,
            false => FaultTiming::After,
        };
        let fault = match random.u8(..5) {
            0 => InjectedFault::Unreachable,
            1 => InjectedFault::Reset(timing),
            2 => InjectedFault::Silence(timing),
            3 => InjectedFault::Garbage,
            _ => InjectedFault::Throttled { hint: None },
        };
        let rule = FaultRule::new(fault)
            .skip(random.u64(..4))
            .times(random.u64(1..3));
        case.simulator.inject(match random.bool() {
            true => rule.on_actions(),
            false => rule,
        });
    }
    if random.u8(..4) == 0 {
        *case.store.room.lock().unwrap() = Some(random.u32(..20));
    }
    let crash = |random: &mut fastrand::Rng| random.u32(1..120);
    let ended = crash_after(crash(&mut random), case.request().into_future()).await;
    case.check_calls();
    if let Some(Ok(report)) = &ended {
        case.check_report(report);
    }
    // A new process finds room on the disk again.
    *case.store.room.lock().unwrap() = None;
    while case
        .operation()
        .is_some_and(|operation| !operation.is_finished())
    {
        let polls = match random.bool() {
            true => crash(&mut random),
            false => u32::MAX,
        };
        let resumed = crash_after(polls, case.resume(ResumeMode::Finish)).await;
        case.check_calls();
        if let Some(report) = resumed {
            case.check_report(&report);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn drawn_crashes_faults_and_full_disks_keep_the_promises() {
    let seeds = std::env::var("LIFECYCLE_SEEDS").ok();
    let seeds = seeds.map_or(300, |seeds| seeds.parse().unwrap());
    for seed in 0..seeds {
        if let Err(panic) = tokio::spawn(drawn_case(seed)).await {
            panic!("seed {seed}: {panic}");
        }
    }
}
