//! Tests of the client against a scripted cloud, under tokio's paused clock. The client promises to a
//! caller what the names of the files say, one promise in each file.

#[path = "../support/mod.rs"]
mod support;

mod acts_when_idle;
mod at_most_one_reboot;
mod cancelling_keeps_what_is_known;
mod clock_skew;
mod dropping_is_safe;
mod fewest_calls;
mod no_hangs;
mod no_secret_leaves;
mod no_storms;
mod one_outcome_per_instance;
mod reboot_evidence;
mod records_come_first;
mod resumed_requests;
mod scripts;
mod selection;
mod survives_panics;
mod true_outcomes;
mod what_is_known_is_told;
mod whole_lists;
