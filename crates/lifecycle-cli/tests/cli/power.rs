//! Tests of `lifecycle start`, `stop` and `reboot` with simulated clouds behind a socket.

use std::net::TcpListener;

use crate::support::{SimulatorServer, keys, run_with, run_within};

#[test]
fn rows_of_several_clouds_have_the_order_of_the_request() {
    let server = SimulatorServer::with(&[
        "--fleet",
        "baidu/bj=2,aliyun/cn-hangzhou=2,zenlayer/global=2,huawei/cn-north-4=2",
    ]);
    let mut instances = server.instances();
    // The clouds alternate.
    instances.rotate_left(3);
    instances.swap(0, 5);
    let args = [
        &["start"][..],
        &instances,
        &["--no-wait", "--output", "json"],
    ]
    .concat();
    let result = server.run(&args).exits_with(0);
    assert_eq!(result.column("instance"), instances);
    assert_eq!(result.column("outcome"), ["accepted"; 8]);
}

#[test]
fn pause_between_waves_is_reported_and_needs_waves() {
    let list = ["list", "huawei/cn-north-4", "--sim", "--output", "json"];
    let rows = run_with(&list, &[], "").rows();
    let stopped = rows.iter().filter(|row| row["state"] == "stopped");
    let stopped: Vec<&str> = stopped
        .map(|row| row["instance"].as_str().unwrap())
        .collect();
    let start = ["start", stopped[0], stopped[1], "--sim"];
    let options = ["--waves", "1", "--wave-pause", "2m", "-v"];
    let result = run_with(&[&start[..], &options].concat(), &[], "").exits_with(0);
    assert!(
        result.stderr.contains("pause of 120 s before wave 2\n"),
        "{result:#?}"
    );
    // The summary has the simulated time.
    let (_, after) = result.stderr.rsplit_once(" after ").unwrap();
    let seconds: f64 = after.split(' ').next().unwrap().parse().unwrap();
    assert!(seconds > 120.0, "{result:#?}");
    run_with(&[&start[..], &["--wave-pause", "2m"]].concat(), &[], "")
        .exits_with(2)
        .has_only_error("--wave-pause needs --waves: write both");
}

#[test]
fn instance_that_ignores_stop_stops_only_with_force() {
    let options = ["--fleet", "aliyun/cn-hangzhou=2:stubborn", "--speed", "20"];
    let server = SimulatorServer::with(&options);
    let instances = server.instances();
    let args = ["stop", instances[0], "--timeout", "4s", "--output", "json"];
    let result = server.run(&args).exits_with(4);
    assert_eq!(result.column("pending"), ["deadline"]);
    assert_eq!(result.column("billing"), ["unknown"]);
    assert_eq!(result.column("outcome"), ["pending"]);
    assert_eq!(result.column("state"), ["stopping"]);
    let args = ["stop", instances[1], "--force", "--output", "json"];
    let result = server.run(&args).exits_with(0);
    assert_eq!(result.column("outcome"), ["reached"]);
    assert_eq!(result.column("state"), ["stopped"]);
}

#[test]
fn force_after_forces_an_instance_that_still_runs() {
    let options = ["--fleet", "huawei/cn-north-4=1:stubborn", "--speed", "20"];
    let server = SimulatorServer::with(&options);
    let args = ["stop", server.instances()[0], "--force-after", "2s"];
    let result = server
        .run(&[&args[..], &["-v", "--output", "json"]].concat())
        .exits_with(0);
    assert_eq!(result.column("outcome"), ["reached"]);
    assert!(result.stderr.contains("force-stop follows"), "{result:#?}");
}

#[test]
fn stop_when_idle_waits_for_the_boot() {
    let server = SimulatorServer::with(&["--fleet", "huawei/cn-north-4=1", "--speed", "20"]);
    let instance = server.instances()[0];
    server.run(&["start", instance, "--no-wait"]).exits_with(0);
    let args = ["stop", instance, "--when-idle", "--output", "json"];
    let result = server.run(&args).exits_with(0);
    assert_eq!(result.column("outcome"), ["reached"]);
}

#[test]
fn failure_in_a_wave_skips_the_next_wave() {
    let server = SimulatorServer::with(&["--fleet", "aliyun/cn-hangzhou=3", "--speed", "50"]);
    let known = server.instances();
    let instances = [known[0], "aliyun/cn-hangzhou/i-missing", known[1], known[2]];
    let args = [
        &["start"][..],
        &instances,
        &["--waves", "2", "-v", "--output", "json"],
    ]
    .concat();
    let result = server.run(&args).exits_with(1);
    let outcomes = ["reached", "refused", "skipped", "skipped"];
    assert_eq!(result.column("outcome"), outcomes);
    assert_eq!(result.column("kind")[2], "halted");
    assert!(
        result.stderr.contains("wave 1 of 2: 2 instances"),
        "{result:#?}"
    );
}

