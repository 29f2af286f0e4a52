//! The face of the crate: making a simulator, reaching it, and turning its knobs.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use lifecycle_client::{Clock, SystemClock};
use lifecycle_core::Credential;

use crate::{
    Cloud, FaultRule, Identity, Impairment, Ledger, MemoryTransport, ParseFleetError,
    PowerOperation, SimClock, SimulatedState, Switches, Throttle, TransitionTimes,
    account::{Account, Key},
    cloud_state::{CloudConfig, CloudState, InstanceIndex},
    fleet::{self, InstanceGroup},
    injected_fault::FaultRules,
    ledger::CallLog,
    request::ReceivedRequest,
    throttle::CallLimiter,
    time::{Timeline, mix},
    world::{CallOutcome, SimulatedCloud, World},
};

/// Four simulated clouds. Cheap to clone: all clones are the same simulator.
///
/// Its time runs with tokio's, so make it inside the runtime in which it is used.
#[derive(Clone, Debug)]
pub struct Simulator {
    world: Arc<Mutex<World>>,
    clock: SimClock,
    latency: Duration,
}

impl Simulator {
    /// Begins to make a simulator.
    pub fn builder() -> SimulatorBuilder {
        SimulatorBuilder::default()
    }

    /// The way to the clouds without a socket, for a client under test. Requests reach the region
    /// whose own host name they carry.
    pub fn transport(&self) -> MemoryTransport {
        MemoryTransport::to(self.clone())
    }

    /// A clock for a client under test that agrees with the simulator's. Needed under paused time,
    /// and for runs that can be repeated exactly.
    pub fn clock(&self) -> SimClock {
        self.clock.clone()
    }

    /// The newest key of the cloud's account. Keys that its identity services have handed out do not
    /// count.
    pub fn credential(&self, cloud: Cloud) -> Credential {
        let world = self.world();
        match world.state(cloud).account.newest_own_key() {
            Some(key) => credential(key),
            None => Credential::keys("", ""),
        }
    }

    /// The project of all Huawei instances: 32 hexadecimal digits.
    pub fn project_id(&self) -> String {
        self.world().state(Cloud::Huawei).account.project_id.clone()
    }

    /// All instances that are not deleted, as `cloud/region/id`, in the order in which they were
    /// made.
    pub fn instances(&self) -> Vec<String> {
        Cloud::ALL
            .into_iter()
            .flat_map(|cloud| self.instances_at(cloud))
            .collect()
    }

    /// The instances of one cloud that are not deleted, as `cloud/region/id`.
    pub fn instances_at(&self, cloud: Cloud) -> Vec<String> {
        let world = self.world();
        let state = world.state(cloud);
        state
            .instances()
            .filter(|index| !state.instance(*index).deleted)
            .map(|index| world.reference(cloud, index))
            .collect()
    }

    /// How the instance `cloud/region/id` really is now; `None` when there is no such instance.
    pub fn state_of(&self, reference: &str) -> Option<SimulatedState> {
        let world = self.world();
        let (cloud, index) = world.lookup(reference)?;
        let instance = world.state(cloud).instance(index);
        (!instance.deleted).then(|| instance.actual(world.timeline.now()).state)
    }

    /// What happened so far.
    pub fn ledger(&self) -> Ledger {
        Ledger::of(self.clone())
    }

    pub(crate) fn exchange(&self, request: http::Request<Bytes>) -> CallOutcome {
        self.world().exchange(&ReceivedRequest::new(request))
    }

