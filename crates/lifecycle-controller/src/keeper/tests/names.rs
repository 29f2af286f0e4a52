//! One machine, one name: groups and holds name a machine through two accounts, and in two spellings of the id.

use lifecycle_facade::{Account, Cloud as FacadeCloud};
use lifecycle_sim::ExecutionCounts;

use super::*;
use crate::{
    machine::machine_name,
    record::{ActionRecord, Release},
    state::LastAction,
};

/// A stopped machine at Huawei, whose id is a UUID, at 07:59.
struct OneMachine {
    simulator: Simulator,
    store: Arc<MemoryStore>,
    epoch: Timestamp,
    began: Instant,
}

impl OneMachine {
    fn new() -> Self {
        let epoch: Timestamp = "2026-11-27T07:59:00+08:00".parse().unwrap();
        let simulator = Simulator::builder()
            .fleet("huawei/cn-north-4=1")
            .unwrap()
            .epoch(SystemTime::from(epoch))
            .credential(Cloud::Huawei, &key())
            .build();
        Self {
            simulator,
            store: Arc::default(),
            epoch,
            began: Instant::now(),
        }
    }

    fn name(&self) -> String {
        self.simulator.instances().remove(0)
    }

    /// Returns the names with the id in upper case, with another account, and with both.
    fn other_names(&self) -> [String; 3] {
        let name = self.name();
        let (location, id) = name.rsplit_once('/').unwrap();
        let upper = format!("{location}/{}", id.to_ascii_uppercase());
        assert_ne!(upper, name);
        [upper.clone(), format!("ops@{name}"), format!("ops@{upper}")]
    }

    fn keeper(&self, groups: &str) -> Keeper {
        let text = format!(
            "controller.resync = \"30m\"\n\
             accounts.ops.cloud = \"huawei\"\n\
             {groups}\n\
             [schedules.office]\n\
             zone = \"Asia/Shanghai\"\n\
             windows = [{{ days = \"workdays\", from = \"08:00\", to = \"20:00\" }}]\n\
             [schedules.evening]\n\
             zone = \"Asia/Shanghai\"\n\
             windows = [{{ days = \"workdays\", from = \"18:00\", to = \"22:00\" }}]\n"
        );
        let settings = Settings::from_config(&Config::parse(&text).unwrap()).unwrap();
        let fleet = Fleet::builder()
            .machine(EmptyHost)
            .transport(self.simulator.transport())
            .clock(self.simulator.clock())
            .credential(key())
            .project(self.simulator.project_id())
            .account("ops", Account::new(FacadeCloud::Huawei))
            .unwrap()
            .configure_client(|client| client.seed(1))
            .build()
            .unwrap();
        Keeper::new(fleet, self.store.clone(), settings, "test").clock(self.simulator.clock())
    }

    /// Runs the keeper until a time of day. Returns the executed operations, the number of actions of all passes, and
    /// the problems.
    async fn run_until(&self, clock: &str, groups: &str) -> (ExecutionCounts, usize, Vec<String>) {
        let at: Timestamp = format!("2026-11-27T{clock}:00+08:00").parse().unwrap();
        let until = self.began + Duration::try_from(at.duration_since(self.epoch)).unwrap();
        let (mut actions, mut problems) = (0, Vec::new());
        self.keeper(groups)
            .run(sleep_until(until), |report| {
                assert_eq!(report.machines, 1, "{report:?}");
                actions += report.actions.len();
                problems.extend_from_slice(&report.problems);
                let results = report.actions.iter();
                problems.extend(results.filter_map(|(_, result)| result.message.clone()));
            })
            .await
            .unwrap();
        let ledger = self.simulator.ledger();
        (ledger.executed(&self.name()).unwrap(), actions, problems)
    }
}

fn key() -> Credential {
    Credential::keys("SIMULATEDKEY", "simulated-secret-that-opens-nothing")
}

