//! Benchmark: the store in PostgreSQL: intents in a second, passes over many machines with one and three controllers,
//! and the time until the groups of a dead controller act again.
//!
//! The server is a private cluster of this program that waits for the disk at each commit.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use lifecycle_bench::{BenchResult, cpu_time, runtime};
use lifecycle_controller::{
    GroupLeases as _, Record, Store,
    keeper::{Keeper, PassReport},
    settings::Settings,
};
use lifecycle_facade::{Credential, EmptyHost, Fleet, Rate, RateLimits, config::Config};
use lifecycle_sim::{Cloud, Simulator};
use lifecycle_store_postgres::{
    ControllerInfo, ControllerKind, PostgresLeases, PostgresStore, cluster::Cluster,
};
use serde_json::json;
use tokio::task::JoinSet;

use crate::{
    settings::BenchSettings,
    table::{Table, verdict},
};

/// The lease of `lifecycle run` without a setting.
const LEASE: Duration = Duration::from_secs(15);
/// A machine is one of this many in its group.
const GROUP: usize = 500;

/// Measures everything; one row says so where PostgreSQL is missing.
pub(crate) fn measure(settings: &BenchSettings) -> BenchResult<Table> {
    let mut table = Table::new("PostgreSQL", ["what", "figure", "unit", "target"]);
    let cluster = match Cluster::start(true) {
        Ok(cluster) => cluster,
        Err(reason) => {
            table.row([
                format!("skipped: {reason}"),
                "-".into(),
                "-".into(),
                "-".into(),
            ]);
            return Ok(table);
        }
    };
    let [few, many] = settings.fleet_sizes;
    runtime()?.block_on(async {
        for (programs, tasks) in [(1, 1), (1, 64), (3, 64), (10, 64)] {
            let name = format!("intents-{programs}-{tasks}");
            let rate = intents(&cluster, &name, few / 10, programs, tasks).await?;
            table.row([
                format!("intents recorded, {programs} programs, {tasks} at a time each"),
                format!("{rate:.0}"),
                "a second".to_owned(),
                verdict("20 calls a second", rate >= 20.0),
            ]);
        }
        for machines in [few, many] {
            for controllers in [1, 3] {
                let passes = passes(&cluster, machines, controllers).await?;
                passes.rows(machines, controllers, &mut table);
            }
        }
        for (groups, controllers) in [(100, 1), (100, 3), (100, 10), (1_000, 10)] {
            let cost = renewal(&cluster, groups, controllers).await?;
            table.row([
                format!("renewal of a lease, {controllers} controllers, {groups} groups"),
                format!("{:.1}", cost.as_secs_f64() * 1e3),
                "ms".to_owned(),
                String::new(),
            ]);
        }
        let longest = takeover(&cluster, 3).await?;
        table.row([
            format!(
                "groups of a dead controller act again, lease of {} s",
                LEASE.as_secs()
            ),
            format!("{:.1}", longest.as_secs_f64()),
            "s, longest of 3".to_owned(),
            verdict(
                "lease and a third",
                longest <= LEASE * 4 / 3 + Duration::from_secs(1),
            ),
        ]);
        Ok(table)
    })
}

async fn open(cluster: &Cluster, name: &str) -> BenchResult<PostgresStore> {
    let text = cluster.text(name).parse()?;
    Ok(PostgresStore::open_and_migrate(text).await?)
}

/// Returns the number of intents that programs make durable in a second.
async fn intents(
    cluster: &Cluster,
    name: &str,
    count: usize,
    programs: usize,
    tasks: usize,
) -> BenchResult<f64> {
    cluster.database(name);
    let of_program = count / programs;
    let mut stores = Vec::new();
    for program in 0..programs {
        let store = open(cluster, name).await?;
        store.append(vec![request(program, of_program)?]).await?;
        stores.push(store);
    }
    let begin = now();
    let mut running = JoinSet::new();
    for (program, store) in stores.iter().enumerate() {
        for task in 0..tasks {
            let store = store.clone();
            running.spawn(async move {
                for at in (task..of_program).step_by(tasks) {
                    store.append(vec![intent(program, at)?]).await?;
                }
                BenchResult::<()>::Ok(())
            });
        }
    }
    while let Some(ended) = running.join_next().await {
        ended??;
    }
    Ok((of_program * programs) as f64 / begin.elapsed().as_secs_f64())
}

