//! The stream of events tells the same as the report.

use std::collections::HashMap;

use lifecycle_facade::{Event, InstanceId, Outcome};

use super::Broken;
use crate::run::Episode;

pub(super) fn judge(episode: &Episode, broken: &mut Broken<'_>) {
    let (Some(events), Some(Ok(report))) = (&episode.events, &episode.result) else {
        return;
    };
    let mut differs = |detail| broken("events agree with the report", detail);
    let mut settled: HashMap<&InstanceId, &Outcome> = HashMap::new();
    let mut accepted: HashMap<&InstanceId, usize> = HashMap::new();
    for event in events {
        let instance = match event {
            Event::Accepted { instance, .. }
            | Event::Unclear { instance, .. }
            | Event::Forcing { instance }
            | Event::State { instance, .. } => instance,
            Event::Settled(row) => &row.instance,
            Event::Finished(_) => {
                differs("an event after the last one".to_owned());
                continue;
            }
            _ => continue,
        };
        if settled.contains_key(instance) {
            differs(format!("{instance} was settled, and then came {event:?}"));
        }
        match event {
            Event::Accepted { .. } => *accepted.entry(instance).or_default() += 1,
            // The forced stop is accepted once more.
            Event::Forcing { .. } => drop(accepted.remove(instance)),
            Event::Settled(row) => drop(settled.insert(instance, &row.outcome)),
            _ => {}
        }
    }
    for row in report.instances() {
        let id = &row.instance;
        let told = settled.remove(id).map(ToString::to_string);
        if told.as_deref() != Some(&*row.outcome.to_string()) {
            differs(format!("{id} is {}, and {told:?} was told", row.outcome));
        }
        let times = accepted.get(id).copied().unwrap_or_default();
        if times > 1 || times == 0 && matches!(row.outcome, Outcome::Accepted) {
            differs(format!(
                "{id} is {}, and was accepted {times} times",
                row.outcome
            ));
        }
    }
    if let Some(id) = settled.keys().next() {
        differs(format!("{id} was settled, and is not in the report"));
    }
}
