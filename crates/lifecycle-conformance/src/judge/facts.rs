//! What is known of a run besides the client's own report.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use lifecycle_facade::{ActionKind, Client, InstanceId, LocalDisk, StopBilling, core::Action};
use lifecycle_sim::{
    CallRecord, Cloud, InjectedFault, PowerOperation, SimulatedState,
    switches::{baidu, zenlayer},
};

use crate::{
    run::{Episode, Run},
    scenario::{Request, Scenario},
};

pub(super) struct Facts<'r> {
    pub(super) scenario: &'r Scenario,
    pub(super) run: &'r Run,
    pub(super) calls: Vec<CallRecord>,
    acts: HashMap<String, Vec<(PowerOperation, Duration)>>,
    /// Those that somebody else has had a hand in.
    struck: HashSet<&'r InstanceId>,
    numbers: HashMap<&'r InstanceId, usize>,
    asked: Vec<HashSet<&'r InstanceId>>,
    /// Some observation was answered from the past.
    pub(super) stale: bool,
    /// Some action was answered without the body that names the refused ones.
    pub(super) blanked: bool,
    /// The first request has an option that a cloud may honour for some instances only.
    pub(super) choosy: bool,
    /// How many instances of the first request can make a cloud refuse a batch: unknown, in
    /// trouble, not ready, struck by somebody else, or unfit for an option.
    pub(super) bad: usize,
}

impl<'r> Facts<'r> {
    pub(super) fn new(scenario: &'r Scenario, run: &'r Run) -> Self {
        let ledger = run.stage.simulator.ledger();
        let calls = ledger.calls();
        let mut acts: HashMap<String, Vec<(PowerOperation, Duration)>> = HashMap::new();
        for act in ledger.power_operations() {
            acts.entry(act.instance)
                .or_default()
                .push((act.operation, act.at));
        }
        let incidents = scenario.incidents.iter();
        let mut facts = Self {
            scenario,
            run,
            stale: calls
                .iter()
                .any(|call| matches!(call.fault, Some(InjectedFault::Stale(_)))),
            blanked: calls.iter().any(|call| {
                call.operation.is_action() && call.fault == Some(InjectedFault::EmptyBody)
            }),
            choosy: scenario.requests.first().is_some_and(is_choosy),
            calls,
            acts,
            struck: incidents.map(|i| run.stage.struck(i)).collect(),
            numbers: run.stage.numbers(),
            asked: run
                .episodes
                .iter()
                .map(|e| e.asked.iter().collect())
                .collect(),
            bad: 0,
        };
        let bad = |id: &&InstanceId| !facts.is_ready(id) || !facts.is_undisturbed(id);
        facts.bad = match facts.named().filter(bad).count() {
            0 if !facts.choosy => 0,
            // What a refused batch has done all the same, the next call is refused for.
            bad if facts.choosy || does_a_part_of_it(scenario) => bad.max(facts.named().count()),
            bad => bad,
        };
        facts
    }

    pub(super) fn client(&self) -> &Client {
        &self.run.stage.client
    }

    /// The executed actions, by instance.
    pub(super) fn acts(&self) -> impl Iterator<Item = (&str, &[(PowerOperation, Duration)])> {
        self.acts
            .iter()
            .map(|(name, acts)| (name.as_str(), acts.as_slice()))
    }

    /// How often `verb` was executed on an instance during a request.
    pub(super) fn executed(&self, id: &InstanceId, verb: ActionKind, during: &Episode) -> usize {
        let name = self.run.stage.reference(id);
        let acts = self.acts.get(&name).map_or(&[][..], Vec::as_slice);
        let window = during.begun..=during.ended;
        acts.iter()
            .filter(|(act, at)| verb_of(*act) == verb && window.contains(at))
            .count()
    }

    /// The instances that the first request names.
    pub(super) fn named(&self) -> impl Iterator<Item = &'r InstanceId> {
        self.asked.first().into_iter().flatten().copied()
    }

    /// The requests that name an instance.
    pub(super) fn requests_for(&self, id: &InstanceId) -> impl Iterator<Item = &'r Request> {
        let asked = self.asked.iter().zip(&self.scenario.requests);
        asked
            .filter(move |(asked, _)| asked.contains(id))
            .map(|(_, request)| request)
    }

    /// Whether somebody who asked the client for nothing had a hand in an instance.
    pub(super) fn is_struck(&self, id: &InstanceId) -> bool {
        self.struck.contains(id)
    }

    /// Whether nobody but one request had a hand in an instance.
    pub(super) fn is_undisturbed(&self, id: &InstanceId) -> bool {
        !self.is_struck(id) && self.requests_for(id).nth(1).is_none()
    }

    /// Whether there was such an instance at the beginning.
    pub(super) fn is_known(&self, id: &InstanceId) -> bool {
        self.numbers.contains_key(id)
    }

    /// Whether an instance was ready for the first request and in no trouble at the beginning.
    pub(super) fn is_ready(&self, id: &InstanceId) -> bool {
        let number = self.numbers.get(id);
        number.is_some_and(|number| *number < self.scenario.ready)
    }
}

/// So many bad ones in a batch are searched for.
pub(super) const SEARCHED: usize = 8;

/// Whether the cloud refuses a batch in name, and does a part of it all the same.
fn does_a_part_of_it(scenario: &Scenario) -> bool {
    match scenario.cloud {
        Cloud::Baidu => scenario.switches.baidu.batch_failure == baidu::BatchFailure::WholeInName,
        Cloud::Zenlayer => {
            scenario.switches.zenlayer.batch_failure == zenlayer::BatchFailure::WholeInName
        }
        _ => false,
    }
}

/// Whether a request has an option that a cloud may honour for some instances only.
fn is_choosy(request: &Request) -> bool {
    match request.action {
        Action::Start(start) => start.local_disk != LocalDisk::Keep,
        Action::Stop(stop) => stop.billing != StopBilling::Keep,
        _ => false,
    }
}

pub(super) fn verb_of(act: PowerOperation) -> ActionKind {
    match act {
        PowerOperation::Start => ActionKind::Start,
        PowerOperation::Stop | PowerOperation::ForcedStop => ActionKind::Stop,
        _ => ActionKind::Reboot,
    }
}

pub(super) fn goal(verb: ActionKind) -> SimulatedState {
    match verb {
        ActionKind::Stop => SimulatedState::Stopped,
        _ => SimulatedState::Running,
    }
}
