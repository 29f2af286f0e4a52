//! Tests that a live run uses named instances only, and sends power actions only with permission.
//!
//! The simulator replaces the real account.

use std::{
    future,
    process::{Command, Output},
    sync::mpsc,
    thread,
};

use lifecycle_conformance::suite::{
    Column, LiveAccount, LiveRunError, Matrix, Permission, run_sequentially,
};
use lifecycle_facade::{Credential, Fleet, InstanceReference};
use lifecycle_sim::{Cloud, Operation, Simulator};

const FLEET: &str = "baidu/bj=5:running,aliyun/cn-hangzhou=5:running,zenlayer/global=5:running,\
                     huawei/cn-north-4=5:running";

#[tokio::test]
async fn live_run_without_named_instances_is_refused() {
    let fleet = Fleet::builder().build().unwrap();
    for permission in [Permission::Read, Permission::Power] {
        let refused = LiveAccount::new(&fleet, &[], permission).await;
        assert!(matches!(refused, Err(LiveRunError::NoInstances)));
    }
}

#[test]
fn command_with_ambiguous_arguments_is_refused() {
    for (arguments, expected) in [
        (&["--live"][..], "--instance"),
        (&["--live", "--allow-power"], "--instance"),
        (&["--allow-power"], "--live"),
        (&["--instance", "baidu/bj/i-1"], "--live"),
        (&["--live", "--instance", "i-1"], "i-1"),
        (
            &["--live", "--instance", "baidu/bj/i-1", "huawei"],
            "--instance",
        ),
        (&["--force"], "--force"),
    ] {
        let output = conformance().args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(message.contains(expected), "{arguments:?}: {message}");
    }
}

/// Uses real sockets, like a run of the command by hand.
#[test]
fn live_run_without_permission_sends_no_power_action() {
    let (url, simulator) = served();
    let named = simulator.instances_at(Cloud::Aliyun).swap_remove(0);
    let output = live(&simulator, &["--endpoint", &url, "--instance", &named]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("power actions are not allowed"), "{text}");
    let ledger = simulator.ledger();
    assert!(ledger.count(Cloud::Aliyun, Operation::Observe) > 0);
    assert!(ledger.count(Cloud::Aliyun, Operation::List) > 0);
    for operation in [Operation::Start, Operation::Stop, Operation::Reboot] {
        assert_eq!(ledger.count(Cloud::Aliyun, operation), 0, "{operation:?}");
    }
}

#[test]
fn live_run_with_revoked_key_fails() {
    let (url, simulator) = served();
    let named = simulator.instances_at(Cloud::Aliyun).swap_remove(0);
    simulator.revoke(Cloud::Aliyun);
    let output = live(&simulator, &["--endpoint", &url, "--instance", &named]);
    assert_eq!(output.status.code(), Some(1), "a failed run exits with 1");
}

#[test]
fn live_run_with_permission_changes_named_instances_only() {
    for cloud in Cloud::ALL {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(switched(cloud));
    }
}

async fn switched(cloud: Cloud) {
    let simulator = Simulator::builder().fleet(FLEET).unwrap().build();
    let all = simulator.instances_at(cloud);
    let (named, others) = all.split_at(2);
    let column = run(&simulator, cloud, named).await;
    let matrix = Matrix::new(vec![column]);
    assert!(matrix.is_green(), "{matrix}");
    assert!(matrix.count("pass") > 10, "{matrix}");
    let ledger = simulator.ledger();
    let executions = |reference: &String| ledger.executed(reference).unwrap();
    assert!(named.iter().all(|one| executions(one).reboots <= 10));
    assert!(named.iter().any(|one| executions(one).reboots > 0));
    for other in others {
        assert_eq!(executions(other), Default::default(), "{other} was changed");
    }
}

async fn run(simulator: &Simulator, cloud: Cloud, named: &[String]) -> Column {
    let fleet = || {
        Fleet::builder()
            .transport(simulator.transport())
            .clock(simulator.clock())
            .credential(simulator.credential(cloud))
            .project(simulator.project_id())
            .build()
            .unwrap()
    };
    let references: Vec<InstanceReference> = named.iter().map(|one| one.parse().unwrap()).collect();
    let live = LiveAccount::new(&fleet(), &references, Permission::Power).await;
    let live = live.unwrap().swap_remove(0);
    run_sequentially(cloud.as_str(), async || {
        live.renewed(&fleet()).await.unwrap()
    })
    .await
}

fn conformance() -> Command {
    Command::new(env!("CARGO_BIN_EXE_conformance"))
}

fn live(simulator: &Simulator, arguments: &[&str]) -> Output {
    let Credential::Keys { id, secret, .. } = simulator.credential(Cloud::Aliyun) else {
        panic!("Alibaba's key is a pair");
    };
    conformance()
        .env_clear()
        .env("ALIBABA_CLOUD_ACCESS_KEY_ID", id)
        .env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", secret.expose())
        .arg("--live")
        .args(arguments)
        .output()
        .unwrap()
}

/// Serves a simulator until the end of the test.
fn served() -> (String, Simulator) {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let simulator = Simulator::builder().fleet(FLEET).unwrap().build();
            let server = simulator.serve("127.0.0.1:0").await.unwrap();
            sender.send((server.url(), simulator)).unwrap();
            future::pending::<()>().await;
        });
    });
    receiver.recv().unwrap()
}
