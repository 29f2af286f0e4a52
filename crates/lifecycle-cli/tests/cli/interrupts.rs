//! Tests of Ctrl-C, SIGTERM, SIGHUP, and closed output streams.

use std::{
    fs, io::Read, net::TcpListener, os::unix::process::ExitStatusExt, path::Path, process::Child,
    thread, time::Duration,
};

use tempfile::TempDir;

#[cfg(target_os = "linux")]
use crate::support::on_terminal;
use crate::support::{
    RunResult, SimulatorServer, keys, run, signal, spawn, spawn_ignoring, wait_for_end,
};

#[test]
fn start_interrupted_after_acceptance_is_pending() {
    for name in ["INT", "TERM", "HUP"] {
        let server = SimulatorServer::with(&["--fleet", "aliyun/cn-hangzhou=2", "--speed", "0.01"]);
        let [first, second] = server.instances()[..] else {
            panic!("two instances");
        };
        let child = server.spawn(&["start", first, second, "--waves", "1", "--output", "json"]);
        wait_until(&server, first, "starting");
        // The answer to the start call needs time to arrive.
        thread::sleep(Duration::from_millis(300));
        let result = interrupted(child, name);
        let outcomes = result.column("outcome");
        assert_eq!(outcomes, ["pending", "skipped"], "{result:#?}");
        assert!(result.column("request_id")[0].is_string(), "{result:#?}");
        let messages = result.column("message");
        for (message, expected) in messages.iter().zip([
            "accepted; interrupted before the goal was observed",
            "interrupted before the action was sent",
        ]) {
            let message = message.as_str().unwrap();
            assert!(message.starts_with(expected), "{result:#?}");
        }
        assert!(
            result.stderr.contains("what was sent is not undone"),
            "{result:#?}"
        );
    }
}

#[test]
fn start_interrupted_before_the_answer_is_uncertain() {
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
    let child = spawn(&args, &keys("id", "secret", "project"));
    let (mut call, _) = silent.accept().unwrap();
    call.read_exact(&mut [0]).unwrap();
    let result = interrupted(child, "INT");
    assert_eq!(result.column("outcome"), ["uncertain"], "{result:#?}");
    assert_eq!(result.column("kind"), ["cancelled"], "{result:#?}");
    let message = result.column("message")[0].clone();
    assert!(
        message.as_str().unwrap().contains("check the instance"),
        "{result:#?}"
    );
}

#[test]
fn stop_interrupted_while_the_protection_is_read_is_skipped() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let stop = ["stop", "baidu/bj/i-1", "--endpoint", &endpoint];
    let args = [&stop[..], &["--output", "json"]].concat();
    let child = spawn(&args, &keys("id", "secret", "project"));
    let (mut call, _) = silent.accept().unwrap();
    call.read_exact(&mut [0]).unwrap();
    let result = interrupted(child, "INT");
    assert_eq!(result.column("outcome"), ["skipped"], "{result:#?}");
    assert_eq!(result.column("kind"), ["cancelled"], "{result:#?}");
    assert!(result.stderr.contains("nothing was sent"), "{result:#?}");
}

#[test]
fn second_interrupt_ends_the_process_at_once() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    // The rows fill the buffer of the pipe, so that the first interrupt cannot end the process.
    let references: Vec<String> = (0..2_000).map(|n| format!("baidu/bj/i-{n}")).collect();
    let references: Vec<&str> = references.iter().map(String::as_str).collect();
    let options = ["--endpoint", &endpoint, "--output", "json"];
    let args = [&["start"][..], &references, &options].concat();
    let child = spawn(&args, &keys("id", "secret", "project"));
    let _call = silent.accept().unwrap();
    signal(&child, "INT");
    assert_blocked_process_ends_by_interrupt(child);
}

#[test]
fn interrupt_during_the_output_of_a_finished_request_ends_the_process() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let references: Vec<String> = (0..2_000).map(|n| format!("baidu/bj/i-{n}")).collect();
    let references: Vec<&str> = references.iter().map(String::as_str).collect();
    let options = ["--endpoint", &endpoint, "--output", "json", "--no-wait"];
    let args = [&["stop"][..], &references, &options, &["--timeout", "2s"]].concat();
    let mut child = spawn(&args, &keys("id", "secret", "project"));
    // The first byte of the rows shows the end of the request.
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0]).unwrap();
    assert_blocked_process_ends_by_interrupt(child);
}

/// Asserts that a process whose output nobody reads ends at a signal.
fn assert_blocked_process_ends_by_interrupt(mut child: Child) {
    thread::sleep(Duration::from_secs(1));
    assert_eq!(child.try_wait().unwrap(), None, "the process did not block");
    signal(&child, "INT");
    for _ in 0..50 {
        thread::sleep(Duration::from_millis(100));
        if let Some(status) = child.try_wait().unwrap() {
            assert_eq!(status.signal(), Some(2), "{status:?}");
            return;
        }
    }
    child.kill().unwrap();
    panic!("the process did not end at the interrupt");
}

#[test]
#[cfg(target_os = "linux")]
fn interrupt_at_the_question_ends_the_process_by_the_signal() {
    let stop = "stop baidu/bj --state running --no-wait --sim";
    let Some((is_success, text)) = on_terminal(stop, "\u{3}") else {
        return;
    };
    assert!(!is_success, "{text}");
    for part in ["[y/N]", "\ninterrupted: nothing was sent", "skipped"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("not confirmed"), "{text}");
}

