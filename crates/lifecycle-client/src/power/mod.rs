//! Power requests: plan, send, follow, and report the outcome of each instance.

pub(crate) mod ambiguity; // actions with an unknown result
pub(crate) mod batch;
pub(crate) mod bisect; // splits rejected batches
pub(crate) mod contact; // the last contact with the cloud
pub(crate) mod decide; // from facts to outcomes
pub(crate) mod escalate; // forced stops after graceful stops
pub(crate) mod event;
pub(crate) mod event_stream;
pub(crate) mod force_timers; // the time until a forced stop
pub(crate) mod idle; // waits for the end of transitions
pub(crate) mod idle_step; // the rule for one instance
pub(crate) mod job; // follows jobs of the cloud
pub(crate) mod listener; // receives events
pub(crate) mod options;
pub(crate) mod plan;
pub(crate) mod ready_views; // the proof that nothing moved
pub(crate) mod recorder;
pub(crate) mod refusal; // refusals that are not final
pub(crate) mod rejection; // rejections of single instances
pub(crate) mod report;
#[cfg(feature = "serde")]
mod report_serde;
pub(crate) mod resume; // continues sent instances
pub(crate) mod resume_point;
pub(crate) mod rollout; // runs wave after wave
pub(crate) mod run; // runs one request of one client
pub(crate) mod runner; // the shared state of a running request
pub(crate) mod send; // sends batches
pub(crate) mod tracked_instance; // the state of one instance
pub(crate) mod tracker; // the state of all instances
pub(crate) mod triage; // observations before sending
pub(crate) mod until; // the caller's end of the waves
pub(crate) mod view_delay; // the delay of views
pub(crate) mod waves;
