//! `lifecycle status --watch`: looks at instances again and again, and shows changes.

use std::{collections::HashMap, time::Duration};

use ::console::Term;
use jiff::{Timestamp, Unit};
use lifecycle_facade::{Fleet, FleetError, InstanceReference, PowerState};
use tokio::time::{Instant, sleep, sleep_until};

use crate::{
    console::{Console, Format, eprint_warning},
    exit::{CommandError, Exit},
    interrupt::{ReceivedSignal, SignalListener},
    output::{RowFormat, RowWriter, Screen},
    row::{self, Row, Sighting},
    terminal,
};

/// A repeated look at instances.
pub(crate) struct Watch<'a> {
    pub(crate) fleet: &'a Fleet,
    pub(crate) references: &'a [InstanceReference],
    /// The watch ends when every instance is in this state, or is stuck in another state.
    pub(crate) goal: Option<PowerState>,
    /// The time between two looks.
    pub(crate) interval: Duration,
    /// The watch ends after this time; `None` for no limit.
    pub(crate) time_limit: Option<Duration>,
    pub(crate) format: RowFormat,
    pub(crate) console: Console,
}

/// The time between two looks without `--interval`.
pub(crate) const INTERVAL: Duration = Duration::from_secs(10);

/// The time without a change or a summary after which the next look writes a summary to standard error, if
/// standard error is not a terminal.
const SUMMARY_AFTER: Duration = Duration::from_secs(60);

/// The time for the end of the first look after the time limit.
const FIRST_LOOK_GRACE: Duration = Duration::from_secs(1);

/// The end of a watch.
enum End {
    Exit(Exit),
    Interrupted(ReceivedSignal),
}

impl Watch<'_> {
    /// Watches until the goal is reached or cannot be reached, the time limit, a signal, or the end of the
    /// program that reads standard output.
    ///
    /// # Errors
    /// The signal handlers cannot be installed, the first look failed, or standard output is not writable.
    /// Later looks that fail are warnings.
    pub(crate) async fn run(self) -> Result<Exit, CommandError> {
        let mut signals = SignalListener::listen().map_err(|error| {
            CommandError::nothing_done(format!("cannot handle signals: {error}"))
        })?;
        let is_terminal =
            self.format.format == Format::Table && terminal::width(&Term::stdout()).is_some();
        let mut display = match is_terminal {
            true => Display::Screen(Screen::new(self.format.clone())),
            false => Display::Lines(RowWriter::new(self.format.clone())),
        };
        let end = self.watch(&mut display, &mut signals).await;
        signals.exit_at_next_signal();
        display.finish()?;
        match end? {
            End::Exit(exit) => Ok(exit),
            End::Interrupted(signal) => signal.end_process(),
        }
    }

    async fn watch(
        &self,
        display: &mut Display,
        signals: &mut SignalListener,
    ) -> Result<End, CommandError> {
        let start = Instant::now();
        let mut seen = Seen::default();
        let mut last_output = start;
        loop {
            let time_limit = match seen.rows.is_empty() {
                // The first look ends by its own time limit, with the reason in its rows.
                true => self.time_limit.map(|limit| limit + FIRST_LOOK_GRACE),
                false => self.time_limit,
            };
            let rows = tokio::select! {
                rows = self.look() => rows,
                signal = signals.received() => return Ok(End::Interrupted(signal)),
                () = until_time_limit(start, time_limit) => return self.at_limit(&seen),
            };
            let rows = match rows {
                Ok(rows) => rows,
                Err(error) if seen.rows.is_empty() => return Err(error.into()),
                Err(error) => {
                    eprint_warning(&error.to_string());
                    Vec::new()
                }
            };
            let changed = seen.update(rows);
            if changed > 0 {
                last_output = Instant::now();
            }
            if !display.show(&seen)? {
                return Ok(End::Exit(Exit::Complete));
            }
            if let Some(exit) = self.goal_exit(&seen.rows) {
                return Ok(End::Exit(exit));
            }
            if last_output.elapsed() >= SUMMARY_AFTER && terminal::width(&Term::stderr()).is_none()
            {
                last_output = Instant::now();
                let elapsed = start.elapsed().as_secs();
                self.console
                    .notice(format_args!("after {elapsed} s: {}", seen.summary()));
            }
            tokio::select! {
                () = sleep(self.interval) => {}
                signal = signals.received() => return Ok(End::Interrupted(signal)),
                () = until_time_limit(start, self.time_limit) => return self.at_limit(&seen),
            }
        }
    }

    async fn look(&self) -> Result<Vec<Row>, FleetError> {
        let mut request = self.fleet.observe(self.references);
        if self.format.has_details() {
            request = request.details();
        }
        let statuses = request.await?;
        Ok(statuses.iter().map(Row::of_status).collect())
    }

    /// Returns the exit code if the watch ends: every instance is in the requested state, or every other
    /// instance is stuck.
    fn goal_exit(&self, rows: &[Row]) -> Option<Exit> {
        let goal = self.goal?;
        if rows.iter().all(|row| row.is_in(goal)) {
            return Some(Exit::Complete);
        }
        let is_final = |row: &Row| row.is_in(goal) || row.is_stuck();
        rows.iter().all(is_final).then_some(Exit::Incomplete)
    }

    /// Returns the end of the watch at the time limit.
    ///
    /// # Errors
    /// No look at the instances has ended.
    fn at_limit(&self, seen: &Seen) -> Result<End, CommandError> {
        if seen.rows.is_empty() {
            let limit = self.time_limit.unwrap_or_default().as_secs_f64();
            return Err(CommandError::nothing_done(format!(
                "no state of an instance within {limit} s; increase --timeout"
            )));
        }
        Ok(End::Exit(limit_exit(&seen.rows, self.goal)))
    }
}

