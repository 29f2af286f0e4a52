//! The simulator, its builder and its runtime settings.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use lifecycle_client::{Clock, SystemClock};
use lifecycle_core::{Credential, Tag};

use crate::{
    Cloud, FaultRule, Identity, Impairment, InstanceTemplate, Ledger, MemoryTransport,
    ParseFleetError, PowerOperation, SimClock, SimulatedState, Switches, Throttle, TransitionTimes,
    account::{Account, Key, KeyKind},
    cloud_state::{CloudConfig, CloudState, InstanceIndex},
    fleet::{self, InstanceGroup},
    injected_fault::FaultRules,
    ledger::CallLog,
    request::ReceivedRequest,
    throttle::CallLimiter,
    time::{Timeline, mix},
    world::{CallOutcome, SimulatedCloud, World},
};

/// Four simulated clouds. A clone is cheap and shares the state.
///
/// The time of the simulator is tokio's time, so create the simulator inside the runtime of the
/// test.
#[derive(Clone, Debug)]
pub struct Simulator {
    world: Arc<Mutex<World>>,
    clock: SimClock,
    latency: Duration,
    /// The factor that divides all durations.
    pub(crate) speed: f64,
}

impl Simulator {
    /// Returns a builder.
    pub fn builder() -> SimulatorBuilder {
        SimulatorBuilder::default()
    }

    /// Returns an in-memory transport for a client under test. The host name of a request selects
    /// the region.
    pub fn transport(&self) -> MemoryTransport {
        MemoryTransport::to(self.clone())
    }

    /// Returns the clock of the simulator for a client under test. Paused time and repeatable runs
    /// need this clock.
    pub fn clock(&self) -> SimClock {
        self.clock.clone()
    }

    /// Returns the newest key of the cloud's account. Keys from identity services do not count.
    pub fn credential(&self, cloud: Cloud) -> Credential {
        let world = self.world();
        match world.state(cloud).account.newest_permanent_key() {
            Some(key) => credential(key),
            None => Credential::keys("", ""),
        }
    }

    /// Returns the project of all Huawei instances: 32 hexadecimal digits.
    pub fn project_id(&self) -> String {
        self.world().state(Cloud::Huawei).account.project_id.clone()
    }

    /// Returns all instances that are not deleted, as `cloud/region/id`, in the order of creation.
    pub fn instances(&self) -> Vec<String> {
        let world = self.world();
        let mut instances = Vec::with_capacity(world.all_instances().count());
        for cloud in Cloud::ALL {
            instances.extend(world.references(cloud));
        }
        instances
    }

    /// Returns the instances of one cloud that are not deleted, as `cloud/region/id`.
    pub fn instances_at(&self, cloud: Cloud) -> Vec<String> {
        self.world().references(cloud).collect()
    }

    /// Returns the actual state of the instance `cloud/region/id`, or `None` for an unknown
    /// instance.
    pub fn state_of(&self, reference: &str) -> Option<SimulatedState> {
        let world = self.world();
        let (cloud, index) = world.lookup(reference)?;
        let instance = world.state(cloud).instance(index);
        (!instance.deleted).then(|| instance.actual(world.timeline.now()).state)
    }

    /// Returns the name of the instance `cloud/region/id`, or `None` for an unknown instance. A deleted
    /// instance counts, too.
    pub fn name_of(&self, reference: &str) -> Option<String> {
        let world = self.world();
        let (cloud, index) = world.lookup(reference)?;
        Some(world.state(cloud).details(index).name().into_owned())
    }

    /// Returns the tags of the instance `cloud/region/id`, or `None` for an unknown instance. A deleted
    /// instance counts, too.
    pub fn tags_of(&self, reference: &str) -> Option<Vec<Tag>> {
        let world = self.world();
        let (cloud, index) = world.lookup(reference)?;
        Some(world.state(cloud).details(index).tags().to_vec())
    }

    /// Returns the record of executed operations and received calls.
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
        // A panic under the lock belongs to a failed test. The state is still readable.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Settings that a test can change at any time.
impl Simulator {
    /// Adds a rule that injects a fault. The first matching rule counts.
    pub fn inject(&self, injection: FaultRule) {
        self.world().fault_rules.add(injection);
    }

    /// Removes all fault rules.
    pub fn clear_faults(&self) {
        self.world().fault_rules.clear();
    }

    /// Revokes every key of the cloud.
    pub fn revoke(&self, cloud: Cloud) {
        self.revoke_after(cloud, 0);
    }

    /// Revokes every key of the cloud after this number of further accepted calls.
    pub fn revoke_after(&self, cloud: Cloud, calls: u64) {
        self.world().state_mut(cloud).account.revoke_after(calls);
    }

    /// Creates a further key, which [`credential`](Self::credential) returns from now on. Older
    /// keys stay valid.
    pub fn issue(&self, cloud: Cloud, kind: KeyKind) -> Credential {
        let mut world = self.world();
        let state = world.state_mut(cloud);
        let key = Key::generate(cloud, kind, &mut state.rng);
        let issued = credential(&key);
        state.account.add(key);
        issued
    }

