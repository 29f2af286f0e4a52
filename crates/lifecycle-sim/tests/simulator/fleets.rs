//! Tests of regions, the ledger and large fleets.

use lifecycle_sim::{Cloud, Operation, PowerOperation, Simulator};
use serde_json::{Value, json};

use crate::calls::{baidu, builder, ids, zenlayer, zenlayer_power};

#[tokio::test(start_paused = true)]
async fn host_name_selects_the_region() {
    let simulator = builder().fleet("baidu/bj=1,baidu/gz=1").unwrap().build();
    let all = ids(&simulator, Cloud::Baidu);
    let target = format!("/v2/instance/{}", all[0]);
    for (host, status, listed) in [
        ("bcc.bj.baidubce.com", 200, 1),
        ("bcc.gz.baidubce.com", 404, 1),
        ("bcc.su.baidubce.com", 404, 0),
        ("127.0.0.1:8080", 200, 2),
    ] {
        let (found, _) = baidu(&simulator, host, "GET", &target, &Value::Null)
            .await
            .unwrap();
        let (_, list) = baidu(&simulator, host, "GET", "/v2/instance", &Value::Null)
            .await
            .unwrap();
        let count = list["instances"].as_array().unwrap().len();
        assert_eq!((found, count), (status, listed), "{host}");
    }
}

#[tokio::test(start_paused = true)]
async fn ledger_lists_executed_operations_and_received_calls() {
    let simulator = builder()
        .fleet("zenlayer/asia-southeast-1=2:stopped,baidu/bj=1:running")
        .unwrap()
        .build();
    let references = simulator.instances();
    let zen = ids(&simulator, Cloud::Zenlayer);
    zenlayer_power(&simulator, "StartInstances", &zen)
        .await
        .unwrap();
    zenlayer_power(&simulator, "StartInstances", &zen[..1])
        .await
        .unwrap();
    zenlayer(&simulator, "DescribeInstances", &json!({}))
        .await
        .unwrap();
    let bai = ids(&simulator, Cloud::Baidu);
    let target = format!("/v2/instance/{}?reboot", bai[0]);
    let forced = json!({"forceStop": true});
    baidu(&simulator, "bcc.bj.baidubce.com", "PUT", &target, &forced)
        .await
        .unwrap();

    let ledger = simulator.ledger();
    let operations: Vec<_> = ledger
        .power_operations()
        .into_iter()
        .map(|operation| (operation.instance, operation.operation))
        .collect();
    assert_eq!(operations.len(), 3);
    for reference in &references {
        let expected = if reference.starts_with("baidu") {
            PowerOperation::ForcedReboot
        } else {
            PowerOperation::Start
        };
        assert!(
            operations.contains(&(reference.clone(), expected)),
            "{reference}"
        );
        let executed = ledger.executed(reference).unwrap();
        assert_eq!(executed.starts + executed.forced_reboots, 1);
    }
    assert_eq!(ledger.executed("baidu/bj/i-nothing"), None);
    assert_eq!(ledger.count(Cloud::Zenlayer, Operation::Start), 2);
    assert_eq!(ledger.count(Cloud::Zenlayer, Operation::List), 1);
    assert_eq!(ledger.count(Cloud::Baidu, Operation::Reboot), 1);
    assert_eq!(ledger.count(Cloud::Huawei, Operation::Reboot), 0);
    assert_eq!(ledger.total(), 4);
    let calls = ledger.calls();
    let first = &calls[0];
    assert_eq!(
        (first.cloud, first.name, first.id_count, first.status),
        (Cloud::Zenlayer, "StartInstances", 2, Some(200))
    );
    assert_eq!(calls[3].name, "RebootInstance");
}

#[tokio::test(start_paused = true)]
async fn reference_matches_only_with_cloud_region_and_id() {
    let simulator = builder()
        .fleet("zenlayer/asia-southeast-1=1:running,baidu/bj=1:running")
        .unwrap()
        .build();
    let zen = ids(&simulator, Cloud::Zenlayer).swap_remove(0);
    let bai = ids(&simulator, Cloud::Baidu).swap_remove(0);
    for (reference, known) in [
        (format!("zenlayer/asia-southeast-1/{zen}"), true),
        (format!("zenlayer/global/{zen}"), true),
        (format!("zenlayer/europe-west-1/{zen}"), false),
        (format!("baidu/bj/{bai}"), true),
        (format!("baidu/global/{bai}"), false),
        (format!("zenlayer/global/{bai}"), false),
    ] {
        assert_eq!(
            simulator.state_of(&reference).is_some(),
            known,
            "{reference}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn log_limit_bounds_the_records_and_not_the_counts() {
    let simulator = builder().log_limit(2).build();
    for _ in 0..5 {
        zenlayer(&simulator, "DescribeInstances", &json!({}))
            .await
            .unwrap();
    }
    assert_eq!(simulator.ledger().calls().len(), 2);
    assert_eq!(simulator.ledger().total(), 5);
}

#[tokio::test(start_paused = true)]
async fn fleet_of_400000_instances_has_unique_ids_and_accepts_calls() {
    let simulator = Simulator::builder()
        .fleet("baidu/bj=100000,aliyun/cn-hangzhou=100000,zenlayer/asia-southeast-1=100000,huawei/cn-north-4=100000")
        .unwrap()
        .build();
    let all = simulator.instances();
    assert_eq!(all.len(), 400_000);
    let distinct: std::collections::HashSet<_> = all.iter().collect();
    assert_eq!(distinct.len(), 400_000);
    let zen = ids(&simulator, Cloud::Zenlayer);
    for batch in zen.chunks(100).take(100) {
        assert_eq!(
            zenlayer_power(&simulator, "StartInstances", batch)
                .await
                .unwrap()
                .0,
            200
        );
    }
    assert_eq!(simulator.ledger().power_operations().len(), 10_000);
}
