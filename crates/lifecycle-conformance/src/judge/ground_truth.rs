//! The simulator's record of a run, independent of the client's report.

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
    scenario::{ExternalChange, Request, Scenario},
    scenario_run::{RequestRun, ScenarioRun},
};

/// The calls, executed actions and circumstances of a run.
pub(super) struct GroundTruth<'r> {
    pub(super) scenario: &'r Scenario,
    pub(super) run: &'r ScenarioRun,
    pub(super) calls: Vec<CallRecord>,
    operations: HashMap<String, Vec<(PowerOperation, Duration)>>,
    externally_changed: HashSet<&'r InstanceId>,
    numbers: HashMap<&'r InstanceId, usize>,
    requested: Vec<HashSet<&'r InstanceId>>,
    /// The cloud answered an observation with an old state.
    pub(super) has_stale_observation: bool,
    /// The cloud answered an action with an empty body, so the refused instances were not named.
    pub(super) has_empty_acknowledgement: bool,
    /// The first request has an option that the cloud may support for some instances only.
    pub(super) has_selective_option: bool,
    /// The number of instances in the first request that can make the cloud refuse a batch:
    /// unknown, impaired, not ready, changed externally, or without support for an option.
    pub(super) unfit: usize,
}

impl<'r> GroundTruth<'r> {
    pub(super) fn new(scenario: &'r Scenario, run: &'r ScenarioRun) -> Self {
        let ledger = run.stage.simulator.ledger();
        let calls = ledger.calls();
        let mut operations: HashMap<String, Vec<(PowerOperation, Duration)>> = HashMap::new();
        for operation in ledger.power_operations() {
            operations
                .entry(operation.instance)
                .or_default()
                .push((operation.operation, operation.at));
        }
        let changes = scenario.changes.iter();
        let mut truth = Self {
            scenario,
            run,
            has_stale_observation: calls
                .iter()
                .any(|call| matches!(call.fault, Some(InjectedFault::Stale(_)))),
            has_empty_acknowledgement: calls.iter().any(|call| {
                call.operation.is_action() && call.fault == Some(InjectedFault::EmptyBody)
            }),
            has_selective_option: scenario.requests.first().is_some_and(has_selective_option),
            calls,
            operations,
            externally_changed: changes.map(|c| run.stage.changed_instance(c)).collect(),
            numbers: run.stage.numbers(),
            requested: run
                .requests
                .iter()
                .map(|r| r.ids.iter().collect())
                .collect(),
            unfit: 0,
        };
        let is_unfit = |id: &&InstanceId| !truth.is_ready(id) || !truth.is_used_once(id);
        let total = truth.first_ids().count();
        truth.unfit = match truth.first_ids().filter(is_unfit).count() {
            0 if !truth.has_selective_option => 0,
            // Instances changed by a refused batch make the cloud refuse the next call as well.
            unfit if truth.has_selective_option || executes_refused_batches(scenario) => {
                unfit.max(total)
            }
            unfit => unfit,
        };
        truth
    }

    pub(super) fn client(&self) -> &Client {
        &self.run.stage.client
    }

    /// Returns the executed actions by instance.
    pub(super) fn operations(&self) -> impl Iterator<Item = (&str, &[(PowerOperation, Duration)])> {
        self.operations
            .iter()
            .map(|(name, operations)| (name.as_str(), operations.as_slice()))
    }

    /// Counts the executions of `kind` on an instance during a request.
    pub(super) fn executed(&self, id: &InstanceId, kind: ActionKind, during: &RequestRun) -> usize {
        let name = self.run.stage.reference(id);
        let operations = self.operations.get(&name).map_or(&[][..], Vec::as_slice);
        let window = during.started..=during.ended;
        operations
            .iter()
            .filter(|(operation, at)| kind_of(*operation) == kind && window.contains(at))
            .count()
    }

    /// Returns the distinct ids of the first request.
    pub(super) fn first_ids(&self) -> impl Iterator<Item = &'r InstanceId> {
        self.requested.first().into_iter().flatten().copied()
    }

    /// Returns the requests for an instance.
    pub(super) fn requests_for(&self, id: &InstanceId) -> impl Iterator<Item = &'r Request> {
        let pairs = self.requested.iter().zip(&self.scenario.requests);
        pairs
            .filter(move |(ids, _)| ids.contains(id))
            .map(|(_, request)| request)
    }

    /// Returns true for an instance without external changes and with at most one request.
    pub(super) fn is_used_once(&self, id: &InstanceId) -> bool {
        !self.externally_changed.contains(id) && self.requests_for(id).nth(1).is_none()
    }

    /// Returns true for an instance that existed at the start of the run.
    pub(super) fn is_known(&self, id: &InstanceId) -> bool {
        self.numbers.contains_key(id)
    }

    /// Returns the instances that no external change deleted.
    pub(super) fn undeleted(&self) -> impl Iterator<Item = &'r InstanceId> {
        let deleted = |id: &&InstanceId| {
            let mut changes = self.scenario.changes.iter();
            changes.any(|change| {
                matches!(change.change, ExternalChange::Delete)
                    && self.run.stage.changed_instance(change) == *id
            })
        };
        self.numbers.keys().copied().filter(move |id| !deleted(id))
    }

    /// Returns true for an instance that was ready for the first request and not impaired at the start.
    pub(super) fn is_ready(&self, id: &InstanceId) -> bool {
        let number = self.numbers.get(id);
        number.is_some_and(|number| *number < self.scenario.ready)
    }
}

/// The number of unfit instances in a batch that the client searches for by bisection.
pub(super) const MAX_SEARCHED: usize = 8;

/// Reports whether the cloud executes a part of each batch that the cloud refuses.
fn executes_refused_batches(scenario: &Scenario) -> bool {
    match scenario.cloud {
        Cloud::Baidu => scenario.switches.baidu.batch_failure == baidu::BatchFailure::WholeInName,
        Cloud::Zenlayer => {
            scenario.switches.zenlayer.batch_failure == zenlayer::BatchFailure::WholeInName
        }
        _ => false,
    }
}

/// Reports whether a request has an option that the cloud may support for some instances only.
fn has_selective_option(request: &Request) -> bool {
    match request.action {
        Action::Start(start) => start.local_disk != LocalDisk::Keep,
        Action::Stop(stop) => stop.billing != StopBilling::Keep,
        _ => false,
    }
}

pub(super) fn kind_of(operation: PowerOperation) -> ActionKind {
    match operation {
        PowerOperation::Start => ActionKind::Start,
        PowerOperation::Stop | PowerOperation::ForcedStop => ActionKind::Stop,
        _ => ActionKind::Reboot,
    }
}

pub(super) fn goal(kind: ActionKind) -> SimulatedState {
    match kind {
        ActionKind::Stop => SimulatedState::Stopped,
        _ => SimulatedState::Running,
    }
}
