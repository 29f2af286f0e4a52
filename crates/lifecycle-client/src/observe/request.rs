//! Reading states, as the caller writes it.

use std::{future::IntoFuture, pin::Pin, sync::Arc};

use lifecycle_core::{Fault, InstanceId, Observation};
use tokio::time::Instant;

use crate::{
    call::context::{CallContext, CallKind},
    call::event::IgnoreEvents,
    error::Error,
    observe::lookup::{ObserveResult, not_shown},
    observe::observer::Observer,
};

/// A look at some instances. Nothing is read until it is awaited.
///
/// Awaiting gives a [`InstanceStatus`] for each instance, in the order of the request, duplicates folded.
#[derive(Debug)]
#[must_use = "nothing is read until it is awaited"]
pub struct ObserveRequest<'c> {
    observer: &'c Arc<Observer>,
    ids: Result<Vec<InstanceId>, Error>,
}

/// What one look showed of one instance.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct InstanceStatus {
    /// Which instance.
    pub instance: InstanceId,
    /// It as the cloud shows it, or why it could not be seen:
    /// [`FaultKind::NotFound`](lifecycle_core::FaultKind::NotFound) when the cloud answered and
    /// did not show it.
    pub result: Result<Observation, Fault>,
}

impl<'c> ObserveRequest<'c> {
    pub(crate) fn new(observer: &'c Arc<Observer>, ids: Result<Vec<InstanceId>, Error>) -> Self {
        Self { observer, ids }
    }
}

impl<'c> IntoFuture for ObserveRequest<'c> {
    type Output = Result<Vec<InstanceStatus>, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'c>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let ids = self.ids?;
            let ctx = CallContext {
                kind: CallKind::Observe,
                instances: ids.len(),
                deadline: Instant::now() + self.observer.engine.timeouts.request,
                observer: &IgnoreEvents,
            };
            let mut results = self.observer.observe_once(&ids, &ctx).await;
            let statuses = ids.into_iter().map(|instance| InstanceStatus {
                result: match results.remove(&instance) {
                    Some(ObserveResult::Found(observation)) => Ok(observation),
                    Some(ObserveResult::Failed(fault)) => Err(fault),
                    Some(ObserveResult::NotFound) | None => Err(not_shown()),
                },
                instance,
            });
            Ok(statuses.collect())
        })
    }
}
