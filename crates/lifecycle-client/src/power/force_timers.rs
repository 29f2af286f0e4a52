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

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn id(name: &str) -> InstanceId {
        InstanceId::new(name).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn timers_that_end_within_a_second_are_due_together_and_none_is_early() {
        let (timers, mut deadlines) = ForceTimers::new(Duration::from_secs(60));
        let began = Instant::now();
        // The timers start at 0 s, 1 s, 1.5 s and 9 s.
        for (name, pause) in [("a", 1_000), ("b", 500), ("c", 7_500), ("d", 0)] {
            timers.start(vec![id(name)]);
            advance(Duration::from_millis(pause)).await;
        }
        for (names, millis) in [
            (&["a", "b"][..], 61_000),
            (&["c"], 61_500),
            (&["d"], 69_000),
        ] {
            let due = deadlines.due().await;
            let expected: Vec<_> = names.iter().map(|name| id(name)).collect();
            assert_eq!(due, Some(expected));
            assert_eq!(began.elapsed(), Duration::from_millis(millis), "{names:?}");
        }
        drop(timers);
        assert_eq!(deadlines.due().await, None);
    }
}
