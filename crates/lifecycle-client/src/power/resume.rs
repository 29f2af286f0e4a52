//! `ResumePoint`: continues a request that an earlier process began.

use std::{collections::HashMap, hash::Hash, sync::Arc};

use lifecycle_core::{Action, Fault, InstanceId, JobId, Observation};

use super::{
    bisect::is_idempotent,
    job::{Job, Jobs},
    report::{InstanceReport, Outcome, Pending},
    runner::RequestRunner,
};
use crate::observe::lookup::ObserveResult;

/// The point that an earlier process reached for one instance of a request.
///
/// A request with resume points continues where the other process ended; see
/// [`PowerRequest::resume`](crate::PowerRequest::resume). An instance without a resume point was never sent.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ResumePoint<I = InstanceId> {
    /// The outcome is final. The report has this row, and nothing is sent or read.
    Settled(Box<InstanceReport<I>>),
    /// The cloud accepted the action. The request waits for the goal, and sends nothing.
    Accepted {
        /// The instance as seen before the action.
        before: Option<Observation>,
        /// The cloud's id of the request that carried the action.
        request_id: Option<String>,
        /// The job of the cloud that carries the action out.
        job: Option<JobId>,
    },
    /// The cloud may have executed the action. Lookups settle the question: the outcome is
    /// [`Reached`](crate::Outcome::Reached) with evidence, or [`Uncertain`](crate::Outcome::Uncertain).
    Unclear {
        /// The instance as seen before the action.
        before: Option<Observation>,
        /// The reason why no answer is known.
        fault: Fault,
        /// Sends the action again if lookups show that the instance is not at the goal and does not change to
        /// it. No effect on an action that may not be repeated, such as a reboot.
        resend: bool,
    },
}

/// The resume points of a request; empty for a request that begins.
#[derive(Clone, Debug)]
pub(crate) struct ResumePoints<I>(Arc<HashMap<I, ResumePoint<I>>>);

