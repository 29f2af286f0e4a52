//! Sending: batches, and what to do when a whole batch is refused because of one instance.

use futures_util::{StreamExt, stream};
use lifecycle_core::{
    Action, ActionKind, BatchAck, ExecutionStatus, Fault, FaultKind, Idempotency, InstanceId,
    Observation, PowerState,
};
use tokio::time::{Instant, sleep_until};

use crate::{
    execute::{Answer, Failure, Purpose},
    look::{Sight, not_shown},
    run::{Job, Jobs, Run, may_be_so_already},
};

impl Run<'_> {
    /// Sends `action` to these batches, several at a time. Every id has an outcome or is on its
    /// way to one afterwards.
    pub(crate) async fn send(&self, action: Action, batches: Vec<Vec<InstanceId>>, jobs: Jobs) {
        let mut batches = self.inner.mutant.batches(batches);
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
        let batches = stream::iter(batches).buffer_unordered(self.inner.concurrency);
        batches.collect::<()>().await;
    }
}

struct Sender<'a> {
    run: &'a Run<'a>,
    action: Action,
    jobs: Jobs,
}

/// Instances that go out in one call.
struct Parcel {
    ids: Vec<InstanceId>,
    /// Their states were looked at, and explained nothing.
    looked: bool,
    /// They went out before, in a batch that was refused as a whole. Perhaps not all of it was.
    again: bool,
    /// The next parcel is the other half of what was refused.
    first_half: bool,
}

