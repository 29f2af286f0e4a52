//! The report of a request: one outcome for each instance.

use std::{error::Error, fmt, slice, sync::Arc, time::Duration, vec};

use lifecycle_core::{
    ActionKind, Fault, InstanceId, JobId, Observation, PowerState, StoppedBilling,
};

/// One outcome per requested instance, in the order of the request, without duplicates.
///
/// `I` names an instance: [`InstanceId`] in the report of a [`Client`](crate::Client), a reference
/// with cloud and region in the report of a fleet.
#[derive(Clone, Debug)]
pub struct Report<I = InstanceId> {
    rows: Vec<InstanceReport<I>>,
    selected_by: Option<String>,
}

impl<I> Report<I> {
    /// Returns the selection in words, such as "all regions, tag env=dev", for a request that selected its
    /// instances; `None` for a request with named instances.
    ///
    /// # Examples
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// let report = client.start(&ids).await?;
    /// assert_eq!(report.selected_by(), None);
    /// # Ok(())
    /// # });
    /// ```
    pub fn selected_by(&self) -> Option<&str> {
        self.selected_by.as_deref()
    }

    pub(crate) fn with_selected_by(mut self, description: Option<String>) -> Self {
        self.selected_by = description;
        self
    }

    /// Returns the rows, in the order of the request.
    ///
    /// # Examples
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// let report = client.start(&ids).await?;
    /// let first = &report.instances()[0];
    /// assert_eq!(first.instance.as_str(), ids[0]);
    /// assert_eq!(first.outcome.as_str(), "accepted");
    /// # Ok(())
    /// # });
    /// ```
    pub fn instances(&self) -> &[InstanceReport<I>] {
        &self.rows
    }

    /// Returns the outcome of one instance, or `None` if the report does not have the instance.
    /// Searches the whole report: slow in a loop over many instances.
    ///
    /// # Examples
    /// ```
    /// use lifecycle_core::InstanceId;
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// let report = client.start(&ids).await?;
    /// let id = InstanceId::new(&ids[0])?;
    /// assert!(report.outcome(&id).is_some_and(|outcome| outcome.is_success()));
    /// # Ok(())
    /// # });
    /// ```
    pub fn outcome(&self, instance: &I) -> Option<&Outcome>
    where
        I: PartialEq,
    {
        let row = self.rows.iter().find(|row| row.instance == *instance)?;
        Some(&row.outcome)
    }

    /// Returns whether every instance has the requested result.
    ///
    /// # Examples
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// assert!(client.start(&ids).await?.is_success());
    /// # Ok(())
    /// # });
    /// ```
    pub fn is_success(&self) -> bool {
        self.failures().next().is_none()
    }

    /// Returns the rows without the requested result.
    ///
    /// # Examples
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// let report = client.start([ids[0].as_str(), "i-missing"]).await?;
    /// for row in report.failures() {
    ///     println!("{row}");
    /// }
    /// assert_eq!(report.failures().count(), 1);
    /// # Ok(())
    /// # });
    /// ```
    pub fn failures(&self) -> impl Iterator<Item = &InstanceReport<I>> {
        self.rows.iter().filter(|row| !row.outcome.is_success())
    }

    /// Returns the report, or an error if any instance does not have the requested result.
    ///
    /// # Errors
    /// [`IncompleteError`] with the whole report.
    ///
    /// # Examples
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// let report = client.start([ids[0].as_str(), "i-missing"]).await?;
    /// let error = report.into_result().unwrap_err();
    /// assert!(error.to_string().starts_with("1 of 2 instances"));
    /// # Ok(())
    /// # });
    /// ```
    pub fn into_result(self) -> Result<Self, IncompleteError<I>> {
        if self.is_success() {
            Ok(self)
        } else {
            Err(IncompleteError(self))
        }
    }
}

impl<I> Default for Report<I> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            selected_by: None,
        }
    }
}

impl<I> FromIterator<InstanceReport<I>> for Report<I> {
    fn from_iter<T: IntoIterator<Item = InstanceReport<I>>>(rows: T) -> Self {
        Self {
            rows: rows.into_iter().collect(),
            selected_by: None,
        }
    }
}

impl<I> IntoIterator for Report<I> {
    type Item = InstanceReport<I>;
    type IntoIter = vec::IntoIter<InstanceReport<I>>;

