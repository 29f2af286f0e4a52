//! `OutcomeTracker`: the instances of one power request, from the first fact to the report. No I/O.
//!
//! Every fact passes through here once: the tracker records it, asks [`decide`](super::decide::decide), carries
//! the decision out, and emits the events.

mod apply;

use std::{
    collections::{HashMap, VecDeque},
    mem,
    sync::Arc,
    time::Duration,
};

use lifecycle_core::{Fault, FaultKind, Idempotency, InstanceId, JobId, Observation, PowerState};
use tokio::time::Instant;

use super::{
    decide::{DecideOptions, Fact},
    event::Event,
    idle_step::{IdleStep, idle_step},
    listener::Listener,
    plan::Plan,
    report::{Outcome, Report},
    tracked_instance::{
        JobEvidence, Phase, RunHistory, TrackedInstance, instance_report, is_ready,
    },
};
use crate::{
    call::event::CallEvent,
    mutation::{Mutant, Mutation},
    observe::lookup::ObserveResult,
};

/// The instances of one power request.
#[derive(Debug)]
pub(crate) struct OutcomeTracker {
    options: DecideOptions,
    instances: Vec<TrackedInstance>,
    index: HashMap<InstanceId, usize>,
    open: usize,
    /// The times at which ambiguous instances must be settled, the earliest first.
    settle: VecDeque<(Instant, usize)>,
    events: Option<Listener>,
}

impl OutcomeTracker {
    pub(crate) fn new(plan: &Plan, events: Option<Listener>, mutant: Mutant) -> Self {
        let kind = plan.action.map(|action| action.kind());
        let phase = || match kind {
            Some(_) => Phase::NotSent,
            None => Phase::Accepted,
        };
        let now = Instant::now();
        let instances: Vec<TrackedInstance> = plan
            .ids
            .iter()
            .map(|id| TrackedInstance::new(id.clone(), phase(), now))
            .collect();
        let mut tracker = Self {
            options: DecideOptions {
                kind,
                goal: plan.goal,
                waits: plan.options.timeout().is_some(),
                strict: plan.options.strict,
                forces: plan.options.force_after.is_some(),
                when_idle: plan.options.when_idle,
                idempotent: plan.action.is_some_and(|action| {
                    matches!(action.idempotency(), Idempotency::Idempotent(_))
                }),
            },
            open: instances.len(),
            index: plan.ids.iter().cloned().zip(0..).collect(),
            instances,
            settle: VecDeque::new(),
            events,
        };
        tracker.mutate(mutant);
        tracker
    }

    fn mutate(&mut self, mutant: Mutant) {
        if mutant.is(Mutation::TrustsRunning) {
            for tracked in &mut self.instances {
                tracked.run_history = RunHistory::SeenLeaving;
            }
        }
        if mutant.is(Mutation::EmitsNoEvents) {
            self.events = None;
        }
    }

    pub(crate) fn options(&self) -> DecideOptions {
        self.options
    }

    /// Returns the state that the request asks for.
    pub(crate) fn goal(&self) -> PowerState {
        self.options.goal
    }

    /// Returns the number of instances without an outcome.
    pub(crate) fn open(&self) -> usize {
        self.open
    }

    pub(crate) fn is_open(&self, id: &InstanceId) -> bool {
        let at = self.index.get(id);
        at.is_some_and(|&at| self.instances[at].is_open())
    }

    pub(crate) fn emit(&self, event: Event) {
        if let Some(listener) = &self.events {
            listener.receive(event);
        }
    }

    /// Records the observation of an instance by triage, before the action is sent.
    pub(crate) fn before(&mut self, seen: Observation) {
        if let Some(&at) = self.index.get(&seen.instance) {
            self.note(at, &seen);
            self.instances[at].record_before(seen);
        }
    }

    /// Returns the next step for an instance after a look before the action.
    pub(crate) fn idle_step(
        &self,
        id: &InstanceId,
        result: Option<&ObserveResult>,
        age: Duration,
    ) -> IdleStep {
        match self.index.get(id) {
            Some(&at) => idle_step(&self.instances[at], result, &self.options, age),
            None => IdleStep::Send,
        }
    }

    /// Records an instance that is not sent yet.
    pub(crate) fn not_idle(&mut self, id: &InstanceId) {
        self.settle_fact(id, Fact::NotIdle, None);
    }

    /// Records an instance that is sent now.
    pub(crate) fn idle(&mut self, id: &InstanceId) {
        if let Some(tracked) = self.get_mut(id)
            && let Phase::AwaitsIdle(_) = tracked.phase
        {
            tracked.phase = Phase::NotSent;
        }
    }

