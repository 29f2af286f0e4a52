//! What is printed of one instance.

use lifecycle_facade::{
    Fault, FaultKind, FleetStatus, InstanceReference, InstanceReport, Observation, Outcome,
    Pending, PowerState, StoppedBilling, core::Lock,
};
use serde::{Serialize, Serializer};

use crate::exit::{CommandError, Exit};

/// One instance in the output. Its fields are those of the JSON form.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    /// The full reference.
    pub(crate) instance: String,
    /// What became of it; not there where nothing was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) outcome: Option<&'static str>,
    /// The state last seen.
    pub(crate) state: Option<&'static str>,
    /// The cloud's own code.
    pub(crate) code: Option<String>,
    /// What a fault means for the caller.
    pub(crate) kind: Option<&'static str>,
    /// What there is to eprint_line, for people.
    pub(crate) message: Option<String>,
    /// The id under which the cloud's support finds the request.
    pub(crate) request_id: Option<String>,
    /// What it costs now that it is stopped; only there where it was asked to stop.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "billing")]
    pub(crate) billing: Option<StoppedBilling>,
    /// The name that its owner gave it. Tables show it.
    #[serde(skip)]
    pub(crate) name: Option<String>,
    #[serde(skip)]
    standing: RowStatus,
}

/// What a row means for the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RowStatus {
    AsRequested,
    NotAsRequested,
    /// The cloud did not let us in, or could not be reached.
    NoAccess,
    /// It did not have its turn, because of others.
    NotAttempted,
}

/// What was asked of the instances of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestKind {
    /// A power action.
    Action,
    /// Waiting alone, which changes nothing.
    Wait,
}

impl Row {
    /// A row without anything to say.
    fn new(reference: &InstanceReference, standing: RowStatus) -> Self {
        Self {
            instance: reference.to_string(),
            outcome: None,
            state: None,
            code: None,
            kind: None,
            message: None,
            request_id: None,
            billing: None,
            name: None,
            standing,
        }
    }

    /// What became of a request.
    pub(crate) fn of_report(
        reference: &InstanceReference,
        report: &InstanceReport,
        kind: RequestKind,
    ) -> Self {
        let outcome = &report.outcome;
        let mut row = Self::new(reference, standing(outcome, kind));
        if let Some(fault) = outcome.fault() {
            row = row.with_fault(fault);
        }
        row.outcome = Some(outcome.as_str());
        row.message = message(outcome);
        row.state = report
            .last_seen
            .as_ref()
            .map(|observation| observation.state.as_str());
        row.request_id = report.request_id.clone().or(row.request_id);
        row.billing = report.billing;
        row
    }

    /// What a look showed.
    pub(crate) fn of_status(status: &FleetStatus) -> Self {
        match &status.result {
            Ok(observation) => Self::of_observation(&status.reference, observation),
            Err(fault) => Self::unseen(&status.reference, fault),
        }
    }

    /// An instance as its cloud shows it.
    pub(crate) fn of_observation(reference: &InstanceReference, observation: &Observation) -> Self {
        Self {
            state: Some(observation.state.as_str()),
            message: remarks(observation),
            name: observation.name.clone(),
            ..Self::new(reference, RowStatus::AsRequested)
        }
    }

    /// An instance that could not be looked at.
    fn unseen(reference: &InstanceReference, fault: &Fault) -> Self {
        let standing = match fault.kind() {
            FaultKind::NotFound => RowStatus::NotAsRequested,
            _ => RowStatus::NoAccess,
        };
        Self {
            message: Some(with_advice(fault)),
            ..Self::new(reference, standing).with_fault(fault)
        }
    }

    /// Nothing was sent for it, because nothing could be.
    pub(crate) fn unsent(
        reference: &InstanceReference,
        outcome: Option<&'static str>,
        failure: &CommandError,
    ) -> Self {
        Self {
            outcome,
            kind: failure.kind.map(FaultKind::as_str),
            message: Some(format!("nothing was sent: {}", failure.message)),
            ..Self::new(reference, RowStatus::NoAccess)
        }
    }

    /// It had no outcome yet when the command was interrupted.
    pub(crate) fn interrupted(
        reference: &InstanceReference,
        outcome: &'static str,
        message: &str,
    ) -> Self {
        Self {
            outcome: Some(outcome),
            message: Some(message.to_owned()),
            ..Self::new(reference, RowStatus::NotAsRequested)
        }
    }

    /// With code, kind and request id of a fault.
    pub(crate) fn with_fault(mut self, fault: &Fault) -> Self {
        self.code = fault.code().map(Into::into);
        self.kind = Some(fault.kind().as_str());
        self.request_id = fault.request_id().map(Into::into);
        self
    }

    /// What a person who did not ask for more wants to know of a success.
    pub(crate) fn remark(&self) -> &'static str {
        match self.billing {
            Some(StoppedBilling::Billed) => "still billed",
            Some(StoppedBilling::NotBilled) => "compute is not billed",
            _ => "",
        }
    }

    /// It went as asked.
    pub(crate) fn is_as_requested(&self) -> bool {
        self.standing == RowStatus::AsRequested
    }
}

fn billing<S: Serializer>(billing: &Option<StoppedBilling>, to: S) -> Result<S::Ok, S::Error> {
    billing.map(StoppedBilling::as_str).serialize(to)
}

/// The exit that these rows stand for.
pub(crate) fn exit(rows: &[Row]) -> Exit {
    // Where a row is left out, the one for which it was is there too.
    let out_of_reach =
        |row: &Row| matches!(row.standing, RowStatus::NoAccess | RowStatus::NotAttempted);
    if rows.iter().all(Row::is_as_requested) {
        Exit::Complete
    } else if rows.iter().all(out_of_reach) {
        Exit::NothingDone
    } else {
        Exit::Incomplete
    }
}

