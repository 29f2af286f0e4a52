//! Jobs of the cloud: polled once per batch, until each instance has a status.

use std::collections::HashSet;

use futures_util::{StreamExt, stream};
use lifecycle_core::{ActionKind, Fault, FaultKind, InstanceId, JobId, JobProgress, JobStatus};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender},
    time::{Instant, sleep_until},
};

use super::{
    rejection::{poll_ambiguous, reject},
    runner::{RequestCall, RequestRunner},
};
use crate::call::context::CallKind;
use crate::instant::after;
use crate::observe::lookup::fails_for_good;

/// A job and the instances of its batch.
pub(crate) struct Job {
    pub(crate) id: JobId,
    pub(crate) instances: Vec<InstanceId>,
    /// An earlier attempt of the call may have created another job for the same instances.
    pub(crate) maybe_repeated: bool,
}

/// Accepts jobs to follow; `None` for a request that does not wait.
pub(crate) type Jobs = Option<UnboundedSender<Box<Job>>>;

/// Follows jobs until the sender is gone and every job has ended.
pub(crate) async fn follow_jobs(
    runner: &RequestRunner<'_>,
    kind: ActionKind,
    mut opened: UnboundedReceiver<Box<Job>>,
) {
    let jobs = stream::poll_fn(move |context| opened.poll_recv(context));
    jobs.for_each_concurrent(None, |job| {
        let follower = JobFollower {
            runner,
            kind,
            id: job.id,
            maybe_repeated: job.maybe_repeated,
            open: job.instances.iter().cloned().collect(),
            failed_reads: 0,
        };
        follower.follow(job.instances)
    })
    .await;
}

/// Follows one job.
struct JobFollower<'a> {
    runner: &'a RequestRunner<'a>,
    kind: ActionKind,
    id: JobId,
    maybe_repeated: bool,
    /// Instances of the batch without a status.
    open: HashSet<InstanceId>,
    /// Reads that returned no status of the job.
    failed_reads: u32,
}

/// The number of reads without a status after which the poller looks at the instances.
const LOOK_AFTER: u32 = 2;

