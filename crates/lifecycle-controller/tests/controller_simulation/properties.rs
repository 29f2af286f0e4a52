//! The properties of the controller that hold for every seed.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use lifecycle_controller::{ActionRecord, Wanted, decide::ActionName, keeper::PassReport};
use lifecycle_sim::{PowerOperation, SimulatedState};

use crate::stage::{Stage, StageGroup};

/// The time from an edge to the wanted state when nothing fails.
pub(crate) const BOUND: SignedDuration = SignedDuration::from_mins(15);
/// The setting `catch_up` of every case.
const CATCH_UP: SignedDuration = SignedDuration::from_hours(4);
/// The longest time from the beginning of a pass to the request of an action.
const LONGEST_PASS: SignedDuration = SignedDuration::from_mins(6);
/// A machine that the controller started is not stopped within this time.
const AFTER_START: Duration = Duration::from_secs(600);

/// The intents that were checked, and the last start of each machine since the clock was set.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    intents: usize,
    clock_set: Duration,
}

impl Checked {
    /// Notes that the clock of the keeper was set.
    pub(crate) fn clock_was_set(&mut self, stage: &Stage) {
        self.clock_set = stage.began.elapsed();
    }

    /// Checks the intents and executions since the last check. Schedule and holds explain every start and
    /// stop.
    pub(crate) fn check(&mut self, stage: &Stage) {
        self.check_executions(stage);
        let intents = stage.store.intents.lock().unwrap();
        for (index, (moment, intent, request)) in intents.iter().enumerate().skip(self.intents) {
            let wanted = match intent.action {
                ActionRecord::Start { .. } => Wanted::Running,
                ActionRecord::Stop { .. } => Wanted::Stopped,
                _ => continue,
            };
            for machine in intent.instances.iter().map(|sent| &sent.instance) {
                assert!(
                    wanted == Wanted::Running || !stage.is_protected(machine),
                    "{machine} is protected, and is stopped at {}",
                    request.at
                );
                let group = stage.group_of(machine);
                let decided = [request.at, request.at - LONGEST_PASS];
                assert!(
                    decided
                        .map(|at| stage.expected(group, machine, at))
                        .contains(&wanted),
                    "{machine} is not wanted {wanted:?} at {}: {}",
                    request.at,
                    request.why
                );
                if wanted == Wanted::Running {
                    continue;
                }
                let started = intents[..index].iter().rev().find(|(_, earlier, _)| {
                    let is_start = matches!(earlier.action, ActionRecord::Start { .. });
                    is_start
                        && earlier
                            .instances
                            .iter()
                            .any(|sent| sent.instance == *machine)
                });
                let Some((started, ..)) = started else {
                    continue;
                };
                let since = moment.duration_since(*started);
                assert!(
                    since >= AFTER_START || self.clock_set > started.duration_since(stage.began),
                    "{machine} is stopped {since:?} after its start"
                );
            }
        }
        self.intents = intents.len();
    }

    /// Checks that every execution has an intent before, and that no maintenance reboots twice.
    fn check_executions(&self, stage: &Stage) {
        let intents = stage.store.intents.lock().unwrap();
        let operations = stage.simulator.ledger().power_operations();
        for (group, machine) in stage.machines() {
            let executed = operations
                .iter()
                .filter(|record| record.instance == *machine);
            let mut counts = [0_usize; 3];
            for record in executed {
                let kind = kind(record.operation);
                counts[kind] += 1;
                let recorded = intents.iter().filter(|(moment, intent, _)| {
                    let index = match intent.action {
                        ActionRecord::Start { .. } => 0,
                        ActionRecord::Stop { .. } => 1,
                        _ => 2,
                    };
                    index == kind
                        && moment.duration_since(stage.began) <= record.at
                        && intent
                            .instances
                            .iter()
                            .any(|sent| sent.instance == *machine)
                });
                let (times, recorded) = (counts[kind], recorded.count());
                assert!(times <= recorded, "{record:?}: {times} of {recorded}");
            }
            assert!(
                counts[2] == 0 || !stage.is_protected(machine),
                "{machine} is protected, and was rebooted"
            );
            let occurrences = group.maintenance.iter();
            let due = occurrences.filter(|entry| {
                let last = entry.last_due(stage.now() + SignedDuration::from_hours(8));
                last.is_some_and(|due| due > stage.now() - SignedDuration::from_hours(24 * 6))
            });
            let due = due.count();
            assert!(
                counts[2] <= due,
                "{machine}: {} reboots of {due}",
                counts[2]
            );
        }
    }
}

