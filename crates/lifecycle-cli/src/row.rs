//! The result of one instance, as a row of a table or an object of the JSON array.

use jiff::Timestamp;
use lifecycle_facade::{
    Fault, FaultKind, FleetRow, InstanceReference, InstanceStatus, Observation, Outcome, Pending,
    PowerState, StoppedBilling,
    lifecycle_core::{InstanceDetails, Lock},
};

use crate::exit::{CommandError, Exit};

/// One instance in the output. The table `FIELDS` of the output lists the fields of the JSON output.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// The instance.
    pub(crate) reference: InstanceReference,
    /// The outcome; `None` if the command requests nothing.
    pub(crate) outcome: Option<&'static str>,
    /// The cloud's own code.
    pub(crate) code: Option<String>,
    /// The kind of the fault. A pending outcome without a fault has the reason here, too.
    pub(crate) kind: Option<&'static str>,
    /// The reason of a pending outcome; `None` for any other outcome.
    pub(crate) pending: Option<&'static str>,
    /// The explanation, for people.
    pub(crate) message: Option<String>,
    /// The request id that the cloud's support asks for.
    pub(crate) request_id: Option<String>,
    /// The billing of a stopped instance: in every row of `stop`, in no row of another command.
    pub(crate) billing: Option<StoppedBilling>,
    /// Everything that the cloud reported about the instance, as last seen.
    pub(crate) observation: Option<Observation>,
    /// The change of the state, in rows of `status --watch` only.
    pub(crate) sighting: Option<Sighting>,
    status: RowStatus,
}

/// A change of the state that `status --watch` saw.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sighting {
    /// The time at which the state was seen first.
    pub(crate) at: Timestamp,
    /// The state before.
    pub(crate) previous: Option<&'static str>,
    /// The last look saw the change.
    pub(crate) is_new: bool,
    /// The first look saw the state: nothing has changed yet.
    pub(crate) is_first: bool,
}

/// The meaning of a row for the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RowStatus {
    AsRequested,
    NotAsRequested,
    /// The time limit was reached, and the instance can still reach the requested state.
    TimeLimit,
    /// The cloud rejected the key or was not reachable.
    NoAccess,
    /// The instance is protected, so the command leaves the instance alone.
    LeftAlone,
    /// Other instances failed before, so nothing was sent for the instance.
    NotAttempted,
}

/// The kind of request that a row answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestKind {
    /// A start or a reboot.
    Action,
    /// A stop. Its rows show the billing.
    Stop,
    /// A wait for a state, which changes nothing.
    Wait,
}

impl RequestKind {
    fn billing(self, known: Option<StoppedBilling>) -> Option<StoppedBilling> {
        (self == Self::Stop).then(|| known.unwrap_or(StoppedBilling::Unknown))
    }
}

impl Row {
    /// Creates a row with a reference only.
    fn new(reference: InstanceReference, status: RowStatus) -> Self {
        Self {
            reference,
            outcome: None,
            code: None,
            kind: None,
            pending: None,
            message: None,
            request_id: None,
            billing: None,
            observation: None,
            sighting: None,
            status,
        }
    }

    /// Creates the row of an instance at the end of a request.
    pub(crate) fn of_report(report: &FleetRow, kind: RequestKind) -> Self {
        let outcome = &report.outcome;
        let mut row = Self::new(report.instance.clone(), status(outcome, kind));
        if let Some(fault) = outcome.fault() {
            row = row.with_fault(fault);
        }
        if let Outcome::Pending(pending) = outcome {
            row.pending = Some(pending.as_str());
            row.kind = row.kind.or(row.pending);
        }
        row.outcome = Some(outcome.as_str());
        row.message = message(outcome, kind);
        row.observation.clone_from(&report.last_seen);
        let request_id = report.request_id.as_deref().map(Into::into);
        row.request_id = request_id.or(row.request_id);
        row.billing = kind.billing(report.billing);
        row
    }

    /// Creates the row of an instance for `status`.
    pub(crate) fn of_status(status: &InstanceStatus<InstanceReference>) -> Self {
        match &status.result {
            Ok(observation) => Self::of_observation(status.instance.clone(), observation.clone()),
            Err(fault) => Self::of_fault(&status.instance, fault),
        }
    }

    /// Creates the row of an instance whose state the cloud reported.
    pub(crate) fn of_observation(reference: InstanceReference, observation: Observation) -> Self {
        Self {
            message: notes(&observation),
            observation: Some(observation),
            ..Self::new(reference, RowStatus::AsRequested)
        }
    }

