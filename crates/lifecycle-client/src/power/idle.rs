//! Requests that wait for idle instances: an instance in a transition is looked at again, and is sent when
//! the transition has ended.

use futures_util::{StreamExt, stream};
use lifecycle_core::Action;
use tokio::time::{Instant, sleep_until};

use super::{batch::ActionBatch, job::Jobs, runner::RequestRunner, send::send, triage::triage};
use crate::instant::after;

/// Looks at waiting instances again and again, and sends the instances that are idle. Instances that become
/// idle in the same look are sent together. Ends when no action may be sent any more.
pub(crate) async fn send_when_idle(runner: &RequestRunner<'_>, action: Action, jobs: Jobs) {
    let looks = stream::unfold(Instant::now(), |last_look| async move {
        next_batches(runner, &action, last_look).await
    });
    let jobs = &jobs;
    looks
        .for_each_concurrent(None, |batches| async move {
            send(runner, action, batches, jobs.clone()).await;
            runner.finish_sending();
        })
        .await;
}

/// Returns the next batches, and the time of the look that showed their instances as idle.
async fn next_batches(
    runner: &RequestRunner<'_>,
    action: &Action,
    mut last_look: Instant,
) -> Option<(Vec<ActionBatch>, Instant)> {
    loop {
        if !runner.tracker().has_waiting() {
            runner.changed.notified().await;
            continue;
        }
        let next_look = after(last_look, runner.transition_pause());
        if next_look.max(Instant::now()) >= runner.send_by() {
            return None;
        }
        sleep_until(next_look).await;
        last_look = Instant::now();
        // The calls of this look are part of sending.
        runner.begin_sending();
        let waiting = runner.tracker().waiting();
        let batches = triage(runner, action, waiting).await;
        if !batches.is_empty() {
            return Some((batches, last_look));
        }
        runner.finish_sending();
    }
}
