//! The shared rate limit against a real server: buckets, rates, rejected keys, and the loss of the server.
#![cfg(feature = "test-cluster")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use lifecycle_client::{
    AdaptiveRate, InMemoryRateLimit, LimitedCalls, PermitLease, PermitRequest, RateChange,
    RateLimitScope, RejectedKey, SharedRateLimit,
};
use lifecycle_core::Rate;
use lifecycle_facade::{EmptyHost, Fleet, InstanceReference};
use lifecycle_sim::{Cloud, Simulator, Throttle};
use lifecycle_store_postgres::{
    ConnectionText, Database, Limits, PostgresRateLimit, cluster::Cluster,
};
use tokio::time::Instant;

/// Returns the connection text of a new database with the schema.
async fn migrated(cluster: &Cluster, name: &str) -> ConnectionText {
    let text: ConnectionText = cluster.database(name).parse().unwrap();
    let database = Database::open(text.clone(), Limits::default())
        .await
        .unwrap();
    database.migrate().await.unwrap();
    text
}

fn scope(location: &str) -> RateLimitScope {
    RateLimitScope {
        location: location.to_owned(),
        calls: LimitedCalls::Reads,
    }
}

async fn lease(limit: &dyn SharedRateLimit, scope: &RateLimitScope, permits: u32) -> PermitLease {
    let request = PermitRequest::new(1, permits, Duration::from_millis(250));
    limit.lease(scope, request).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn bucket_of_the_database_counts_as_the_bucket_in_memory() {
    let Some(cluster) = Cluster::shared("bucket") else {
        return;
    };
    let postgres = PostgresRateLimit::open(migrated(&cluster, "bucket").await)
        .await
        .unwrap();
    let memory = InMemoryRateLimit::default();
    let limits: [&dyn SharedRateLimit; 2] = [&memory, &postgres];
    // Tokens come so slowly that the time of a query makes no difference.
    let rate = Rate::new(0.01, 7);
    for limit in limits {
        let scope = scope("bucket");
        limit.join(&scope, rate).await.unwrap();
        let taken = |lease: PermitLease| (lease.permits, (10.0 * lease.tokens).round());
        assert_eq!(taken(lease(limit, &scope, 5).await), (5, 70.0));
        assert_eq!(taken(lease(limit, &scope, 5).await), (2, 20.0));
        let empty = lease(limit, &scope, 5).await;
        assert_eq!(empty.rate.rate, AdaptiveRate::new(0.01));
        assert_eq!((empty.sharers, empty.closed_for), (1, Duration::ZERO));
        assert_eq!(taken(empty), (0, 0.0));
        limit.give_back(&scope, 3, 0).await.unwrap();
        // A second program that joins does not fill the bucket.
        limit.join(&scope, rate).await.unwrap();
        assert_eq!(taken(lease(limit, &scope, 1).await), (1, 30.0));
        limit.give_back(&scope, 100, 0).await.unwrap();
        assert_eq!(taken(lease(limit, &scope, 1).await), (1, 70.0));
    }
    // Tokens of the time ahead.
    for limit in limits {
        let scope = scope("ahead");
        limit.join(&scope, Rate::new(40.0, 1)).await.unwrap();
        let first = lease(limit, &scope, 100).await;
        assert_eq!((first.permits, first.tokens.round()), (11, 1.0));
    }
    // Another configuration begins anew, and no sharer takes the old rate for the new one.
    for limit in limits {
        let scope = scope("bucket");
        let before = lease(limit, &scope, 0).await;
        limit.join(&scope, Rate::new(5.0, 3)).await.unwrap();
        let after = lease(limit, &scope, 0).await;
        assert_eq!(after.tokens.round(), 3.0);
        assert_eq!(after.rate.rate, AdaptiveRate::new(5.0));
        assert!(after.rate.version > before.rate.version && after.rate.cuts > before.rate.cuts);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn leases_at_the_same_time_take_different_tokens() {
    let Some(cluster) = Cluster::shared("same-time") else {
        return;
    };
    let text = migrated(&cluster, "same-time").await;
    let scope = Arc::new(scope("same-time"));
    let programs: Vec<_> = (0..8)
        .map(|sharer| {
            let (text, scope) = (text.clone(), Arc::clone(&scope));
            tokio::spawn(async move {
                let limit = PostgresRateLimit::open(text).await.unwrap();
                limit.join(&scope, Rate::new(0.01, 1_000)).await.unwrap();
                let (mut permits, mut sharers) = (0, 0);
                for _ in 0..100 {
                    let request = PermitRequest::new(sharer, 3, Duration::ZERO);
                    let lease = limit.lease(&scope, request).await.unwrap();
                    permits += lease.permits;
                    sharers = lease.sharers;
                }
                (permits, sharers)
            })
        })
        .collect();
    let (mut permits, mut sharers) = (0, 0);
    for program in programs {
        let (taken, seen) = program.await.unwrap();
        permits += taken;
        sharers = sharers.max(seen);
    }
    assert_eq!((permits, sharers), (1_000, 8));
    let view = "select configured, cuts, controllers from lifecycle.account_pace";
    assert_eq!(cluster.psql("same-time", view).trim(), "0.01|0|8");
}

#[tokio::test(flavor = "multi_thread")]
async fn change_of_the_rate_is_made_once() {
    let Some(cluster) = Cluster::shared("change") else {
        return;
    };
    let postgres = PostgresRateLimit::open(migrated(&cluster, "change").await)
        .await
        .unwrap();
    let memory = InMemoryRateLimit::default();
    let limits: [&dyn SharedRateLimit; 2] = [&memory, &postgres];
    for limit in limits {
        let scope = scope("change");
        limit.join(&scope, Rate::new(20.0, 20)).await.unwrap();
        let seen = lease(limit, &scope, 0).await.rate;
        let mut cut = seen.rate;
        cut.per_second = 10.0;
        cut.successes_since_cut = 3;
        cut.seconds_past_last_rejected = -1.5;
        let change = RateChange::new(seen.version, cut, true);
        let first = limit.adapt(&scope, change).await.unwrap();
        assert!(first.applied);
        assert_eq!((first.now.rate, first.now.cuts), (cut, seen.cuts + 1));
        let second = limit.adapt(&scope, change).await.unwrap();
        assert!(!second.applied);
        assert_eq!(second.now, first.now);
        let after = lease(limit, &scope, 1).await;
        assert!(
            after.tokens < 2.0,
            "a cut empties the bucket: {}",
            after.tokens
        );
        // Permits from before the cut do not return.
        limit.give_back(&scope, 20, seen.cuts).await.unwrap();
        let after = lease(limit, &scope, 0).await;
        assert!(after.tokens < 2.0, "{}", after.tokens);
        limit.close(&scope, Duration::from_secs(7)).await.unwrap();
        limit.close(&scope, Duration::from_secs(3)).await.unwrap();
        let closed = lease(limit, &scope, 1).await;
        assert_eq!(
            (closed.permits, closed.closed_for.as_secs_f64().ceil()),
            (0, 7.0)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_keys_are_known_to_every_lease_until_they_are_forgotten() {
    let Some(cluster) = Cluster::shared("keys") else {
        return;
    };
    let limit = PostgresRateLimit::open(migrated(&cluster, "keys").await)
        .await
        .unwrap();
    let key = |digest: &str, code: Option<&str>| RejectedKey {
        digest: digest.to_owned(),
        code: code.map(str::to_owned),
    };
    let keys = [key("a", Some("NotFound")), key("b", None)];
    for key in keys.iter().chain(&keys) {
        limit.reject_key(key).await.unwrap();
    }
    let scope = scope("keys");
    limit.join(&scope, Rate::new(1.0, 1)).await.unwrap();
    assert_eq!(lease(&limit, &scope, 0).await.rejected_keys, keys);
    assert_eq!(limit.forget_rejected_keys().await.unwrap(), 2);
    assert_eq!(lease(&limit, &scope, 0).await.rejected_keys, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn clock_of_the_server_that_is_set_back_does_not_stop_the_bucket() {
    let Some(cluster) = Cluster::shared("clock") else {
        return;
    };
    let limit = PostgresRateLimit::open(migrated(&cluster, "clock").await)
        .await
        .unwrap();
    let scope = scope("clock");
    limit.join(&scope, Rate::new(1_000.0, 1)).await.unwrap();
    cluster.psql(
        "clock",
        "update lifecycle.pace set filled_at = now() + interval '1 hour', tokens = 0",
    );
    lease(&limit, &scope, 0).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(lease(&limit, &scope, 1).await.tokens, 1.0);
}

/// Observes an instance in an endless loop, and counts the calls.
async fn observe(fleet: Fleet, instance: InstanceReference, calls: Arc<AtomicU32>) {
    loop {
        for row in fleet.observe([&instance]).await.unwrap() {
            row.result.unwrap();
        }
        calls.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fleets_go_on_without_the_server_and_share_the_rate_again_afterwards() {
    let Some(cluster) = Cluster::own("lost") else {
        return;
    };
    let text = migrated(&cluster, "lost").await;
    let simulator = Simulator::builder()
        .fleet("aliyun/cn-hangzhou=9:running")
        .unwrap();
    let simulator = simulator.latency(Duration::from_millis(5)).build();
    let throttle = Throttle::PerSecond {
        rate: 20.0,
        burst: 20,
    };
    simulator.throttle(Cloud::Aliyun, Some(throttle));
    let calls = Arc::new(AtomicU32::new(0));
    for number in 0..3 {
        let fleet = Fleet::builder()
            .transport(simulator.transport())
            .clock(simulator.clock())
            .machine(EmptyHost)
            .credential(simulator.credential(Cloud::Aliyun))
            .shared_rate_limit(PostgresRateLimit::open(text.clone()).await.unwrap())
            .configure_client(move |client| client.seed(number))
            .build()
            .unwrap();
        for instance in simulator.instances() {
            let instance: InstanceReference = instance.parse().unwrap();
            tokio::spawn(observe(fleet.clone(), instance, Arc::clone(&calls)));
        }
    }
    let measure = async |seconds: u64| {
        let (start, before) = (Instant::now(), calls.load(Ordering::Relaxed));
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        f64::from(calls.load(Ordering::Relaxed) - before) / start.elapsed().as_secs_f64()
    };
    // The burst at the beginning.
    measure(3).await;
    let together = measure(5).await;
    assert!((14.0..=24.0).contains(&together), "{together}");
    cluster.kill();
    measure(1).await;
    let alone = measure(5).await;
    assert!((8.0..=24.0).contains(&alone), "{alone}");
    cluster.restart();
    let restarted = cluster.psql("lost", "select now()");
    measure(12).await;
    let again = measure(5).await;
    assert!((14.0..=24.0).contains(&again), "{again}");
    // Every sharer has returned to the database.
    let returned = format!(
        "select count(*) from lifecycle.pace_sharer where seen_at >= '{}'",
        restarted.trim()
    );
    assert_eq!(cluster.psql("lost", &returned).trim(), "3");
}
