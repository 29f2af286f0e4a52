//! The promises, checked against what the cloud executed.

mod acts;
mod calls;
mod events;
mod facts;
mod outcomes;

use std::{fmt, time::Duration};

use facts::Facts;
use lifecycle_facade::Error;

use crate::{
    run::{Episode, Run},
    scenario::{Request, Scenario},
};

/// A promise that was broken.
#[derive(Clone, Debug)]
pub struct Violation {
    /// Which one.
    pub promise: &'static str,
    /// How.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.promise, self.detail)
    }
}

pub(crate) fn judge(scenario: &Scenario, run: &Run) -> Vec<Violation> {
    let facts = Facts::new(scenario, run);
    let mut findings = Vec::new();
    let mut broken = |promise, detail| findings.push(Violation { promise, detail });
    for (episode, request) in run.episodes.iter().zip(&scenario.requests) {
        no_hangs(episode, request, &mut broken);
        refused_as_a_whole(&facts, episode, request, &mut broken);
        outcomes::judge(&facts, episode, request, &mut broken);
        events::judge(episode, &mut broken);
    }
    acts::judge(&facts, &mut broken);
    calls::judge(&facts, &mut broken);
    findings
}

type Broken<'a> = dyn FnMut(&'static str, String) + 'a;

/// The deadline of a request that waits for nothing.
const REQUEST: Duration = Duration::from_secs(120);

/// Every wait within the client ends at the deadline itself. Tokio's timers round up to the next
/// millisecond, and a few of them can come one after the other.
const GRACE: Duration = Duration::from_millis(20);

fn no_hangs(episode: &Episode, request: &Request, broken: &mut Broken<'_>) {
    let took = episode.ended.saturating_sub(episode.begun);
    let deadline = request.deadline(episode.asked.len()).unwrap_or(REQUEST);
    if took > deadline + GRACE {
        broken(
            "no hangs",
            format!("{took:?} with a deadline of {deadline:?}"),
        );
    }
}

/// A request is refused as a whole when, and only when, the cloud cannot honour an option.
fn refused_as_a_whole(
    facts: &Facts<'_>,
    episode: &Episode,
    request: &Request,
    broken: &mut Broken<'_>,
) {
    let profile = facts.run.stage.client.profile();
    let admitted = profile.supports(&request.action).is_ok();
    let patience = request.patience.unwrap_or(Duration::MAX);
    let comes_too_late = request.force_after.is_some_and(|after| after >= patience);
    match &episode.result {
        Some(Err(Error::NeverForced { .. })) if comes_too_late => {}
        Some(Err(Error::Unsupported(_))) if !admitted => {}
        Some(Err(error)) => broken("a report for what was asked", error.to_string()),
        Some(Ok(_)) if !admitted => broken(
            "nothing asked for is dropped silently",
            format!("{:?} was accepted", request.action),
        ),
        Some(Ok(_)) | None => {}
    }
}
