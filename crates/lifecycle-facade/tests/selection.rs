//! Tests of selections: all regions of a cloud, conditions, protection, and requests that select.
#![cfg(feature = "full")]

use std::time::Duration;

use lifecycle_facade::{
    Account, Cloud, Credential, EmptyHost, Event, FaultKind, Fleet, FleetError, Outcome,
    PowerState, Protection, Selector, WaitTimeout,
};
use lifecycle_sim::{
    FaultRule, FaultTiming, InjectedFault, InstanceTemplate, Operation, Simulator,
    switches::aliyun::ForbiddenList,
};

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
async fn list_refused_after_the_first_page_is_an_error_and_not_a_region_without_access() {
    // More than a page.
    let (simulator, fleet) = fleet("zenlayer/global=1100");
    let selector = at(&["zenlayer/*"]);
    let refused = FaultRule::new(InjectedFault::Blocked).on(Operation::List);
    simulator.inject(refused.clone());
    let selection = fleet.select(&selector).await.unwrap();
    assert_eq!(selection.unavailable.len(), 1);
    simulator.inject(refused.skip(1));
    let error = fleet.select(&selector).await.unwrap_err();
    assert_eq!(error.kind(), FaultKind::Permission, "{error}");
    assert_eq!(selected(&fleet, selector).await.len(), 1100);
}

