//! The edge of a group: the last change of the wanted state, by the schedule or by a hold.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::rules::{KeptGroup, Rules};
use crate::{
    record::{Edge, EdgeProgress, Hold, Wanted},
    schedule::{Change, Schedule, ScheduledState},
    state::{EdgeKey, State},
};

/// The wanted state of a group, and the moment since which the state is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupEdge {
    /// The wanted state.
    pub wanted: Wanted,
    /// The moment of the change.
    pub at: Timestamp,
    /// The hold that wants the state; `None` for the schedule.
    pub hold: Option<Hold>,
    /// The reason in words.
    pub why: String,
    /// The calendar of the schedule has ended: holidays are unknown.
    pub calendar_ended: bool,
}

impl GroupEdge {
    /// Returns true if the record is of this edge.
    pub(super) fn is(&self, recorded: &Edge) -> bool {
        recorded.wanted == self.wanted && recorded.edge >= self.at
    }

    /// Returns a record of this edge.
    pub(super) fn record(
        &self,
        group: &str,
        instance: Option<&str>,
        progress: EdgeProgress,
        now: Timestamp,
    ) -> Edge {
        Edge {
            group: group.to_owned(),
            instance: instance.map(str::to_owned),
            wanted: self.wanted,
            edge: self.at,
            progress,
            at: now,
        }
    }
}

/// Returns the delay after the given number of failures: 1, 2, 4, 8, 16, 30, 30 … minutes.
pub fn retry_delay(failures: u32) -> SignedDuration {
    let minutes = 1_i64 << failures.saturating_sub(1).min(5);
    SignedDuration::from_mins(minutes.min(30))
}

/// Returns the end of a delay that began at `since`; `None` if the delay is over.
///
/// A beginning further in the future than the delay is from a clock that was set back, and delays nothing.
pub(super) fn delayed_until(
    since: Timestamp,
    delay: SignedDuration,
    now: Timestamp,
) -> Option<Timestamp> {
    let end = since.checked_add(delay).ok()?;
    (end > now && since.duration_since(now) < delay).then_some(end)
}

impl EdgeProgress {
    /// Returns the time of the next attempt; `None` if no attempt was made, or an attempt is due.
    pub(crate) fn retry_at(&self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Open {
                failures,
                last_action,
            } => delayed_until((*last_action)?, retry_delay(*failures), now),
            _ => None,
        }
    }
}

/// The edges of all groups at one moment.
#[derive(Debug)]
pub(crate) struct Edges<'r> {
    groups: BTreeMap<&'r str, KeptEdge<'r>>,
}

/// A group, its edge, and the next change of its schedule.
#[derive(Debug)]
pub(crate) struct KeptEdge<'r> {
    pub(crate) group: &'r KeptGroup,
    pub(crate) edge: GroupEdge,
    pub(crate) next: Option<Change>,
}

impl<'r> Edges<'r> {
    /// Returns the edges at `now`.
    pub(crate) fn new(rules: &'r Rules, state: &State, now: Timestamp) -> Self {
        let mut moments: BTreeMap<&str, ScheduleMoment<'_>> = BTreeMap::new();
        let groups = rules.groups.iter().map(|group| {
            // A fleet has many groups and few schedules.
            let known = moments.remove(group.schedule_name.as_str());
            let known = known.filter(|known| *known.schedule == group.schedule);
            let moment = known.unwrap_or_else(|| ScheduleMoment::new(&group.schedule, now));
            let kept = KeptEdge {
                group,
                edge: edge_at(group, &moment, state, now),
                next: moment.next,
            };
            moments.insert(&group.schedule_name, moment);
            (group.name.as_str(), kept)
        });
        Self {
            groups: groups.collect(),
        }
    }

    /// Returns the edge of a kept group.
    pub(crate) fn get(&self, group: &str) -> Option<&KeptEdge<'r>> {
        self.groups.get(group)
    }

    /// Returns all edges.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &KeptEdge<'r>> {
        self.groups.values()
    }
}

/// A schedule at one moment, and its changes before and after the moment.
struct ScheduleMoment<'s> {
    schedule: &'s Schedule,
    state: ScheduledState,
    last: Option<Change>,
    next: Option<Change>,
}

