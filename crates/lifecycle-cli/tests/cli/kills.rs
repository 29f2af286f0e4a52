//! A test of `--journal` and `resume` with real kills: processes are killed at random moments, and the ledger of
//! the simulated clouds shows what was executed.
//!
//! `LIFECYCLE_KILLS` sets the number of kills. Without the variable there are 400 kills, or as many as a slow machine
//! makes in [`TIME_LIMIT`]. `LIFECYCLE_SEED` sets the seed.

use std::{
    collections::BTreeMap,
    path::Path,
    process::Child,
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use lifecycle_controller::{Journal, Operation, SendPhase, State};
use lifecycle_facade::Credential;
use lifecycle_sim::{Cloud, Simulator};
use tokio::runtime::Runtime;

use crate::support::{RunResult, keys, spawn, wait_for_end};

/// Threads with one simulator each: most of a run is waiting.
const WORKERS: u32 = 8;
const KILLS: u32 = 400;
/// The time after which no further process is started to be killed.
const TIME_LIMIT: Duration = Duration::from_secs(40);

#[test]
fn killed_command_reboots_no_instance_twice_and_reports_the_truth() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse().unwrap());
    let requested: Option<u32> = number("LIFECYCLE_KILLS");
    let kills = requested.unwrap_or(KILLS);
    let seed = number("LIFECYCLE_SEED").unwrap_or_else(|| fastrand::u32(..));
    println!("LIFECYCLE_SEED={seed}");
    let runtime = Runtime::new().unwrap();
    let (made, unfinished) = (AtomicU32::new(0), AtomicU32::new(0));
    let begin = now();
    let is_late = || requested.is_none() && begin.elapsed() > TIME_LIMIT;
    thread::scope(|scope| {
        for worker in 0..WORKERS {
            let (runtime, made, unfinished, is_late) = (&runtime, &made, &unfinished, &is_late);
            scope.spawn(move || {
                let seed = u64::from(seed) * 1_000 + u64::from(worker);
                let mut clouds = Clouds::new(runtime, seed);
                for round in 0..kills.div_ceil(WORKERS) {
                    if is_late() {
                        return;
                    }
                    made.fetch_add(1, Ordering::Relaxed);
                    let left = clouds.kill_and_resume(round);
                    unfinished.fetch_add(u32::from(left), Ordering::Relaxed);
                }
            });
        }
    });
    let (made, unfinished) = (made.into_inner(), unfinished.into_inner());
    println!("{unfinished} of {made} kills left a request that was not finished");
    assert!(
        made >= WORKERS && unfinished * 5 >= made,
        "the kills hit too few requests: {unfinished}"
    );
}

#[expect(
    clippy::disallowed_methods,
    reason = "bounds the time of a test with real processes"
)]
fn now() -> Instant {
    Instant::now()
}

/// Waits until the journal has a call, or until the process ends.
fn wait_for_intent(process: &mut Child, path: &Path) {
    let has_intent = || {
        let text = std::fs::read_to_string(path);
        text.is_ok_and(|text| text.contains("\"record\":\"intent\""))
    };
    while !has_intent() && process.try_wait().unwrap().is_none() {
        thread::sleep(Duration::from_millis(1));
    }
}

/// Simulated clouds behind a server, and the command.
struct Clouds<'r> {
    runtime: &'r Runtime,
    simulator: Simulator,
    url: String,
    variables: Vec<(&'static str, String)>,
    instances: Vec<String>,
    random: fastrand::Rng,
    folder: tempfile::TempDir,
}

