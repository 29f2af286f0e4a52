//! What is known of each instance of one request, and what follows from it.
//!
//! Every fact passes through here once: it becomes an event, and in the end the report. No I/O.

use std::collections::{HashMap, VecDeque};

use lifecycle_core::{
    ActionKind, ExecutionStatus, Fault, FaultKind, InstanceId, JobId, Observation, PowerState,
};
use tokio::{sync::mpsc::UnboundedSender, time::Instant};

use crate::{
    observe::lookup::{ObserveResult, not_shown},
    power::event::{Event, emit},
    power::plan::Plan,
    power::report::{Evidence, Outcome, Pending, Report},
    power::tracked_instance::{Ambiguity, Phase, TrackedInstance, instance_report, is_up},
    power::triage::is_on_the_way,
};

/// The facts of one request.
#[derive(Debug)]
pub(crate) struct OutcomeTracker {
    /// `None` for a request that only waits.
    verb: Option<ActionKind>,
    goal: PowerState,
    /// Whether the goal is waited for, or acceptance is the end.
    waits: bool,
    /// Whether what is so already counts as refused.
    strict: bool,
    /// Whether what does not stop in time is forced.
    forces: bool,
    entries: Vec<TrackedInstance>,
    index: HashMap<InstanceId, usize>,
    open: usize,
    /// When unclear entries must be settled, the earliest first.
    settle: VecDeque<(Instant, usize)>,
    events: Option<UnboundedSender<Event>>,
}

/// Looks that must agree before an instance counts as vanished.
const ABSENCES: u8 = 3;

impl OutcomeTracker {
    pub(crate) fn new(plan: &Plan, events: Option<UnboundedSender<Event>>) -> Self {
        let index = plan.ids.iter().cloned().zip(0..).collect();
        let verb = plan.action.map(|action| action.kind());
        let phase = || match verb {
            Some(_) => Phase::Unsent,
            None => Phase::Accepted,
        };
        let entries: Vec<TrackedInstance> = plan
            .ids
            .iter()
            .map(|id| TrackedInstance::new(id.clone(), phase()))
            .collect();
        Self {
            verb,
            goal: plan.goal,
            waits: plan.patience().is_some(),
            strict: plan.terms.strict,
            forces: plan.terms.force_after.is_some(),
            open: entries.len(),
            entries,
            index,
            settle: VecDeque::new(),
            events,
        }
    }

    /// With a flaw: whatever is seen running was away before.
    pub(crate) fn trusting(mut self) -> Self {
        for entry in &mut self.entries {
            entry.seen_leaving = true;
        }
        self
    }

    /// With a flaw: nobody hears anything.
    pub(crate) fn silent(mut self) -> Self {
        self.events = None;
        self
    }

    /// How many instances have no outcome yet.
    pub(crate) fn open(&self) -> usize {
        self.open
    }

    pub(crate) fn is_open(&self, id: &InstanceId) -> bool {
        self.entry(id).is_some_and(TrackedInstance::is_open)
    }

    pub(crate) fn emit(&self, event: Event) {
        emit(self.events.as_ref(), || event);
    }

    /// It was like this before anything was sent.
    pub(crate) fn before(&mut self, observation: Observation) {
        self.emit(Event::State(observation.clone()));
        if let Some(entry) = self.entry_mut(&observation.instance.clone()) {
            entry.seen_running = is_up(&observation);
            entry.last = Some(observation.clone());
            entry.before = Some(observation);
        }
    }

    /// Whether an instance is as it was before the action. One that was not looked at before is
    /// not known to be.
    pub(crate) fn back_in_initial_state(&self, seen: &Observation) -> bool {
        let before = self
            .entry(&seen.instance)
            .and_then(|entry| entry.before.as_ref());
        before.is_some_and(|before| {
            before.state == seen.state && before.started_at == seen.started_at
        })
    }

    /// The cloud took the action on. `true` when the goal is to be waited for.
    pub(crate) fn accepted(&mut self, id: &InstanceId, request_id: Option<&str>) -> bool {
        let waits = self.waits;
        let Some(entry) = self.entry_mut(id).filter(|entry| entry.is_open()) else {
            return false;
        };
        entry.phase = Phase::Accepted;
        entry.request_id = request_id.map(Into::into);
        self.emit(Event::Accepted {
            instance: id.clone(),
            request_id: request_id.map(Into::into),
        });
        if !waits {
            self.close(id, Outcome::Accepted);
        }
        waits
    }

    /// The cloud may have taken the action on, and `settle_by` is the time to find out.
    pub(crate) fn ambiguous(&mut self, id: &InstanceId, fault: &Fault, settle_by: Instant) {
        match self.entry(id) {
            Some(entry) if !entry.is_open() => return,
            // The graceful stop before a forced one is what counts.
            Some(entry) if entry.forced => {}
            _ => self.doubt(id, fault.clone(), Ambiguity::AnswerLost, settle_by),
        }
        self.emit(Event::Unclear {
            instance: id.clone(),
            fault: fault.clone(),
        });
    }