impl<'s> ScheduleMoment<'s> {
    fn new(schedule: &'s Schedule, now: Timestamp) -> Self {
        Self {
            schedule,
            state: schedule.wanted(now),
            last: schedule.last_change(now),
            next: schedule.next_change(now),
        }
    }
}

/// Returns the edge of a group.
pub fn group_edge(group: &KeptGroup, state: &State, now: Timestamp) -> GroupEdge {
    edge_at(
        group,
        &ScheduleMoment::new(&group.schedule, now),
        state,
        now,
    )
}

fn edge_at(
    group: &KeptGroup,
    moment: &ScheduleMoment<'_>,
    state: &State,
    now: Timestamp,
) -> GroupEdge {
    if let Some(hold) = state.hold(&group.name, now) {
        return held(hold);
    }
    let scheduled = moment.state;
    let changed = moment.last.map(|change| change.at);
    let mut at = changed.unwrap_or(Timestamp::MIN);
    let mut why = schedule_text(group, scheduled.wanted, changed);
    if let Some(end) = hold_end(state, &group.name, now).filter(|end| *end > at) {
        at = end;
        why = format!("{why}; the hold ended at {}", local(end, group));
    }
    if let Some(recorded) = state.edges.get(&EdgeKey::group(&group.name)) {
        let since = match recorded.wanted == scheduled.wanted {
            // A changed configuration is an edge that the schedule does not tell.
            true => Some(recorded.edge).filter(|edge| *edge <= now),
            // A pass after the change recorded another state: the configuration was changed since that pass.
            false => state.log.last_pass(&group.name).map(|pass| pass.min(now)),
        };
        at = since.map_or(at, |since| at.max(since));
    }
    GroupEdge {
        wanted: scheduled.wanted,
        at,
        hold: None,
        why,
        calendar_ended: scheduled.calendar_ended,
    }
}

/// Returns the edge of a machine that is held itself, or was held since the edge of its group.
pub(super) fn machine_edge(
    instance: &str,
    group: &GroupEdge,
    state: &State,
    now: Timestamp,
) -> GroupEdge {
    if let Some(hold) = state.hold(instance, now) {
        return held(hold);
    }
    let mut edge = group.clone();
    if let Some(end) = hold_end(state, instance, now) {
        edge.at = edge.at.max(end);
    }
    edge
}

fn held(hold: &Hold) -> GroupEdge {
    GroupEdge {
        wanted: hold.state,
        at: hold.at,
        hold: Some(hold.clone()),
        why: format!(
            "hold of {} by {}: {} until {}: {}",
            hold.target,
            hold.by,
            hold.state.as_str(),
            hold.until,
            hold.why
        ),
        calendar_ended: false,
    }
}

/// Returns the end of a hold that has ended.
fn hold_end(state: &State, target: &str, now: Timestamp) -> Option<Timestamp> {
    let hold = state.last_hold(target)?;
    (hold.until <= now).then_some(hold.until)
}

fn schedule_text(group: &KeptGroup, wanted: Wanted, since: Option<Timestamp>) -> String {
    let (name, wanted) = (&group.schedule_name, wanted.as_str());
    match since {
        Some(since) => {
            let since = local(since, group);
            format!("schedule {name}: {wanted} since {since}")
        }
        None => format!("schedule {name}: {wanted}"),
    }
}

/// Returns a time as on the clock of the schedule's zone.
fn local(at: Timestamp, group: &KeptGroup) -> String {
    let at = at.to_zoned(group.schedule.zone.clone());
    at.strftime("%Y-%m-%d %H:%M %:z").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delay_is_over_if_its_beginning_is_far_in_the_future() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let delay = SignedDuration::from_secs(60);
        for (since, until) in [
            (0, None),
            (940, None),
            (941, Some(1_001)),
            (1_000, Some(1_060)),
            (1_059, Some(1_119)),
            // The clock was set back.
            (1_060, None),
            (90_000, None),
        ] {
            let ends = delayed_until(at(since), delay, at(1_000));
            assert_eq!(ends, until.map(at), "{since}");
        }
    }
}
