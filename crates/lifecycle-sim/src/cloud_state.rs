//! `CloudState`: account, instances, clock and settings of one simulated cloud.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;

use crate::{
    Cloud, Identity, Impairment, InstanceTemplate, PowerOperation, SimulatedState, Switches,
    TransitionTimes,
    account::Account,
    aliyun, baidu, huawei,
    instance::{Instance, InstanceSnapshot, Power},
    ledger::OperationLog,
    metadata,
    power_operation::OperationOptions,
    template::Templates,
    time::{Moment, Timeline},
};

/// The state of one cloud, as the module of the cloud uses it. All times are times of the current
/// call.
#[derive(Debug)]
pub(crate) struct CloudState {
    pub(crate) kind: Cloud,
    /// The valid and revoked keys.
    pub(crate) account: Account,
    /// The settings of the identity services.
    pub(crate) identity: Identity,
    /// The state of the metadata service.
    pub(crate) metadata: metadata::MetadataState,
    /// The behaviour without documentation.
    pub(crate) switches: Switches,
    /// The state that only Baidu has.
    pub(crate) baidu: baidu::OwnState,
    /// The state that only Alibaba has.
    pub(crate) aliyun: aliyun::OwnState,
    /// The state that only Huawei has.
    pub(crate) huawei: huawei::OwnState,
    /// The templates of the instances.
    pub(crate) templates: Templates,
    /// The regions without access for the keys of the account.
    forbidden_regions: HashSet<String>,
    /// The random numbers, from the seed.
    pub(crate) rng: fastrand::Rng,
    /// The seconds by which the clock of the cloud is ahead of the simulator.
    pub(crate) skew: i64,
    /// The age of the states that observations show in the current call.
    pub(crate) staleness: Duration,
    operations: OperationLog,
    seed: u64,
    transition_times: TransitionTimes,
    timeline: Timeline,
    now: Moment,
    regions: Vec<Region>,
    instances: Vec<Instance>,
    by_id: HashMap<Arc<str>, InstanceIndex>,
}

/// The position of an instance in the order of creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct InstanceIndex(u32);

impl InstanceIndex {
    /// Returns the instance before this one, or `None` for the first.
    pub(crate) fn previous(self) -> Option<Self> {
        self.0.checked_sub(1).map(Self)
    }

    /// Returns the position, from 0.
    pub(crate) fn number(self) -> u32 {
        self.0
    }
}

/// The regions that a call can see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RegionScope {
    /// All regions: the host name belongs to no region.
    AllRegions,
    /// One region.
    Region(u16),
    /// No region: the region of the host name has no instances.
    NoRegion,
    /// A region without access for the keys of the account.
    Forbidden,
}

#[derive(Debug)]
struct Region {
    name: Arc<str>,
    /// The instances in the order of creation, which is also the order of lists.
    members: Vec<InstanceIndex>,
}

/// An hour in microseconds.
const HOUR: i64 = 3_600_000_000;

/// Time of the cloud.
impl CloudState {
    /// Returns the moment of the current call.
    pub(crate) fn now(&self) -> Moment {
        self.now
    }

    /// Returns the wall clock time of the cloud, including the skew.
    pub(crate) fn wall_time(&self) -> Timestamp {
        self.wall_time_at(self.now)
    }

    /// Returns the wall clock time of the cloud at `moment`, including the skew.
    pub(crate) fn wall_time_at(&self, moment: Moment) -> Timestamp {
        let time = Timestamp::try_from(self.timeline.wall_time(moment)).unwrap_or_default();
        time.checked_add(jiff::SignedDuration::from_secs(self.skew))
            .unwrap_or(time)
    }

    /// Returns the wall clock time at the start of the simulator.
    pub(crate) fn epoch(&self) -> Timestamp {
        Timestamp::from_microsecond(self.timeline.epoch_micros()).unwrap_or_default()
    }

    /// Returns the creation time of the instances: an hour before the start of the simulator.
    pub(crate) fn created_at(&self) -> Timestamp {
        Timestamp::from_microsecond(self.timeline.epoch_micros() - HOUR).unwrap_or_default()
    }

    /// Returns a random lower-case UUID from the seed.
    pub(crate) fn uuid(&mut self) -> String {
        uuid::Builder::from_random_bytes(self.rng.u128(..).to_be_bytes())
            .into_uuid()
            .to_string()
    }
}

/// Observation of instances.
impl CloudState {
    /// Returns the scope of the region with this name.
    pub(crate) fn scope(&self, region: &str) -> RegionScope {
        if self.forbidden_regions.contains(region) {
            return RegionScope::Forbidden;
        }
        self.regions
            .iter()
            .position(|known| &*known.name == region)
            .and_then(|position| u16::try_from(position).ok())
            .map_or(RegionScope::NoRegion, RegionScope::Region)
    }

