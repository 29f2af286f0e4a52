//! Carrying a request out: its events become progress, its report becomes rows, and Ctrl-C ends it
//! with what is known by then.

use std::{fmt, time::Duration};

use futures_util::StreamExt;
use lifecycle_facade::{
    Event, Fleet, FleetError, FleetEvent, FleetEventStream, FleetReport, InstanceReference,
};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::{
    console::{Console, Format, eprint_line, plain},
    exit::{CommandError, Exit},
    facts::Facts,
    interrupt::Interrupt,
    output::{self, Columns},
    progress::Progress,
    row::{self, RequestKind, Row},
};

/// Carries a request out to its end and prints what became of it.
///
/// # Errors
/// [`CommandError`] when nothing was sent to any cloud.
pub(crate) async fn to_the_end(
    fleet: &Fleet,
    references: &[InstanceReference],
    events: FleetEventStream<'_>,
    kind: RequestKind,
    console: Console,
) -> Result<Exit, CommandError> {
    let began = Instant::now();
    let rows = match follow(fleet, references, events, kind, console).await {
        Ok(rows) => rows,
        Err(error) => return nothing_sent(references, error, console),
    };
    output::print_rows(&rows, Columns::Outcomes, console)?;
    eprint_line(format_args!(
        "{} after {:.1} s{}",
        Summary(&rows),
        began.elapsed().as_secs_f64(),
        if console.simulated_time {
            " of simulated time"
        } else {
            ""
        },
    ));
    Ok(row::exit(&rows))
}

/// Carries a request out to its end, or to the next interruption. Gives one row for each instance,
/// in the order of the request.
///
/// # Errors
/// [`FleetError`] when nothing was sent to any cloud.
pub(crate) async fn follow(
    fleet: &Fleet,
    references: &[InstanceReference],
    mut events: FleetEventStream<'_>,
    kind: RequestKind,
    console: Console,
) -> Result<Vec<Row>, FleetError> {
    let mut interrupt = Interrupt::listen()
        .map_err(|error| FleetError::Setup(format!("signals cannot be listened to: {error}")))?;
    let mut facts = Facts::new(references, kind);
    let progress = Progress::new(&facts, console);
    let mut ticks = interval(Duration::from_millis(100));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            // What is known is taken in before anything else.
            biased;
            event = events.next() => match event {
                Some(FleetEvent::Finished(result)) => return Ok(rows(&result?, kind)),
                Some(event) => {
                    if let Some(line) = remark(&event).filter(|_| console.is_verbose()) {
                        progress.eprint_line(line);
                    }
                    facts.note(&event);
                }
                // Cannot happen: the last event is the end.
                None => break,
            },
            () = interrupt.received() => break,
            _ = ticks.tick() => progress.show(&facts),
        }
    }
    // Nothing more is sent from here on.
    drop(events);
    drop(progress);
    interrupt.end_at_next();
    eprint_line(match kind {
        RequestKind::Action => "interrupted: nothing more is sent, and what was sent is not undone",
        RequestKind::Wait => "interrupted: nothing was changed",
    });
    let calls = fleet.calls();
    let has_acted = |place: &_| calls.get(place).is_some_and(|calls| calls.actions > 0);
    Ok(facts.cut_off(has_acted))
}

fn rows(report: &FleetReport, kind: RequestKind) -> Vec<Row> {
    report
        .rows()
        .iter()
        .map(|row| Row::of_report(&row.reference, &row.report, kind))
        .collect()
}

/// What a person who asked for it is told on the way.
fn remark(event: &FleetEvent) -> Option<String> {
    let (place, event) = match event {
        FleetEvent::In(place, event) => (place, event),
        FleetEvent::Wave {
            number,
            of,
            instances,
        } => return Some(format!("wave {number} of {of}: {instances} instances")),
        _ => return None,
    };
    let text = match event {
        Event::Throttled { operation, wait } => format!(
            "{operation} is throttled: again in {:.1} s",
            wait.as_secs_f64()
        ),
        Event::Retrying {
            operation,
            attempt,
            wait,
            fault,
        } => format!(
            "{operation} failed ({fault}): attempt {attempt} in {:.1} s",
            wait.as_secs_f64()
        ),
        Event::Forcing { instance } => format!("{instance} is not down in time: forcing it"),
        Event::Unclear { instance, fault } => format!(
            "nobody knows whether it was carried out for {instance} ({fault}): looking at it"
        ),
        _ => return None,
    };
    Some(plain(&format!("{place}: {text}")))
}

/// Nothing was sent: programs get a row for each instance all the same.
fn nothing_sent(
    references: &[InstanceReference],
    error: FleetError,
    console: Console,
) -> Result<Exit, CommandError> {
    let error = CommandError::from(error);
    if console.output == Format::Json && error.exit == Exit::NothingDone {
        let skipped = |reference| Row::unsent(reference, Some("skipped"), &error);
        let rows: Vec<Row> = references.iter().map(skipped).collect();
        output::print_rows(&rows, Columns::Outcomes, console)?;
    }
    Err(error)
}

/// How many rows have which outcome: `58 reached, 2 refused`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Summary<'r>(pub(crate) &'r [Row]);

/// In the order from good to bad.
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
