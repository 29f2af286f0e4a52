//! Tests of selections: instances by name, state and location.

use std::fs;

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
    assert_eq!(list(&["--name", "vm-*3"]).column("name"), ["vm-000003"]);
    assert_eq!(
        list(&["--name", "vm-*", "--exclude", "vm-000003"])
            .rows()
            .len(),
        5
    );
    assert_eq!(list(&["--exclude", "*/i-P7J6xY5N"]).rows().len(), 5);
    let nothing = list(&["--name", "db-*"]);
    assert_eq!(nothing.stdout, "[]\n");
    assert!(
        nothing.stderr.contains("no instance matches"),
        "{nothing:#?}"
    );
    run(&[&args[..], &["--name", "db-*", "--fail-empty"]].concat()).exits_with(1);
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
        "vm-000003",
        "vm-000004",
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
            &["baidu/bj", "--name", "db-*", "--sim", "--output", "json"],
        ]
        .concat();
        let result = run(&args).exits_with(0);
        assert_eq!(result.stdout, "[]\n", "{command:?}");
        assert_eq!(result.stderr, "no instance matches: baidu/bj, name db-*\n");
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
