//! Conversions between the records of a journal and the types of the client.
//!
//! A word that this version does not have, such as a kind of fault, becomes the unknown value: a journal
//! stays readable.

use std::fmt;

use lifecycle_facade::{
    CallAnswer, Evidence, FailureLimit, Fault, FaultKind, InstanceId, InstanceReport, LocalDisk,
    Observation, Outcome, Pending, PowerRequestOptions, PowerState, RebootOptions, StartOptions,
    StopBilling, StopMode, StopOptions, StoppedBilling, WaveSize, Waves,
    lifecycle_core::{Action, ExecutionStatus, JobId, Lock},
};

use crate::record::{
    ActionRecord, AnswerRecord, FaultRecord, ObservationRecord, OutcomeRecord,
    RequestOptionsRecord, RowRecord, WavesRecord,
};

impl From<Action> for ActionRecord {
    fn from(action: Action) -> Self {
        match action {
            Action::Start(start) => Self::Start {
                initialize_local_disk: start.local_disk == LocalDisk::Initialize,
            },
            Action::Stop(stop) => Self::Stop {
                forced: stop.mode.is_forced(),
                release: stop.billing.is_release(),
            },
            Action::Reboot(reboot) => Self::Reboot {
                forced: reboot.mode.is_forced(),
            },
            // Unreachable: a new action needs a new version of the records.
            _ => Self::Reboot { forced: false },
        }
    }
}

impl From<ActionRecord> for Action {
    fn from(action: ActionRecord) -> Self {
        let mode = |forced| match forced {
            true => StopMode::Forced,
            false => StopMode::Graceful,
        };
        match action {
            ActionRecord::Start {
                initialize_local_disk,
            } => StartOptions::default()
                .with_local_disk(match initialize_local_disk {
                    true => LocalDisk::Initialize,
                    false => LocalDisk::Keep,
                })
                .into(),
            ActionRecord::Stop { forced, release } => StopOptions::default()
                .with_mode(mode(forced))
                .with_billing(match release {
                    true => StopBilling::Release,
                    false => StopBilling::Keep,
                })
                .into(),
            ActionRecord::Reboot { forced } => {
                RebootOptions::default().with_mode(mode(forced)).into()
            }
        }
    }
}

impl fmt::Display for ActionRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Action::from(*self).fmt(f)
    }
}

impl From<PowerRequestOptions> for RequestOptionsRecord {
    fn from(options: PowerRequestOptions) -> Self {
        Self {
            wait: options.wait.map(lifecycle_facade::WaitTimeout::duration),
            strict: options.strict,
            when_idle: options.when_idle,
            force_after: options.force_after,
        }
    }
}

impl From<RequestOptionsRecord> for PowerRequestOptions {
    fn from(record: RequestOptionsRecord) -> Self {
        let mut options = Self::default()
            .with_strict(record.strict)
            .with_when_idle(record.when_idle);
        options.wait = record.wait.map(Into::into);
        options.force_after = record.force_after;
        options
    }
}

impl From<Waves> for WavesRecord {
    fn from(waves: Waves) -> Self {
        let (instances, percent) = match waves.size() {
            WaveSize::Instances(instances) => (Some(instances.get()), None),
            WaveSize::Percent(percent) => (None, Some(percent)),
            // Unreachable: a new size needs a new version of the records.
            _ => (Some(1), None),
        };
        let (stop_after, stop_after_percent) = match waves.stop_after() {
            FailureLimit::Instances(limit) => (limit.get(), None),
            FailureLimit::Percent(percent) => (1, Some(percent)),
            _ => (1, None),
        };
        Self {
            instances,
            percent,
            stop_after,
            stop_after_percent,
            pause: Some(waves.pause()).filter(|pause| !pause.is_zero()),
        }
    }
}

impl From<WavesRecord> for Waves {
    fn from(record: WavesRecord) -> Self {
        let waves = match (record.instances, record.percent) {
            (None, Some(percent)) => Self::percent(percent),
            (instances, _) => Self::of(instances.unwrap_or(1)),
        };
        let limit = match record.stop_after_percent {
            Some(percent) => FailureLimit::percent(percent),
            None => FailureLimit::instances(record.stop_after),
        };
        waves
            .with_stop_after(limit)
            .with_pause(record.pause.unwrap_or_default())
    }
}

