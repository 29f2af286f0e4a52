//! Tests of a fleet that is connected to a simulator in one line.
#![cfg(feature = "full")]

use lifecycle_facade::{
    Account, Cloud, Credential, CredentialSettings, Fleet, PowerState, StaticCredential,
    WaitTimeout,
};
use lifecycle_sim::{KeyKind, Simulator};

const ALL: &str = "aliyun/cn-hangzhou=2:running,baidu/bj=2:running,huawei/cn-north-4=2:running,zenlayer/global=2:running";

#[tokio::test(start_paused = true)]
async fn one_line_connects_all_clouds_with_their_own_keys() {
    let simulator = Simulator::builder().seed(1).fleet(ALL).unwrap().build();
    let fleet = Fleet::simulated(&simulator);
    let instances = simulator.instances();
    let request = fleet.reboot(&instances).wait(WaitTimeout::minutes(5));
    let report = request.await.unwrap();
    assert!(report.is_success(), "{report:?}");
    assert_eq!(simulator.ledger().most_reboots(), 1);
}

#[tokio::test(start_paused = true)]
async fn polling_fits_the_speed_of_the_simulator() {
    for speed in [1.0, 20.0, 100.0] {
        let simulator = Simulator::builder()
            .seed(2)
            .speed(speed)
            .fleet(ALL)
            .unwrap()
            .build();
        let fleet = Fleet::simulated(&simulator);
        let reboot = fleet
            .reboot(simulator.instances())
            .wait(WaitTimeout::minutes(5));
        let report = reboot.await.unwrap();
        assert!(report.is_success(), "speed {speed}: {report:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn newest_key_is_used_and_an_account_keeps_its_own() {
    let key = Credential::keys("own", "own secret");
    let builder = Simulator::builder().seed(1).fleet("baidu/bj=1").unwrap();
    let simulator = builder.build();
    let mut account = Account::new(Cloud::Baidu);
    account.credentials = CredentialSettings::provider(StaticCredential::new(key));
    let fleet = Fleet::builder()
        .simulated(&simulator)
        .account("own", account)
        .unwrap()
        .build()
        .unwrap();
    simulator.revoke(lifecycle_sim::Cloud::Baidu);
    simulator.issue(lifecycle_sim::Cloud::Baidu, KeyKind::Permanent);
    let instances = simulator.instances();
    let status = fleet.observe(&instances).await.unwrap().remove(0);
    assert_eq!(status.result.unwrap().state, PowerState::Stopped);
    let own = format!("own@{}", instances[0]);
    let status = fleet.observe([own]).await.unwrap().remove(0);
    assert!(
        status.result.is_err(),
        "the simulator does not know the key of the account"
    );
}
