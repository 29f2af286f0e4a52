//! Tests of accounts from a configuration file.

use std::{collections::HashMap, time::Duration};

use lifecycle_facade::{
    Account, EmptyHost, Endpoint, EndpointNetwork, FleetError, Location, config::Config,
};
use tokio::time::Instant;

use super::*;

#[tokio::test(start_paused = true)]
async fn each_source_of_the_configuration_file_finds_a_key() {
    let variables = [
        ("ANY_ID", KEY_ID),
        ("ANY_SECRET", KEY_SECRET),
        ("ANY_TOKEN", BEARER_TOKEN),
        ("OPS_PASSWORD", "pass word"),
        ("BAIDUCLOUD_ACCESS_KEY", KEY_ID),
        ("BAIDUCLOUD_SECRET_KEY", KEY_SECRET),
        ("ALIBABA_CLOUD_ROLE_ARN", ROLE_ARN),
        ("ALIBABA_CLOUD_OIDC_PROVIDER_ARN", OIDC_PROVIDER_ARN),
        ("ALIBABA_CLOUD_OIDC_TOKEN_FILE", "/var/token"),
        (
            "HUAWEICLOUD_OIDC_PROVIDER_URN",
            "iam::1001:identityProvider:ci",
        ),
        ("HUAWEICLOUD_OIDC_AGENCY_URN", HUAWEI_AGENCY),
        ("HUAWEICLOUD_OIDC_TOKEN_FILE", "/var/token"),
    ];
    let (path, aliyun) = aliyun_config(&format!(
        r#""mode": "AK", "access_key_id": "{KEY_ID}", "access_key_secret": "{KEY_SECRET}""#
    ));
    let files = [(path, aliyun), ("/var/token", OIDC_ID_TOKEN.to_owned())];
    const KEYS: &str = r#"{ source = "variables", id = "ANY_ID", secret = "ANY_SECRET" }"#;
    for (cloud, source, found) in [
        ("baidu", KEYS.to_owned(), "variable ANY_ID"),
        ("baidu", r#"{ source = "environment" }"#.to_owned(), "variable BAIDUCLOUD_ACCESS_KEY"),
        (
            "baidu",
            format!(r#"{{ source = "session-token", duration = "15m", from = {KEYS} }}"#),
            "variable ANY_ID, session token (STS)",
        ),
        (
            "baidu",
            format!(r#"{{ source = "assume-role", role = "night", account_id = "1001", from = {KEYS} }}"#),
            "variable ANY_ID, role night of account 1001 (STS)",
        ),
        (
            "aliyun",
            r#"{ source = "file", profile = "base" }"#.to_owned(),
            "profile \"base\" in ~/.aliyun/config.json",
        ),
        ("aliyun", r#"{ source = "metadata" }"#.to_owned(), "role web (ECS metadata)"),
        (
            "aliyun",
            r#"{ source = "oidc" }"#.to_owned(),
            "role acs:ram::1001:role/night (OIDC token /var/token)",
        ),
        (
            "aliyun",
            format!(r#"{{ source = "assume-role", role = "{CHAINED_ROLE_ARN}", external_id = "patch", from = {KEYS} }}"#),
            "variable ANY_ID, role acs:ram::1001:role/further",
        ),
        (
            "zenlayer",
            r#"{ source = "variables", token = "ANY_TOKEN" }"#.to_owned(),
            "variable ANY_TOKEN",
        ),
        ("huawei", KEYS.to_owned(), "variable ANY_ID"),
        ("huawei", r#"{ source = "metadata" }"#.to_owned(), "ECS agency (metadata)"),
        (
            "huawei",
            r#"{ source = "oidc" }"#.to_owned(),
            "agency iam::1001:agency:night (OIDC)",
        ),
        (
            "huawei",
            r#"{ source = "password", user = "ops", domain = "company", password_variable = "OPS_PASSWORD" }"#.to_owned(),
            "password of ops in account company (IAM)",
        ),
    ] {
        let text = format!("[accounts.a]\ncloud = \"{cloud}\"\ncredentials = {source}\n");
        let config = Config::parse(&text).unwrap();
        let simulator = simulator();
        let fleet = fleet_builder(&simulator, fake_host(&variables, &files))
            .with_config(&config)
            .unwrap()
            .build()
            .unwrap();
        let region = match cloud {
            "baidu" => "bj",
            "aliyun" => "cn-hangzhou",
            "huawei" => "cn-north-4",
            _ => "global",
        };
        let location: Location = format!("a@{cloud}/{region}").parse().unwrap();
        let listed = fleet.list(&location).await;
        let listed = listed.unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(listed.len(), 2, "{text}");
        let info = fleet.credentials(&location).await.unwrap().info();
        assert_eq!(info.source, found, "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_setting_of_the_configuration_file_reaches_the_account() {
    let config = Config::parse(
        r#"
        [accounts.a]
        cloud = "aliyun"
        region = "cn-beijing"
        network = "vpc"
        identity_endpoint = "https://sts.example"
        metadata_endpoint = "http://127.0.0.1:9"
        [accounts.h]
        cloud = "huawei"
        project = "p1"
        enterprise_project = "e1"
        endpoint = "https://ecs.example"
        [accounts.slow]
        cloud = "baidu"
        pace = { reads = 0.5 }
        credentials = { source = "variables", id = "ANY_ID", secret = "ANY_SECRET" }
        [accounts.batches]
        cloud = "baidu"
        batch_reboot = true
        "#,
    )
    .unwrap();
    let simulator = simulator();
    let fleet = fleet_builder(
        &simulator,
        fake_host(&[("ANY_ID", KEY_ID), ("ANY_SECRET", KEY_SECRET)], &[]),
    )
    .with_config(&config)
    .unwrap()
    .build()
    .unwrap();
    let accounts: HashMap<&str, &Account> = fleet.accounts().collect();
    let (a, h) = (accounts["a"], accounts["h"]);
    assert_eq!(
        (a.region.as_deref(), a.network),
        (Some("cn-beijing"), EndpointNetwork::Vpc)
    );
    let text = |endpoint: &Option<Endpoint>| endpoint.as_ref().map(ToString::to_string);
    assert_eq!(
        text(&a.identity_endpoint).as_deref(),
        Some("https://sts.example")
    );
    assert_eq!(
        text(&a.metadata_endpoint).as_deref(),
        Some("http://127.0.0.1:9")
    );
    assert_eq!(h.project.as_deref(), Some("p1"));
    assert_eq!(h.enterprise_project.as_deref(), Some("e1"));
    let vpc = fleet.endpoint("a@aliyun/cn-beijing").await;
    assert_eq!(
        vpc.unwrap().to_string(),
        "https://ecs-vpc.cn-beijing.aliyuncs.com"
    );
    let own = fleet.endpoint("h@huawei/cn-north-4").await;
    assert_eq!(own.unwrap().to_string(), "https://ecs.example");

    // A lookup, and a call for each instance or for both.
    for (account, calls) in [("slow", 3), ("batches", 2)] {
        let ids = ["i-1", "i-2"].map(|id| format!("{account}@baidu/bj/{id}"));
        let planned = fleet.reboot(ids.to_vec()).dry_run().unwrap();
        assert_eq!(planned.len(), calls, "{account}");
    }

    let slow: Location = "slow@baidu/bj".parse().unwrap();
    let burst = accounts["slow"].rate_limits.unwrap().reads.burst;
    let began = Instant::now();
    for _ in 0..burst + 3 {
        fleet.list(&slow).await.unwrap();
    }
    let took = began.elapsed();
    assert!(
        took >= Duration::from_secs(5),
        "{took:?}: the pace is not kept"
    );
}

#[tokio::test(start_paused = true)]
async fn source_environment_does_not_use_the_role_of_the_instance() {
    let simulator = simulator();
    for location in ["a@aliyun/cn-hangzhou", "a@huawei/cn-north-4"] {
        let location: Location = location.parse().unwrap();
        let text = format!(
            "[accounts.a]\ncloud = \"{}\"\ncredentials = {{ source = \"environment\" }}\n",
            location.cloud
        );
        let config = Config::parse(&text).unwrap();
        let fleet = fleet_builder(&simulator, EmptyHost)
            .with_config(&config)
            .unwrap()
            .build()
            .unwrap();
        let error = fleet.list(&location).await.unwrap_err();
        assert!(matches!(error, FleetError::Credential(_)), "{error}");
    }
    assert_eq!(simulator.ledger().total(), 0);
}
