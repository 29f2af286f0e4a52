//! Tests of `plan`, `apply`, `run`, `hold`, `release` and `holds`, with `lifecycle simulate` as the clouds.

use std::{fs, path::PathBuf, thread::sleep, time::Duration};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{RunResult, SimulatorServer, run, run_with, spawn, wait_for_end};

/// A simulator with two stopped machines, and a configuration file with a schedule without an end, so
/// that the tests do not depend on the time of the day.
struct Stage {
    server: SimulatorServer,
    folder: TempDir,
}

impl Stage {
    fn new(more: &str) -> Self {
        let stage = Self {
            server: SimulatorServer::with(&["--fleet", "baidu/bj=2"]),
            folder: tempfile::tempdir().unwrap(),
        };
        let instances = stage.server.instances();
        stage.write(&format!(
            "groups.web = {instances:?}\n\
             keep.web = \"always\"\n\
             [schedules.always]\n\
             zone = \"Asia/Shanghai\"\n\
             windows = [{{ days = \"all\", from = \"00:00\", to = \"24:00\" }}]\n\
             {more}\n\
             [controller]\n\
             journal = \"journal\"\n"
        ));
        stage
    }

    fn write(&self, config: &str) {
        fs::write(self.config(), config).unwrap();
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("lifecycle.toml")
    }

    fn args<'a>(&'a self, args: &[&'a str], config: &'a str) -> Vec<&'a str> {
        let endpoint = match args[0] {
            "hold" | "release" | "holds" => &[][..],
            _ => &["--endpoint", self.server.field("url")],
        };
        [args, &["--config", config], endpoint].concat()
    }

    fn run(&self, args: &[&str]) -> RunResult {
        let config = self.config().display().to_string();
        run_with(&self.args(args, &config), &self.server.keys(), "")
    }

    fn states(&self) -> Vec<Value> {
        let instances = self.server.instances();
        let args = [&["status"][..], &instances, &["--output", "json"]].concat();
        self.server.run(&args).column("state")
    }
}

#[test]
fn plan_of_a_time_needs_no_cloud_and_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("lifecycle.toml");
    fs::write(
        &config,
        "groups.web = [\"baidu/bj/i-1\"]\nkeep.web = \"office\"\n[calendars.cn]\nbuiltin = \"cn-2026\"\n\
         [schedules.office]\nzone = \"Asia/Shanghai\"\ncalendar = \"cn\"\n\
         windows = [{ days = \"workdays\", from = \"08:00\", to = \"20:00\" }]\n",
    )
    .unwrap();
    let config = config.display().to_string();
    let plan = |at: &str, more: &[&str]| {
        let args = ["plan", "--config", &config, "--at", at];
        run(&[&args[..], more].concat())
    };
    let result = plan(
        "2026-09-30T21:00:00+08:00",
        &["--output", "json", "--days", "12"],
    );
    let rows = result.exits_with(0).rows();
    assert_eq!(rows[0]["schema"], 1);
    assert_eq!(rows[0]["wanted"], "stopped");
    assert_eq!(rows[0]["next"]["at"], "2026-10-08T00:00:00Z");
    assert_eq!(rows[0]["next"]["local"], "Thu 2026-10-08 08:00 +08:00");
    assert_eq!(rows[0]["calendar"]["ends"], "2026-12-31");
    // The 8th, 9th and the make-up Saturday, the 10th, and Monday, the 12th.
    assert_eq!(rows[0]["changes"].as_array().unwrap().len(), 8);

    let table = plan("2026-09-30T21:00:00+08:00", &[]).exits_with(0);
    assert_eq!(
        table.stdout,
        "GROUP  NOW  WANTED   NEXT CHANGE                          UTC                CALENDAR ENDS  HOLD\n\
         web    -    stopped  running Thu 2026-10-08 08:00 +08:00  2026-10-08 00:00Z  2026-12-31     -\n"
    );
    assert_eq!(table.stderr, "");
    let december = plan("2026-12-10T12:00:00+08:00", &[]).exits_with(0);
    assert!(
        december
            .stderr
            .contains("the calendar cn ends on 2026-12-31, in 21 days"),
        "{december:?}"
    );
    let later = plan("2027-01-01T12:00:00+08:00", &["--output", "json"]).exits_with(0);
    assert_eq!(later.rows()[0]["calendar"]["ended"], true);
    assert!(
        later.stderr.contains("days count as plain weekdays"),
        "{later:?}"
    );
}

#[test]
fn plan_without_schedules_says_what_to_write() {
    let empty = tempfile::NamedTempFile::new().unwrap();
    run(&["plan", "--config", &empty.path().display().to_string()])
        .exits_with(2)
        .has_only_error("keeps no group");
    run(&["plan", "--sim"])
        .exits_with(2)
        .has_only_error("[schedules]");
    run(&["plan", "--output", "csv"])
        .exits_with(2)
        .has_only_error("--output csv");
}

