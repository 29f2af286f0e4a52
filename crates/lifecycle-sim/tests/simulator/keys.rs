//! Tests of valid, revoked and renewed keys.

use std::time::Duration;

use lifecycle_core::Credential;
use lifecycle_sim::{Cloud, KeyKind, Operation};
use serde_json::{Value, json};

use crate::calls::{baidu, builder, zenlayer};

const HOST: &str = "bcc.bj.baidubce.com";

#[tokio::test(start_paused = true)]
async fn revoked_key_is_refused_after_the_given_number_of_calls() {
    let simulator = builder().fleet("baidu/bj=1").unwrap().build();
    simulator.revoke_after(Cloud::Baidu, 2);
    let mut zenlayer_statuses = Vec::new();
    for _ in 0..4 {
        let (status, _) = baidu(&simulator, HOST, "GET", "/v2/instance", &Value::Null)
            .await
            .unwrap();
        zenlayer_statuses.push(status);
    }
    assert_eq!(zenlayer_statuses, [200, 200, 403, 403]);
    let ledger = simulator.ledger();
    assert_eq!(ledger.calls_after_refusal(Cloud::Baidu), 1);
    let refused: Vec<bool> = ledger
        .calls()
        .iter()
        .map(|call| call.credential_refused)
        .collect();
    assert_eq!(refused, [false, false, true, true]);

    // A new key works and does not count as a call after a refusal.
    let renewed = simulator.issue(Cloud::Baidu, KeyKind::Permanent);
    let (status, _) = baidu(&simulator, HOST, "GET", "/v2/instance", &Value::Null)
        .await
        .unwrap();
    assert_eq!(status, 200);
    assert_eq!(ledger.calls_after_refusal(Cloud::Baidu), 1);
    let last = ledger.calls().pop().unwrap();
    assert!(matches!(renewed, Credential::Keys { id, .. } if *id == *last.credential));
}

#[tokio::test(start_paused = true)]
async fn temporary_key_and_token_are_accepted() {
    let simulator = builder().fleet("baidu/bj=1").unwrap().build();
    let temporary = simulator.issue(Cloud::Baidu, KeyKind::Temporary);
    assert!(matches!(
        temporary,
        Credential::Keys {
            session: Some(_),
            ..
        }
    ));
    let (status, _) = baidu(&simulator, HOST, "GET", "/v2/instance", &Value::Null)
        .await
        .unwrap();
    assert_eq!(status, 200);

    let token = simulator.issue(Cloud::Zenlayer, KeyKind::Token);
    assert!(matches!(token, Credential::Token(_)));
    let (status, _) = zenlayer(&simulator, "DescribeInstances", &json!({}))
        .await
        .unwrap();
    assert_eq!(status, 200);
    simulator.revoke(Cloud::Zenlayer);
    let (status, _) = zenlayer(&simulator, "DescribeInstances", &json!({}))
        .await
        .unwrap();
    assert_eq!(status, 401);
}

#[tokio::test(start_paused = true)]
async fn configured_key_is_accepted() {
    let own = Credential::keys("my-key", "my-secret");
    let simulator = builder().credential(Cloud::Baidu, &own).build();
    assert!(
        matches!(simulator.credential(Cloud::Baidu), Credential::Keys { id, .. } if id == "my-key")
    );
    let (status, _) = baidu(&simulator, HOST, "GET", "/v2/instance", &Value::Null)
        .await
        .unwrap();
    assert_eq!(status, 200);
}

#[tokio::test(start_paused = true)]
async fn skewed_clock_refuses_the_signature_and_not_the_key() {
    let simulator = builder().build();
    simulator.skew(Cloud::Zenlayer, 301);
    simulator.skew(Cloud::Baidu, -1_801);
    let (status, body) = zenlayer(&simulator, "DescribeInstances", &json!({}))
        .await
        .unwrap();
    assert_eq!(
        (status, &body["code"]),
        (401, &json!("AUTHFAILURE_SIGNATURE_EXPIRED"))
    );
    let (status, body) = baidu(&simulator, HOST, "GET", "/v2/instance", &Value::Null)
        .await
        .unwrap();
    assert_eq!((status, &body["code"]), (400, &json!("RequestExpired")));
    assert!(
        simulator
            .ledger()
            .calls()
            .iter()
            .all(|call| !call.credential_refused)
    );
    simulator.skew(Cloud::Zenlayer, 299);
    let (status, _) = zenlayer(&simulator, "DescribeInstances", &json!({}))
        .await
        .unwrap();
    assert_eq!(status, 200);
    // The clock follows paused time: new signatures stay valid after a day.
    simulator.skew(Cloud::Zenlayer, 0);
    tokio::time::advance(Duration::from_secs(86_400)).await;
    let (status, _) = zenlayer(&simulator, "DescribeInstances", &json!({}))
        .await
        .unwrap();
    assert_eq!(status, 200);
    assert_eq!(
        simulator.ledger().count(Cloud::Zenlayer, Operation::List),
        3
    );
}
