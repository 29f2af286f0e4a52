//! Scripted clouds that several test modules share: a constant state, a state that changes with time,
//! a job.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use lifecycle_core::FaultKind;

use crate::support::{CallResult, ScriptedCloud, all_in_state, fault, ok, seconds};

/// Answers actions with `acknowledgement`, and observations with `state`.
pub(crate) fn constant_state(acknowledgement: &'static str, state: &'static str) -> ScriptedCloud {
    ScriptedCloud::new(move |sent| match sent.operation.as_str() {
        "observe" => all_in_state(sent, state),
        _ => ok(acknowledgement),
    })
}

/// Answers observations with a state that depends on the time since the last action. `steps` are
/// pairs of seconds and state, in ascending order. Before an action, the first state applies.
pub(crate) fn timeline(steps: &'static [(u64, &'static str)]) -> ScriptedCloud {
    timeline_after(|| ok("ok"), steps)
}

/// Answers actions with `result`, and observations as [`timeline`] does.
pub(crate) fn timeline_after(
    result: fn() -> CallResult,
    steps: &'static [(u64, &'static str)],
) -> ScriptedCloud {
    let mut since = None;
    ScriptedCloud::new(move |sent| {
        if sent.operation != "observe" {
            since = Some(sent.at);
            return result();
        }
        let age = since.map_or(Duration::ZERO, |since| sent.at.saturating_sub(since));
        let step = steps.iter().rev().find(|(from, _)| age >= seconds(*from));
        match since {
            None => all_in_state(sent, steps[0].1),
            Some(_) => all_in_state(sent, step.unwrap().1),
        }
    })
}

/// Answers actions with a job, reads of the job with `progress` in order (again and again with the
/// last entry; `gone` means not found), and observations with `state`.
pub(crate) fn with_job(progress: &'static [&'static str], state: &'static str) -> ScriptedCloud {
    let reads = AtomicUsize::new(0);
    ScriptedCloud::new(move |sent| match sent.operation.as_str() {
        "observe" => all_in_state(sent, state),
        "job" => {
            let read = reads
                .fetch_add(1, Ordering::Relaxed)
                .min(progress.len() - 1);
            match progress[read] {
                "gone" => fault(FaultKind::NotFound),
                text => ok(text),
            }
        }
        _ => ok("job j-1"),
    })
}
