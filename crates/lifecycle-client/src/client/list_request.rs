//! `ListRequest`: reads the instances of a region.

use std::{
    future::{Future, IntoFuture},
    pin::Pin,
    sync::Arc,
};

use futures_util::{Stream, TryStreamExt, stream};
use lifecycle_core::{InstanceFilter, ListQuery, Observation};

use super::{Client, target::Target};
use crate::observe::list::pages;

/// A request that reads the instances of a location: all of them, or those of a filter. Nothing is read until the request is awaited,
/// or until its [`pages`](Self::pages) are read.
///
/// Awaiting returns every instance once, in the order of the cloud. An error means that the list is
/// not complete. Dropping the future is safe.
#[derive(Clone, Debug)]
#[must_use = "nothing is read until the request is awaited"]
pub struct ListRequest<T: Target = Client> {
    target: T,
    location: Result<T::Location, T::Error>,
    query: ListQuery,
}

impl<T: Target> ListRequest<T> {
    /// Creates a request. [`Client::list`](crate::Client::list) is shorter.
    ///
    /// # Examples
    /// ```
    /// use lifecycle_client::ListRequest;
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// let instances = ListRequest::new(client.clone(), Ok(())).await?;
    /// assert_eq!(instances.len(), ids.len());
    /// # Ok(())
    /// # });
    /// ```
    pub fn new(target: T, location: Result<T::Location, T::Error>) -> Self {
        Self {
            target,
            location,
            query: ListQuery::default(),
        }
    }

    /// Reads only the instances that match `filter`.
    ///
    /// The cloud applies the conditions that the cloud supports
    /// ([`Profile::filter_support`](lifecycle_core::Profile::filter_support)), and the client applies all
    /// conditions to the response.
    ///
    /// # Errors
    /// The list ends with [`Error::IncompleteList`](crate::Error::IncompleteList) and the defect
    /// [`DetailsMissing`](crate::ListDefect::DetailsMissing) if the cloud does not report a fact of the
    /// filter.
    ///
    /// # Examples
    /// ```
    /// use lifecycle_core::{InstanceFilter, PowerState};
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// let stopped = InstanceFilter::default().with_state(PowerState::Stopped);
    /// assert_eq!(client.list().filter(stopped).await?.len(), ids.len());
    /// # Ok(())
    /// # });
    /// ```
    pub fn filter(mut self, filter: InstanceFilter) -> Self {
        self.query.filter = filter;
        self
    }

    /// Reads the [`InstanceDetails`](lifecycle_core::InstanceDetails) too, such as tags and addresses.
    ///
    /// # Examples
    /// ```
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, _| {
    /// for instance in client.list().details().await? {
    ///     println!("{}: {:?}", instance.instance, instance.details);
    /// }
    /// # Ok(())
    /// # });
    /// ```
    pub fn details(mut self) -> Self {
        self.query.with_details = true;
        self
    }

    /// Returns the instances page by page, for programs that begin before the last page is read.
    ///
    /// # Errors
    /// The stream ends after the first error.
    ///
    /// # Examples
    /// ```
    /// use std::pin::pin;
    /// use futures_util::TryStreamExt;
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, _| {
    /// let mut pages = pin!(client.list().pages());
    /// while let Some(page) = pages.try_next().await? {
    ///     println!("{} instances", page.len());
    /// }
    /// # Ok(())
    /// # });
    /// ```
    pub fn pages(self) -> impl Stream<Item = Result<Vec<Observation>, T::Error>> + Send + use<T> {
        stream::once(async move {
            let client = self.target.connect(&self.location?).await?;
            let pages = pages(Arc::clone(&client.observer.engine), self.query);
            Ok::<_, T::Error>(pages.map_err(T::Error::from))
        })
        .try_flatten()
    }
}

impl<T: Target> IntoFuture for ListRequest<T> {
    type Output = Result<Vec<Observation>, T::Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.pages().try_concat())
    }
}
