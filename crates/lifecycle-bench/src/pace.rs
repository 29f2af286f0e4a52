//! Benchmark: the pace of several controllers of one account, with a rate limit shared through PostgreSQL and
//! without, and the token buckets of the database.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use lifecycle_bench::{BenchResult, location, runtime};
use lifecycle_core::{InstanceId, Rate};
use lifecycle_facade::{
    Client, Cloud, Fleet, LimitedCalls, PermitLease, PermitRequest, RateChange, RateChanged,
    RateLimitScope, RejectedKey, SharedRateError, SharedRateLimit,
};
use lifecycle_sim::{Simulator, Throttle};
use lifecycle_store_postgres::{
    ConnectionText, Database, LEASE_STATEMENT, Limits, PostgresRateLimit, cluster::Cluster,
};
use tokio::{task::JoinSet, time::sleep};
use tokio_postgres::{NoTls, types::Type};

use crate::{
    settings::BenchSettings,
    simulated::ids,
    table::{Table, verdict},
};

/// The limit of the cloud, in calls per second.
const LIMIT: u32 = 20;
/// The callers of each controller. Each caller observes one instance in a loop.
const CALLERS: usize = 10;
/// The connections, or concurrent tasks, that take tokens.
const CONNECTIONS: u32 = 8;

/// Measures controllers with clients of their own, in real time, at a cloud that accepts 20 calls per second.
pub(crate) fn measure_controllers(settings: &BenchSettings) -> BenchResult<Table> {
    let mut table = Table::new(
        "Several controllers under a limit of 20 calls a second",
        [
            "controllers",
            "goodput / limit",
            "refused %",
            "leases a second",
            "target",
        ],
    );
    // Commits wait for the disk, as on a real server.
    let cluster = match Cluster::start(true) {
        Ok(cluster) => cluster,
        Err(reason) => {
            let none = || "-".to_owned();
            table.row([skipped(&reason), none(), none(), none(), none()]);
            return Ok(table);
        }
    };
    for (controllers, is_shared) in [
        (1, true),
        (3, true),
        (10, true),
        (1, false),
        (3, false),
        (10, false),
    ] {
        let text = is_shared.then(|| cluster.database(&format!("controllers-{controllers}")));
        let measured = observe(controllers, text.as_deref(), settings.pace_span);
        let pace = runtime()?.block_on(measured)?;
        let how = if is_shared { "shared" } else { "not shared" };
        table.row([
            format!("{controllers}, {how}"),
            format!("{:.2}", pace.goodput),
            format!("{:.1}", 100.0 * pace.refused),
            format!("{:.1}", pace.leases),
            match is_shared {
                true => verdict(
                    "goodput 0.9, refused 5 %",
                    pace.goodput >= 0.9 && pace.refused <= 0.05,
                ),
                false => String::new(),
            },
        ]);
    }
    Ok(table)
}

/// Returns the only cell of a machine without PostgreSQL.
fn skipped(reason: &str) -> String {
    format!("skipped: {reason}")
}

struct Pace {
    /// Executed calls, divided by the calls that the cloud accepts at most.
    goodput: f64,
    /// Refused calls, as a share of all sent calls.
    refused: f64,
    /// Leases of permits of all controllers, per second.
    leases: f64,
}

