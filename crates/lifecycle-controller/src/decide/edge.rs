//! The edge of a group: the last change of the wanted state, by the schedule or by a hold.

use jiff::{SignedDuration, Timestamp};

use super::rules::KeptGroup;
use crate::{
    record::{Edge, EdgeProgress, Hold, Wanted},
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

/// Returns the edge of a group.
pub fn group_edge(group: &KeptGroup, state: &State, now: Timestamp) -> GroupEdge {
    if let Some(hold) = state.hold(&group.name, now) {
        return held(hold);
    }
    let schedule = &group.schedule;
    let scheduled = schedule.wanted(now);
    let changed = schedule.last_change(now).map(|change| change.at);
    let mut at = changed.unwrap_or(Timestamp::MIN);
    let mut why = schedule_text(group, scheduled.wanted, changed);
    if let Some(end) = hold_end(state, &group.name, now).filter(|end| *end > at) {
        at = end;
        why = format!("{why}; the hold ended at {}", local(end, group));
    }
    // A pass after the change recorded another state: the configuration was changed since that pass.
    let recorded = state.edges.get(&EdgeKey::group(&group.name));
    let last_pass = state.last_pass.as_ref().map(|pass| pass.at);
    match (recorded, last_pass) {
        (Some(recorded), Some(last_pass)) if recorded.wanted != scheduled.wanted => {
            at = at.max(last_pass);
        }
        _ => {}
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
    let hold = state.holds.get(target)?;
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
