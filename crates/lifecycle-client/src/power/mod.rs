//! Power requests: planned, sent, followed, and reported instance by instance.

pub(crate) mod bisect;
pub(crate) mod contact;
pub(crate) mod decide;
pub(crate) mod escalate;
pub(crate) mod event;
pub(crate) mod event_stream;
pub(crate) mod force_timers;
pub(crate) mod job;
pub(crate) mod options;
pub(crate) mod plan;
pub(crate) mod rejection;
pub(crate) mod report;
pub(crate) mod rollout;
pub(crate) mod run;
pub(crate) mod runner;
pub(crate) mod send;
pub(crate) mod tracked_instance;
pub(crate) mod tracker;
pub(crate) mod triage;
pub(crate) mod waves;
