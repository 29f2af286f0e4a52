//! Ctrl-C, SIGTERM, and readers that go away.

use std::{io::Read, net::TcpListener, process::Child, thread, time::Duration};

use crate::support::{Ran, Served, begin, end, keys, signal};

#[test]
fn an_interrupted_start_tells_what_is_known() {
    for name in ["INT", "TERM"] {
        let served = Served::with(&["--fleet", "aliyun/cn-hangzhou=1", "--speed", "0.01"]);
        let instance = served.instances()[0];
        let child = served.begin(&["start", instance, "--output", "json"]);
        wait_until(&served, instance, "starting");
        // The answer to the start is on its way, if it is not here yet.
        thread::sleep(Duration::from_millis(300));
        let ran = interrupted(child, name);
        assert_eq!(ran.column("outcome"), ["pending"], "{ran:#?}");
        assert!(ran.column("request_id")[0].is_string(), "{ran:#?}");
        assert!(
            ran.stderr.contains("what was sent is not undone"),
            "{ran:#?}"
        );
    }
}

#[test]
fn an_interrupted_call_is_uncertain() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let args = [
        "start",
        "baidu/bj/i-1",
        "--endpoint",
        &endpoint,
        "--output",
        "json",
    ];
    let child = begin(&args, &keys("id", "secret", "project"));
    let (mut call, _) = silent.accept().unwrap();
    call.read_exact(&mut [0]).unwrap();
    let ran = interrupted(child, "INT");
    assert_eq!(ran.column("outcome"), ["uncertain"], "{ran:#?}");
}

#[test]
fn the_second_interrupt_ends_the_process_at_once() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    // More rows than a pipe that nobody reads takes, so that the first interrupt cannot end it.
    let references: Vec<String> = (0..2_000).map(|n| format!("baidu/bj/i-{n}")).collect();
    let references: Vec<&str> = references.iter().map(String::as_str).collect();
    let options = ["--endpoint", &endpoint, "--output", "json"];
    let args = [&["start"][..], &references, &options].concat();
    let mut child = begin(&args, &keys("id", "secret", "project"));
    let _call = silent.accept().unwrap();
    signal(&child, "INT");
    thread::sleep(Duration::from_secs(1));
    assert_eq!(child.try_wait().unwrap(), None, "it did not block");
    signal(&child, "INT");
    for _ in 0..50 {
        thread::sleep(Duration::from_millis(100));
        if let Some(status) = child.try_wait().unwrap() {
            assert_eq!(status.code(), Some(1));
            return;
        }
    }
    child.kill().unwrap();
    panic!("it went on after the second interrupt");
}

#[test]
fn an_interrupted_wait_changed_nothing() {
    let served = Served::with(&["--fleet", "aliyun/cn-hangzhou=1"]);
    let instance = served.instances()[0];
    let child = served.begin(&["wait", instance, "--output", "json"]);
    // Long enough to begin, and to look once.
    thread::sleep(Duration::from_secs(3));
    let ran = interrupted(child, "INT");
    assert_eq!(ran.column("outcome"), ["pending"], "{ran:#?}");
    assert_eq!(ran.column("state"), ["stopped"], "{ran:#?}");
    assert!(ran.stderr.contains("nothing was changed"), "{ran:#?}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child = begin(&["list", "baidu/bj", "--sim"], &[]);
    drop(child.stdout.take());
    let ran = end(child).exits_with(0);
    assert_eq!(ran.stderr, "", "{ran:#?}");

    let mut child = begin(&["status", "baidu/bj/i-none", "--sim"], &[]);
    drop(child.stderr.take());
    drop(child.stdout.take());
    end(child).exits_with(1);
}

fn wait_until(served: &Served, instance: &str, state: &str) {
    for _ in 0..100 {
        let ran = served.run(&["status", instance, "--output", "json"]);
        if ran.column("state") == [state] {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("{instance} was never {state}");
}

fn interrupted(child: Child, name: &str) -> Ran {
    signal(&child, name);
    end(child).exits_with(1)
}
