//! Conformance: compares the stream of events of a request with the report.

use std::collections::HashMap;

use lifecycle_facade::{Event, InstanceId, Outcome};

use super::violation::Violations;
use crate::scenario_run::RequestRun;

/// Checks that the events of a request agree with the report.
pub(super) fn check(run: &RequestRun, violations: &mut Violations) {
    let (Some(events), Some(Ok(report))) = (&run.events, &run.result) else {
        return;
    };
    let mut report_difference = |detail| violations.add("events agree with the report", detail);
    let mut settled: HashMap<&InstanceId, &Outcome> = HashMap::new();
    let mut accepted: HashMap<&InstanceId, usize> = HashMap::new();
    for event in events {
        let instance = match event {
            Event::Accepted { instance, .. }
            | Event::Unclear { instance, .. }
            | Event::Forcing { instance }
            | Event::State { instance, .. } => instance,
            Event::Settled(row) => &row.instance,
            // The recorded events end before the last event of the stream.
            Event::Finished(_) => {
                report_difference("an event follows the last event".to_owned());
                continue;
            }
            _ => continue,
        };
        if settled.contains_key(instance) {
            report_difference(format!(
                "{instance} was settled, but {event:?} came afterwards"
            ));
        }
        match event {
            Event::Accepted { .. } => *accepted.entry(instance).or_default() += 1,
            // The cloud accepts the forced stop separately.
            Event::Forcing { .. } => drop(accepted.remove(instance)),
            Event::Settled(row) => drop(settled.insert(instance, &row.outcome)),
            _ => {}
        }
    }
    for row in report.instances() {
        let id = &row.instance;
        let event_outcome = settled.remove(id).map(ToString::to_string);
        if event_outcome.as_deref() != Some(&*row.outcome.to_string()) {
            report_difference(format!(
                "{id} is {}, but its event says {event_outcome:?}",
                row.outcome
            ));
        }
        // A forced stop is accepted separately; apart from that, the cloud accepts at most once.
        let times = accepted.get(id).copied().unwrap_or_default();
        if times > 1 || times == 0 && matches!(row.outcome, Outcome::Accepted) {
            report_difference(format!(
                "{id} is {}, and was accepted {times} times",
                row.outcome
            ));
        }
    }
    if let Some(id) = settled.keys().next() {
        report_difference(format!("{id} was settled, but is not in the report"));
    }
}
