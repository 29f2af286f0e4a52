//! Following a job: once per batch, down to the verdict on each instance.

use std::collections::HashSet;

use lifecycle_core::{ActionKind, Fault, FaultKind, InstanceId, JobId, JobProgress, JobStatus};
use tokio::time::{Instant, sleep_until};

use crate::{
    call::context::CallKind,
    power::run::{Job, RequestRunner},
};

impl RequestRunner<'_> {
    /// Looks at a job until it has a verdict on every instance, or can be followed no longer. What
    /// it leaves open is handed to the poller.
    pub(crate) async fn follow_job(&self, verb: ActionKind, job: Job) {
        let Job { id, instances } = job;
        let mut open: HashSet<InstanceId> = instances.into_iter().collect();
        let Some(call) = self.observer.engine.provider().follow(&id) else {
            self.subscription.add(open);
            return;
        };
        let cadence = self.observer.engine.profile().polling;
        let effort = self.effort(CallKind::Follow, open.len());
        let since = Instant::now();
        let mut next = since + cadence.first;
        while next < self.deadline {
            sleep_until(next).await;
            match self.observer.engine.execute(&call, &effort).await {
                Ok(answer) => {
                    if self.record(verb, &id, &mut open, answer.value).await {
                        return;
                    }
                }
                // A job that is gone, or that may not be read: the instances can still be seen.
                Err(failure) if is_final(failure.fault.kind()) => break,
                Err(_) => {}
            }
            next = Instant::now() + cadence.interval(since.elapsed());
        }
        self.subscription.add(open);
    }

    /// Writes progress down. `true` when nothing is left to follow.
    async fn record(
        &self,
        verb: ActionKind,
        job: &JobId,
        open: &mut HashSet<InstanceId>,
        progress: JobProgress,
    ) -> bool {
        let (mut succeeded, mut failed) = (Vec::new(), Vec::new());
        for (id, verdict) in progress.parts {
            if !open.contains(&id) {
                continue;
            }
            match verdict {
                JobStatus::Succeeded => {
                    self.tracker().job_succeeded(&id, job);
                    succeeded.push(id.clone());
                }
                JobStatus::Failed(fault) => failed.push((id.clone(), fault)),
                _ => continue,
            }
            open.remove(&id);
        }
        let over = match progress.overall {
            JobStatus::Succeeded => {
                // Not a word about these: the poller has to see them.
                for id in open.iter() {
                    self.tracker().batch_job_succeeded(id, job);
                }
                self.subscription.add(open.drain());
                true
            }
            JobStatus::Failed(fault) => {
                failed.extend(open.drain().map(|id| (id, fault.clone())));
                true
            }
            _ => open.is_empty(),
        };
        self.see(succeeded).await;
        self.settle_failed(verb, failed).await;
        self.notify();
        over
    }

    /// What a job has done is there to be seen, at once as a rule.
    async fn see(&self, ids: Vec<InstanceId>) {
        if ids.is_empty() {
            return;
        }
        let mut results = self.look(&ids).await;
        let mut unseen = Vec::new();
        for id in ids {
            let mut tracker = self.tracker();
            if let Some(result) = results.remove(&id) {
                tracker.looked_up(&id, &result);
            }
            if tracker.is_open(&id) {
                unseen.push(id);
            }
        }
        self.subscription.add(unseen);
    }

    /// A part that failed before it began may only mean that it was so already. One that failed
    /// half way may have reached the goal all the same.
    async fn settle_failed(&self, verb: ActionKind, failed: Vec<(InstanceId, Fault)>) {
        let (half_way, refused): (Vec<_>, Vec<_>) = failed
            .into_iter()
            .partition(|(_, fault)| fault.maybe_executed());
        self.refuse(verb, refused).await;
        if half_way.is_empty() {
            return;
        }
        let ids: Vec<InstanceId> = half_way.iter().map(|(id, _)| id.clone()).collect();
        let mut results = self.look(&ids).await;
        let mut open = Vec::new();
        let mut tracker = self.tracker();
        for (id, fault) in half_way {
            if let Some(result) = results.remove(&id) {
                tracker.looked_up(&id, &result);
            }
            tracker.job_failed(&id, &fault);
            if tracker.is_open(&id) {
                open.push(id);
            }
        }
        drop(tracker);
        if !open.is_empty() {
            self.subscription.add(open);
        }
    }
}

fn is_final(kind: FaultKind) -> bool {
    matches!(
        kind,
        FaultKind::NotFound
            | FaultKind::Invalid
            | FaultKind::Permission
            | FaultKind::Credential
            | FaultKind::Unsupported
    )
}
