//! `lifecycle demo`: starts 60 simulated instances, and shows the progress and the results.

use std::{collections::BTreeMap, time::Duration};

use lifecycle_facade::{ActionKind, CallCounts, Fleet, FleetError, InstanceReference, Location};
use lifecycle_sim::{ParseFleetError, Simulator};
use tokio::time::Instant;

use crate::{
    console::{Console, Format},
    exit::{CommandError, Exit},
    follow::{self, Summary},
    output::{self, RowFormat, RowKind},
    row::{self, RequestKind, Row},
    simulated, simulated_time,
};

/// 60 stopped instances, 15 in each cloud.
const INSTANCES: &str = "baidu/bj=15,aliyun/cn-hangzhou=15,zenlayer/global=15,huawei/cn-north-4=15";
/// Round trip time of one call.
const ROUND_TRIP: Duration = Duration::from_millis(80);
/// Time limit, much longer than the instances need.
const TIMEOUT: Duration = Duration::from_secs(600);

/// Starts simulated instances and prints the number of calls.
pub(crate) async fn run(console: Console) -> Result<Exit, CommandError> {
    let simulator = simulator().map_err(|bad| CommandError::nothing_done(bad.to_string()))?;
    let fleet = simulated::fleet_builder(&simulator)
        .configure_client(|client| client.seed(0))
        .build()?;
    let references = references(&simulator)?;
    console.notice(format_args!(
        "Starting {} simulated instances in four clouds, {} times as fast as real ones.",
        references.len(),
        simulated_time::SPEED
    ));
    let start = Instant::now();
    let signals = follow::listen()?;
    let events = fleet.start(&references).wait(TIMEOUT).events();
    let kind = RequestKind::Action;
    let followed = follow::follow(&references, events, kind, console, signals).await;
    let rows = followed.rows?;
    let exit = row::exit(&rows);
    console.notice(format_args!(
        "{} after {:.0} s of simulated time",
        Summary(&rows),
        start.elapsed().as_secs_f64(),
    ));
    console.notice(executed(&simulator, &references));
    match console.output {
        Format::Table => {
            print_details(&rows, console)?;
            print_calls(&fleet, &references, &rows)?;
        }
        _ => output::print_rows(rows, &RowFormat::default_of(RowKind::Outcomes, console))?,
    }
    if let Some(signal) = followed.signal {
        signal.end_process();
    }
    Ok(exit)
}

fn simulator() -> Result<Simulator, ParseFleetError> {
    let simulator = Simulator::builder().fleet(INSTANCES)?.latency(ROUND_TRIP);
    Ok(simulated::with_key(simulator).build())
}

fn references(simulator: &Simulator) -> Result<Vec<InstanceReference>, FleetError> {
    let instances = simulator.instances();
    Ok(instances
        .iter()
        .map(|instance| instance.parse())
        .collect::<Result<_, _>>()?)
}

/// Returns a text with the number of starts in the ledger of the simulated clouds.
fn executed(simulator: &Simulator, references: &[InstanceReference]) -> String {
    let ledger = simulator.ledger();
    let starts: Vec<u32> = references
        .iter()
        .filter_map(|reference| ledger.executed(&reference.to_string()))
        .map(|executed| executed.starts)
        .collect();
    let total: u32 = starts.iter().sum();
    match starts.iter().max() {
        Some(0 | 1) => format!("the clouds executed {total} starts, none of them twice"),
        _ => format!("the clouds executed {total} starts"),
    }
}

/// Prints all instances if the output is verbose, else only instances that do not run.
fn print_details(rows: &[Row], console: Console) -> Result<(), CommandError> {
    let wanted = |row: &&Row| console.is_verbose() || !row.is_as_requested();
    let selected: Vec<Row> = rows.iter().filter(wanted).cloned().collect();
    if selected.is_empty() {
        return Ok(());
    }
    let format = RowFormat::default_of(RowKind::Outcomes, console);
    output::print_rows(selected, &format)?;
    output::print("\n")
}

/// Prints the number of calls for each cloud.
fn print_calls(
    fleet: &Fleet,
    references: &[InstanceReference],
    rows: &[Row],
) -> Result<(), CommandError> {
    let mut lines: BTreeMap<&Location, Line> = BTreeMap::new();
    for (reference, row) in references.iter().zip(rows) {
        let line = lines.entry(&reference.location).or_default();
        line.instances += 1;
        line.running += usize::from(row.is_as_requested());
    }
    let calls = fleet.calls();
    for (location, line) in &mut lines {
        let limit = location.cloud.profile().batch_limits.of(ActionKind::Start);
        line.minimum = line.instances.div_ceil(limit);
        line.calls = calls.get(*location).copied().unwrap_or_default();
    }
    let mut sum = Line::default();
    let mut figures = Vec::new();
    for (location, line) in lines {
        figures.push(line.figures(location.to_string()));
        sum = sum.and(line);
    }
    figures.push(sum.figures("total".into()));
    output::print_figures(HEADER, &figures)
}

const HEADER: [&str; 7] = [
    "REGION",
    "INSTANCES",
    "RUNNING",
    "START CALLS",
    "MINIMUM",
    "POLLS",
    "JOB POLLS",
];

/// One line of the table of calls.
#[derive(Clone, Copy, Debug, Default)]
struct Line {
    instances: usize,
    running: usize,
    /// The lowest possible number of start calls.
    minimum: usize,
    calls: CallCounts,
}

impl Line {
    fn figures(self, name: String) -> [String; HEADER.len()] {
        [
            name,
            self.instances.to_string(),
            self.running.to_string(),
            self.calls.actions.to_string(),
            self.minimum.to_string(),
            self.calls.observations.to_string(),
            self.calls.jobs.to_string(),
        ]
    }

    fn and(mut self, other: Self) -> Self {
        self.instances += other.instances;
        self.running += other.running;
        self.minimum += other.minimum;
        self.calls += other.calls;
        self
    }
}
