//! Power commands against a simulator behind a real socket.

use std::net::TcpListener;

use crate::support::{Served, keys, run_with, run_within};

#[test]
fn one_command_serves_several_clouds_in_the_order_of_the_request() {
    let served = Served::with(&[
        "--fleet",
        "baidu/bj=2,aliyun/cn-hangzhou=2,zenlayer/global=2,huawei/cn-north-4=2",
    ]);
    let mut instances = served.instances();
    // Not sorted by cloud.
    instances.rotate_left(3);
    instances.swap(0, 5);
    let args = [
        &["start"][..],
        &instances,
        &["--no-wait", "--output", "json"],
    ]
    .concat();
    let ran = served.run(&args).exits_with(0);
    assert_eq!(ran.column("instance"), instances);
    assert_eq!(ran.column("outcome"), ["accepted"; 8]);
}

#[test]
fn force_is_what_makes_a_stubborn_guest_stop() {
    let stubborn = ["--fleet", "aliyun/cn-hangzhou=2:stubborn", "--speed", "20"];
    let served = Served::with(&stubborn);
    let instances = served.instances();
    let args = ["stop", instances[0], "--timeout", "4s", "--output", "json"];
    let ran = served.run(&args).exits_with(1);
    assert_eq!(ran.column("outcome"), ["pending"]);
    assert_eq!(ran.column("state"), ["stopping"]);
    let args = ["stop", instances[1], "--force", "--output", "json"];
    let ran = served.run(&args).exits_with(0);
    assert_eq!(ran.column("outcome"), ["reached"]);
    assert_eq!(ran.column("state"), ["stopped"]);
}

#[test]
fn force_comes_after_a_grace_where_it_was_asked_for() {
    let stubborn = ["--fleet", "huawei/cn-north-4=1:stubborn", "--speed", "20"];
    let served = Served::with(&stubborn);
    let args = ["stop", served.instances()[0], "--force-after", "2s"];
    let ran = served
        .run(&[&args[..], &["-v", "--output", "json"]].concat())
        .exits_with(0);
    assert_eq!(ran.column("outcome"), ["reached"]);
    assert!(ran.stderr.contains("not down in time"), "{ran:#?}");
}

#[test]
fn waves_end_after_a_failure_and_the_rest_is_skipped() {
    let served = Served::with(&["--fleet", "aliyun/cn-hangzhou=3", "--speed", "50"]);
    let known = served.instances();
    let instances = [known[0], "aliyun/cn-hangzhou/i-missing", known[1], known[2]];
    let args = [
        &["start"][..],
        &instances,
        &["--waves", "2", "-v", "--output", "json"],
    ]
    .concat();
    let ran = served.run(&args).exits_with(1);
    let outcomes = ["reached", "refused", "skipped", "skipped"];
    assert_eq!(ran.column("outcome"), outcomes);
    assert_eq!(ran.column("kind")[2], "halted");
    assert!(ran.stderr.contains("wave 1 of 2: 2 instances"), "{ran:#?}");
}

#[test]
fn a_dry_run_prints_the_calls_and_sends_none() {
    let served = Served::with(&["--fleet", "baidu/bj=3,zenlayer/global=2"]);
    let instances = served.instances();
    let ask = |more: &[&str]| {
        let args = [&["start", "--dry-run"][..], &instances, more].concat();
        served.run(&args).exits_with(0)
    };
    let ran = ask(&["--output", "json", "--waves", "4"]);
    assert_eq!(
        ran.column("place"),
        ["baidu/bj", "zenlayer/global", "zenlayer/global"]
    );
    assert_eq!(ran.column("wave"), [1, 1, 2]);
    assert_eq!(ran.column("instances")[2].as_array().unwrap().len(), 1);
    let ran = ask(&[]);
    assert!(
        ran.stdout.contains("zenlayer/global StartInstances"),
        "{ran:#?}"
    );
    assert!(ran.stderr.contains("2 calls would be made"), "{ran:#?}");
    let listed = served.run(&["list", "baidu/bj", "--output", "json"]);
    assert_eq!(listed.column("state"), ["stopped"; 3]);
}

#[test]
fn more_than_the_cap_is_refused() {
    let served = Served::with(&["--fleet", "baidu/bj=3"]);
    let args = [&["start", "--max", "2"][..], &served.instances()].concat();
    let ran = served.run(&args);
    assert_ne!(ran.code, 0, "{ran:#?}");
    assert!(
        ran.stderr
            .contains("3 instances are more than the cap of 2"),
        "{ran:#?}"
    );
}

#[test]
fn force_that_comes_too_late_is_wrong_usage() {
    let served = Served::with(&["--fleet", "baidu/bj=1:running"]);
    let args = ["stop", served.instances()[0], "--force-after", "15m"];
    let ran = served.run(&args).exits_with(2);
    assert!(ran.stderr.contains("nothing was sent"), "{ran:#?}");
}

#[test]
fn what_is_so_already_is_refused_on_request() {
    let served = Served::with(&["--fleet", "baidu/bj=1:running"]);
    let args = [
        "start",
        served.instances()[0],
        "--strict",
        "--output",
        "json",
    ];
    let ran = served.run(&args).exits_with(1);
    assert_eq!(ran.column("outcome"), ["refused"]);
}

#[test]
fn what_is_so_already_is_unchanged() {
    let served = Served::with(&["--fleet", "baidu/bj=1:running"]);
    let args = ["start", served.instances()[0], "--output", "json"];
    let ran = served.run(&args).exits_with(0);
    assert_eq!(ran.column("outcome"), ["unchanged"]);
}

#[test]
fn without_a_network_nothing_can_be_done() {
    // A port that nobody listens at: taken, then given back.
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
        let ran = run_with(&args, &variables, "").exits_with(3);
        assert_eq!(ran.column("kind"), ["unreachable"], "{ran:#?}");
        let is_verbose = command.contains(&"-v");
        assert_eq!(ran.stderr.contains("attempt 2"), is_verbose, "{ran:#?}");
    }
    let args = ["list", "baidu/bj", "--endpoint", &endpoint];
    let ran = run_with(&args, &variables, "").exits_with(3);
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.contains("check the network"), "{ran:#?}");
}

#[test]
fn the_time_limit_holds_against_a_cloud_that_never_answers() {
    let deaf = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", deaf.local_addr().unwrap());
    let variables = keys("id", "secret", "project");
    for waiting in [&[][..], &["--no-wait"]] {
        let args = ["reboot", "aliyun/cn-hangzhou/i-1", "--timeout", "2s"];
        let args = [
            &args[..],
            &["--endpoint", &endpoint, "--output", "json"],
            waiting,
        ]
        .concat();
        let ran = run_within(15, &args, &variables, "").exits_with(1);
        assert_eq!(ran.rows().len(), 1, "{ran:#?}");
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
