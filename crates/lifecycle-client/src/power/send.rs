//! Sends action batches, and records the response of the cloud for each instance.

use std::{collections::HashSet, sync::Arc};

use futures_util::{StreamExt, stream};
use lifecycle_core::{
    Action, BatchAck, ExecutionStatus, Fault, FaultKind, Idempotency, InstanceId,
};
use tokio::time::{Instant, sleep_until};

use super::{
    batch::{ActionBatch, halves},
    bisect::{bisect, call_budget, is_idempotent},
    job::{Job, Jobs},
    recorder::{RecordedCall, answers},
    rejection::{poll_ambiguous, reject, state_may_explain},
    runner::{RequestCall, RequestRunner},
};
use crate::{
    call::context::{CallError, CallKind, CallOutput},
    instant::after,
    mutation::Mutation,
    observe::lookup::{ObserveResult, fails_for_good, not_shown},
};

/// Sends `action` to several batches at a time. Afterwards every instance has an outcome, or the
/// poller polls the instance.
pub(crate) async fn send(
    runner: &RequestRunner<'_>,
    action: Action,
    mut batches: Vec<ActionBatch>,
    jobs: Jobs,
) {
    if runner
        .observer
        .engine
        .mutant()
        .is(Mutation::PollsWithoutWaiters)
    {
        std::mem::forget(Arc::clone(&runner.subscription));
    }
    let sender = &Sender {
        runner,
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
    let batches = stream::iter(batches).buffer_unordered(runner.observer.engine.concurrency);
    batches.collect::<()>().await;
}

/// Sends the batches of one action.
struct Sender<'a> {
    runner: &'a RequestRunner<'a>,
    action: Action,
    jobs: Jobs,
}

/// The result of one call for a batch.
enum BatchOutcome {
    /// The cloud answered for each instance, and the tracker has the answers.
    Answered,
    /// The cloud executed nothing, for a reason that one of the instances may have caused.
    Rejected(Fault),
    /// The call failed in another way, and the tracker has the failure.
    Failed,
}

