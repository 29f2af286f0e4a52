//! Forcing what a graceful stop has not brought down in time.

use std::time::Duration;

use futures_util::{StreamExt, future::join, stream};
use lifecycle_core::{Action, ActionKind, InstanceId};
use tokio::{
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
    time::{Instant, sleep_until},
};

use crate::power::run::{Jobs, RequestRunner};

/// Instances whose graceful stop was taken on, or may have been, and when their patience ends.
pub(crate) struct ForceDeadline {
    ends: Instant,
    ids: Vec<InstanceId>,
}

/// Where the sending part hands instances over that may have to be forced later.
#[derive(Clone)]
pub(crate) struct ForceTimers {
    length: Duration,
    sender: UnboundedSender<ForceDeadline>,
}

impl ForceTimers {
    pub(crate) fn new(length: Duration) -> (Self, UnboundedReceiver<ForceDeadline>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self { length, sender }, receiver)
    }

    /// Begins the grace of these instances now.
    pub(crate) fn begin(&self, ids: Vec<InstanceId>) {
        let grace = ForceDeadline {
            ends: Instant::now() + self.length,
            ids,
        };
        // The receiver lives as long as the request.
        let _ = self.sender.send(grace);
    }
}

impl RequestRunner<'_> {
    /// Sends `action` to what is still open when its grace ends.
    pub(crate) async fn escalate(
        &self,
        action: Action,
        force_timers: UnboundedReceiver<ForceDeadline>,
    ) {
        let (jobs, opened) = mpsc::unbounded_channel();
        let overdue = stream::unfold((force_timers, None), |(mut force_timers, held)| async {
            let grace = match held {
                Some(grace) => grace,
                None => force_timers.recv().await?,
            };
            sleep_until(grace.ends).await;
            let first = grace.ends;
            let (mut ids, mut last, mut held) = (grace.ids, first, None);
            // What ends at about the same time goes out in the same calls, and nothing early.
            while let Ok(next) = force_timers.try_recv() {
                if next.ends > first + TOGETHER {
                    held = Some(next);
                    break;
                }
                last = next.ends;
                ids.extend(next.ids);
            }
            sleep_until(last).await;
            Some((ids, (force_timers, held)))
        });
        let forcing = async move {
            overdue
                .for_each_concurrent(None, |ids| self.force(action, ids, Some(jobs.clone())))
                .await;
        };
        join(forcing, self.follow(ActionKind::Stop, opened)).await;
    }

    async fn force(&self, action: Action, ids: Vec<InstanceId>, jobs: Jobs) {
        let late = self.tracker().force(ids);
        let batches = self.batches(&late, &action);
        self.send(action, batches, jobs).await;
    }
}

const TOGETHER: Duration = Duration::from_secs(1);
