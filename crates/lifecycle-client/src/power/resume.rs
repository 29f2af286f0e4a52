//! Continues the instances of a request that an earlier process sent.

use lifecycle_core::{Action, InstanceId, JobId};

use super::{
    bisect::is_idempotent,
    job::{Job, Jobs},
    resume_point::{ClientPoint, ClientProgress},
    runner::RequestRunner,
};
use crate::observe::lookup::ObserveResult;

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
                    let request_id = request_id.map(Into::into);
                    let ids = std::slice::from_ref(&id);
                    if tracker.accepted(ids, request_id.as_ref()).is_empty() {
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