    /// Replaces the settings of the cloud's identity services. Issued keys stay valid.
    pub fn identity(&self, cloud: Cloud, identity: Identity) {
        self.world().state_mut(cloud).identity = identity;
    }

    /// Limits the number of calls to the cloud; `None` removes the limit.
    pub fn throttle(&self, cloud: Cloud, throttle: Option<Throttle>) {
        self.world().cloud_mut(cloud).limiter = throttle.map(CallLimiter::new);
    }

    /// Sets the seconds by which the cloud's clock is ahead of [`clock`](Self::clock).
    pub fn skew(&self, cloud: Cloud, seconds: i64) {
        self.world().state_mut(cloud).skew = seconds;
    }

    /// Changes the switches of all clouds.
    pub fn switches(&self, change: impl Fn(&mut Switches)) {
        let mut world = self.world();
        for cloud in Cloud::ALL {
            change(&mut world.state_mut(cloud).switches);
        }
    }

    /// Sets or removes the impairment of an instance.
    ///
    /// # Errors
    /// [`UnknownInstance`] for an unknown instance.
    pub fn set_impairment(
        &self,
        reference: &str,
        impairment: Option<Impairment>,
    ) -> Result<(), UnknownInstance> {
        self.with(reference, |state, index| {
            state.set_impairment(index, impairment);
        })
    }

    /// Starts, stops or reboots an instance in any state, as another user of the cloud. The
    /// operation changes the state and is not in the ledger.
    ///
    /// # Errors
    /// [`UnknownInstance`] for an unknown instance.
    pub fn execute_externally(
        &self,
        reference: &str,
        operation: PowerOperation,
    ) -> Result<(), UnknownInstance> {
        self.with(reference, |state, index| {
            state.execute_externally(index, operation);
        })
    }

    /// Deletes an instance: no call finds the instance any more.
    ///
    /// # Errors
    /// [`UnknownInstance`] for an unknown instance.
    pub fn delete(&self, reference: &str) -> Result<(), UnknownInstance> {
        self.with(reference, CloudState::delete)
    }

    /// Creates further instances. The format of `spec` is the format of
    /// [`SimulatorBuilder::fleet`].
    ///
    /// # Errors
    /// [`ParseFleetError`] names the invalid part of `spec`.
    pub fn add(&self, spec: &str) -> Result<(), ParseFleetError> {
        let groups = fleet::parse(spec)?;
        self.world().populate(&groups);
        Ok(())
    }

    /// Creates further instances with a template; see [`SimulatorBuilder::instances`].
    ///
    /// # Errors
    /// [`ParseFleetError`] names the invalid part of `spec`.
    pub fn add_instances(
        &self,
        spec: &str,
        template: InstanceTemplate,
    ) -> Result<(), ParseFleetError> {
        let groups = fleet::parse_with(spec, template)?;
        self.world().populate(&groups);
        Ok(())
    }

    /// Replaces the name, the tags and all other facts of the template of an instance, as another user of
    /// the cloud.
    ///
    /// # Errors
    /// [`UnknownInstance`] for an unknown instance.
    pub fn set_template(
        &self,
        reference: &str,
        template: InstanceTemplate,
    ) -> Result<(), UnknownInstance> {
        let template = Arc::new(template);
        self.with(reference, |state, index| {
            state.set_template(index, &template);
        })
    }

    /// Removes the access to a region for all keys of the cloud. The cloud still lists the region, except
    /// Huawei's list of projects; a call in the region is refused. No effect at Zenlayer, which has one
    /// endpoint for all regions, and behind a loopback address, which hides the region of a call.
    pub fn forbid_region(&self, cloud: Cloud, region: &str) {
        self.world()
            .state_mut(cloud)
            .set_region_access(region, false);
    }