/// Runs controllers for `span`, the beginning included.
async fn observe(controllers: u64, text: Option<&str>, span: Duration) -> BenchResult<Pace> {
    let location = location(Cloud::Aliyun)?;
    let simulator = Simulator::builder()
        .seed(1)
        .latency(Duration::from_millis(20))
        .fleet(&format!("{location}={CALLERS}:running"))?
        .build();
    let cloud = lifecycle_sim::Cloud::Aliyun;
    let throttle = Throttle::PerSecond {
        rate: f64::from(LIMIT),
        burst: LIMIT,
    };
    simulator.throttle(cloud, Some(throttle));
    let text: Option<ConnectionText> = text.map(str::parse).transpose()?;
    if let Some(text) = &text {
        Database::open(text.clone(), Limits::default())
            .await?
            .migrate()
            .await?;
    }
    let (leases, accepted) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let mut clients = Vec::new();
    for seed in 0..controllers {
        let mut fleet = Fleet::builder()
            .transport(simulator.transport())
            .clock(simulator.clock())
            .credential(simulator.credential(cloud))
            .configure_client(move |client| client.seed(seed));
        if let Some(text) = &text {
            fleet = fleet.shared_rate_limit(CountedLimit {
                limit: PostgresRateLimit::open(text.clone()).await?,
                leases: Arc::clone(&leases),
            });
        }
        clients.push(fleet.build()?.client(&location).await?);
    }
    let mut tasks = JoinSet::new();
    for client in &clients {
        for id in ids(&simulator, cloud)? {
            tasks.spawn(call(client.clone(), id, Arc::clone(&accepted)));
        }
    }
    sleep(span).await;
    let sent: u64 = clients.iter().map(|client| client.calls().total()).sum();
    let accepted = accepted.load(Ordering::Relaxed) as f64;
    tasks.abort_all();
    while let Some(task) = tasks.join_next().await {
        // A caller ends before its abort only when a call has failed.
        if let Ok(failed) = task {
            failed?;
        }
    }
    Ok(Pace {
        goodput: accepted / (f64::from(LIMIT) * span.as_secs_f64()),
        refused: 1.0 - (accepted / sent as f64).min(1.0),
        leases: leases.load(Ordering::Relaxed) as f64 / span.as_secs_f64(),
    })
}

/// Repeats calls. Ends with the first call that fails for good.
async fn call(client: Client, id: InstanceId, accepted: Arc<AtomicU64>) -> BenchResult<()> {
    loop {
        for status in client.observe([&id]).await? {
            status.result?;
        }
        accepted.fetch_add(1, Ordering::Relaxed);
    }
}

/// Measures how often a second tokens are taken from one bucket.
pub(crate) fn measure_buckets(settings: &BenchSettings) -> BenchResult<Table> {
    let mut table = Table::new("Token buckets in PostgreSQL", ["what", "figure", "unit"]);
    let cluster = match Cluster::start(true) {
        Ok(cluster) => cluster,
        Err(reason) => {
            table.row([skipped(&reason), "-".to_owned(), "-".to_owned()]);
            return Ok(table);
        }
    };
    let text = cluster.database("buckets");
    let runtime = runtime()?;
    let limit = PostgresRateLimit::with_connections(text.parse()?, CONNECTIONS as usize);
    let limit = runtime.block_on(limit)?;
    let limit = Arc::new(limit);
    let scope = RateLimitScope {
        location: "bench@aliyun/cn-hangzhou".to_owned(),
        calls: LimitedCalls::Reads,
    };
    runtime.block_on(async {
        Database::open(text.parse()?, Limits::default())
            .await?
            .migrate()
            .await?;
        limit.join(&scope, Rate::new(1e6, 1_000_000)).await?;
        BenchResult::Ok(())
    })?;
    let span = settings.pace_span / 8;
    let statement = runtime.block_on(statements(&text, &scope.to_string(), span))?;
    let leases = runtime.block_on(leases(&limit, &scope, span))?;
    let client = runtime.block_on(permits(limit, span))?;
    for (what, figure) in [
        ("the prepared UPDATE, 8 connections", statement),
        ("lease of one permit, 8 tasks", leases),
        (
            "permits to one client with 100 callers at 5,000 a second",
            client,
        ),
    ] {
        table.row([
            what.to_owned(),
            format!("{figure:.0}"),
            "a second".to_owned(),
        ]);
    }
    Ok(table)
}

/// Returns the prepared UPDATEs per second.
async fn statements(text: &str, scope: &str, span: Duration) -> BenchResult<f64> {
    let count = Counter::new(span);
    let mut tasks = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let mut config: tokio_postgres::Config = text.parse()?;
        config.options("-c synchronous_commit=off");
        let (client, connection) = config.connect(NoTls).await?;
        tokio::spawn(connection);
        let types = [Type::TEXT, Type::INT4, Type::FLOAT8];
        let statement = client.prepare_typed(LEASE_STATEMENT, &types).await?;
        let (count, scope) = (count.clone(), scope.to_owned());
        tasks.spawn(async move {
            while count.goes_on() {
                client
                    .query_one(&statement, &[&scope, &1_i32, &0.0_f64])
                    .await?;
                count.add();
            }
            BenchResult::Ok(())
        });
    }
    count.per_second(tasks).await
}