    fn into_iter(self) -> Self::IntoIter {
        self.rows.into_iter()
    }
}

impl<'r, I> IntoIterator for &'r Report<I> {
    type Item = &'r InstanceReport<I>;
    type IntoIter = slice::Iter<'r, InstanceReport<I>>;

    fn into_iter(self) -> Self::IntoIter {
        self.rows.iter()
    }
}

/// Some instances do not have the requested result. The report says which and why.
#[derive(Clone, Debug)]
pub struct IncompleteError<I = InstanceId>(
    /// The whole report.
    pub Report<I>,
);

impl<I: fmt::Display> fmt::Display for IncompleteError<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (failures, all) = (self.0.failures().count(), self.0.rows.len());
        write!(
            f,
            "{failures} of {all} instances do not have the requested result"
        )?;
        match self.0.failures().next() {
            Some(first) => write!(f, "; first: {first}"),
            None => Ok(()),
        }
    }
}

impl<I: fmt::Debug + fmt::Display> Error for IncompleteError<I> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let fault = self.0.failures().find_map(|row| row.outcome.fault())?;
        Some(fault)
    }
}

/// The result of a request for one instance.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct InstanceReport<I = InstanceId> {
    /// The instance.
    pub instance: I,
    /// The outcome of the request.
    pub outcome: Outcome,
    /// The last observation of the instance, if there was one.
    pub last_seen: Option<Observation>,
    /// The cloud's id of the request that carried the action, if the cloud returned one.
    pub request_id: Option<Arc<str>>,
    /// The price of the stopped instance, as far as the cloud shows it; `None` in the report of any
    /// request but a stop.
    pub billing: Option<StoppedBilling>,
}

impl<I> InstanceReport<I> {
    /// Creates a row without an observation, a request id or billing.
    pub fn new(instance: I, outcome: Outcome) -> Self {
        Self {
            instance,
            outcome,
            last_seen: None,
            request_id: None,
            billing: None,
        }
    }

    /// Sets the price of the instance after a request of this kind: the row of a stop always has a price.
    #[must_use]
    pub(crate) fn priced_after(mut self, kind: Option<ActionKind>) -> Self {
        let price = || match &self.last_seen {
            Some(seen) if seen.state == PowerState::Stopped => seen.stopped_billing,
            _ => StoppedBilling::Unknown,
        };
        if kind == Some(ActionKind::Stop) && self.billing.is_none() {
            self.billing = Some(price());
        }
        self
    }

    /// Sets the last observation.
    #[must_use]
    pub fn with_last_seen(mut self, observation: Observation) -> Self {
        self.last_seen = Some(observation);
        self
    }

    /// Sets the cloud's id of the request.
    #[must_use]
    pub fn with_request_id(mut self, id: impl Into<Arc<str>>) -> Self {
        self.request_id = Some(id.into());
        self
    }

    /// Sets the price of the stopped instance.
    #[must_use]
    pub fn with_billing(mut self, billing: StoppedBilling) -> Self {
        self.billing = Some(billing);
        self
    }

    pub(crate) fn rename<J>(self, name: impl FnOnce(I) -> J) -> InstanceReport<J> {
        InstanceReport {
            instance: name(self.instance),
            outcome: self.outcome,
            last_seen: self.last_seen,
            request_id: self.request_id,
            billing: self.billing,
        }
    }
}

impl<I: fmt::Display> fmt::Display for InstanceReport<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.instance, self.outcome)
    }
}

/// The outcome of a request for one instance.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// The goal was observed after the action.
    Reached(Evidence),
    /// The cloud accepted the action. The request did not wait for the goal.
    Accepted,
    /// The instance was already at the goal, or changing to the goal, without this request.
    Unchanged,
    /// The action was not executed.
    Refused(Fault),
    /// The cloud may or may not have executed the action; the fault says why.
    Uncertain(Fault),
    /// The cloud accepted the action, and the goal was not observed.
    Pending(Pending),
    /// The action was not sent.
    Skipped(Fault),
}

