//! Tests of `--sim`, simulated clouds inside the process.

use std::thread;

use crate::support::{run, run_with};

fn listed(location: &str, state: &str) -> Vec<String> {
    let result = run(&["list", location, "--sim", "--output", "json"]).exits_with(0);
    result
        .rows()
        .iter()
        .filter(|row| row["state"] == state && row["message"].is_null())
        .map(|row| row["instance"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn fleet_of_sim_is_the_same_at_every_run_and_accepts_power_commands() {
    let locations = [
        "baidu/bj",
        "aliyun/cn-hangzhou",
        "zenlayer/global",
        "huawei/cn-north-4",
    ];
    // The runs sleep most of the time, so they run in parallel.
    thread::scope(|scope| {
        for location in locations {
            scope.spawn(move || use_fleet_of(location));
        }
    });
}

fn use_fleet_of(location: &str) {
    let stopped = listed(location, "stopped");
    assert_eq!(stopped.len(), 3, "{location}: {stopped:?}");
    assert_eq!(stopped, listed(location, "stopped"));
    let result = run(&["start", &stopped[0], "--sim"]).exits_with(0);
    assert!(result.stdout.contains("reached"), "{result:#?}");
    let running = listed(location, "running");
    assert_eq!(running.len(), 2, "{location}: {running:?}");
    run(&["reboot", &running[0], "--sim"]).exits_with(0);
    run(&["stop", &running[1], "--sim", "--force"]).exits_with(0);
}

#[test]
fn instances_in_the_readme_exist_in_the_fleet_of_sim() {
    let readme = include_str!("../../README.md");
    let start = readme
        .lines()
        .find(|line| line.starts_with("lifecycle start") && line.ends_with("--sim"));
    let named = start.unwrap().split(' ').filter(|word| word.contains('/'));
    let listed = run(&["list", "baidu/bj", "--sim"]).stdout;
    assert!(named.clone().count() > 0, "{start:?}");
    for instance in named {
        assert!(listed.contains(instance), "{instance}: {listed}");
    }
}

#[test]
fn row_of_a_power_command_has_an_outcome_and_a_request_id() {
    let stopped = &listed("baidu/bj", "stopped")[0];
    let result = run(&["start", stopped, "--sim", "--no-wait", "--output", "json"]).exits_with(0);
    let row = &result.rows()[0];
    assert_eq!(row["instance"], **stopped);
    assert_eq!(row["outcome"], "accepted");
    assert!(row["state"].is_null() && row["kind"].is_null(), "{row}");
    assert!(row["request_id"].is_string(), "{row}");
    assert!(result.stderr.contains("1 accepted"), "{result:#?}");
}

#[test]
fn references_on_standard_input_keep_their_order_without_duplicates() {
    let (baidu, zenlayer) = (
        listed("baidu/bj", "running"),
        listed("zenlayer/global", "running"),
    );
    let stdin = format!(
        "# two clouds\n{} {} # twice\n\n{}\n",
        zenlayer[0], baidu[0], zenlayer[0]
    );
    let args = ["status", &baidu[1], "-", "--sim", "--output", "json"];
    let result = run_with(&args, &[], &stdin).exits_with(0);
    let expected = [&baidu[1], &zenlayer[0], &baidu[0]];
    assert_eq!(result.column("instance"), expected.map(String::as_str));
    assert_eq!(result.column("state"), ["running"; 3]);
}

#[test]
fn missing_instance_exits_with_1_and_keeps_the_other_rows() {
    let stopped = &listed("baidu/bj", "stopped")[0];
    let args = [
        "start",
        stopped,
        "baidu/bj/i-none",
        "--sim",
        "--output",
        "json",
    ];
    let result = run(&args).exits_with(1);
    assert_eq!(result.column("outcome"), ["reached", "refused"]);
    assert_eq!(result.column("kind")[1], "not-found");

    let args = [
        "status",
        stopped,
        "baidu/bj/i-none",
        "--sim",
        "--output",
        "json",
    ];
    let result = run(&args).exits_with(1);
    assert_eq!(result.column("state")[0], "stopped");
    assert!(result.column("state")[1].is_null());
    assert_eq!(result.column("kind")[1], "not-found");
}

#[test]
fn wait_ends_in_the_requested_state_or_at_the_timeout() {
    let running = &listed("aliyun/cn-hangzhou", "running")[0];
    run(&["wait", running, "--sim"]).exits_with(0);
    let args = [
        "wait",
        running,
        "--for",
        "stopped",
        "--sim",
        "--timeout",
        "20s",
    ];
    let result = run(&args).exits_with(4);
    assert!(result.stdout.contains("pending  running"), "{result:#?}");
    assert!(
        !result.stdout.contains("accepted"),
        "wait sends no action: {result:#?}"
    );

    let stopped = &listed("aliyun/cn-hangzhou", "stopped")[0];
    let args = [
        "start",
        stopped,
        "--sim",
        "--timeout",
        "5s",
        "--output",
        "json",
    ];
    let result = run(&args).exits_with(4);
    assert_eq!(result.column("outcome"), ["pending"]);
    assert_eq!(result.column("state"), ["starting"]);
}

#[test]
fn piped_table_is_plain_text_with_one_line_for_each_instance() {
    let result = run(&["list", "aliyun/cn-hangzhou", "--sim"]).exits_with(0);
    let lines: Vec<&str> = result.stdout.lines().collect();
    assert_eq!(lines.len(), 7, "{result:#?}");
    assert_eq!(
        lines[0].split_whitespace().collect::<Vec<_>>(),
        ["INSTANCE", "STATE", "NAME", "DETAIL"]
    );
    assert!(lines[6].ends_with("locked (security)"), "{result:#?}");
    assert!(!lines.iter().any(|line| line.ends_with(' ')), "{result:#?}");
    assert!(!result.stdout.contains('\u{1b}'), "{result:#?}");

    let result = run(&["start", "baidu/bj/i-P7J6xY5N", "--no-wait", "--sim"]).exits_with(0);
    assert!(result.stdout.ends_with("accepted  -\n"), "{result:#?}");

    let result = run(&["start", "baidu/bj/i-none", "--sim"]).exits_with(1);
    let lines: Vec<&str> = result.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{result:#?}");
    assert_eq!(
        lines[0].split_whitespace().collect::<Vec<_>>(),
        ["INSTANCE", "OUTCOME", "STATE", "DETAIL"]
    );
    assert!(!format!("{result:?}").contains("\\u{1b}"), "{result:#?}");
}

#[test]
fn list_of_an_empty_region_is_an_empty_array() {
    let result = run(&["list", "baidu/su", "--sim", "--output", "json"]).exits_with(0);
    assert_eq!(result.stdout, "[]\n");
    assert!(
        result.stderr.contains("no instances in baidu/su"),
        "{result:#?}"
    );
}

#[test]
fn list_of_several_regions_is_one_array() {
    let result = run(&[
        "list",
        "baidu/bj",
        "zenlayer/global",
        "--sim",
        "--output",
        "json",
    ]);
    assert_eq!(result.exits_with(0).rows().len(), 11);
}
