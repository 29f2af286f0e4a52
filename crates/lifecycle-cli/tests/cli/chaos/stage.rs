//! The clouds, the database, the three controllers, and the faults.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use lifecycle_controller::{Hold, OperationId, Record, State, Store as _, Wanted};
use lifecycle_facade::Credential;
use lifecycle_sim::{Cloud, SimulatedState, Simulator};
use lifecycle_store_postgres::{PostgresStore, cluster::Cluster};
use serde_json::json;
use tokio::runtime::Runtime;

use super::{now, proxy::Proxy};
use crate::support::{keys, signal};

/// The lease of a group.
const LEASE: Duration = Duration::from_secs(3);
/// Every edge is reached within this time after the last fault: a lease, a pass and a boot, with a reserve for a
/// machine that runs other tests.
const BOUND: Duration = Duration::from_secs(60);
/// A machine that a controller started is not stopped within this time.
const AFTER_START: Duration = Duration::from_secs(615);

/// One controller: its process, and its ways to the database and to the clouds.
struct Controller {
    process: Child,
    database: Proxy,
    clouds: Proxy,
    log: PathBuf,
}

/// A group that holds start and stop.
struct Switched {
    name: String,
    machines: Vec<String>,
    wanted: Wanted,
    changed: Option<Instant>,
}

pub(super) struct Stage {
    pub(super) random: fastrand::Rng,
    pub(super) runtime: Runtime,
    pub(super) simulator: Simulator,
    pub(super) store: PostgresStore,
    pub(super) cluster: Cluster,
    /// The operations of reboots, by machine.
    pub(super) reboots: BTreeMap<String, Vec<OperationId>>,
    controllers: Vec<Controller>,
    switched: Vec<Switched>,
    folder: tempfile::TempDir,
    keys: Vec<(&'static str, String)>,
    pub(super) faults: BTreeMap<&'static str, u32>,
}

impl Stage {
    /// Returns `None` without PostgreSQL.
    pub(super) fn new(seed: u64) -> Option<Self> {
        let cluster = Cluster::own("chaos")?;
        let text = cluster.database("chaos");
        let runtime = Runtime::new().unwrap();
        let key = Credential::keys("id", "secret");
        let fleet = "aliyun/cn-hangzhou=12:running,baidu/bj=12:running";
        let builder = Simulator::builder().seed(seed).speed(6.0).fleet(fleet);
        let builder = Cloud::ALL
            .into_iter()
            .fold(builder.unwrap(), |builder, cloud| {
                builder.credential(cloud, &key)
            });
        let simulator = builder.build();
        let server = runtime.block_on(simulator.serve("127.0.0.1:0")).unwrap();
        let clouds: u16 = server
            .url()
            .rsplit(':')
            .next()
            .unwrap()
            .trim_matches('/')
            .parse()
            .unwrap();
        // The server lives as long as the runtime.
        std::mem::forget(server);
        let store = runtime
            .block_on(PostgresStore::open_and_migrate(text.parse().unwrap()))
            .unwrap();
        let instances = simulator.instances();
        // Every third machine is rebooted, the others are started and stopped.
        let (rebooted, switched): (Vec<_>, Vec<_>) = instances
            .into_iter()
            .enumerate()
            .partition(|(at, _)| at % 3 == 0);
        let switched: Vec<Switched> = switched
            .chunks(2)
            .enumerate()
            .map(|(at, machines)| Switched {
                name: format!("g{at:02}"),
                machines: machines.iter().map(|(_, name)| name.clone()).collect(),
                wanted: Wanted::Running,
                changed: None,
            })
            .collect();
        let mut stage = Self {
            random: fastrand::Rng::with_seed(seed),
            keys: keys("id", "secret", &simulator.project_id()),
            simulator,
            store,
            reboots: rebooted
                .into_iter()
                .map(|(_, name)| (name, Vec::new()))
                .collect(),
            controllers: Vec::new(),
            switched,
            folder: tempfile::tempdir().unwrap(),
            faults: BTreeMap::new(),
            runtime,
            cluster,
        };
        stage.write_config();
        for number in 0..3 {
            let (database, clouds) = (Proxy::to(stage.cluster.port()), Proxy::to(clouds));
            let log = stage.folder.path().join(format!("controller-{number}.log"));
            let process = stage.spawn(&database, &clouds, &log);
            stage.controllers.push(Controller {
                process,
                database,
                clouds,
                log,
            });
        }
        Some(stage)
    }