#[test]
fn hold_is_applied_shown_and_released() {
    let stage = Stage::new("");
    // A hold is an edge of now, whatever the time of the day.
    let held = stage.run(&["hold", "web", "running", "--until", "2h", "--why", "test"]);
    held.exits_with(0);
    let dry = stage
        .run(&["apply", "--dry-run", "--output", "json"])
        .exits_with(0);
    assert_eq!(dry.column("action"), ["start", "start"]);
    assert_eq!(dry.column("outcome"), ["planned", "planned"]);
    assert_eq!(stage.states(), ["stopped", "stopped"]);

    let applied = stage.run(&["apply", "--output", "json"]).exits_with(0);
    assert_eq!(applied.column("outcome"), ["reached", "reached"]);
    let why = applied.column("why")[0].to_string();
    assert!(why.contains("hold of web by"), "{why}");
    assert_eq!(stage.states(), ["running", "running"]);
    let again = stage.run(&["apply", "--output", "json"]).exits_with(0);
    assert_eq!(again.rows(), Vec::<Value>::new());

    let holds = stage.run(&["holds", "--output", "json"]).exits_with(0);
    assert_eq!(holds.column("target"), ["web"]);
    assert_eq!(holds.column("why"), ["test"]);
    let plan = stage
        .run(&["plan", "--look", "--output", "json"])
        .exits_with(0);
    assert_eq!(plan.rows()[0]["hold"]["state"], "running");
    assert_eq!(
        plan.rows()[0]["next"]["at"],
        plan.rows()[0]["hold"]["until"]
    );
    assert_eq!(plan.rows()[0]["seen"], json!({ "running": 2 }));

    stage.run(&["release", "web"]).exits_with(0);
    let none = stage.run(&["holds"]).exits_with(0);
    assert!(none.stderr.contains("nothing is held"), "{none:?}");
    stage
        .run(&["release", "web"])
        .exits_with(2)
        .has_only_error("nothing is held");
}

#[test]
fn unknown_group_of_a_hold_gets_a_suggestion() {
    let stage = Stage::new("");
    stage
        .run(&["hold", "wbe", "running", "--until", "2h", "--why", "test"])
        .exits_with(2)
        .has_only_error("did you mean \"web\"?");
    stage
        .run(&[
            "hold",
            "web",
            "running",
            "--until",
            "yesterday",
            "--why",
            "test",
        ])
        .exits_with(2)
        .has_only_error("2026-11-28T08:00");
}

#[test]
fn too_many_changes_do_nothing_and_exit_with_3() {
    let stage = Stage::new("");
    stage
        .run(&["hold", "web", "running", "--until", "2h", "--why", "test"])
        .exits_with(0);
    let blocked = stage.run(&["apply", "--max", "1"]).exits_with(3);
    assert!(
        blocked.stderr.contains("lifecycle apply --max 2"),
        "{blocked:?}"
    );
    assert_eq!(stage.states(), ["stopped", "stopped"]);
}

#[cfg(unix)]
#[test]
fn run_keeps_the_schedule_until_a_signal_and_only_once() {
    let stage = Stage::new("");
    let config = stage.config().display().to_string();
    let first = spawn(&stage.args(&["run"], &config), &stage.server.keys());
    // While the first process keeps the schedule, a hold is possible, and is applied by the next pass.
    let mut tries = 0;
    while !stage.folder.path().join("journal.run").exists()
        || !stage.folder.path().join("journal").exists()
    {
        sleep(Duration::from_millis(50));
        tries += 1;
        assert!(tries < 600, "the command does not begin");
    }
    stage
        .run(&["run"])
        .exits_with(3)
        .has_only_error(&format!("process {}", first.id()));
    stage
        .run(&["hold", "web", "running", "--until", "2h", "--why", "test"])
        .exits_with(0);
    crate::support::signal(&first, "TERM");
    let ended = wait_for_end(first).exits_with(0);
    assert!(ended.stderr.contains("stopped; open calls"), "{ended:?}");
}

#[test]
fn demo_of_a_schedule_shows_a_day_with_its_history() {
    let result = run(&["demo", "--schedule", "--output", "json"]).exits_with(0);
    let rows = result.rows();
    let of = |kind: &str| rows.iter().filter(|row| row["kind"] == kind).count();
    assert_eq!(of("hold"), 1);
    assert!(of("call") >= 10, "{rows:#?}");
    let reboots = rows
        .iter()
        .filter(|row| row["action"] == "reboot" && row["kind"] == "call");
    assert_eq!(reboots.count(), 3);
    for text in [
        "no capacity",
        "by hand",
        "drifted",
        "killed",
        "at most 1 reboot",
    ] {
        assert!(result.stderr.contains(text), "{text}: {result:#?}");
    }
}
