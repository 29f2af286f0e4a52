//! Runs a request to the end: events update the progress, the report becomes rows, and Ctrl-C
//! cancels the request.

use std::{fmt, path::Path, time::Duration};

use ::console::Term;
use futures_util::FutureExt;
use lifecycle_facade::{
    Event, Fault, FaultKind, FleetError, FleetEvent, FleetEventStream, FleetReport,
    InstanceReference, InstanceReport, Outcome,
};
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at};

use crate::{
    console::Console,
    exit::{CommandError, Exit},
    interrupt::{ReceivedSignal, SignalListener},
    output::{self, RowFormat},
    progress::Progress,
    progress_state::ProgressState,
    row::{self, RequestKind, Row},
    terminal,
};

/// The kind of a request, and the output of its rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowOutput<'a> {
    pub(crate) kind: RequestKind,
    pub(crate) format: &'a RowFormat,
    pub(crate) console: Console,
}

/// Executes a request and prints the outcomes, after the rows of instances that the request leaves alone. An
/// interrupted request with a journal can be finished later, and a notice says so.
///
/// # Errors
/// [`CommandError`] if nothing was sent to any cloud.
pub(crate) async fn to_the_end(
    references: &[InstanceReference],
    left_alone: Vec<Row>,
    events: FleetEventStream,
    journal: Option<&Path>,
    row_output: RowOutput<'_>,
    signals: SignalListener,
) -> Result<Exit, CommandError> {
    let RowOutput { kind, console, .. } = row_output;
    let start = Instant::now();
    let followed = follow(references, events, kind, console, signals).await;
    let result = match followed.rows {
        Ok(rows) => {
            let rows = left_alone.into_iter().chain(rows).collect();
            print(rows, start, row_output.format, console)
        }
        Err(error) => Err(nothing_sent(references, error, row_output)),
    };
    if let Some(signal) = followed.signal {
        if let Some(journal) = journal.filter(|_| followed.is_interrupted) {
            let path = journal.display();
            console.notice(format_args!(
                "finish the request with: lifecycle resume {path}"
            ));
        }
        if let Err(error) = &result {
            error.print();
        }
        signal.end_process();
    }
    result
}

/// Prints the outcomes and a summary.
fn print(
    rows: Vec<Row>,
    start: Instant,
    format: &RowFormat,
    console: Console,
) -> Result<Exit, CommandError> {
    let exit = row::exit(&rows);
    let summary = Summary(&rows).to_string();
    output::print_rows(rows, format)?;
    console.notice(format_args!(
        "{summary} after {:.1} s{}",
        start.elapsed().as_secs_f64(),
        if console.simulated_time {
            " of simulated time"
        } else {
            ""
        },
    ));
    Ok(exit)
}

/// The result of a request.
#[derive(Debug)]
pub(crate) struct Followed {
    /// One row for each instance, in the order of the request; an error if nothing was sent to any cloud.
    pub(crate) rows: Result<Vec<Row>, FleetError>,
    /// The signal that arrived before the end of the request, or together with the end. The process ends by the same
    /// signal after the output.
    pub(crate) signal: Option<ReceivedSignal>,
    /// `true` if the signal ended the request.
    pub(crate) is_interrupted: bool,
}

/// Executes a request up to its end or to a signal. A signal after that ends the process, even in the middle of output.
pub(crate) async fn follow(
    references: &[InstanceReference],
    mut events: FleetEventStream,
    kind: RequestKind,
    console: Console,
    mut signals: SignalListener,
) -> Followed {
    let mut state = ProgressState::new(references);
    let progress = Progress::new(&state, console);
    let mut ticks = interval(Duration::from_millis(100));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let start = Instant::now();
    let mut heartbeat = interval_at(start + HEARTBEAT, HEARTBEAT);
    let signal = loop {
        tokio::select! {
            // A known outcome takes precedence over a signal.
            biased;
            event = events.next() => match event {
                Some(Event::Finished(result)) => {
                    drop(progress);
                    let signal = signals.received().now_or_never();
                    signals.exit_at_next_signal();
                    return Followed {
                        rows: result.map(|report| rows(&report, kind)),
                        signal,
                        is_interrupted: false,
                    };
                }
                Some(event) => {
                    if let Some(line) = remark(&event).filter(|_| console.is_verbose()) {
                        progress.eprint_line(line);
                    }
                    state.record(&event);
                }
                // Unreachable: the last event is `Finished`.
                None => break None,
            },
            signal = signals.received() => break Some(signal),
            _ = ticks.tick() => progress.show(&state),
            now = heartbeat.tick() => {
                if terminal::width(&Term::stderr()).is_none() {
                    console.notice(heartbeat_line(now - start, &state));
                }
            }
        }
    };
    let report = events.cancel();
    drop(progress);
    signals.exit_at_next_signal();
    console.notice(match kind {
        RequestKind::Action | RequestKind::Stop => {
            "interrupted: nothing more is sent, and what was sent is not undone"
        }
        RequestKind::Wait => "interrupted: nothing was changed",
    });
    Followed {
        rows: report.map(|report| rows(&report, kind)),
        signal,
        is_interrupted: true,
    }
}

