//! Timers between an accepted graceful stop and the forced stop that follows.

use std::time::Duration;

use lifecycle_core::InstanceId;
use tokio::{
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
    time::{Instant, sleep_until},
};

use crate::instant::after;

/// Instances whose graceful stop was accepted, or may have been, and the time of the forced stop.
pub(crate) struct ForceDeadline {
    due: Instant,
    ids: Vec<InstanceId>,
}

/// Starts the timers, one for each group of instances.
#[derive(Clone)]
pub(crate) struct ForceTimers {
    after: Duration,
    sender: UnboundedSender<ForceDeadline>,
}

impl ForceTimers {
    /// Returns timers of length `after`, and the deadlines in the order in which they are due.
    pub(crate) fn new(after: Duration) -> (Self, ForceDeadlines) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let deadlines = ForceDeadlines {
            receiver,
            next: None,
        };
        (Self { after, sender }, deadlines)
    }

    /// Returns the time between an accepted graceful stop and the forced stop.
    pub(crate) fn after(&self) -> Duration {
        self.after
    }

    /// Starts the timer of these instances now.
    pub(crate) fn start(&self, ids: Vec<InstanceId>) {
        let deadline = ForceDeadline {
            due: after(Instant::now(), self.after),
            ids,
        };
        // The receiver lives as long as the request.
        let _ = self.sender.send(deadline);
    }
}

/// The started timers, in the order in which they are due.
pub(crate) struct ForceDeadlines {
    receiver: UnboundedReceiver<ForceDeadline>,
    /// Received too early for the last group.
    next: Option<ForceDeadline>,
}

impl ForceDeadlines {
    /// Waits for the next deadline, and returns its instances together with the instances that are
    /// due at about the same time. None of them is returned early.
    pub(crate) async fn due(&mut self) -> Option<Vec<InstanceId>> {
        let first = match self.next.take() {
            Some(next) => next,
            None => self.receiver.recv().await?,
        };
        sleep_until(first.due).await;
        let (mut ids, mut last) = (first.ids, first.due);
        while let Ok(next) = self.receiver.try_recv() {
            if next.due > first.due + TOGETHER {
                self.next = Some(next);
                break;
            }
            last = next.due;
            ids.extend(next.ids);
        }
        sleep_until(last).await;
        Some(ids)
    }
}

/// Forced stops that are due within this time go out in the same calls.
const TOGETHER: Duration = Duration::from_secs(1);
