//! The stage of one seed: a drawn configuration, the simulated clouds, the clock and the store of the keeper.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime},
};

use jiff::{SignedDuration, Timestamp};
use lifecycle_controller::{
    Hold, Record, Store, Wanted,
    keeper::Keeper,
    schedule::{Maintenance, Schedule},
    settings::Settings,
};
use lifecycle_facade::{Clock, Credential, EmptyHost, Fleet, config::Config};
use lifecycle_sim::{Cloud, SimClock, SimulatedState, Simulator};
use tokio::time::Instant;

use crate::support::FragileStore;

/// Monday: each weekday occurs at most once before the end of a case.
const EPOCH: &str = "2026-11-30T07:00:00+08:00";

/// A clock that a person, or a time server, sets forward and back.
#[derive(Clone, Debug)]
pub(crate) struct AdjustedClock {
    clock: SimClock,
    offset: Arc<AtomicI64>,
}

impl Clock for AdjustedClock {
    fn now(&self) -> SystemTime {
        let offset = self.offset.load(Ordering::Relaxed);
        let span = Duration::from_secs(offset.unsigned_abs());
        match offset < 0 {
            true => self.clock.now() - span,
            false => self.clock.now() + span,
        }
    }
}

/// A group of machines with the same hours.
#[derive(Debug)]
pub(crate) struct StageGroup {
    pub name: String,
    pub machines: Vec<String>,
    pub schedule: Schedule,
    pub maintenance: Vec<Maintenance>,
}

/// The parts of a case that not every case has.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Extras {
    /// A machine has the tag that protects from stops and reboots.
    pub protected: bool,
    /// A pass may start and stop only this number of machines.
    pub max_changes: Option<usize>,
    /// No controller runs for longer than `catch_up`.
    pub long_pauses: bool,
}

impl Extras {
    pub(crate) fn draw(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed.rotate_left(32));
        Self {
            protected: random.u8(..3) == 0,
            max_changes: Some(random.usize(1..=3)).filter(|_| random.u8(..6) == 0),
            long_pauses: random.u8(..4) == 0,
        }
    }
}

/// The machines, the rules, and the durable past of the keeper.
pub(crate) struct Stage {
    pub simulator: Simulator,
    pub store: Arc<FragileStore>,
    pub groups: Vec<StageGroup>,
    pub holds: Vec<Hold>,
    /// The machines that other people started or stopped.
    pub touched: BTreeSet<String>,
    pub began: Instant,
    settings: Settings,
    clock: AdjustedClock,
    seed: u64,
}

impl Stage {
    /// Draws the groups, hours, manual rules and reboots of a case.
    pub(crate) fn draw(seed: u64, random: &mut fastrand::Rng, extras: Extras) -> Self {
        let fleet = "baidu/bj=2,aliyun/cn-hangzhou=3,huawei/cn-north-4=1";
        let simulator = simulator(seed, fleet);
        if extras.protected {
            let place = ["baidu/bj", "aliyun/cn-hangzhou"][usize::from(seed.is_multiple_of(2))];
            let machine = format!("{place}=1;tag:lifecycle:protected=yes");
            simulator.add(&machine).unwrap();
        }
        let mut machines = simulator.instances();
        random.shuffle(&mut machines);
        let count = random.usize(1..=3);
        let (mut text, mut members) = (String::new(), Vec::new());
        for number in 0..count {
            let share = machines.len() / (count - number);
            let group: Vec<_> = machines.drain(..share).collect();
            let (head, tables) = draw_group(number, &group, random);
            text = format!("{head}{text}{tables}");
            members.push(group);
        }
        text.push_str("[controller]\nresync = \"30m\"\ncatch_up = \"4h\"\n");
        let mut stage = Self::new(seed, simulator, members, &text);
        let limit = extras.max_changes;
        stage.settings.rules.max_changes = limit.unwrap_or(stage.settings.rules.max_changes);
        stage
    }