    /// Returns the instance with this id if the call can see the instance.
    pub(crate) fn find(&self, scope: RegionScope, id: &str) -> Option<InstanceIndex> {
        let index = *self.by_id.get(id)?;
        let instance = self.instance(index);
        let seen = match scope {
            RegionScope::AllRegions => true,
            RegionScope::Region(region) => instance.region == region,
            RegionScope::NoRegion | RegionScope::Forbidden => false,
        };
        (seen && !instance.deleted).then_some(index)
    }

    /// Returns the visible instances after `after`, in the order of lists.
    pub(crate) fn list(
        &self,
        scope: RegionScope,
        after: Option<InstanceIndex>,
    ) -> impl Iterator<Item = InstanceIndex> {
        let (all, one) = match scope {
            RegionScope::AllRegions => {
                (after.map_or(0, |index| index.0 + 1)..self.total(), &[][..])
            }
            RegionScope::Region(region) => (0..0, self.members_after(region, after)),
            RegionScope::NoRegion | RegionScope::Forbidden => (0..0, &[][..]),
        };
        all.map(InstanceIndex)
            .chain(one.iter().copied())
            .filter(|index| !self.instance(*index).deleted)
    }

    /// Returns the number of visible instances.
    pub(crate) fn count(&self, scope: RegionScope) -> usize {
        match scope {
            RegionScope::AllRegions => self.regions.iter().map(|region| region.members.len()).sum(),
            RegionScope::Region(region) => self.members_after(region, None).len(),
            RegionScope::NoRegion | RegionScope::Forbidden => 0,
        }
    }

    /// Returns `known` and the other regions with instances.
    pub(crate) fn region_names<'s>(
        &'s self,
        known: &'s [&'s str],
    ) -> impl Iterator<Item = &'s str> {
        let others = self.regions.iter().map(|region| &*region.name);
        let others = others.filter(|name| !known.contains(name));
        known.iter().copied().chain(others)
    }

    pub(crate) fn instance(&self, index: InstanceIndex) -> &Instance {
        // Each `InstanceIndex` belongs to an instance, and instances are never removed.
        &self.instances[index.0 as usize]
    }

    /// Returns the name of the instance's region.
    pub(crate) fn region(&self, index: InstanceIndex) -> &str {
        self.regions
            .get(usize::from(self.instance(index).region))
            .map_or("", |region| &*region.name)
    }

    /// Returns the actual state, which decides whether an action is possible.
    pub(crate) fn actual(&self, index: InstanceIndex) -> InstanceSnapshot {
        self.instance(index).actual(self.now)
    }

    /// Returns the state that an observation shows: possibly stale, or from before an accepted
    /// operation.
    pub(crate) fn observed(&self, index: InstanceIndex) -> InstanceSnapshot {
        self.instance(index)
            .observed(self.now.before(self.staleness))
    }

    /// Returns the last boot of the instance, as an observation shows the time.
    pub(crate) fn started_at(&self, index: InstanceIndex) -> Timestamp {
        let at = self.now.before(self.staleness);
        self.instance(index)
            .started_at(at, self.timeline.epoch_micros())
    }

    fn members_after(&self, region: u16, after: Option<InstanceIndex>) -> &[InstanceIndex] {
        let Some(region) = self.regions.get(usize::from(region)) else {
            return &[];
        };
        let from = after.map_or(0, |after| {
            region.members.partition_point(|index| *index <= after)
        });
        region.members.get(from..).unwrap_or_default()
    }

    fn total(&self) -> u32 {
        u32::try_from(self.instances.len()).unwrap_or(u32::MAX)
    }
}

/// Power operations.
impl CloudState {
    /// Executes `operation` in any state and counts the execution. Returns the moment of
    /// completion.
    pub(crate) fn execute(&mut self, index: InstanceIndex, operation: PowerOperation) -> Moment {
        self.execute_with(index, operation, OperationOptions::default())
    }

    /// Executes `operation` as [`execute`](Self::execute), and counts the options of the call.
    pub(crate) fn execute_with(
        &mut self,
        index: InstanceIndex,
        operation: PowerOperation,
        options: OperationOptions,
    ) -> Moment {
        self.instances[index.0 as usize]
            .executed
            .count(operation, options);
        self.operations.record(index, operation, self.now);
        self.begin(index, operation, self.transition_times.scaled_lag())
    }

    /// Begins `operation` without counting, as an operation from outside of the simulated calls.
    pub(crate) fn execute_externally(
        &mut self,
        index: InstanceIndex,
        operation: PowerOperation,
    ) -> Moment {
        self.begin(index, operation, Duration::ZERO)
    }

    fn begin(&mut self, index: InstanceIndex, operation: PowerOperation, lag: Duration) -> Moment {
        let duration = self
            .transition_times
            .duration(operation, self.seed, index.0);
        let epoch = self.timeline.epoch_micros();
        self.instances[index.0 as usize].begin(operation, self.now, lag, duration, epoch)
    }
}