#[test]
fn dry_run_prints_planned_calls_and_sends_nothing() {
    let server = SimulatorServer::with(&["--fleet", "baidu/bj=3,zenlayer/global=2"]);
    let instances = server.instances();
    let dry_run = |more: &[&str]| {
        let args = [&["start", "--dry-run"][..], &instances, more].concat();
        server.run(&args).exits_with(0)
    };
    let result = dry_run(&["--output", "json", "--waves", "4"]);
    assert_eq!(
        result.column("place"),
        ["baidu/bj", "zenlayer/global", "zenlayer/global"]
    );
    assert_eq!(result.column("wave"), [1, 1, 2]);
    assert_eq!(result.column("instances")[2].as_array().unwrap().len(), 1);
    let result = dry_run(&[]);
    assert!(
        result.stdout.contains("zenlayer/global StartInstances"),
        "{result:#?}"
    );
    assert!(
        result.stderr.contains("nothing was sent; planned calls: 2"),
        "{result:#?}"
    );
    let listed = server.run(&["list", "baidu/bj", "--output", "json"]);
    assert_eq!(listed.column("state"), ["stopped"; 3]);
}

#[test]
fn request_with_more_instances_than_max_is_rejected() {
    let server = SimulatorServer::with(&["--fleet", "baidu/bj=3"]);
    let args = [&["start", "--max", "2"][..], &server.instances()].concat();
    let result = server.run(&args);
    assert_ne!(result.code, 0, "{result:#?}");
    assert!(
        result.stderr.contains("3 instances are more than"),
        "{result:#?}"
    );
}

#[test]
fn force_after_longer_than_timeout_is_wrong_usage() {
    let server = SimulatorServer::with(&["--fleet", "baidu/bj=1:running"]);
    let args = ["stop", server.instances()[0], "--force-after", "15m"];
    let result = server.run(&args).exits_with(2);
    assert!(result.stderr.contains("nothing was sent"), "{result:#?}");
}

#[test]
fn strict_start_of_a_running_instance_is_refused() {
    let server = SimulatorServer::with(&["--fleet", "baidu/bj=1:running"]);
    let args = [
        "start",
        server.instances()[0],
        "--strict",
        "--output",
        "json",
    ];
    let result = server.run(&args).exits_with(1);
    assert_eq!(result.column("outcome"), ["refused"]);
}

#[test]
fn start_of_a_running_instance_is_unchanged() {
    let server = SimulatorServer::with(&["--fleet", "baidu/bj=1:running"]);
    let args = ["start", server.instances()[0], "--output", "json"];
    let result = server.run(&args).exits_with(0);
    assert_eq!(result.column("outcome"), ["unchanged"]);
}

#[test]
fn command_without_network_exits_with_3() {
    // The listener is dropped at once, so the port is closed.
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let endpoint = format!("http://127.0.0.1:{port}");
    let variables = keys("id", "secret", "project");
    for command in [
        &["start", "baidu/bj/i-1"][..],
        &["start", "baidu/bj/i-1", "-v"],
        &["status", "baidu/bj/i-1"],
    ] {
        let args = [command, &["--endpoint", &endpoint, "--output", "json"]].concat();
        let result = run_with(&args, &variables, "").exits_with(3);
        assert_eq!(result.column("kind"), ["unreachable"], "{result:#?}");
        let is_verbose = command.contains(&"-v");
        assert_eq!(
            result.stderr.contains("attempt 2"),
            is_verbose,
            "{result:#?}"
        );
    }
    let args = ["list", "baidu/bj", "--endpoint", &endpoint];
    let result = run_with(&args, &variables, "").exits_with(3);
    assert_eq!(result.stdout, "");
    assert!(result.stderr.contains("check the network"), "{result:#?}");
}

#[test]
fn command_ends_at_the_timeout_if_the_cloud_never_answers() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let variables = keys("id", "secret", "project");
    for waiting in [&[][..], &["--no-wait"]] {
        let args = ["reboot", "aliyun/cn-hangzhou/i-1", "--timeout", "2s"];
        let args = [
            &args[..],
            &["--endpoint", &endpoint, "--output", "json"],
            waiting,
        ]
        .concat();
        let result = run_within(15, &args, &variables, "").exits_with(1);
        assert_eq!(result.rows().len(), 1, "{result:#?}");
    }
    let args = [
        "list",
        "aliyun/cn-hangzhou",
        "--timeout",
        "1s",
        "--endpoint",
        &endpoint,
    ];
    run_within(15, &args, &variables, "").exits_with(3);
}