    fn write_config(&self) {
        let groups = self.switched.iter().map(|group| {
            let Switched { name, machines, .. } = group;
            format!("groups.{name} = {machines:?}\nkeep.{name} = \"always\"\n")
        });
        let config = format!(
            "{}\n[defaults]\ntimeout = \"20s\"\n[schedules.always]\nzone = \"UTC\"\n\
             windows = [{{ days = \"all\", from = \"00:00\", to = \"24:00\" }}]\n\
             [controller]\nresync = \"1s\"\nmax_changes = 1000\n\
             store = {{ postgres_variable = \"LIFECYCLE_DATABASE\", lease = \"{}s\" }}\n",
            groups.collect::<String>(),
            LEASE.as_secs()
        );
        fs::write(self.folder.path().join("lifecycle.toml"), config).unwrap();
    }

    fn spawn(&self, database: &Proxy, clouds: &Proxy, log: &PathBuf) -> Child {
        let log = File::options().append(true).create(true).open(log).unwrap();
        Command::new(assert_cmd::cargo::cargo_bin!("lifecycle"))
            .args(["run", "--config"])
            .arg(self.folder.path().join("lifecycle.toml"))
            .args(["--endpoint", &format!("http://127.0.0.1:{}", clouds.port())])
            .env_clear()
            .env("HOME", "/nonexistent")
            .env(
                "LIFECYCLE_DATABASE",
                self.cluster.text_at("chaos", database.port()),
            )
            .envs(self.keys.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap()
    }

    /// Requests a reboot of each machine whose last reboot has an end. A program that died after its request
    /// leaves such a request: any controller takes the request over.
    pub(super) fn request_reboots(&mut self) {
        let Some(state) = self.state() else {
            return;
        };
        let is_open = |id: &OperationId| {
            state
                .operation(id)
                .is_some_and(|found| !found.is_finished())
        };
        let idle: Vec<String> = self
            .reboots
            .iter()
            .filter(|(_, operations)| !operations.iter().any(is_open))
            .map(|(machine, _)| machine.clone())
            .collect();
        for machine in idle {
            let id = OperationId::new();
            let request = json!({
                "record": "request", "operation": id, "at": Timestamp::now(), "by": "chaos", "why": "chaos",
                "action": {"kind": "reboot", "forced": false}, "options": {"strict": false, "wait_ms": 20_000},
                "instances": [machine],
            });
            if self.append(serde_json::from_value(request).unwrap()) {
                self.reboots.entry(machine).or_default().push(id);
            }
        }
    }

    /// Turns a group off, or on again.
    pub(super) fn change_a_hold(&mut self) {
        let at = self.random.usize(..self.switched.len());
        let group = &self.switched[at];
        let wanted = match group.wanted {
            Wanted::Running => Wanted::Stopped,
            _ => Wanted::Running,
        };
        let is_early = group.changed.is_some_and(|at| now() - at < AFTER_START);
        if wanted == Wanted::Stopped && is_early {
            return;
        }
        let until = Timestamp::now() + SignedDuration::from_hours(20);
        let name = group.name.clone();
        let hold = Hold::new(&name, wanted, until, "chaos", "chaos", Timestamp::now());
        if self.append(Record::Hold(hold)) {
            let group = &mut self.switched[at];
            group.wanted = wanted;
            group.changed = Some(now());
        }
    }

    /// Makes one fault, and ends the fault after a while.
    pub(super) fn fault(&mut self) {
        let at = self.random.usize(..self.controllers.len());
        let kind = self.random.u8(..12);
        let name = match kind {
            0..4 => {
                self.controllers[at].process.kill().unwrap();
                self.controllers[at].process.wait().unwrap();
                self.pause(50, 2000);
                let controller = &self.controllers[at];
                let process = self.spawn(&controller.database, &controller.clouds, &controller.log);
                self.controllers[at].process = process;
                "kill -9"
            }
            4..7 => {
                signal(&self.controllers[at].process, "STOP");
                self.pause(LEASE.as_millis() as u64 + 500, 2 * LEASE.as_millis() as u64);
                signal(&self.controllers[at].process, "CONT");
                "freeze"
            }
            7 => {
                self.cluster.kill();
                self.pause(100, 3000);
                self.cluster.restart();
                "death of the database"
            }
            8 | 9 => {
                self.controllers[at].database.cut();
                self.pause(1000, 6000);
                self.controllers[at].database.restore();
                "cut from the database"
            }
            _ => {
                self.controllers[at].clouds.cut();
                self.pause(1000, 6000);
                self.controllers[at].clouds.restore();
                "cut from the clouds"
            }
        };
        *self.faults.entry(name).or_default() += 1;
        self.restart_ended();
    }

    /// Starts controllers again that ended by themselves, as a service manager does: the database was away at their
    /// start.
    fn restart_ended(&mut self) {
        for at in 0..self.controllers.len() {
            if self.controllers[at].process.try_wait().unwrap().is_some() {
                let controller = &self.controllers[at];
                let process = self.spawn(&controller.database, &controller.clouds, &controller.log);
                self.controllers[at].process = process;
            }
        }
    }

    fn pause(&mut self, from: u64, to: u64) {
        sleep(Duration::from_millis(self.random.u64(from..to)));
    }

    pub(super) fn heal(&mut self) {
        sleep(Duration::from_millis(500));
        self.restart_ended();
    }

    /// Waits until every machine has the state of the last hold of its group.
    pub(super) fn wait_for_edges(&mut self) {
        let began = now();
        loop {
            let late: Vec<_> = self
                .switched
                .iter()
                .flat_map(|group| {
                    group
                        .machines
                        .iter()
                        .map(move |machine| (machine, group.wanted))
                })
                .filter(|(machine, wanted)| {
                    let expected = match wanted {
                        Wanted::Running => SimulatedState::Running,
                        _ => SimulatedState::Stopped,
                    };
                    self.simulator.state_of(machine) != Some(expected)
                })
                .collect();
            if late.is_empty() {
                println!("all edges reached {:?} after the last fault", now() - began);
                return;
            }
            assert!(
                now() - began < BOUND,
                "not reached: {late:?}\n{}",
                self.logs()
            );
            sleep(Duration::from_millis(100));
            self.restart_ended();
        }
    }

    /// Waits until every request has an end.
    pub(super) fn wait_for_operations(&mut self) {
        let began = now();
        while self
            .state()
            .is_none_or(|state| state.unfinished().count() > 0)
        {
            assert!(now() - began < BOUND, "open requests\n{}", self.logs());
            sleep(Duration::from_millis(200));
            self.restart_ended();
        }
    }

    /// Returns `None` while the database is away.
    fn state(&self) -> Option<State> {
        self.runtime.block_on(self.store.state()).ok()
    }

    fn append(&self, record: Record) -> bool {
        let appended = self.runtime.block_on(self.store.append(vec![record]));
        appended.is_ok()
    }

    pub(super) fn logs(&self) -> String {
        let logs = self.controllers.iter().map(|controller| {
            let text = fs::read_to_string(&controller.log).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            let last = lines.len().saturating_sub(40);
            format!(
                "{}:\n{}\n",
                controller.log.display(),
                lines[last..].join("\n")
            )
        });
        logs.collect()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        for controller in &mut self.controllers {
            // The process may have ended already.
            let _ = controller.process.kill();
            let _ = controller.process.wait();
        }
    }
}
