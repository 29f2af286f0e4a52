//! Tests of protected instances: `stop` and `reboot` leave them alone, named or selected.

use std::{fs, net::TcpListener};

use lifecycle_facade::Credential;
use lifecycle_sim::{Cloud, FaultRule, FaultTiming, InjectedFault, Operation, Server, Simulator};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::support::{RunResult, SimulatorServer, keys, run_with, run_within};

/// A running instance with the tag of protection, and a running instance without the tag.
const FLEET: &str = "aliyun/cn-hangzhou=1:running;name=db-#;tag:lifecycle:protected=yes,\
                     aliyun/cn-hangzhou=1:running;name=web-#";

/// Returns a folder with a configuration file of this text, and the path of the file.
fn config(text: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lifecycle.toml");
    fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

/// Returns the outcomes of all rows. The rows of instances that are left alone are first.
fn outcomes(result: &RunResult) -> Vec<Value> {
    result.column("outcome")
}

/// A simulator in this process, behind a socket.
struct Served {
    simulator: Simulator,
    server: Server,
    _runtime: Runtime,
}

impl Served {
    fn with(fleet: &str) -> Self {
        let simulator = Simulator::builder()
            .fleet(fleet)
            .unwrap()
            .credential(Cloud::Aliyun, &Credential::keys("id", "secret"))
            .speed(20.0)
            .build();
        let runtime = Runtime::new().unwrap();
        let server = runtime.block_on(simulator.serve("127.0.0.1:0")).unwrap();
        Self {
            simulator,
            server,
            _runtime: runtime,
        }
    }

    fn run(&self, args: &[&str]) -> RunResult {
        let url = self.server.url();
        let args = [args, &["--endpoint", &url, "--output", "json"]].concat();
        run_with(&args, &keys("id", "secret", "project"), "")
    }

    fn count(&self, operation: Operation) -> u64 {
        self.simulator.ledger().count(Cloud::Aliyun, operation)
    }
}

#[test]
fn named_instance_with_the_tag_is_left_alone_without_any_configuration() {
    let server = SimulatorServer::with(&["--fleet", FLEET, "--speed", "20"]);
    let [protected, other] = server.instances()[..] else {
        panic!("two instances");
    };
    for command in ["reboot", "stop"] {
        let args = [command, protected, other, "--output", "json"];
        let result = server.run(&args).exits_with(0);
        assert_eq!(outcomes(&result), ["skipped", "reached"], "{result:#?}");
        assert_eq!(result.column("kind")[0], "protected", "{result:#?}");
        let alone = [command, protected, "--output", "json"];
        let result = server.run(&alone).exits_with(0);
        assert_eq!(outcomes(&result), ["skipped"], "{result:#?}");
        let notice = "only protected instances are named (1)";
        assert!(result.stderr.contains(notice), "{result:#?}");
    }
    let included = ["stop", protected, "--include-protected", "--output", "json"];
    let result = server.run(&included).exits_with(0);
    assert_eq!(outcomes(&result), ["reached"], "{result:#?}");
    // A start harms no instance.
    let start = ["start", protected, "--output", "json"];
    let result = server.run(&start).exits_with(0);
    assert_eq!(outcomes(&result), ["reached"], "{result:#?}");
}

#[test]
fn instances_from_a_pipe_and_of_a_group_are_checked_too() {
    let server = SimulatorServer::with(&["--fleet", FLEET, "--speed", "20"]);
    let list = ["list", "aliyun/cn-hangzhou", "--output", "ids"];
    let ids = server.run(&list).exits_with(0).stdout;
    let url = server.field("url");
    let stop = ["stop", "-", "--endpoint", url, "--output", "json"];
    let result = run_with(&stop, &server.keys(), &ids).exits_with(0);
    assert_eq!(outcomes(&result), ["skipped", "reached"], "{result:#?}");

    let references: Vec<&str> = ids.lines().collect();
    let (_folder, path) = config(&format!("[groups]\nall = {references:?}\n"));
    let stop = ["stop", "all", "--config", &path, "--output", "json"];
    let result = server.run(&stop).exits_with(0);
    assert_eq!(outcomes(&result), ["skipped", "unchanged"], "{result:#?}");
}

#[test]
fn protected_instance_that_is_named_and_selected_is_one_skipped_row() {
    let server = SimulatorServer::with(&["--fleet", FLEET, "--speed", "20"]);
    let [protected, _] = server.instances()[..] else {
        panic!("two instances");
    };
    let ci = "[groups.ci]\nselect = { in = [\"aliyun/cn-hangzhou\"] }\n";
    let (_folder, path) = config(&format!("[groups]\nnamed = [{protected:?}]\n\n{ci}"));
    for groups in [["named", "ci"], ["ci", "named"], ["ci", "ci"]] {
        let args = [
            &["stop"][..],
            &groups,
            &["--config", &path, "--output", "json"],
        ]
        .concat();
        let result = server.run(&args).exits_with(0);
        assert_eq!(outcomes(&result)[0], "skipped", "{result:#?}");
        assert_eq!(result.rows().len(), 2, "{groups:?}: {result:#?}");
    }
}

#[test]
fn check_reads_a_hundred_named_instances_in_one_call() {
    let served = Served::with("aliyun/cn-hangzhou=300:running");
    let references = served.simulator.instances();
    let references: Vec<&str> = references.iter().map(String::as_str).collect();
    let (first, second) = references.split_at(150);
    let stop = [&["stop", "--no-wait", "--include-protected"], first].concat();
    assert_eq!(served.run(&stop).exits_with(0).rows().len(), 150);
    assert_eq!(served.count(Operation::Observe), 0);
    let stop = [&["stop", "--no-wait"], second].concat();
    assert_eq!(served.run(&stop).exits_with(0).rows().len(), 150);
    assert_eq!(served.count(Operation::Observe), 2);
}

#[test]
fn missing_instance_is_refused_as_not_found() {
    let server = SimulatorServer::with(&["--fleet", FLEET]);
    let (_folder, path) = config("[defaults]\nprotect = [\"db-*\"]\n");
    let stop = ["stop", "aliyun/cn-hangzhou/i-missing", "--output", "json"];
    for options in [&[][..], &["--config", &path]] {
        let result = server.run(&[&stop[..], options].concat()).exits_with(1);
        assert_eq!(outcomes(&result), ["refused"], "{result:#?}");
        assert_eq!(result.column("kind"), ["not-found"], "{result:#?}");
        assert!(!result.stderr.contains("warning"), "{result:#?}");
    }
}

#[test]
fn unreadable_protection_holds_a_command_only_if_the_configuration_file_has_a_rule() {
    let served = Served::with("aliyun/cn-hangzhou=3:running");
    let references = served.simulator.instances();
    let silence = FaultRule::new(InjectedFault::Silence(FaultTiming::Before)).always();
    served.simulator.inject(silence.on(Operation::Observe));
    let rules = ["protect = [\"db-*\"]", "protect_tag = \"keep\""];
    for (rule, (reference, sent)) in rules.into_iter().zip(references.iter().zip(0..)) {
        let (_folder, path) = config(&format!("[defaults]\n{rule}\n"));
        let stop = ["stop", reference, "--no-wait", "--timeout", "3s"];
        let stop = [&stop[..], &["--config", &path]].concat();
        let result = served.run(&stop).exits_with(1);
        assert_eq!(outcomes(&result), ["skipped"], "{result:#?}");
        let message = result.column("message")[0].to_string();
        assert!(message.contains("nothing was sent"), "{message}");
        let notice = "the protection of 1 instances is not known";
        assert!(result.stderr.contains(notice), "{result:#?}");
        assert_eq!(served.count(Operation::Stop), sent);
        let included = [&stop[..], &["--include-protected"]].concat();
        let result = served.run(&included).exits_with(0);
        assert_eq!(outcomes(&result), ["accepted"], "{result:#?}");
    }
    let stop = ["stop", &references[2], "--no-wait", "--timeout", "3s"];
    let result = served.run(&stop).exits_with(0);
    assert_eq!(outcomes(&result), ["accepted"], "{result:#?}");
    for part in [&references[2], "could not be read", "protect_tag"] {
        assert!(result.stderr.contains(part), "{part}: {result:#?}");
    }
}

#[test]
fn rejected_key_is_reported_as_without_the_check() {
    let server = SimulatorServer::with(&["--fleet", FLEET]);
    let reference = server.instances()[0];
    let (_folder, path) = config("[defaults]\nprotect = [\"db-*\"]\n");
    let url = server.field("url");
    let stop = ["stop", reference, "--endpoint", url, "--output", "json"];
    let run = |options: &[&str]| {
        let wrong = keys("id", "wrong", "project");
        let result = run_with(&[&stop[..], options].concat(), &wrong, "").exits_with(3);
        assert_eq!(result.column("kind"), ["credential"], "{result:#?}");
        assert!(!result.stderr.contains("warning"), "{result:#?}");
        result
    };
    let unchecked = run(&["--include-protected"]);
    let checked = run(&[]);
    assert_eq!(checked.column("message"), unchecked.column("message"));
    assert_eq!(checked.column("outcome"), unchecked.column("outcome"));
    run(&["--config", &path]);
}

#[test]
fn dry_run_of_named_instances_sends_nothing_unless_the_configuration_file_has_a_rule() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let args = ["stop", "aliyun/cn-hangzhou/i-1", "--dry-run", "--endpoint"];
    let args = [&args[..], &[&endpoint, "--output", "json"]].concat();
    let result = run_within(10, &args, &[], "").exits_with(0);
    assert_eq!(result.rows().len(), 1, "{result:#?}");
    let note = "the protection of named instances is checked when the command runs";
    assert!(result.stderr.contains(note), "{result:#?}");

    let server = SimulatorServer::with(&["--fleet", FLEET]);
    let [protected, other] = server.instances()[..] else {
        panic!("two instances");
    };
    let (_folder, path) = config("[defaults]\nprotect_tag = \"lifecycle:protected\"\n");
    let options = ["--dry-run", "--config", &path, "--output", "json"];
    let args = [&["stop", protected, other][..], &options].concat();
    let result = server.run(&args).exits_with(0);
    assert_eq!(result.column("instances")[0][0], other, "{result:#?}");
    for part in [
        protected,
        "db-1  (protected: left alone)",
        "stop: 1 instances",
    ] {
        assert!(result.stderr.contains(part), "{part}: {result:#?}");
    }
    // The output of a dry run has calls, and no rows of instances.
    let args = [&["stop", protected][..], &options].concat();
    let result = server.run(&args).exits_with(0);
    assert_eq!(result.stdout, "[]\n", "{result:#?}");
}