/// The time between two lines of a long wait without a terminal. CI systems end a job that prints nothing
/// for ten minutes.
const HEARTBEAT: Duration = Duration::from_secs(60);

/// Returns a line such as `after 60 s: 4 of 10 instances have a result (5 starting, 1 refused)`.
fn heartbeat_line(elapsed: Duration, state: &ProgressState) -> String {
    let tally = state.tally();
    let words = match tally.words() {
        words if words.is_empty() => words,
        words => format!(" ({words})"),
    };
    format!(
        "after {} s: {} of {} instances have a result{words}",
        elapsed.as_secs(),
        tally.settled,
        tally.instances
    )
}

fn rows(report: &FleetReport, kind: RequestKind) -> Vec<Row> {
    let rows = report.instances().iter();
    rows.map(|row| Row::of_report(row, kind)).collect()
}

/// Returns the line for an event in verbose output.
fn remark(event: &FleetEvent) -> Option<String> {
    let region = |instances: &[InstanceReference]| {
        let first = instances.first();
        first.map_or_else(String::new, |first| first.location.to_string())
    };
    let line = match event {
        Event::Wave {
            number,
            of,
            instances,
        } => format!("wave {number} of {of}: {} instances", instances.len()),
        Event::Pause { number, wait } => {
            format!("pause of {} s before wave {number}", wait.as_secs_f64())
        }
        Event::Throttled {
            operation,
            instances,
            wait,
        } => format!(
            "{}: {operation} is throttled: again in {:.1} s",
            region(instances),
            wait.as_secs_f64()
        ),
        Event::Retrying {
            operation,
            instances,
            attempt,
            wait,
            fault,
        } => format!(
            "{}: {operation} failed ({fault}): attempt {attempt} in {:.1} s",
            region(instances),
            wait.as_secs_f64()
        ),
        Event::Forcing { instance } => format!("{instance}: still running; force-stop follows"),
        Event::Unclear { instance, fault } => {
            format!("{instance}: unclear whether the action was executed ({fault}); checking")
        }
        _ => return None,
    };
    Some(line)
}

/// Runs a step that precedes the action, up to its end or to a signal. After a signal every instance has a row,
/// and the process ends by the signal.
pub(crate) async fn before_sending<T>(
    step: impl Future<Output = T>,
    references: &[InstanceReference],
    left_alone: &[Row],
    row_output: RowOutput<'_>,
    signals: &mut SignalListener,
) -> T {
    let signal = tokio::select! {
        result = step => return result,
        signal = signals.received() => signal,
    };
    signals.exit_at_next_signal();
    row_output.console.notice("interrupted: nothing was sent");
    let rows = references.iter().map(|reference| {
        let fault = Fault::new(FaultKind::Cancelled, "interrupted before the action");
        let report = InstanceReport::new(reference.clone(), Outcome::Skipped(fault));
        Row::of_report(&report, row_output.kind)
    });
    let rows = left_alone.iter().cloned().chain(rows).collect();
    if let Err(error) = output::print_rows(rows, row_output.format) {
        error.print();
    }
    signal.end_process()
}

/// Receives signals from now on.
///
/// # Errors
/// The system has no room for a signal handler.
pub(crate) fn listen() -> Result<SignalListener, CommandError> {
    SignalListener::listen()
        .map_err(|error| CommandError::nothing_done(format!("cannot listen for signals: {error}")))
}

/// Handles an error before the first call. Output for programs still has one row for each instance.
pub(crate) fn nothing_sent(
    references: &[InstanceReference],
    error: FleetError,
    row_output: RowOutput<'_>,
) -> CommandError {
    let RowOutput { kind, format, .. } = row_output;
    let error = CommandError::from(error);
    if format.format.is_for_programs() && error.exit == Exit::NothingDone {
        let skipped = |reference| Row::unsent(reference, Some(kind), &error);
        let rows = references.iter().map(skipped).collect();
        if let Err(unprinted) = output::print_rows(rows, format) {
            return unprinted;
        }
    }
    error
}

/// The number of rows by outcome, such as `58 reached, 2 refused`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Summary<'r>(pub(crate) &'r [Row]);

/// All outcomes, from good to bad.
const OUTCOMES: [&str; 7] = [
    "reached",
    "accepted",
    "unchanged",
    "pending",
    "uncertain",
    "refused",
    "skipped",
];

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for outcome in OUTCOMES {
            let count = self
                .0
                .iter()
                .filter(|row| row.outcome == Some(outcome))
                .count();
            if count > 0 {
                write!(f, "{separator}{count} {outcome}")?;
                separator = ", ";
            }
        }
        Ok(())
    }
}
