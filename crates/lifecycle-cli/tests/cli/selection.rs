//! Tests of selections: instances by name, state and location.

use std::fs;

#[cfg(target_os = "linux")]
use crate::support::on_terminal;
use crate::support::{SimulatorServer, run, run_with};

#[test]
fn list_shows_only_matching_instances() {
    let args = ["list", "baidu/bj", "--sim", "--output", "json"];
    let list = |options: &[&str]| run(&[&args[..], options].concat()).exits_with(0);
    assert_eq!(
        list(&["--state", "running"]).column("state"),
        ["running"; 2]
    );
    assert_eq!(list(&["--state", "running,expired"]).rows().len(), 3);
    assert_eq!(list(&["--name", "web-*1"]).column("name"), ["web-1"]);
    assert_eq!(
        list(&["--name", "*-?", "--exclude", "web-1"]).rows().len(),
        5
    );
    assert_eq!(list(&["--exclude", "*/i-P7J6xY5N"]).rows().len(), 5);
    let nothing = list(&["--name", "nas-*"]);
    assert_eq!(nothing.stdout, "[]\n");
    assert!(
        nothing.stderr.contains("no instance matches"),
        "{nothing:#?}"
    );
    run(&[&args[..], &["--name", "nas-*", "--fail-empty"]].concat()).exits_with(1);
}

#[test]
fn list_without_locations_lists_every_simulated_cloud() {
    let result = run(&["list", "--sim", "--output", "json", "--columns", "id"]).exits_with(2);
    assert_eq!(result.stdout, "");
    let clouds = run(&["list", "--sim", "--output", "json"])
        .exits_with(0)
        .column("cloud");
    for cloud in ["baidu", "aliyun", "zenlayer", "huawei"] {
        assert!(clouds.iter().any(|one| one == cloud), "{cloud}: {clouds:?}");
    }
}

#[test]
fn power_command_acts_on_the_selected_instances() {
    let args = [
        "start",
        "baidu/bj",
        "--state",
        "stopped",
        "--no-wait",
        "--sim",
        "--output",
        "json",
    ];
    let result = run(&args).exits_with(0);
    assert_eq!(result.column("outcome"), ["accepted"; 3]);
    // Nobody is asked without a terminal.
    let args = [
        "stop",
        "baidu/bj",
        "--state",
        "running",
        "--include-protected",
        "--sim",
    ];
    let result = run(&[&args[..], &["--output", "json"]].concat()).exits_with(0);
    assert_eq!(result.column("outcome"), ["reached"; 2]);
    let result = run(&[&args[..], &["--max", "1"]].concat()).exits_with(2);
    assert!(result.stderr.contains("nothing was sent"), "{result:#?}");
    let result = run(&[&args[..], &["--dry-run"]].concat()).exits_with(0);
    for part in [
        "web-1",
        "web-2",
        "stop: 2 instances, selected by baidu/bj, state running",
    ] {
        assert!(result.stderr.contains(part), "{part}: {result:#?}");
    }
}

#[test]
fn selection_without_an_instance_is_a_success_unless_requested() {
    for command in [
        &["stop"][..],
        &["status"],
        &["wait"],
        &["reboot"],
        &["start"],
    ] {
        let args = [
            command,
            &["baidu/bj", "--name", "nas-*", "--sim", "--output", "json"],
        ]
        .concat();
        let result = run(&args).exits_with(0);
        assert_eq!(result.stdout, "[]\n", "{command:?}");
        assert_eq!(result.stderr, "no instance matches: baidu/bj, name nas-*\n");
        run(&[&args[..], &["--fail-empty"]].concat()).exits_with(1);
    }
}

#[test]
fn conditions_apply_to_named_instances_too() {
    let list = run(&["list", "baidu/bj", "--sim", "--output", "ids"]).stdout;
    let args = [
        "status", "-", "--state", "running", "--sim", "--output", "json",
    ];
    let result = run_with(&args, &[], &list).exits_with(0);
    assert_eq!(result.column("state"), ["running"; 2]);
}

