//! Reads the instances of a region, page by page.

use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
    mem,
    sync::Arc,
};

use futures_util::{Stream, stream};
use lifecycle_core::{FilterMatch, ListPage, ListQuery, NextPage, Observation, PageToken};
use tokio::time::Instant;
use tracing::{Instrument, Span};

use crate::{
    call::context::{CallContext, CallError, CallKind},
    call::engine::Engine,
    call::event::IgnoreEvents,
    error::{Error, ListDefect},
    instant::after,
    observe::duplicates::fold,
};

/// Returns the instances of `query` page by page. The stream ends after the first error.
pub(crate) fn pages(
    engine: Arc<Engine>,
    mut query: ListQuery,
) -> impl Stream<Item = Result<Vec<Observation>, Error>> + Send {
    let span = tracing::info_span!(
        "lifecycle.request",
        action = "list",
        cloud = &*engine.collector().labels.cloud,
        region = engine.collector().labels.known_region(),
        account = engine.collector().labels.known_account(),
    );
    // The rows have the spelling of the cloud.
    for id in &mut query.filter.instances {
        *id = engine.provider().canonical_id(id);
    }
    let tracker = ListTracker {
        may_begin_again: !query.filter.tags.is_empty(),
        ..ListTracker::default()
    };
    let start = Cursor {
        span,
        engine,
        query,
        continuation: Continuation::First,
        tracker,
    };
    stream::try_unfold(start, Cursor::advance)
}

/// The position in a list.
struct Cursor {
    /// The span of the whole list.
    span: Span,
    engine: Arc<Engine>,
    query: ListQuery,
    continuation: Continuation,
    tracker: ListTracker,
}

/// The step after a page.
#[derive(Debug, PartialEq)]
enum Continuation {
    First,
    Page(PageToken),
    /// The list ends, and is not complete.
    Fail(ListDefect),
    End,
}

impl Cursor {
    async fn advance(mut self) -> Result<Option<(Vec<Observation>, Self)>, Error> {
        let title = self.engine.profile().title;
        let token = match mem::replace(&mut self.continuation, Continuation::End) {
            Continuation::First => None,
            Continuation::Page(token) => Some(token),
            Continuation::Fail(defect) => {
                return Err(Error::IncompleteList {
                    title,
                    listed: self.tracker.listed,
                    defect,
                });
            }
            Continuation::End => return Ok(None),
        };
        let page = self.read(token.as_ref());
        let page = page.instrument(self.span.clone()).await;
        let page = page.map_err(|failure| Error::Call {
            operation: "list instances",
            title,
            fault: failure.fault,
            attempts: failure.attempts,
        })?;
        let (mut rows, step) = self.tracker.record(page);
        self.continuation = match self.apply_filter(&mut rows) {
            Ok(()) => step,
            Err(defect) => Continuation::Fail(defect),
        };
        Ok(Some((rows, self)))
    }

    /// Removes the rows that do not match. The cloud may ignore a condition, or understand a name in
    /// another way, and such a row would be an instance that nobody selected.
    fn apply_filter(&self, rows: &mut Vec<Observation>) -> Result<(), ListDefect> {
        let mut is_undecided = false;
        rows.retain(|row| match self.query.filter.matches(row) {
            FilterMatch::Yes => true,
            FilterMatch::Unknown => {
                is_undecided = true;
                false
            }
            _ => false,
        });
        match is_undecided {
            true => Err(ListDefect::DetailsMissing),
            false => Ok(()),
        }
    }

    async fn read(&self, token: Option<&PageToken>) -> Result<ListPage, CallError> {
        let call = self.engine.provider().list(&self.query, token);
        let call = call.map_err(CallError::unsent)?;
        let deadline = after(Instant::now(), self.engine.timeouts.request);
        let ctx = CallContext::of_read(CallKind::List, 0, deadline, &IgnoreEvents);
        Ok(self.engine.execute(&call, &ctx).await?.value)
    }
}

/// The number of pages in a row without a new instance that a cloud may name: empty pages, and pages of a
/// list that begins again at the first instance, where a thousand instances are ten pages.
const BARREN_PAGES: u8 = 10;

/// The numbers of instances that the cloud counted during a list. The number changes when another
/// program creates, deletes, starts or stops an instance.
#[derive(Clone, Copy)]
struct Totals {
    least: usize,
    most: usize,
    numbered: bool,
}

