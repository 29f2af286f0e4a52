//! One cloud's world: its account, its instances, its clock, and what it remembers.

use std::{collections::HashMap, sync::Arc, time::Duration};

use jiff::Timestamp;

use crate::{
    Cloud, Identity, Impairment, PowerOperation, SimulatedState, Switches, TransitionTimes,
    account::Account,
    aliyun, baidu, huawei,
    instance::{Instance, InstanceSnapshot, Power},
    ledger::OperationLog,
    metadata,
    time::{Moment, Timeline},
};

/// One cloud's world, as its module in this crate sees it. All its times are those of the call
/// that is being answered.
#[derive(Debug)]
pub(crate) struct CloudState {
    pub(crate) kind: Cloud,
    /// The keys that it knows.
    pub(crate) account: Account,
    /// What its identity services know.
    pub(crate) identity: Identity,
    /// What its metadata service remembers from call to call.
    pub(crate) metadata: metadata::MetadataState,
    /// How it behaves where its documents are silent.
    pub(crate) switches: Switches,
    /// What Baidu remembers from call to call.
    pub(crate) baidu: baidu::OwnState,
    /// What Alibaba remembers from call to call.
    pub(crate) aliyun: aliyun::OwnState,
    /// What Huawei remembers from call to call.
    pub(crate) huawei: huawei::OwnState,
    /// Chance, from the seed.
    pub(crate) rng: fastrand::Rng,
    /// Seconds by which its clock runs ahead of the simulator's.
    pub(crate) skew: i64,
    /// How old the states are that observations show in this call.
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

/// An instance of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct InstanceIndex(u32);

impl InstanceIndex {
    /// The instance that was made just before; none before the first.
    pub(crate) fn previous(self) -> Option<Self> {
        self.0.checked_sub(1).map(Self)
    }

    /// Its place in the order in which the instances were made, from 0.
    pub(crate) fn number(self) -> u32 {
        self.0
    }
}

/// Which instances a call can see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RegionScope {
    /// Those of all regions: the call came to a host that is no region's own.
    AllRegions,
    /// Those of one region.
    Region(u16),
    /// None: the region has no instances.
    NoRegion,
}

#[derive(Debug)]
struct Region {
    name: Arc<str>,
    /// In the order in which they were made, which is the order of lists.
    members: Vec<InstanceIndex>,
}

/// An hour in microseconds.
const HOUR: i64 = 3_600_000_000;

/// Time: as the cloud reads it.
impl CloudState {
    /// The moment of this call.
    pub(crate) fn now(&self) -> Moment {
        self.now
    }

    /// The cloud's wall clock, its skew included.
    pub(crate) fn wall_time(&self) -> Timestamp {
        self.wall_time_at(self.now)
    }

    /// The wall clock at another moment, its skew included.
    pub(crate) fn wall_time_at(&self, moment: Moment) -> Timestamp {
        let time = Timestamp::try_from(self.timeline.wall_time(moment)).unwrap_or_default();
        time.checked_add(jiff::SignedDuration::from_secs(self.skew))
            .unwrap_or(time)
    }

    /// When the instances were made: an hour before the simulator.
    pub(crate) fn created_at(&self) -> Timestamp {
        Timestamp::from_microsecond(self.timeline.epoch_micros() - HOUR).unwrap_or_default()
    }

    /// An id for this call, from the seed: a lower-case UUID.
    pub(crate) fn uuid(&mut self) -> String {
        uuid::Builder::from_random_bytes(self.rng.u128(..).to_be_bytes())
            .into_uuid()
            .to_string()
    }
}

/// Looking: what calls can see.
impl CloudState {
    /// The instances of the region with this name.
    pub(crate) fn scope(&self, region: &str) -> RegionScope {
        self.regions
            .iter()
            .position(|known| &*known.name == region)
            .and_then(|position| u16::try_from(position).ok())
            .map_or(RegionScope::NoRegion, RegionScope::Region)
    }