    /// Restores the access to a region.
    pub fn allow_region(&self, cloud: Cloud, region: &str) {
        self.world()
            .state_mut(cloud)
            .set_region_access(region, true);
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

/// A reference to an instance that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown simulated instance {0:?}")]
pub struct UnknownInstance(String);

/// The builder of a [`Simulator`].
#[derive(Clone, Debug)]
pub struct SimulatorBuilder {
    seed: u64,
    groups: Vec<InstanceGroup>,
    forbidden_regions: Vec<(Cloud, String)>,
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
            forbidden_regions: Vec::new(),
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
    /// Sets the seed of all random numbers; 0 by default.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Adds instances: a comma-separated list of `cloud/region=COUNT[:CONDITION][;ATTRIBUTE]…`, such as
    /// `baidu/bj=3,aliyun/cn-hangzhou=2:running,huawei/cn-north-4=1:running+locked`.
    ///
    /// The states are `stopped` (the default), `running`, `starting`, `stopping` and `rebooting`.
    /// The impairments are listed at [`Impairment`]. A condition is a state, an impairment
    /// (`baidu/bj=1:expired`) or both. One list can have at most 1,000,000 instances.
    ///
    /// The attributes are facts of [`InstanceTemplate`]: `name=web-#`, `tag:KEY=VALUE`, `zone=ZONE`,
    /// `type=TYPE`, `charge=postpaid`, `prepaid` or `spot`, and `public`, as in
    /// `baidu/bj=3:running;name=web-#;tag:env=dev`.
    ///
    /// # Errors
    /// [`ParseFleetError`] names the invalid part.
    pub fn fleet(mut self, spec: &str) -> Result<Self, ParseFleetError> {
        self.groups.extend(fleet::parse(spec)?);
        Ok(self)
    }

    /// Adds instances with a template. The format of `spec` is the format of [`fleet`](Self::fleet),
    /// without attributes.
    ///
    /// # Errors
    /// [`ParseFleetError`] names the invalid part.
    pub fn instances(
        mut self,
        spec: &str,
        template: InstanceTemplate,
    ) -> Result<Self, ParseFleetError> {
        self.groups.extend(fleet::parse_with(spec, template)?);
        Ok(self)
    }

    /// Removes the access to a region; see [`Simulator::forbid_region`].
    #[must_use]
    pub fn forbidden_region(mut self, cloud: Cloud, region: impl Into<String>) -> Self {
        self.forbidden_regions.push((cloud, region.into()));
        self
    }

    /// Sets the factor that divides all durations; 1 by default.
    ///
    /// Factors up to 2 fit the polling intervals of every client. With a greater factor a reboot can end
    /// before the first lookup, and the client has no evidence of the reboot. `Fleet::simulated` of the facade
    /// divides the polling intervals by the same factor; for a single client pass
    /// `PollingPolicy::divided_by` to `ClientBuilder::polling`. Under paused time no factor is needed.
    #[must_use]
    pub fn speed(mut self, factor: f64) -> Self {
        self.transition_times.speed = factor;
        self
    }

    /// Sets the duration of a boot, before [`speed`](Self::speed); 30 s by default.
    #[must_use]
    pub fn boot(mut self, span: Duration) -> Self {
        self.transition_times.boot = span;
        self
    }

    /// Sets the duration of a graceful stop, before [`speed`](Self::speed); 20 s by default.
    #[must_use]
    pub fn stop(mut self, span: Duration) -> Self {
        self.transition_times.stop = span;
        self
    }

    /// Sets the duration of a graceful reboot, before [`speed`](Self::speed); 40 s by default.
    #[must_use]
    pub fn reboot(mut self, span: Duration) -> Self {
        self.transition_times.reboot = span;
        self
    }

    /// Sets all durations.
    #[must_use]
    pub fn transition_times(mut self, transition_times: TransitionTimes) -> Self {
        self.transition_times = transition_times;
        self
    }

    /// Sets the time from a client to a cloud and back; zero by default. A request is executed
    /// after half of the time.
    #[must_use]
    pub fn latency(mut self, round_trip: Duration) -> Self {
        self.latency = round_trip;
        self
    }

    /// Sets the wall clock time at the start of the simulator; the time of the host by default. A
    /// fixed time makes runs repeatable to the last byte and needs clients with
    /// [`Simulator::clock`].
    #[must_use]
    pub fn epoch(mut self, time: SystemTime) -> Self {
        self.epoch = Some(time);
        self
    }

    /// Sets the switches of all clouds.
    #[must_use]
    pub fn switches(mut self, switches: Switches) -> Self {
        self.switches = switches;
        self
    }

    /// Limits the number of calls to a cloud. By default there is no limit.
    #[must_use]
    pub fn throttle(mut self, cloud: Cloud, throttle: Throttle) -> Self {
        self.throttles.push((cloud, throttle));
        self
    }

    /// Adds a key to the account of the cloud. The account also has a generated key.
    #[must_use]
    pub fn credential(mut self, cloud: Cloud, credential: &Credential) -> Self {
        self.keys.push((cloud, key(credential)));
        self
    }

    /// Sets the identity services of a cloud; see [`Identity`] for the default.
    #[must_use]
    pub fn identity(mut self, cloud: Cloud, identity: Identity) -> Self {
        self.identities.push((cloud, identity));
        self
    }

    /// Sets the project of all Huawei instances. The default comes from the seed.
    #[must_use]
    pub fn project_id(mut self, id: impl Into<String>) -> Self {
        self.project_id = Some(id.into());
        self
    }

    /// Sets the maximum number of records in the ledger: for the calls, and for the executed
    /// operations of each cloud; 1,000,000 by default. Counts have no limit.
    #[must_use]
    pub fn log_limit(mut self, records: usize) -> Self {
        self.log_limit = records;
        self
    }

    /// Creates the simulator. The time of the simulator begins now.
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
        for (cloud, region) in &self.forbidden_regions {
            world.state_mut(*cloud).set_region_access(region, false);
        }
        world.populate(&self.groups);
        Simulator {
            world: Arc::new(Mutex::new(world)),
            clock: SimClock::new(timeline, self.seed),
            latency: self.latency,
            speed: self.transition_times.speed,
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