    fn doubt(&mut self, id: &InstanceId, fault: Fault, doubt: Ambiguity, settle_by: Instant) {
        if let Some(&at) = self.index.get(id)
            && self.entries[at].is_open()
        {
            self.entries[at].request_id = fault.request_id().map(Into::into);
            self.entries[at].phase = Phase::Unclear(fault, doubt);
            self.entries[at].unchanged_since_sent = false;
            self.settle.push_back((settle_by, at));
        }
    }

    /// Of these, the ones that are still open: they are forced from now on.
    pub(crate) fn force(&mut self, ids: Vec<InstanceId>) -> Vec<InstanceId> {
        let mut late = ids;
        late.retain(|id| {
            let entry = self
                .entry_mut(id)
                .filter(|entry| entry.is_open() && !entry.forced);
            entry.map(|entry| entry.forced = true).is_some()
        });
        for id in &late {
            self.emit(Event::Forcing {
                instance: id.clone(),
            });
        }
        late
    }

    /// The cloud did not carry the action out.
    pub(crate) fn refused(&mut self, id: &InstanceId, fault: Fault) {
        match self.entry_mut(id) {
            // It has taken the graceful stop on before, which may still succeed.
            Some(entry) if entry.forced => entry.pending_reason = Some(Pending::NotForced(fault)),
            _ => self.close(id, Outcome::Refused(fault)),
        }
    }

    /// The cloud refused a start or a stop for a reason that can mean that it is so already; the
    /// instance was seen like this since. `true` when it has to be watched.
    pub(crate) fn refused_as_seen(
        &mut self,
        id: &InstanceId,
        fault: Fault,
        seen: Option<&Observation>,
        settle_by: Instant,
    ) -> bool {
        let Some(entry) = self.entry(id).filter(|entry| entry.is_open()) else {
            return false;
        };
        if entry.forced {
            return self.not_forced(id, fault, seen);
        }
        // A job takes instances on before it looks at them.
        let was_accepted = matches!(entry.phase, Phase::Accepted);
        // Then it was not so, and has come there since.
        let was_looked_at = entry.before.is_some();
        let certain = !fault.maybe_executed();
        if self.strict && certain && !was_accepted {
            self.close(id, Outcome::Refused(fault));
            return false;
        }
        let doubt = Ambiguity::about(&fault);
        let Some(seen) = seen else {
            self.doubt(id, fault, doubt, settle_by);
            return true;
        };
        self.note(seen);
        let state = seen.state;
        let on_the_way = is_on_the_way(self.goal, state);
        if state == self.goal && was_looked_at {
            self.close(id, Outcome::Reached(Evidence::Seen));
            false
        } else if state == self.goal || (on_the_way && !self.waits && !was_looked_at) {
            self.close(id, self.unchanged(fault));
            false
        } else if on_the_way && (!was_looked_at || was_accepted) {
            if let Some(entry) = self.entry_mut(id) {
                entry.phase = Phase::Accepted;
            }
            true
        } else if on_the_way
            || (self.is_ready(state) && is_believed_late(&fault))
            // It may have failed at what was refused in name only.
            || (state == PowerState::Failed
                && !(certain || was_looked_at || fault.kind() == FaultKind::Failed))
        {
            self.doubt(id, fault, doubt, settle_by);
            true
        } else {
            self.close(id, Outcome::Refused(fault));
            false
        }
    }

    /// It is so already, and the cloud has refused it for that.
    fn unchanged(&self, fault: Fault) -> Outcome {
        if self.strict {
            Ambiguity::about(&fault).outcome(fault, false)
        } else {
            Outcome::Unchanged
        }
    }

    /// The forced stop that followed a graceful one was refused: the graceful one may still
    /// succeed, or has done so by now.
    fn not_forced(&mut self, id: &InstanceId, fault: Fault, seen: Option<&Observation>) -> bool {
        if let Some(seen) = seen {
            self.note(seen);
        }
        if seen.is_some_and(|seen| seen.state == self.goal) {
            self.close(id, Outcome::Reached(Evidence::Seen));
            return false;
        }
        self.refused(id, fault);
        true
    }

    /// The time was over before the action could be sent.
    pub(crate) fn skipped(&mut self, id: &InstanceId, fault: Fault) {
        if !self.entry(id).is_some_and(|entry| entry.forced) {
            self.close(id, Outcome::Skipped(fault));
        }
    }

    /// The cloud's job for the instance succeeded: it was carried out. The goal is still to be
    /// seen.
    pub(crate) fn job_succeeded(&mut self, id: &InstanceId, job: &JobId) {
        if let Some(entry) = self.entry_mut(id) {
            entry.job = Some(job.clone());
            entry.job_succeeded = true;
        }
    }

