//! Tests of the renewal of expiring keys, and of keys that several regions share.

use std::{collections::HashSet, time::Duration};

use futures_util::future::join_all;
use lifecycle_facade::{EmptyHost, Location, WaitTimeout};
use lifecycle_sim::Operation;

use super::*;

#[tokio::test(start_paused = true)]
async fn expiring_keys_are_renewed_during_a_wait() {
    let identity = Identity::new()
        .metadata(Metadata::Role("web".into()))
        .lifetime(Duration::from_secs(60));
    let simulator = Simulator::builder()
        .identity(Cloud::Aliyun, identity.clone())
        .identity(Cloud::Huawei, identity)
        .fleet("aliyun/cn-hangzhou=3,huawei/cn-north-4=3")
        .unwrap()
        .boot(Duration::from_secs(600))
        .build();
    let fleet = fleet_builder(&simulator, EmptyHost).build().unwrap();
    let report = fleet
        .start(simulator.instances())
        .wait(WaitTimeout::minutes(20))
        .await
        .unwrap();
    assert!(report.into_result().is_ok());
    let calls = simulator.ledger().calls();
    let keys: HashSet<&str> = calls.iter().map(|call| &*call.credential).collect();
    assert!(keys.len() > 10, "{} keys in ten minutes", keys.len());
    let refused: Vec<_> = calls
        .iter()
        .filter(|call| call.credential_refused)
        .collect();
    assert!(refused.is_empty(), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn regions_of_one_account_share_one_key() {
    let simulator = simulator();
    let fleet = fleet_builder(&simulator, EmptyHost).build().unwrap();
    let locations: Vec<Location> = ["cn-hangzhou", "cn-beijing", "cn-shanghai"]
        .iter()
        .map(|region| format!("aliyun/{region}").parse().unwrap())
        .collect();
    join_all(
        locations
            .iter()
            .map(|location| fleet.list(location).into_future()),
    )
    .await;
    let calls = simulator.ledger().calls();
    let lists = calls
        .iter()
        .filter(|call| call.operation == Operation::List);
    assert_eq!(lists.count(), 3);
    let others = calls
        .iter()
        .filter(|call| call.operation == Operation::Identify);
    assert_eq!(others.count(), 3, "one token, one role, one key: {calls:?}");
}
