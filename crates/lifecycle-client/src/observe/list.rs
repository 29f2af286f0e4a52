//! Reads all instances of a region, page by page.

use std::{collections::HashSet, sync::Arc};

use futures_util::{Stream, stream};
use lifecycle_core::{Fault, FaultKind, InstanceId, ListPage, Observation, PageToken};
use tokio::time::Instant;

use crate::{
    call::context::{CallContext, CallError, CallKind},
    call::engine::Engine,
    call::event::IgnoreEvents,
    error::Error,
    instant::after,
};

/// Returns all instances page by page. The stream ends after the first error.
pub(crate) fn pages(
    engine: Arc<Engine>,
) -> impl Stream<Item = Result<Vec<Observation>, Error>> + Send {
    let start = Cursor {
        engine,
        next: Next::First,
        tokens: HashSet::new(),
        seen: HashSet::new(),
    };
    stream::try_unfold(start, Cursor::advance)
}

/// The position in a list.
struct Cursor {
    engine: Arc<Engine>,
    next: Next,
    /// The tokens of the pages so far. A cloud that repeats a token would be followed for ever.
    tokens: HashSet<String>,
    /// The instances so far. An instance that moves to a later page in the meantime is left out there.
    seen: HashSet<InstanceId>,
}

enum Next {
    First,
    Page(PageToken),
    End,
}

impl Cursor {
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
            deadline: after(Instant::now(), self.engine.timeouts.request),
            observer: &IgnoreEvents,
        };
        let page = self.engine.execute(&call, &ctx).await?.value;
        if let Some(next) = &page.next
            && self.tokens.contains(next.as_str())
        {
            let message = format!("the list repeats page {:?}", next.as_str());
            return Err(CallError::unsent(Fault::new(
                FaultKind::Unreadable,
                message,
            )));
        }
        Ok(page)
    }
}
