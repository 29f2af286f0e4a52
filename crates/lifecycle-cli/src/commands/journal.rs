//! The journal of a command: opens the file, and connects the file with a request.

use std::{env, path::Path, sync::Arc};

use lifecycle_controller::{
    Journal, Operation, RowRecord, Store, StoreError, StoreRecorder, host_name,
};
use lifecycle_facade::FleetRow;

use crate::{
    blocking::blocking,
    console::{eprint_line, eprint_warning},
    exit::CommandError,
};

/// Opens the journal of a new request.
///
/// # Errors
/// The journal cannot be used, or has a request that did not end.
pub(crate) async fn open_for_request(path: &Path) -> Result<Journal, CommandError> {
    let journal = open(path).await?;
    let state = journal.state().await?;
    match state.unfinished().next() {
        Some(unfinished) => Err(CommandError::nothing_done(format!(
            "{} has a {}: nothing was sent; finish it with: lifecycle resume {}",
            path.display(),
            described(unfinished),
            path.display()
        ))),
        None => Ok(journal),
    }
}

/// Opens a journal, and says what was repaired.
///
/// # Errors
/// The journal cannot be used.
pub(crate) async fn open(path: &Path) -> Result<Journal, CommandError> {
    let journal = Journal::open(path).await?;
    warn_of_removed(&journal);
    Ok(journal)
}

/// Returns true if the journal exists.
///
/// # Errors
/// The drive does not answer.
pub(crate) async fn exists(path: &Path) -> Result<bool, CommandError> {
    let path = path.to_owned();
    blocking(None, "the journal", move || Ok(path.exists())).await
}

/// Writes a warning if an incomplete record was removed.
pub(crate) fn warn_of_removed(journal: &Journal) {
    let removed = journal.removed_bytes();
    if removed > 0 {
        eprint_warning(&format!(
            "{}: an incomplete record at the end was removed ({removed} bytes); no call is lost: a call is sent after \
             its record is complete",
            journal.path().display()
        ));
    }
}

/// Returns the recorder of a request.
pub(crate) fn recorder(
    journal: &Journal,
    verb: &str,
    left_alone: &[FleetRow],
) -> Arc<StoreRecorder> {
    let recorder = StoreRecorder::new(
        Arc::new(journal.clone()),
        operator(),
        format!("lifecycle {verb}"),
    );
    Arc::new(recorder.left_alone(left_alone.iter().map(RowRecord::from).collect()))
}

/// Writes a warning if a record was lost: the report on standard output is right, the journal is not complete.
pub(crate) fn warn_of_failure(journal: &Journal) {
    if let Some(failure) = journal.failure() {
        eprint_warning(&format!(
            "the journal is not complete: {failure}; correct the problem, then run: lifecycle resume {}",
            journal.path().display()
        ));
    }
}

/// Says what an operation is, on standard error.
pub(crate) fn describe(operation: &Operation) {
    eprint_line(described(operation));
}

/// Returns words such as `stop of 5 instances from 2026-11-20T18:00:00Z (2 with a result)`.
fn described(operation: &Operation) -> String {
    let request = &operation.request;
    format!(
        "{} of {} instances from {:.0} by {} ({} with a result)",
        request.action.as_str(),
        request.instances.len(),
        request.at,
        request.by,
        operation.settled()
    )
}

/// Returns the person and the machine, such as `ops@bastion`.
pub(crate) fn operator() -> String {
    let user = ["USER", "LOGNAME", "USERNAME"].into_iter();
    let user = user.filter_map(env::var_os).find(|name| !name.is_empty());
    let user = user.map_or_else(
        || "unknown".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    );
    format!("{user}@{}", host_name())
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        Self::nothing_done(error.to_string())
    }
}