    /// Creates a stage with one group of running machines, whose maintenance is an hour after the beginning.
    pub(crate) fn with_maintenance(seed: u64) -> Self {
        let fleet = "baidu/bj=2:running,aliyun/cn-hangzhou=1:running,huawei/cn-north-4=1:running";
        let simulator = simulator(seed, fleet);
        let machines = simulator.instances();
        let text = format!(
            "groups.g0 = {machines:?}\nkeep.g0 = \"s0\"\n\
             [schedules.s0]\nzone = \"Asia/Shanghai\"\nmanual = \"correct\"\n\
             windows = [{{ days = \"all\", from = \"00:00\", to = \"00:00\" }}]\n\
             [[maintenance]]\ngroup = \"g0\"\nzone = \"Asia/Shanghai\"\n\
             on = {{ weekday = \"mon\" }}\nfrom = \"08:00\"\n"
        );
        Self::new(seed, simulator, vec![machines], &text)
    }

    fn new(seed: u64, simulator: Simulator, members: Vec<Vec<String>>, text: &str) -> Self {
        let settings = Settings::from_config(&Config::parse(text).unwrap()).unwrap();
        let groups = members.into_iter().enumerate().map(|(number, machines)| {
            let name = format!("g{number}");
            let kept = settings.rules.groups.iter();
            let maintenance = settings.rules.maintenance.iter();
            StageGroup {
                schedule: kept
                    .clone()
                    .find(|group| group.name == name)
                    .map(|group| group.schedule.clone())
                    .unwrap(),
                maintenance: maintenance
                    .filter(|entry| entry.group == name)
                    .map(|entry| entry.at.clone())
                    .collect(),
                name,
                machines,
            }
        });
        Self {
            groups: groups.collect(),
            clock: AdjustedClock {
                clock: simulator.clock(),
                offset: Arc::default(),
            },
            simulator,
            store: Arc::default(),
            holds: Vec::new(),
            touched: BTreeSet::new(),
            began: Instant::now(),
            settings,
            seed,
        }
    }

    /// Returns a keeper as a new process has one.
    pub(crate) fn keeper(&self) -> Keeper {
        let seed = self.seed;
        let fleet = Fleet::builder()
            .machine(EmptyHost)
            .transport(self.simulator.transport())
            .clock(self.simulator.clock())
            .credential(Credential::keys("id", "secret"))
            .project(self.simulator.project_id())
            .configure_client(move |client| client.seed(seed))
            .build()
            .unwrap();
        let store: Arc<dyn Store> = self.store.clone();
        Keeper::new(fleet, store, self.settings.clone(), "simulation").clock(self.clock.clone())
    }