/// Returns the exit code of the last rows at the time limit. With a goal, [`Exit::TimeLimit`] says that every instance can
/// still reach the goal.
fn limit_exit(rows: &[Row], goal: Option<PowerState>) -> Exit {
    let exit = row::exit(rows);
    let Some(goal) = goal.filter(|_| exit == Exit::Complete) else {
        return exit;
    };
    let mut unmet = rows.iter().filter(|row| !row.is_in(goal));
    match unmet.any(Row::is_stuck) {
        true => Exit::Incomplete,
        false => Exit::TimeLimit,
    }
}

/// Ends at the time limit; never without a limit.
async fn until_time_limit(start: Instant, time_limit: Option<Duration>) {
    match time_limit {
        Some(limit) => sleep_until(start + limit).await,
        None => std::future::pending().await,
    }
}

/// The instances as last seen.
#[derive(Default)]
struct Seen {
    rows: Vec<Row>,
}

impl Seen {
    /// Takes the rows of a look, and returns the number of changes. Without rows, the look failed, and nothing
    /// has changed as far as is known.
    fn update(&mut self, rows: Vec<Row>) -> usize {
        let is_first = self.rows.is_empty();
        if rows.is_empty() {
            for row in &mut self.rows {
                row.sighting.iter_mut().for_each(|seen| seen.is_new = false);
            }
            return 0;
        }
        let now = Timestamp::now().round(Unit::Second).unwrap_or_default();
        let before: HashMap<InstanceReference, Row> = self
            .rows
            .drain(..)
            .map(|row| (row.reference.clone(), row))
            .collect();
        self.rows = rows;
        for row in &mut self.rows {
            row.sighting = Some(match before.get(&row.reference) {
                Some(old) if old.state() == row.state() => Sighting {
                    is_new: false,
                    ..old.sighting.clone().unwrap_or_default()
                },
                old => Sighting {
                    at: now,
                    previous: old.and_then(Row::state),
                    is_new: true,
                    is_first,
                },
            });
        }
        self.changed().count()
    }

