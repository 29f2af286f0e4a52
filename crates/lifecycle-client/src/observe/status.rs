//! The result of reading the state of an instance once.

use std::time::Duration;

use lifecycle_core::{Fault, InstanceId, Observation};
use tokio::time::Instant;

use crate::{
    call::context::{CallContext, CallKind},
    call::event::IgnoreEvents,
    instant::after,
    observe::lookup::{ObserveResult, ReadContent, not_shown},
    observe::observer::Observer,
};

/// The state of one instance, or the reason why the state is not known.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct InstanceStatus<I = InstanceId> {
    /// The instance.
    pub instance: I,
    /// The instance as the cloud shows it, or a fault:
    /// [`FaultKind::NotFound`](lifecycle_core::FaultKind::NotFound) if the answer of the cloud does
    /// not contain the instance.
    pub result: Result<Observation, Fault>,
}

impl<I> InstanceStatus<I> {
    /// Creates the status of an instance.
    pub fn new(instance: I, result: Result<Observation, Fault>) -> Self {
        Self { instance, result }
    }
}

impl Observer {
    /// Reads the states of `ids` once, within `timeout`; `None` stands for the time of a request.
    pub(crate) async fn statuses(
        &self,
        ids: &[InstanceId],
        content: ReadContent,
        timeout: Option<Duration>,
    ) -> Vec<InstanceStatus> {
        let timeout = timeout.unwrap_or(self.engine.timeouts.request);
        let deadline = after(Instant::now(), timeout);
        let ctx = CallContext::of_read(CallKind::Observe, ids.len(), deadline, &IgnoreEvents);
        let mut results = match content {
            ReadContent::State => self.observe_once(ids, &ctx).await,
            ReadContent::Details => self.describe_once(ids, &ctx).await,
        };
        let status = |id: &InstanceId| {
            let result = match results.remove(id) {
                Some(ObserveResult::Found(observation)) => Ok(observation),
                Some(ObserveResult::Failed(fault)) => Err(fault),
                Some(ObserveResult::NotFound) | None => Err(not_shown()),
            };
            InstanceStatus::new(id.clone(), result)
        };
        ids.iter().map(status).collect()
    }
}