    /// Returns the time on the clock of the keeper.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now().try_into().unwrap()
    }

    /// Sets the clock of the keeper to this number of seconds beside the clock of the clouds.
    pub(crate) fn set_clock(&self, offset: i64) {
        self.clock.offset.store(offset, Ordering::Relaxed);
    }

    /// Returns the moment of a time on the clock of the keeper, if the clock is not set before.
    pub(crate) fn moment(&self, at: Timestamp) -> Instant {
        let wait = Duration::try_from(at.duration_since(self.now()));
        Instant::now() + wait.unwrap_or_default()
    }

    /// Sets a hold, as a person does.
    pub(crate) async fn hold(&mut self, target: &str, state: Wanted, minutes: i64) {
        let now = self.now();
        let until = now + SignedDuration::from_mins(minutes);
        let hold = Hold::new(target, state, until, "exception", "ops", now);
        let record = Record::Hold(hold.clone());
        self.store.append(vec![record]).await.unwrap();
        self.holds.retain(|earlier| earlier.target != target);
        self.holds.push(hold);
    }

    /// Returns all machines, each with its group.
    pub(crate) fn machines(&self) -> impl Iterator<Item = (&StageGroup, &String)> {
        let groups = self.groups.iter();
        groups.flat_map(|group| group.machines.iter().map(move |machine| (group, machine)))
    }

    /// Returns true for a machine that is never stopped or rebooted.
    pub(crate) fn is_protected(&self, machine: &str) -> bool {
        let tags = self.simulator.tags_of(machine).unwrap();
        !tags.is_empty()
    }

    /// Returns the maximum number of starts and stops of a pass.
    pub(crate) fn max_changes(&self) -> usize {
        self.settings.rules.max_changes
    }

    /// Raises the maximum as a person does. The edges before were perhaps missed.
    pub(crate) fn raise_max_changes(&mut self) {
        let all = self.machines().map(|(_, machine)| machine.clone());
        let all: Vec<_> = all.collect();
        if self.settings.rules.max_changes < all.len() {
            self.settings.rules.max_changes = all.len();
            self.touched.extend(all);
        }
    }

    /// Returns the machines whose wanted state changed at or after a time.
    pub(crate) fn machines_changed_since(&self, since: Timestamp) -> Vec<String> {
        let now = self.now();
        let machines = self.machines();
        let changed = machines.filter(|(group, machine)| {
            crate::properties::last_change(self, group, machine, now) >= since
        });
        changed.map(|(_, machine)| machine.clone()).collect()
    }

    pub(crate) fn group_of(&self, machine: &str) -> &StageGroup {
        let mut machines = self.machines();
        machines.find(|(_, name)| *name == machine).unwrap().0
    }

    pub(crate) fn state(&self, machine: &str) -> SimulatedState {
        self.simulator.state_of(machine).unwrap()
    }

    /// Returns the state that schedule and holds want at a time. A hold counts also when the clock was set back
    /// to a time before the hold.
    pub(crate) fn expected(&self, group: &StageGroup, machine: &str, at: Timestamp) -> Wanted {
        for target in [machine, &group.name] {
            let mut holds = self.holds.iter();
            let hold = holds.find(|hold| hold.target == target);
            if let Some(hold) = hold.filter(|hold| at < hold.until) {
                return hold.state;
            }
        }
        group.schedule.wanted(at).wanted
    }
}

fn simulator(seed: u64, fleet: &str) -> Simulator {
    let key = Credential::keys("id", "secret");
    let epoch: Timestamp = EPOCH.parse().unwrap();
    let builder = Simulator::builder().seed(seed).fleet(fleet).unwrap();
    let builder = builder.epoch(SystemTime::from(epoch));
    Cloud::ALL
        .into_iter()
        .fold(builder, |builder, cloud| builder.credential(cloud, &key))
        .build()
}

/// Draws one group, with hours that may end on the next day: the keys before all tables, and the tables.
fn draw_group(number: usize, machines: &[String], random: &mut fastrand::Rng) -> (String, String) {
    let from = random.u32(8..=18);
    let to = (from + random.u32(3..=10)) % 24;
    let manual = ["until-next-change", "correct", "leave"][random.usize(..3)];
    let manual = match manual {
        "leave" => "{ leave_for = \"1h\" }".to_owned(),
        rule => format!("{rule:?}"),
    };
    let head = format!("groups.g{number} = {machines:?}\nkeep.g{number} = \"s{number}\"\n");
    let mut text = format!(
        "[schedules.s{number}]\nzone = \"Asia/Shanghai\"\nmanual = {manual}\n\
         windows = [{{ days = \"all\", from = \"{from:02}:00\", to = \"{to:02}:00\" }}]\n"
    );
    let days = ["tue", "wed", "thu"];
    for day in &days[random.usize(..3)..] {
        if random.bool() {
            continue;
        }
        let hour = (from + random.u32(..4)) % 24;
        text.push_str(&format!(
            "[[maintenance]]\ngroup = \"g{number}\"\nzone = \"Asia/Shanghai\"\n\
             on = {{ weekday = {day:?} }}\nfrom = \"{hour:02}:30\"\n"
        ));
        if random.bool() {
            text.push_str("waves = \"50%\"\n");
        }
    }
    (head, text)
}
