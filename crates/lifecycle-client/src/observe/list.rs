//! Reading all instances of a region.

use std::{collections::HashSet, future::IntoFuture, pin::Pin, sync::Arc};

use futures_util::{Stream, TryStreamExt, stream};
use lifecycle_core::{Fault, FaultKind, ListPage, Observation, PageToken};
use tokio::time::Instant;

use crate::{
    call::context::{CallContext, CallError, CallKind},
    call::engine::Engine,
    call::event::IgnoreEvents,
    error::Error,
};

/// A list of all instances. Nothing is read until it is awaited, or its [`pages`](Self::pages) are
/// read.
///
/// Awaiting gives every instance once, in the cloud's order. An instance that moves from one page
/// to another meanwhile is not given twice.
#[derive(Debug)]
#[must_use = "nothing is read until it is awaited"]
pub struct ListRequest<'c> {
    engine: &'c Arc<Engine>,
}

impl<'c> ListRequest<'c> {
    pub(crate) fn new(engine: &'c Arc<Engine>) -> Self {
        Self { engine }
    }

    /// The instances page by page, for those who want to begin before the last page is read.
    ///
    /// # Errors
    /// The stream ends after its first error.
    pub fn pages(self) -> impl Stream<Item = Result<Vec<Observation>, Error>> + Send + 'c {
        let start = Cursor {
            engine: self.engine,
            next: Next::First,
            tokens: HashSet::new(),
            seen: HashSet::new(),
        };
        stream::try_unfold(start, Cursor::advance)
    }
}

impl<'c> IntoFuture for ListRequest<'c> {
    type Output = Result<Vec<Observation>, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'c>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.pages().try_concat())
    }
}

struct Cursor<'c> {
    engine: &'c Arc<Engine>,
    next: Next,
    /// Pages that were asked for. A cloud that names one again would be followed for ever.
    tokens: HashSet<String>,
    seen: HashSet<lifecycle_core::InstanceId>,
}

enum Next {
    First,
    Page(PageToken),
    End,
}

impl Cursor<'_> {
    async fn advance(mut self) -> Result<Option<(Vec<Observation>, Self)>, Error> {
        let token = match &self.next {
            Next::First => None,
            Next::Page(token) => Some(token),
            Next::End => return Ok(None),
        };
        let page = self.read(token).await.map_err(|failure| Error::Call {
            operation: "list instances",
            title: self.engine.profile().title,
            fault: failure.fault,
            attempts: failure.attempts,
        })?;
        self.next = match page.next {
            None => Next::End,
            Some(token) => {
                self.tokens.insert(token.as_str().to_owned());
                Next::Page(token)
            }
        };
        let mut rows = page.observations;
        rows.retain(|row| self.seen.insert(row.instance.clone()));
        Ok(Some((rows, self)))
    }

    async fn read(&self, token: Option<&PageToken>) -> Result<ListPage, CallError> {
        let call = self.engine.provider().list(token);
        let call = call.map_err(CallError::unsent)?;
        let ctx = CallContext {
            kind: CallKind::List,
            instances: 0,
            deadline: Instant::now() + self.engine.timeouts.request,
            observer: &IgnoreEvents,
        };
        let page = self.engine.execute(&call, &ctx).await?.value;
        if let Some(next) = &page.next
            && self.tokens.contains(next.as_str())
        {
            let message = format!("the list runs in a circle: page {:?} again", next.as_str());
            return Err(CallError::unsent(Fault::new(
                FaultKind::Unreadable,
                message,
            )));
        }
        Ok(page)
    }
}