    /// The cloud took the action on and says that it failed at it.
    pub(crate) fn job_failed(&mut self, id: &InstanceId, fault: Fault) {
        let forces = self.forces;
        match self.entry_mut(id).filter(|entry| entry.is_open()) {
            // Perhaps because the system within does not listen: that is what force is for.
            Some(entry) if forces => entry.pending_reason = Some(Pending::JobFailed(fault)),
            _ => self.end(id, |_| Pending::JobFailed(fault)),
        }
    }

    /// The whole job succeeded without a word about this instance. That is evidence that it left,
    /// not that it has returned.
    pub(crate) fn job_over(&mut self, id: &InstanceId, job: &JobId) {
        if let Some(entry) = self.entry_mut(id) {
            entry.job = Some(job.clone());
        }
    }

    /// The poller looked.
    pub(crate) fn result(&mut self, id: &InstanceId, result: ObserveResult) {
        if !self.is_open(id) {
            return;
        }
        match result {
            ObserveResult::Found(observation) => self.seen(&observation),
            ObserveResult::NotFound => self.absent(id),
            ObserveResult::Failed(fault) => match fault.kind() {
                FaultKind::Credential | FaultKind::Permission | FaultKind::Unsupported => {
                    self.end(id, |_| Pending::Unobservable(fault));
                }
                _ => {}
            },
        }
    }

    fn seen(&mut self, observation: &Observation) {
        self.note(observation);
        let (goal, verb) = (self.goal, self.verb);
        let on_the_way = is_on_the_way(self.goal, observation.state);
        let ready = self.is_ready(observation.state);
        let id = &observation.instance;
        let Some(entry) = self.entry_mut(id) else {
            return;
        };
        entry.absent = 0;
        entry.unchanged_since_sent = ready;
        // A job that succeeded is no proof against what is seen after it.
        entry.job_succeeded &= observation.state == goal;
        let state = observation.state;
        let evidence = match verb {
            Some(ActionKind::Reboot) => entry.reboot_evidence(observation),
            _ => (state == goal).then_some(Evidence::Seen),
        };
        let done = state == goal && evidence.is_some();
        let moved = match verb {
            Some(ActionKind::Reboot) => entry.seen_leaving || evidence.is_some(),
            _ => on_the_way,
        };
        let was_unclear = matches!(entry.phase, Phase::Unclear(..));
        let contradicted = match &entry.phase {
            Phase::Unclear(fault, Ambiguity::StateContradictsRejection) => Some(fault.clone()),
            _ => None,
        };
        match (evidence, contradicted) {
            // Refused, and not because of us: the view has caught up with the refusal.
            (_, Some(fault)) if done || (moved && !self.waits) => {
                self.close(id, self.unchanged(fault));
            }
            (_, Some(_)) if moved => {
                if let Some(entry) = self.entry_mut(id) {
                    entry.phase = Phase::Accepted;
                }
            }
            (Some(evidence), None) if done => self.close(id, Outcome::Reached(evidence)),
            _ if state.is_stuck() && state != goal => {
                self.end(id, |_| Pending::StuckState(state));
            }
            _ if was_unclear && moved => {
                // Seen at work: the lost answer was a yes.
                let request_id = self.entry(id).and_then(|entry| entry.request_id.clone());
                self.accepted(id, request_id.as_deref());
            }
            _ => {}
        }
    }

    fn absent(&mut self, id: &InstanceId) {
        let only_waits = self.verb.is_none();
        let Some(entry) = self.entry_mut(id) else {
            return;
        };
        entry.absent += 1;
        let never_seen = entry.last.is_none();
        if only_waits && never_seen {
            self.close(id, Outcome::Refused(not_shown()));
        } else if entry.absent >= ABSENCES {
            self.end(id, |_| Pending::Vanished);
        }
    }

    /// Settles what can wait no longer. Gives the instances that are closed by it.
    pub(crate) fn expire(&mut self, now: Instant) {
        while let Some(&(due, at)) = self.settle.front() {
            if due > now {
                return;
            }
            self.settle.pop_front();
            let entry = &self.entries[at];
            if let Phase::Unclear(fault, doubt) = &entry.phase {
                let (id, outcome) = (
                    entry.id.clone(),
                    doubt.outcome(fault.clone(), entry.unchanged_since_sent),
                );
                self.close(&id, outcome);
            }
        }
    }