    /// The instance with this id, when the call can see it.
    pub(crate) fn find(&self, scope: RegionScope, id: &str) -> Option<InstanceIndex> {
        let index = *self.by_id.get(id)?;
        let instance = self.instance(index);
        let seen = match scope {
            RegionScope::AllRegions => true,
            RegionScope::Region(region) => instance.region == region,
            RegionScope::NoRegion => false,
        };
        (seen && !instance.deleted).then_some(index)
    }

    /// Everything that the call can see, in the order of lists, beginning after `after`.
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
            RegionScope::NoRegion => (0..0, &[][..]),
        };
        all.map(InstanceIndex)
            .chain(one.iter().copied())
            .filter(|index| !self.instance(*index).deleted)
    }

    /// How many instances the call can see.
    pub(crate) fn count(&self, scope: RegionScope) -> usize {
        match scope {
            RegionScope::AllRegions => self.regions.iter().map(|region| region.members.len()).sum(),
            RegionScope::Region(region) => self.members_after(region, None).len(),
            RegionScope::NoRegion => 0,
        }
    }

    /// The instance itself.
    pub(crate) fn instance(&self, index: InstanceIndex) -> &Instance {
        // An `InstanceIndex` is made with its instance, and instances are never taken out.
        &self.instances[index.0 as usize]
    }

    /// The name of the instance's region.
    pub(crate) fn region(&self, index: InstanceIndex) -> &str {
        self.regions
            .get(usize::from(self.instance(index).region))
            .map_or("", |region| &*region.name)
    }

    /// How the instance is: what an action is judged by.
    pub(crate) fn actual(&self, index: InstanceIndex) -> InstanceSnapshot {
        self.instance(index).actual(self.now)
    }

    /// How an observation shows the instance: perhaps late, perhaps before an accepted action
    /// becomes visible.
    pub(crate) fn observed(&self, index: InstanceIndex) -> InstanceSnapshot {
        self.instance(index)
            .observed(self.now.before(self.staleness))
    }

    /// When the instance was last booted, as an observation shows it.
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

/// Acting.
impl CloudState {
    /// Executes `act` on the instance, whatever its state, counts it, and gives the moment at which
    /// it is done.
    pub(crate) fn execute(&mut self, index: InstanceIndex, operation: PowerOperation) -> Moment {
        self.instances[index.0 as usize].executed.count(operation);
        self.operations.record(index, operation, self.now);
        self.begin(index, operation, self.transition_times.scaled_lag())
    }

    /// Begins `act` without counting it, as if someone else had asked for it.
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

/// Building, and what tests turn.
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

    /// A call has come at this moment.
    pub(crate) fn begin_call(&mut self, now: Moment, staleness: Duration) {
        self.now = now;
        self.staleness = staleness;
    }

    /// Makes an instance.
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

    pub(crate) fn reserve(&mut self, more: usize) {
        self.instances.reserve(more);
        self.by_id.reserve(more);
    }

    pub(crate) fn set_impairment(&mut self, index: InstanceIndex, impairment: Option<Impairment>) {
        self.instances[index.0 as usize].impairment = impairment;
    }

    /// Takes the instance away: no call finds it any more.
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

    /// Every instance ever made, deleted ones included.
    pub(crate) fn instances(&self) -> impl Iterator<Item = InstanceIndex> {
        (0..self.total()).map(InstanceIndex)
    }

    /// The instance with this id, deleted or not.
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

/// What all sites of a simulator share.
#[derive(Clone, Debug)]
pub(crate) struct CloudConfig {
    pub(crate) seed: u64,
    pub(crate) transition_times: TransitionTimes,
    pub(crate) timeline: Timeline,
    pub(crate) switches: Switches,
    pub(crate) log_limit: usize,
}

/// The action that an instance in a passing state is in the middle of.
fn operation_in_progress(state: SimulatedState) -> Option<PowerOperation> {
    match state {
        SimulatedState::Starting => Some(PowerOperation::Start),
        SimulatedState::Stopping => Some(PowerOperation::Stop),
        SimulatedState::Rebooting => Some(PowerOperation::Reboot),
        _ => None,
    }
}