#[test]
fn named_instance_that_does_not_exist_is_reported_despite_conditions() {
    let list = run(&[
        "list", "baidu/bj", "--sim", "--state", "running", "--output", "ids",
    ])
    .stdout;
    let mut named: Vec<&str> = list.lines().collect();
    named.push("baidu/bj/i-typo");
    let shared = ["--state", "running,stopped", "--sim", "--output", "json"];
    for command in ["status", "start", "stop", "reboot"] {
        let args = [&[command][..], &named, &shared].concat();
        let result = run(&args).exits_with(1);
        let rows = result.rows();
        assert_eq!(rows.len(), named.len(), "{command}: {result:#?}");
        let is_missing = |row: &&serde_json::Value| row["instance"] == "baidu/bj/i-typo";
        let row = rows.iter().find(is_missing).unwrap();
        assert_eq!(row["kind"], "not-found", "{command}: {row}");
        if command != "status" {
            assert_eq!(row["outcome"], "refused", "{command}: {row}");
        }
    }
    // Also if no other instance remains, and not if the instance is excluded.
    let args = [&["stop", "baidu/bj/i-typo"][..], &shared].concat();
    let result = run(&args).exits_with(1);
    assert_eq!(result.column("kind"), ["not-found"]);
    let result = run(&[&args[..], &["--exclude", "i-typo"]].concat()).exits_with(0);
    assert_eq!(result.stdout, "[]\n");
}

#[test]
fn group_can_be_a_selection_and_protected_instances_are_left_alone() {
    let server = SimulatorServer::with(&["--fleet", "baidu/bj=3:running", "--speed", "20"]);
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("lifecycle.toml");
    let text = "[defaults]\nprotect = [\"vm-000001\", \"vm-000002\"]\n\n\
                [groups.ci]\nselect = { in = [\"baidu/bj\"], name = \"vm-*\" }\n";
    fs::write(&config, text).unwrap();
    let config = ["--config", config.to_str().unwrap(), "--output", "json"];
    let result = server
        .run(&[&["status", "ci"][..], &config].concat())
        .exits_with(0);
    assert_eq!(
        result.column("name"),
        ["vm-000000", "vm-000001", "vm-000002"]
    );
    // The conditions of the command line narrow the group.
    let args = ["reboot", "ci", "--name", "vm-000002"];
    let result = server.run(&[&args[..], &config].concat()).exits_with(0);
    assert_eq!(result.column("outcome"), ["skipped"], "{result:#?}");
    assert_eq!(result.column("kind"), ["protected"]);
    assert!(
        result.stderr.contains("only protected instances match"),
        "{result:#?}"
    );
    let args = [&args[..], &["--include-protected", "--no-wait"]].concat();
    let result = server.run(&[&args[..], &config].concat()).exits_with(0);
    assert_eq!(result.column("outcome"), ["accepted"]);
}

#[test]
fn tags_select_instances_in_every_cloud() {
    let location = [
        "baidu/bj",
        "aliyun/cn-hangzhou",
        "zenlayer/global",
        "huawei/cn-north-4",
    ];
    let group = |location: &str| {
        format!("{location}=2;name=web-#;tag:env=dev,{location}=1;name=db-#;tag:env=prod;tag:keep")
    };
    // The simulated region of Zenlayer has another name than the region in references.
    let fleet = location.map(|location| group(&location.replace("global", "asia-east-1")));
    let server = SimulatorServer::with(&["--fleet", &fleet.join(",")]);
    for location in location {
        let list = |options: &[&str]| {
            let args = [&["list", location, "--output", "json"], options].concat();
            server.run(&args).exits_with(0)
        };
        assert_eq!(
            list(&["--tag", "env=dev"]).column("name"),
            ["web-1", "web-2"],
            "{location}"
        );
        assert_eq!(list(&["--tag", "!keep"]).rows().len(), 2, "{location}");
        let tags = list(&["--tag", "keep"]).column("tags");
        assert_eq!(tags[0]["env"], "prod", "{location}: {tags:?}");
        let columns = [
            "--columns",
            "name,tag:env,ip",
            "--sort",
            "name",
            "--no-header",
        ];
        let table = server
            .run(&[&["list", location][..], &columns].concat())
            .exits_with(0);
        let words: Vec<&str> = table.stdout.split_whitespace().collect();
        assert_eq!(
            (words.len(), words[0], words[1]),
            (9, "db-1", "prod"),
            "{table:#?}"
        );
    }
}

#[test]
#[cfg(target_os = "linux")]
fn terminal_asks_before_a_stop_of_several_selected_instances() {
    let stop = "stop baidu/bj --state running --include-protected --no-wait --sim";
    let Some((is_success, text)) = on_terminal(stop, "n\r") else {
        return;
    };
    assert!(!is_success, "{text}");
    for part in [
        "web-1",
        "2 instances, selected by",
        "[y/N]",
        "not confirmed: nothing was sent",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let (is_success, text) = on_terminal(stop, "y\r").unwrap();
    assert!(is_success && text.contains("accepted"), "{text}");
    let (is_success, text) = on_terminal(&format!("{stop} --yes"), "").unwrap();
    assert!(is_success && !text.contains("[y/N]"), "{text}");
}