    /// Creates the row of an instance whose state is not known.
    fn of_fault(reference: &InstanceReference, fault: &Fault) -> Self {
        let status = match fault.kind() {
            FaultKind::NotFound => RowStatus::NotAsRequested,
            _ => RowStatus::NoAccess,
        };
        Self {
            message: Some(with_advice(fault)),
            ..Self::new(reference.clone(), status).with_fault(fault)
        }
    }

    /// Creates the row of an instance after an error that stopped the whole command. `request` is
    /// `None` if the command requests nothing.
    pub(crate) fn unsent(
        reference: &InstanceReference,
        request: Option<RequestKind>,
        error: &CommandError,
    ) -> Self {
        Self {
            outcome: request.map(|_| "skipped"),
            billing: request.and_then(|kind| kind.billing(None)),
            kind: error.kind.map(FaultKind::as_str),
            message: Some(format!("nothing was sent: {}", error.message)),
            ..Self::new(reference.clone(), RowStatus::NoAccess)
        }
    }

    /// Creates a row with a reference only.
    #[cfg(test)]
    pub(crate) fn of_reference(reference: InstanceReference) -> Self {
        Self::new(reference, RowStatus::AsRequested)
    }

    /// Sets code, kind and request id to those of a fault.
    fn with_fault(mut self, fault: &Fault) -> Self {
        self.code = fault.code().map(Into::into);
        self.kind = Some(fault.kind().as_str());
        self.request_id = fault.request_id().map(Into::into);
        self
    }

    /// Returns the full reference.
    pub(crate) fn instance(&self) -> String {
        self.reference.to_string()
    }

    /// Returns the state last seen.
    pub(crate) fn state(&self) -> Option<&'static str> {
        self.seen(|seen| Some(seen.state.as_str()))
    }

    /// Returns `true` if the last look of `status --watch` saw another state than the look before.
    pub(crate) fn is_changed(&self) -> bool {
        self.sighting
            .as_ref()
            .is_some_and(|seen| seen.is_new && !seen.is_first)
    }

    /// Returns `true` if the instance was last seen in this state.
    pub(crate) fn is_in(&self, state: PowerState) -> bool {
        self.state() == Some(state.as_str())
    }

    /// Returns `true` if no time leads the instance out of its state, or if there is no such instance.
    pub(crate) fn is_stuck(&self) -> bool {
        let is_stuck = self.seen(|seen| Some(seen.state.is_stuck()));
        is_stuck.unwrap_or(self.kind == Some(FaultKind::NotFound.as_str()))
    }

    /// Returns a fact that the cloud reported.
    pub(crate) fn seen<'r, T>(
        &'r self,
        fact: impl FnOnce(&'r Observation) -> Option<T>,
    ) -> Option<T> {
        self.observation.as_ref().and_then(fact)
    }

    /// Returns one of the details that the cloud reported.
    pub(crate) fn detail<'r, T>(
        &'r self,
        detail: impl FnOnce(&'r InstanceDetails) -> Option<T>,
    ) -> Option<T> {
        self.seen(|seen| seen.details.as_deref()).and_then(detail)
    }

    /// Returns the note that a table shows beside a success.
    pub(crate) fn note(&self) -> &'static str {
        match self.billing {
            Some(StoppedBilling::Billed) => "still billed",
            Some(StoppedBilling::NotBilled) => "compute is not billed",
            _ => "",
        }
    }

    /// Returns `true` if the command left the instance alone because of its protection.
    pub(crate) fn is_protected(&self) -> bool {
        self.status == RowStatus::LeftAlone
    }

    /// Returns `true` if the cloud does not show the instance.
    pub(crate) fn is_missing(&self) -> bool {
        self.observation.is_none() && self.kind == Some(FaultKind::NotFound.as_str())
    }

    /// Returns the note on an instance that the command leaves alone.
    pub(crate) fn left_alone_note(&self) -> &'static str {
        match self.status {
            RowStatus::LeftAlone => "  (protected: left alone)",
            _ if self.is_missing() => "  (not found)",
            _ => "  (protection not known: left alone)",
        }
    }

    /// Returns `true` if the instance has the requested result.
    pub(crate) fn is_as_requested(&self) -> bool {
        self.status == RowStatus::AsRequested
    }
}

