//! Scripted responses that the tests of several promises share.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use lifecycle_core::FaultKind;

use crate::support::{Scripted, all, fault, ok, seconds};

/// Answers actions with `receipt` and observations with `state`.
pub(crate) fn steady(receipt: &'static str, state: &'static str) -> Scripted {
    Scripted::new(move |sent| match sent.operation.as_str() {
        "observe" => all(sent, state),
        _ => ok(receipt),
    })
}

/// States by time since the action, the last one for ever.
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

pub(crate) fn with_job(progress: &'static [&'static str], state: &'static str) -> Scripted {
    let observations = AtomicUsize::new(0);
    Scripted::new(move |sent| match sent.operation.as_str() {
        "observe" => all(sent, state),
        "job" => {
            let observation = observations
                .fetch_add(1, Ordering::Relaxed)
                .min(progress.len() - 1);
            match progress[observation] {
                "gone" => fault(FaultKind::NotFound),
                text => ok(text),
            }
        }
        _ => ok("job j-1"),
    })
}
