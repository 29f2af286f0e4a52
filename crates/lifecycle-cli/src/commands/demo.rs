//! `lifecycle demo`.

use std::{collections::BTreeMap, time::Duration};

use lifecycle_facade::{ActionKind, CallCounts, Fleet, FleetError, InstanceReference, Location};
use lifecycle_sim::{BadFleet, Simulator};
use tokio::time::Instant;

use crate::{
    console::{Console, Format, eprint_line},
    exit::{CommandError, Exit},
    follow::{self, Summary},
    output::{self, Columns},
    row::{self, RequestKind, Row},
    simulated, simulated_time,
};

/// 60 stopped machines, 15 in each cloud.
const MACHINES: &str = "baidu/bj=15,aliyun/cn-hangzhou=15,zenlayer/global=15,huawei/cn-north-4=15";
/// From here to a cloud and back.
const ROUND_TRIP: Duration = Duration::from_millis(80);
/// Far more than they need.
const PATIENCE: Duration = Duration::from_secs(600);

/// Starts simulated machines and shows what it took.
pub(crate) async fn run(console: Console) -> Result<Exit, CommandError> {
    let simulator = simulator().map_err(|bad| CommandError::nothing_done(bad.to_string()))?;
    let fleet = simulated::simulated(&simulator)
        .configure_client(|client| client.seed(0))
        .build()?;
    let references = references(&simulator)?;
    eprint_line(format_args!(
        "Starting {} simulated machines in four clouds, {} times as fast as real ones.",
        references.len(),
        simulated_time::SPEED
    ));
    let began = Instant::now();
    let events = fleet.start(&references).wait(PATIENCE).events();
    let rows = follow::follow(&fleet, &references, events, RequestKind::Action, console).await?;
    eprint_line(format_args!(
        "{} after {:.0} s of their time.\n{}",
        Summary(&rows),
        began.elapsed().as_secs_f64(),
        executed(&simulator, &references),
    ));
    match console.output {
        Format::Json => output::print_rows(&rows, Columns::Outcomes, console)?,
        Format::Table => {
            print_remarkable(&rows, console)?;
            print_calls(&fleet, &references, &rows)?;
        }
    }
    Ok(row::exit(&rows))
}

fn simulator() -> Result<Simulator, BadFleet> {
    let machines = Simulator::builder().fleet(MACHINES)?.latency(ROUND_TRIP);
    Ok(simulated::with_our_key(machines).build())
}

fn references(simulator: &Simulator) -> Result<Vec<InstanceReference>, FleetError> {
    let instances = simulator.instances();
    Ok(instances
        .iter()
        .map(|instance| instance.parse())
        .collect::<Result<_, _>>()?)
}

/// What the clouds did, by their own books.
fn executed(simulator: &Simulator, references: &[InstanceReference]) -> String {
    let ledger = simulator.ledger();
    let starts: Vec<u32> = references
        .iter()
        .filter_map(|reference| ledger.executed(&reference.to_string()))
        .map(|executed| executed.starts)
        .collect();
    let total: u32 = starts.iter().sum();
    match starts.iter().max() {
        Some(0 | 1) => format!("The clouds executed {total} starts, none twice."),
        _ => format!("The clouds executed {total} starts."),
    }
}

/// Every machine for those who want details, else those that did not come up.
fn print_remarkable(rows: &[Row], console: Console) -> Result<(), CommandError> {
    let wanted = |row: &&Row| console.is_verbose() || !row.is_as_requested();
    let remarkable: Vec<Row> = rows.iter().filter(wanted).cloned().collect();
    if remarkable.is_empty() {
        return Ok(());
    }
    output::print_rows(&remarkable, Columns::Outcomes, console)?;
    output::print("\n")
}

/// The calls that it took, cloud by cloud.
fn print_calls(
    fleet: &Fleet,
    references: &[InstanceReference],
    rows: &[Row],
) -> Result<(), CommandError> {
    let mut lines: BTreeMap<&Location, Line> = BTreeMap::new();
    for (reference, row) in references.iter().zip(rows) {
        let line = lines.entry(&reference.location).or_default();
        line.machines += 1;
        line.up += usize::from(row.is_as_requested());
    }
    let calls = fleet.calls();
    for (place, line) in &mut lines {
        let limit = place.cloud.profile().batch_limits.of(ActionKind::Start);
        line.least = line.machines.div_ceil(limit);
        line.calls = calls.get(*place).copied().unwrap_or_default();
    }
    let mut sum = Line::default();
    let mut figures = Vec::new();
    for (place, line) in lines {
        figures.push(line.figures(place.to_string()));
        sum = sum.and(line);
    }
    figures.push(sum.figures("together".into()));
    output::print_figures(HEADER, &figures)
}

const HEADER: [&str; 7] = [
    "CLOUD",
    "MACHINES",
    "CAME UP",
    "START CALLS",
    "MINIMUM",
    "LOOKS",
    "JOB LOOKS",
];

/// One line of the table of calls.
#[derive(Clone, Copy, Debug, Default)]
struct Line {
    machines: usize,
    up: usize,
    /// The fewest calls in which so many machines can be started.
    least: usize,
    calls: CallCounts,
}

impl Line {
    fn figures(self, name: String) -> [String; HEADER.len()] {
        [
            name,
            self.machines.to_string(),
            self.up.to_string(),
            self.calls.actions.to_string(),
            self.least.to_string(),
            self.calls.observations.to_string(),
            self.calls.jobs.to_string(),
        ]
    }

    fn and(mut self, other: Self) -> Self {
        self.machines += other.machines;
        self.up += other.up;
        self.least += other.least;
        self.calls += other.calls;
        self
    }
}