/// Returns the exit code for all rows of a command.
pub(crate) fn exit(rows: &[Row]) -> Exit {
    // An instance is not attempted only after the failure of another one, which has its own row.
    let did_nothing =
        |row: &Row| matches!(row.status, RowStatus::NoAccess | RowStatus::NotAttempted);
    let can_still_succeed =
        |row: &Row| matches!(row.status, RowStatus::AsRequested | RowStatus::TimeLimit);
    let rows = || {
        let rows = rows.iter();
        rows.filter(|row| row.status != RowStatus::LeftAlone)
    };
    if rows().all(Row::is_as_requested) {
        Exit::Complete
    } else if rows().all(can_still_succeed) {
        Exit::TimeLimit
    } else if rows().all(did_nothing) {
        Exit::NothingDone
    } else {
        Exit::Incomplete
    }
}

fn status(outcome: &Outcome, kind: RequestKind) -> RowStatus {
    let blocking = match outcome {
        Outcome::Refused(fault) | Outcome::Skipped(fault) => Some(fault),
        // A wait only reads the state, so the fault is all that the cloud returned.
        Outcome::Pending(Pending::Unobservable(fault)) if kind == RequestKind::Wait => Some(fault),
        _ => None,
    };
    match blocking.map(Fault::kind) {
        _ if outcome.is_success() => RowStatus::AsRequested,
        Some(
            FaultKind::Credential
            | FaultKind::Unreachable
            | FaultKind::Certificate
            | FaultKind::Proxy
            | FaultKind::NotRecorded,
        ) => RowStatus::NoAccess,
        Some(FaultKind::Halted) => RowStatus::NotAttempted,
        Some(FaultKind::Protected) => RowStatus::LeftAlone,
        None if matches!(outcome, Outcome::Pending(Pending::Deadline(_))) => RowStatus::TimeLimit,
        _ => RowStatus::NotAsRequested,
    }
}

/// Returns the explanation of an outcome, without name, code and ids.
fn message(outcome: &Outcome, kind: RequestKind) -> Option<String> {
    let is_interrupted = |fault: &Fault| fault.kind() == FaultKind::Cancelled;
    match outcome {
        Outcome::Reached(evidence) => Some(evidence.to_string()),
        Outcome::Skipped(fault) if is_interrupted(fault) => Some(
            "interrupted before the action was sent; run the command again if the action is \
             still needed"
                .to_owned(),
        ),
        Outcome::Uncertain(fault) if is_interrupted(fault) => Some(
            "interrupted after the action was sent and before its result was known; check the \
             instance before you run the command again"
                .to_owned(),
        ),
        Outcome::Refused(fault) | Outcome::Skipped(fault) => Some(with_advice(fault)),
        Outcome::Uncertain(fault) => Some(format!(
            "{}; check the instance before you run the command again",
            fault.description()
        )),
        Outcome::Pending(pending @ Pending::Deadline(_)) => {
            Some(format!("{pending}; increase --timeout"))
        }
        Outcome::Pending(Pending::Cancelled(_)) => Some(match kind {
            RequestKind::Action | RequestKind::Stop => {
                "accepted; interrupted before the goal was observed".to_owned()
            }
            RequestKind::Wait => "interrupted before the goal was observed".to_owned(),
        }),
        Outcome::Pending(pending) => Some(pending.to_string()),
        _ => None,
    }
}

fn with_advice(fault: &Fault) -> String {
    format!("{}; {}", fault.description(), fault.kind().advice())
}

/// Returns notes on an instance besides the state.
fn notes(observation: &Observation) -> Option<String> {
    let mut notes = Vec::new();
    if observation.state == PowerState::Unknown {
        notes.push(format!("state in the cloud: {:?}", observation.raw));
    }
    match &observation.lock {
        None => {}
        Some(Lock::Other(reason)) => notes.push(format!("locked: {reason}")),
        Some(lock) => notes.push(format!("locked ({lock})")),
    }
    if observation.state == PowerState::Stopped
        && observation.stopped_billing == StoppedBilling::NotBilled
    {
        notes.push("compute is not billed".into());
    }
    (!notes.is_empty()).then(|| notes.join("; "))
}

#[cfg(test)]
mod tests {
    use lifecycle_facade::{Evidence, InstanceId};

    use super::*;

    fn fault(kind: FaultKind) -> Fault {
        Fault::new(kind, "No.")
    }

