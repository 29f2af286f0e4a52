//! One simulated run, as data.

use std::time::Duration;

use lifecycle_client::Mutation;
use lifecycle_facade::{Waves, core::Action};
use lifecycle_sim::{Cloud, FaultRule, Impairment, KeyKind, PowerOperation, Switches, Throttle};

/// Everything about one simulated run.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The seed of everything that client and cloud leave to chance.
    pub seed: u64,
    /// The cloud.
    pub cloud: Cloud,
    /// The fleet, as the simulator reads it.
    pub fleet: String,
    /// How many instances, from the first one on, are ready for the first request and in no
    /// trouble.
    pub ready: usize,
    /// What is asked, all of it of clones of one client.
    pub requests: Vec<Request>,
    /// What others do meanwhile.
    pub incidents: Vec<Incident>,
    /// How the cloud behaves where nobody knows.
    pub switches: Switches,
    /// What goes wrong.
    pub faults: Faults,
    /// A mistake that the client makes on purpose, so that it can be seen to be noticed.
    pub mutation: Option<Mutation>,
}

/// One request to the client.
#[derive(Clone, Debug)]
pub struct Request {
    /// What is asked of the instances, with all options.
    pub action: Action,
    /// Which of the instances are asked for.
    pub share: Share,
    /// Ids that no cloud has, among those that are asked for.
    pub unknown: usize,
    /// Ids that are asked for twice.
    pub doubled: usize,
    /// How long the goal is waited for; `None` ends with acceptance.
    pub patience: Option<Duration>,
    /// What is so already counts as refused.
    pub strict: bool,
    /// When a graceful stop is followed by a forced one.
    pub force_after: Option<Duration>,
    /// Not all at once.
    pub waves: Option<Waves>,
    /// How the caller follows it.
    pub reading: Reading,
    /// When it is made, from the beginning.
    pub begins: Duration,
    /// After which time its future is dropped.
    pub dropped_after: Option<Duration>,
}

impl Request {
    /// A request for all instances, made at once, awaited, and never dropped.
    pub fn new(action: Action, patience: Option<Duration>) -> Self {
        Self {
            action,
            share: Share { nth: 0, of: 1 },
            unknown: 0,
            doubled: 0,
            patience,
            strict: false,
            force_after: None,
            waves: None,
            reading: Reading::Report,
            begins: Duration::ZERO,
            dropped_after: None,
        }
    }

    /// The longest that it may take, where it has a deadline of its own.
    pub(crate) fn deadline(&self, instances: usize) -> Option<Duration> {
        const IMPLIED: Duration = Duration::from_secs(600);
        let waves = self.waves.map(|waves| waves.ranges(instances).count());
        let implied = self.force_after.or(waves.map(|_| Duration::ZERO));
        let each = self.patience.or_else(|| Some(implied? + IMPLIED))?;
        Some(each * u32::try_from(waves.unwrap_or(1)).unwrap_or(u32::MAX))
    }

    /// It is sent in one go, and nothing else follows.
    pub(crate) fn is_plain(&self) -> bool {
        !self.strict && self.force_after.is_none() && self.waves.is_none()
    }
}

/// Every so manieth instance.
#[derive(Clone, Copy, Debug)]
pub struct Share {
    /// The first one, from 0.
    pub nth: usize,
    /// From one to the next; 1 for all.
    pub of: usize,
}

/// How the caller follows a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reading {
    /// By awaiting its report.
    Report,
    /// By reading its events.
    Events,
}

/// Something that somebody else does.
#[derive(Clone, Debug)]
pub struct Incident {
    /// When, from the beginning.
    pub at: Duration,
    /// To which instance, by number, wrapping around.
    pub instance: usize,
    /// What.
    pub deed: Deed,
}

/// What somebody else does to an instance.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Deed {
    /// Starts, stops or reboots it.
    Act(PowerOperation),
    /// Deletes it.
    Delete,
    /// Brings trouble upon it, or takes it away.
    Trouble(Option<Impairment>),
}

/// What goes wrong in a run.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// On the way between client and cloud.
    pub injections: Vec<FaultRule>,
    /// How many calls the cloud takes.
    pub throttle: Option<Throttle>,
    /// Seconds by which the cloud's clock is ahead.
    pub skew: i64,
    /// The key of the client.
    pub key: Key,
    /// How long an accepted action stays invisible.
    pub lag: Duration,
    /// From client to cloud and back.
    pub latency: Duration,
}

/// The key of the client.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub enum Key {
    /// The one that the cloud has made.
    #[default]
    Good,
    /// Another one of the account, of this kind.
    Other(KeyKind),
    /// Wrong from the beginning.
    Wrong,
    /// Refused after so many good calls.
    Revoked {
        /// Good calls.
        after: u64,
    },
}

impl Faults {
    /// Nothing goes wrong.
    pub fn is_none(&self) -> bool {
        self.injections.is_empty()
            && self.throttle.is_none()
            && self.skew == 0
            && matches!(self.key, Key::Good | Key::Other(_))
            && self.lag.is_zero()
    }
}

impl Scenario {
    /// Nothing goes wrong, nobody interferes, and there is one request, which is not dropped.
    pub fn is_calm(&self) -> bool {
        self.faults.is_none()
            && self.incidents.is_empty()
            && matches!(&*self.requests, [request] if request.dropped_after.is_none())
    }
}