fn standing(outcome: &Outcome, kind: RequestKind) -> RowStatus {
    let blocking = match outcome {
        Outcome::Refused(fault) | Outcome::Skipped(fault) => Some(fault),
        // Nothing was asked of the cloud but to look.
        Outcome::Pending(Pending::Unobservable(fault)) if kind == RequestKind::Wait => Some(fault),
        _ => None,
    };
    match blocking.map(Fault::kind) {
        _ if outcome.is_success() => RowStatus::AsRequested,
        Some(FaultKind::Credential | FaultKind::Unreachable) => RowStatus::NoAccess,
        Some(FaultKind::Halted) => RowStatus::NotAttempted,
        _ => RowStatus::NotAsRequested,
    }
}

/// What there is to say of an outcome besides its name, its code and its ids.
fn message(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Reached(evidence) => Some(evidence.to_string()),
        Outcome::Refused(fault) | Outcome::Skipped(fault) => Some(with_advice(fault)),
        Outcome::Uncertain(fault) => Some(format!(
            "{}; look at the instance before you ask again",
            words(fault)
        )),
        Outcome::Pending(pending) => Some(pending.to_string()),
        _ => None,
    }
}

fn with_advice(fault: &Fault) -> String {
    format!("{}; {}", words(fault), fault.kind().advice())
}

/// The cloud's words, so that more can follow.
fn words(fault: &Fault) -> &str {
    match fault.message().trim_end_matches(['.', ' ']) {
        "" => fault.kind().as_str(),
        message => message,
    }
}

/// What is worth knowing of an instance besides its state.
fn remarks(observation: &Observation) -> Option<String> {
    let mut remarks = Vec::new();
    if observation.state == PowerState::Unknown {
        remarks.push(format!("the cloud calls it {:?}", observation.raw));
    }
    match &observation.lock {
        None => {}
        Some(Lock::Other(reason)) => remarks.push(format!("locked: {reason}")),
        Some(lock) => remarks.push(format!("locked ({lock})")),
    }
    if observation.state == PowerState::Stopped
        && observation.stopped_billing == StoppedBilling::NotBilled
    {
        remarks.push("compute is not billed".into());
    }
    (!remarks.is_empty()).then(|| remarks.join("; "))
}

#[cfg(test)]
mod tests {
    use lifecycle_facade::{Evidence, InstanceId};

    use super::*;

    fn fault(kind: FaultKind) -> Fault {
        Fault::new(kind, "No.")
    }

    fn rows(standings: &[RowStatus]) -> Vec<Row> {
        let reference = "baidu/bj/i-1".parse().unwrap();
        let row = |standing| Row::new(&reference, standing);
        standings.iter().copied().map(row).collect()
    }

    #[test]
    fn exits_follow_from_the_rows() {
        use RowStatus::{AsRequested, NoAccess, NotAsRequested, NotAttempted};
        for (standings, expected) in [
            (&[][..], Exit::Complete),
            (&[AsRequested, AsRequested], Exit::Complete),
            (&[AsRequested, NotAsRequested], Exit::Incomplete),
            (&[AsRequested, NoAccess], Exit::Incomplete),
            (&[NotAsRequested, NoAccess], Exit::Incomplete),
            (&[NoAccess, NoAccess], Exit::NothingDone),
            (&[NoAccess, NotAttempted], Exit::NothingDone),
            (&[NotAsRequested, NotAttempted], Exit::Incomplete),
            (&[AsRequested, NotAttempted], Exit::Incomplete),
        ] {
            assert_eq!(exit(&rows(standings)), expected, "{standings:?}");
        }
    }

    #[test]
    fn out_of_reach_is_what_never_got_in() {
        use RowStatus::{AsRequested, NoAccess, NotAsRequested};
        let refused = |kind| Outcome::Refused(fault(kind));
        let blind = || Outcome::Pending(Pending::Unobservable(fault(FaultKind::Credential)));
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
            (blind(), RequestKind::Action, NotAsRequested),
            (blind(), RequestKind::Wait, NoAccess),
        ] {
            assert_eq!(standing(&outcome, kind), expected, "{outcome:?}");
        }
    }

    #[test]
    fn messages_say_what_to_do() {
        let refused = Outcome::Refused(fault(FaultKind::Locked));
        assert_eq!(
            message(&refused).unwrap(),
            "No; have the lock lifted at the cloud's console"
        );
        let late = Outcome::Pending(Pending::Deadline(Some(PowerState::Stopped)));
        assert_eq!(
            message(&late).unwrap(),
            "still stopped when the time was over; wait longer"
        );
    }

    #[test]
    fn looks_say_what_is_odd() {
        let reference: InstanceReference = "huawei/cn-north-4/a".parse().unwrap();
        let id = InstanceId::new("a").unwrap();
        let mut observation = Observation::new(id, PowerState::Unknown, "WARPING");
        observation.lock = Some(Lock::Other("audit".into()));
        let row = Row::of_observation(&reference, &observation);
        assert_eq!(
            row.message.as_deref(),
            Some("the cloud calls it \"WARPING\"; locked: audit")
        );
        assert_eq!(
            serde_json::to_string(&row).unwrap(),
            r#"{"instance":"huawei/cn-north-4/a","state":"unknown","code":null,"kind":null,"#
                .to_owned()
                + r#""message":"the cloud calls it \"WARPING\"; locked: audit","request_id":null}"#
        );
    }
}