    fn rows(statuses: &[RowStatus]) -> Vec<Row> {
        let reference: InstanceReference = "baidu/bj/i-1".parse().unwrap();
        let row = |status| Row::new(reference.clone(), status);
        statuses.iter().copied().map(row).collect()
    }

    #[test]
    fn exit_is_nothing_done_only_without_access_to_any_cloud() {
        use RowStatus::{AsRequested, NoAccess, NotAsRequested, NotAttempted, TimeLimit};
        for (statuses, expected) in [
            (&[][..], Exit::Complete),
            (&[AsRequested, AsRequested], Exit::Complete),
            (&[AsRequested, NotAsRequested], Exit::Incomplete),
            (&[AsRequested, NoAccess], Exit::Incomplete),
            (&[NotAsRequested, NoAccess], Exit::Incomplete),
            (&[NoAccess, NoAccess], Exit::NothingDone),
            (&[NoAccess, NotAttempted], Exit::NothingDone),
            (&[NotAsRequested, NotAttempted], Exit::Incomplete),
            (&[AsRequested, NotAttempted], Exit::Incomplete),
            (&[TimeLimit, AsRequested], Exit::TimeLimit),
            (&[TimeLimit, NotAsRequested], Exit::Incomplete),
            (&[TimeLimit, NoAccess], Exit::Incomplete),
            (&[TimeLimit, NotAttempted], Exit::Incomplete),
        ] {
            assert_eq!(exit(&rows(statuses)), expected, "{statuses:?}");
        }
    }

    #[test]
    fn row_status_is_no_access_only_if_the_cloud_did_nothing() {
        use RowStatus::{AsRequested, NoAccess, NotAsRequested, TimeLimit};
        let outdated = Pending::StateOutdated {
            last: None,
            age: None,
            fault: fault(FaultKind::Unreachable),
        };
        let refused = |kind| Outcome::Refused(fault(kind));
        let unobservable = || Outcome::Pending(Pending::Unobservable(fault(FaultKind::Credential)));
        for (outcome, kind, expected) in [
            (
                Outcome::Reached(Evidence::Seen),
                RequestKind::Action,
                AsRequested,
            ),
            (Outcome::Accepted, RequestKind::Action, AsRequested),
            (Outcome::Unchanged, RequestKind::Action, AsRequested),
            (
                refused(FaultKind::Credential),
                RequestKind::Action,
                NoAccess,
            ),
            (
                refused(FaultKind::Unreachable),
                RequestKind::Action,
                NoAccess,
            ),
            (
                refused(FaultKind::Permission),
                RequestKind::Action,
                NotAsRequested,
            ),
            (
                refused(FaultKind::NotFound),
                RequestKind::Wait,
                NotAsRequested,
            ),
            (
                Outcome::Uncertain(fault(FaultKind::Unreachable)),
                RequestKind::Action,
                NotAsRequested,
            ),
            (
                Outcome::Pending(Pending::Deadline(None)),
                RequestKind::Wait,
                TimeLimit,
            ),
            (
                Outcome::Pending(outdated),
                RequestKind::Wait,
                NotAsRequested,
            ),
            (
                Outcome::Pending(Pending::Unconfirmed),
                RequestKind::Action,
                NotAsRequested,
            ),
            (
                Outcome::Skipped(fault(FaultKind::Certificate)),
                RequestKind::Action,
                NoAccess,
            ),
            (unobservable(), RequestKind::Action, NotAsRequested),
            (unobservable(), RequestKind::Wait, NoAccess),
        ] {
            assert_eq!(status(&outcome, kind), expected, "{outcome:?}");
        }
    }

    #[test]
    fn billing_is_in_every_row_of_a_stop_and_in_no_other_row() {
        let instance: InstanceReference = "baidu/bj/i-1".parse().unwrap();
        let billed =
            FleetRow::new(instance.clone(), Outcome::Accepted).with_billing(StoppedBilling::Billed);
        let skipped = Outcome::Skipped(fault(FaultKind::Halted));
        let skipped = FleetRow::new(instance.clone(), skipped);
        let error = CommandError::nothing_done("no key");
        for (request, of_billed, of_other) in [
            (RequestKind::Stop, Some("billed"), Some("unknown")),
            (RequestKind::Action, None, None),
            (RequestKind::Wait, None, None),
        ] {
            let billing = |row: Row| row.billing.map(StoppedBilling::as_str);
            assert_eq!(billing(Row::of_report(&billed, request)), of_billed);
            assert_eq!(billing(Row::of_report(&skipped, request)), of_other);
            let unsent = Row::unsent(&instance, Some(request), &error);
            assert_eq!(billing(unsent), of_other, "{request:?}");
        }
    }