/// What became of a parcel.
enum Delivery {
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
        let mut parcels = vec![Parcel {
            ids: batch,
            looked: false,
            again: false,
            first_half: false,
        }];
        while let Some(parcel) = parcels.pop() {
            calls_left = calls_left.saturating_sub(1);
            match self.deliver(&parcel).await {
                // Every parcel that waits costs a call, and so do the two that this one makes.
                Delivery::Refused(fault)
                    if parcel.ids.len() == 1 || calls_left < parcels.len() + 2 =>
                {
                    let alone = parcel.ids.len() == 1 && !may_be_so_already(fault.kind());
                    // A reboot was seen not to have moved before it was sent again.
                    let in_name = parcel.again && !alone && self.may_be_sent_again();
                    let fault = match in_name {
                        true => fault.with_execution_status(ExecutionStatus::Unknown),
                        false => fault,
                    };
                    let refused = parcel.ids.into_iter().map(|id| (id, fault.clone()));
                    self.run.refuse(self.action.kind(), refused.collect()).await;
                }
                Delivery::Refused(fault) => parcels.extend(self.take_apart(parcel, &fault).await),
                Delivery::Taken if parcel.first_half => {
                    // Then the culprit is in the other half, and nobody needs to ask.
                    if let Some(other) = parcels.pop() {
                        parcels.extend(halves(other.ids));
                    }
                }
                Delivery::Taken | Delivery::Failed => {}
            }
        }
    }

    /// Sends one call. All but a refusal is in the book afterwards.
    async fn deliver(&self, parcel: &Parcel) -> Delivery {
        let ids = &parcel.ids;
        let tell = |event| self.run.book().tell(event);
        let mutant = self.run.inner.mutant;
        let purpose = Purpose::Act(mutant.repeat(self.action.idempotency()));
        let effort = self.run.effort(purpose, ids.len(), &tell);
        let result = match self.run.inner.provider.act(&self.action, ids) {
            Ok(call) => self.run.inner.execute(&call, &effort).await,
            Err(fault) => Err(Failure::unsent(fault)),
        };
        let failure = match result {
            Ok(answer) => {
                self.receive(ids, answer).await;
                return Delivery::Taken;
            }
            Err(failure) => failure,
        };
        match (mutant.effect(failure.effect), failure.fault.kind()) {
            (ExecutionStatus::NotExecuted, kind) if mutant.is_per_instance(kind) => {
                return Delivery::Refused(failure.fault);
            }
            // The cloud says that it failed at some; the rest may go again where that is harmless.
            (_, FaultKind::Failed) if ids.len() > 1 && self.may_be_sent_again() => {
                return Delivery::Refused(failure.fault);
            }
            (ExecutionStatus::NotExecuted, _) if parcel.again => self.unclear(ids, &failure.fault),
            (ExecutionStatus::NotExecuted, FaultKind::Deadline) => {
                let mut book = self.run.book();
                for id in ids {
                    book.skipped(id, failure.fault.clone());
                }
            }
            (ExecutionStatus::NotExecuted, _) => {
                let mut book = self.run.book();
                for id in ids {
                    book.refused(id, failure.fault.clone());
                }
            }
            _ => self.unclear(ids, &failure.fault),
        }
        self.run.nudge();
        Delivery::Failed
    }

    /// The cloud answered: writes down what it said of each instance.
    async fn receive(&self, ids: &[InstanceId], answer: Answer<BatchAck>) {
        let request_id = answer.request_id.as_deref();
        let refused = match self.run.inner.mutant.receipt(answer.value) {
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
                self.unclear(&unnamed, &fault);
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
                self.unclear(ids, &fault);
                Vec::new()
            }
        };
        self.run.nudge();
        if answer.effect == ExecutionStatus::Unknown {
            // An earlier attempt may be why the cloud refuses this one.
            for (id, fault) in refused {
                self.unclear(&[id], &fault);
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
            let mut book = self.run.book();
            let accepted = ids.iter().filter(|id| book.accepted(id, request_id));
            accepted.cloned().collect()
        };
        self.run.begin_grace(&waited);
        waited
    }

    /// Nobody knows what happened: only looking helps.
    fn unclear(&self, ids: &[InstanceId], fault: &Fault) {
        {
            let mut book = self.run.book();
            for id in ids {
                book.unclear(id, fault, self.run.settle_by());
            }
        }
        self.run.begin_grace(ids);
        self.run.subscription.add(ids.iter().cloned());
        self.run.nudge();
    }

    fn may_be_sent_again(&self) -> bool {
        matches!(self.action.idempotency(), Idempotency::Idempotent(_))
    }

    /// Finds out which instances made the cloud refuse a parcel. Gives the parcels to send next.
    async fn take_apart(&self, parcel: Parcel, fault: &Fault) -> Vec<Parcel> {
        if !self.may_be_sent_again() {
            return self.halve_if_still(parcel.ids, fault).await;
        }
        let named: Vec<InstanceId> = parcel
            .ids
            .iter()
            .filter(|id| fault.instances().contains(id))
            .cloned()
            .collect();
        if !named.is_empty() && named.len() < parcel.ids.len() {
            let rest = without(&parcel.ids, &named);
            self.run
                .refuse(
                    self.action.kind(),
                    named.into_iter().map(|id| (id, fault.clone())).collect(),
                )
                .await;
            return vec![Parcel {
                ids: rest,
                looked: parcel.looked,
                again: true,
                first_half: false,
            }];
        }
        if parcel.looked {
            return halves(parcel.ids);
        }
        let sights = self.run.look(&parcel.ids).await;
        let mut rest = Vec::new();
        for id in &parcel.ids {
            match sights.get(id) {
                Some(Sight::Seen(seen)) if self.explains(seen, fault.kind()) => {
                    let fault = fault
                        .clone()
                        .with_execution_status(ExecutionStatus::Unknown);
                    self.run.refuse_as_seen(id, fault, Some(seen));
                }
                Some(Sight::Absent) => {
                    let fault = not_shown().with_request_id(fault.request_id());
                    self.run.book().refused(id, fault);
                }
                _ => rest.push(id.clone()),
            }
        }
        self.run.nudge();
        match rest.len() {
            0 => Vec::new(),
            all if all == parcel.ids.len() => halves(rest),
            _ => vec![Parcel {
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
    async fn halve_if_still(&self, ids: Vec<InstanceId>, fault: &Fault) -> Vec<Parcel> {
        let until = self.run.settle_by();
        let pause = self.run.inner.provider.profile().polling.every;
        while Instant::now() < until {
            sleep_until(until.min(Instant::now() + pause)).await;
            let sights = self.run.look(&ids).await;
            let still = |id: &InstanceId| match sights.get(id) {
                Some(Sight::Seen(seen)) => self.run.book().is_still(seen),
                Some(Sight::Absent) => true,
                _ => false,
            };
            if !ids.iter().all(still) {
                self.unclear(&ids, fault);
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
fn halves(mut ids: Vec<InstanceId>) -> Vec<Parcel> {
    let first = ids.drain(..ids.len() / 2).collect();
    let parcel = |ids, first_half| Parcel {
        ids,
        looked: true,
        again: true,
        first_half,
    };
    [parcel(ids, false), parcel(first, true)]
        .into_iter()
        .filter(|parcel| !parcel.ids.is_empty())
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