impl From<&CallAnswer> for AnswerRecord {
    fn from(answer: &CallAnswer) -> Self {
        match answer {
            CallAnswer::Accepted { request_id, job } => Self::Accepted {
                request_id: request_id.clone(),
                job: job.as_ref().map(|job| job.as_str().to_owned()),
            },
            CallAnswer::Refused(fault) => Self::Refused {
                fault: fault.into(),
            },
            CallAnswer::Rejected(fault) => Self::Rejected {
                fault: fault.into(),
            },
            CallAnswer::Unclear(fault) => Self::Unclear {
                fault: fault.into(),
            },
            CallAnswer::NotSent(fault) => Self::NotSent {
                fault: fault.into(),
            },
            // Unreachable: a new answer needs a new version of the records.
            _ => Self::Unclear {
                fault: (&Fault::new(FaultKind::Unknown, "unknown answer")).into(),
            },
        }
    }
}

impl From<&Fault> for FaultRecord {
    fn from(fault: &Fault) -> Self {
        Self {
            kind: fault.kind().as_str().to_owned(),
            message: fault.message().to_owned(),
            maybe_executed: fault.maybe_executed(),
            code: fault.code().map(Into::into),
            status: fault.status(),
            request_id: fault.request_id().map(Into::into),
            attempts: fault.attempts(),
        }
    }
}

impl From<&FaultRecord> for Fault {
    fn from(record: &FaultRecord) -> Self {
        let mut kinds = FaultKind::ALL.iter();
        let kind = kinds.find(|kind| kind.as_str() == record.kind);
        let kind = kind.copied().unwrap_or(FaultKind::Unknown);
        let execution = match record.maybe_executed {
            true => ExecutionStatus::Unknown,
            false => ExecutionStatus::NotExecuted,
        };
        let mut fault = Self::new(kind, &record.message)
            .with_execution_status(execution)
            .with_request_id(record.request_id.as_deref())
            .with_attempts(record.attempts);
        if let Some(code) = &record.code {
            fault = fault.with_code(code);
        }
        if let Some(status) = record.status {
            fault = fault.with_status(status);
        }
        fault
    }
}

impl fmt::Display for FaultRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Fault::from(self).fmt(f)
    }
}

impl From<&Observation> for ObservationRecord {
    fn from(seen: &Observation) -> Self {
        Self {
            state: seen.state.as_str().to_owned(),
            raw: seen.raw.clone(),
            name: seen.name.clone(),
            started_at: seen.started_at.clone(),
            lock: seen.lock.as_ref().map(ToString::to_string),
            stopped_billing: billing_word(seen.stopped_billing),
        }
    }
}

impl ObservationRecord {
    /// Returns the observation of an instance.
    pub fn observation(&self, instance: InstanceId) -> Observation {
        let lock = self.lock.as_ref().map(|lock| match lock.as_str() {
            "security" => Lock::Security,
            "financial" => Lock::Financial,
            "recycling" => Lock::Recycling,
            other => Lock::Other(other.to_owned()),
        });
        Observation::new(instance, state(&self.state), &self.raw)
            .with_name(self.name.clone())
            .with_started_at(self.started_at.clone())
            .with_lock(lock)
            .with_stopped_billing(billing(self.stopped_billing.as_deref()))
    }
}

fn state(word: &str) -> PowerState {
    let mut states = PowerState::ALL.iter();
    let state = states.find(|state| state.as_str() == word);
    state.copied().unwrap_or(PowerState::Unknown)
}

fn billing_word(billing: StoppedBilling) -> Option<String> {
    (billing != StoppedBilling::Unknown).then(|| billing.as_str().to_owned())
}

fn billing(word: Option<&str>) -> StoppedBilling {
    match word {
        Some("billed") => StoppedBilling::Billed,
        Some("not-billed") => StoppedBilling::NotBilled,
        _ => StoppedBilling::Unknown,
    }
}

impl<I: fmt::Display> From<&InstanceReport<I>> for RowRecord {
    fn from(row: &InstanceReport<I>) -> Self {
        Self {
            instance: row.instance.to_string(),
            outcome: OutcomeRecord::from(&row.outcome),
            last_seen: row.last_seen.as_ref().map(Into::into),
            request_id: row.request_id.as_deref().map(Into::into),
            billing: row.billing.map(|billing| billing.as_str().to_owned()),
        }
    }
}