impl Sender<'_> {
    async fn send_batch(&self, batch: ActionBatch) {
        let mut calls_left = call_budget(batch.ids.len());
        let mut batches = vec![batch];
        while let Some(batch) = batches.pop() {
            let open = {
                let tracker = self.runner.tracker();
                batch.retain(|id| tracker.is_open(id))
            };
            let Some(batch) = open else { continue };
            calls_left = calls_left.saturating_sub(1);
            match self.send_once(&batch).await {
                // Each waiting batch costs a call, and so does each half of this batch.
                BatchOutcome::Rejected(fault)
                    if batch.ids.len() == 1 || calls_left < batches.len() + 2 =>
                {
                    self.reject_batch(batch, &fault).await;
                }
                BatchOutcome::Rejected(fault) => {
                    batches.extend(bisect(self.runner, &self.action, batch, &fault).await);
                }
                BatchOutcome::Answered if batch.first_half => {
                    // The bad instance is in the other half: no call is needed to learn that.
                    if let Some(other) = batches.pop() {
                        batches.extend(halves(other.ids));
                    }
                }
                BatchOutcome::Answered | BatchOutcome::Failed => {}
            }
        }
    }

    /// Rejects every instance of a batch that is not split any further. The cloud may have executed a
    /// part of a batch of several instances despite the rejection.
    async fn reject_batch(&self, batch: ActionBatch, fault: &Fault) {
        let is_single = batch.ids.len() == 1;
        if !is_idempotent(&self.action) && !is_single {
            return poll_ambiguous(self.runner, &batch.ids, fault);
        }
        let is_certain = is_single && !state_may_explain(fault.kind());
        // A single reboot is sent again only after lookups that prove the instance unmoved.
        let maybe_executed = batch.resent && !is_certain && is_idempotent(&self.action);
        let fault = match maybe_executed {
            true => fault
                .clone()
                .with_execution_status(ExecutionStatus::Unknown),
            false => fault.clone(),
        };
        let rejected = batch.ids.into_iter().map(|id| (id, fault.clone()));
        reject(self.runner, self.action.kind(), rejected.collect()).await;
    }

    /// Makes one call. Records every result except a rejection of the batch, which the caller handles.
    async fn send_once(&self, batch: &ActionBatch) -> BatchOutcome {
        let ids = &batch.ids;
        if batch.resent && is_idempotent(&self.action) {
            self.runner.tracker().maybe_executed_before(ids);
        }
        let error = match self.recorded_call(batch).await {
            Ok(output) => {
                self.record(ids, output).await;
                return BatchOutcome::Answered;
            }
            Err(error) => error,
        };
        let fault = &error.fault;
        match (error.execution, fault.kind()) {
            (ExecutionStatus::NotExecuted, _) if !error.sent && !batch.resent => {
                let mut tracker = self.runner.tracker();
                for id in ids {
                    tracker.never_sent(id, fault);
                }
            }
            (ExecutionStatus::NotExecuted, kind) if kind.is_per_instance() => {
                return BatchOutcome::Rejected(error.fault);
            }
            // The cloud failed at some instances; the others can be sent again.
            (_, FaultKind::Failed) if ids.len() > 1 && is_idempotent(&self.action) => {
                return BatchOutcome::Rejected(error.fault);
            }
            (ExecutionStatus::NotExecuted, _) if batch.resent => {
                poll_ambiguous(self.runner, ids, fault);
            }
            (ExecutionStatus::NotExecuted, _) => {
                let mut tracker = self.runner.tracker();
                for id in ids {
                    tracker.rejected(id, fault);
                }
            }
            _ => poll_ambiguous(self.runner, ids, fault),
        }
        self.runner.notify();
        BatchOutcome::Failed
    }

    /// Makes the call, after the recorder has recorded the call, and before the recorder receives the result.
    async fn recorded_call(&self, batch: &ActionBatch) -> Result<CallOutput<BatchAck>, CallError> {
        let ids = &batch.ids;
        let Some(recorder) = &self.runner.recorder else {
            return self.call_with_injected_bug(ids).await;
        };
        let (instances, refused_before) = {
            let tracker = self.runner.tracker();
            (tracker.before_sending(ids), tracker.any_refused_before(ids))
        };
        let intent = recorder.intend(RecordedCall {
            action: self.action,
            resent: batch.resent || refused_before,
            instances,
        });
        let number = intent
            .await
            .map_err(|error| CallError::unsent(error.fault()))?;
        let result = self.call_with_injected_bug(ids).await;
        recorder.answered(number, answers(ids, &result)).await;
        result
    }

    async fn call(
        &self,
        ids: &[InstanceId],
        idempotency: Idempotency,
    ) -> Result<CallOutput<BatchAck>, CallError> {
        let engine = &self.runner.observer.engine;
        let call = engine.provider().act(&self.action, ids);
        let call = call.map_err(CallError::unsent)?;
        let request = RequestCall {
            runner: self.runner,
            kind: CallKind::Act(idempotency),
            ids,
        };
        engine.execute(&call, &request.context()).await
    }

    /// Makes the call. A test can inject a bug: see [`Mutation`].
    async fn call_with_injected_bug(
        &self,
        ids: &[InstanceId],
    ) -> Result<CallOutput<BatchAck>, CallError> {
        let mutant = self.runner.observer.engine.mutant();
        let idempotency = match mutant.is(Mutation::RetriesReboots) {
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
            Err(error) if mutant.is(Mutation::TreatsLostResponseAsRejection) => {
                error.execution = ExecutionStatus::NotExecuted;
            }
            Err(error) if mutant.is(Mutation::BisectsAfterAnyRejection) => {
                error.fault = error.fault.clone().with_kind(FaultKind::Capacity);
            }
            _ => {}
        }
        result
    }

    /// Records the cloud's answer to each instance.
    async fn record(&self, ids: &[InstanceId], output: CallOutput<BatchAck>) {
        let request_id = output.request_id.as_ref();
        let unreadable = |message| {
            Fault::new(FaultKind::Unreadable, message).with_request_id(output.request_id.as_deref())
        };
        let rejected = match output.value {
            BatchAck::All => {
                self.accept_and_poll(ids, request_id);
                Vec::new()
            }
            BatchAck::Unlisted => self.accept_existing(ids, request_id).await,
            BatchAck::Except(rejected) => {
                let rest = without(ids, rejected.iter().map(|(id, _)| id));
                self.accept_and_poll(&rest, request_id);
                rejected
            }
            BatchAck::Each { accepted, refused } => {
                let named = accepted.iter().chain(refused.iter().map(|(id, _)| id));
                let unnamed = without(ids, named);
                self.accept_and_poll(&accepted, request_id);
                let fault = unreadable("the response does not mention the instance");
                poll_ambiguous(self.runner, &unnamed, &fault);
                refused
            }
            BatchAck::Job(job) => {
                let instances = self.accept(ids, request_id);
                if let Some(jobs) = &self.jobs
                    && !instances.is_empty()
                {
                    // The receiver lives as long as this sender.
                    let _ = jobs.send(Box::new(Job {
                        id: job,
                        instances,
                        maybe_repeated: output.execution == ExecutionStatus::Unknown,
                    }));
                }
                Vec::new()
            }
            _ => {
                let fault = unreadable("the response has an unknown form");
                poll_ambiguous(self.runner, ids, &fault);
                Vec::new()
            }
        };
        self.runner.notify();
        if output.execution == ExecutionStatus::Unknown {
            // An earlier attempt may be the reason for the rejection of this one.
            for (id, fault) in rejected {
                poll_ambiguous(self.runner, &[id], &fault);
            }
        } else if !rejected.is_empty() {
            reject(self.runner, self.action.kind(), rejected).await;
        }
    }

    /// Accepts a batch whose response lists no instance, and returns the rejected instances. The poller
    /// shows missing instances to a request that waits. Otherwise lookups decide until the end of the
    /// settle time; an instance that no lookup shows is uncertain, because the lost list of refused
    /// instances looks the same.
    async fn accept_existing(
        &self,
        ids: &[InstanceId],
        request_id: Option<&Arc<str>>,
    ) -> Vec<(InstanceId, Fault)> {
        if self.jobs.is_some() {
            self.accept_and_poll(ids, request_id);
            return Vec::new();
        }
        let runner = self.runner;
        let (pause, until) = (runner.polling_pause(), runner.settle_by());
        let named = |fault: Fault| fault.with_request_id(request_id.map(|id| &**id));
        let mut open = ids.to_vec();
        let mut missing = Vec::new();
        loop {
            let results = runner.observe_once(&open).await;
            let (mut existing, mut unanswered) = (Vec::new(), Vec::new());
            for id in open {
                match results.get(&id) {
                    Some(ObserveResult::Found(_)) => existing.push(id),
                    Some(ObserveResult::Failed(fault)) => unanswered.push((id, fault)),
                    // The instance existed, so the cloud may have executed the action before the instance vanished.
                    Some(ObserveResult::NotFound) | None if runner.tracker().existed(&id) => {
                        let fault = named(unlisted(&not_shown()));
                        runner.tracker().answer_lost(&id, &fault, Instant::now());
                    }
                    Some(ObserveResult::NotFound) | None => {
                        missing.push((id, named(not_shown())));
                    }
                }
            }
            self.accept_and_poll(&existing, request_id);
            let next = after(Instant::now(), pause);
            let (lost, again): (Vec<_>, Vec<_>) = unanswered
                .into_iter()
                .partition(|(_, fault)| next > until || fails_for_good(fault.kind()));
            for (id, fault) in lost {
                let fault = named(unlisted(fault));
                runner.tracker().answer_lost(&id, &fault, Instant::now());
            }
            runner.notify();
            if again.is_empty() {
                return missing;
            }
            open = again.into_iter().map(|(id, _)| id).collect();
            sleep_until(next).await;
        }
    }

    fn accept_and_poll(&self, ids: &[InstanceId], request_id: Option<&Arc<str>>) {
        let polled = self.accept(ids, request_id);
        if !polled.is_empty() {
            self.runner.subscription.add(polled);
        }
    }

    /// Records accepted instances, and returns the instances that need polling.
    fn accept(&self, ids: &[InstanceId], request_id: Option<&Arc<str>>) -> Vec<InstanceId> {
        let polled = self.runner.tracker().accepted(ids, request_id);
        self.runner.start_force_timer(&polled);
        polled
    }
}

/// Returns the fault of an instance of an accepted batch, when neither the response nor a lookup shows
/// the instance.
fn unlisted(lookup: &Fault) -> Fault {
    Fault::new(
        FaultKind::Unreadable,
        format!(
            "the response lists no instance, and no lookup shows the instance: {}",
            lookup.message()
        ),
    )
}

fn without<'i>(
    ids: &[InstanceId],
    removed: impl IntoIterator<Item = &'i InstanceId>,
) -> Vec<InstanceId> {
    let removed: Vec<&InstanceId> = removed.into_iter().collect();
    // A response that names each instance usually has the order of the request.
    if removed.iter().copied().eq(ids) {
        return Vec::new();
    }
    let removed: HashSet<&InstanceId> = removed.into_iter().collect();
    ids.iter()
        .filter(|id| !removed.contains(id))
        .cloned()
        .collect()
}