    fn changed(&self) -> impl Iterator<Item = &Row> {
        let is_new = |row: &&Row| row.sighting.as_ref().is_some_and(|seen| seen.is_new);
        self.rows.iter().filter(is_new)
    }

    /// Returns a text such as `2 running, 1 stopped`.
    fn summary(&self) -> String {
        let mut counts: Vec<(&str, usize)> = Vec::new();
        for row in &self.rows {
            let state = row.state().unwrap_or("not known");
            match counts.iter_mut().find(|(known, _)| *known == state) {
                Some((_, count)) => *count += 1,
                None => counts.push((state, 1)),
            }
        }
        let counts: Vec<String> = counts
            .iter()
            .map(|(state, count)| format!("{count} {state}"))
            .collect();
        counts.join(", ")
    }
}

/// The output of a watch.
enum Display {
    /// The current states of all instances on a terminal.
    Screen(Screen),
    /// One row for each change.
    Lines(RowWriter),
}

impl Display {
    /// Shows the states. Returns `false` if no program reads standard output any more.
    fn show(&mut self, seen: &Seen) -> Result<bool, CommandError> {
        match self {
            Self::Screen(screen) => screen.draw(&seen.rows),
            Self::Lines(writer) => writer.write(seen.changed().cloned().collect()),
        }
    }

    fn finish(self) -> Result<(), CommandError> {
        match self {
            Self::Screen(_) => Ok(()),
            Self::Lines(writer) => writer.finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use lifecycle_facade::{Fault, FaultKind, InstanceId, InstanceStatus, Observation};

    use super::*;

    fn row(id: &str, state: PowerState) -> Row {
        let reference = format!("baidu/bj/{id}").parse().unwrap();
        let observation = Observation::new(InstanceId::new(id).unwrap(), state, "x");
        Row::of_observation(reference, observation)
    }

    #[test]
    fn exit_at_the_limit_is_the_time_limit_only_if_every_instance_can_reach_the_goal() {
        use PowerState::{Failed, Running, Starting};
        let fault = Fault::new(FaultKind::NotFound, "no such instance");
        let reference: InstanceReference = "baidu/bj/c".parse().unwrap();
        let missing = InstanceStatus::new(reference, Err(fault));
        let missing = || Row::of_status(&missing);
        let moving = || vec![row("a", Running), row("b", Starting)];
        for (rows, goal, expected) in [
            (moving(), Some(Running), Exit::TimeLimit),
            (moving(), None, Exit::Complete),
            (
                vec![row("a", Starting), row("b", Failed)],
                Some(Running),
                Exit::Incomplete,
            ),
            (
                vec![row("a", Starting), missing()],
                Some(Running),
                Exit::Incomplete,
            ),
            (vec![missing()], None, Exit::Incomplete),
        ] {
            assert_eq!(limit_exit(&rows, goal), expected, "{rows:?}");
        }
    }

    #[test]
    fn change_is_new_for_one_look_and_keeps_the_previous_state() {
        use PowerState::{Running, Starting, Stopped};
        let mut seen = Seen::default();
        assert_eq!(seen.update(vec![row("a", Stopped), row("b", Running)]), 2);
        assert_eq!(seen.update(vec![row("a", Stopped), row("b", Running)]), 0);
        assert_eq!(seen.update(vec![row("a", Starting), row("b", Running)]), 1);
        let changed: Vec<&Row> = seen.changed().collect();
        assert_eq!(changed[0].instance(), "baidu/bj/a");
        let sighting = changed[0].sighting.clone().unwrap();
        assert_eq!(sighting.previous, Some("stopped"));
        // A failed look is no change.
        assert_eq!(seen.update(Vec::new()), 0);
        assert_eq!(seen.changed().count(), 0);
        assert_eq!(seen.summary(), "1 starting, 1 running");
        assert_eq!(seen.update(vec![row("a", Starting), row("b", Running)]), 0);
        let sighting = seen.rows[0].sighting.clone().unwrap();
        assert_eq!(sighting.previous, Some("stopped"));
    }
}
