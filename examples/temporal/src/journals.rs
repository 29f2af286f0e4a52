//! `Journals`: a folder with one journal file for each workflow.

use std::{io, path::PathBuf, sync::Arc};

use jiff::Timestamp;
use lifecycle_controller::{Journal, Operation, OperationId, Record, Store, StoreError, host_name};
use serde_json::json;

use crate::power::PowerCall;

/// A folder with one journal file for each workflow. All workers of a task queue share the folder, so they run on one
/// machine.
///
/// The lock of a journal file keeps two executions of an activity apart, also in two processes.
#[derive(Clone, Debug)]
pub struct Journals {
    folder: PathBuf,
}

/// The journal of one workflow, open for writing.
#[derive(Clone, Debug)]
pub struct WorkflowJournal {
    journal: Journal,
    /// The request of an earlier execution.
    pub earlier: Option<Operation>,
}

impl Journals {
    /// Creates the folder.
    ///
    /// # Errors
    /// The folder cannot be created.
    pub fn open(folder: impl Into<PathBuf>) -> io::Result<Self> {
        let folder = folder.into();
        std::fs::create_dir_all(&folder)?;
        Ok(Self { folder })
    }

    /// Returns the path of a workflow's journal. The id of the first run is a UUID, and stays the same when a workflow
    /// is retried, continued or reset.
    pub fn path(&self, operation: &str) -> PathBuf {
        let is_plain = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
        let name: String = operation.chars().filter(is_plain).collect();
        self.folder.join(format!("{name}.journal"))
    }

    /// Opens the journal of a workflow.
    ///
    /// # Errors
    /// [`StoreError::Locked`] while another execution of an activity of this workflow runs, and other errors of the
    /// file.
    pub async fn of_workflow(&self, operation: &str) -> Result<WorkflowJournal, StoreError> {
        let journal = Journal::open(self.path(operation)).await?;
        let state = journal.state().await?;
        let earlier = state.unfinished().next().or_else(|| state.latest());
        Ok(WorkflowJournal {
            earlier: earlier.cloned(),
            journal,
        })
    }
}

impl WorkflowJournal {
    /// Returns the store of the records.
    pub fn store(&self) -> Arc<dyn Store> {
        Arc::new(self.journal.clone())
    }

    /// Records that the workflow sends nothing: a request without instances. A late execution of the activity finds
    /// this request, and sends nothing.
    ///
    /// # Errors
    /// The record is not durable.
    pub async fn close(&self, call: &PowerCall) -> Result<(), StoreError> {
        let (operation, at) = (OperationId::new(), Timestamp::now());
        let request = json!({
            "record": "request", "operation": operation, "at": at, "by": host_name(), "why": call.why(),
            "action": {"kind": "reboot", "forced": false}, "options": {}, "instances": [],
        });
        let invalid = |error: serde_json::Error| StoreError::Other(error.to_string());
        let request: Record = serde_json::from_value(request).map_err(invalid)?;
        let end =
            serde_json::from_value(json!({"record": "end", "operation": operation, "at": at}));
        self.journal
            .append(vec![request, end.map_err(invalid)?])
            .await
    }
}