impl<I: Clone + Eq + Hash> ResumePoints<I> {
    pub(crate) fn new(points: impl IntoIterator<Item = (I, ResumePoint<I>)>) -> Self {
        Self(Arc::new(points.into_iter().collect()))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the row of an instance whose outcome is final.
    pub(crate) fn settled(&self, instance: &I) -> Option<&InstanceReport<I>> {
        match self.0.get(instance) {
            Some(ResumePoint::Settled(row)) => Some(row),
            _ => None,
        }
    }

    /// Returns whether an earlier process sent the instance.
    pub(crate) fn contains(&self, instance: &I) -> bool {
        self.0.contains_key(instance)
    }

    /// Returns the row of an instance for which this process did nothing, because of `fault`.
    pub(crate) fn untouched(&self, instance: &I, fault: &Fault) -> InstanceReport<I> {
        let outcome = match self.0.get(instance) {
            Some(ResumePoint::Settled(row)) => return (**row).clone(),
            Some(ResumePoint::Accepted { before, .. }) => {
                let state = before.as_ref().map(|before| before.state);
                Outcome::Pending(Pending::Cancelled(state))
            }
            Some(ResumePoint::Unclear { fault, .. }) => Outcome::Uncertain(fault.clone()),
            None => Outcome::Skipped(fault.clone()),
        };
        InstanceReport::new(instance.clone(), outcome)
    }

    /// Returns the resume points of one client by id, without the settled instances. `name` returns the name
    /// of an id in the request.
    pub(crate) fn of_client(
        &self,
        ids: &[InstanceId],
        name: impl Fn(InstanceId) -> I,
    ) -> HashMap<InstanceId, ClientPoint> {
        if self.is_empty() {
            return HashMap::new();
        }
        let point = |id: &InstanceId| {
            let point = match self.0.get(&name(id.clone()))? {
                ResumePoint::Settled(_) => return None,
                ResumePoint::Accepted {
                    before,
                    request_id,
                    job,
                } => ClientPoint {
                    before: before.clone(),
                    progress: ClientProgress::Accepted {
                        request_id: request_id.clone(),
                        job: job.clone(),
                    },
                },
                ResumePoint::Unclear {
                    before,
                    fault,
                    resend,
                } => ClientPoint {
                    before: before.clone(),
                    progress: ClientProgress::Unclear {
                        fault: fault.clone(),
                        resend: *resend,
                    },
                },
            };
            Some((id.clone(), point))
        };
        ids.iter().filter_map(point).collect()
    }
}

impl<I> Default for ResumePoints<I> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

/// The resume point of an instance that is not settled.
#[derive(Clone, Debug)]
pub(crate) struct ClientPoint {
    before: Option<Observation>,
    progress: ClientProgress,
}

#[derive(Clone, Debug)]
enum ClientProgress {
    Accepted {
        request_id: Option<String>,
        job: Option<JobId>,
    },
    Unclear {
        fault: Fault,
        resend: bool,
    },
}

/// Continues the instances that an earlier process sent, and returns the instances to send again. Afterwards
/// every other instance has an outcome, or the poller polls the instance.
pub(crate) async fn resume(
    runner: &RequestRunner<'_>,
    action: &Action,
    points: Vec<(InstanceId, ClientPoint)>,
    jobs: &Jobs,
) -> Vec<InstanceId> {
    let mut to_poll = Vec::new();
    let mut to_look_at = Vec::new();
    let mut by_job: Vec<(JobId, Vec<InstanceId>)> = Vec::new();
    {
        let mut tracker = runner.tracker();
        for (id, point) in points {
            tracker.sent_earlier(&id, point.before);
            match point.progress {
                ClientProgress::Accepted { request_id, job } => {
                    if !tracker.accepted(&id, request_id.as_deref()) {
                        continue;
                    }
                    match job.filter(|_| jobs.is_some()) {
                        Some(job) => match by_job.iter_mut().find(|(known, _)| *known == job) {
                            Some((_, instances)) => instances.push(id),
                            None => by_job.push((job, vec![id])),
                        },
                        None => to_poll.push(id),
                    }
                }
                ClientProgress::Unclear { fault, resend } => {
                    let resend = resend && is_idempotent(action);
                    // The deadline settles an instance that is sent again.
                    let settle_by = (!resend).then(|| runner.settle_by());
                    tracker.unclear_earlier(&id, &fault, settle_by);
                    match resend {
                        true => to_look_at.push(id),
                        false => to_poll.push(id),
                    }
                }
            }
        }
    }
    for (id, instances) in by_job {
        runner.start_force_timer(&instances);
        if let Some(jobs) = jobs {
            // The receiver lives as long as this sender.
            let _ = jobs.send(Box::new(Job {
                id,
                instances,
                maybe_repeated: false,
            }));
        }
    }
    let to_resend = look_at(runner, to_look_at, &mut to_poll).await;
    runner.start_force_timer(&to_poll);
    runner.subscription.add(to_poll);
    runner.notify();
    to_resend
}

/// Looks at instances that may be sent again. Returns the instances to send, and adds the others to `to_poll`.
async fn look_at(
    runner: &RequestRunner<'_>,
    ids: Vec<InstanceId>,
    to_poll: &mut Vec<InstanceId>,
) -> Vec<InstanceId> {
    if ids.is_empty() {
        return ids;
    }
    let results = runner.observe_once(&ids).await;
    let mut tracker = runner.tracker();
    let goal = tracker.goal();
    let mut to_resend = Vec::new();
    for id in ids {
        match results.get(&id) {
            Some(result @ ObserveResult::Found(seen))
                if seen.state == goal || seen.state.is_moving_to(goal) =>
            {
                tracker.looked_up(&id, result);
                if tracker.is_open(&id) {
                    to_poll.push(id);
                }
            }
            _ => to_resend.push(id),
        }
    }
    to_resend
}
