//! Sending: batches, and what to do when a whole batch is refused because of one instance.

use futures_util::{StreamExt, stream};
use lifecycle_core::{
    Action, ActionKind, BatchAck, ExecutionStatus, Fault, FaultKind, Idempotency, InstanceId,
    Observation, PowerState,
};
use tokio::time::{Instant, sleep_until};

use crate::{
    call::context::{CallError, CallKind, CallOutput},
    mutation::Mutation,
    observe::lookup::{ObserveResult, not_shown},
    power::run::{Job, Jobs, RequestRunner, may_be_so_already},
};

impl RequestRunner<'_> {
    /// Sends `action` to these batches, several at a time. Every id has an outcome or is on its
    /// way to one afterwards.
    pub(crate) async fn send(&self, action: Action, mut batches: Vec<Vec<InstanceId>>, jobs: Jobs) {
        let sender = &Sender {
            run: self,
            action,
            jobs,
        };
        if batches.len() == 1
            && let Some(only) = batches.pop()
        {
            return sender.send_batch(only).await;
        }
        let batches: Vec<_> = batches
            .into_iter()
            .map(|batch| sender.send_batch(batch))
            .collect();
        let batches = stream::iter(batches).buffer_unordered(self.observer.engine.concurrency);
        batches.collect::<()>().await;
    }
}

struct Sender<'a> {
    run: &'a RequestRunner<'a>,
    action: Action,
    jobs: Jobs,
}

/// Instances that go out in one call.
struct ActionBatch {
    ids: Vec<InstanceId>,
    /// Their states were looked at, and explained nothing.
    looked: bool,
    /// They went out before, in a batch that was refused as a whole. Perhaps not all of it was.
    again: bool,
    /// The next parcel is the other half of what was refused.
    first_half: bool,
}

/// What became of a parcel.
enum BatchOutcome {
    /// The cloud took the call.
    Taken,
    /// The cloud provably did nothing, for a reason that may lie with one of the instances.
    Refused(Fault),
    /// It failed in another way, and is in the book.
    Failed,
}

