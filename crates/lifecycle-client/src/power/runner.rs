//! The state that the parts of one running power request share.

use std::{
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use lifecycle_core::{Action, InstanceId};
use tokio::{
    sync::Notify,
    time::{Instant, timeout},
};

use super::{
    batch::ActionBatch, force_timers::ForceTimers, plan::batches, recorder::ShareRecorder,
    tracker::OutcomeTracker, view_delay::LATEST_VIEW,
};
use crate::{
    call::context::{CallContext, CallKind},
    call::event::{CallEvent, CallObserver},
    instant::after,
    observe::lookup::{ObserveResult, ObserveResults},
    observe::mailbox::Mailbox,
    observe::observer::Observer,
    observe::poller::Subscription,
    sync::lock,
};

/// The state that the parts of one running power request share.
pub(crate) struct RequestRunner<'a> {
    pub(crate) observer: &'a Observer,
    pub(crate) tracker: &'a Mutex<OutcomeTracker>,
    pub(crate) subscription: Arc<Subscription>,
    pub(crate) started: Instant,
    pub(crate) deadline: Instant,
    /// The time for lookups to settle an ambiguous action.
    pub(crate) settle: Duration,
    /// Only for a graceful stop that is forced later.
    pub(crate) force_timers: Option<ForceTimers>,
    /// The number of parts that can still send the action.
    pub(crate) senders: AtomicUsize,
    /// Signals each change to the part that waits for idle instances.
    pub(crate) changed: Notify,
    /// Receives the results of the poller.
    pub(crate) mailbox: Arc<Mailbox>,
    /// Records the calls that act, if the request has a recorder.
    pub(crate) recorder: Option<Arc<dyn ShareRecorder>>,
}

impl RequestRunner<'_> {
    pub(crate) fn tracker(&self) -> MutexGuard<'_, OutcomeTracker> {
        lock(self.tracker)
    }

    /// Wakes the loop that waits for results, after a change without a result.
    pub(crate) fn notify(&self) {
        self.mailbox.notify();
        self.changed.notify_one();
    }

    /// Returns whether no part of the request can send the action any more.
    pub(crate) fn sending_finished(&self) -> bool {
        self.senders.load(Ordering::Acquire) == 0
    }

    /// Records that a part of the request may send the action, until
    /// [`finish_sending`](Self::finish_sending).
    pub(crate) fn begin_sending(&self) {
        self.senders.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn finish_sending(&self) {
        self.senders.fetch_sub(1, Ordering::AcqRel);
        self.notify();
    }

    /// Returns the time at which an action that is ambiguous from now on must be settled.
    pub(crate) fn settle_by(&self) -> Instant {
        self.deadline.min(after(Instant::now(), self.settle))
    }

    /// Returns the time from which on no action is sent. An action that is cut off by the deadline is
    /// uncertain, and an action that is not sent is not.
    pub(crate) fn send_by(&self) -> Instant {
        let limit = self.deadline.saturating_duration_since(self.started);
        let reserve = ACTION_RESPONSE_TIME.min(limit / 4);
        self.deadline.checked_sub(reserve).unwrap_or(self.deadline)
    }

    /// Returns the time between two lookups.
    pub(crate) fn polling_pause(&self) -> Duration {
        self.observer.engine.polling.every
    }

    /// Returns the time between two looks at a transition of unknown age.
    pub(crate) fn transition_pause(&self) -> Duration {
        let polling = self.observer.engine.polling;
        polling.interval(self.started.elapsed().saturating_add(polling.pause))
    }

    /// Returns the longest time without an answer that lookups without a problem leave.
    pub(crate) fn longest_silence(&self) -> Duration {
        let polling = self.observer.engine.polling;
        polling.interval(self.started.elapsed()).mul_f64(1.1) + RESPONSE_TIME
    }

    /// Records and reports an event of a call that reads about `ids`.
    pub(crate) fn record_read_event(&self, ids: &[InstanceId], event: CallEvent) {
        let mut tracker = self.tracker();
        match event {
            CallEvent::Sending { .. } => return,
            CallEvent::Throttled { ref fault, .. } | CallEvent::Retrying { ref fault, .. } => {
                tracker.read_failed(ids, fault);
            }
        }
        tracker.call_event(ids, event);
    }

    /// Reads the states of `ids` once, now.
    pub(crate) async fn observe_once(&self, ids: &[InstanceId]) -> ObserveResults {
        let call = RequestCall {
            runner: self,
            kind: CallKind::Observe,
            ids,
        };
        self.observer.observe_once(ids, &call.context()).await
    }

    /// Starts the time after which these instances are forced, if the request forces.
    pub(crate) fn start_force_timer(&self, ids: &[InstanceId]) {
        if let Some(force_timers) = &self.force_timers {
            force_timers.start(ids.to_vec());
        }
    }

    /// Returns how long a view can be older than the last stop of a rejected batch of forced stops: the
    /// graceful stop, or the forced stop of a batch that is sent again. Zero for other batches.
    pub(crate) fn stale_view_time(&self, batch: &ActionBatch) -> Duration {
        match &self.force_timers {
            Some(timers) if self.tracker().is_forced(&batch.ids) => match batch.resent {
                true => LATEST_VIEW,
                false => LATEST_VIEW.saturating_sub(timers.after()),
            },
            _ => Duration::ZERO,
        }
    }

    /// Splits `ids` into as few batches as the cloud allows for `action`.
    pub(crate) fn batches(&self, ids: &[InstanceId], action: &Action) -> Vec<ActionBatch> {
        let engine = &self.observer.engine;
        let batches = batches(ids, action, engine.profile(), engine.mutant());
        batches
            .map(|batch| ActionBatch::new(batch.to_vec()))
            .collect()
    }
}

