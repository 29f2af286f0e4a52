//! `StoreError`: the failure of a store.

use std::{io, path::PathBuf};

use crate::record::{Opened, OperationId};

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
    /// The store does not answer, and can answer later: a lost connection, a time limit, a restart of a
    /// database. The records may be durable or not. The store accepts records again when it answers.
    #[error("{message}")]
    Unavailable {
        /// The problem, without secrets.
        message: String,
    },
    /// Another controller has taken the group or the operation over: nothing was recorded.
    #[error(
        "another controller has taken over {subject}: this controller records nothing more about it; see lifecycle controllers"
    )]
    TakenOver {
        /// The group or the operation in words, such as `group web`.
        subject: String,
    },
    /// Another failure.
    #[error("{0}")]
    Other(String),
}

impl StoreError {
    /// Returns true if the same call can succeed later without a change by people.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::TakenOver { .. })
    }
}

fn holder_text(holder: Option<&Opened>) -> String {
    match holder {
        Some(Opened { at, pid, host, .. }) => format!("process {pid} on {host} since {at}"),
        None => "another process".to_owned(),
    }
}