impl Outcome {
    /// Returns whether the instance has the requested result.
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Reached(_) | Self::Accepted | Self::Unchanged)
    }

    /// Returns the name of the outcome, in lower case.
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

    /// Returns the fault behind the outcome, if there is one.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Refused(fault) | Self::Uncertain(fault) | Self::Skipped(fault) => Some(fault),
            Self::Pending(pending) => pending.fault(),
            _ => None,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reached(evidence) => write!(f, "reached ({evidence})"),
            Self::Accepted => f.write_str("accepted"),
            Self::Unchanged => f.write_str("already in the requested state, or changing to it"),
            Self::Refused(fault) => write!(f, "refused: {fault}; {}", fault.kind().advice()),
            Self::Uncertain(fault) => write!(
                f,
                "uncertain: {fault}; check the instance before you repeat the request"
            ),
            Self::Pending(pending) => write!(f, "pending: {pending}"),
            Self::Skipped(fault) => write!(f, "not sent: {fault}; {}", fault.kind().advice()),
        }
    }
}

/// The evidence that an instance reached the goal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Evidence {
    /// An observation after the action returned the goal.
    Seen,
    /// Observations returned another state after the action, and then the goal.
    LeftAndReturned,
    /// The start time of the instance changed.
    StartTimeChanged,
    /// The cloud's job for the instance succeeded.
    Job(JobId),
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seen => f.write_str("observed"),
            Self::LeftAndReturned => f.write_str("observed leaving and returning"),
            Self::StartTimeChanged => f.write_str("the start time changed"),
            Self::Job(job) => write!(f, "job {job} succeeded"),
        }
    }
}

/// The reason why an accepted action has no observed result.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Pending {
    /// The time limit was reached; the state is the last one observed.
    Deadline(Option<PowerState>),
    /// The time limit was reached, and the last observed state is old: no observation since then has
    /// shown the instance.
    StateOutdated {
        /// The state observed last, if there is one.
        last: Option<PowerState>,
        /// The time from that observation to the time limit.
        age: Option<Duration>,
        /// The reason why there is no newer observation.
        fault: Fault,
    },
    /// The time limit was reached. Every observation returned running, which is no evidence of a reboot.
    Unconfirmed,
    /// The instance is in a state that never leads to the goal.
    StuckState(PowerState),
    /// The cloud no longer returns the instance.
    Vanished,
    /// The state cannot be read.
    Unobservable(Fault),
    /// The cloud's job for the instance failed, perhaps after a part of the work.
    JobFailed(Fault),
    /// The time limit was reached. The cloud accepted the graceful stop. The forced stop that followed
    /// was refused or not sent.
    NotForced(Fault),
    /// The caller cancelled the request; the state is the last one observed.
    Cancelled(Option<PowerState>),
}

impl Pending {
    /// Returns the name of the reason, in lower case with hyphens.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Deadline(_) => "deadline",
            Self::StateOutdated { .. } => "state-outdated",
            Self::Unconfirmed => "unconfirmed",
            Self::StuckState(_) => "stuck-state",
            Self::Vanished => "vanished",
            Self::Unobservable(_) => "unobservable",
            Self::JobFailed(_) => "job-failed",
            Self::NotForced(_) => "not-forced",
            Self::Cancelled(_) => "cancelled",
        }
    }

    /// Returns the fault behind the reason, if there is one.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::StateOutdated { fault, .. }
            | Self::Unobservable(fault)
            | Self::JobFailed(fault)
            | Self::NotForced(fault) => Some(fault),
            _ => None,
        }
    }
}