    /// Returns whether an instance waits for the end of a transition.
    pub(crate) fn has_waiting(&self) -> bool {
        self.instances.iter().any(TrackedInstance::awaits_idle)
    }

    /// Returns the instances that wait for the end of a transition.
    pub(crate) fn waiting(&self) -> Vec<InstanceId> {
        let waiting = self.instances.iter();
        let waiting = waiting.filter(|tracked| tracked.awaits_idle());
        waiting.map(|tracked| tracked.id.clone()).collect()
    }

    /// Records that an earlier call with `ids` may have been executed.
    pub(crate) fn maybe_executed_before(&mut self, ids: &[InstanceId]) {
        for at in self.places(ids) {
            self.instances[at].maybe_executed_before = true;
        }
    }

    /// Records the look after a rejected batch that does not explain the rejection.
    pub(crate) fn seen_after_rejection(&mut self, seen: &Observation) {
        self.viewed(seen);
        if let Some(tracked) = self.get_mut(&seen.instance) {
            tracked.state_after_rejection.get_or_insert(seen.state);
        }
    }

    /// Records a view that decides nothing, except what later facts can prove.
    pub(crate) fn viewed(&mut self, seen: &Observation) {
        let goal = self.options.goal;
        if let Some(tracked) = self.get_mut(&seen.instance) {
            tracked.ready_views.seen(is_ready(seen.state, goal));
        }
    }

    /// Returns whether a call before the last call with the instance may have been executed.
    pub(crate) fn is_maybe_executed_before(&self, id: &InstanceId) -> bool {
        let at = self.index.get(id);
        at.is_some_and(|&at| self.instances[at].maybe_executed_before)
    }

    /// Returns whether the cloud refused an earlier call for one of `ids`.
    pub(crate) fn any_refused_before(&self, ids: &[InstanceId]) -> bool {
        let mut places = self.places(ids).into_iter();
        places.any(|at| self.instances[at].refused_before.is_some())
    }

    /// Returns the instances with their observations before the action.
    pub(crate) fn before_sending(
        &self,
        ids: &[InstanceId],
    ) -> Vec<(InstanceId, Option<Observation>)> {
        let before = |id: &InstanceId| {
            let at = self.index.get(id)?;
            self.instances[*at].before.as_deref().cloned()
        };
        ids.iter().map(|id| (id.clone(), before(id))).collect()
    }

    /// Records that an earlier process sent the instance, and the observation before that. The time of the
    /// call counts as now: every view so far can precede the action.
    pub(crate) fn sent_earlier(&mut self, id: &InstanceId, before: Option<Observation>) {
        if let Some(tracked) = self.get_mut(id) {
            tracked.sent_at = Some(Instant::now());
            tracked.ready_views.sent_earlier();
            if let Some(before) = before {
                tracked.record_before(before);
            }
        }
    }

    /// Records a call of an earlier process without an answer. Lookups settle the question until `settle_by`;
    /// with `None` until the deadline of the request.
    pub(crate) fn unclear_earlier(
        &mut self,
        id: &InstanceId,
        fault: &Fault,
        settle_by: Option<Instant>,
    ) {
        self.settle_fact(id, Fact::AnswerLost(fault), settle_by);
        self.emit(Event::Unclear {
            instance: id.clone(),
            fault: fault.clone(),
        });
    }

    /// Returns whether a look before the action showed the instance.
    pub(crate) fn existed(&self, id: &InstanceId) -> bool {
        let at = self.index.get(id);
        at.is_some_and(|&at| self.instances[at].before.is_some())
    }

    /// Returns whether an instance is in the same state as before the action; `false` without an earlier
    /// observation.
    pub(crate) fn back_in_initial_state(&self, seen: &Observation) -> bool {
        let at = self.index.get(&seen.instance);
        let before = at.and_then(|&at| self.instances[at].before.as_ref());
        before.is_some_and(|before| {
            before.state == seen.state && before.started_at == seen.started_at
        })
    }

    /// Records that the cloud accepted the action. Returns the instances that need polling, with the ids that the
    /// tracker has: an id from a response has an allocation of its own.
    pub(crate) fn accepted(
        &mut self,
        ids: &[InstanceId],
        request_id: Option<&Arc<str>>,
    ) -> Vec<InstanceId> {
        let now = Instant::now();
        let mut polled = Vec::new();
        for at in self.places(ids) {
            let tracked = &mut self.instances[at];
            if tracked.is_open() {
                tracked.request_id = request_id.cloned();
                tracked.contact.answered(now);
            }
            if self.apply(at, Fact::Accepted, None) {
                polled.push(self.instances[at].id.clone());
            }
        }
        polled
    }

