//! What happened: every executed action and every call received.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use crate::{
    Cloud, ExecutionCounts, InjectedFault, Operation, PowerOperation, Simulator,
    cloud_api::{AuthErrorCause, CallInfo},
    cloud_state::InstanceIndex,
    time::Moment,
};

/// What the simulated clouds did, which need not be what a client believes. Made by
/// [`Simulator::ledger`]; each question is answered as of now.
#[derive(Clone, Debug)]
pub struct Ledger {
    simulator: Simulator,
}

impl Ledger {
    pub(crate) fn of(simulator: Simulator) -> Self {
        Self { simulator }
    }

    /// How often each action was executed on the instance `cloud/region/id`; `None` when there never
    /// was such an instance.
    pub fn executed(&self, reference: &str) -> Option<ExecutionCounts> {
        self.simulator.world().executed(reference)
    }

    /// The greatest number of reboots that were executed on one instance of any cloud.
    pub fn most_reboots(&self) -> u32 {
        let world = self.simulator.world();
        world
            .all_instances()
            .map(|instance| instance.executed.reboots)
            .max()
            .unwrap_or_default()
    }

    /// The executed actions, oldest first, all clouds together. Only the newest are kept; see
    /// [`SimulatorBuilder::log_limit`](crate::SimulatorBuilder::log_limit).
    pub fn power_operations(&self) -> Vec<PowerOperationRecord> {
        self.simulator.world().power_operations()
    }

    /// The calls received, oldest first. Only the newest are kept; see
    /// [`SimulatorBuilder::log_limit`](crate::SimulatorBuilder::log_limit).
    pub fn calls(&self) -> Vec<CallRecord> {
        self.simulator
            .world()
            .calls
            .records
            .iter()
            .cloned()
            .collect()
    }

    /// How many calls of this kind the cloud has received, whatever it answered. Calls that never
    /// arrived ([`InjectedFault::Unreachable`](crate::InjectedFault::Unreachable)) do not count.
    pub fn count(&self, cloud: Cloud, operation: Operation) -> u64 {
        let world = self.simulator.world();
        world
            .calls
            .counts
            .get(&(cloud, operation))
            .copied()
            .unwrap_or_default()
    }

    /// How many calls all clouds have received.
    pub fn total(&self) -> u64 {
        self.simulator.world().calls.counts.values().sum()
    }

    /// How many calls came with a key after a call with the same key had been refused because of the
    /// key. Huawei locks a key for such calls.
    pub fn calls_after_refusal(&self, cloud: Cloud) -> u64 {
        let world = self.simulator.world();
        world
            .calls
            .after_refusal
            .get(&cloud)
            .copied()
            .unwrap_or_default()
    }
}

/// An action that was executed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PowerOperationRecord {
    /// On which instance, as `cloud/region/id`.
    pub instance: String,
    /// Which action.
    pub operation: PowerOperation,
    /// When, counted from the making of the simulator.
    pub at: Duration,
}

/// A call that was received.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallRecord {
    /// By which cloud.
    pub cloud: Cloud,
    /// Which kind of operation.
    pub operation: Operation,
    /// The cloud's own name of the operation; `unknown` for one that the cloud does not have.
    pub name: &'static str,
    /// How many instance ids it carried.
    pub ids: usize,
    /// When, counted from the making of the simulator.
    pub at: Duration,
    /// The status of the answer as it went out; `None` when no whole answer did.
    pub status: Option<u16>,
    /// The access key or token that it came with; empty for none.
    pub credential: Arc<str>,
    /// Whether the cloud refused it because of that key.
    pub credential_refused: bool,
    /// What was made to go wrong with it.
    pub fault: Option<InjectedFault>,
}

/// The executed actions of one cloud, newest last.
#[derive(Debug)]
pub(crate) struct OperationLog {
    limit: usize,
    records: VecDeque<LoggedOperation>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct LoggedOperation {
    pub(crate) index: InstanceIndex,
    pub(crate) operation: PowerOperation,
    pub(crate) at: Moment,
}

impl OperationLog {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            records: VecDeque::new(),
        }
    }

    pub(crate) fn record(&mut self, index: InstanceIndex, operation: PowerOperation, at: Moment) {
        push_bounded(
            &mut self.records,
            self.limit,
            LoggedOperation {
                index,
                operation,
                at,
            },
        );
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &LoggedOperation> {
        self.records.iter()
    }
}

/// The calls of all clouds, newest last.
#[derive(Debug)]
pub(crate) struct CallLog {
    limit: usize,
    records: VecDeque<CallRecord>,
    counts: BTreeMap<(Cloud, Operation), u64>,
    after_refusal: BTreeMap<Cloud, u64>,
    refused: HashSet<(Cloud, Arc<str>)>,
    names: HashMap<String, Arc<str>>,
}

/// So many different credentials are told apart; more can only be an attack or a mistake.
const NAMES: usize = 1_000;

impl CallLog {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            records: VecDeque::new(),
            counts: BTreeMap::new(),
            after_refusal: BTreeMap::new(),
            refused: HashSet::new(),
            names: HashMap::new(),
        }
    }

    pub(crate) fn record(
        &mut self,
        cloud: Cloud,
        intent: &CallInfo,
        at: Moment,
        status: Option<u16>,
        auth_error: Option<AuthErrorCause>,
        fault: Option<InjectedFault>,
    ) {
        let credential = self.name(&intent.key);
        *self.counts.entry((cloud, intent.operation)).or_default() += 1;
        let key = (cloud, Arc::clone(&credential));
        if self.refused.contains(&key) {
            *self.after_refusal.entry(cloud).or_default() += 1;
        }
        let credential_refused = auth_error == Some(AuthErrorCause::Key);
        if credential_refused {
            self.refused.insert(key);
        }
        let record = CallRecord {
            cloud,
            operation: intent.operation,
            name: intent.name,
            ids: intent.ids,
            at: at.elapsed(),
            status,
            credential,
            credential_refused,
            fault,
        };
        push_bounded(&mut self.records, self.limit, record);
    }

    fn name(&mut self, key: &str) -> Arc<str> {
        if let Some(known) = self.names.get(key) {
            return Arc::clone(known);
        }
        if self.names.len() >= NAMES {
            return Arc::from("(another)");
        }
        let shared: Arc<str> = key.into();
        self.names.insert(key.to_owned(), Arc::clone(&shared));
        shared
    }
}

fn push_bounded<T>(records: &mut VecDeque<T>, limit: usize, record: T) {
    if limit == 0 {
        return;
    }
    if records.len() >= limit {
        records.pop_front();
    }
    records.push_back(record);
}