/// Checks the report of a pass: the circuit breaker lets all changes through, or none.
pub(crate) fn check_report(stage: &Stage, report: &PassReport) {
    let actions = report.actions.iter();
    let changes = actions.filter(|(action, _)| action.action != ActionName::Reboot);
    let (changes, max) = (changes.count(), stage.max_changes());
    match report.blocked {
        Some(_) => assert_eq!(changes, 0, "a pass was blocked, and changed machines"),
        None => assert!(
            changes <= max,
            "{changes} changes in a pass, allowed: {max}"
        ),
    }
}

fn kind(operation: PowerOperation) -> usize {
    match operation {
        PowerOperation::Start => 0,
        PowerOperation::Stop | PowerOperation::ForcedStop => 1,
        _ => 2,
    }
}

/// Checks that a machine is in the wanted state, if the last change was long enough ago.
pub(crate) fn check_reached(stage: &Stage, since: Timestamp, with_touched: bool) {
    let now = stage.now();
    for (group, machine) in stage.machines() {
        let changed = last_change(stage, group, machine, now);
        let is_settled = now.duration_since(changed) >= BOUND && changed >= since;
        if !is_settled || (stage.touched.contains(machine) && !with_touched) {
            continue;
        }
        let wanted = match stage.expected(group, machine, now) {
            Wanted::Running => SimulatedState::Running,
            Wanted::Stopped if !stage.is_protected(machine) => SimulatedState::Stopped,
            _ => continue,
        };
        let seen = stage.state(machine);
        // A maintenance can be under way.
        let is_reboot = wanted == SimulatedState::Running && seen == SimulatedState::Rebooting;
        assert!(
            seen == wanted || is_reboot,
            "{machine} of {} is {seen} at {now}, wanted {wanted} since {changed}; {:?}; {:?}",
            group.name,
            stage.holds,
            stage.store.state.lock().unwrap().edges
        );
    }
}

/// Returns the last change of the wanted state, by the schedule or by a hold. A change of the schedule during a
/// hold counts from the end of the hold.
pub(crate) fn last_change(
    stage: &Stage,
    group: &StageGroup,
    machine: &str,
    now: Timestamp,
) -> Timestamp {
    let hold = |target: &str| stage.holds.iter().find(|hold| hold.target == target);
    let changed = group.schedule.last_change(now).map(|change| change.at);
    let changed = changed.unwrap_or(Timestamp::MIN);
    let of_group = match hold(&group.name) {
        Some(hold) if now < hold.until => hold.at,
        Some(hold) => changed.max(hold.until),
        None => changed,
    };
    match hold(machine) {
        Some(hold) if now < hold.until => hold.at,
        Some(hold) => of_group.max(hold.until),
        None => of_group,
    }
}

/// Checks that every action since `quiet` follows an edge: nothing else differed.
pub(crate) fn check_quiet(stage: &Stage, quiet: Timestamp, elapsed: Duration) {
    let operations = stage.simulator.ledger().power_operations();
    for record in operations.iter().filter(|record| record.at > elapsed) {
        let group = stage.group_of(&record.instance);
        let at = quiet + SignedDuration::try_from(record.at - elapsed).unwrap();
        let changed = last_change(stage, group, &record.instance, at);
        let due = group
            .maintenance
            .iter()
            .filter_map(|entry| entry.last_due(at));
        // A machine that was held or stopped is rebooted late, within `catch_up`.
        let (last, bound) = match kind(record.operation) {
            2 => (due.max().unwrap(), CATCH_UP + BOUND),
            _ => (changed, BOUND),
        };
        assert!(
            at.duration_since(last) < bound,
            "{record:?} at {at}: last change at {last}"
        );
    }
    for (group, machine) in stage.machines() {
        let due = group
            .maintenance
            .iter()
            .filter_map(|entry| entry.next_due(quiet));
        for due in due.filter(|due| *due + BOUND < stage.now()) {
            let around = [due - BOUND, due + BOUND];
            if around.map(|at| stage.expected(group, machine, at)) != [Wanted::Running; 2]
                || stage.is_protected(machine)
            {
                continue;
            }
            let rebooted = operations.iter().any(|record| {
                record.instance == *machine && record.at > elapsed && kind(record.operation) == 2
            });
            assert!(rebooted, "{machine} was not rebooted at {due}");
        }
    }
}
