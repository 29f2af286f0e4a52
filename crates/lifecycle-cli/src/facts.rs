//! What is known of each instance of a request while it is under way.
//!
//! When the request comes to its end, its report says it all. This is for the time before: for
//! progress, and for the truth about a request that is cut off.

use std::collections::{BTreeMap, HashMap};

use lifecycle_facade::{
    Event, Fault, FleetEvent, InstanceId, InstanceReference, Location, PowerState,
};

use crate::row::{RequestKind, Row};

/// The facts of one request.
#[derive(Debug)]
pub(crate) struct Facts {
    kind: RequestKind,
    /// In the order of the request.
    known: Vec<Fact>,
    index: HashMap<InstanceReference, usize>,
    /// How many of them have had their turn so far, where they go in waves.
    begun: Option<usize>,
}

#[derive(Debug)]
struct Fact {
    reference: InstanceReference,
    answer: Answer,
    state: Option<PowerState>,
    request_id: Option<String>,
}

/// What the cloud has said about an instance.
#[derive(Debug)]
enum Answer {
    Nothing,
    Accepted,
    /// Something that leaves open whether it acts.
    Unclear(Fault),
    /// The last word.
    Final(Row),
}

impl Facts {
    /// Nothing is known of these instances yet.
    pub(crate) fn new(references: &[InstanceReference], kind: RequestKind) -> Self {
        let known = references.iter().map(|reference| Fact {
            reference: reference.clone(),
            answer: Answer::Nothing,
            state: None,
            request_id: None,
        });
        Self {
            kind,
            known: known.collect(),
            index: references.iter().cloned().zip(0..).collect(),
            begun: None,
        }
    }

    /// Keeps what an event says.
    pub(crate) fn note(&mut self, event: &FleetEvent) {
        let (place, event) = match event {
            FleetEvent::In(place, event) => (place, event),
            FleetEvent::Wave { instances, .. } => {
                *self.begun.get_or_insert(0) += instances;
                return;
            }
            _ => return,
        };
        let kind = self.kind;
        match event {
            Event::Accepted {
                instance,
                request_id,
            } => {
                if let Some(fact) = self.of(place, instance) {
                    fact.answer = Answer::Accepted;
                    fact.request_id.clone_from(request_id);
                }
            }
            Event::Unclear { instance, fault } => {
                let known = |fact: &&mut Fact| matches!(fact.answer, Answer::Accepted);
                if let Some(fact) = self.of(place, instance).filter(|fact| !known(fact)) {
                    fact.answer = Answer::Unclear(fault.clone());
                }
            }
            Event::State(observation) => {
                if let Some(fact) = self.of(place, &observation.instance) {
                    fact.state = Some(observation.state);
                }
            }
            Event::Settled(report) => {
                if let Some(fact) = self.of(place, &report.instance) {
                    let row = Row::of_report(&fact.reference, report, kind);
                    fact.answer = Answer::Final(row);
                }
            }
            _ => {}
        }
    }

    /// What is known now, for a request that ends here. `has_acted` says whether an action went out
    /// to a place: where none did, nothing can have happened.
    pub(crate) fn cut_off(self, has_acted: impl Fn(&Location) -> bool) -> Vec<Row> {
        let kind = self.kind;
        let begun = self.begun.unwrap_or(self.known.len());
        (0..)
            .zip(self.known)
            .map(|(number, fact)| {
                let acted = number < begun && has_acted(&fact.reference.location);
                fact.cut_off(kind, acted)
            })
            .collect()
    }

    /// How far each place is.
    pub(crate) fn tallies(&self) -> BTreeMap<&Location, Tally> {
        let mut tallies: BTreeMap<&Location, Tally> = BTreeMap::new();
        for fact in &self.known {
            let tally = tallies.entry(&fact.reference.location).or_default();
            tally.instances += 1;
            tally.settled += u64::from(matches!(fact.answer, Answer::Final(_)));
            if let Some(word) = fact.word() {
                *tally.words.entry(word).or_default() += 1;
            }
        }
        tallies
    }

    fn of(&mut self, place: &Location, instance: &InstanceId) -> Option<&mut Fact> {
        let reference = InstanceReference::new(place.clone(), instance.clone());
        self.known.get_mut(*self.index.get(&reference)?)
    }
}

