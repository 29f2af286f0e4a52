//! The state of each instance of a running request, for the progress bars.

use std::collections::{BTreeMap, HashMap};

use lifecycle_facade::{Event, FleetEvent, InstanceReference, Location};

/// The state of each instance of a running request.
#[derive(Debug)]
pub(crate) struct ProgressState {
    instances: HashMap<InstanceReference, InstanceState>,
}

/// The state of one instance, in the words of the bars.
#[derive(Debug, Default)]
struct InstanceState {
    /// The answer of the cloud to the action.
    answer: Option<&'static str>,
    /// The power state.
    power: Option<&'static str>,
    settled: bool,
    /// The final outcome, if the instance does not have the requested result.
    failure: Option<&'static str>,
}

impl ProgressState {
    /// Creates the state before the first event.
    pub(crate) fn new(references: &[InstanceReference]) -> Self {
        let instances = references.iter().cloned();
        Self {
            instances: instances
                .map(|reference| (reference, InstanceState::default()))
                .collect(),
        }
    }

    /// Records an event.
    pub(crate) fn record(&mut self, event: &FleetEvent) {
        let instance = match event {
            Event::Accepted { instance, .. }
            | Event::Unclear { instance, .. }
            | Event::State { instance, .. } => instance,
            Event::Settled(row) => &row.instance,
            _ => return,
        };
        let Some(state) = self.instances.get_mut(instance) else {
            return;
        };
        match event {
            Event::Accepted { .. } => state.answer = Some("accepted"),
            Event::Unclear { .. } => state.answer = state.answer.or(Some("unclear")),
            Event::State { observation, .. } => state.power = Some(observation.state.as_str()),
            Event::Settled(row) => {
                state.settled = true;
                let outcome = &row.outcome;
                state.failure = (!outcome.is_success()).then(|| outcome.as_str());
            }
            _ => {}
        }
    }

    /// Returns the progress of each region.
    pub(crate) fn tallies(&self) -> BTreeMap<&Location, Tally> {
        let mut tallies: BTreeMap<&Location, Tally> = BTreeMap::new();
        for (reference, state) in &self.instances {
            let tally = tallies.entry(&reference.location).or_default();
            tally.add(state);
        }
        tallies
    }

    /// Returns the progress of the whole request.
    pub(crate) fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for state in self.instances.values() {
            tally.add(state);
        }
        tally
    }
}

impl InstanceState {
    /// Returns the word for a bar; `None` for an instance with the requested result.
    fn word(&self) -> Option<&'static str> {
        match self.settled {
            true => self.failure,
            false => self.power.or(self.answer),
        }
    }
}

/// The progress of some instances of a request.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// The number of instances.
    pub(crate) instances: u64,
    /// The number of instances with a final outcome.
    pub(crate) settled: u64,
    /// The number of open or failed instances by state or outcome.
    pub(crate) words: BTreeMap<&'static str, u64>,
}

impl Tally {
    fn add(&mut self, state: &InstanceState) {
        self.instances += 1;
        self.settled += u64::from(state.settled);
        if let Some(word) = state.word() {
            *self.words.entry(word).or_default() += 1;
        }
    }

    /// Returns a text such as `9 starting, 1 refused`.
    pub(crate) fn words(&self) -> String {
        let words = self.words.iter();
        let words: Vec<String> = words
            .map(|(word, count)| format!("{count} {word}"))
            .collect();
        words.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use lifecycle_facade::{
        Fault, FaultKind, InstanceReport, Observation, Outcome, PowerState, Report,
    };

    use super::*;

    #[test]
    fn tallies_count_instances_by_their_latest_word() {
        let references = ["a", "b", "c", "d"];
        let references = references.map(|id| format!("baidu/bj/{id}").parse().unwrap());
        let [a, b, c, d]: [InstanceReference; 4] = references.clone();
        let mut progress = ProgressState::new(&references);
        for state in [PowerState::Stopped, PowerState::Starting] {
            progress.record(&Event::State {
                instance: a.clone(),
                observation: Observation::new(a.instance.clone(), state, "x"),
            });
        }
        progress.record(&Event::Accepted {
            instance: b,
            request_id: None,
        });
        let no = Fault::new(FaultKind::Permission, "no");
        for (instance, outcome) in [(c, Outcome::Refused(no)), (d, Outcome::Unchanged)] {
            progress.record(&Event::Settled(InstanceReport::new(instance, outcome)));
        }
        progress.record(&Event::Finished(Ok(Report::default())));
        let location = "baidu/bj".parse().unwrap();
        let tally = Tally {
            instances: 4,
            settled: 2,
            words: BTreeMap::from([("starting", 1), ("accepted", 1), ("refused", 1)]),
        };
        assert_eq!(tally.words(), "1 accepted, 1 refused, 1 starting");
        assert_eq!(progress.tally(), tally);
        assert_eq!(progress.tallies(), BTreeMap::from([(&location, tally)]));
    }
}
