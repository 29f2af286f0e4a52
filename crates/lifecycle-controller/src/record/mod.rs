//! The records of a journal: what a program wants to do, what it sent, and what became of it.
//!
//! A record is plain data that serde reads and writes. Names of instances are texts, as the program that
//! writes the journal spells them: `account@cloud/region/id` for a fleet, the id alone for a client.
//! The module `convert` translates between records and the types of the client.

pub(crate) mod call; // operations
pub(crate) mod schedule; // controllers

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::{
    call::{
        ActionRecord, Answer, AnswerRecord, End, FaultRecord, InstanceAnswer, Intent,
        IntentInstance, ObservationRecord, OperationId, OutcomeRecord, Outcomes, Request,
        RequestOptionsRecord, RowRecord, WavesRecord,
    },
    schedule::{Edge, EdgeProgress, Hold, Notice, Pass, Release, Wanted},
};
use crate::{
    passes::PassLog,
    progress::{LastAction, Operation},
};

/// The version of the records. A program refuses records of a later version.
pub const VERSION: u32 = 1;

/// One record of a journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Record {
    /// The first record of a file.
    Header(Header),
    /// A process opened the journal for writing.
    Opened(Opened),
    /// A request with all its instances, before the first call.
    Request(Request),
    /// A call that acts, before the call is sent.
    Intent(Intent),
    /// The result of a call.
    Answer(Answer),
    /// Final outcomes of instances.
    Outcome(Outcomes),
    /// The end of a request: every instance has an outcome.
    End(End),
    /// The open state of the file before, at the beginning of a file.
    Snapshot(Box<Snapshot>),
    /// An exception from the schedule.
    Hold(Hold),
    /// The end of a hold before its time.
    Release(Release),
    /// The progress of a group or an instance since the last change of its schedule.
    Edge(Edge),
    /// One pass of a controller.
    Pass(Pass),
    /// A fact for people, such as a failed notification.
    Notice(Notice),
}

/// The first record of a file: the format and its version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Header {
    /// The name of the format: `lifecycle-journal`.
    pub format: String,
    /// The version of the records, see [`VERSION`].
    pub version: u32,
    /// The time at which the file was created.
    pub at: Timestamp,
    /// The file whose open state the file carries on, after a rotation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continues: Option<String>,
}

impl Header {
    /// The name of the format.
    pub const FORMAT: &'static str = "lifecycle-journal";

    /// Returns the header of a new file.
    pub fn new(at: Timestamp) -> Self {
        Self {
            format: Self::FORMAT.to_owned(),
            version: VERSION,
            at,
            continues: None,
        }
    }
}

impl Record {
    /// Returns the operation of a record of a call.
    pub(crate) fn operation(&self) -> Option<&OperationId> {
        match self {
            Self::Request(request) => Some(&request.operation),
            Self::Intent(intent) => Some(&intent.operation),
            Self::Answer(answer) => Some(&answer.operation),
            Self::Outcome(outcomes) => Some(&outcomes.operation),
            Self::End(end) => Some(&end.operation),
            _ => None,
        }
    }
}

/// A process that opened the journal for writing. Names the holder of the lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Opened {
    /// The time.
    pub at: Timestamp,
    /// The id of the process.
    pub pid: u32,
    /// The name of the machine.
    pub host: String,
}

/// The open state of the file before, at the beginning of a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Snapshot {
    /// The time.
    pub at: Timestamp,
    /// The operations without an end, and the latest operation.
    pub operations: Vec<Operation>,
    /// The holds.
    pub holds: Vec<Hold>,
    /// The last edge of each group and instance.
    pub edges: Vec<Edge>,
    /// The last action of each instance.
    pub last_actions: BTreeMap<String, LastAction>,
    /// The last pass of a controller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_pass: Option<Pass>,
    /// The problem of the last pass of each controller whose last pass had one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub problems: BTreeMap<String, String>,
    /// The passes and the reported facts by group.
    #[serde(default, skip_serializing_if = "PassLog::is_empty")]
    pub log: PassLog,
}
