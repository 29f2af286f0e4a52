//! Tests of keys and endpoints of accounts, and of errors before the first action.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::join_all;
use lifecycle_facade::{
    Account, ClientLabels, CredentialSettings, EmptyHost, Endpoint, FaultKind, FleetError,
    Location, StatsEvent, StatsObserver, Transport, TransportError,
    lifecycle_core::{
        HttpResponse,
        credential_source::{EnvCredentialSource, FileCheck},
    },
};
use lifecycle_sim::Operation;
use tokio::time::Instant;

use super::*;

/// Keeps the labels of the searches for keys.
#[derive(Debug, Default)]
struct KeySearches(Mutex<Vec<(ClientLabels, bool)>>);

impl StatsObserver for KeySearches {
    fn on_event(&self, client: &ClientLabels, event: &StatsEvent) {
        if let StatsEvent::KeySearch { found } = event {
            let search = (client.clone(), *found);
            self.0.lock().unwrap().push(search);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn stats_have_the_names_of_account_and_region_and_the_searches_for_keys() {
    let simulator = simulator();
    let variables = [("PROD_ID", KEY_ID), ("PROD_SECRET", KEY_SECRET)];
    let account = |prefix: &'static str| {
        let mut account = Account::new(lifecycle_facade::Cloud::Baidu);
        account.region = Some("bj".into());
        account.credentials = CredentialSettings::sources(move |_| {
            let (id, secret) = (format!("{prefix}_ID"), format!("{prefix}_SECRET"));
            vec![Box::new(EnvCredentialSource::keys(id, secret, None))]
        });
        account
    };
    let searches = Arc::new(KeySearches::default());
    let observer = Arc::clone(&searches);
    let fleet = Fleet::builder()
        .transport(simulator.transport())
        .clock(simulator.clock())
        .machine(fake_host(&variables, &[]))
        .stats_observer(observer)
        .account("prod", account("PROD"))
        .unwrap()
        .account("none", account("NONE"))
        .unwrap()
        .build()
        .unwrap();
    fleet.list("prod@baidu/bj").await.unwrap();
    fleet.list("none@baidu/bj").await.unwrap_err();
    let stats = fleet.stats();
    assert_eq!(stats.len(), 1, "a location without a key has no client");
    let prod = stats.values().next().unwrap();
    assert_eq!(prod.labels, ClientLabels::new("baidu", "prod", "bj"));
    assert_eq!((prod.keys_found, prod.failed_key_searches), (1, 0));
    let mut searches = searches.0.lock().unwrap().clone();
    searches.sort();
    // The regions of an account share a key.
    let expected = [("none", false), ("prod", true)];
    let expected = expected.map(|(name, found)| (ClientLabels::new("baidu", name, ""), found));
    assert_eq!(searches, expected);
}

#[tokio::test]
async fn each_account_uses_its_own_key() {
    let simulator = simulator();
    let server = simulator.serve("127.0.0.1:0").await.unwrap();
    let variables = [
        ("PROD_ID", KEY_ID),
        ("PROD_SECRET", KEY_SECRET),
        ("TEST_ID", KEY_ID),
        ("TEST_SECRET", "wrong"),
    ];
    let account = |prefix: &str| {
        let (id, secret) = (format!("{prefix}_ID"), format!("{prefix}_SECRET"));
        let mut account = Account::new(lifecycle_facade::Cloud::Baidu);
        account.region = Some("bj".into());
        account.credentials = CredentialSettings::sources(move |_| {
            vec![Box::new(EnvCredentialSource::keys(&*id, &*secret, None))]
        });
        account
    };
    let fleet = Fleet::builder()
        .endpoint(Endpoint::parse(&server.url()).unwrap())
        .machine(fake_host(&variables, &[]))
        .account("prod", account("PROD"))
        .unwrap()
        .account("test", account("TEST"))
        .unwrap()
        .build()
        .unwrap();
    let instances = simulator.instances_at(Cloud::Baidu);
    let of = |name: &str| format!("{name}@{}", instances[0]);
    // Two accounts of one request would fold the instance.
    let statuses = fleet.observe([of("prod")]).await.unwrap();
    assert_eq!(statuses[0].instance.to_string(), of("prod"));
    assert!(statuses[0].result.is_ok());
    let statuses = fleet.observe([of("test")]).await.unwrap();
    assert_eq!(
        statuses[0].result.as_ref().unwrap_err().kind(),
        FaultKind::Credential
    );
    for (reference, expected) in [
        ("stage@baidu/bj/i-1", "known accounts: prod, test"),
        ("prod@aliyun/cn-hangzhou/i-1", "is an account of baidu"),
        ("a b@baidu/bj/i-1", "invalid account name"),
        ("@baidu/bj/i-1", "invalid account name"),
    ] {
        let error = fleet.start([reference]).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{reference}: {error}");
    }
    server.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn unknown_project_is_an_error_before_any_action() {
    for (projects, expected) in [(0, "project"), (2, "project")] {
        let simulator = Simulator::builder()
            .credential(Cloud::Huawei, &Credential::keys(KEY_ID, KEY_SECRET))
            .identity(Cloud::Huawei, Identity::new().projects(projects))
            .fleet("huawei/cn-north-4=1")
            .unwrap()
            .build();
        let fleet = fleet_builder(
            &simulator,
            fake_host(
                &[("HW_ACCESS_KEY", KEY_ID), ("HW_SECRET_KEY", KEY_SECRET)],
                &[],
            ),
        )
        .build()
        .unwrap();
        let error = fleet.start(simulator.instances()).await.unwrap_err();
        assert!(matches!(error, FleetError::Project { .. }), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(simulator.ledger().count(Cloud::Huawei, Operation::Start), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn rejected_access_key_is_used_in_no_other_region() {
    let simulator = Simulator::builder()
        .credential(Cloud::Aliyun, &Credential::keys(KEY_ID, KEY_SECRET))
        .fleet("aliyun/cn-hangzhou=1,aliyun/cn-beijing=1,aliyun/cn-shanghai=1")
        .unwrap()
        .build();
    let variables = [
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", KEY_ID),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "wrong"),
    ];
    let fleet = fleet_builder(&simulator, fake_host(&variables, &[]))
        .build()
        .unwrap();
    let report = fleet.start(simulator.instances()).await.unwrap();
    for row in &report {
        assert_eq!(row.outcome.fault().unwrap().kind(), FaultKind::Credential);
    }
    assert_eq!(report.instances().len(), 3);
    assert_eq!(simulator.ledger().count(Cloud::Aliyun, Operation::Start), 1);
}

/// Returns a host with settings of the vendors' tools for another account.
fn host_of_another_account() -> FakeHost {
    let bce = r#"{"current": "test", "profiles": [{"name": "test", "mode": "AK",
        "access_key_id": "x", "secret_access_key": "y", "endpoint": "http://127.0.0.1:1"}]}"#;
    fake_host(
        &[
            ("PROD_ID", KEY_ID),
            ("PROD_SECRET", KEY_SECRET),
            ("ALIBABA_CLOUD_ENDPOINT_ECS", "http://127.0.0.1:1"),
            (
                "HUAWEICLOUD_SDK_PROJECT_ID",
                "0123456789abcdef0123456789abcdef",
            ),
        ],
        &[("~/.bce/config.json", bce.to_owned())],
    )
}

#[tokio::test(start_paused = true)]
async fn key_of_an_account_does_not_go_to_the_endpoint_of_another_account() {
    let simulator = simulator();
    for (cloud, location) in [
        (lifecycle_facade::Cloud::Baidu, "prod@baidu/bj"),
        (lifecycle_facade::Cloud::Aliyun, "prod@aliyun/cn-hangzhou"),
        (lifecycle_facade::Cloud::Huawei, "prod@huawei/cn-north-4"),
    ] {
        let mut account = Account::new(cloud);
        account.credentials = CredentialSettings::sources(|_| {
            vec![Box::new(EnvCredentialSource::keys(
                "PROD_ID",
                "PROD_SECRET",
                None,
            ))]
        });
        let fleet = fleet_builder(&simulator, host_of_another_account())
            .account("prod", account)
            .unwrap()
            .build()
            .unwrap();
        let location: Location = location.parse().unwrap();
        let endpoint = fleet.endpoint(&location).await.unwrap();
        assert!(!endpoint.is_loopback(), "{location} goes to {endpoint}");
        assert_eq!(fleet.list(&location).await.unwrap().len(), 2, "{location}");
        let given = Fleet::builder()
            .machine(host_of_another_account())
            .credential(Credential::keys(KEY_ID, KEY_SECRET))
            .build()
            .unwrap();
        let location = Location::new(cloud, &location.region);
        assert!(
            !given.endpoint(&location).await.unwrap().is_loopback(),
            "{location}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn rejected_key_is_not_tried_in_other_regions() {
    let simulator = simulator();
    let machine = fake_host(
        &[("HW_ACCESS_KEY", KEY_ID), ("HW_SECRET_KEY", "wrong")],
        &[],
    );
    let fleet = fleet_builder(&simulator, machine).build().unwrap();
    let locations: Vec<Location> = (1..=6)
        .map(|n| format!("huawei/cn-north-{n}").parse().unwrap())
        .collect();
    for _ in 0..3 {
        let lists = join_all(
            locations
                .iter()
                .map(|location| fleet.list(location).into_future()),
        )
        .await;
        assert!(lists.iter().all(Result::is_err));
    }
    assert_eq!(simulator.ledger().total(), 1);
}

/// A transport without responses.
#[derive(Debug)]
struct Silence;

#[async_trait]
impl Transport for Silence {
    async fn send(&self, _: http::Request<Bytes>) -> Result<HttpResponse, TransportError> {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn connecting_stops_at_the_setup_timeout() {
    let fleet = Fleet::builder()
        .transport(Silence)
        .machine(fake_host(
            &[("HW_ACCESS_KEY", KEY_ID), ("HW_SECRET_KEY", KEY_SECRET)],
            &[],
        ))
        .setup_timeout(Duration::from_secs(5))
        .build()
        .unwrap();
    let began = Instant::now();
    let error = fleet.start(["huawei/cn-north-4/i-1"]).await.unwrap_err();
    assert_eq!(began.elapsed(), Duration::from_secs(5));
    let expected = "no project for huawei/cn-north-4 within 5.0 s";
    assert!(error.to_string().contains(expected), "{error}");
}

#[tokio::test(start_paused = true)]
async fn region_in_upper_and_lower_case_is_one_location() {
    let simulator = simulator();
    let fleet = fleet_builder(&simulator, EmptyHost)
        .credential(Credential::keys(KEY_ID, KEY_SECRET))
        .build()
        .unwrap();
    let instance = &simulator.instances_at(Cloud::Aliyun)[0];
    let shouted = instance.replace("cn-hangzhou", "CN-Hangzhou");
    let report = fleet.reboot([instance, &shouted]).await.unwrap();
    assert_eq!(report.instances().len(), 1);
}

/// A host whose files are on a slow drive.
#[derive(Debug)]
struct SlowDrive;

impl HostEnvironment for SlowDrive {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, _: &str, _: FileCheck) -> Result<Option<String>, String> {
        std::thread::sleep(Duration::from_secs(3));
        Ok(None)
    }
}

#[tokio::test]
async fn endpoint_in_a_slow_file_holds_up_neither_the_deadline_nor_other_tasks() {
    let simulator = simulator();
    let limit = Duration::from_millis(300);
    let fleet = fleet_builder(&simulator, SlowDrive).build().unwrap();
    let start = Instant::now();
    let connected = tokio::time::timeout(limit, fleet.client("baidu/bj")).await;
    assert!(connected.is_err(), "the file was read in no time");
    let probed = tokio::time::timeout(limit, fleet.probe("baidu/bj")).await;
    assert!(probed.is_err(), "the file was read in no time");
    let took = start.elapsed();
    assert!(took < Duration::from_secs(2), "{took:?}");
}
