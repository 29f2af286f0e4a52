//! `ListRequest`: reads all instances of a region.

use std::{
    future::{Future, IntoFuture},
    pin::Pin,
    sync::Arc,
};

use futures_util::{Stream, TryStreamExt, stream};
use lifecycle_core::Observation;

use super::{Client, target::Target};
use crate::observe::list::pages;

/// A request that reads all instances of a location. Nothing is read until the request is awaited,
/// or until its [`pages`](Self::pages) are read.
///
/// Awaiting returns every instance once, in the order of the cloud. An error means that the list is
/// not complete. Dropping the future is safe.
#[derive(Clone, Debug)]
#[must_use = "nothing is read until the request is awaited"]
pub struct ListRequest<T: Target = Client> {
    target: T,
    location: Result<T::Location, T::Error>,
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
        Self { target, location }
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
            let pages = pages(Arc::clone(&client.observer.engine));
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
