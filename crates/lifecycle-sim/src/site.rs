//! One cloud's world: its account, its instances, its clock, and what it remembers.

use std::{collections::HashMap, sync::Arc, time::Duration};

use jiff::Timestamp;

use crate::{
    Cloud, Identity, Switches, Tempo, Trouble,
    account::Account,
    aliyun, baidu, huawei,
    instance::{Act, Instance, Power, State, View},
    ledger::Acts,
    metadata,
    time::{Moment, Timeline},
};

/// One cloud's world, as its module in this crate sees it. All its times are those of the call
/// that is being answered.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) cloud: Cloud,
    /// The keys that it knows.
    pub(crate) account: Account,
    /// What its identity services know.
    pub(crate) identity: Identity,
    /// What its metadata service remembers from call to call.
    pub(crate) metadata: metadata::Memory,
    /// How it behaves where its documents are silent.
    pub(crate) switches: Switches,
    /// What Baidu remembers from call to call.
    pub(crate) baidu: baidu::Memory,
    /// What Alibaba remembers from call to call.
    pub(crate) aliyun: aliyun::Memory,
    /// What Huawei remembers from call to call.
    pub(crate) huawei: huawei::Memory,
    /// Chance, from the seed.
    pub(crate) chance: fastrand::Rng,
    /// Seconds by which its clock runs ahead of the simulator's.
    pub(crate) skew: i64,
    /// How old the states are that observations show in this call.
    pub(crate) staleness: Duration,
    acts: Acts,
    seed: u64,
    tempo: Tempo,
    timeline: Timeline,
    now: Moment,
    regions: Vec<Region>,
    instances: Vec<Instance>,
    by_id: HashMap<Arc<str>, Index>,
}

/// An instance of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Index(u32);

impl Index {
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
pub(crate) enum Scope {
    /// Those of all regions: the call came to a host that is no region's own.
    Everywhere,
    /// Those of one region.
    Region(u16),
    /// None: the region has no instances.
    Nowhere,
}

#[derive(Debug)]
struct Region {
    name: Arc<str>,
    /// In the order in which they were made, which is the order of lists.
    members: Vec<Index>,
}

/// An hour in microseconds.
const HOUR: i64 = 3_600_000_000;

/// Time: as the cloud reads it.
impl Site {
    /// The moment of this call.
    pub(crate) fn now(&self) -> Moment {
        self.now
    }

    /// The cloud's wall clock, its skew included.
    pub(crate) fn wall(&self) -> Timestamp {
        let time = Timestamp::try_from(self.timeline.wall(self.now)).unwrap_or_default();
        time.checked_add(jiff::SignedDuration::from_secs(self.skew))
            .unwrap_or(time)
    }

    /// The wall clock at another moment, its skew included.
    pub(crate) fn wall_at(&self, moment: Moment) -> Timestamp {
        let time = Timestamp::try_from(self.timeline.wall(moment)).unwrap_or_default();
        time.checked_add(jiff::SignedDuration::from_secs(self.skew))
            .unwrap_or(time)
    }

    /// When the instances were made: an hour before the simulator.
    pub(crate) fn birth(&self) -> Timestamp {
        Timestamp::from_microsecond(self.timeline.epoch_micros() - HOUR).unwrap_or_default()
    }

    /// An id for this call, from the seed: a lower-case UUID.
    pub(crate) fn uuid(&mut self) -> String {
        uuid::Builder::from_random_bytes(self.chance.u128(..).to_be_bytes())
            .into_uuid()
            .to_string()
    }
}

/// Looking: what calls can see.
impl Site {
    /// The instances of the region with this name.
    pub(crate) fn scope(&self, region: &str) -> Scope {
        self.regions
            .iter()
            .position(|known| &*known.name == region)
            .and_then(|place| u16::try_from(place).ok())
            .map_or(Scope::Nowhere, Scope::Region)
    }

    /// The instance with this id, when the call can see it.
    pub(crate) fn find(&self, scope: Scope, id: &str) -> Option<Index> {
        let index = *self.by_id.get(id)?;
        let instance = self.instance(index);
        let seen = match scope {
            Scope::Everywhere => true,
            Scope::Region(region) => instance.region == region,
            Scope::Nowhere => false,
        };
        (seen && !instance.deleted).then_some(index)
    }

    /// Everything that the call can see, in the order of lists, beginning after `after`.
    pub(crate) fn listed(&self, scope: Scope, after: Option<Index>) -> impl Iterator<Item = Index> {
        let (all, one) = match scope {
            Scope::Everywhere => (after.map_or(0, |index| index.0 + 1)..self.total(), &[][..]),
            Scope::Region(region) => (0..0, self.members_after(region, after)),
            Scope::Nowhere => (0..0, &[][..]),
        };
        all.map(Index)
            .chain(one.iter().copied())
            .filter(|index| !self.instance(*index).deleted)
    }

    /// How many instances the call can see.
    pub(crate) fn count(&self, scope: Scope) -> usize {
        match scope {
            Scope::Everywhere => self.regions.iter().map(|region| region.members.len()).sum(),
            Scope::Region(region) => self.members_after(region, None).len(),
            Scope::Nowhere => 0,
        }
    }

    /// The instance itself.
    pub(crate) fn instance(&self, index: Index) -> &Instance {
        // An `Index` is made with its instance, and instances are never taken out.
        &self.instances[index.0 as usize]
    }

    /// The name of the instance's region.
    pub(crate) fn region(&self, index: Index) -> &str {
        self.regions
            .get(usize::from(self.instance(index).region))
            .map_or("", |region| &*region.name)
    }

