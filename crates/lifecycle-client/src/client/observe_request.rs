//! `ObserveRequest`: reads the states of instances once.

use std::{
    collections::HashMap,
    future::{Future, IntoFuture},
    pin::Pin,
    time::Duration,
};

use futures_util::future::join_all;

use tracing::Span;

use super::{
    Client,
    request_span::{in_span, record_request, request_span},
    target::{IntoInstances, Target, by_location, connect, distinct_instances},
};
use crate::observe::{lookup::ReadContent, status::InstanceStatus};

/// A request that reads the states of some instances once. Nothing is read until the request is
/// awaited.
///
/// Awaiting returns an [`InstanceStatus`] for each instance, in the order of the request, without
/// duplicates. An error means that nothing was read. Dropping the future is safe.
#[derive(Clone, Debug)]
#[must_use = "nothing is read until the request is awaited"]
pub struct ObserveRequest<T: Target = Client> {
    target: T,
    instances: Result<Vec<T::Instance>, T::Error>,
    content: ReadContent,
    timeout: Option<Duration>,
}

impl<T: Target> ObserveRequest<T> {
    /// Creates a request. [`Client::observe`](crate::Client::observe) is shorter.
    ///
    /// # Examples
    /// ```
    /// use lifecycle_client::ObserveRequest;
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// let statuses = ObserveRequest::new(client.clone(), &ids).await?;
    /// assert_eq!(statuses.len(), ids.len());
    /// # Ok(())
    /// # });
    /// ```
    pub fn new(target: T, instances: impl IntoInstances<T>) -> Self {
        Self {
            instances: distinct_instances(&target, instances),
            target,
            content: ReadContent::State,
            timeout: None,
        }
    }

    /// Reads the [`InstanceDetails`](lifecycle_core::InstanceDetails) too, such as tags and addresses. On
    /// some clouds the response is larger then.
    ///
    /// # Examples
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// for status in client.observe(&ids).details().await? {
    ///     println!("{}: {:?}", status.instance, status.result?.details);
    /// }
    /// # Ok(())
    /// # });
    /// ```
    pub fn details(mut self) -> Self {
        self.content = ReadContent::Details;
        self
    }

    /// Sets the time limit of the reads; [`Timeouts::request`](crate::Timeouts::request) by default. Instances
    /// that are not read in time have a fault, and the other instances keep their results. The time for
    /// connections and keys does not count.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// let statuses = client.observe(&ids).timeout(Duration::from_secs(30)).await?;
    /// assert!(statuses.iter().all(|status| status.result.is_ok()));
    /// # Ok(())
    /// # });
    /// ```
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    async fn run(self, span: Span) -> Result<Vec<InstanceStatus<T::Instance>>, T::Error> {
        let instances = self.instances?;
        let groups = by_location::<T>(&instances);
        for location in groups.keys() {
            self.target.offline_client(location)?;
        }
        let clients = connect(&self.target, &instances).await?;
        record_request(&span, instances.len(), clients.values());
        let read = async |location: &T::Location, ids| {
            let observer = &clients.get(location)?.observer;
            let statuses = observer.statuses(ids, self.content, self.timeout).await;
            let named = statuses.into_iter().map(|status| InstanceStatus {
                instance: T::join(location, status.instance),
                result: status.result,
            });
            Some(named.collect::<Vec<_>>())
        };
        let reads = groups.iter().map(|(location, ids)| read(location, ids));
        let statuses = join_all(reads).await.into_iter().flatten().flatten();
        if groups.len() == 1 {
            // The instances of a single location are in the requested order.
            return Ok(statuses.collect());
        }
        let mut statuses: HashMap<_, _> = statuses
            .map(|status| (status.instance.clone(), status))
            .collect();
        let ordered = instances.iter();
        Ok(ordered
            .filter_map(|instance| statuses.remove(instance))
            .collect())
    }
}

impl<T: Target> IntoFuture for ObserveRequest<T> {
    type Output = Result<Vec<InstanceStatus<T::Instance>>, T::Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        let span = request_span("observe", self.instances.as_ref().map_or(0, Vec::len));
        in_span(Box::pin(self.run(span.clone())), span)
    }
}
