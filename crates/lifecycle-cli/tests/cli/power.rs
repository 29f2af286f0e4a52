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