    /// Records a lost answer: the action may have been executed. Lookups settle the question until
    /// `settle_by`.
    pub(crate) fn answer_lost(&mut self, id: &InstanceId, fault: &Fault, settle_by: Instant) {
        if self.is_open(id) {
            self.settle_fact(id, Fact::AnswerLost(fault), Some(settle_by));
            self.emit(Event::Unclear {
                instance: id.clone(),
                fault: fault.clone(),
            });
        }
    }

    /// Records the forced stop that follows now, and returns the open instances of `ids`.
    pub(crate) fn force(&mut self, mut ids: Vec<InstanceId>) -> Vec<InstanceId> {
        ids.retain(|id| {
            let tracked = self.get_mut(id);
            let tracked = tracked.filter(|tracked| tracked.is_open() && !tracked.forced);
            let Some(tracked) = tracked else {
                return false;
            };
            tracked.forced = true;
            tracked.acceptance_emitted = false;
            true
        });
        for id in &ids {
            self.emit(Event::Forcing {
                instance: id.clone(),
            });
        }
        ids
    }

    /// Returns whether a forced stop followed the graceful one for any of `ids`.
    pub(crate) fn is_forced(&self, ids: &[InstanceId]) -> bool {
        let mut places = self.places(ids).into_iter();
        places.any(|at| self.instances[at].forced)
    }

    /// Records a rejection whose reason is not the state of the instance.
    pub(crate) fn rejected(&mut self, id: &InstanceId, fault: &Fault) {
        self.settle_fact(id, Fact::Rejected(fault), None);
    }

    /// Records that no later look can settle a rejection.
    pub(crate) fn unsettled(&mut self, id: &InstanceId, fault: &Fault) {
        self.settle_fact(id, Fact::Unsettled(fault), None);
    }

    /// Records a rejection of a start or a stop, and the lookup that followed; `true` when the
    /// instance needs polling.
    pub(crate) fn rejected_after_observe(
        &mut self,
        id: &InstanceId,
        fault: &Fault,
        seen: Option<&Observation>,
        settle_by: Instant,
    ) -> bool {
        let Some(&at) = self.index.get(id) else {
            return false;
        };
        if let Some(seen) = seen.filter(|_| self.instances[at].is_open()) {
            self.note(at, seen);
        }
        let fact = Fact::RejectedAfterObserve(fault, seen);
        self.apply(at, fact, Some(settle_by))
    }

    /// Records an action not sent.
    pub(crate) fn never_sent(&mut self, id: &InstanceId, fault: &Fault) {
        self.settle_fact(id, Fact::NeverSent(fault), None);
    }

    /// Records the success of the part of a job for this instance.
    pub(crate) fn job_succeeded(&mut self, id: &InstanceId, job: &JobId) {
        if let Some(tracked) = self.get_mut(id) {
            tracked.job = JobEvidence::Succeeded(job.clone().into());
        }
    }

    /// Records the success of a whole job without a part for this instance.
    pub(crate) fn batch_job_succeeded(&mut self, id: &InstanceId, job: &JobId) {
        if let Some(tracked) = self.get_mut(id)
            && tracked.job.succeeded().is_none()
        {
            tracked.job = JobEvidence::BatchSucceeded(job.clone().into());
        }
    }

    /// Records the failure of an accepted action.
    pub(crate) fn job_failed(&mut self, id: &InstanceId, fault: &Fault) {
        self.settle_fact(id, Fact::JobFailed(fault), None);
    }

    /// Records the result of a lookup.
    pub(crate) fn looked_up(&mut self, id: &InstanceId, result: &ObserveResult) {
        let Some(&at) = self.index.get(id) else {
            return;
        };
        let tracked = &mut self.instances[at];
        // Views of a waiting instance come from the looks before the action.
        if !tracked.is_open() || tracked.awaits_idle() {
            return;
        }
        let fact = match result {
            ObserveResult::Found(seen) => {
                self.note(at, seen);
                self.instances[at].record_observed(seen, self.options.goal);
                Fact::Observed(seen)
            }
            ObserveResult::NotFound => {
                tracked.contact.answered(Instant::now());
                tracked.not_found_in_a_row = tracked.not_found_in_a_row.saturating_add(1);
                Fact::NotFound
            }
            ObserveResult::Failed(fault) => {
                tracked.contact.failed(fault);
                Fact::ObserveFailed(fault)
            }
        };
        self.apply(at, fact, None);
    }

    /// Settles the ambiguous instances whose time is over.
    pub(crate) fn expire(&mut self, now: Instant) {
        while let Some(&(due, at)) = self.settle.front() {
            if due > now {
                return;
            }
            self.settle.pop_front();
            self.apply(at, Fact::AmbiguityExpired, None);
        }
    }

