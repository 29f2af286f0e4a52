//! The controller above `lifecycle-facade`: the journal of calls that act, the schedules of groups,
//! and the loop that keeps them.
//!
//! Nothing below this crate knows about schedules or journals.

mod convert;
pub mod decide;
mod error;
mod history;
mod journal;
#[cfg(feature = "_keeper")]
pub mod keeper;
mod leases;
mod machine;
mod memory;
mod passes;
mod progress;
mod record;
mod recorder;
mod resume;
pub mod schedule;
#[cfg(feature = "config")]
pub mod settings;
mod state;
pub mod status;
mod store;

pub use history::{History, HistoryEntry};
pub use journal::{Journal, LockedFile, host_name};
pub use leases::{GroupLeases, Holder, Share};
pub use machine::machine_name;
pub use memory::MemoryStore;
pub use record::{
    ActionRecord, Answer, AnswerRecord, Edge, EdgeProgress, End, FaultRecord, Header, Hold,
    InstanceAnswer, Intent, IntentInstance, Notice, ObservationRecord, Opened, OperationId,
    OutcomeRecord, Outcomes, Pass, Record, Release, Request, RequestOptionsRecord, RowRecord,
    Snapshot, VERSION, Wanted, WavesRecord,
};
pub use recorder::StoreRecorder;
pub use resume::{
    ResumeError, ResumeMode, ResumeStep, ResumedRequest, resume_request, resume_step,
};
pub use state::{EdgeKey, InstanceProgress, LastAction, Operation, PassLog, SendPhase, State};
pub use store::{HistoryQuery, Store, StoreError};
