//! Tests of the store in PostgreSQL: the commands with a real server and simulated clouds.

use std::{fs, path::PathBuf, process::Child, sync::Arc, thread::sleep, time::Duration};

use lifecycle_store_postgres::cluster::{Cluster, PASSWORD};
use serde_json::Value;
use tempfile::TempDir;

use crate::chaos::proxy::Proxy;
use crate::support::{RunResult, SimulatorServer, run_with, signal, spawn, wait_for_end};

const VARIABLE: &str = "LIFECYCLE_DATABASE";

/// A simulator, a database, and a configuration file with groups of one machine.
struct Stage {
    server: SimulatorServer,
    folder: TempDir,
    cluster: Arc<Cluster>,
    text: String,
}

impl Stage {
    /// Returns `None` without PostgreSQL.
    fn new(name: &str, machines: usize) -> Option<Self> {
        let cluster = Cluster::shared(name)?;
        let fleet = format!("baidu/bj={machines}");
        let stage = Self {
            server: SimulatorServer::with(&["--fleet", &fleet]),
            folder: tempfile::tempdir().unwrap(),
            text: cluster.database(name),
            cluster,
        };
        let instances = stage.server.instances().into_iter().enumerate();
        let groups: String = instances
            .map(|(at, name)| format!("groups.g{at} = [{name:?}]\nkeep.g{at} = \"always\"\n"))
            .collect();
        let config = format!(
            "{groups}\n[schedules.always]\nzone = \"Asia/Shanghai\"\n\
             windows = [{{ days = \"all\", from = \"00:00\", to = \"24:00\" }}]\n\
             [controller]\nresync = \"2s\"\n\
             store = {{ postgres_variable = {VARIABLE:?}, lease = \"3s\" }}\n"
        );
        fs::write(stage.config(), config).unwrap();
        Some(stage)
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("lifecycle.toml")
    }

    fn run(&self, args: &[&str]) -> RunResult {
        self.run_with_text(args, &self.text)
    }

    fn run_with_text(&self, args: &[&str], text: &str) -> RunResult {
        let (args, variables) = self.line(args, text);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        run_with(&args, &variables, "")
    }

    fn spawn(&self, args: &[&str]) -> Child {
        self.spawn_with_text(args, &self.text)
    }

    fn spawn_with_text(&self, args: &[&str], text: &str) -> Child {
        let (args, variables) = self.line(args, text);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        spawn(&args, &variables)
    }

