//! Tests of `lifecycle status --watch`.

use crate::support::{SimulatorServer, run};
#[cfg(unix)]
use crate::support::{signal, wait_for_end};

#[test]
fn watch_ends_at_the_goal_with_a_row_for_each_change() {
    let server = SimulatorServer::with(&["--fleet", "aliyun/cn-hangzhou=2", "--speed", "5"]);
    let instances = server.instances();
    let options = [
        "status",
        instances[0],
        instances[1],
        "--watch",
        "--for",
        "running",
    ];
    let options = [&options[..], &["--interval", "1s", "--output", "jsonl"]].concat();
    let watching = server.spawn(&options);
    std::thread::sleep(std::time::Duration::from_secs(2));
    server
        .run(&["start", instances[0], instances[1], "--no-wait"])
        .exits_with(0);
    let result = wait_for_end(watching).exits_with(0);
    let rows: Vec<serde_json::Value> = result
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for instance in instances {
        let own: Vec<_> = rows
            .iter()
            .filter(|row| row["instance"] == instance)
            .collect();
        assert_eq!(own[0]["state"], "stopped", "{result:#?}");
        assert!(own[0]["previous_state"].is_null(), "{result:#?}");
        assert_eq!(own.last().unwrap()["state"], "running", "{result:#?}");
        for pair in own.windows(2) {
            assert_eq!(pair[1]["previous_state"], pair[0]["state"], "{result:#?}");
            assert_ne!(pair[1]["state"], pair[0]["state"], "{result:#?}");
        }
    }
}

#[test]
fn watch_without_a_terminal_prints_lines_with_the_time() {
    let args = [
        "status",
        "baidu/bj/i-P7J6xY5N",
        "--sim",
        "--watch",
        "--for",
        "stopped",
    ];
    let result = run(&args).exits_with(0);
    let lines: Vec<Vec<&str>> = result
        .stdout
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(
        lines[0][..4],
        ["OBSERVED_AT", "INSTANCE", "PREVIOUS_STATE", "STATE"]
    );
    assert_eq!(lines[1][1..4], ["baidu/bj/i-P7J6xY5N", "-", "stopped"]);
    assert!(lines[1][0].ends_with('Z'), "{result:#?}");
    assert_eq!(lines.len(), 2, "{result:#?}");
}

#[test]
fn watch_ends_at_the_time_limit_and_if_the_goal_is_out_of_reach() {
    let args = [
        "status",
        "baidu/bj/i-P7J6xY5N",
        "--sim",
        "--watch",
        "--timeout",
        "130s",
    ];
    let result = run(&[&args[..], &["--for", "running"]].concat()).exits_with(4);
    assert!(
        result.stderr.contains("after 60 s: 1 stopped\n"),
        "{result:#?}"
    );
    // Without a goal the time limit is no failure.
    let result = run(&[&args[..], &["--quiet"]].concat()).exits_with(0);
    assert_eq!(result.stderr, "");
    for instance in ["baidu/bj/i-none", "baidu/bj/i-mK37TDDz"] {
        let args = ["status", instance, "--sim", "--watch", "--for", "running"];
        run(&args).exits_with(1);
    }
}

#[test]
fn option_of_a_watch_needs_the_watch() {
    for option in [["--for", "running"], ["--interval", "5s"]] {
        let args = [&["status", "baidu/bj/i-1"][..], &option].concat();
        let result = run(&args).exits_with(2);
        assert!(result.stderr.contains("--watch"), "{result:#?}");
    }
    run(&[
        "status",
        "baidu/bj/i-1",
        "--sim",
        "--watch",
        "--sort",
        "state",
    ])
    .exits_with(2)
    .has_only_error("--sort with --watch");
}

#[test]
#[cfg(unix)]
fn interrupted_watch_ends_its_output_and_the_process_by_the_signal() {
    let server = SimulatorServer::with(&["--fleet", "baidu/bj=1"]);
    let watching = server.spawn(&[
        "status",
        server.instances()[0],
        "--watch",
        "--output",
        "json",
    ]);
    std::thread::sleep(std::time::Duration::from_secs(3));
    signal(&watching, "INT");
    let result = wait_for_end(watching).exits_with(130);
    assert_eq!(result.column("state"), ["stopped"], "{result:#?}");
}

#[test]
#[cfg(target_os = "linux")]
fn watch_on_a_terminal_draws_the_states_in_one_place() {
    let args = "status baidu/bj --name *-? --watch --timeout 25s --sim";
    let Some((is_success, text)) = crate::support::on_terminal(args, "") else {
        return;
    };
    assert!(is_success, "{text}");
    // Three looks in 25 seconds: each one but the first removes the lines of the look before.
    assert_eq!(text.matches("OBSERVED_AT").count(), 3, "{text:?}");
    assert!(
        text.contains("\u{1b}[7A") || text.contains("\u{1b}[1A"),
        "{text:?}"
    );
    assert!(text.contains("web-2"), "{text:?}");
}
