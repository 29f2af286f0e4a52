//! Asks [`decide`] about a fact, and carries the decision out: the phase of the instance, the events, the time
//! to settle an ambiguity.

use std::mem;

use lifecycle_core::{ExecutionStatus, InstanceId, Observation};
use tokio::time::Instant;

use super::OutcomeTracker;
use crate::power::{
    decide::{Decision, Fact, decide},
    event::Event,
    refusal::Refusal,
    report::Outcome,
    tracked_instance::{Phase, instance_report, is_ready},
};

impl OutcomeTracker {
    /// Decides about one instance, and returns whether it needs polling.
    pub(super) fn settle_fact(
        &mut self,
        id: &InstanceId,
        fact: Fact<'_>,
        settle_by: Option<Instant>,
    ) -> bool {
        match self.index.get(id) {
            Some(&at) => self.apply(at, fact, settle_by),
            None => false,
        }
    }

    pub(super) fn apply(&mut self, at: usize, fact: Fact<'_>, settle_by: Option<Instant>) -> bool {
        let decision = decide(&self.instances[at], fact, &self.options);
        let needs_polling = decision.needs_polling();
        let tracked = &mut self.instances[at];
        match decision {
            Decision::Ignore => {}
            Decision::Accept => {
                tracked.phase = Phase::Accepted;
                if !mem::replace(&mut tracked.acceptance_emitted, true) {
                    let event = Event::Accepted {
                        instance: tracked.id.clone(),
                        request_id: tracked.request_id.clone(),
                    };
                    self.emit(event);
                }
                if !self.options.waits {
                    self.close(at, Outcome::Accepted);
                }
                return self.options.waits;
            }
            Decision::Watch => tracked.phase = Phase::Accepted,
            Decision::Settle(ambiguity) => {
                tracked.request_id = ambiguity.fault.request_id().map(Into::into);
                tracked.phase = Phase::Ambiguous(ambiguity);
                if let Some(settle_by) = settle_by {
                    let earlier = self.settle.partition_point(|(due, _)| *due <= settle_by);
                    self.settle.insert(earlier, (settle_by, at));
                }
            }
            Decision::Remember(setback) => tracked.setback = Some(setback.into()),
            Decision::AwaitIdle => {
                let state = tracked.last_state();
                let in_transition = state.is_some_and(|state| self.options.awaits_end_of(state));
                tracked.await_idle(in_transition);
            }
            Decision::SendAgain(fault) => {
                tracked.maybe_executed_before |= fault.maybe_executed();
                let fault = match tracked.maybe_executed_before {
                    true => fault.with_execution_status(ExecutionStatus::Unknown),
                    false => fault,
                };
                tracked.forget_call(Refusal::now(fault));
            }
            Decision::Close(outcome) => self.close(at, outcome),
        }
        needs_polling
    }

    fn close(&mut self, at: usize, outcome: Outcome) {
        let tracked = &mut self.instances[at];
        if tracked.request_id.is_none() {
            let fault = outcome.fault();
            tracked.request_id = fault.and_then(|fault| fault.request_id()).map(Into::into);
        }
        let outcome = match outcome {
            // A refusal is final: whatever the fault left open is settled now.
            Outcome::Refused(fault) => {
                Outcome::Refused(fault.with_execution_status(ExecutionStatus::NotExecuted))
            }
            Outcome::Uncertain(fault) => Outcome::Uncertain(tracked.contact.explain(fault)),
            outcome => outcome,
        };
        tracked.phase = Phase::Closed(outcome.clone());
        self.open -= 1;
        if self.events.is_some() {
            let (id, last, request_id) = (
                tracked.id.clone(),
                tracked.last.clone(),
                tracked.request_id.clone(),
            );
            let row = instance_report(self.options.kind, id, outcome, last, request_id);
            self.emit(Event::Settled(row));
        }
    }

    /// Keeps an observation, and emits an event when the cloud's own state word has changed.
    pub(super) fn note(&mut self, at: usize, seen: &Observation) {
        let goal = self.options.goal;
        let tracked = &mut self.instances[at];
        tracked.contact.seen(Instant::now());
        tracked.ready_views.seen(is_ready(seen.state, goal));
        let before = tracked.last.replace(seen.clone());
        if before.is_none_or(|before| before.raw != seen.raw) {
            self.emit(state(seen));
        }
    }
}

fn state(seen: &Observation) -> Event {
    Event::State {
        instance: seen.instance.clone(),
        observation: seen.clone(),
    }
}