impl JobFollower<'_> {
    /// Polls the job until every instance has a status, or the job is unreadable. The poller takes
    /// over the instances that are left.
    async fn follow(mut self, ids: Vec<InstanceId>) {
        let engine = &self.runner.observer.engine;
        let Some(call) = engine.provider().follow(&self.id) else {
            self.runner.subscription.add(self.open);
            return;
        };
        let polling = engine.polling;
        let request = RequestCall {
            runner: self.runner,
            kind: CallKind::Follow,
            ids: &ids,
        };
        let since = Instant::now();
        let mut next = after(since, polling.first);
        while next < self.runner.deadline && self.has_open_instances() {
            sleep_until(next).await;
            // A new read is worth more than one that takes longer.
            let limit = engine.timeouts.attempt.saturating_add(polling.ceiling);
            let limit = after(Instant::now(), limit);
            let context = request.context().ending_by(limit);
            match engine.execute(&call, &context).await {
                Ok(output) => {
                    match output.value.overall {
                        JobStatus::Unknown => self.read_failed(1),
                        _ => self.runner.tracker().read_answered(&ids),
                    }
                    self.record(output.value).await;
                }
                // Instances stay visible when their job is gone or unreadable.
                Err(error) if is_final(error.fault.kind()) => break,
                Err(error) => {
                    self.runner.tracker().read_failed(&ids, &error.fault);
                    self.read_failed(error.attempts);
                }
            }
            next = after(Instant::now(), polling.interval(since.elapsed()));
        }
        self.runner.subscription.add(self.open);
    }

    /// Returns whether the job can still settle an instance. Lookups may have been faster.
    fn has_open_instances(&mut self) -> bool {
        let tracker = self.runner.tracker();
        self.open.retain(|id| tracker.is_open(id));
        !self.open.is_empty()
    }

    /// Counts reads without a status. The poller looks at the instances after a few of these reads,
    /// while the job is still followed.
    fn read_failed(&mut self, reads: u32) {
        let before = self.failed_reads;
        self.failed_reads = before.saturating_add(reads);
        if before < LOOK_AFTER && self.failed_reads >= LOOK_AFTER {
            let open = self.open.iter().cloned();
            self.runner.subscription.add_as_they_are(open);
        }
    }

    /// Records the progress. Nothing is left to follow after the end of the job.
    async fn record(&mut self, progress: JobProgress) {
        let (mut succeeded, mut failed) = (Vec::new(), Vec::new());
        for (id, status) in progress.parts {
            if !self.open.contains(&id) {
                continue;
            }
            match status {
                JobStatus::Succeeded => {
                    self.runner.tracker().job_succeeded(&id, &self.id);
                    succeeded.push(id.clone());
                }
                JobStatus::Failed(fault) => failed.push((id.clone(), fault)),
                _ => continue,
            }
            self.open.remove(&id);
        }
        match progress.overall {
            JobStatus::Succeeded => {
                // The poller has to see the instances that the job does not name.
                for id in &self.open {
                    self.runner.tracker().batch_job_succeeded(id, &self.id);
                }
                self.runner.subscription.add(self.open.drain());
            }
            JobStatus::Failed(fault) => {
                failed.extend(self.open.drain().map(|id| (id, fault.clone())));
            }
            _ => {}
        }
        self.confirm(succeeded).await;
        self.record_failed(failed).await;
        self.runner.notify();
    }

    /// Observes instances whose part succeeded: the goal is usually visible at once.
    async fn confirm(&self, ids: Vec<InstanceId>) {
        if !ids.is_empty() {
            let open = self.look_up(ids.into_iter().map(|id| (id, None))).await;
            self.runner.subscription.add(open);
        }
    }

    /// Records failed parts. A part that failed before execution can mean "already in the requested
    /// state"; an instance whose part failed half way may have reached the goal.
    async fn record_failed(&self, failed: Vec<(InstanceId, Fault)>) {
        if self.maybe_repeated {
            // The other job may be the reason for the failure.
            for (id, fault) in failed {
                poll_ambiguous(self.runner, &[id], &fault);
            }
            return;
        }
        let (half_way, rejected): (Vec<_>, Vec<_>) = failed
            .into_iter()
            .partition(|(_, fault)| fault.maybe_executed());
        reject(self.runner, self.kind, rejected).await;
        if !half_way.is_empty() {
            let half_way = half_way.into_iter().map(|(id, fault)| (id, Some(fault)));
            let open = self.look_up(half_way).await;
            if !open.is_empty() {
                self.runner.subscription.add(open);
            }
        }
    }

    /// Observes instances once, records the faults of their parts, and returns the open instances.
    async fn look_up(
        &self,
        parts: impl Iterator<Item = (InstanceId, Option<Fault>)>,
    ) -> Vec<InstanceId> {
        let parts: Vec<_> = parts.collect();
        let ids: Vec<InstanceId> = parts.iter().map(|(id, _)| id.clone()).collect();
        let mut results = self.runner.observe_once(&ids).await;
        let mut tracker = self.runner.tracker();
        let mut open = Vec::new();
        for (id, fault) in parts {
            if let Some(result) = results.remove(&id) {
                tracker.looked_up(&id, &result);
            }
            if let Some(fault) = fault {
                tracker.job_failed(&id, &fault);
            }
            if tracker.is_open(&id) {
                open.push(id);
            }
        }
        open
    }
}

fn is_final(kind: FaultKind) -> bool {
    fails_for_good(kind)
        || matches!(
            kind,
            FaultKind::NotFound | FaultKind::Invalid | FaultKind::WrongEndpoint
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn job_is_not_read_again_after_a_lasting_fault() {
        use FaultKind::{
            Certificate, Credential, Invalid, NotFound, Permission, Proxy, Unsupported,
            WrongEndpoint,
        };
        let lasting = [
            NotFound,
            Invalid,
            WrongEndpoint,
            Permission,
            Credential,
            Unsupported,
            Certificate,
            Proxy,
        ];
        for kind in FaultKind::ALL {
            assert_eq!(is_final(*kind), lasting.contains(kind), "{kind}");
        }
    }
}