/// The time that remains for the response to the last action before the deadline, or a quarter of a
/// short time limit. A choice: clouds answer a power call within a second.
const ACTION_RESPONSE_TIME: Duration = Duration::from_secs(2);

/// The time that a lookup may take before its instances count as unanswered.
const RESPONSE_TIME: Duration = Duration::from_secs(5);

/// A call of a request. Reports the events of the call together with the instances.
pub(crate) struct RequestCall<'a> {
    pub(crate) runner: &'a RequestRunner<'a>,
    pub(crate) kind: CallKind,
    pub(crate) ids: &'a [InstanceId],
}

impl RequestCall<'_> {
    pub(crate) fn context(&self) -> CallContext<'_> {
        CallContext {
            kind: self.kind,
            instances: self.ids.len(),
            deadline: self.runner.deadline,
            send_by: match self.kind.is_read() {
                true => self.runner.deadline,
                false => self.runner.send_by(),
            },
            observer: self,
        }
    }
}

#[async_trait]
impl CallObserver for RequestCall<'_> {
    /// Looks at the instances of an action without a response. The cloud received the action if an
    /// instance moves, and a repeat is useless if all instances are at the goal. In both cases
    /// lookups find the outcome of each instance.
    async fn is_still_needed(&self) -> bool {
        if self.kind.is_read() {
            return true;
        }
        let limit = self.runner.observer.engine.timeouts.attempt;
        let Ok(results) = timeout(limit, self.runner.observe_once(self.ids)).await else {
            return true;
        };
        let goal = {
            let mut tracker = self.runner.tracker();
            for result in results.values() {
                if let ObserveResult::Found(seen) = result {
                    tracker.viewed(seen);
                }
            }
            tracker.goal()
        };
        let is_at_goal = |result: &ObserveResult| matches!(result, ObserveResult::Found(seen) if seen.state == goal);
        let is_moving = |result: &ObserveResult| matches!(result, ObserveResult::Found(seen) if seen.state.is_moving_to(goal));
        !results.values().any(is_moving) && !results.values().all(is_at_goal)
    }

    fn on_event(&self, event: CallEvent) {
        if self.kind.is_read() {
            self.runner.record_read_event(self.ids, event);
        } else {
            self.runner.tracker().call_event(self.ids, event);
        }
    }
}