    fn line(&self, args: &[&str], text: &str) -> (Vec<String>, Vec<(&'static str, String)>) {
        let config = self.config().display().to_string();
        let mut line: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        line.extend(["--config".to_owned(), config]);
        if matches!(args[0], "apply" | "run" | "resume" | "plan") {
            line.extend(["--endpoint".to_owned(), self.server.field("url").to_owned()]);
        }
        let mut variables = self.server.keys();
        variables.push((VARIABLE, text.to_owned()));
        (line, variables)
    }

    /// Waits until `lifecycle controllers` shows this number of groups for each living controller.
    fn wait_for_shares(&self, expected: &[usize]) {
        for _ in 0..200 {
            let shown = self.run(&["controllers", "--output", "json"]);
            if shown.code != 0 {
                // The tables are not there yet.
                assert!(
                    shown.stderr.contains("lifecycle store migrate"),
                    "{shown:?}"
                );
                sleep(Duration::from_millis(100));
                continue;
            }
            let rows = shown.rows();
            let living = rows.iter().filter(|row| row["alive"] == true);
            let mut shares: Vec<usize> = living
                .map(|row| row["groups"].as_array().unwrap().len())
                .collect();
            shares.sort_unstable();
            if shares == expected {
                return;
            }
            sleep(Duration::from_millis(100));
        }
        panic!("{:#?}", self.run(&["controllers", "--output", "json"]));
    }
}

#[test]
fn commands_work_on_a_database_as_on_a_journal() {
    let Some(stage) = Stage::new("commands", 2) else {
        return;
    };
    let held = stage.run(&["hold", "g0", "running", "--until", "2h", "--why", "test"]);
    let held = held.exits_with(3);
    assert!(held.stderr.contains("lifecycle store migrate"), "{held:?}");
    stage.run(&["store", "migrate"]).exits_with(0);
    stage
        .run(&["hold", "g0", "running", "--until", "2h", "--why", "test"])
        .exits_with(0);
    let dry = stage
        .run(&["apply", "--dry-run", "--output", "json"])
        .exits_with(0);
    // The first pass on an empty store corrects nothing else.
    assert_eq!(dry.column("action"), ["start", "wait"]);
    let applied = stage.run(&["apply", "--output", "json"]).exits_with(0);
    assert_eq!(applied.column("outcome"), ["reached".into(), Value::Null]);
    let holds = stage.run(&["holds", "--output", "json"]).exits_with(0);
    assert_eq!(holds.column("target"), ["g0"]);
    let history = stage.run(&["history", "--output", "json"]).exits_with(0);
    assert!(
        history.column("kind").contains(&"hold".into()),
        "{history:?}"
    );
    let reference = stage.server.instances()[0].to_owned();
    let calls = stage
        .run(&["history", &reference, "--output", "json"])
        .exits_with(0);
    let kinds = calls.column("kind");
    assert!(kinds.contains(&"call".into()), "{calls:#?}");
    assert!(!kinds.contains(&"hold".into()), "{calls:#?}");
    stage.run(&["release", "g0"]).exits_with(0);
    let resumed = stage.run(&["resume", "--output", "json"]).exits_with(0);
    assert_eq!(resumed.column("outcome"), ["reached"]);
    let check = stage
        .run(&["store", "check", "--output", "json"])
        .exits_with(0);
    assert_eq!(check.column("unfinished"), [0]);
    let pruned = stage
        .run(&["store", "prune", "--before", "1h"])
        .exits_with(0);
    assert!(pruned.stderr.contains("events: 0"), "{pruned:?}");
    stage.run(&["plan", "--output", "json"]).exits_with(0);
}

#[test]
fn controllers_of_a_database_share_the_pace_of_an_account_and_its_rejected_keys() {
    let Some(stage) = Stage::new("pace", 1) else {
        return;
    };
    stage.run(&["apply"]).exits_with(0);
    let scopes = "select string_agg(scope, ', ' order by scope) from lifecycle.pace";
    let scopes = stage.cluster.psql("pace", scopes);
    assert_eq!(scopes.trim(), "baidu/bj reads");
    let rejected = "insert into lifecycle.rejected_key (digest) values ('of another key')";
    stage.cluster.psql("pace", rejected);
    for expected in ["rejected keys forgotten: 1", "rejected keys forgotten: 0"] {
        let forgotten = stage.run(&["store", "forget-keys"]).exits_with(0);
        assert!(forgotten.stderr.contains(expected), "{forgotten:?}");
    }
}

#[test]
fn unusable_databases_are_one_line_without_the_password() {
    let Some(stage) = Stage::new("unusable", 1) else {
        return;
    };
    stage.run(&["store", "migrate"]).exits_with(0);
    let wrong = stage.text.replace("test%20cluster", "hunter2");
    let away = stage.cluster.text_at("unusable", 1);
    let none = stage.cluster.text("none");
    for (text, expected) in [
        ("", "is not set"),
        ("hunter2", "is not usable"),
        (&wrong, "correct the user and the password"),
        (&away, "127.0.0.1:1"),
        (&none, "create the database"),
    ] {
        for args in [
            &["apply"][..],
            &["run"],
            &["history"],
            &["store", "check"],
            &["controllers"],
        ] {
            let result = stage.run_with_text(args, text).exits_with(3);
            let result = result.has_only_error(expected);
            for secret in ["hunter2", PASSWORD, "a%20secret"] {
                assert!(!result.stderr.contains(secret), "{result:?}");
            }
        }
    }
    stage.cluster.psql(
        "unusable",
        "insert into lifecycle.schema_version (version, name) values (99, 'later')",
    );
    for args in [&["apply"][..], &["history"], &["store", "migrate"]] {
        stage
            .run(args)
            .exits_with(3)
            .has_only_error("install a newer program");
    }
}

#[test]
fn two_controllers_that_start_at_once_migrate_once_and_divide_the_groups() {
    let Some(stage) = Stage::new("divided", 4) else {
        return;
    };
    let first = stage.spawn(&["run"]);
    let second = stage.spawn(&["run"]);
    stage.wait_for_shares(&[2, 2]);
    let versions = "select count(*) = count(distinct version) from lifecycle.schema_version";
    assert_eq!(stage.cluster.psql("divided", versions), "t");
    let refused = stage.run(&["apply"]).exits_with(3);
    let refused = refused.has_only_error("other controllers have all groups");
    assert!(refused.stderr.contains("lifecycle run of"), "{refused:?}");
    // A frozen controller loses its groups, and gets a share again.
    signal(&first, "STOP");
    stage.wait_for_shares(&[4]);
    signal(&first, "CONT");
    stage.wait_for_shares(&[2, 2]);
    // A controller that ends leaves its groups at once.
    signal(&second, "TERM");
    wait_for_end(second).exits_with(0);
    stage.wait_for_shares(&[4]);
    signal(&first, "TERM");
    wait_for_end(first).exits_with(0);
    stage.wait_for_shares(&[]);
}

#[test]
fn interrupted_apply_prints_its_row_and_leaves_its_groups() {
    let Some(stage) = Stage::new("interrupted", 1) else {
        return;
    };
    stage.run(&["store", "migrate"]).exits_with(0);
    stage
        .run(&["hold", "g0", "running", "--until", "2h", "--why", "test"])
        .exits_with(0);
    let apply = stage.spawn(&["apply", "--output", "json"]);
    let answered = "select count(*) from lifecycle.call where answer is not null";
    let mut tries = 0;
    while stage.cluster.psql("interrupted", answered) == "0" {
        sleep(Duration::from_millis(50));
        tries += 1;
        assert!(tries < 200, "nothing was sent");
    }
    signal(&apply, "INT");
    let interrupted = wait_for_end(apply).exits_with(130);
    assert_eq!(
        interrupted.column("outcome"),
        ["pending"],
        "{interrupted:#?}"
    );
    let left = stage.run(&["controllers", "--output", "json"]);
    assert_eq!(left.exits_with(0).rows(), Vec::<Value>::new());
}

#[test]
fn journal_is_imported_into_a_database() {
    let Some(stage) = Stage::new("imported", 1) else {
        return;
    };
    let reference = stage.server.instances()[0].to_owned();
    let journal = stage.folder.path().join("journal").display().to_string();
    let start = ["start", &reference, "--journal", &journal];
    stage.server.run(&start).exits_with(0);
    let imported = stage.run(&["store", "import", &journal]).exits_with(0);
    assert!(
        imported.stderr.contains("unfinished requests: 0"),
        "{imported:?}"
    );
    let of_file = run_with(&["history", &journal, "--output", "json"], &[], "").exits_with(0);
    let of_database = stage.run(&["history", "--output", "json"]).exits_with(0);
    assert_eq!(of_file.stdout, of_database.stdout);
    stage
        .run(&["store", "import", &journal])
        .exits_with(3)
        .has_only_error("empty database");
}

#[test]
fn controller_cut_off_from_the_database_loses_its_groups_says_so_and_comes_back() {
    let Some(stage) = Stage::new("cut", 4) else {
        return;
    };
    let proxy = Proxy::to(stage.cluster.port());
    let behind = stage.cluster.text_at("cut", proxy.port());
    let cut = stage.spawn_with_text(&["run"], &behind);
    stage.wait_for_shares(&[4]);
    let other = stage.spawn(&["run"]);
    stage.wait_for_shares(&[2, 2]);
    proxy.cut();
    stage.wait_for_shares(&[4]);
    proxy.restore();
    stage.wait_for_shares(&[2, 2]);
    // A pass after the outage writes the history.
    sleep(Duration::from_secs(3));
    let history = stage.run(&["history", "--output", "json"]).exits_with(0);
    let why = history.column("why");
    assert!(why.contains(&"store-unavailable".into()), "{history:#?}");
    for child in [cut, other] {
        signal(&child, "TERM");
        let ended = wait_for_end(child).exits_with(0);
        assert!(!ended.stderr.contains(PASSWORD), "{ended:?}");
        if ended.stderr.contains("nothing new is sent") {
            assert!(ended.stderr.contains("answers again after"), "{ended:?}");
        } else {
            assert!(!ended.stderr.contains("warning"), "{ended:?}");
        }
    }
}
