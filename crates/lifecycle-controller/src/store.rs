//! `Store`: the place that keeps records durably, such as a journal file or a database.

use std::{fmt, io, path::PathBuf};

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    history::HistoryEntry,
    record::{Opened, OperationId, Record},
    state::State,
};

/// A place that keeps records durably. One `Store` serves many tasks of a program.
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
    /// [`StoreError::Conflict`] for an intent that is not unique: no record was appended. After any other
    /// error the records may be lost, and the store refuses further records.
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
}

/// The part of the history to return.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HistoryQuery {
    /// The instance, group or target of the entries; `None` for all.
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
        let subject = self.subject.as_ref();
        subject.is_none_or(|subject| entry.subject.as_ref() == Some(subject))
            && self.since.is_none_or(|since| entry.at >= since)
    }
}

/// The failure of a store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process has the store.
    #[error("{} is in use by {}; wait for its end, or choose another file", path.display(), holder_text(.holder.as_ref()))]
    Locked {
        /// The file.
        path: PathBuf,
        /// The process, if the file names one.
        holder: Option<Opened>,
    },
    /// The instance already has an intent in this operation, and a second call is not safe.
    #[error(
        "operation {operation} already has a call for {instance} that may have been executed: nothing was sent"
    )]
    Conflict {
        /// The instance.
        instance: String,
        /// The operation.
        operation: OperationId,
    },
    /// The operation has no request in the store.
    #[error("operation {0} has no request in this store")]
    UnknownOperation(OperationId),
    /// The file is not a journal.
    #[error("{} is not a journal of lifecycle; choose another file", path.display())]
    NotAJournal {
        /// The file.
        path: PathBuf,
    },
    /// A later version of the program wrote the journal.
    #[error(
        "{} has version {version} of the journal format, and this program reads up to version {}; install a newer program",
        path.display(), crate::record::VERSION
    )]
    NewerVersion {
        /// The file.
        path: PathBuf,
        /// The version of the file.
        version: u32,
    },
    /// A record in the middle of the file is damaged.
    #[error(
        "{} line {line}: {problem}; nothing was changed: keep a copy of the file, check the instances that the lines around it name, then delete the line",
        path.display()
    )]
    DamagedRecord {
        /// The file.
        path: PathBuf,
        /// The number of the line, counted from 1.
        line: usize,
        /// The damage.
        problem: String,
    },
    /// The file cannot be opened, read or written.
    #[error("cannot {operation} {}: {source}", path.display())]
    Io {
        /// The operation, as an English verb.
        operation: &'static str,
        /// The file.
        path: PathBuf,
        /// The reason.
        #[source]
        source: io::Error,
    },
    /// An earlier write failed, so the store accepts no further record.
    #[error("the store accepts no further record after an earlier failure: {first}")]
    Closed {
        /// The first failure.
        first: String,
    },
    /// Another failure, such as a lost connection to a database.
    #[error("{0}")]
    Other(String),
}

fn holder_text(holder: Option<&Opened>) -> String {
    match holder {
        Some(Opened { at, pid, host, .. }) => format!("process {pid} on {host} since {at}"),
        None => "another process".to_owned(),
    }
}
