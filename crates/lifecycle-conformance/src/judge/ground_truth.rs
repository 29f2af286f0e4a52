//! Conformance: what happened in a run according to the simulator (calls, executed power operations,
//! external changes), prepared for the checks. The record is independent of the client's report.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use lifecycle_facade::{
    ActionKind, Client, InstanceId, LocalDisk, Outcome, PowerState, StopBilling,
    lifecycle_core::Action,
};
use lifecycle_sim::{
    CallRecord, Cloud, InjectedFault, PowerOperation, SimulatedState,
    switches::{baidu, zenlayer},
};

use crate::{
    scenario::{ExternalChange, Request, Scenario},
    scenario_run::{RequestRun, ScenarioRun},
};

/// The events of a run as the simulator recorded them: calls, executed power operations, and external
/// changes.
pub(super) struct GroundTruth<'r> {
    pub(super) scenario: &'r Scenario,
    pub(super) run: &'r ScenarioRun,
    pub(super) calls: Vec<CallRecord>,
    /// The executed power operations and their times, by instance.
    operations: HashMap<String, Vec<(PowerOperation, Duration)>>,
    externally_changed: HashSet<&'r InstanceId>,
    /// The position of each instance in the fleet. The first `scenario.ready` instances are ready.
    creation_order: HashMap<&'r InstanceId, usize>,
    /// The distinct ids of each request.
    ids_by_request: Vec<HashSet<&'r InstanceId>>,
    /// For each request, the instances for which the request does not report that nothing was executed.
    possibly_executed: Vec<HashSet<&'r InstanceId>>,
    /// The cloud answered an observation with an old state.
    pub(super) has_stale_observation: bool,
    /// Baidu answered an action with an empty body, so the refused instances were not named. For the other
    /// clouds an empty body is no answer.
    pub(super) has_empty_acknowledgement: bool,
    /// The first request has an option that some instances may not support.
    pub(super) option_may_be_unsupported: bool,
    /// The number of unfit instances in the first request. An unfit instance can make the cloud
    /// refuse a whole batch: the instance is unknown, impaired, not ready, or changed externally or
    /// by a second request. All instances count if the first request has an option that some
    /// instances may not support, or if the cloud executes refused batches and at least one
    /// instance is unfit.
    pub(super) unfit_count: usize,
    /// The number of unfit instances before the first action.
    pub(super) unfit_at_start: usize,
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
            has_empty_acknowledgement: scenario.cloud == Cloud::Baidu
                && calls.iter().any(|call| {
                    call.operation.is_action() && call.fault == Some(InjectedFault::EmptyBody)
                }),
            option_may_be_unsupported: scenario
                .requests
                .first()
                .is_some_and(has_option_for_some_instances),
            calls,
            operations,
            externally_changed: changes.map(|c| run.stage.changed_instance(c)).collect(),
            creation_order: run.stage.creation_order(),
            ids_by_request: run
                .requests
                .iter()
                .map(|r| r.ids.iter().collect())
                .collect(),
            possibly_executed: run.requests.iter().map(possibly_executed).collect(),
            unfit_count: 0,
            unfit_at_start: 0,
        };
        let is_unfit = |id: &&InstanceId| !truth.is_ready(id) || !truth.is_undisturbed(id);
        let total = truth.ids_of_first_request().count();
        let unfit = truth.ids_of_first_request().filter(is_unfit).count();
        // A refused batch that is executed in part changes instances. The cloud refuses these
        // instances in the next call, so any instance can become unfit.
        let spreads = unfit > 0 && executes_refused_batches(scenario);
        truth.unfit_at_start = unfit;
        truth.unfit_count = if truth.option_may_be_unsupported || spreads {
            total
        } else {
            unfit
        };
        truth
    }

    pub(super) fn client(&self) -> &Client {
        &self.run.stage.client
    }

    /// Returns the executed power operations by instance.
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

    /// Returns true if the client sent actions until shortly before the end of a request. The client
    /// sends no action in the last two seconds, because the response would come too late.
    pub(super) fn sent_until_the_end(&self, run: &RequestRun) -> bool {
        const LAST_ACTIONS: Duration = Duration::from_secs(3);
        let last = run.ended.saturating_sub(LAST_ACTIONS)..=run.ended;
        let mut actions = self.calls.iter().filter(|call| call.operation.is_action());
        actions.any(|call| last.contains(&call.at))
    }

    /// Returns the time of the last power operation on an instance, up to `end`.
    pub(super) fn last_operation(&self, id: &InstanceId, end: Duration) -> Option<Duration> {
        let operations = self.operations.get(&self.run.stage.reference(id))?;
        let times = operations.iter().map(|(_, at)| *at);
        times.filter(|at| *at <= end).max()
    }

    /// Returns true for an instance without external changes.
    pub(super) fn is_externally_unchanged(&self, id: &InstanceId) -> bool {
        !self.externally_changed.contains(id)
    }

    /// Returns the state of the ready instances at the start of the run.
    pub(super) fn ready_state(&self) -> PowerState {
        let first = self.scenario.requests.first();
        match first.map(|request| request.action.kind()) {
            Some(ActionKind::Start) => PowerState::Stopped,
            _ => PowerState::Running,
        }
    }

    /// Returns the distinct ids of the first request.
    pub(super) fn ids_of_first_request(&self) -> impl Iterator<Item = &'r InstanceId> {
        self.ids_by_request.first().into_iter().flatten().copied()
    }

    /// Returns the requests for an instance.
    pub(super) fn requests_for(&self, id: &InstanceId) -> impl Iterator<Item = &'r Request> {
        let pairs = self.ids_by_request.iter().zip(&self.scenario.requests);
        pairs
            .filter(move |(ids, _)| ids.contains(id))
            .map(|(_, request)| request)
    }

    /// Returns the start times of the requests that may have executed `kind` on an instance, in
    /// ascending order: each request for the instance that does not report that nothing was executed.
    pub(super) fn possible_executors(&self, id: &InstanceId, kind: ActionKind) -> Vec<Duration> {
        let requests = self.run.requests.iter().zip(&self.scenario.requests);
        let mut started: Vec<Duration> = requests
            .zip(&self.possibly_executed)
            .filter(|((_, request), ids)| request.action.kind() == kind && ids.contains(id))
            .map(|((run, _), _)| run.started)
            .collect();
        started.sort_unstable();
        started
    }

    /// Returns true for an instance without external changes and with at most one request.
    pub(super) fn is_undisturbed(&self, id: &InstanceId) -> bool {
        !self.externally_changed.contains(id) && self.requests_for(id).nth(1).is_none()
    }

    /// Returns true for an instance that existed at the start of the run.
    pub(super) fn existed_at_start(&self, id: &InstanceId) -> bool {
        self.creation_order.contains_key(id)
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
        self.creation_order
            .keys()
            .copied()
            .filter(move |id| !deleted(id))
    }

    /// Returns true for an instance that was ready for the first request and not impaired at the
    /// start. Scenarios create the ready instances first.
    pub(super) fn is_ready(&self, id: &InstanceId) -> bool {
        let position = self.creation_order.get(id);
        position.is_some_and(|position| *position < self.scenario.ready)
    }
}