/// Construction and changes by tests.
impl CloudState {
    pub(crate) fn new(kind: Cloud, account: Account, config: CloudConfig) -> Self {
        Self {
            kind,
            account,
            identity: Identity::default(),
            metadata: metadata::MetadataState::default(),
            switches: config.switches,
            baidu: baidu::OwnState::default(),
            aliyun: aliyun::OwnState::default(),
            huawei: huawei::OwnState::default(),
            templates: Templates::default(),
            forbidden_regions: HashSet::new(),
            rng: fastrand::Rng::with_seed(config.seed),
            skew: 0,
            staleness: Duration::ZERO,
            operations: OperationLog::new(config.log_limit),
            seed: config.seed,
            transition_times: config.transition_times,
            timeline: config.timeline,
            now: Moment::default(),
            regions: Vec::new(),
            instances: Vec::new(),
            by_id: HashMap::new(),
        }
    }

    /// Sets the time and the staleness of the current call.
    pub(crate) fn begin_call(&mut self, now: Moment, staleness: Duration) {
        self.now = now;
        self.staleness = staleness;
    }

    /// Creates an instance.
    pub(crate) fn add(
        &mut self,
        region: &str,
        state: SimulatedState,
        impairment: Option<Impairment>,
    ) -> InstanceIndex {
        let id = self.unused_id();
        let number = self.total();
        let region = self.region_number(region);
        let power = match state {
            SimulatedState::Running | SimulatedState::Stopping | SimulatedState::Rebooting => {
                Power::Running
            }
            _ => Power::Stopped,
        };
        let index = InstanceIndex(number);
        let booted = self.timeline.epoch_micros() - HOUR;
        let mut instance = Instance::new(Arc::clone(&id), number, region, power, booted);
        instance.impairment = impairment;
        self.instances.push(instance);
        self.by_id.insert(id, index);
        if let Some(region) = self.regions.get_mut(usize::from(region)) {
            region.members.push(index);
        }
        if let Some(operation) = operation_in_progress(state) {
            self.execute_externally(index, operation);
        }
        index
    }

    /// Creates `count` instances.
    pub(crate) fn add_group(
        &mut self,
        region: &str,
        count: usize,
        (state, impairment): (SimulatedState, Option<Impairment>),
        template: Option<&Arc<InstanceTemplate>>,
    ) {
        if let Some(template) = template {
            let first = self.total();
            self.templates.assign(first, count, template);
        }
        for _ in 0..count {
            self.add(region, state, impairment);
        }
        if template.is_some() {
            let end = self.total();
            self.templates.end(end);
        }
    }

    /// Removes or restores the access to a region for the keys of the account.
    pub(crate) fn set_region_access(&mut self, region: &str, has_access: bool) {
        if has_access {
            self.forbidden_regions.remove(region);
        } else {
            self.forbidden_regions.insert(region.to_owned());
        }
    }

    /// Reserves memory for this number of further instances.
    pub(crate) fn reserve(&mut self, more: usize) {
        self.instances.reserve(more);
        self.by_id.reserve(more);
    }

    pub(crate) fn set_impairment(&mut self, index: InstanceIndex, impairment: Option<Impairment>) {
        self.instances[index.0 as usize].impairment = impairment;
    }

    /// Deletes the instance: no call finds the instance any more.
    pub(crate) fn delete(&mut self, index: InstanceIndex) {
        let instance = &mut self.instances[index.0 as usize];
        instance.deleted = true;
        if let Some(region) = self.regions.get_mut(usize::from(instance.region)) {
            region.members.retain(|member| *member != index);
        }
    }

    pub(crate) fn operations(&self) -> &OperationLog {
        &self.operations
    }

    /// Returns all instances, including deleted ones.
    pub(crate) fn instances(&self) -> impl Iterator<Item = InstanceIndex> {
        (0..self.total()).map(InstanceIndex)
    }

    /// Returns the instance with this id. A deleted instance counts, too.
    pub(crate) fn find_any(&self, id: &str) -> Option<InstanceIndex> {
        self.by_id.get(id).copied()
    }

    fn unused_id(&mut self) -> Arc<str> {
        loop {
            let id = self.kind.api().generate_id(&mut self.rng);
            if !self.by_id.contains_key(id.as_str()) {
                return id.into();
            }
        }
    }

    fn region_number(&mut self, name: &str) -> u16 {
        let position = match self.regions.iter().position(|known| &*known.name == name) {
            Some(position) => position,
            None => {
                self.regions.push(Region {
                    name: name.into(),
                    members: Vec::new(),
                });
                self.regions.len() - 1
            }
        };
        u16::try_from(position).unwrap_or(u16::MAX)
    }
}

/// The settings that all clouds of a simulator share.
#[derive(Clone, Debug)]
pub(crate) struct CloudConfig {
    pub(crate) seed: u64,
    pub(crate) transition_times: TransitionTimes,
    pub(crate) timeline: Timeline,
    pub(crate) switches: Switches,
    pub(crate) log_limit: usize,
}

/// Returns the operation that leads through a transitional state.
fn operation_in_progress(state: SimulatedState) -> Option<PowerOperation> {
    match state {
        SimulatedState::Starting => Some(PowerOperation::Start),
        SimulatedState::Stopping => Some(PowerOperation::Stop),
        SimulatedState::Rebooting => Some(PowerOperation::Reboot),
        _ => None,
    }
}