    /// The next time at which [`expire`](Self::expire) has something to do.
    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        self.settle.front().map(|(due, _)| *due)
    }

    /// The time is over: whatever the cloud has answered for and is still open ends as it is. With
    /// `acted`, nothing more is sent either.
    pub(crate) fn deadline(&mut self, acted: bool) {
        let open: Vec<InstanceId> = self
            .entries
            .iter()
            .filter(|entry| matches!(entry.phase, Phase::Accepted | Phase::Unclear(..)))
            .map(|entry| entry.id.clone())
            .collect();
        if acted {
            let unsent = self
                .entries
                .iter()
                .filter(|entry| matches!(entry.phase, Phase::Unsent));
            for id in unsent.map(|entry| entry.id.clone()).collect::<Vec<_>>() {
                self.skipped(&id, Fault::new(FaultKind::Deadline, "the time was over"));
            }
        }
        let rebooted = self.verb == Some(ActionKind::Reboot);
        for id in &open {
            let job = self.entry(id).filter(|entry| entry.job_succeeded);
            if let Some(job) = job.and_then(|entry| entry.job.clone()) {
                // It could not be seen any more, but the cloud has said so.
                self.close(id, Outcome::Reached(Evidence::Job(job)));
            }
            self.end(id, |entry| {
                let state = entry.last.as_ref().map(|last| last.state);
                match (&entry.pending_reason, state) {
                    (Some(pending_reason), _) => pending_reason.clone(),
                    (None, Some(PowerState::Running)) if rebooted => Pending::Unconfirmed,
                    (None, state) => Pending::Deadline(state),
                }
            });
        }
    }

    /// The report, once nothing is open.
    pub(crate) fn into_report(self) -> Report {
        let verb = self.verb;
        let entries = self.entries.into_iter().map(|entry| {
            let outcome = match entry.phase {
                Phase::Closed(outcome) => outcome,
                // Cannot happen once nothing is open; said as what it would be.
                Phase::Unclear(fault, doubt) => doubt.outcome(fault, false),
                Phase::Accepted => Outcome::Accepted,
                Phase::Unsent => Outcome::Skipped(Fault::new(FaultKind::Deadline, "never sent")),
            };
            instance_report(verb, entry.id, outcome, entry.last, entry.request_id)
        });
        Report::new(entries.collect())
    }

    /// Ends an entry without its goal: what was taken on is pending, what is unclear is uncertain.
    fn end(&mut self, id: &InstanceId, pending: impl FnOnce(&TrackedInstance) -> Pending) {
        let Some(entry) = self.entry(id) else { return };
        let outcome = match &entry.phase {
            Phase::Accepted => Outcome::Pending(pending(entry)),
            Phase::Unclear(fault, doubt) => doubt.outcome(fault.clone(), false),
            Phase::Unsent | Phase::Closed(_) => return,
        };
        self.close(id, outcome);
    }

    fn close(&mut self, id: &InstanceId, outcome: Outcome) {
        let Some(&at) = self.index.get(id) else {
            return;
        };
        let entry = &mut self.entries[at];
        if matches!(entry.phase, Phase::Closed(_)) {
            return;
        }
        if entry.request_id.is_none() {
            let fault = outcome.fault();
            entry.request_id = fault.and_then(|f| f.request_id()).map(Into::into);
        }
        let outcome = match outcome {
            // Whatever it was when it came in.
            Outcome::Refused(fault) => {
                Outcome::Refused(fault.with_execution_status(ExecutionStatus::NotExecuted))
            }
            outcome => outcome,
        };
        entry.phase = Phase::Closed(outcome.clone());
        self.open -= 1;
        if self.events.is_some() {
            let (id, last, request_id) = (
                entry.id.clone(),
                entry.last.clone(),
                entry.request_id.clone(),
            );
            let settled = instance_report(self.verb, id, outcome, last, request_id);
            self.emit(Event::Settled(settled));
        }
    }

    /// Keeps an observation, and tells when it shows something new.
    fn note(&mut self, observation: &Observation) {
        let Some(entry) = self.entry_mut(&observation.instance) else {
            return;
        };
        let before = entry.last.replace(observation.clone());
        if before.is_none_or(|before| before.raw != observation.raw) {
            self.emit(Event::State(observation.clone()));
        }
    }

    /// In the state from which the action leads to the goal.
    fn is_ready(&self, state: PowerState) -> bool {
        match self.goal {
            PowerState::Running => state == PowerState::Stopped,
            PowerState::Stopped => state == PowerState::Running,
            _ => false,
        }
    }

    fn entry(&self, id: &InstanceId) -> Option<&TrackedInstance> {
        self.index.get(id).map(|&at| &self.entries[at])
    }

    fn entry_mut(&mut self, id: &InstanceId) -> Option<&mut TrackedInstance> {
        self.index.get(id).map(|&at| &mut self.entries[at])
    }
}

/// Whether a refusal of what is ready for the action is believed only after a while.
fn is_believed_late(refusal: &Fault) -> bool {
    refusal.kind() == FaultKind::WrongState || refusal.maybe_executed()
}
