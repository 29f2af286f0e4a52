//! Tests of selections: all regions of a cloud, conditions, protection, and requests that select.
#![cfg(feature = "full")]

use lifecycle_facade::{
    Account, Cloud, Credential, EmptyHost, Event, FaultKind, Fleet, FleetError, Outcome,
    PowerState, Protection, Selector, WaitTimeout,
};
use lifecycle_sim::Simulator;

/// A fleet of two accounts on simulated clouds.
fn fleet(instances: &str) -> (Simulator, Fleet) {
    fleet_with(instances, Protection::default())
}

fn fleet_with(instances: &str, protection: Protection) -> (Simulator, Fleet) {
    let key = Credential::keys("id", "secret");
    let simulator = Simulator::builder().fleet(instances).unwrap();
    let simulator = lifecycle_sim::Cloud::ALL
        .into_iter()
        .fold(simulator, |simulator, cloud| {
            simulator.credential(cloud, &key)
        })
        .build();
    let mut prod = Account::new(Cloud::Aliyun);
    prod.region = Some("cn-hangzhou".into());
    let fleet = Fleet::builder()
        .transport(simulator.transport())
        .clock(simulator.clock())
        .machine(EmptyHost)
        .credential(key)
        .project(simulator.project_id())
        .protection(protection)
        .account("prod", prod)
        .unwrap()
        .build()
        .unwrap();
    (simulator, fleet)
}

fn at(locations: &[&str]) -> Selector {
    let locations = locations.iter();
    locations.fold(Selector::new(), |selector, location| {
        selector.location(location.parse().unwrap())
    })
}