impl RowRecord {
    /// Returns the row of a report. `name` is the name of the instance in the report, and `id` the id at
    /// the cloud.
    pub fn report<I>(&self, name: I, id: InstanceId) -> InstanceReport<I> {
        let mut row = InstanceReport::new(name, Outcome::from(&self.outcome));
        if let Some(seen) = &self.last_seen {
            row = row.with_last_seen(seen.observation(id));
        }
        if let Some(request_id) = &self.request_id {
            row = row.with_request_id(request_id.as_str());
        }
        if let Some(word) = &self.billing {
            row = row.with_billing(billing(Some(word)));
        }
        row
    }
}

impl From<&Outcome> for OutcomeRecord {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Reached(evidence) => {
                let (evidence, job) = match evidence {
                    Evidence::Seen => (SEEN, None),
                    Evidence::LeftAndReturned => (LEFT_AND_RETURNED, None),
                    Evidence::StartTimeChanged => (START_TIME_CHANGED, None),
                    Evidence::Job(job) => (JOB, Some(job.as_str().to_owned())),
                    // Unreachable: new evidence needs a new version of the records.
                    _ => (SEEN, None),
                };
                Self::Reached {
                    evidence: evidence.to_owned(),
                    job,
                }
            }
            Outcome::Accepted => Self::Accepted,
            Outcome::Unchanged => Self::Unchanged,
            Outcome::Refused(fault) => Self::Refused {
                fault: fault.into(),
            },
            Outcome::Uncertain(fault) => Self::Uncertain {
                fault: fault.into(),
            },
            Outcome::Pending(pending) => {
                let (state, age) = match pending {
                    Pending::Deadline(state) | Pending::Cancelled(state) => (*state, None),
                    Pending::StateOutdated { last, age, .. } => (*last, *age),
                    Pending::StuckState(state) => (Some(*state), None),
                    _ => (None, None),
                };
                Self::Pending {
                    reason: pending.as_str().to_owned(),
                    state: state.map(|state| state.as_str().to_owned()),
                    age,
                    fault: pending.fault().map(Into::into),
                }
            }
            Outcome::Skipped(fault) => Self::Skipped {
                fault: fault.into(),
            },
            // Unreachable: a new outcome needs a new version of the records.
            _ => Self::Uncertain {
                fault: (&Fault::new(FaultKind::Unknown, outcome.as_str())).into(),
            },
        }
    }
}

impl From<&OutcomeRecord> for Outcome {
    fn from(record: &OutcomeRecord) -> Self {
        match record {
            OutcomeRecord::Reached { evidence, job } => {
                let job = || job.as_deref().and_then(JobId::new);
                Self::Reached(match evidence.as_str() {
                    LEFT_AND_RETURNED => Evidence::LeftAndReturned,
                    START_TIME_CHANGED => Evidence::StartTimeChanged,
                    JOB => job().map_or(Evidence::Seen, Evidence::Job),
                    _ => Evidence::Seen,
                })
            }
            OutcomeRecord::Accepted => Self::Accepted,
            OutcomeRecord::Unchanged => Self::Unchanged,
            OutcomeRecord::Refused { fault } => Self::Refused(fault.into()),
            OutcomeRecord::Uncertain { fault } => Self::Uncertain(fault.into()),
            OutcomeRecord::Pending {
                reason,
                state: word,
                age,
                fault,
            } => {
                let last = word.as_deref().map(state);
                let fault = || match fault {
                    Some(fault) => fault.into(),
                    None => Fault::new(FaultKind::Unknown, "the journal names no reason"),
                };
                Self::Pending(match reason.as_str() {
                    "state-outdated" => Pending::StateOutdated {
                        last,
                        age: *age,
                        fault: fault(),
                    },
                    "unconfirmed" => Pending::Unconfirmed,
                    "stuck-state" => Pending::StuckState(last.unwrap_or(PowerState::Unknown)),
                    "vanished" => Pending::Vanished,
                    "unobservable" => Pending::Unobservable(fault()),
                    "job-failed" => Pending::JobFailed(fault()),
                    "not-forced" => Pending::NotForced(fault()),
                    "cancelled" => Pending::Cancelled(last),
                    _ => Pending::Deadline(last),
                })
            }
            OutcomeRecord::Skipped { fault } => Self::Skipped(fault.into()),
        }
    }
}

impl OutcomeRecord {
    /// Returns the explanation for people; `None` if the name of the outcome says everything.
    pub fn explanation(&self) -> Option<String> {
        match Outcome::from(self) {
            Outcome::Reached(evidence) => Some(evidence.to_string()),
            Outcome::Pending(pending) => Some(pending.to_string()),
            outcome => outcome.fault().map(ToString::to_string),
        }
    }
}

