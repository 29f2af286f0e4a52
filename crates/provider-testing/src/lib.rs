//! Test helpers of the providers: responses, vectors, mutations, a host in memory, and a driver of
//! exchanges.
//!
//! A failed check is a panic. Secrets in tests contain [`HIDDEN`], so a single search finds a secret in
//! any output.

mod details;
mod exchange;
mod filter;
mod host;
mod limits;
mod mutation;
mod request;
mod response;
mod vectors;

pub use details::{
    check_details_on_request, check_odd_details, check_tags, first_details, listed,
    listed_with_details, recorded_list,
};
pub use exchange::{ExchangeRun, ScriptedAnswer, SentStep, id_and_session, run_exchange};
pub use filter::{check_random_filters, name_filter, tag_filter};
pub use host::FakeHost;
pub use limits::check_limits;
pub use mutation::{JsonMutation, changed_bytes, damaged, json_mutations, truncated};
pub use request::{ids, numbered_ids, reboot, recorded_request, start, stop};
pub use response::{http_response, recorded_response, response, with_body};
pub use vectors::{check_signing_vectors, read_vectors};

/// An observation without details.
pub const NO_DETAILS: bool = false;

/// An observation with details.
pub const WITH_DETAILS: bool = true;

/// The word in every secret of a test.
pub const HIDDEN: &str = "hidden";
