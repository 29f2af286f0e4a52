//! `--sim`: every command on a simulator within the process.

use std::thread;

use crate::support::{run, run_with};

fn listed(place: &str, state: &str) -> Vec<String> {
    let ran = run(&["list", place, "--sim", "--output", "json"]).exits_with(0);
    ran.rows()
        .iter()
        .filter(|row| row["state"] == state && row["message"].is_null())
        .map(|row| row["instance"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn the_fleet_is_the_same_at_every_run_and_can_be_used() {
    let places = [
        "baidu/bj",
        "aliyun/cn-hangzhou",
        "zenlayer/global",
        "huawei/cn-north-4",
    ];
    // Each run sleeps most of its time.
    thread::scope(|scope| {
        for place in places {
            scope.spawn(move || use_the_fleet_of(place));
        }
    });
}

fn use_the_fleet_of(place: &str) {
    let stopped = listed(place, "stopped");
    assert_eq!(stopped.len(), 3, "{place}: {stopped:?}");
    assert_eq!(stopped, listed(place, "stopped"));
    let ran = run(&["start", &stopped[0], "--sim"]).exits_with(0);
    assert!(ran.stdout.contains("reached"), "{ran:#?}");
    let running = listed(place, "running");
    assert_eq!(running.len(), 2, "{place}: {running:?}");
    run(&["reboot", &running[0], "--sim"]).exits_with(0);
    run(&["stop", &running[1], "--sim", "--force"]).exits_with(0);
}

#[test]
fn the_machines_that_the_readme_names_are_there() {
    let readme = include_str!("../../README.md");
    let start = readme
        .lines()
        .find(|line| line.starts_with("lifecycle start") && line.ends_with("--sim"));
    let named = start.unwrap().split(' ').filter(|word| word.contains('/'));
    let there = run(&["list", "baidu/bj", "--sim"]).stdout;
    assert!(named.clone().count() > 0, "{start:?}");
    for machine in named {
        assert!(there.contains(machine), "{machine}: {there}");
    }
}

#[test]
fn rows_have_the_promised_keys_and_no_others() {
    let ran = run(&["list", "baidu/bj", "--sim", "--output", "json"]);
    let keys = ["instance", "state", "code", "kind", "message", "request_id"];
    for row in ran.rows() {
        let row = row.as_object().unwrap();
        assert_eq!(row.len(), keys.len(), "{row:?}");
        assert!(keys.iter().all(|key| row.contains_key(*key)), "{row:?}");
    }
    let stopped = &listed("baidu/bj", "stopped")[0];
    let ran = run(&["start", stopped, "--sim", "--no-wait", "--output", "json"]).exits_with(0);
    let row = &ran.rows()[0];
    assert_eq!(row.as_object().unwrap().len(), keys.len() + 1);
    assert_eq!(row["instance"], **stopped);
    assert_eq!(row["outcome"], "accepted");
    assert!(row["state"].is_null() && row["kind"].is_null(), "{row}");
    assert!(row["request_id"].is_string(), "{row}");
    assert!(ran.stderr.contains("1 accepted"), "{ran:#?}");
}

#[test]
fn references_come_from_standard_input_each_once_in_their_order() {
    let (baidu, zenlayer) = (
        listed("baidu/bj", "running"),
        listed("zenlayer/global", "running"),
    );
    let stdin = format!(
        "# two clouds\n{} {} # twice\n\n{}\n",
        zenlayer[0], baidu[0], zenlayer[0]
    );
    let args = ["status", &baidu[1], "-", "--sim", "--output", "json"];
    let ran = run_with(&args, &[], &stdin).exits_with(0);
    let expected = [&baidu[1], &zenlayer[0], &baidu[0]];
    assert_eq!(ran.column("instance"), expected.map(String::as_str));
    assert_eq!(ran.column("state"), ["running"; 3]);
}

#[test]
fn what_is_not_as_asked_shows_in_the_exit_code_and_not_in_the_others() {
    let stopped = &listed("baidu/bj", "stopped")[0];
    let args = [
        "start",
        stopped,
        "baidu/bj/i-none",
        "--sim",
        "--output",
        "json",
    ];
    let ran = run(&args).exits_with(1);
    assert_eq!(ran.column("outcome"), ["reached", "refused"]);
    assert_eq!(ran.column("kind")[1], "not-found");

    let args = [
        "status",
        stopped,
        "baidu/bj/i-none",
        "--sim",
        "--output",
        "json",
    ];
    let ran = run(&args).exits_with(1);
    assert_eq!(ran.column("state")[0], "stopped");
    assert!(ran.column("state")[1].is_null());
    assert_eq!(ran.column("kind")[1], "not-found");
}

#[test]
fn waiting_ends_at_the_goal_or_with_the_time() {
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
    let ran = run(&args).exits_with(1);
    assert!(
        ran.stdout.contains("still running when the time was over"),
        "{ran:#?}"
    );
    assert!(
        !ran.stdout.contains("accepted"),
        "nothing was asked for: {ran:#?}"
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
    let ran = run(&args).exits_with(1);
    assert_eq!(ran.column("outcome"), ["pending"]);
    assert_eq!(ran.column("state"), ["starting"]);
}

#[test]
fn output_that_is_no_terminal_is_plain_with_one_line_for_each_instance() {
    let ran = run(&["list", "aliyun/cn-hangzhou", "--sim"]).exits_with(0);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), 7, "{ran:#?}");
    assert_eq!(
        lines[0].split_whitespace().collect::<Vec<_>>(),
        ["INSTANCE", "STATE", "NAME", "DETAIL"]
    );
    assert!(lines[6].ends_with("locked (security)"), "{ran:#?}");
    assert!(!lines.iter().any(|line| line.ends_with(' ')), "{ran:#?}");
    assert!(!ran.stdout.contains('\u{1b}'), "{ran:#?}");

    let ran = run(&["start", "baidu/bj/i-P7J6xY5N", "--no-wait", "--sim"]).exits_with(0);
    assert!(ran.stdout.ends_with("accepted  -\n"), "{ran:#?}");

    let ran = run(&["start", "baidu/bj/i-none", "--sim"]).exits_with(1);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{ran:#?}");
    assert_eq!(
        lines[0].split_whitespace().collect::<Vec<_>>(),
        ["INSTANCE", "OUTCOME", "STATE", "DETAIL"]
    );
    assert!(!format!("{ran:?}").contains("\\u{1b}"), "{ran:#?}");
}

#[test]
fn an_empty_region_is_an_empty_array() {
    let ran = run(&["list", "baidu/su", "--sim", "--output", "json"]).exits_with(0);
    assert_eq!(ran.stdout, "[]\n");
    assert!(ran.stderr.contains("baidu/su has no instances"), "{ran:#?}");
}

#[test]
fn a_list_of_several_regions_is_one() {
    let ran = run(&[
        "list",
        "baidu/bj",
        "zenlayer/global",
        "--sim",
        "--output",
        "json",
    ]);
    assert_eq!(ran.exits_with(0).rows().len(), 11);
}