    /// How the instance is: what an action is judged by.
    pub(crate) fn truth(&self, index: Index) -> View {
        self.instance(index).truth(self.now)
    }

    /// How an observation shows the instance: perhaps late, perhaps before an accepted action
    /// becomes visible.
    pub(crate) fn shown(&self, index: Index) -> View {
        self.instance(index).shown(self.now.before(self.staleness))
    }

    /// When the instance was last booted, as an observation shows it.
    pub(crate) fn started_at(&self, index: Index) -> Timestamp {
        let at = self.now.before(self.staleness);
        self.instance(index)
            .started_at(at, self.timeline.epoch_micros())
    }

    fn members_after(&self, region: u16, after: Option<Index>) -> &[Index] {
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
impl Site {
    /// Executes `act` on the instance, whatever its state, counts it, and gives the moment at which
    /// it is done.
    pub(crate) fn execute(&mut self, index: Index, act: Act) -> Moment {
        self.instances[index.0 as usize].executed.count(act);
        self.acts.record(index, act, self.now);
        self.begin(index, act, self.tempo.scaled_lag())
    }

    /// Begins `act` without counting it, as if someone else had asked for it.
    pub(crate) fn interfere(&mut self, index: Index, act: Act) -> Moment {
        self.begin(index, act, Duration::ZERO)
    }

    fn begin(&mut self, index: Index, act: Act, lag: Duration) -> Moment {
        let span = self.tempo.span(act, self.seed, index.0);
        let epoch = self.timeline.epoch_micros();
        self.instances[index.0 as usize].begin(act, self.now, lag, span, epoch)
    }
}

/// Building, and what tests turn.
impl Site {
    pub(crate) fn new(cloud: Cloud, account: Account, ground: Ground) -> Self {
        Self {
            cloud,
            account,
            identity: Identity::default(),
            metadata: metadata::Memory::default(),
            switches: ground.switches,
            baidu: baidu::Memory::default(),
            aliyun: aliyun::Memory::default(),
            huawei: huawei::Memory::default(),
            chance: fastrand::Rng::with_seed(ground.seed),
            skew: 0,
            staleness: Duration::ZERO,
            acts: Acts::new(ground.log_limit),
            seed: ground.seed,
            tempo: ground.tempo,
            timeline: ground.timeline,
            now: Moment::default(),
            regions: Vec::new(),
            instances: Vec::new(),
            by_id: HashMap::new(),
        }
    }

    /// A call has come at this moment.
    pub(crate) fn arrive(&mut self, now: Moment, staleness: Duration) {
        self.now = now;
        self.staleness = staleness;
    }

    /// Makes an instance.
    pub(crate) fn add(&mut self, region: &str, state: State, trouble: Option<Trouble>) -> Index {
        let id = self.unused_id();
        let number = self.total();
        let region = self.region_number(region);
        let power = match state {
            State::Running | State::Stopping | State::Rebooting => Power::Running,
            _ => Power::Stopped,
        };
        let index = Index(number);
        let booted = self.timeline.epoch_micros() - HOUR;
        let mut instance = Instance::new(Arc::clone(&id), number, region, power, booted);
        instance.trouble = trouble;
        self.instances.push(instance);
        self.by_id.insert(id, index);
        if let Some(home) = self.regions.get_mut(usize::from(region)) {
            home.members.push(index);
        }
        if let Some(act) = under_way(state) {
            self.interfere(index, act);
        }
        index
    }

    pub(crate) fn reserve(&mut self, more: usize) {
        self.instances.reserve(more);
        self.by_id.reserve(more);
    }

    pub(crate) fn set_trouble(&mut self, index: Index, trouble: Option<Trouble>) {
        self.instances[index.0 as usize].trouble = trouble;
    }

    /// Takes the instance away: no call finds it any more.
    pub(crate) fn delete(&mut self, index: Index) {
        let instance = &mut self.instances[index.0 as usize];
        instance.deleted = true;
        if let Some(region) = self.regions.get_mut(usize::from(instance.region)) {
            region.members.retain(|member| *member != index);
        }
    }

    pub(crate) fn acts(&self) -> &Acts {
        &self.acts
    }

    /// Every instance ever made, deleted ones included.
    pub(crate) fn instances(&self) -> impl Iterator<Item = Index> {
        (0..self.total()).map(Index)
    }

    /// The instance with this id, deleted or not.
    pub(crate) fn any(&self, id: &str) -> Option<Index> {
        self.by_id.get(id).copied()
    }

    fn unused_id(&mut self) -> Arc<str> {
        loop {
            let id = self.cloud.dialect().mint(&mut self.chance);
            if !self.by_id.contains_key(id.as_str()) {
                return id.into();
            }
        }
    }

    fn region_number(&mut self, name: &str) -> u16 {
        let place = match self.regions.iter().position(|known| &*known.name == name) {
            Some(place) => place,
            None => {
                self.regions.push(Region {
                    name: name.into(),
                    members: Vec::new(),
                });
                self.regions.len() - 1
            }
        };
        u16::try_from(place).unwrap_or(u16::MAX)
    }
}

/// What all sites of a simulator share.
#[derive(Clone, Debug)]
pub(crate) struct Ground {
    pub(crate) seed: u64,
    pub(crate) tempo: Tempo,
    pub(crate) timeline: Timeline,
    pub(crate) switches: Switches,
    pub(crate) log_limit: usize,
}

/// The action that an instance in a passing state is in the middle of.
fn under_way(state: State) -> Option<Act> {
    match state {
        State::Starting => Some(Act::Start),
        State::Stopping => Some(Act::Stop),
        State::Rebooting => Some(Act::Reboot),
        _ => None,
    }
}
