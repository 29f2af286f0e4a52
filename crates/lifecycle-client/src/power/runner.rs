//! The state that the parts of one running power request share.

use std::{
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use lifecycle_core::{Action, InstanceId};
use tokio::time::Instant;

use super::{force_timers::ForceTimers, plan::batches, tracker::OutcomeTracker};
use crate::{
    call::context::{CallContext, CallKind},
    call::event::{CallEvent, CallObserver},
    observe::lookup::ObserveResults,
    observe::mailbox::Mailbox,
    observe::observer::Observer,
    observe::poller::Subscription,
    sync,
};

/// The state that the parts of one running power request share.
pub(crate) struct RequestRunner<'a> {
    pub(crate) observer: &'a Observer,
    pub(crate) tracker: Mutex<OutcomeTracker>,
    pub(crate) subscription: Arc<Subscription>,
    pub(crate) deadline: Instant,
    /// The time for lookups to settle an ambiguous action.
    pub(crate) settle: Duration,
    /// Only for a graceful stop that is forced later.
    pub(crate) force_timers: Option<ForceTimers>,
    /// All calls that carry the action have ended.
    pub(crate) sending_finished: AtomicBool,
    /// Receives the results of the poller.
    pub(crate) mailbox: Arc<Mailbox>,
}

impl RequestRunner<'_> {
    pub(crate) fn tracker(&self) -> MutexGuard<'_, OutcomeTracker> {
        sync::lock(&self.tracker)
    }

    /// Wakes the loop that waits for results, after a change without a result.
    pub(crate) fn notify(&self) {
        self.mailbox.notify();
    }

    pub(crate) fn finish_sending(&self) {
        self.sending_finished.store(true, Ordering::Release);
        self.notify();
    }

    /// Returns the time at which an action that is ambiguous from now on must be settled.
    pub(crate) fn settle_by(&self) -> Instant {
        self.deadline.min(Instant::now() + self.settle)
    }

    pub(crate) fn call_context(&self, kind: CallKind, instances: usize) -> CallContext<'_> {
        CallContext {
            kind,
            instances,
            deadline: self.deadline,
            observer: self,
        }
    }

    /// Reads the states of `ids` once, now.
    pub(crate) async fn observe_once(&self, ids: &[InstanceId]) -> ObserveResults {
        let ctx = self.call_context(CallKind::Observe, ids.len());
        self.observer.observe_once(ids, &ctx).await
    }

    /// Starts the time after which these instances are forced, if the request forces.
    pub(crate) fn start_force_timer(&self, ids: &[InstanceId]) {
        if let Some(force_timers) = &self.force_timers {
            force_timers.start(ids.to_vec());
        }
    }

    /// Splits `ids` into as few batches as the cloud allows for `action`.
    pub(crate) fn batches(&self, ids: &[InstanceId], action: &Action) -> Vec<Vec<InstanceId>> {
        let engine = &self.observer.engine;
        let batches = batches(ids, action, engine.profile(), engine.mutant());
        batches.map(<[_]>::to_vec).collect()
    }
}

impl CallObserver for RequestRunner<'_> {
    fn on_event(&self, event: CallEvent) {
        self.tracker().emit(event.into());
    }
}