impl Fact {
    fn cut_off(self, kind: RequestKind, acted: bool) -> Row {
        let reference = &self.reference;
        let mut row = match (self.answer, kind) {
            (Answer::Final(row), _) => return row,
            (_, RequestKind::Wait) => {
                Row::interrupted(reference, "pending", "interrupted before the wait was over")
            }
            (Answer::Accepted, RequestKind::Action) => Row::interrupted(
                reference,
                "pending",
                "accepted, and interrupted before its goal was seen",
            ),
            (Answer::Unclear(fault), RequestKind::Action) => {
                let message = format!(
                    "{}; interrupted while it was being looked at: look again before you repeat it",
                    fault.message()
                );
                Row::interrupted(reference, "uncertain", &message).with_fault(&fault)
            }
            (Answer::Nothing, RequestKind::Action) if acted => Row::interrupted(
                reference,
                "uncertain",
                "interrupted before the cloud had answered for it; look at it before you ask again",
            ),
            (Answer::Nothing, RequestKind::Action) => {
                Row::interrupted(reference, "skipped", "interrupted before it was sent")
            }
        };
        row.state = self.state.map(PowerState::as_str);
        row.request_id = self.request_id.or(row.request_id);
        row
    }

    /// A word for where it is now; none once it went as asked.
    fn word(&self) -> Option<&'static str> {
        match (&self.answer, self.state) {
            (Answer::Final(row), _) if row.is_as_requested() => None,
            (Answer::Final(row), _) => row.outcome,
            (_, Some(state)) => Some(state.as_str()),
            (Answer::Accepted, None) => Some("accepted"),
            (Answer::Unclear(_), None) => Some("unclear"),
            (Answer::Nothing, None) => None,
        }
    }
}

/// How far the instances of one place are.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// All of them.
    pub(crate) instances: u64,
    /// Those with a final outcome.
    pub(crate) settled: u64,
    /// How many of the others, and of those that failed, are where.
    pub(crate) words: BTreeMap<&'static str, u64>,
}

#[cfg(test)]
mod tests {
    use lifecycle_facade::{FaultKind, Observation};

    use super::*;

    fn reference(text: &str) -> InstanceReference {
        text.parse().unwrap()
    }

    fn facts(kind: RequestKind) -> Facts {
        let references = ["a", "b", "c"].map(|id| reference(&format!("baidu/bj/{id}")));
        Facts::new(&references, kind)
    }

    fn at_bj(event: Event) -> FleetEvent {
        FleetEvent::In("baidu/bj".parse().unwrap(), event)
    }

    fn id(text: &str) -> InstanceId {
        InstanceId::new(text).unwrap()
    }

    fn outcomes(rows: &[Row]) -> Vec<&str> {
        rows.iter().map(|row| row.outcome.unwrap()).collect()
    }

    #[test]
    fn a_request_that_is_cut_off_tells_what_is_known() {
        let mut facts = facts(RequestKind::Action);
        facts.note(&at_bj(Event::Accepted {
            instance: id("a"),
            request_id: Some("r-1".into()),
        }));
        facts.note(&at_bj(Event::State(Observation::new(
            id("a"),
            PowerState::Starting,
            "Starting",
        ))));
        facts.note(&at_bj(Event::Unclear {
            instance: id("b"),
            fault: Fault::new(FaultKind::NoAnswer, "no answer").with_request_id(Some("r-2")),
        }));
        let rows = facts.cut_off(|_| true);
        assert_eq!(outcomes(&rows), ["pending", "uncertain", "uncertain"]);
        let ids: Vec<_> = rows.iter().map(|row| row.request_id.as_deref()).collect();
        assert_eq!(ids, [Some("r-1"), Some("r-2"), None]);
        assert_eq!(rows[0].state, Some("starting"));
        assert_eq!(rows[1].kind, Some("no-answer"));
    }

    #[test]
    fn where_nothing_was_sent_nothing_happened() {
        let rows = facts(RequestKind::Action).cut_off(|_| false);
        assert_eq!(outcomes(&rows), ["skipped"; 3]);
        let rows = facts(RequestKind::Wait).cut_off(|_| true);
        assert_eq!(outcomes(&rows), ["pending"; 3]);
    }

    #[test]
    fn waves_that_had_not_begun_were_not_sent() {
        let mut facts = facts(RequestKind::Action);
        for number in 1..=2 {
            facts.note(&FleetEvent::Wave {
                number,
                of: 3,
                instances: 1,
            });
        }
        let rows = facts.cut_off(|_| true);
        assert_eq!(outcomes(&rows), ["uncertain", "uncertain", "skipped"]);
    }

    #[test]
    fn tallies_count_by_the_latest_word() {
        let mut facts = facts(RequestKind::Action);
        for state in [PowerState::Stopped, PowerState::Starting] {
            facts.note(&at_bj(Event::State(Observation::new(id("a"), state, "x"))));
        }
        facts.note(&at_bj(Event::Accepted {
            instance: id("b"),
            request_id: None,
        }));
        let place = "baidu/bj".parse().unwrap();
        let tally = Tally {
            instances: 3,
            settled: 0,
            words: BTreeMap::from([("starting", 1), ("accepted", 1)]),
        };
        assert_eq!(facts.tallies(), BTreeMap::from([(&place, tally)]));
    }
}