    /// Returns the next time at which [`expire`](Self::expire) has something to do.
    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        self.settle.front().map(|(due, _)| *due)
    }

    /// Ends what the cloud has answered for; with `sending_finished` what was not sent as well.
    /// A state is old if no answer came for longer than `silence`.
    pub(crate) fn deadline_passed(&mut self, sending_finished: bool, silence: Duration) {
        let now = Instant::now();
        for at in 0..self.instances.len() {
            let tracked = &self.instances[at];
            let outdated = tracked.contact.outdated(tracked.last_state(), now, silence);
            let fact = Fact::DeadlinePassed {
                sending_finished,
                outdated: outdated.as_ref(),
            };
            self.apply(at, fact, None);
        }
    }

    /// Records a failed read about these instances. Lookups go on.
    pub(crate) fn read_failed(&mut self, ids: &[InstanceId], fault: &Fault) {
        for at in self.places(ids) {
            self.instances[at].contact.failed(fault);
        }
    }

    /// Records an answer about instances that does not show their states.
    pub(crate) fn read_answered(&mut self, ids: &[InstanceId]) {
        let now = Instant::now();
        for at in self.places(ids) {
            self.instances[at].contact.answered(now);
        }
    }

    /// Takes the report out of the tracker, once no instance is open.
    pub(crate) fn take_report(&mut self) -> Report {
        let kind = self.options.kind;
        let rows = mem::take(&mut self.instances).into_iter().map(|tracked| {
            let outcome = match tracked.phase {
                Phase::Closed(outcome) => outcome,
                // Unreachable if no instance is open.
                Phase::Ambiguous(ambiguity) => ambiguity.reason.outcome(&ambiguity.fault),
                Phase::Accepted => Outcome::Accepted,
                Phase::NotSent | Phase::AwaitsIdle(_) => {
                    Outcome::Skipped(Fault::new(FaultKind::Deadline, "the action was never sent"))
                }
            };
            instance_report(kind, tracked.id, outcome, tracked.last, tracked.request_id)
        });
        rows.collect()
    }

    /// Returns the places of those of `ids` that the request has, in the order of `ids`.
    fn places(&self, ids: &[InstanceId]) -> Vec<usize> {
        let mut next = 0;
        let place = |id: &InstanceId| {
            // A call has the order of the request, so the next instance is usually at the next place.
            let at = match self.instances.get(next) {
                Some(tracked) if tracked.id == *id => next,
                _ => *self.index.get(id)?,
            };
            next = at + 1;
            Some(at)
        };
        ids.iter().filter_map(place).collect()
    }

    fn get_mut(&mut self, id: &InstanceId) -> Option<&mut TrackedInstance> {
        self.index.get(id).map(|&at| &mut self.instances[at])
    }

    /// Records and reports an event of a call for `ids`.
    pub(crate) fn call_event(&mut self, ids: &[InstanceId], event: CallEvent) {
        let instances = match self.events {
            Some(_) => ids.to_vec(),
            None => Vec::new(),
        };
        match event {
            CallEvent::Sending { operation } => {
                self.sent(ids);
                self.emit(Event::Sending {
                    operation,
                    instances,
                });
            }
            CallEvent::Throttled {
                operation, wait, ..
            } => self.emit(Event::Throttled {
                operation,
                instances,
                wait,
            }),
            CallEvent::Retrying {
                operation,
                attempt,
                wait,
                fault,
            } => self.emit(Event::Retrying {
                operation,
                instances,
                attempt,
                wait,
                fault,
            }),
        }
    }

    /// Records a call with the action, at the moment of sending.
    fn sent(&mut self, ids: &[InstanceId]) {
        let now = Instant::now();
        for at in self.places(ids) {
            let tracked = &mut self.instances[at];
            tracked.sent_at = Some(now);
            tracked.ready_views.sent();
        }
    }

    /// Returns the time of the first of the calls that sent these instances last, if all were sent.
    pub(crate) fn sent_at(&self, ids: &[InstanceId]) -> Option<Instant> {
        let sent_at = |id| self.instances[*self.index.get(id)?].sent_at;
        let times: Option<Vec<Instant>> = ids.iter().map(sent_at).collect();
        times?.into_iter().min()
    }

    /// Ends every instance because the caller cancelled the request, and takes the report out.
    pub(crate) fn cancelled_report(&mut self) -> Report {
        self.events = None;
        for at in 0..self.instances.len() {
            self.apply(at, Fact::Cancelled, None);
        }
        self.take_report()
    }
}

#[cfg(test)]
mod tests;