async fn selected(fleet: &Fleet, selector: Selector) -> Vec<String> {
    let selection = fleet.select(&selector).await.unwrap();
    let references = selection.references().into_iter();
    references.map(|reference| reference.to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn selection_reads_each_location_once_in_their_order() {
    let (simulator, fleet) = fleet("zenlayer/global=2,aliyun/cn-hangzhou=3,aliyun/cn-beijing=2");
    let all = simulator.instances();
    let here = |location: &str| -> Vec<String> {
        let all = all.iter().filter(|name| name.contains(location));
        all.cloned().collect()
    };
    let found = selected(
        &fleet,
        at(&["zenlayer/global", "aliyun/cn-beijing", "zenlayer/global"]),
    )
    .await;
    assert_eq!(found, [here("zenlayer"), here("beijing")].concat());
    // The account sees the same instances: each machine is there once, under its first name.
    let found = selected(&fleet, at(&["aliyun/cn-hangzhou", "prod@"])).await;
    assert_eq!(found, here("hangzhou"));
    // Without locations: the named accounts.
    let found = selected(&fleet, Selector::new()).await;
    let accounts: Vec<String> = here("hangzhou")
        .iter()
        .map(|name| format!("prod@{name}"))
        .collect();
    assert_eq!(found, accounts);
}

#[tokio::test(start_paused = true)]
async fn selection_applies_name_state_and_exclusion() {
    let (simulator, fleet) = fleet("huawei/cn-north-4=4:stopped,huawei/cn-north-4=2:running");
    let all = simulator.instances();
    let region = || at(&["huawei/cn-north-4"]);
    let running = region().state(PowerState::Running);
    assert_eq!(selected(&fleet, running).await, all[4..6]);
    let named = region().name("vm-00000[0]".parse().unwrap());
    assert!(
        selected(&fleet, named).await.is_empty(),
        "no character classes"
    );
    let named = region().name("vm-00000?".parse().unwrap());
    assert_eq!(selected(&fleet, named).await.len(), 6);
    let without = region()
        .name("vm-*".parse().unwrap())
        .exclude("vm-000001".parse().unwrap())
        .exclude(all[3].parse().unwrap());
    let expected = [&all[0], &all[2], &all[4], &all[5]];
    assert_eq!(selected(&fleet, without).await, expected.map(Clone::clone));
}

#[tokio::test(start_paused = true)]
async fn selection_above_its_limit_is_an_error() {
    let (_simulator, fleet) = fleet("baidu/bj=3");
    let error = fleet.select(&at(&["baidu/bj"]).max(2)).await.unwrap_err();
    assert!(error.to_string().contains("3 instances"), "{error}");
    assert!(fleet.select(&at(&["baidu/bj"]).max(3)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn request_with_a_selector_acts_on_the_matching_instances() {
    let (simulator, fleet) = fleet("aliyun/cn-hangzhou=3:running,aliyun/cn-hangzhou=2:stopped");
    let all = simulator.instances();
    let selector = at(&["aliyun/cn-hangzhou"]).state(PowerState::Running);
    let stop = fleet.stop(&selector).wait(WaitTimeout::minutes(5));
    let report = stop.await.unwrap();
    assert!(report.is_success(), "{report:?}");
    let names: Vec<String> = report
        .instances()
        .iter()
        .map(|row| row.instance.to_string())
        .collect();
    assert_eq!(names, all[..3]);
    // Nothing runs any more, and an empty selection is a success.
    let report = fleet.stop(selector.clone()).await.unwrap();
    assert!(report.instances().is_empty() && report.is_success());
    let mut events = fleet.wait(selector, PowerState::Running).events();
    assert!(matches!(
        events.next().await,
        Some(Event::Selected { instances }) if instances.is_empty()
    ));
}

#[tokio::test(start_paused = true)]
async fn protected_instances_are_left_alone_with_the_reason() {
    let protection = Protection::default().with_name("vm-00000[01]".parse().unwrap());
    let protection = protection.with_name("vm-000001".parse().unwrap());
    let (simulator, fleet) = fleet_with("baidu/bj=3:running", protection);
    let all = simulator.instances();
    let report = fleet.reboot(at(&["baidu/bj"])).await.unwrap();
    let rows = report.instances();
    assert_eq!(rows.len(), 3);
    assert_eq!(
        rows[0].instance.to_string(),
        all[1],
        "protected rows come first"
    );
    let Outcome::Skipped(fault) = &rows[0].outcome else {
        panic!("{:?}", rows[0].outcome);
    };
    assert_eq!(fault.kind(), FaultKind::Protected);
    assert!(fault.message().contains("vm-000001"), "{fault}");
    assert!(rows[0].last_seen.is_some());
    let reboots = |name: &str| simulator.ledger().executed(name).unwrap().reboots;
    assert_eq!((reboots(&all[0]), reboots(&all[1])), (1, 0));
    // A start harms nobody, and a selection can include protected instances.
    let report = fleet.start(at(&["baidu/bj"])).await.unwrap();
    assert!(report.is_success(), "{report:?}");
    let report = fleet
        .stop(at(&["baidu/bj"]).include_protected())
        .await
        .unwrap();
    assert!(report.is_success(), "{report:?}");
    // A reference names the instance itself.
    let report = fleet.stop([&*all[1]]).await.unwrap();
    assert!(report.is_success(), "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn invalid_selection_names_the_problem() {
    let (_simulator, fleet) = fleet("baidu/bj=1");
    let error = fleet.select(&at(&["tset@"])).await.unwrap_err();
    assert!(
        error.to_string().contains("unknown account \"tset\""),
        "{error}"
    );
    let nobody = Fleet::builder()
        .machine(EmptyHost)
        .credential(Credential::keys("id", "secret"))
        .build()
        .unwrap();
    let error = nobody.select(&Selector::new()).await.unwrap_err();
    assert!(matches!(error, FleetError::NoLocation), "{error}");
    for (text, expected) in [
        ("aliyun", "has no region: write aliyun/"),
        ("aliyum/*", "did you mean \"aliyun\"?"),
        ("aliyun/a*/i-1", "write cloud/region or cloud/*"),
        ("a b@aliyun/*", "invalid account name"),
        ("@", "invalid account name"),
    ] {
        let error = text.parse::<lifecycle_facade::LocationPattern>();
        let error = error.unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[tokio::test(start_paused = true)]
async fn failed_list_fails_the_selection_and_sends_no_action() {
    let simulator = Simulator::builder().fleet("baidu/bj=1").unwrap().build();
    let wrong = Fleet::builder()
        .machine(EmptyHost)
        .transport(simulator.transport())
        .credential(Credential::keys("id", "wrong"))
        .build()
        .unwrap();
    let error = wrong.stop(at(&["baidu/bj"])).await.unwrap_err();
    assert_eq!(error.kind(), FaultKind::Credential);
}
