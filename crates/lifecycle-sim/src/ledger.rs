//! The ledger: the record of all executed power operations and all received calls.

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

/// The record of what the simulated clouds did. A client can have another view.
/// [`Simulator::ledger`] returns the ledger; each method reads the current state.
#[derive(Clone, Debug)]
pub struct Ledger {
    simulator: Simulator,
}

impl Ledger {
    pub(crate) fn of(simulator: Simulator) -> Self {
        Self { simulator }
    }

    /// Returns the counts of the operations executed on the instance `cloud/region/id`, or `None`
    /// for an unknown instance. A deleted instance counts, too.
    pub fn executed(&self, reference: &str) -> Option<ExecutionCounts> {
        self.simulator.world().executed(reference)
    }

    /// Returns the maximum number of reboots executed on one instance of any cloud.
    pub fn most_reboots(&self) -> u32 {
        let world = self.simulator.world();
        world
            .all_instances()
            .map(|instance| instance.executed.reboots)
            .max()
            .unwrap_or_default()
    }

    /// Returns the executed operations of all clouds, oldest first.
    /// [`SimulatorBuilder::log_limit`](crate::SimulatorBuilder::log_limit) limits the number of
    /// records.
    pub fn power_operations(&self) -> Vec<PowerOperationRecord> {
        self.simulator.world().power_operations()
    }

    /// Returns the received calls, oldest first.
    /// [`SimulatorBuilder::log_limit`](crate::SimulatorBuilder::log_limit) limits the number of
    /// records.
    pub fn calls(&self) -> Vec<CallRecord> {
        self.simulator
            .world()
            .calls
            .records
            .iter()
            .cloned()
            .collect()
    }

    /// Returns the number of calls of this kind that the cloud has received. Calls that did not
    /// reach the cloud ([`InjectedFault::Unreachable`]) do not count.
    pub fn count(&self, cloud: Cloud, operation: Operation) -> u64 {
        let world = self.simulator.world();
        world
            .calls
            .counts
            .get(&(cloud, operation))
            .copied()
            .unwrap_or_default()
    }

    /// Returns the number of calls that all clouds have received.
    pub fn total(&self) -> u64 {
        self.simulator.world().calls.counts.values().sum()
    }

    /// Returns the number of calls with a key after the cloud had refused an earlier call because
    /// of the same key. Huawei locks a key after several such calls.
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

/// An executed power operation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PowerOperationRecord {
    /// The instance, as `cloud/region/id`.
    pub instance: String,
    /// The operation.
    pub operation: PowerOperation,
    /// The time since the start of the simulator.
    pub at: Duration,
}

/// A received call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallRecord {
    /// The cloud.
    pub cloud: Cloud,
    /// The kind of operation.
    pub operation: Operation,
    /// The cloud's name for the operation; `unknown` for an operation that the cloud does not have.
    pub name: &'static str,
    /// The number of instance ids in the request.
    pub id_count: usize,
    /// The time since the start of the simulator.
    pub at: Duration,
    /// The status of the response, or `None` without a complete response.
    pub status: Option<u16>,
    /// The access key id or the token in the request; empty for none.
    pub credential: Arc<str>,
    /// Marks a call that the cloud refused because of the key.
    pub credential_refused: bool,
    /// The injected fault.
    pub fault: Option<InjectedFault>,
}

/// The executed operations of one cloud, newest last.
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

/// The received calls of all clouds, newest last.
#[derive(Debug)]
pub(crate) struct CallLog {
    limit: usize,
    records: VecDeque<CallRecord>,
    counts: BTreeMap<(Cloud, Operation), u64>,
    after_refusal: BTreeMap<Cloud, u64>,
    refused: HashSet<(Cloud, Arc<str>)>,
    credentials: HashMap<String, Arc<str>>,
}

/// The maximum number of distinct credentials in the log. More credentials indicate an attack or a
/// mistake.
const MAX_CREDENTIALS: usize = 1_000;

impl CallLog {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            records: VecDeque::new(),
            counts: BTreeMap::new(),
            after_refusal: BTreeMap::new(),
            refused: HashSet::new(),
            credentials: HashMap::new(),
        }
    }

    pub(crate) fn record(
        &mut self,
        cloud: Cloud,
        call: &CallInfo,
        at: Moment,
        status: Option<u16>,
        auth_error: Option<AuthErrorCause>,
        fault: Option<InjectedFault>,
    ) {
        let credential = self.shared_credential(&call.key);
        *self.counts.entry((cloud, call.operation)).or_default() += 1;
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
            operation: call.operation,
            name: call.name,
            id_count: call.id_count,
            at: at.elapsed(),
            status,
            credential,
            credential_refused,
            fault,
        };
        push_bounded(&mut self.records, self.limit, record);
    }

    fn shared_credential(&mut self, key: &str) -> Arc<str> {
        if let Some(known) = self.credentials.get(key) {
            return Arc::clone(known);
        }
        if self.credentials.len() >= MAX_CREDENTIALS {
            return Arc::from("(another)");
        }
        let shared: Arc<str> = key.into();
        self.credentials.insert(key.to_owned(), Arc::clone(&shared));
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