/// Returns the leases per second through `SharedRateLimit`.
async fn leases(
    limit: &Arc<PostgresRateLimit>,
    scope: &RateLimitScope,
    span: Duration,
) -> BenchResult<f64> {
    let count = Counter::new(span);
    let mut tasks = JoinSet::new();
    for sharer in 0..CONNECTIONS {
        let (count, limit, scope) = (count.clone(), Arc::clone(limit), scope.clone());
        tasks.spawn(async move {
            let request = PermitRequest::new(sharer.into(), 1, Duration::ZERO);
            while count.goes_on() {
                limit.lease(&scope, request).await?;
                count.add();
            }
            BenchResult::Ok(())
        });
    }
    count.per_second(tasks).await
}

/// Returns the calls per second of a client with a shared limit far above the calls of a cloud.
async fn permits(limit: Arc<PostgresRateLimit>, span: Duration) -> BenchResult<f64> {
    let location = location(Cloud::Aliyun)?;
    let simulator = Simulator::builder()
        .seed(1)
        .fleet(&format!("{location}=100:running"))?
        .build();
    let cloud = lifecycle_sim::Cloud::Aliyun;
    let fast = Rate::new(5_000.0, 100);
    let fleet = Fleet::builder()
        .transport(simulator.transport())
        .clock(simulator.clock())
        .credential(simulator.credential(cloud))
        .shared_rate_limit(limit)
        .configure_client(move |client| {
            client.rate_limits(lifecycle_facade::RateLimits::new(fast, fast))
        })
        .build()?;
    let client = fleet.client(&location).await?;
    let count = Counter::new(span);
    let mut tasks = JoinSet::new();
    for id in ids(&simulator, cloud)? {
        let (count, client) = (count.clone(), client.clone());
        tasks.spawn(async move {
            while count.goes_on() {
                client.observe([&id]).await?;
                count.add();
            }
            BenchResult::Ok(())
        });
    }
    count.per_second(tasks).await
}

/// Counts what several tasks do in a time.
#[derive(Clone)]
struct Counter {
    done: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
    span: Duration,
}

impl Counter {
    fn new(span: Duration) -> Self {
        Self {
            done: Arc::default(),
            is_over: Arc::default(),
            span,
        }
    }

    fn goes_on(&self) -> bool {
        !self.is_over.load(Ordering::Relaxed)
    }

    fn add(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    /// Lets the tasks run for the time, and returns the count per second.
    async fn per_second(&self, mut tasks: JoinSet<BenchResult<()>>) -> BenchResult<f64> {
        #[expect(clippy::disallowed_methods, reason = "measures the database")]
        let begin = Instant::now();
        sleep(self.span).await;
        let done = self.done.load(Ordering::Relaxed);
        let elapsed = begin.elapsed().as_secs_f64();
        self.is_over.store(true, Ordering::Relaxed);
        while let Some(ended) = tasks.join_next().await {
            ended??;
        }
        Ok(done as f64 / elapsed)
    }
}

/// A shared rate limit that counts leases.
#[derive(Debug)]
struct CountedLimit {
    limit: PostgresRateLimit,
    leases: Arc<AtomicU64>,
}

#[async_trait]
impl SharedRateLimit for CountedLimit {
    async fn join(&self, scope: &RateLimitScope, configured: Rate) -> Result<(), SharedRateError> {
        self.limit.join(scope, configured).await
    }

    async fn lease(
        &self,
        scope: &RateLimitScope,
        request: PermitRequest,
    ) -> Result<PermitLease, SharedRateError> {
        self.leases.fetch_add(1, Ordering::Relaxed);
        self.limit.lease(scope, request).await
    }

    async fn adapt(
        &self,
        scope: &RateLimitScope,
        change: RateChange,
    ) -> Result<RateChanged, SharedRateError> {
        self.limit.adapt(scope, change).await
    }

    async fn close(&self, scope: &RateLimitScope, pause: Duration) -> Result<(), SharedRateError> {
        self.limit.close(scope, pause).await
    }

    async fn give_back(
        &self,
        scope: &RateLimitScope,
        permits: u32,
        cuts: u64,
    ) -> Result<(), SharedRateError> {
        self.limit.give_back(scope, permits, cuts).await
    }

    async fn reject_key(&self, key: &RejectedKey) -> Result<(), SharedRateError> {
        self.limit.reject_key(key).await
    }
}
