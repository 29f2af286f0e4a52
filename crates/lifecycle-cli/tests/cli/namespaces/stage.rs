//! The clouds and the database on this machine, and the controllers in their namespaces.

use std::{
    fs::{self, File},
    path::PathBuf,
    process::{Child, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use lifecycle_controller::{Hold, OperationId, Record, Store as _, Wanted};
use lifecycle_facade::Credential;
use lifecycle_sim::{Cloud, ExecutionCounts, Simulator};
use lifecycle_store_postgres::{PostgresStore, cluster::Cluster};
use serde_json::json;
use tokio::runtime::Runtime;

use super::network::{Cut, Network};
use crate::support::{keys, signal};

/// A service of this machine.
pub(super) type Service = fn(&Network) -> String;
pub(super) const DATABASE: Service = Network::database;
pub(super) const CLOUDS: Service = Network::clouds;

/// The variable that asks for the tests with namespaces. A plain test run changes no network settings of the machine.
const REQUIRE: &str = "LIFECYCLE_REQUIRE_NAMESPACES";

pub(super) struct Stage {
    pub(super) simulator: Simulator,
    runtime: Runtime,
    store: PostgresStore,
    // Ended before the network is removed.
    controllers: Vec<Controller>,
    network: Network,
    cluster: Cluster,
    database: String,
    folder: tempfile::TempDir,
    url: String,
}

struct Controller {
    process: Child,
    log: PathBuf,
}

impl Stage {
    /// Returns `None`, with a line on standard error, without PostgreSQL, or if nobody asked for namespaces.
    pub(super) fn new(name: &str, machines: usize) -> Option<Self> {
        if std::env::var(REQUIRE).as_deref() != Ok("1") {
            use std::io::Write as _;
            // The line passes by the harness, which hides the output of passed tests.
            let _ = writeln!(
                std::io::stderr(),
                "skipped: {name}: cargo xtask chaos --namespaces runs this test"
            );
            return None;
        }
        let network = Network::new().unwrap_or_else(|reason| panic!("{name}: {reason}"));
        let cluster = Cluster::own(name)?;
        cluster.listen(&network.database(), "198.18.0.0/15");
        let local = cluster.database(name);
        let runtime = Runtime::new().unwrap();
        let opened = PostgresStore::open_and_migrate(local.parse().unwrap());
        let store = runtime.block_on(opened).unwrap();
        let key = Credential::keys("id", "secret");
        let fleet = format!("baidu/bj={machines}:running");
        let builder = Simulator::builder().speed(6.0).fleet(&fleet).unwrap();
        let simulator = builder.credential(Cloud::Baidu, &key).build();
        let listen = format!("{}:0", network.clouds());
        let server = runtime.block_on(simulator.serve(listen)).unwrap();
        let url = server.url();
        // The server lives as long as the runtime.
        std::mem::forget(server);
        let stage = Self {
            database: local.replace("127.0.0.1", &network.database()) + "?sslmode=disable",
            simulator,
            runtime,
            store,
            controllers: Vec::new(),
            network,
            cluster,
            folder: tempfile::tempdir().unwrap(),
            url,
        };
        let groups = stage.simulator.instances().into_iter().enumerate();
        let groups: String = groups
            .map(|(at, name)| format!("groups.g{at} = [{name:?}]\nkeep.g{at} = \"always\"\n"))
            .collect();
        let config = format!(
            "{groups}\n[defaults]\ntimeout = \"20s\"\nplain_http = \"anywhere\"\n[schedules.always]\n\
             zone = \"UTC\"\nmanual = \"correct\"\n\
             windows = [{{ days = \"all\", from = \"00:00\", to = \"24:00\" }}]\n\
             [controller]\nresync = \"1s\"\n\
             store = {{ postgres_variable = \"LIFECYCLE_DATABASE\", lease = \"3s\" }}\n"
        );
        fs::write(stage.config(), config).unwrap();
        Some(stage)
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("lifecycle.toml")
    }

    /// Starts a controller in a namespace of its own, and returns its number.
    pub(super) fn start(&mut self) -> u8 {
        let number = self.network.add().unwrap();
        let log = self.folder.path().join(format!("controller-{number}.log"));
        let output = File::create(&log).unwrap();
        let program = assert_cmd::cargo::cargo_bin!("lifecycle");
        let process = self
            .network
            .command(number, program)
            .args(["run", "--endpoint", &self.url, "--config"])
            .arg(self.config())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", "/nonexistent")
            .env("LIFECYCLE_DATABASE", &self.database)
            .envs(keys("id", "secret", &self.simulator.project_id()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(output)
            .spawn()
            .unwrap();
        self.controllers.push(Controller { process, log });
        number
    }

    pub(super) fn machine(&self, at: usize) -> String {
        self.simulator.instances()[at].clone()
    }

    pub(super) fn executed(&self, machine: &str) -> ExecutionCounts {
        self.simulator.ledger().executed(machine).unwrap()
    }

    pub(super) fn log(&self, number: u8) -> String {
        fs::read_to_string(&self.controllers[usize::from(number)].log).unwrap_or_default()
    }

    pub(super) fn cut(&self, number: u8, service: Service, cut: Cut) {
        self.network.cut(number, &service(&self.network), cut);
    }

    pub(super) fn restore(&self, number: u8, service: Service, cut: Cut) {
        self.network.restore(number, &service(&self.network), cut);
    }

    /// Requests a reboot, as a program that died after its request.
    pub(super) fn request_reboot(&self, machine: &str) -> OperationId {
        let operation = OperationId::new();
        let request = json!({
            "record": "request", "operation": operation, "at": Timestamp::now(), "by": "test", "why": "test",
            "action": {"kind": "reboot", "forced": false}, "options": {"strict": false, "wait_ms": 20_000},
            "instances": [machine],
        });
        self.append(serde_json::from_value(request).unwrap());
        operation
    }

    /// Holds a group in a state.
    pub(super) fn hold(&self, group: usize, state: Wanted) {
        let until = Timestamp::now() + SignedDuration::from_hours(1);
        let name = format!("g{group}");
        let hold = Hold::new(&name, state, until, "test", "test", Timestamp::now());
        self.append(Record::Hold(hold));
    }

    fn append(&self, record: Record) {
        self.runtime
            .block_on(self.store.append(vec![record]))
            .unwrap();
    }

    /// Waits for a condition, and returns the time that it took.
    #[track_caller]
    pub(super) fn wait(
        &self,
        what: &str,
        limit: Duration,
        condition: impl Fn(&Self) -> bool,
    ) -> Duration {
        let began = now();
        while !condition(self) {
            assert!(
                began.elapsed() < limit,
                "not within {limit:?}: {what}\n{}",
                self.logs()
            );
            sleep(Duration::from_millis(50));
        }
        began.elapsed()
    }

    /// Waits until the living controllers have these numbers of groups.
    #[track_caller]
    pub(super) fn wait_for_shares(&self, expected: &[usize]) {
        let sql =
            "select count(*) from lifecycle.group_holder where is_alive group by pid order by 1";
        self.wait(
            "the shares of the groups",
            Duration::from_secs(30),
            |stage| {
                let text = stage.psql(sql);
                let shares: Vec<usize> =
                    text.lines().filter_map(|line| line.parse().ok()).collect();
                shares == expected
            },
        );
    }

    /// Returns the number of sessions of a controller at the server.
    pub(super) fn sessions_of(&self, number: u8) -> usize {
        let address = self.network.address(number);
        let sql = format!("select count(*) from pg_stat_activity where client_addr = '{address}'");
        self.psql(&sql).parse().unwrap()
    }

    fn psql(&self, sql: &str) -> String {
        let name = self
            .database
            .rsplit('/')
            .next()
            .and_then(|name| name.split('?').next());
        self.cluster.psql(name.unwrap(), sql)
    }

    /// Waits for the outcome of a machine, and returns its name.
    #[track_caller]
    pub(super) fn wait_for_outcome(
        &self,
        operation: &OperationId,
        machine: &str,
        limit: Duration,
    ) -> String {
        let sql = format!(
            "select outcome from lifecycle.intent where operation = '{operation}' and instance = '{machine}' \
             and outcome is not null"
        );
        self.wait("the outcome of the reboot", limit, |stage| {
            !stage.psql(&sql).is_empty()
        });
        self.psql(&sql)
    }

    pub(super) fn kill(&mut self, number: u8) {
        let process = &mut self.controllers[usize::from(number)].process;
        process.kill().unwrap();
        process.wait().unwrap();
    }

    /// Ends a controller by SIGTERM.
    pub(super) fn end(&mut self, number: u8) {
        let logs = self.logs();
        let process = &mut self.controllers[usize::from(number)].process;
        signal(process, "TERM");
        assert_eq!(process.wait().unwrap().code(), Some(0), "{logs}");
    }

    fn logs(&self) -> String {
        let logs = self
            .controllers
            .iter()
            .enumerate()
            .map(|(number, controller)| {
                let text = fs::read_to_string(&controller.log).unwrap_or_default();
                format!("controller {number}:\n{text}\n")
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

#[expect(
    clippy::disallowed_methods,
    reason = "the limits of real processes take real time"
)]
fn now() -> Instant {
    Instant::now()
}