#[tokio::test(start_paused = true)]
async fn machine_in_another_spelling_follows_its_schedule() {
    for other in 0..3 {
        let stage = OneMachine::new();
        let name = &stage.other_names()[other];
        let groups = format!("groups.web = [{name:?}]\nkeep.web = \"office\"");
        let (executed, actions, problems) = stage.run_until("21:00", &groups).await;
        assert_eq!((executed.starts, executed.stops), (1, 1), "{name}");
        assert_eq!((actions, problems), (2, Vec::new()), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn machine_in_two_groups_by_two_names_is_handled_as_by_one_name() {
    let maintenance = |group| {
        format!(
            "[[maintenance]]\ngroup = {group:?}\nzone = \"Asia/Shanghai\"\n\
             on = {{ weekday = \"fri\" }}\nfrom = \"13:00\"\n"
        )
    };
    let maintenance = [maintenance("db"), maintenance("web")].concat();
    let mut by_one_name = None;
    for other in [None, Some(0), Some(1), Some(2)] {
        let stage = OneMachine::new();
        let name = stage.name();
        let second = other.map_or_else(|| name.clone(), |other| stage.other_names()[other].clone());
        let groups = format!(
            "groups.db = [{name:?}]\ngroups.web = [{second:?}]\n\
             keep.db = \"evening\"\nkeep.web = \"office\"\n{maintenance}"
        );
        let result = stage.run_until("23:00", &groups).await;
        // Each of the groups wants the machine for a part of the time from 08:00 to 22:00.
        assert_eq!((result.0.starts, result.0.stops), (1, 1), "{second}");
        let expected = by_one_name.get_or_insert_with(|| result.clone());
        assert_eq!(result, *expected, "{second}");
    }
}

#[tokio::test(start_paused = true)]
async fn two_names_of_a_machine_in_one_group_are_one_machine() {
    for other in 0..3 {
        let stage = OneMachine::new();
        let (name, second) = (stage.name(), &stage.other_names()[other]);
        let groups = format!("groups.web = [{second:?}, {name:?}]\nkeep.web = \"office\"");
        let (executed, actions, problems) = stage.run_until("21:00", &groups).await;
        assert_eq!((executed.starts, executed.stops), (1, 1), "{second}");
        assert_eq!((actions, problems), (2, Vec::new()), "{second}");
    }
}

#[tokio::test(start_paused = true)]
async fn hold_and_release_apply_to_the_machine_whatever_its_name() {
    for other in 0..3 {
        let stage = OneMachine::new();
        let (name, second) = (stage.name(), &stage.other_names()[other]);
        let groups = format!("groups.web = [{name:?}]\nkeep.web = \"office\"");
        stage.run_until("19:00", &groups).await;
        let now = stage.keeper(&groups).now();
        let until = "2026-11-28T06:00:00+08:00".parse().unwrap();
        let hold = Hold::new(second, Wanted::Running, until, "release", "ops", now);
        stage.store.append(vec![Record::Hold(hold)]).await.unwrap();
        let (executed, ..) = stage.run_until("21:00", &groups).await;
        assert_eq!(executed.stops, 0, "{second}");
        assert_eq!(held_notices(&stage), 1, "{second}");
        let release = Release::new(&name, "ops", stage.keeper(&groups).now());
        let release = Record::Release(release);
        stage.store.append(vec![release]).await.unwrap();
        let (executed, ..) = stage.run_until("21:10", &groups).await;
        assert_eq!(executed.stops, 1, "{second}");
    }
}

fn held_notices(stage: &OneMachine) -> usize {
    let records = stage.store.records().into_iter();
    let is_held = |record: &Record| matches!(record, Record::Notice(found) if found.kind == "held");
    records.filter(is_held).count()
}

#[test]
fn last_action_of_an_old_snapshot_is_found_by_every_name() {
    const NAME: &str = "huawei/cn-north-4/616fb98f-46ca-475e-917e-2563e5a8cd19";
    const UPPER: &str = "ops@huawei/cn-north-4/616FB98F-46CA-475E-917E-2563E5A8CD19";
    let last = |second| LastAction {
        operation: crate::record::OperationId::new(),
        action: ActionRecord::Start {
            initialize_local_disk: false,
        },
        at: Timestamp::from_second(second).unwrap(),
        outcome: None,
    };
    let mut old = State::default();
    old.last_actions.insert(NAME.to_owned(), last(1));
    old.last_actions.insert(UPPER.to_owned(), last(2));
    let mut state = State::default();
    state.apply(&old.snapshot(Timestamp::UNIX_EPOCH));
    assert_eq!(machine_name(UPPER), NAME);
    assert_eq!(state.last_actions.len(), 1);
    for name in [NAME, UPPER] {
        let at = state.last_action(name).map(|last| last.at.as_second());
        assert_eq!(at, Some(2), "{name}");
    }
}