impl Sender<'_> {
    async fn send_batch(&self, batch: Vec<InstanceId>) {
        let mut calls_left = budget(batch.len());
        let mut batches = vec![ActionBatch {
            ids: batch,
            looked: false,
            again: false,
            first_half: false,
        }];
        while let Some(batch) = batches.pop() {
            calls_left = calls_left.saturating_sub(1);
            match self.deliver(&batch).await {
                // Every parcel that waits costs a call, and so do the two that this one makes.
                BatchOutcome::Refused(fault)
                    if batch.ids.len() == 1 || calls_left < batches.len() + 2 =>
                {
                    let alone = batch.ids.len() == 1 && !may_be_so_already(fault.kind());
                    // A reboot was seen not to have moved before it was sent again.
                    let in_name = batch.again && !alone && self.may_be_sent_again();
                    let fault = match in_name {
                        true => fault.with_execution_status(ExecutionStatus::Unknown),
                        false => fault,
                    };
                    let refused = batch.ids.into_iter().map(|id| (id, fault.clone()));
                    self.run.refuse(self.action.kind(), refused.collect()).await;
                }
                BatchOutcome::Refused(fault) => batches.extend(self.bisect(batch, &fault).await),
                BatchOutcome::Taken if batch.first_half => {
                    // Then the culprit is in the other half, and nobody needs to ask.
                    if let Some(other) = batches.pop() {
                        batches.extend(halves(other.ids));
                    }
                }
                BatchOutcome::Taken | BatchOutcome::Failed => {}
            }
        }
    }

    /// Sends one call. All but a refusal is in the book afterwards.
    async fn deliver(&self, batch: &ActionBatch) -> BatchOutcome {
        let ids = &batch.ids;
        let failure = match self.mutated_call(ids).await {
            Ok(answer) => {
                self.receive(ids, answer).await;
                return BatchOutcome::Taken;
            }
            Err(failure) => failure,
        };
        match (failure.execution, failure.fault.kind()) {
            (ExecutionStatus::NotExecuted, kind) if kind.is_per_instance() => {
                return BatchOutcome::Refused(failure.fault);
            }
            // The cloud says that it failed at some; the rest may go again where that is harmless.
            (_, FaultKind::Failed) if ids.len() > 1 && self.may_be_sent_again() => {
                return BatchOutcome::Refused(failure.fault);
            }
            (ExecutionStatus::NotExecuted, _) if batch.again => self.ambiguous(ids, &failure.fault),
            (ExecutionStatus::NotExecuted, FaultKind::Deadline) => {
                let mut tracker = self.run.tracker();
                for id in ids {
                    tracker.never_sent(id, &failure.fault);
                }
            }
            (ExecutionStatus::NotExecuted, _) => {
                let mut tracker = self.run.tracker();
                for id in ids {
                    tracker.rejected(id, &failure.fault);
                }
            }
            _ => self.ambiguous(ids, &failure.fault),
        }
        self.run.notify();
        BatchOutcome::Failed
    }

    async fn call(
        &self,
        ids: &[InstanceId],
        idempotency: Idempotency,
    ) -> Result<CallOutput<BatchAck>, CallError> {
        let engine = &self.run.observer.engine;
        let call = engine.provider().act(&self.action, ids);
        let call = call.map_err(CallError::unsent)?;
        let effort = self.run.effort(CallKind::Act(idempotency), ids.len());
        engine.execute(&call, &effort).await
    }

    /// Makes the call with the mutation of the client, if there is one.
    async fn mutated_call(&self, ids: &[InstanceId]) -> Result<CallOutput<BatchAck>, CallError> {
        let mutant = self.run.observer.engine.mutant();
        let idempotency = match mutant.is(Mutation::RepeatsReboots) {
            true => Idempotency::Idempotent("a mutation"),
            false => self.action.idempotency(),
        };
        let mut result = self.call(ids, idempotency).await;
        match &mut result {
            Ok(CallOutput { value, .. })
                if mutant.is(Mutation::IgnoresFailedIds)
                    && matches!(value, BatchAck::Except(_) | BatchAck::Each { .. }) =>
            {
                *value = BatchAck::All;
            }
            Err(error) if mutant.is(Mutation::BelievesALostAnswer) => {
                error.execution = ExecutionStatus::NotExecuted;
            }
            Err(error) if mutant.is(Mutation::HalvesOnAnything) => {
                error.fault = error.fault.clone().with_kind(FaultKind::Capacity);
            }
            _ => {}
        }
        result
    }

    /// The cloud answered: writes down what it said of each instance.
    async fn receive(&self, ids: &[InstanceId], answer: CallOutput<BatchAck>) {
        let request_id = answer.request_id.as_deref();
        let refused = match answer.value {
            BatchAck::All => {
                self.accept_and_watch(ids, request_id);
                Vec::new()
            }
            BatchAck::Except(refused) => {
                let rest = without(ids, refused.iter().map(|(id, _)| id));
                self.accept_and_watch(&rest, request_id);
                refused
            }
            BatchAck::Each { accepted, refused } => {
                let named = accepted.iter().chain(refused.iter().map(|(id, _)| id));
                let unnamed = without(ids, named);
                self.accept_and_watch(&accepted, request_id);
                let fault = Fault::new(FaultKind::Unreadable, "the answer does not mention it")
                    .with_request_id(request_id);
                self.ambiguous(&unnamed, &fault);
                refused
            }
            BatchAck::Job(job) => {
                let instances = self.accept(ids, request_id);
                if let Some(jobs) = &self.jobs
                    && !instances.is_empty()
                {
                    // The follower lives as long as this sender does.
                    let _ = jobs.send(Box::new(Job { id: job, instances }));
                }
                Vec::new()
            }
            _ => {
                let fault = Fault::new(FaultKind::Unreadable, "the answer has an unknown form");
                self.ambiguous(ids, &fault);
                Vec::new()
            }
        };
        self.run.notify();
        if answer.execution == ExecutionStatus::Unknown {
            // An earlier attempt may be why the cloud refuses this one.
            for (id, fault) in refused {
                self.ambiguous(&[id], &fault);
            }
        } else if !refused.is_empty() {
            self.run.refuse(self.action.kind(), refused).await;
        }
    }

    fn accept_and_watch(&self, ids: &[InstanceId], request_id: Option<&str>) {
        let waited = self.accept(ids, request_id);
        if !waited.is_empty() {
            self.run.subscription.add(waited);
        }
    }

    /// Gives those that are waited for.
    fn accept(&self, ids: &[InstanceId], request_id: Option<&str>) -> Vec<InstanceId> {
        let waited: Vec<InstanceId> = {
            let mut tracker = self.run.tracker();
            let accepted = ids.iter().filter(|id| tracker.accepted(id, request_id));
            accepted.cloned().collect()
        };
        self.run.begin_grace(&waited);
        waited
    }

    /// Nobody knows what happened: only looking helps.
    fn ambiguous(&self, ids: &[InstanceId], fault: &Fault) {
        {
            let mut tracker = self.run.tracker();
            for id in ids {
                tracker.answer_lost(id, fault, self.run.settle_by());
            }
        }
        self.run.begin_grace(ids);
        self.run.subscription.add(ids.iter().cloned());
        self.run.notify();
    }

    fn may_be_sent_again(&self) -> bool {
        matches!(self.action.idempotency(), Idempotency::Idempotent(_))
    }

    /// Finds out which instances made the cloud refuse a parcel. Gives the parcels to send next.
    async fn bisect(&self, batch: ActionBatch, fault: &Fault) -> Vec<ActionBatch> {
        if !self.may_be_sent_again() {
            return self.halve_if_still(batch.ids, fault).await;
        }
        let named: Vec<InstanceId> = batch
            .ids
            .iter()
            .filter(|id| fault.instances().contains(id))
            .cloned()
            .collect();
        if !named.is_empty() && named.len() < batch.ids.len() {
            let rest = without(&batch.ids, &named);
            self.run
                .refuse(
                    self.action.kind(),
                    named.into_iter().map(|id| (id, fault.clone())).collect(),
                )
                .await;
            return vec![ActionBatch {
                ids: rest,
                looked: batch.looked,
                again: true,
                first_half: false,
            }];
        }
        if batch.looked {
            return halves(batch.ids);
        }
        let results = self.run.look(&batch.ids).await;
        let mut rest = Vec::new();
        for id in &batch.ids {
            match results.get(id) {
                Some(ObserveResult::Found(seen)) if self.explains(seen, fault.kind()) => {
                    let fault = fault
                        .clone()
                        .with_execution_status(ExecutionStatus::Unknown);
                    self.run.refuse_as_seen(id, fault, Some(seen));
                }
                Some(ObserveResult::NotFound) => {
                    let fault = not_shown().with_request_id(fault.request_id());
                    self.run.tracker().rejected(id, &fault);
                }
                _ => rest.push(id.clone()),
            }
        }
        self.run.notify();
        match rest.len() {
            0 => Vec::new(),
            all if all == batch.ids.len() => halves(rest),
            _ => vec![ActionBatch {
                ids: rest,
                looked: false,
                again: true,
                first_half: false,
            }],
        }
    }

    /// A refused batch of reboots goes on in halves only when every look shows that none of its
    /// instances has moved: a cloud that refuses a whole batch may all the same have rebooted a
    /// part of it, and what cannot be seen may have moved.
    async fn halve_if_still(&self, ids: Vec<InstanceId>, fault: &Fault) -> Vec<ActionBatch> {
        let until = self.run.settle_by();
        let pause = self.run.observer.engine.profile().polling.every;
        while Instant::now() < until {
            sleep_until(until.min(Instant::now() + pause)).await;
            let results = self.run.look(&ids).await;
            let still = |id: &InstanceId| match results.get(id) {
                Some(ObserveResult::Found(seen)) => self.run.tracker().back_in_initial_state(seen),
                Some(ObserveResult::NotFound) => true,
                _ => false,
            };
            if !ids.iter().all(still) {
                self.ambiguous(&ids, fault);
                return Vec::new();
            }
        }
        halves(ids)
    }

    /// Whether an instance that was seen like this can be why the cloud refused the batch.
    fn explains(&self, seen: &Observation, kind: FaultKind) -> bool {
        let (ready, goal) = match self.action.kind() {
            ActionKind::Start => (PowerState::Stopped, PowerState::Running),
            _ => (PowerState::Running, PowerState::Stopped),
        };
        match seen.state {
            state if state == goal => true,
            PowerState::Unknown => false,
            state if state == ready => seen.lock.is_some() && kind == FaultKind::Locked,
            _ => may_be_so_already(kind),
        }
    }
}

/// The most action calls that one batch may cost: enough to find eight culprits by halving.
fn budget(batch: usize) -> usize {
    const CULPRITS: usize = 8;
    let depth = batch.max(1).ilog2() as usize + 1;
    2 + 2 * CULPRITS * depth
}

/// Two parcels, the first half on top, or one where there is nothing to halve.
fn halves(mut ids: Vec<InstanceId>) -> Vec<ActionBatch> {
    let first = ids.drain(..ids.len() / 2).collect();
    let batch = |ids, first_half| ActionBatch {
        ids,
        looked: true,
        again: true,
        first_half,
    };
    [batch(ids, false), batch(first, true)]
        .into_iter()
        .filter(|batch| !batch.ids.is_empty())
        .collect()
}

fn without<'i>(
    ids: &[InstanceId],
    removed: impl IntoIterator<Item = &'i InstanceId>,
) -> Vec<InstanceId> {
    let removed: std::collections::HashSet<&InstanceId> = removed.into_iter().collect();
    ids.iter()
        .filter(|id| !removed.contains(id))
        .cloned()
        .collect()
}
