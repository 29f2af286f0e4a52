//! A fault scenario, as data: the simulated fleet, the requests, and the faults.

use std::time::Duration;

use lifecycle_client::Mutation;
use lifecycle_facade::{
    Waves,
    lifecycle_core::{Action, InstanceFilter},
};
use lifecycle_sim::{Cloud, FaultRule, Impairment, KeyKind, PowerOperation, Switches, Throttle};

/// The complete description of one simulated run.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The seed of all random decisions of client and cloud.
    pub seed: u64,
    /// The cloud.
    pub cloud: Cloud,
    /// The instances, in the simulator's notation.
    pub fleet: String,
    /// The number of instances, counted from the first, that are ready for the first request and
    /// not impaired.
    pub ready: usize,
    /// The requests, each made on a clone of the same client.
    pub requests: Vec<Request>,
    /// The lists of the region.
    pub lists: Vec<ScheduledList>,
    /// Changes of instances from outside the client.
    pub changes: Vec<ScheduledChange>,
    /// The cloud's behaviours where the vendor's documentation is silent or contradicts itself.
    pub switches: Switches,
    /// The client reboots several instances of Baidu in one call. Other clouds always have such a
    /// call.
    pub batch_reboot: bool,
    /// Faults of the network, the cloud and the key.
    pub faults: FaultPlan,
    /// A deliberate mistake of the client, which the judge must find.
    pub mutation: Option<Mutation>,
}

/// A list of the region, at a fixed time.
#[derive(Clone, Debug)]
pub struct ScheduledList {
    /// The time of the list, counted from the start of the run.
    pub at: Duration,
    /// The conditions on the listed instances.
    pub filter: InstanceFilter,
}

/// One request to the client.
#[derive(Clone, Debug)]
pub struct Request {
    /// The action with all options.
    pub action: Action,
    /// The requested instances.
    pub selection: Stride,
    /// The number of requested ids without an instance.
    pub unknown_ids: usize,
    /// The number of ids requested twice.
    pub duplicates: usize,
    /// The time limit of the wait; with `None` the request ends when the cloud accepts the action.
    pub wait_timeout: Option<Duration>,
    /// Reports instances already in the requested state as refused.
    pub strict: bool,
    /// Waits for the end of a transition before the action.
    pub when_idle: bool,
    /// The time from a graceful stop to a forced stop.
    pub force_after: Option<Duration>,
    /// The waves of a rollout.
    pub waves: Option<Waves>,
    /// The form in which the caller reads the result.
    pub result_form: ResultForm,
    /// The time of the request, counted from the start of the run.
    pub starts_at: Duration,
    /// The time after which the caller drops the request's future.
    pub dropped_after: Option<Duration>,
}

impl Request {
    /// The time limit of a request without a wait.
    pub(crate) const LIMIT_WITHOUT_WAIT: Duration = Duration::from_secs(120);

    /// Creates a request for all instances at the start of the run, whose report is awaited.
    pub fn new(action: Action, wait_timeout: Option<Duration>) -> Self {
        Self {
            action,
            selection: Stride { first: 0, step: 1 },
            unknown_ids: 0,
            duplicates: 0,
            wait_timeout,
            strict: false,
            when_idle: false,
            force_after: None,
            waves: None,
            result_form: ResultForm::Report,
            starts_at: Duration::ZERO,
            dropped_after: None,
        }
    }

    /// Returns the time limit of the whole request, if the request has a time limit.
    pub(crate) fn deadline(&self, instances: usize) -> Option<Duration> {
        // A forced stop or waves imply a wait.
        const IMPLIED_WAIT: Duration = Duration::from_secs(600);
        let waves = self.waves.map(|waves| waves.ranges(instances).count());
        let implied = self.force_after.or(waves.map(|_| Duration::ZERO));
        let each = self
            .wait_timeout
            .or_else(|| Some(implied? + IMPLIED_WAIT))?;
        Some(each * u32::try_from(waves.unwrap_or(1)).unwrap_or(u32::MAX))
    }

    /// Returns true for a request that is not strict, forces no stop and has no waves.
    pub(crate) fn is_plain(&self) -> bool {
        !self.strict && self.force_after.is_none() && self.waves.is_none()
    }
}

/// A selection of every `step`-th instance.
#[derive(Clone, Copy, Debug)]
pub struct Stride {
    /// The number of the first instance, from 0.
    pub first: usize,
    /// The distance to the next instance; 1 selects all from `first`.
    pub step: usize,
}

/// The form in which the caller reads the result of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResultForm {
    /// The awaited report.
    Report,
    /// The stream of events.
    Events,
}

/// A change of an instance from outside the client, at a fixed time.
#[derive(Clone, Debug)]
pub struct ScheduledChange {
    /// The time of the change, counted from the start of the run.
    pub at: Duration,
    /// The number of the instance, modulo the number of instances.
    pub instance: usize,
    /// The change.
    pub change: ExternalChange,
}

/// A change of an instance from outside the client.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum ExternalChange {
    /// Starts, stops or reboots the instance.
    Power(PowerOperation),
    /// Deletes the instance.
    Delete,
    /// Sets or removes an impairment.
    Impairment(Option<Impairment>),
}

/// The faults of a run.
#[derive(Clone, Debug, Default)]
pub struct FaultPlan {
    /// Faults between client and cloud.
    pub rules: Vec<FaultRule>,
    /// The cloud's rate limit.
    pub throttle: Option<Throttle>,
    /// The seconds by which the cloud's clock is ahead.
    pub skew: i64,
    /// The key of the client.
    pub key: ClientKey,
    /// The time until an accepted action becomes visible.
    pub lag: Duration,
    /// The time from client to cloud and back.
    pub latency: Duration,
}

/// The key of the client.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub enum ClientKey {
    /// The first key of the account.
    #[default]
    Valid,
    /// A further valid key of the account, of this kind.
    Other(KeyKind),
    /// A key with a wrong secret.
    Wrong,
    /// A key that the cloud revokes during the run.
    Revoked {
        /// The number of calls before the revocation.
        after: u64,
    },
    /// A key that the cloud revokes during the run, when the source of the key has another valid key.
    Rotated {
        /// The number of calls before the revocation.
        after: u64,
    },
}

impl FaultPlan {
    /// Returns true for a plan that prevents no action. Latency and another valid key are no faults.
    pub fn has_no_faults(&self) -> bool {
        self.rules.is_empty()
            && self.throttle.is_none()
            && self.skew == 0
            && matches!(self.key, ClientKey::Valid | ClientKey::Other(_))
            && self.lag.is_zero()
    }
}

impl Scenario {
    /// Returns true for a single request without faults, external changes and cancellation.
    pub fn is_undisturbed(&self) -> bool {
        self.faults.has_no_faults()
            && self.changes.is_empty()
            && self.lists.is_empty()
            && matches!(&*self.requests, [request] if request.dropped_after.is_none())
    }
}