impl Totals {
    /// Returns the number of instances that a complete list has at least. A list that goes on after the
    /// last row of a page has every instance that matched all the time, so the least number is enough.
    /// Between two numbered pages a deletion can hide an instance, so such a list needs the highest number.
    fn required(self) -> usize {
        match self.numbered {
            true => self.most,
            false => self.least,
        }
    }
}

/// The rules of a list: where a list ends, and whether a list is complete.
#[derive(Default)]
struct ListTracker {
    /// The instances so far. An instance that moves to a later page in the meantime is left out there.
    seen: DigestSet,
    /// The positions so far.
    tokens: DigestSet,
    listed: usize,
    unidentified: usize,
    totals: Option<Totals>,
    barren_pages: u8,
    /// The list has a condition on tags. Such a list can begin again after the limit of the condition.
    may_begin_again: bool,
    /// The cloud named the position of this page.
    is_named: bool,
}

impl ListTracker {
    /// Records a page, and returns the instances that no earlier page had, and the next step.
    fn record(&mut self, page: ListPage) -> (Vec<Observation>, Continuation) {
        let is_empty = page.rows() == 0;
        self.unidentified += page.unidentified;
        self.record_total(&page);
        let mut rows = fold(page.observations);
        rows.retain(|row| self.seen.insert(row.instance.as_str()));
        self.listed += rows.len();
        let step = self.step(page.next, is_empty, rows.is_empty());
        (rows, step)
    }

    /// Records the total of a page. The total 0 beyond the end of a list has no meaning.
    fn record_total(&mut self, page: &ListPage) {
        let Some(total) = page.total.filter(|total| *total > 0) else {
            return;
        };
        let totals = self.totals.get_or_insert(Totals {
            least: total,
            most: total,
            numbered: false,
        });
        totals.least = totals.least.min(total);
        totals.most = totals.most.max(total);
        totals.numbered |= page.numbered;
    }

    fn step(&mut self, next: NextPage, is_empty: bool, is_barren: bool) -> Continuation {
        self.barren_pages = match is_barren {
            true => self.barren_pages.saturating_add(1),
            false => 0,
        };
        let was_named = mem::replace(&mut self.is_named, matches!(next, NextPage::Named(_)));
        let is_repeated = is_barren && !is_empty;
        match next {
            NextPage::Named(_) if is_barren && self.has_total() => self.end(),
            NextPage::Named(_) if is_repeated && was_named && !self.may_begin_again => {
                Continuation::Fail(ListDefect::NothingNew)
            }
            NextPage::Named(_) if self.barren_pages > BARREN_PAGES => {
                Continuation::Fail(ListDefect::NothingNew)
            }
            NextPage::Expected(_) | NextPage::Possible(_)
                if is_repeated && self.totals.is_none() =>
            {
                Continuation::Fail(ListDefect::NothingNew)
            }
            NextPage::Expected(_) if is_barren => self.end(),
            NextPage::Possible(_) if is_barren || self.has_total() => self.end(),
            NextPage::Named(token) | NextPage::Expected(token) | NextPage::Possible(token) => {
                match self.tokens.insert(token.as_str()) {
                    true => Continuation::Page(token),
                    false => Continuation::Fail(ListDefect::NothingNew),
                }
            }
            NextPage::Unnamed => Continuation::Fail(ListDefect::NextPageUnnamed),
            // A later version of the core may know further positions.
            _ => self.end(),
        }
    }

    fn has_total(&self) -> bool {
        self.totals
            .is_some_and(|totals| self.listed + self.unidentified >= totals.most)
    }

    fn end(&self) -> Continuation {
        match self.totals.map(Totals::required) {
            _ if self.unidentified > 0 => Continuation::Fail(ListDefect::Unidentified {
                rows: self.unidentified,
            }),
            Some(total) if total > self.listed => {
                Continuation::Fail(ListDefect::FewerThanTotal { total })
            }
            _ => Continuation::End,
        }
    }
}

/// A set of texts that keeps a digest of 128 bits for each text, so a list of a million instances
/// needs little memory. The keys of the digests are random: a cloud cannot choose texts with equal
/// digests, which would hide an instance.
#[derive(Default)]
struct DigestSet {
    keys: [RandomState; 2],
    digests: HashSet<u128>,
}

impl DigestSet {
    /// Returns true if the text is new.
    fn insert(&mut self, text: &str) -> bool {
        let digest = self.keys.iter().fold(0, |digest, key| {
            (digest << 64) | u128::from(key.hash_one(text))
        });
        self.digests.insert(digest)
    }
}

#[cfg(test)]
mod tests;
