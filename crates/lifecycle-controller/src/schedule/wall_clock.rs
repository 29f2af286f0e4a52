//! The clock on the wall of a zone: from a reading to a moment, and the readings around a moment.

use jiff::{
    SignedDuration, Timestamp,
    civil::DateTime,
    tz::{AmbiguousOffset, TimeZone},
};

/// The clock changes beside a window are at most this far away. The largest jump was one day.
const AROUND: SignedDuration = SignedDuration::from_hours(72);
const MOMENT: SignedDuration = SignedDuration::from_nanos(1);

/// Returns the first moment at which the clock shows `reading` or jumps over `reading`.
pub(super) fn first_moment(zone: &TimeZone, reading: DateTime) -> Option<Timestamp> {
    match zone.to_ambiguous_timestamp(reading).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(reading).ok(),
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(reading).ok(),
        AmbiguousOffset::Gap { before, .. } => jump(zone, before.to_timestamp(reading).ok()?),
    }
}

/// Returns the last moment at which the clock shows `reading` or jumps over `reading`.
pub(super) fn last_moment(zone: &TimeZone, reading: DateTime) -> Option<Timestamp> {
    match zone.to_ambiguous_timestamp(reading).offset() {
        AmbiguousOffset::Fold { after, .. } => after.to_timestamp(reading).ok(),
        _ => first_moment(zone, reading),
    }
}

/// Returns the latest forward jump at or before `moment`.
///
/// `preceding` of jiff excludes its argument: a reading at the very start of a gap (midnight in
/// Santiago) is the moment of the jump itself, and would find the jump before.
fn jump(zone: &TimeZone, moment: Timestamp) -> Option<Timestamp> {
    let mut transitions = zone.preceding(next(moment));
    transitions.find_map(|transition| {
        let at = transition.timestamp();
        let was = zone.to_offset(previous(at));
        (transition.offset() > was).then_some(at)
    })
}

/// The readings of the clock around one moment.
#[derive(Debug)]
pub(super) struct WallClock {
    now: DateTime,
    /// The readings right before the clock changes up to now.
    before_changes: Vec<DateTime>,
    /// The readings right after the clock changes to come.
    after_changes: Vec<DateTime>,
}

impl WallClock {
    pub(super) fn at(zone: &TimeZone, now: Timestamp) -> Self {
        let before_changes = zone
            .preceding(next(now))
            .map(|change| change.timestamp())
            .take_while(|at| now.duration_since(*at) <= AROUND)
            .map(|at| zone.to_offset(previous(at)).to_datetime(previous(at)))
            .collect();
        let after_changes = zone
            .following(now)
            .take_while(|change| change.timestamp().duration_since(now) <= AROUND)
            .map(|change| change.offset().to_datetime(change.timestamp()))
            .collect();
        Self {
            now: zone.to_datetime(now),
            before_changes,
            after_changes,
        }
    }

    pub(super) fn now(&self) -> DateTime {
        self.now
    }

    /// Returns true if the clock has shown `reading`, or has jumped over `reading`.
    pub(super) fn has_shown(&self, reading: DateTime) -> bool {
        self.now >= reading || self.before_changes.iter().any(|shown| *shown >= reading)
    }

    /// Returns true if the clock will show `reading` or jump over `reading`, perhaps once more.
    pub(super) fn will_show(&self, reading: DateTime) -> bool {
        self.now < reading || self.after_changes.iter().any(|shown| *shown <= reading)
    }
}

fn next(moment: Timestamp) -> Timestamp {
    moment.checked_add(MOMENT).unwrap_or(moment)
}

fn previous(moment: Timestamp) -> Timestamp {
    moment.checked_sub(MOMENT).unwrap_or(moment)
}
