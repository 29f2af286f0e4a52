//! `Outage`: the time in which the store does not answer. Operators are told once at its beginning, and once at
//! its end.

use std::time::Duration;

use jiff::Timestamp;

use super::report::PassReport;
use crate::{
    decide::{Fact, FactKind},
    store::StoreError,
};

/// The wait before the second try. Each further wait is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest wait between two tries.
const LONGEST_WAIT: Duration = Duration::from_secs(15);

#[derive(Debug, Default)]
pub(super) struct Outage {
    since: Option<Timestamp>,
    failures: u32,
}

impl Outage {
    /// Adds a failure. Returns the report of the pass that could not be made, and the wait until the next try.
    pub(super) fn go_on(&mut self, error: &StoreError, now: Timestamp) -> (PassReport, Duration) {
        let report = self.report(error, now);
        let wait = FIRST_WAIT.saturating_mul(1 << self.failures.min(5));
        self.failures = self.failures.saturating_add(1);
        (report, wait.min(LONGEST_WAIT))
    }

    /// Returns true if operators were told of an outage.
    pub(super) fn has_begun(&self) -> bool {
        self.since.is_some()
    }

    /// Returns the report for a store that does not answer. The first report of an outage has the problem.
    pub(super) fn report(&mut self, error: &StoreError, now: Timestamp) -> PassReport {
        let mut report = PassReport {
            store_unavailable: true,
            ..PassReport::default()
        };
        report.status.store_unavailable = true;
        if self.since.is_none() {
            self.since = Some(now);
            let message = format!(
                "{error}; nothing new is sent until the store answers, calls that were sent are followed"
            );
            report.problems.push(message.clone());
            report.facts.push(fact(message));
            report.status.facts.push(FactKind::StoreUnavailable);
        }
        report
    }

    /// Ends the outage. Returns the fact for people, if there was an outage.
    pub(super) fn end(&mut self, now: Timestamp) -> Option<Fact> {
        self.failures = 0;
        let since = self.since.take()?;
        let seconds = now.duration_since(since).as_secs();
        Some(fact(format!(
            "the store answers again after {seconds} s, since {since:.0}"
        )))
    }
}

fn fact(message: String) -> Fact {
    Fact {
        kind: FactKind::StoreUnavailable,
        subject: "store".to_owned(),
        message,
    }
}
