//! What became of a request, instance by instance.

use std::fmt;

use lifecycle_core::{Fault, InstanceId, JobId, Observation, PowerState, StoppedBilling};

/// One outcome per requested instance, in the order of the request, duplicates folded.
#[derive(Clone, Debug, Default)]
pub struct Report {
    rows: Vec<InstanceReport>,
}

impl Report {
    pub(crate) fn new(rows: Vec<InstanceReport>) -> Self {
        Self { rows }
    }

    pub(crate) fn push(&mut self, row: InstanceReport) {
        self.rows.push(row);
    }

    /// The outcomes, in the order of the request.
    pub fn instances(&self) -> &[InstanceReport] {
        &self.rows
    }

    /// The outcome of one instance. Looks through the whole report: not for a loop over many.
    pub fn outcome(&self, id: &InstanceId) -> Option<&Outcome> {
        let row = self.rows.iter().find(|row| row.instance == *id)?;
        Some(&row.outcome)
    }

    /// Every instance went as asked.
    pub fn is_success(&self) -> bool {
        self.rows.iter().all(|row| row.outcome.is_success())
    }

    /// The instances that did not go as asked.
    pub fn failures(&self) -> impl Iterator<Item = &InstanceReport> {
        self.rows.iter().filter(|row| !row.outcome.is_success())
    }

    /// For those who want all or nothing.
    ///
    /// # Errors
    /// [`IncompleteError`] with the whole report when any instance did not go as asked.
    pub fn into_result(self) -> Result<Self, IncompleteError> {
        if self.is_success() {
            Ok(self)
        } else {
            Err(IncompleteError(self))
        }
    }
}

impl IntoIterator for Report {
    type Item = InstanceReport;
    type IntoIter = std::vec::IntoIter<InstanceReport>;

    fn into_iter(self) -> Self::IntoIter {
        self.rows.into_iter()
    }
}

/// Some instances did not go as asked. The report says which and why.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{} of {} instances did not go as asked; the first: {}", .0.failures().count(), .0.rows.len(), first_failure(.0))]
pub struct IncompleteError(
    /// The whole report.
    pub Report,
);

fn first_failure(report: &Report) -> String {
    report
        .failures()
        .next()
        .map_or_else(String::new, ToString::to_string)
}

/// What became of one instance.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct InstanceReport {
    /// Which instance.
    pub instance: InstanceId,
    /// What became of it.
    pub outcome: Outcome,
    /// It as it was last seen, if it was seen at all.
    pub last_seen: Option<Observation>,
    /// The cloud's id of the request that carried the action, if the cloud gave one.
    pub request_id: Option<String>,
    /// What it costs now that it is stopped, as far as the cloud shows it; `None` unless it was
    /// asked to stop.
    pub billing: Option<StoppedBilling>,
}

impl InstanceReport {
    /// The report of an instance for which nothing was sent.
    pub fn skipped(instance: InstanceId, why: Fault) -> Self {
        Self {
            instance,
            outcome: Outcome::Skipped(why),
            last_seen: None,
            request_id: None,
            billing: None,
        }
    }
}

impl fmt::Display for InstanceReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.instance, self.outcome)
    }
}

/// What became of the action on one instance.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// The goal was observed after the action.
    Reached(Evidence),
    /// The cloud took the action on. Nothing is known of its end.
    Accepted,
    /// The cloud had nothing to do: it was so already, or was seen on the way to it.
    Unchanged,
    /// The action was not carried out.
    Refused(Fault),
    /// Nobody can know whether the action was carried out; the fault says what happened.
    Uncertain(Fault),
    /// Taken on, and the goal was not seen.
    Pending(Pending),
    /// Never sent.
    Skipped(Fault),
}

impl Outcome {
    /// It went as asked.
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Reached(_) | Self::Accepted | Self::Unchanged)
    }

    /// The name of the outcome, in lower case.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Reached(_) => "reached",
            Self::Accepted => "accepted",
            Self::Unchanged => "unchanged",
            Self::Refused(_) => "refused",
            Self::Uncertain(_) => "uncertain",
            Self::Pending(_) => "pending",
            Self::Skipped(_) => "skipped",
        }
    }

    /// The fault behind the outcome, where there is one.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Refused(fault)
            | Self::Uncertain(fault)
            | Self::Skipped(fault)
            | Self::Pending(
                Pending::Unobservable(fault)
                | Pending::JobFailed(fault)
                | Pending::NotForced(fault),
            ) => Some(fault),
            _ => None,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reached(evidence) => write!(f, "reached ({evidence})"),
            Self::Accepted | Self::Unchanged => f.write_str(self.as_str()),
            Self::Refused(fault) => {
                write!(f, "refused: {fault}; {}", fault.kind().advice())
            }
            Self::Uncertain(fault) => write!(
                f,
                "uncertain whether it was carried out: {fault}; look at the instance before you ask again"
            ),
            Self::Pending(pending) => write!(f, "pending: {pending}"),
            Self::Skipped(fault) => write!(f, "not sent: {fault}; {}", fault.kind().advice()),
        }
    }
}

/// How it is known that the goal was reached.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Evidence {
    /// The goal was seen.
    Seen,
    /// It was seen away from the goal after the request, and back.
    LeftAndReturned,
    /// Its start time changed.
    StartTimeChanged,
    /// The cloud's job for it succeeded.
    Job(JobId),
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seen => f.write_str("seen"),
            Self::LeftAndReturned => f.write_str("seen leaving and returning"),
            Self::StartTimeChanged => f.write_str("its start time changed"),
            Self::Job(job) => write!(f, "job {job} succeeded"),
        }
    }
}

/// Why an action that was taken on has not been seen at its goal.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Pending {
    /// The time was over; the state is the last one seen.
    Deadline(Option<PowerState>),
    /// The time was over. It was running throughout, which proves nothing about a reboot.
    Unconfirmed,
    /// It is in a state that no waiting leads out of.
    StuckState(PowerState),
    /// The cloud no longer shows it.
    Vanished,
    /// It cannot be looked at.
    Unobservable(Fault),
    /// The cloud's job for it failed, perhaps half way.
    JobFailed(Fault),
    /// The time was over. The graceful stop was taken on and not finished, and the forced one that
    /// followed was refused.
    NotForced(Fault),
}

impl fmt::Display for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deadline(Some(state)) => {
                write!(f, "still {state} when the time was over; wait longer")
            }
            Self::Deadline(None) => f.write_str("not seen before the time was over; wait longer"),
            Self::Unconfirmed => {
                f.write_str("nothing proves that it went down and came back; look at its uptime")
            }
            Self::StuckState(state) => write!(
                f,
                "now {state}, which no waiting leads out of; look at the cloud's console"
            ),
            Self::Vanished => {
                f.write_str("the cloud no longer shows it; look at the cloud's console")
            }
            Self::JobFailed(fault) => write!(
                f,
                "the cloud's job for it failed: {fault}; {}",
                fault.kind().advice()
            ),
            Self::NotForced(fault) => write!(
                f,
                "not down when the time was over, and forcing it was refused: {fault}; {}",
                fault.kind().advice()
            ),
            Self::Unobservable(fault) => write!(
                f,
                "its state cannot be read: {fault}; {}",
                fault.kind().advice()
            ),
        }
    }
}
