//! `Store`: the place that keeps records durably, such as a journal file or a database.

use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;

pub use crate::error::StoreError;
use crate::{
    history::HistoryEntry,
    machine::machine_name,
    record::{OperationId, Record},
    state::State,
};

/// A place that keeps records durably. One `Store` serves many tasks of a program.
///
/// Several programs can share a store such as a database. Then [`state`](Self::state) returns the records of all
/// of them, and a [`GroupLeases`](crate::GroupLeases) divides the groups.
///
/// An implementation keeps two promises. [`append`](Self::append) returns after the records are durable,
/// and never writes a part of the records as valid. [`append`](Self::append) refuses a second intent for the
/// same instance of the same operation when the first call may have been executed and may not be
/// repeated; [`State::check`] has the rule.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// Appends records, in their order, and makes them durable.
    ///
    /// Dropping the returned future does not undo the records: they may be durable or not.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for an intent that is not unique: no record was appended. After
    /// [`StoreError::Unavailable`] the records may be lost, and the store takes records again when the database answers. After any
    /// other error the records may be lost, and the store refuses further records. Outcomes and ends can be appended again.
    async fn append(&self, records: Vec<Record>) -> Result<(), StoreError>;

    /// Returns the folded records: open operations, holds, edges, and the last action of each instance.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    async fn state(&self) -> Result<State, StoreError>;

    /// Returns the history, the oldest entry first.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read.
    async fn history(&self, query: &HistoryQuery) -> Result<Vec<HistoryEntry>, StoreError>;

    /// Takes unfinished operations over, and returns those that the caller may settle: the program that
    /// carried such an operation out has ended, or is the caller. The default returns all of them, because
    /// one program has the store.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read or written.
    async fn take_over(
        &self,
        unfinished: Vec<OperationId>,
    ) -> Result<Vec<OperationId>, StoreError> {
        Ok(unfinished)
    }
}

/// The part of the history to return.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HistoryQuery {
    /// The group or machine of the entries, whatever the account and the spelling of the id; `None` for all.
    pub subject: Option<String>,
    /// The time of the oldest entry; `None` for all.
    pub since: Option<Timestamp>,
}

impl HistoryQuery {
    /// Sets the instance, group or target.
    #[must_use]
    pub fn with_subject(mut self, subject: Option<String>) -> Self {
        self.subject = subject;
        self
    }

    /// Sets the time of the oldest entry.
    #[must_use]
    pub fn with_since(mut self, since: Option<Timestamp>) -> Self {
        self.since = since;
        self
    }

    /// Returns whether the query asks for an entry.
    pub fn admits(&self, entry: &HistoryEntry) -> bool {
        let is_subject = |subject: &String| {
            let of_entry = entry.subject.as_deref().map(machine_name);
            of_entry == Some(machine_name(subject))
        };
        self.subject.as_ref().is_none_or(is_subject)
            && self.since.is_none_or(|since| entry.at >= since)
    }
}
