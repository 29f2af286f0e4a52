//! Forced stops for instances that a graceful stop has not brought down in time.

use futures_util::{StreamExt, future::join, stream};
use lifecycle_core::{Action, ActionKind, InstanceId};
use tokio::sync::mpsc;

use super::{
    force_timers::ForceDeadlines,
    job::{Jobs, follow_jobs},
    runner::RequestRunner,
    send::send,
};

/// Sends `action` to the instances that are still open when their timer ends.
pub(crate) async fn escalate(
    runner: &RequestRunner<'_>,
    action: Action,
    deadlines: ForceDeadlines,
) {
    let (jobs, opened) = mpsc::unbounded_channel();
    let due = stream::unfold(deadlines, |mut deadlines| async {
        Some((deadlines.due().await?, deadlines))
    });
    let forcing = async move {
        due.for_each_concurrent(None, |ids| force(runner, action, ids, Some(jobs.clone())))
            .await;
    };
    join(forcing, follow_jobs(runner, ActionKind::Stop, opened)).await;
}

async fn force(runner: &RequestRunner<'_>, action: Action, ids: Vec<InstanceId>, jobs: Jobs) {
    let open = runner.tracker().force(ids);
    let batches = runner.batches(&open, &action);
    send(runner, action, batches, jobs).await;
}