#[test]
fn command_that_is_refused_as_a_whole_reads_nothing() {
    let served = Served::with("aliyun/cn-hangzhou=2:running");
    let references = served.simulator.instances();
    let stop = ["stop", &references[0], &references[1], "--max", "1"];
    let result = served.run(&stop).exits_with(2);
    assert!(result.stderr.contains("nothing was sent"), "{result:#?}");
    assert_eq!(served.simulator.ledger().total(), 0);
}

#[test]
fn named_instance_is_left_alone_if_the_configuration_file_protects_it() {
    let fleet = "aliyun/cn-hangzhou=1:running;name=db-#,aliyun/cn-hangzhou=1:running;name=web-#";
    let server = SimulatorServer::with(&["--fleet", fleet, "--speed", "20"]);
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("lifecycle.toml");
    fs::write(&config, "[defaults]\nprotect = [\"db-*\"]\n").unwrap();
    let config = ["--config", config.to_str().unwrap(), "--output", "json"];
    let list = ["list", "aliyun/cn-hangzhou"];
    let list = server.run(&[&list[..], &config].concat()).exits_with(0);
    let ids = list.column("instance");
    let stop = ["stop", ids[0].as_str().unwrap(), ids[1].as_str().unwrap()];
    let stop = [&stop[..], &config].concat();
    let result = server.run(&stop).exits_with(0);
    let mut outcomes: Vec<_> = result.column("outcome");
    outcomes.sort_by_key(ToString::to_string);
    assert_eq!(outcomes, ["reached", "skipped"], "{result:#?}");
    let alone = [&["stop", ids[0].as_str().unwrap()][..], &config].concat();
    let result = server.run(&alone).exits_with(0);
    assert_eq!(result.column("kind"), ["protected"], "{result:#?}");
    assert!(
        result
            .stderr
            .contains("only protected instances are named (1)")
    );
    let included = [&alone[..], &["--include-protected", "--no-wait"]].concat();
    let result = server.run(&included).exits_with(0);
    assert_eq!(result.column("outcome"), ["accepted"]);
}

#[test]
fn instance_with_the_protecting_tag_is_skipped_and_no_failure() {
    let fleet = "aliyun/cn-hangzhou=1:running;name=web-#,\
                 aliyun/cn-hangzhou=1:running;name=db-#;tag:lifecycle:protected=yes";
    let server = SimulatorServer::with(&["--fleet", fleet, "--speed", "20"]);
    let stop = [
        "stop",
        "aliyun/cn-hangzhou",
        "--name",
        "*",
        "--output",
        "json",
        "--no-wait",
    ];
    let result = server.run(&stop).exits_with(0);
    let rows: Vec<(String, String)> = result
        .rows()
        .iter()
        .map(|row| (row["name"].to_string(), row["outcome"].to_string()))
        .collect();
    assert_eq!(
        rows[0],
        ("\"db-1\"".to_owned(), "\"skipped\"".to_owned()),
        "{result:#?}"
    );
    assert_eq!(rows[1].1, "\"accepted\"", "{result:#?}");
    let message = result.column("message")[0].to_string();
    assert!(
        message.contains("has the tag lifecycle:protected"),
        "{message}"
    );
}