    pub(crate) fn latency(&self) -> Duration {
        self.latency
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        // A panic under the lock is a test that failed already; what it left is still readable.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Knobs that can be turned at any time.
impl Simulator {
    /// Lets something go wrong. Of several injections that match a call, the first one counts.
    pub fn inject(&self, injection: FaultRule) {
        self.world().fault_rules.add(injection);
    }

    /// Nothing goes wrong any more.
    pub fn clear_faults(&self) {
        self.world().fault_rules.clear();
    }

    /// The cloud refuses every key that it has issued so far.
    pub fn revoke(&self, cloud: Cloud) {
        self.revoke_after(cloud, 0);
    }

    /// The cloud refuses every key that it has issued so far, after so many more good calls.
    pub fn revoke_after(&self, cloud: Cloud, calls: u64) {
        self.world().state_mut(cloud).account.revoke_after(calls);
    }

    /// Makes a further key, which [`credential`](Self::credential) gives from now on. Older keys
    /// stay good.
    pub fn issue(&self, cloud: Cloud, kind: KeyKind) -> Credential {
        let mut world = self.world();
        let state = world.state_mut(cloud);
        let key = Key::generate(cloud, kind, &mut state.rng);
        let issued = credential(&key);
        state.account.add(key);
        issued
    }

    /// Sets what the identity services of the cloud know from now on. What they have handed out stays
    /// good.
    pub fn identity(&self, cloud: Cloud, identity: Identity) {
        self.world().state_mut(cloud).identity = identity;
    }

    /// Sets how many calls the cloud takes; `None` for any number.
    pub fn throttle(&self, cloud: Cloud, throttle: Option<Throttle>) {
        self.world().cloud_mut(cloud).limiter = throttle.map(CallLimiter::new);
    }

    /// Sets by how many seconds the cloud's clock runs ahead of [`clock`](Self::clock).
    pub fn skew(&self, cloud: Cloud, seconds: i64) {
        self.world().state_mut(cloud).skew = seconds;
    }

    /// Changes how the clouds behave where their documents are silent.
    pub fn switches(&self, change: impl Fn(&mut Switches)) {
        let mut world = self.world();
        for cloud in Cloud::ALL {
            change(&mut world.state_mut(cloud).switches);
        }
    }

    /// Puts something in the way of an instance, or takes it away.
    ///
    /// # Errors
    /// [`UnknownInstance`] when there is no such instance.
    pub fn set_impairment(
        &self,
        reference: &str,
        impairment: Option<Impairment>,
    ) -> Result<(), UnknownInstance> {
        self.with(reference, |state, index| {
            state.set_impairment(index, impairment);
        })
    }

    /// Someone else starts, stops or reboots an instance, whatever its state. It shows in its state
    /// and not in the ledger.
    ///
    /// # Errors
    /// [`UnknownInstance`] when there is no such instance.
    pub fn execute_externally(
        &self,
        reference: &str,
        operation: PowerOperation,
    ) -> Result<(), UnknownInstance> {
        self.with(reference, |state, index| {
            state.execute_externally(index, operation);
        })
    }

    /// Deletes an instance: no call finds it any more.
    ///
    /// # Errors
    /// [`UnknownInstance`] when there is no such instance.
    pub fn delete(&self, reference: &str) -> Result<(), UnknownInstance> {
        self.with(reference, CloudState::delete)
    }

    /// Makes further instances. `spec` reads like that of [`SimulatorBuilder::fleet`].
    ///
    /// # Errors
    /// [`ParseFleetError`] names the part of `spec` that cannot be used.
    pub fn add(&self, spec: &str) -> Result<(), ParseFleetError> {
        let groups = fleet::parse(spec)?;
        self.world().populate(&groups);
        Ok(())
    }

    fn with(
        &self,
        reference: &str,
        change: impl FnOnce(&mut CloudState, InstanceIndex),
    ) -> Result<(), UnknownInstance> {
        let mut world = self.world();
        let (cloud, index) = world
            .lookup(reference)
            .ok_or_else(|| UnknownInstance(reference.to_owned()))?;
        let now = world.timeline.now();
        let state = world.state_mut(cloud);
        state.begin_call(now, Duration::ZERO);
        change(state, index);
        Ok(())
    }
}

/// A reference for which there is no instance.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no simulated instance {0:?}")]
pub struct UnknownInstance(String);

/// The kinds of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyKind {
    /// An access key for good.
    Permanent,
    /// An access key with a session token.
    Temporary,
    /// A bearer token. Zenlayer and Huawei take one.
    Token,
}

/// Makes a [`Simulator`].
#[derive(Clone, Debug)]
pub struct SimulatorBuilder {
    seed: u64,
    groups: Vec<InstanceGroup>,
    transition_times: TransitionTimes,
    latency: Duration,
    epoch: Option<SystemTime>,
    switches: Switches,
    throttles: Vec<(Cloud, Throttle)>,
    keys: Vec<(Cloud, Key)>,
    identities: Vec<(Cloud, Identity)>,
    project_id: Option<String>,
    log_limit: usize,
}

impl Default for SimulatorBuilder {
    fn default() -> Self {
        Self {
            seed: 0,
            groups: Vec::new(),
            transition_times: TransitionTimes::default(),
            latency: Duration::ZERO,
            epoch: None,
            switches: Switches::default(),
            throttles: Vec::new(),
            keys: Vec::new(),
            identities: Vec::new(),
            project_id: None,
            log_limit: 1_000_000,
        }
    }
}

impl SimulatorBuilder {
    /// The seed of everything that is left to chance. 0.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Adds instances: a comma list of `cloud/region=COUNT[:STATE][+TROUBLE]`, such as
    /// `baidu/bj=3,aliyun/cn-hangzhou=2:running,huawei/cn-north-4=1:running+locked`.
    ///
    /// States are `stopped` (unless said otherwise), `running`, `starting`, `stopping` and
    /// `rebooting`; troubles are those of [`Impairment`], and may stand alone: `baidu/bj=1:expired`.
    /// At most 1,000,000 instances in one list.
    ///
    /// # Errors
    /// [`ParseFleetError`] names the part that cannot be used.
    pub fn fleet(mut self, spec: &str) -> Result<Self, ParseFleetError> {
        self.groups.extend(fleet::parse(spec)?);
        Ok(self)
    }

    /// By what all durations are divided. 1.
    #[must_use]
    pub fn speed(mut self, factor: f64) -> Self {
        self.transition_times.speed = factor;
        self
    }

    /// How long a boot takes, before [`speed`](Self::speed). 30 s.
    #[must_use]
    pub fn boot(mut self, span: Duration) -> Self {
        self.transition_times.boot = span;
        self
    }