#[tokio::test(start_paused = true)]
async fn id_in_another_spelling_is_selected_and_excluded() {
    let (simulator, fleet) = fleet("huawei/cn-north-4=2");
    let machines = simulator.instances();
    let upper = machines[0].rsplit('/').next().unwrap().to_ascii_uppercase();
    let found = at(&["huawei/cn-north-4"]).instance(upper.parse().unwrap());
    assert_eq!(selected(&fleet, found).await, machines[..1]);
    let excluded = at(&["huawei/cn-north-4"]).exclude(upper.parse().unwrap());
    assert_eq!(selected(&fleet, excluded).await, machines[1..]);
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
    assert_eq!(
        report.selected_by(),
        Some("aliyun/cn-hangzhou, state running")
    );
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
    for cloud in lifecycle_sim::Cloud::ALL {
        let protection = Protection::default().with_name("db-*".parse().unwrap());
        let (simulator, fleet) = fleet_with("", protection);
        let region = region_of(cloud);
        let running = format!("{region}=1:running");
        for template in [
            InstanceTemplate::new().name("web"),
            InstanceTemplate::new()
                .name("tagged")
                .tag("lifecycle:protected", "no"),
            InstanceTemplate::new().name("db-1").tag("env", "dev"),
        ] {
            simulator.add_instances(&running, template).unwrap();
        }
        let all = simulator.instances_at(cloud);
        let everything = || at(&[region]);
        let reboots = |name: &str| {
            let executed = simulator.ledger().executed(name).unwrap();
            executed.reboots + executed.forced_reboots
        };
        let reboot = fleet.reboot(everything()).wait(WaitTimeout::minutes(5));
        let report = reboot.await.unwrap();
        let names: Vec<String> = report
            .instances()
            .iter()
            .map(|row| row.instance.to_string())
            .collect();
        assert_eq!(
            names,
            [&all[1], &all[2], &all[0]].map(Clone::clone),
            "protected rows first"
        );
        for (row, reason) in report
            .instances()
            .iter()
            .zip(["tag lifecycle:protected", "pattern db-*"])
        {
            let Outcome::Skipped(fault) = &row.outcome else {
                panic!("{:?}", row.outcome);
            };
            assert_eq!(fault.kind(), FaultKind::Protected);
            assert!(fault.message().contains(reason), "{fault}");
            assert!(row.last_seen.is_some());
        }
        assert_eq!([0, 1, 2].map(|n| reboots(&all[n])), [1, 0, 0], "{cloud}");
        let limit = Duration::from_secs(30);
        let check = fleet.protected(&all, limit).await.unwrap();
        assert_eq!(check.protected.len(), 2, "{cloud}: {check:?}");
        assert!(check.unread.is_empty(), "{cloud}: {check:?}");
        // A start harms nobody, and a selection can include protected instances.
        let report = fleet.start(everything()).await.unwrap();
        assert!(report.is_success(), "{cloud}: {report:?}");
        let stop = fleet.stop(everything().include_protected());
        let report = stop.wait(WaitTimeout::minutes(5)).await.unwrap();
        assert!(report.is_success(), "{cloud}: {report:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn reference_of_a_protected_instance_names_the_instance_itself() {
    let (simulator, fleet) = fleet("");
    let protected = InstanceTemplate::new().tag("lifecycle:protected", "");
    simulator
        .add_instances("aliyun/cn-hangzhou=1:running", protected)
        .unwrap();
    let report = fleet.stop(simulator.instances()).await.unwrap();
    assert!(report.is_success(), "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn instance_that_is_not_read_in_time_is_neither_protected_nor_unprotected() {
    let (simulator, fleet) = fleet("aliyun/cn-hangzhou=1:running,baidu/bj=1:running");
    let protected = InstanceTemplate::new().tag("lifecycle:protected", "");
    simulator
        .add_instances("aliyun/cn-hangzhou=1:running", protected)
        .unwrap();
    // One cloud stays silent. The instances of the other cloud keep their results.
    let silence = FaultRule::new(InjectedFault::Silence(FaultTiming::Before)).always();
    simulator.inject(
        silence
            .at(lifecycle_sim::Cloud::Baidu)
            .on(Operation::Observe),
    );
    let mut references = simulator.instances();
    references.push("aliyun/cn-hangzhou/i-missing".to_owned());
    let start = tokio::time::Instant::now();
    let limit = Duration::from_secs(30);
    let check = fleet.protected(&references, limit).await.unwrap();
    assert!(start.elapsed() <= limit, "{:?}", start.elapsed());
    assert_eq!(check.protected.len(), 1, "{check:?}");
    let mut unread: Vec<_> = check.unread.iter().collect();
    unread.sort_by_key(|unread| unread.instance.to_string());
    let kinds: Vec<_> = unread.iter().map(|unread| unread.fault.kind()).collect();
    assert_eq!(kinds[0], FaultKind::NotFound, "{check:?}");
    assert_eq!(kinds.len(), 2, "{check:?}");
    assert!(unread[1].instance.to_string().starts_with("baidu/bj"));
}

fn region_of(cloud: lifecycle_sim::Cloud) -> &'static str {
    match cloud.as_str() {
        "baidu" => "baidu/bj",
        "aliyun" => "aliyun/cn-hangzhou",
        "zenlayer" => "zenlayer/global",
        _ => "huawei/cn-north-4",
    }
}

#[tokio::test(start_paused = true)]
async fn pattern_of_regions_stands_for_all_regions_that_the_key_can_use() {
    for (cloud, here, there) in [
        ("aliyun", "cn-hangzhou", "cn-beijing"),
        ("baidu", "bj", "gz"),
        ("huawei", "cn-north-4", "cn-south-1"),
    ] {
        let instances = format!("{cloud}/{here}=2,{cloud}/{there}=3");
        let (simulator, fleet) = fleet(&instances);
        let kind: lifecycle_sim::Cloud = cloud.parse().unwrap();
        let regions = fleet
            .regions(cloud.parse::<Cloud>().unwrap())
            .await
            .unwrap();
        assert!(
            regions.iter().any(|region| region.id == here),
            "{regions:?}"
        );
        let all = at(&[&format!("{cloud}/*")]);
        assert_eq!(selected(&fleet, all.clone()).await.len(), 5, "{cloud}");
        let some = at(&[&format!("{cloud}/{}*", &here[..2])]).name("vm-*".parse().unwrap());
        assert!(selected(&fleet, some).await.len() >= 2, "{cloud}");
        let unknown = fleet.select(&at(&[&format!("{cloud}/nowhere-*")])).await;
        let error = unknown.unwrap_err().to_string();
        let start = format!("{cloud}/nowhere-*: no region matches; the regions are ");
        assert!(error.starts_with(&start) && error.contains(here), "{error}");
        // A region without access is reported, and does not hide the others.
        drop(simulator);
        let (simulator, fleet) = fleet_with(&instances, Protection::none());
        simulator.forbid_region(kind, there);
        // Alibaba's documents: a list without permission is empty, which no client can see.
        simulator.switches(|switches| switches.aliyun.forbidden_list = ForbiddenList::Refused);
        let selection = fleet.select(&all).await.unwrap();
        assert_eq!(selection.instances.len(), 2, "{cloud}");
        let unavailable: Vec<String> = selection
            .unavailable
            .iter()
            .map(|region| region.location.to_string())
            .collect();
        assert_eq!(unavailable, [format!("{cloud}/{there}")]);
        assert!(!selection.unavailable[0].reason.is_empty());
        // A region that the caller names must be readable.
        let named = fleet.select(&at(&[&format!("{cloud}/{there}")])).await;
        assert!(named.is_err(), "{cloud}");
    }
    let (_simulator, fleet) = fleet("zenlayer/global=2");
    assert_eq!(selected(&fleet, at(&["zenlayer/*"])).await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn tags_zones_and_types_select_instances_in_every_cloud() {
    for cloud in lifecycle_sim::Cloud::ALL {
        let (simulator, fleet) = fleet("");
        let region = region_of(cloud);
        let one = format!("{region}=1");
        let ci = InstanceTemplate::new()
            .name("ci-#")
            .tag("env", "ci")
            .zone("zone-a");
        simulator.add_instances(&format!("{region}=3"), ci).unwrap();
        let kept = InstanceTemplate::new()
            .name("ci-9")
            .tag("env", "ci")
            .tag("keep", "");
        simulator.add_instances(&one, kept.zone("zone-b")).unwrap();
        let big = InstanceTemplate::new()
            .name("db")
            .tag("env", "prod")
            .instance_type("big.1");
        simulator
            .add_instances(&one, big.private_ip("10.9.9.9"))
            .unwrap();
        let all = simulator.instances_at(cloud);
        let tag = |text: &str| at(&[region]).tag(text.parse().unwrap());
        let mut by_address = at(&[region]);
        by_address.filter.private_ips.push("10.9.9.9".into());
        for (selector, expected) in [
            (tag("env=ci"), &all[..4]),
            (tag("env=ci").tag("!keep".parse().unwrap()), &all[..3]),
            (tag("keep"), &all[3..4]),
            (tag("!env=ci"), &all[4..]),
            (tag("env=CI"), &[]),
            (tag("env=ci").zone("zone-b"), &all[3..4]),
            (at(&[region]).instance_type("big.1"), &all[4..]),
            (at(&[region]).name("CI-*".parse().unwrap()), &[]),
            (at(&[region]).name("ci-?".parse().unwrap()), &all[..4]),
            (by_address, &all[4..]),
        ] {
            assert_eq!(
                selected(&fleet, selector.clone()).await,
                expected,
                "{cloud}: {selector}"
            );
        }
    }
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
