//! Tests of the speeds in the README of the simulator: waits for reboots end with evidence.

use std::time::Duration;

use lifecycle_facade::{
    EmptyHost, Fleet, InstanceReference, Outcome, StopMode, WaitTimeout,
    lifecycle_core::PollingPolicy,
};
use lifecycle_sim::{Cloud, Simulator};

/// Reboots instances of every cloud at this speed, and returns the rows that are not reached.
async fn unreached(speed: u32, mode: StopMode, polling: Option<PollingPolicy>) -> Vec<String> {
    let mut rows = Vec::new();
    for cloud in Cloud::ALL {
        let fleet = match cloud {
            Cloud::Baidu => "baidu/bj=8:running",
            Cloud::Aliyun => "aliyun/cn-hangzhou=8:running",
            Cloud::Zenlayer => "zenlayer/asia-east-1=8:running",
            _ => "huawei/cn-north-4=8:running",
        };
        let simulator = Simulator::builder().fleet(fleet).unwrap();
        let simulator = simulator.speed(speed.into()).build();
        let fleet = Fleet::builder()
            .transport(simulator.transport())
            .clock(simulator.clock())
            .machine(EmptyHost)
            .credential(simulator.credential(cloud))
            .project(simulator.project_id())
            .configure_client(move |client| match polling {
                Some(polling) => client.seed(0).polling(polling),
                None => client.seed(0),
            })
            .build()
            .unwrap();
        let references: Vec<InstanceReference> = simulator
            .instances()
            .iter()
            .map(|reference| reference.parse().unwrap())
            .collect();
        let reboot = fleet.reboot(&references).mode(mode);
        let report = reboot.wait(WaitTimeout::minutes(5)).await.unwrap();
        let unreached = report.instances().iter();
        let unreached = unreached.filter(|row| !matches!(row.outcome, Outcome::Reached(_)));
        rows.extend(unreached.map(|row| format!("{speed}: {row}")));
    }
    rows
}

#[tokio::test(start_paused = true)]
async fn reboots_up_to_twice_as_fast_are_reached() {
    for speed in [1, 2] {
        for mode in [StopMode::Graceful, StopMode::Forced] {
            assert_eq!(unreached(speed, mode, None).await, [""; 0]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn faster_reboots_are_reached_with_shorter_polling_intervals() {
    const SPEED: u32 = 20;
    let seconds = |seconds| Duration::from_secs(seconds) / SPEED;
    let polling = PollingPolicy::new(seconds(3), seconds(4), seconds(30));
    for mode in [StopMode::Graceful, StopMode::Forced] {
        assert_eq!(unreached(SPEED, mode, Some(polling)).await, [""; 0]);
    }
    let without = unreached(SPEED, StopMode::Graceful, None).await;
    assert!(!without.is_empty(), "the README says otherwise");
}