    /// How long a graceful stop takes, before [`speed`](Self::speed). 20 s.
    #[must_use]
    pub fn stop(mut self, span: Duration) -> Self {
        self.transition_times.stop = span;
        self
    }

    /// How long a graceful reboot takes, before [`speed`](Self::speed). 40 s.
    #[must_use]
    pub fn reboot(mut self, span: Duration) -> Self {
        self.transition_times.reboot = span;
        self
    }

    /// All durations at once.
    #[must_use]
    pub fn transition_times(mut self, transition_times: TransitionTimes) -> Self {
        self.transition_times = transition_times;
        self
    }

    /// The time from a client to a cloud and back. A request acts after half of it. None.
    #[must_use]
    pub fn latency(mut self, round_trip: Duration) -> Self {
        self.latency = round_trip;
        self
    }

    /// The wall clock when the simulator is made. The time of this machine; a fixed one makes runs
    /// repeatable to the last byte, and needs clients that use [`Simulator::clock`].
    #[must_use]
    pub fn epoch(mut self, time: SystemTime) -> Self {
        self.epoch = Some(time);
        self
    }

    /// How the clouds behave where their documents are silent.
    #[must_use]
    pub fn switches(mut self, switches: Switches) -> Self {
        self.switches = switches;
        self
    }

    /// How many calls a cloud takes. Any number.
    #[must_use]
    pub fn throttle(mut self, cloud: Cloud, throttle: Throttle) -> Self {
        self.throttles.push((cloud, throttle));
        self
    }

    /// A key that the cloud knows besides the one that it makes up.
    #[must_use]
    pub fn credential(mut self, cloud: Cloud, credential: &Credential) -> Self {
        self.keys.push((cloud, key(credential)));
        self
    }

    /// What the identity services of a cloud know. Nothing; see [`Identity`].
    #[must_use]
    pub fn identity(mut self, cloud: Cloud, identity: Identity) -> Self {
        self.identities.push((cloud, identity));
        self
    }

    /// The project of all Huawei instances. Made up from the seed.
    #[must_use]
    pub fn project_id(mut self, id: impl Into<String>) -> Self {
        self.project_id = Some(id.into());
        self
    }

    /// How many calls, and how many executed actions of each cloud, the ledger remembers one by one.
    /// Its counts go on. 1,000,000.
    #[must_use]
    pub fn log_limit(mut self, records: usize) -> Self {
        self.log_limit = records;
        self
    }

    /// Makes the simulator; its time begins now.
    pub fn build(self) -> Simulator {
        let epoch = self.epoch.unwrap_or_else(|| SystemClock.now());
        let timeline = Timeline::starting_at(epoch);
        let clouds = Cloud::ALL.map(|cloud| SimulatedCloud {
            state: self.state(cloud, &timeline),
            limiter: None,
        });
        let mut world = World {
            timeline: timeline.clone(),
            calls: CallLog::new(self.log_limit),
            fault_rules: FaultRules::default(),
            rng: fastrand::Rng::with_seed(mix(self.seed)),
            clouds,
        };
        for (cloud, throttle) in &self.throttles {
            world.cloud_mut(*cloud).limiter = Some(CallLimiter::new(*throttle));
        }
        for (cloud, key) in &self.keys {
            world.state_mut(*cloud).account.add(key.clone());
        }
        for (cloud, identity) in self.identities {
            world.state_mut(cloud).identity = identity;
        }
        world.populate(&self.groups);
        Simulator {
            world: Arc::new(Mutex::new(world)),
            clock: SimClock::new(timeline, self.seed),
            latency: self.latency,
        }
    }

    fn state(&self, cloud: Cloud, timeline: &Timeline) -> CloudState {
        let seed = mix(self.seed ^ mix(cloud as u64));
        let mut rng = fastrand::Rng::with_seed(seed);
        let project = format!("{:032x}", rng.u128(..));
        let account = Account::new(
            self.project_id.clone().unwrap_or(project),
            Key::generate(cloud, KeyKind::Permanent, &mut rng),
        );
        let ground = CloudConfig {
            seed: rng.u64(..),
            transition_times: self.transition_times,
            timeline: timeline.clone(),
            switches: self.switches.clone(),
            log_limit: self.log_limit,
        };
        CloudState::new(cloud, account, ground)
    }
}

fn credential(key: &Key) -> Credential {
    if key.is_token {
        return Credential::token(&key.id);
    }
    match &key.session {
        Some(session) => Credential::session(&key.id, &key.secret, session),
        None => Credential::keys(&key.id, &key.secret),
    }
}

fn key(credential: &Credential) -> Key {
    match credential {
        Credential::Keys {
            id,
            secret,
            session,
            ..
        } => Key::pair(
            id.clone(),
            secret.expose().to_owned(),
            session.as_ref().map(|session| session.expose().to_owned()),
        ),
        Credential::Token(token) => Key::token(token.expose().to_owned()),
        _ => Key::token(String::new()),
    }
}
