//! Benchmark: the controller over many machines in a hundred groups: a pass without a change, and the start of all
//! machines at a change of the schedule.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use lifecycle_bench::{BenchResult, cpu_time, memory};
use lifecycle_controller::{MemoryStore, keeper::Keeper, settings::Settings};
use lifecycle_facade::{EmptyHost, Fleet, config::Config};
use lifecycle_sim::{Cloud, Operation, PowerOperation, Simulator};
use tokio::time::{Instant, sleep_until};

use crate::{
    probe,
    settings::BenchSettings,
    simulated::under_paused_time,
    table::{Table, verdict},
};

const GROUPS: usize = 100;
/// The time of the first pass, in seconds of the Unix epoch: 2026-01-05T07:58:00Z, before the change of the schedule.
const EPOCH: u64 = 1_767_599_880;
const EDGE: Duration = Duration::from_secs(120);
/// The batch limit of the simulated cloud.
const BATCH: usize = 100;

/// Measures the passes in a process of their own, because a process keeps freed memory.
pub(crate) fn measure(settings: &BenchSettings) -> BenchResult<Table> {
    let machines = settings.fleet_sizes[0];
    let figures = Probe { machines }.run_in_child_process()?;
    let mut table = Table::new("Controller", ["what", "figure", "unit", "target"]);
    let of = format!("{machines} machines, {GROUPS} groups");
    let fewest = GROUPS * (machines / GROUPS).div_ceil(BATCH);
    let rows = [
        (
            "pass without a change: calls",
            figures.quiet_calls as f64,
            "",
            String::new(),
        ),
        (
            "pass without a change: CPU",
            figures.quiet_cpu_ms,
            "ms",
            String::new(),
        ),
        (
            "growth of the process in that pass",
            figures.quiet_mib,
            "MiB",
            String::new(),
        ),
        (
            "start of all machines: action calls",
            figures.start_calls as f64,
            "",
            verdict(&format!("{fewest}"), figures.start_calls as usize == fewest),
        ),
        (
            "start of all machines: CPU",
            figures.start_cpu_ms,
            "ms",
            String::new(),
        ),
        (
            "from the change to the first start",
            figures.first_start_s,
            "s of the clock",
            verdict("15 s", figures.first_start_s <= 15.0),
        ),
        (
            "from the change to the last start",
            figures.last_start_s,
            "s of the clock",
            String::new(),
        ),
    ];
    for (what, figure, unit, verdict) in rows {
        table.row([
            format!("{what}, {of}"),
            format!("{figure:.1}"),
            unit.to_owned(),
            verdict,
        ]);
    }
    Ok(table)
}

/// A process that makes the passes.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Probe {
    machines: usize,
}

#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
struct Figures {
    quiet_calls: u64,
    quiet_cpu_ms: f64,
    quiet_mib: f64,
    start_calls: u64,
    start_cpu_ms: f64,
    /// Time from the change of the schedule to the first executed start, in simulated seconds.
    first_start_s: f64,
    last_start_s: f64,
}

impl Probe {
    fn run_in_child_process(self) -> BenchResult<Figures> {
        probe::run(&["controller-probe", &self.machines.to_string()])
    }

    /// Runs the probe: the whole life of the probe's process.
    pub(crate) fn run(self) -> BenchResult<()> {
        probe::print(&under_paused_time(self.figures())?)
    }

    async fn figures(self) -> BenchResult<Figures> {
        let epoch = SystemTime::UNIX_EPOCH + Duration::from_secs(EPOCH);
        let simulator = Simulator::builder()
            .fleet(&format!("aliyun/cn-hangzhou={}", self.machines))?
            .epoch(epoch)
            .build();
        let begin = Instant::now();
        let keeper = keeper(&simulator)?;
        // The pass that records the states of the machines for the first time, and one that only looks.
        keeper.pass().await?;
        let ledger = simulator.ledger();
        let (calls, cpu, before) = (ledger.total(), cpu_time()?, memory()?);
        keeper.pass().await?;
        let quiet_cpu = cpu_time()?.saturating_sub(cpu);
        let quiet_calls = ledger.total() - calls;
        let quiet_mib = memory()?.rss_mib - before.rss_mib;

        let cpu = cpu_time()?;
        let end = begin + EDGE + Duration::from_secs(600);
        let mut problems = Vec::new();
        let passes = keeper.run(sleep_until(end), |report| {
            problems.extend_from_slice(&report.problems);
        });
        passes.await?;
        let start_cpu = cpu_time()?.saturating_sub(cpu);
        if let Some(problem) = problems.into_iter().next() {
            return Err(problem.into());
        }
        let operations = ledger.power_operations();
        let started = operations
            .iter()
            .filter(|record| record.operation == PowerOperation::Start)
            .map(|record| record.at.saturating_sub(EDGE).as_secs_f64());
        let started: Vec<f64> = started.collect();
        if started.len() != self.machines {
            return Err(format!(
                "{} of {} machines were started",
                started.len(),
                self.machines
            )
            .into());
        }
        Ok(Figures {
            quiet_calls,
            quiet_cpu_ms: quiet_cpu.as_secs_f64() * 1e3,
            quiet_mib,
            start_calls: ledger.count(Cloud::Aliyun, Operation::Start),
            start_cpu_ms: start_cpu.as_secs_f64() * 1e3,
            first_start_s: started.iter().copied().fold(f64::INFINITY, f64::min),
            last_start_s: started.iter().copied().fold(0.0, f64::max),
        })
    }
}

/// Returns a keeper of all machines: stopped until eight o'clock, and running then.
fn keeper(simulator: &Simulator) -> BenchResult<Keeper> {
    let instances = simulator.instances();
    let groups = instances
        .chunks(instances.len().div_ceil(GROUPS))
        .enumerate();
    let groups = groups.map(|(at, machines)| {
        format!("groups.g{at:03} = {machines:?}\nkeep.g{at:03} = \"office\"\n")
    });
    let text = format!(
        "{}[schedules.office]\nzone = \"UTC\"\nwindows = [{{ days = \"all\", from = \"08:00\", to = \"20:00\" }}]\n\
         [controller]\nmax_changes = {}\n",
        groups.collect::<String>(),
        instances.len()
    );
    let fleet = Fleet::builder()
        .machine(EmptyHost)
        .transport(simulator.transport())
        .clock(simulator.clock())
        .credential(simulator.credential(Cloud::Aliyun))
        .build()?;
    let settings = Settings::from_config(&Config::parse(&text)?)?;
    let store = Arc::new(MemoryStore::default());
    Ok(Keeper::new(fleet, store, settings, "bench").clock(simulator.clock()))
}
