//! Scripts of the fake cloud that several test modules share.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use lifecycle_core::FaultKind;

use crate::support::{Scripted, all, fault, ok, seconds};

/// Answers actions with `ack` and observations with `state`.
pub(crate) fn steady(ack: &'static str, state: &'static str) -> Scripted {
    Scripted::new(move |sent| match sent.operation.as_str() {
        "observe" => all(sent, state),
        _ => ok(ack),
    })
}

/// Answers observations with a state that depends on the time since the action, in seconds.
pub(crate) fn timeline(steps: &'static [(u64, &'static str)]) -> Scripted {
    let mut since = None;
    Scripted::new(move |sent| {
        if sent.operation != "observe" {
            since = Some(sent.at);
            return ok("ok");
        }
        let age = since.map_or(Duration::ZERO, |since| sent.at.saturating_sub(since));
        let step = steps.iter().rev().find(|(from, _)| age >= seconds(*from));
        match since {
            None => all(sent, steps[0].1),
            Some(_) => all(sent, step.unwrap().1),
        }
    })
}

/// Answers actions with a job, reads of the job with `progress` in order, and observations with `state`.
pub(crate) fn with_job(progress: &'static [&'static str], state: &'static str) -> Scripted {
    let reads = AtomicUsize::new(0);
    Scripted::new(move |sent| match sent.operation.as_str() {
        "observe" => all(sent, state),
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
