//! Tests for any set of cloud features: enabled clouds work, and errors name the feature of other
//! clouds.
#![cfg(feature = "_cloud")]

mod support;

use lifecycle_facade::{Cloud, WaitTimeout};
use support::{fleet, simulator};

/// The features, each with true if this build has the feature.
const FEATURES: [(&str, bool); 4] = [
    ("baidu", cfg!(feature = "baidu")),
    ("aliyun", cfg!(feature = "aliyun")),
    ("zenlayer", cfg!(feature = "zenlayer")),
    ("huawei", cfg!(feature = "huawei")),
];

#[tokio::test(start_paused = true)]
async fn each_cloud_works_or_its_error_names_the_feature() {
    let simulator =
        simulator("baidu/bj=1,aliyun/cn-hangzhou=1,zenlayer/global=1,huawei/cn-north-4=1");
    let fleet = fleet(&simulator);
    for (feature, enabled) in FEATURES {
        let instances = simulator.instances();
        let machine = instances
            .iter()
            .find(|name| name.starts_with(feature))
            .unwrap();
        let ending = fleet.start([machine]).wait(WaitTimeout::minutes(5)).await;
        if enabled {
            let report = ending.unwrap();
            assert_eq!(report.instances()[0].outcome.as_str(), "reached");
            let executed = simulator.ledger().executed(machine).unwrap();
            assert_eq!(executed.starts, 1);
        } else {
            let error = ending.unwrap_err().to_string();
            let hint = format!("compile with the feature \"{feature}\"");
            assert!(error.contains(&hint), "{error}");
        }
    }
}

#[test]
fn list_of_clouds_has_the_enabled_features() {
    let enabled: Vec<&str> = FEATURES
        .iter()
        .filter_map(|(feature, enabled)| enabled.then_some(*feature))
        .collect();
    let listed: Vec<&str> = Cloud::ALL.iter().map(|cloud| cloud.as_str()).collect();
    assert_eq!(listed, enabled);
}

#[test]
fn text_for_an_unknown_cloud_lists_the_clouds_of_this_build() {
    let enabled = FEATURES.iter().filter(|(_, enabled)| *enabled);
    let names: Vec<&str> = enabled.map(|(name, _)| *name).collect();
    let error = "aws".parse::<Cloud>().unwrap_err().to_string();
    let expected = format!("unknown cloud \"aws\": write one of {}", names.join(", "));
    assert_eq!(error, expected);
}