#[test]
fn interrupted_wait_is_pending_with_the_last_state() {
    let server = SimulatorServer::with(&["--fleet", "aliyun/cn-hangzhou=1"]);
    let instance = server.instances()[0];
    let child = server.spawn(&["wait", instance, "--output", "json"]);
    // The process needs time to start and to read the state once.
    thread::sleep(Duration::from_secs(3));
    let result = interrupted(child, "INT");
    assert_eq!(result.column("outcome"), ["pending"], "{result:#?}");
    assert_eq!(result.column("state"), ["stopped"], "{result:#?}");
    assert!(result.stderr.contains("nothing was changed"), "{result:#?}");
}

#[test]
#[cfg(target_os = "linux")]
fn signal_that_was_ignored_at_the_start_stays_ignored() {
    for name in ["HUP", "INT"] {
        let server = SimulatorServer::with(&["--fleet", "aliyun/cn-hangzhou=1:running"]);
        let args = [
            "wait",
            server.instances()[0],
            "--for",
            "stopped",
            "--timeout",
            "5s",
            "--endpoint",
            server.field("url"),
        ];
        let child = spawn_ignoring(name, &args, &server.keys());
        thread::sleep(Duration::from_secs(2));
        signal(&child, name);
        let result = wait_for_end(child).exits_with(4);
        assert!(result.stdout.contains("pending"), "{result:#?}");
        assert!(!result.stderr.contains("interrupted"), "{result:#?}");
    }
}

#[test]
fn closed_output_is_not_an_error() {
    let mut child = spawn(&["list", "baidu/bj", "--sim"], &[]);
    drop(child.stdout.take());
    let result = wait_for_end(child).exits_with(0);
    assert_eq!(result.stderr, "", "{result:#?}");

    let mut child = spawn(&["status", "baidu/bj/i-none", "--sim"], &[]);
    drop(child.stderr.take());
    drop(child.stdout.take());
    wait_for_end(child).exits_with(1);
}

#[test]
fn apply_interrupted_after_acceptance_prints_its_rows() {
    for (name, format) in [("INT", "json"), ("TERM", "json"), ("INT", "table")] {
        let server = SimulatorServer::with(&["--fleet", "aliyun/cn-hangzhou=2", "--speed", "0.01"]);
        let folder = tempfile::tempdir().unwrap();
        let child = spawn_apply(&server, server.field("url"), &folder, format);
        wait_for_answer(&folder.path().join("journal"));
        let result = interrupted(child, name);
        match format {
            "json" => {
                assert_eq!(result.column("outcome"), ["pending"; 2], "{result:#?}");
                assert_eq!(result.column("action"), ["start"; 2], "{result:#?}");
            }
            _ => assert_eq!(result.stdout.matches("pending").count(), 2, "{result:#?}"),
        }
        assert!(
            result.stderr.contains("what was sent is not undone"),
            "{result:#?}"
        );
    }
}

#[test]
fn apply_interrupted_while_the_machines_are_read_prints_no_row() {
    let server = SimulatorServer::with(&["--fleet", "aliyun/cn-hangzhou=1"]);
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let child = spawn_apply(&server, &endpoint, &folder, "json");
    let (mut call, _) = silent.accept().unwrap();
    call.read_exact(&mut [0]).unwrap();
    let result = interrupted(child, "INT");
    assert_eq!(result.rows().len(), 0, "{result:#?}");
    assert!(result.stderr.contains("interrupted"), "{result:#?}");
}

#[test]
fn second_interrupt_ends_apply_at_once() {
    // The rows fill the buffer of the pipe, so that the first interrupt cannot end the process.
    let server = SimulatorServer::with(&["--fleet", "aliyun/cn-hangzhou=600", "--speed", "0.01"]);
    let folder = tempfile::tempdir().unwrap();
    let mut child = spawn_apply(&server, server.field("url"), &folder, "json");
    wait_for_answer(&folder.path().join("journal"));
    signal(&child, "INT");
    // The first byte of the rows shows that the interrupt was noticed.
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0]).unwrap();
    assert_blocked_process_ends_by_interrupt(child);
}

/// Starts `apply` with a group of all instances, which is held running.
fn spawn_apply(server: &SimulatorServer, endpoint: &str, folder: &TempDir, format: &str) -> Child {
    let config = folder.path().join("lifecycle.toml");
    let instances = server.instances();
    let text = format!(
        "groups.web = {instances:?}\nkeep.web = \"never\"\n[schedules.never]\nzone = \"UTC\"\nwindows = []\n\
         [controller]\njournal = \"journal\"\n"
    );
    fs::write(&config, text).unwrap();
    let config = config.display().to_string();
    let hold = ["hold", "web", "running", "--until", "2h", "--why", "test"];
    run(&[&hold[..], &["--config", &config]].concat()).exits_with(0);
    let args = ["apply", "--config", &config, "--endpoint", endpoint];
    let options = ["--max", "1000", "--output", format];
    spawn(&[&args[..], &options].concat(), &server.keys())
}

/// Waits for the recorded answer to a call that acts.
fn wait_for_answer(journal: &Path) {
    for _ in 0..600 {
        let text = fs::read_to_string(journal).unwrap_or_default();
        if text.contains("\"record\":\"answer\"") {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("no answer in {}", journal.display());
}

fn wait_until(server: &SimulatorServer, instance: &str, state: &str) {
    for _ in 0..100 {
        let result = server.run(&["status", instance, "--output", "json"]);
        if result.column("state") == [state] {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("{instance} was never {state}");
}

/// Sends a signal, and asserts that the process ends by the same signal.
fn interrupted(child: Child, name: &str) -> RunResult {
    signal(&child, name);
    let number = match name {
        "HUP" => 1,
        "INT" => 2,
        _ => 15,
    };
    wait_for_end(child).exits_with(128 + number)
}