impl fmt::Display for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StateOutdated { last, age, fault } => {
                f.write_str("time limit reached; ")?;
                match (last, age) {
                    (Some(state), Some(age)) => write!(
                        f,
                        "the instance was {state} when last observed, {} s before; no newer state: ",
                        age.as_secs()
                    )?,
                    (Some(state), None) => write!(
                        f,
                        "the instance was {state} before the action; no newer state: "
                    )?,
                    (None, _) => f.write_str("no lookup has shown the instance: ")?,
                }
                write!(f, "{fault}; {}", fault.kind().advice())
            }
            Self::Deadline(Some(state)) => {
                write!(f, "time limit reached; the instance is still {state}")
            }
            Self::Deadline(None) => {
                f.write_str("time limit reached; the instance was never observed")
            }
            Self::Unconfirmed => f.write_str("no evidence of a reboot; check the uptime"),
            Self::StuckState(state) => write!(
                f,
                "the instance is {state} and does not leave this state; check the cloud's console"
            ),
            Self::Vanished => {
                f.write_str("the cloud no longer returns the instance; check the cloud's console")
            }
            Self::JobFailed(fault) => write!(
                f,
                "the cloud's job failed: {fault}; {}",
                fault.kind().advice()
            ),
            Self::NotForced(fault) => write!(
                f,
                "not stopped in time, and the force-stop was not executed: {fault}; {}",
                fault.kind().advice()
            ),
            Self::Unobservable(fault) => write!(
                f,
                "the state cannot be read: {fault}; {}",
                fault.kind().advice()
            ),
            Self::Cancelled(Some(state)) => {
                write!(f, "cancelled; the instance was {state} when last observed")
            }
            Self::Cancelled(None) => f.write_str("cancelled before the goal was observed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use lifecycle_core::FaultKind;

    use super::*;

    fn fault() -> Fault {
        Fault::new(FaultKind::Locked, "no")
    }

    fn row(n: usize, outcome: Outcome) -> InstanceReport {
        InstanceReport::new(InstanceId::new(&format!("i-{n}")).unwrap(), outcome)
    }

    fn all_pending() -> Vec<(Pending, &'static str, bool)> {
        let state = PowerState::Failed;
        let outdated = Pending::StateOutdated {
            last: None,
            age: None,
            fault: fault(),
        };
        vec![
            (Pending::Deadline(None), "deadline", false),
            (outdated, "state-outdated", true),
            (Pending::Unconfirmed, "unconfirmed", false),
            (Pending::StuckState(state), "stuck-state", false),
            (Pending::Vanished, "vanished", false),
            (Pending::Unobservable(fault()), "unobservable", true),
            (Pending::JobFailed(fault()), "job-failed", true),
            (Pending::NotForced(fault()), "not-forced", true),
            (Pending::Cancelled(Some(state)), "cancelled", false),
        ]
    }

    #[test]
    fn pending_reason_has_a_name_and_the_fault_behind_it() {
        for (pending, name, has_fault) in all_pending() {
            assert_eq!(pending.as_str(), name);
            assert_eq!(pending.fault().is_some(), has_fault, "{name}");
            let outcome = Outcome::Pending(pending);
            assert_eq!(outcome.fault().is_some(), has_fault, "{name}");
        }
    }

    #[test]
    fn outcome_has_a_name_a_fault_and_success() {
        for (outcome, name, is_success, has_fault) in [
            (Outcome::Reached(Evidence::Seen), "reached", true, false),
            (Outcome::Accepted, "accepted", true, false),
            (Outcome::Unchanged, "unchanged", true, false),
            (Outcome::Refused(fault()), "refused", false, true),
            (Outcome::Uncertain(fault()), "uncertain", false, true),
            (Outcome::Pending(Pending::Vanished), "pending", false, false),
            (Outcome::Skipped(fault()), "skipped", false, true),
        ] {
            assert_eq!(outcome.as_str(), name);
            assert_eq!(outcome.is_success(), is_success, "{name}");
            let kind = outcome.fault().map(Fault::kind);
            assert_eq!(kind, has_fault.then_some(FaultKind::Locked), "{name}");
        }
    }

    #[test]
    fn error_of_an_incomplete_report_has_the_first_fault_as_its_source() {
        let rows = [
            row(0, Outcome::Accepted),
            row(1, Outcome::Pending(Pending::Vanished)),
            row(2, Outcome::Refused(fault())),
        ];
        let report: Report = rows.into_iter().collect();
        let error = report.into_result().unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("2 of 3 instances"), "{text}");
        assert!(text.contains("first: i-1: pending"), "{text}");
        assert_eq!(error.source().unwrap().to_string(), fault().to_string());
        let vanished: Report = [row(1, Outcome::Pending(Pending::Vanished))]
            .into_iter()
            .collect();
        assert!(vanished.into_result().unwrap_err().source().is_none());
    }

    #[test]
    fn report_has_the_selection_in_words() {
        let report: Report = [row(0, Outcome::Accepted)].into_iter().collect();
        assert_eq!(report.selected_by(), None);
        let report = report.with_selected_by(Some("tag env=dev".to_owned()));
        assert_eq!(report.selected_by(), Some("tag env=dev"));
        assert!(report.into_result().is_ok());
    }
}