const SEEN: &str = "seen";
const LEFT_AND_RETURNED: &str = "left-and-returned";
const START_TIME_CHANGED: &str = "start-time-changed";
const JOB: &str = "job";

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn fault() -> Fault {
        Fault::new(FaultKind::Capacity, "no stock")
            .with_code("NoStock")
            .with_status(403)
            .with_request_id(Some("r-1"))
            .with_attempts(3)
    }

    #[test]
    fn action_survives_the_record() {
        for action in Action::all_variants() {
            let record = ActionRecord::from(action);
            let text = serde_json::to_string(&record).unwrap();
            let read: ActionRecord = serde_json::from_str(&text).unwrap();
            assert_eq!(Action::from(read), action, "{text}");
        }
    }

    #[test]
    fn waves_survive_the_record() {
        let pause = Duration::from_secs(5);
        for waves in [
            Waves::of(7).with_stop_after(3).with_pause(pause),
            Waves::percent(10),
            Waves::of(7).with_stop_after(FailureLimit::percent(20)),
        ] {
            assert_eq!(Waves::from(WavesRecord::from(waves)), waves);
        }
    }

    #[test]
    fn every_fault_kind_survives_the_record() {
        for kind in FaultKind::ALL {
            for execution in [ExecutionStatus::NotExecuted, ExecutionStatus::Unknown] {
                let fault = fault().with_kind(*kind).with_execution_status(execution);
                assert_eq!(Fault::from(&FaultRecord::from(&fault)), fault);
            }
        }
    }

    #[test]
    fn every_request_option_survives_the_record() {
        let options = PowerRequestOptions::default()
            .with_strict(true)
            .with_when_idle(true)
            .with_wait(Duration::from_secs(90))
            .with_force_after(Duration::from_secs(30));
        let record = RequestOptionsRecord::from(options);
        let line = serde_json::to_string(&record).unwrap();
        let read: RequestOptionsRecord = serde_json::from_str(&line).unwrap();
        assert_eq!(PowerRequestOptions::from(read), options);
    }

    #[test]
    fn every_outcome_survives_the_record() {
        let fault = || fault().with_execution_status(ExecutionStatus::NotExecuted);
        let pending = [
            Pending::Deadline(None),
            Pending::Deadline(Some(PowerState::Stopping)),
            Pending::StateOutdated {
                last: Some(PowerState::Running),
                age: Some(Duration::from_millis(1_500)),
                fault: fault(),
            },
            Pending::Unconfirmed,
            Pending::StuckState(PowerState::Expired),
            Pending::Vanished,
            Pending::Unobservable(fault()),
            Pending::JobFailed(fault()),
            Pending::NotForced(fault()),
            Pending::Cancelled(Some(PowerState::Running)),
        ];
        let reached = [
            Evidence::Seen,
            Evidence::LeftAndReturned,
            Evidence::StartTimeChanged,
            Evidence::Job(JobId::new("job-1").unwrap()),
        ];
        let others = [
            Outcome::Accepted,
            Outcome::Unchanged,
            Outcome::Refused(fault()),
            Outcome::Uncertain(fault()),
            Outcome::Skipped(fault()),
        ];
        let outcomes = pending.map(Outcome::Pending).into_iter();
        let outcomes = outcomes.chain(reached.map(Outcome::Reached)).chain(others);
        for outcome in outcomes {
            let instance = InstanceId::new("i-1").unwrap();
            let seen = Observation::new(instance.clone(), PowerState::Stopped, "Stopped")
                .with_name(Some("web".to_owned()))
                .with_started_at(Some("2026-01-01T00:00Z".to_owned()))
                .with_lock(Some(Lock::Other("audit".to_owned())))
                .with_stopped_billing(StoppedBilling::NotBilled);
            let row = InstanceReport::new("baidu/bj/i-1", outcome)
                .with_last_seen(seen)
                .with_request_id("r-2")
                .with_billing(StoppedBilling::Unknown);
            let text = serde_json::to_string(&RowRecord::from(&row)).unwrap();
            let read: RowRecord = serde_json::from_str(&text).unwrap();
            let read = read.report("baidu/bj/i-1", instance);
            assert_eq!(format!("{read:?}"), format!("{row:?}"), "{text}");
        }
    }
}