fn request(program: usize, instances: usize) -> BenchResult<Record> {
    let instances: Vec<_> = (0..instances)
        .map(|at| format!("aliyun/cn-hangzhou/i-{at}"))
        .collect();
    Ok(serde_json::from_value(json!({
        "record": "request", "operation": format!("op-{program}"), "at": "2026-01-01T00:00:00Z", "by": "bench",
        "why": "bench", "action": {"kind": "reboot", "forced": false}, "options": {"strict": false},
        "instances": instances,
    }))?)
}

fn intent(program: usize, at: usize) -> BenchResult<Record> {
    let before =
        json!({"state": "running", "raw": "Running", "started_at": "2026-01-01T00:00:00Z"});
    Ok(serde_json::from_value(json!({
        "record": "intent", "operation": format!("op-{program}"), "call": at + 1, "at": "2026-01-01T00:00:00Z",
        "action": {"kind": "reboot", "forced": false},
        "instances": [{"instance": format!("aliyun/cn-hangzhou/i-{at}"), "before": before}],
    }))?)
}

/// The passes of controllers that share a fleet.
struct Passes {
    /// The first pass, which records the state of each machine.
    first: Duration,
    /// A pass that changes nothing.
    quiet: Duration,
    /// The processor time of this program in the quiet passes of all controllers, with the simulated cloud.
    cpu: Duration,
    /// A new process reads the state.
    start: Duration,
}

impl Passes {
    fn rows(&self, machines: usize, controllers: usize, table: &mut Table) {
        let of = format!("{machines} machines, {controllers} controllers");
        for (what, figure, unit) in [
            ("first pass", self.first.as_secs_f64(), "s"),
            ("quiet pass", self.quiet.as_secs_f64(), "s"),
            ("quiet passes of all", self.cpu.as_secs_f64(), "CPU s"),
            ("new process reads the state", self.start.as_secs_f64(), "s"),
        ] {
            table.row([
                format!("{what}, {of}"),
                format!("{figure:.2}"),
                unit.to_owned(),
                String::new(),
            ]);
        }
    }
}

async fn passes(cluster: &Cluster, machines: usize, controllers: usize) -> BenchResult<Passes> {
    let name = format!("passes-{machines}-{controllers}");
    cluster.database(&name);
    let key = Credential::keys("SIMULATEDKEY", "simulated-secret-that-opens-nothing");
    let simulator = Simulator::builder()
        .log_limit(0)
        .fleet(&format!("aliyun/cn-hangzhou={machines}:running"))?
        .credential(Cloud::Aliyun, &key)
        .build();
    let settings = Settings::from_config(&Config::parse(&config(&simulator.instances()))?)?;
    let infinite = Rate::new(f64::INFINITY, u32::MAX);
    let mut keepers = Vec::new();
    for number in 0..controllers {
        let store = open(cluster, &name).await?;
        let info = ControllerInfo::new(format!("c{number}"), "bench", ControllerKind::Run);
        let leases = Arc::new(PostgresLeases::join(store.clone(), info).await?);
        let fleet = Fleet::builder()
            .machine(EmptyHost)
            .transport(simulator.transport())
            .credential(key.clone())
            .configure_client(move |client| client.rate_limits(RateLimits::new(infinite, infinite)))
            .build()?;
        let keeper = Keeper::new(
            fleet,
            Arc::new(store),
            settings.clone(),
            format!("c{number}"),
        );
        keepers.push((keeper.leases(leases.clone()), leases));
    }
    // The controllers divide the groups before the first pass.
    let bundles: Vec<BTreeSet<String>> = settings
        .members
        .keys()
        .map(|name| BTreeSet::from([name.clone()]))
        .collect();
    for _ in 0..3 {
        for (_, leases) in &keepers {
            drop(leases.begin_pass(&bundles).await?);
        }
        if controllers > 1 {
            tokio::time::sleep(LEASE / 3 + Duration::from_secs(1)).await;
        }
    }
    let keepers: Vec<Keeper> = keepers.into_iter().map(|(keeper, _)| keeper).collect();
    let first = longest(&keepers, machines).await?;
    let before = cpu_time()?;
    let quiet = longest(&keepers, machines).await?;
    let cpu = cpu_time()?.saturating_sub(before);
    let begin = now();
    open(cluster, &name).await?.state().await?;
    Ok(Passes {
        first,
        quiet,
        cpu,
        start: begin.elapsed(),
    })
}

