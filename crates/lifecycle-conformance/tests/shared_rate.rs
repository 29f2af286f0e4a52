//! Tests of a shared rate limit with simulated clouds: several fleets stay within the limit of one account,
//! and a key that the cloud rejected for one of them is used by none of the others.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use lifecycle_facade::{
    Credential, EmptyHost, FaultKind, Fleet, InMemoryRateLimit, InstanceReference,
};
use lifecycle_sim::{Cloud, Simulator, Throttle};
use tokio::{task::JoinSet, time::sleep};

/// The limit of the cloud, in calls per second.
const LIMIT: u32 = 20;

fn simulator(cloud: Cloud) -> Simulator {
    let spec = match cloud {
        Cloud::Baidu => "baidu/bj=10:running",
        Cloud::Aliyun => "aliyun/cn-hangzhou=10:running",
        Cloud::Zenlayer => "zenlayer/asia-east-1=10:running",
        _ => "huawei/cn-north-4=10:running",
    };
    let simulator = Simulator::builder().seed(1).fleet(spec).unwrap();
    simulator.latency(Duration::from_millis(20)).build()
}

/// Returns a fleet of its own with this key, such as the fleet of another program.
fn sharer(
    simulator: &Simulator,
    key: Credential,
    limit: Option<&InMemoryRateLimit>,
    seed: u64,
) -> Fleet {
    let fleet = Fleet::builder()
        .transport(simulator.transport())
        .clock(simulator.clock())
        .machine(EmptyHost)
        .credential(key)
        .project(simulator.project_id())
        .configure_client(move |client| client.seed(seed));
    let fleet = match limit {
        Some(limit) => fleet.shared_rate_limit(limit.clone()),
        None => fleet,
    };
    fleet.build().unwrap()
}

fn references(simulator: &Simulator) -> Vec<InstanceReference> {
    let references = simulator.instances().into_iter();
    references
        .map(|reference| reference.parse().unwrap())
        .collect()
}

fn sent(fleets: &[Fleet]) -> u64 {
    let counts = fleets.iter().flat_map(|fleet| fleet.calls().into_values());
    counts.map(|counts| counts.total()).sum()
}

/// Observes one instance in an endless loop, and counts the accepted calls.
async fn observe(fleet: Fleet, instance: InstanceReference, accepted: Arc<AtomicU32>) {
    loop {
        for row in fleet.observe([&instance]).await.unwrap() {
            row.result.unwrap();
        }
        accepted.fetch_add(1, Ordering::Relaxed);
    }
}

/// Runs sharers for two minutes. Returns the accepted calls as a share of the limit, and the rejected calls as
/// a share of the sent calls.
async fn shares(cloud: Cloud, sharers: u64, is_shared: bool) -> (f64, f64) {
    const SPAN: u32 = 120;
    let simulator = simulator(cloud);
    let throttle = Throttle::PerSecond {
        rate: f64::from(LIMIT),
        burst: LIMIT,
    };
    simulator.throttle(cloud, Some(throttle));
    let limit = is_shared.then(InMemoryRateLimit::default);
    let key = simulator.credential(cloud);
    let fleets: Vec<_> = (0..sharers)
        .map(|seed| sharer(&simulator, key.clone(), limit.as_ref(), seed))
        .collect();
    let accepted = Arc::new(AtomicU32::new(0));
    let mut tasks = JoinSet::new();
    for fleet in &fleets {
        for instance in references(&simulator) {
            tasks.spawn(observe(fleet.clone(), instance, Arc::clone(&accepted)));
        }
    }
    sleep(Duration::from_secs(SPAN.into())).await;
    assert_eq!(tasks.len(), 10 * fleets.len(), "a task has ended");
    let (sent, accepted) = (
        sent(&fleets) as f64,
        f64::from(accepted.load(Ordering::Relaxed)),
    );
    let goodput = accepted / f64::from(LIMIT * SPAN);
    (goodput, 1.0 - accepted / sent)
}

#[tokio::test(start_paused = true)]
async fn sharers_together_use_the_limit_and_few_calls_are_rejected() {
    for &cloud in &Cloud::ALL {
        for sharers in [2, 10] {
            let (goodput, rejected) = shares(cloud, sharers, true).await;
            assert!(goodput >= 0.9, "{cloud}, {sharers} sharers: {goodput}");
            assert!(rejected <= 0.05, "{cloud}, {sharers} sharers: {rejected}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn sharers_without_a_shared_limit_have_more_calls_rejected() {
    let cloud = Cloud::Aliyun;
    let (_, alone) = shares(cloud, 10, false).await;
    let (_, together) = shares(cloud, 10, true).await;
    assert!(alone > 3.0 * together, "{alone} alone, {together} together");
}

/// Returns the fault kinds of observations of all instances.
async fn kinds(fleet: &Fleet, simulator: &Simulator) -> Vec<Option<FaultKind>> {
    let rows = fleet.observe(references(simulator)).await.unwrap();
    let kinds = rows.into_iter();
    kinds
        .map(|row| row.result.err().map(|fault| fault.kind()))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn key_that_the_cloud_rejected_is_used_by_none_of_the_others_until_it_changes() {
    for &cloud in &Cloud::ALL {
        let simulator = simulator(cloud);
        let limit = InMemoryRateLimit::default();
        let right = simulator.credential(cloud);
        let Credential::Keys { id, .. } = &right else {
            panic!("{cloud} has no key pair");
        };
        let id = id.clone();
        let wrong = Credential::keys(&id, "a wrong secret");
        let sharers =
            [1, 2, 3, 4, 5].map(|seed| sharer(&simulator, wrong.clone(), Some(&limit), seed));
        let [first, others @ ..] = &sharers;
        for kind in kinds(first, &simulator).await {
            assert_eq!(kind, Some(FaultKind::Credential), "{cloud}");
        }
        sleep(Duration::from_secs(1)).await;
        for other in others {
            for kind in kinds(other, &simulator).await {
                assert_eq!(kind, Some(FaultKind::Credential), "{cloud}");
            }
            assert_eq!(sent(std::slice::from_ref(other)), 0, "{cloud}");
        }
        let next = sharer(&simulator, right.clone(), Some(&limit), 6);
        assert!(kinds(&next, &simulator).await.iter().all(Option::is_none));
        let shown = format!("{limit:?}");
        assert!(
            !shown.contains(&*id) && !shown.contains("secret"),
            "{shown}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn key_that_is_revoked_later_is_used_by_no_sharer_after_the_next_report() {
    let cloud = Cloud::Huawei;
    let simulator = simulator(cloud);
    let limit = InMemoryRateLimit::default();
    let key = simulator.credential(cloud);
    let sharers = [1, 2, 3, 4, 5].map(|seed| sharer(&simulator, key.clone(), Some(&limit), seed));
    for sharer in &sharers {
        assert!(kinds(sharer, &simulator).await.iter().all(Option::is_none));
    }
    simulator.revoke(cloud);
    let [first, ..] = &sharers;
    kinds(first, &simulator).await;
    sleep(Duration::from_millis(600)).await;
    let before = sent(&sharers);
    for sharer in &sharers {
        for kind in kinds(sharer, &simulator).await {
            assert_eq!(kind, Some(FaultKind::Credential));
        }
    }
    assert_eq!(sent(&sharers), before);
}