    #[test]
    fn every_pending_row_has_a_reason_and_a_kind() {
        let fault = || fault(FaultKind::Unreachable);
        let outdated = Pending::StateOutdated {
            last: None,
            age: None,
            fault: fault(),
        };
        for (pending, reason, kind) in [
            (Pending::Deadline(None), "deadline", "deadline"),
            (outdated, "state-outdated", "unreachable"),
            (Pending::Unconfirmed, "unconfirmed", "unconfirmed"),
            (
                Pending::StuckState(PowerState::Expired),
                "stuck-state",
                "stuck-state",
            ),
            (Pending::Vanished, "vanished", "vanished"),
            (
                Pending::Unobservable(fault()),
                "unobservable",
                "unreachable",
            ),
            (Pending::JobFailed(fault()), "job-failed", "unreachable"),
            (Pending::NotForced(fault()), "not-forced", "unreachable"),
            (Pending::Cancelled(None), "cancelled", "cancelled"),
        ] {
            let instance = "baidu/bj/i-1".parse().unwrap();
            let report = FleetRow::new(instance, Outcome::Pending(pending));
            let row = Row::of_report(&report, RequestKind::Action);
            assert_eq!((row.pending, row.kind), (Some(reason), Some(kind)));
        }
    }

    #[test]
    fn message_of_an_interrupted_row_names_the_interrupt() {
        let cancelled = || fault(FaultKind::Cancelled);
        for (outcome, kind, expected) in [
            (
                Outcome::Pending(Pending::Cancelled(None)),
                RequestKind::Action,
                "accepted; interrupted before",
            ),
            (
                Outcome::Pending(Pending::Cancelled(None)),
                RequestKind::Wait,
                "interrupted before the goal",
            ),
            (
                Outcome::Uncertain(cancelled()),
                RequestKind::Action,
                "interrupted after the action was sent",
            ),
            (
                Outcome::Skipped(cancelled()),
                RequestKind::Action,
                "interrupted before the action was sent",
            ),
        ] {
            let message = message(&outcome, kind).unwrap();
            assert!(message.starts_with(expected), "{outcome:?}: {message}");
        }
    }

    #[test]
    fn message_of_an_outcome_ends_with_advice() {
        let message = |outcome| message(outcome, RequestKind::Action);
        let refused = Outcome::Refused(fault(FaultKind::Locked));
        assert_eq!(
            message(&refused).unwrap(),
            format!("No; {}", FaultKind::Locked.advice())
        );
        let uncertain = Outcome::Uncertain(fault(FaultKind::NoAnswer));
        assert_eq!(
            message(&uncertain).unwrap(),
            "No; check the instance before you run the command again"
        );
        let late = Outcome::Pending(Pending::Deadline(Some(PowerState::Stopped)));
        assert_eq!(
            message(&late).unwrap(),
            "time limit reached; the instance is still stopped; increase --timeout"
        );
    }

    #[test]
    fn observation_row_shows_unknown_state_and_lock() {
        let reference: InstanceReference = "huawei/cn-north-4/a".parse().unwrap();
        let id = InstanceId::new("a").unwrap();
        let mut observation = Observation::new(id, PowerState::Unknown, "WARPING");
        observation.lock = Some(Lock::Other("audit".into()));
        let row = Row::of_observation(reference, observation);
        assert_eq!(
            row.message.as_deref(),
            Some("state in the cloud: \"WARPING\"; locked: audit")
        );
        assert_eq!(
            serde_json::to_string(&row).unwrap(),
            r#"{"schema":1,"instance":"huawei/cn-north-4/a","state":"unknown","code":null,"kind":null,"#
                .to_owned()
                + r#""message":"state in the cloud: \"WARPING\"; locked: audit","request_id":null,"name":null,"#
                + r#""cloud":"huawei","region":"cn-north-4","account":null,"id":"a","#
                + r#""cloud_state":"WARPING","lock":"audit","zone":null,"type":null,"charge_type":null,"#
                + r#""private_ips":null,"public_ips":null,"created_at":null,"started_at":null,"#
                + r#""expires_at":null,"tags":null}"#
        );
    }
}