fn config(instances: &[String]) -> String {
    let groups = instances.chunks(GROUP).enumerate();
    let groups = groups.map(|(at, machines)| {
        format!("groups.g{at:04} = {machines:?}\nkeep.g{at:04} = \"always\"\n")
    });
    format!(
        "{}[schedules.always]\nzone = \"UTC\"\nwindows = [{{ days = \"all\", from = \"00:00\", to = \"24:00\" }}]\n",
        groups.collect::<String>()
    )
}

/// Makes a pass of each controller, one after the other, and returns the longest: controllers of a fleet have a
/// machine of their own.
async fn longest(keepers: &[Keeper], machines: usize) -> BenchResult<Duration> {
    let mut longest = Duration::ZERO;
    let mut seen = 0;
    for keeper in keepers {
        let begin = now();
        let report: PassReport = keeper.pass().await?;
        longest = longest.max(begin.elapsed());
        seen += report.machines;
        if let Some(problem) = report.problems.first() {
            return Err(problem.clone().into());
        }
    }
    match seen == machines {
        true => Ok(longest),
        false => Err(format!("the controllers saw {seen} of {machines} machines").into()),
    }
}

/// Returns the time of the renewal of one lease.
async fn renewal(cluster: &Cluster, groups: usize, controllers: usize) -> BenchResult<Duration> {
    let name = format!("renewal-{groups}-{controllers}");
    cluster.database(&name);
    let store = open(cluster, &name).await?;
    let bundles = bundles(groups);
    let mut leases = Vec::new();
    for number in 0..controllers {
        let info = ControllerInfo::new(format!("c{number}"), "bench", ControllerKind::Run);
        leases.push(PostgresLeases::join(store.clone(), info).await?);
    }
    let rounds = 10;
    let begin = now();
    for _ in 0..rounds {
        for leases in &leases {
            drop(leases.begin_pass(&bundles).await?);
        }
    }
    Ok(begin.elapsed() / (rounds * u32::try_from(controllers)?))
}

/// Returns the longest time between the death of a controller and the first share of another one that has all its
/// groups.
async fn takeover(cluster: &Cluster, rounds: usize) -> BenchResult<Duration> {
    let mut longest = Duration::ZERO;
    for round in 0..rounds {
        let name = format!("takeover-{round}");
        cluster.database(&name);
        let store = open(cluster, &name).await?;
        let bundles = bundles(30);
        let info = |name: &str| ControllerInfo::new(name, "bench", ControllerKind::Run);
        let dying = PostgresLeases::join(store.clone(), info("dying")).await?;
        drop(dying.begin_pass(&bundles).await?);
        let other = PostgresLeases::join(store, info("other")).await?;
        drop(other.begin_pass(&bundles).await?);
        let begin = now();
        drop(dying);
        while other.begin_pass(&bundles).await?.groups.len() < bundles.len() {
            other.changed().await;
        }
        longest = longest.max(begin.elapsed());
    }
    Ok(longest)
}

fn bundles(groups: usize) -> Vec<BTreeSet<String>> {
    let names = (0..groups).map(|at| BTreeSet::from([format!("g{at:04}")]));
    names.collect()
}

#[expect(clippy::disallowed_methods, reason = "measures a server and its disk")]
fn now() -> Instant {
    Instant::now()
}