/// The number of unfit instances that the client isolates by bisecting one batch. With more unfit
/// instances, the client stops the search.
pub(super) const MAX_ISOLATED: usize = 8;

/// Returns the instances of a request, without those for which the request reports that nothing was executed.
fn possibly_executed(run: &RequestRun) -> HashSet<&InstanceId> {
    match &run.result {
        Some(Ok(report)) => {
            let rows = report.instances().iter();
            rows.filter(|row| !matches!(row.outcome, Outcome::Refused(_) | Outcome::Skipped(_)))
                .map(|row| &row.instance)
                .collect()
        }
        // The client sends nothing for an invalid request.
        Some(Err(_)) => HashSet::new(),
        // Nothing is known of a dropped request.
        None => run.ids.iter().collect(),
    }
}

/// Returns true for a cloud that executes a part of each batch that the cloud refuses.
fn executes_refused_batches(scenario: &Scenario) -> bool {
    match scenario.cloud {
        Cloud::Baidu => {
            scenario.switches.baidu.batch_failure == baidu::BatchFailure::ErrorDespiteExecution
        }
        Cloud::Zenlayer => {
            scenario.switches.zenlayer.batch_failure
                == zenlayer::BatchFailure::ErrorDespiteExecution
        }
        _ => false,
    }
}

/// Returns true for a request with an option that some instances may not support.
fn has_option_for_some_instances(request: &Request) -> bool {
    match request.action {
        Action::Start(start) => start.local_disk != LocalDisk::Keep,
        Action::Stop(stop) => stop.billing != StopBilling::Keep,
        _ => false,
    }
}

/// Returns the action that an executed power operation belongs to.
pub(super) fn kind_of(operation: PowerOperation) -> ActionKind {
    match operation {
        PowerOperation::Start => ActionKind::Start,
        PowerOperation::Stop | PowerOperation::ForcedStop => ActionKind::Stop,
        _ => ActionKind::Reboot,
    }
}

/// Returns the state of an instance after a successful action.
pub(super) fn goal_state(kind: ActionKind) -> SimulatedState {
    match kind {
        ActionKind::Stop => SimulatedState::Stopped,
        _ => SimulatedState::Running,
    }
}