impl<'r> Clouds<'r> {
    fn new(runtime: &'r Runtime, seed: u64) -> Self {
        let key = Credential::keys("id", "secret");
        let fleet = "aliyun/cn-hangzhou=3:running,baidu/bj=2:running,huawei/cn-north-4=2:running";
        let builder = Simulator::builder().seed(seed).speed(300.0).fleet(fleet);
        let builder = Cloud::ALL
            .into_iter()
            .fold(builder.unwrap(), |builder, cloud| {
                builder.credential(cloud, &key)
            });
        let simulator = builder.build();
        let server = runtime.block_on(simulator.serve("127.0.0.1:0")).unwrap();
        let url = server.url();
        // The server lives as long as the runtime.
        std::mem::forget(server);
        Self {
            runtime,
            url,
            variables: keys("id", "secret", &simulator.project_id()),
            instances: simulator.instances(),
            simulator,
            random: fastrand::Rng::with_seed(seed),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// Kills a reboot at a random moment, resumes the reboot until its end, and checks every promise. Returns
    /// whether the kill left a request that was not finished.
    fn kill_and_resume(&mut self, round: u32) -> bool {
        let path = self.folder.path().join(format!("journal-{round}"));
        let journal = path.to_str().unwrap().to_owned();
        let before = self.reboots();
        let instances: Vec<String> = self.instances.clone();
        let mut args = vec!["reboot", "--journal", &journal, "--timeout", "2s"];
        match self.random.u8(..4) {
            0 | 1 => args.push("--no-wait"),
            2 => args.extend(["--waves", "3"]),
            _ => {}
        }
        args.extend(instances.iter().map(String::as_str));
        let mut reboot = self.spawn(&args);
        match self.random.bool() {
            true => self.kill(reboot, 400),
            // A slow machine needs longer to begin than any fixed time.
            false => {
                wait_for_intent(&mut reboot, &path);
                self.kill(reboot, 100);
            }
        }
        let left = self
            .state(&path)
            .is_some_and(|state| state.unfinished().count() > 0);
        while self.random.u8(..3) == 0 {
            let resume = self.spawn(&["resume", &journal, "--timeout", "1s"]);
            self.kill(resume, 300);
        }
        let resumed = self.finish(&journal);
        let rebooted = self.difference(&before);
        let operation = self.state(&path).and_then(|state| state.latest().cloned());
        let Some(operation) = operation else {
            assert_eq!(rebooted, BTreeMap::new(), "executed and not recorded");
            assert!(resumed.code == 2 || resumed.code == 3, "{resumed:#?}");
            return left;
        };
        self.check(&resumed, &rebooted, &operation);
        let calls = self.simulator.ledger().total();
        let again = self.finish(&journal);
        assert_eq!(again.stdout, resumed.stdout, "the same report");
        assert_eq!(
            self.simulator.ledger().total(),
            calls,
            "a finished request sends nothing"
        );
        left
    }

    fn check(&self, resumed: &RunResult, rebooted: &BTreeMap<String, u32>, operation: &Operation) {
        assert!(operation.is_finished(), "{resumed:#?}");
        let rows = resumed.rows();
        let names: Vec<&str> = rows
            .iter()
            .filter_map(|row| row["instance"].as_str())
            .collect();
        assert_eq!(names, self.instances, "one row for each instance, in order");
        for row in &rows {
            let name = row["instance"].as_str().unwrap();
            let times = rebooted.get(name).copied().unwrap_or_default();
            assert!(
                times <= 1,
                "{name} was rebooted {times} times: {resumed:#?}"
            );
            let is_recorded = operation.progress(name).phase != SendPhase::NotSent;
            assert!(
                times == 0 || is_recorded,
                "{name}: executed and not recorded"
            );
            match row["outcome"].as_str().unwrap() {
                "reached" | "accepted" | "pending" => assert_eq!(times, 1, "{row}: {resumed:#?}"),
                "refused" | "skipped" => assert_eq!(times, 0, "{row}: {resumed:#?}"),
                "uncertain" => {}
                other => panic!("{other}: {resumed:#?}"),
            }
        }
    }

    /// Runs `resume` to its end.
    fn finish(&self, journal: &str) -> RunResult {
        let args = ["resume", journal, "--timeout", "1s", "--output", "json"];
        wait_for_end(self.spawn(&args))
    }

    fn spawn(&self, args: &[&str]) -> Child {
        let args = [args, &["--endpoint", &self.url]].concat();
        spawn(&args, &self.variables)
    }

    fn kill(&mut self, mut process: Child, within: u64) {
        thread::sleep(Duration::from_millis(self.random.u64(..within)));
        process.kill().unwrap();
        process.wait().unwrap();
    }

    fn state(&self, path: &Path) -> Option<State> {
        let state = self.runtime.block_on(Journal::read_state(path));
        path.exists().then(|| state.unwrap())
    }

    /// Returns the number of executed reboots by instance.
    fn reboots(&self) -> BTreeMap<String, u32> {
        let ledger = self.simulator.ledger();
        let count = |name: &String| Some((name.clone(), ledger.executed(name)?.reboots));
        self.instances.iter().filter_map(count).collect()
    }

    fn difference(&self, before: &BTreeMap<String, u32>) -> BTreeMap<String, u32> {
        let now = self.reboots().into_iter();
        let new = now.map(|(name, count)| (name.clone(), count - before[&name]));
        new.filter(|(_, count)| *count > 0).collect()
    }
}
