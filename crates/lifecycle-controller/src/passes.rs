//! `PassLog`: the last pass over each group, and the facts that were reported already.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::record::schedule::{Notice, Pass};

/// The passes and the reported facts of all controllers of a store, by group.
///
/// Controllers divide the groups, and groups move: another controller continues where the one before ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct PassLog {
    /// The last pass over all groups, unless a group has a later one.
    #[serde(skip_serializing_if = "Option::is_none")]
    all_groups: Option<Timestamp>,
    /// The last pass over a group since the last pass over all groups.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    groups: BTreeMap<String, Timestamp>,
    /// The messages about holds, by target.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    holds: BTreeMap<String, String>,
    /// The last reminder of the calendar of each group.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    calendars: BTreeMap<String, Timestamp>,
}

/// The kind of the messages about holds.
const HELD: &str = "held";
/// The kind of the reminders of calendars.
const CALENDAR_ENDING: &str = "calendar-ending";

impl PassLog {
    /// Returns the time of the last pass over a group.
    pub fn last_pass(&self, group: &str) -> Option<Timestamp> {
        self.groups.get(group).copied().or(self.all_groups)
    }

    /// Returns true if this message was the last one about a hold of the target, and the hold is the same since.
    pub fn is_hold_reported(&self, target: &str, message: &str) -> bool {
        self.holds
            .get(target)
            .is_some_and(|reported| reported == message)
    }

    /// Returns the time of the last reminder of the calendar of a group.
    pub fn last_calendar_reminder(&self, group: &str) -> Option<Timestamp> {
        self.calendars.get(group).copied()
    }

    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn add_pass(&mut self, pass: &Pass) {
        match &pass.groups {
            Some(groups) => {
                let groups = groups.iter().map(|group| (group.clone(), pass.at));
                self.groups.extend(groups);
            }
            None => {
                self.groups.clear();
                self.all_groups = Some(pass.at);
            }
        }
    }

    pub(crate) fn add_notice(&mut self, notice: &Notice) {
        let Some(subject) = notice.subject.clone() else {
            return;
        };
        match notice.kind.as_str() {
            HELD => {
                self.holds.insert(subject, notice.message.clone());
            }
            CALENDAR_ENDING => {
                self.calendars.insert(subject, notice.at);
            }
            _ => {}
        }
    }

    /// Returns records that bring the messages about holds and calendars into another store. `at` is the time of the
    /// messages about holds.
    pub fn notices(&self, at: Timestamp) -> impl Iterator<Item = Notice> {
        let notice = |kind: &str, at, subject: &String, message: &str| Notice {
            at,
            kind: kind.to_owned(),
            subject: Some(subject.clone()),
            message: message.to_owned(),
        };
        let holds = self.holds.iter();
        let holds = holds.map(move |(target, message)| notice(HELD, at, target, message));
        let calendars = self.calendars.iter();
        let calendars = calendars.map(move |(group, reminded)| {
            notice(
                CALENDAR_ENDING,
                *reminded,
                group,
                "reminded before the import",
            )
        });
        holds.chain(calendars)
    }

    /// Forgets the message about the hold before.
    pub(crate) fn change_hold(&mut self, target: &str) {
        self.holds.remove(target);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_bring_the_messages_into_another_log() {
        let at = "2026-11-27T00:00:00Z".parse().unwrap();
        let mut log = PassLog::default();
        for (kind, subject) in [(HELD, "web"), (CALENDAR_ENDING, "ci"), ("drifted", "web")] {
            log.add_notice(&Notice {
                at,
                kind: kind.to_owned(),
                subject: Some(subject.to_owned()),
                message: "until Monday".to_owned(),
            });
        }
        let mut other = PassLog::default();
        for notice in log.notices(at) {
            other.add_notice(&notice);
        }
        assert_eq!(other, log);
        assert!(other.is_hold_reported("web", "until Monday"));
        assert_eq!(other.last_calendar_reminder("ci"), Some(at));
    }
}
