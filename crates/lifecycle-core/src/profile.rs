//! What can be said about a cloud as plain data.

use std::{fmt, time::Duration};

use crate::{Action, ActionKind, Fault, FaultKind, LocalDisk, StopBilling, StopMode};

/// A cloud in numbers and switches: what the engine needs to know to drive its provider.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Profile {
    /// The name of the cloud in references, such as `aliyun`.
    pub cloud: &'static str,
    /// The name of the service for people, such as `Alibaba Cloud ECS`.
    pub title: &'static str,
    /// The greatest number of instances in one call.
    pub batch_limits: BatchLimits,
    /// Which options the cloud can honour.
    pub support: Support,
    /// How fast to call at first.
    pub rate_limits: RateLimits,
    /// How often to look while waiting.
    pub polling: PollingPolicy,
    /// The environment variables that may hold a key, in the order in which they count.
    pub env_vars: &'static [EnvVarNames],
}

impl Profile {
    /// A profile with no optional support, the default rate limits and the default polling.
    pub const fn new(cloud: &'static str, title: &'static str, batch_limits: BatchLimits) -> Self {
        Self {
            cloud,
            title,
            batch_limits,
            support: Support::NONE,
            rate_limits: RateLimits::DEFAULT,
            polling: PollingPolicy::DEFAULT,
            env_vars: &[],
        }
    }

    /// With these supported options.
    #[must_use]
    pub const fn with_support(mut self, support: Support) -> Self {
        self.support = support;
        self
    }

    /// Sets the initial rate limits.
    #[must_use]
    pub const fn with_rate_limits(mut self, rate_limits: RateLimits) -> Self {
        self.rate_limits = rate_limits;
        self
    }

    /// Sets the polling policy.
    #[must_use]
    pub const fn with_polling(mut self, polling: PollingPolicy) -> Self {
        self.polling = polling;
        self
    }

    /// Sets the environment variables that may hold a key.
    #[must_use]
    pub const fn with_env_vars(mut self, env_vars: &'static [EnvVarNames]) -> Self {
        self.env_vars = env_vars;
        self
    }

    /// The greatest number of instances in one call of `action`, at least 1.
    ///
    /// A start that erases local disks goes out for one instance at a time.
    pub fn batch(&self, action: &Action) -> usize {
        match action {
            Action::Start(start) if start.local_disk == LocalDisk::Initialize => 1,
            _ => self.batch_limits.of(action.kind()),
        }
    }

    /// Can the cloud do `action` with every option, on this many instances in one call?
    ///
    /// # Errors
    /// [`FaultKind::Unsupported`] names the option; [`FaultKind::Invalid`] says how many instances
    /// there can be. What clouds do with no ids or too many is unknown, so neither is ever sent.
    pub fn check_batch(&self, action: &Action, instances: usize) -> Result<(), Fault> {
        self.supports(action)?;
        admit_count(instances, self.batch(action))
    }

    /// Can this many instances be observed in one call?
    ///
    /// # Errors
    /// [`FaultKind::Invalid`] says how many there can be. Without ids some clouds show everything.
    pub fn check_observe(&self, instances: usize) -> Result<(), Fault> {
        admit_count(instances, self.batch_limits.observe)
    }

    /// Can the cloud honour every option of `action`?
    ///
    /// # Errors
    /// [`FaultKind::Unsupported`], naming the option.
    pub fn supports(&self, action: &Action) -> Result<(), Fault> {
        let missing = match action {
            Action::Start(start) => match start.local_disk {
                LocalDisk::Initialize if !self.support.initialize_local_disk => {
                    Some("cannot initialise local disks at a start")
                }
                _ => None,
            },
            Action::Stop(stop) => match (stop.mode, stop.billing) {
                (StopMode::Forced, _) if !self.support.forced_stop => Some("cannot force a stop"),
                (_, StopBilling::Release) if !self.support.release_billing => {
                    Some("cannot stop billing at a stop")
                }
                _ => None,
            },
            Action::Reboot(reboot) => match reboot.mode {
                StopMode::Forced if !self.support.forced_reboot => Some("cannot force a reboot"),
                _ => None,
            },
        };
        match missing {
            None => Ok(()),
            Some(what) => Err(Fault::new(
                FaultKind::Unsupported,
                format!("{} {what}", self.title),
            )),
        }
    }
}

fn admit_count(instances: usize, limit: usize) -> Result<(), Fault> {
    if (1..=limit).contains(&instances) {
        return Ok(());
    }
    Err(Fault::new(
        FaultKind::Invalid,
        format!("{instances} instances in one call, where 1 to {limit} can be"),
    ))
}

/// The greatest number of instances in one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchLimits {
    /// Of a start.
    pub start: usize,
    /// Of a stop.
    pub stop: usize,
    /// Of a reboot.
    pub reboot: usize,
    /// Of an observation.
    pub observe: usize,
}

impl BatchLimits {
    /// The same limit for all actions and for observations.
    pub const fn all(limit: usize) -> Self {
        Self {
            start: limit,
            stop: limit,
            reboot: limit,
            observe: limit,
        }
    }

    /// Sets the limit of a start.
    #[must_use]
    pub const fn with_start(mut self, limit: usize) -> Self {
        self.start = limit;
        self
    }

    /// Sets the limit of a stop.
    #[must_use]
    pub const fn with_stop(mut self, limit: usize) -> Self {
        self.stop = limit;
        self
    }

    /// Sets the limit of an observation.
    #[must_use]
    pub const fn with_observe(mut self, limit: usize) -> Self {
        self.observe = limit;
        self
    }

    /// Sets the limit of a reboot.
    #[must_use]
    pub const fn with_reboot(mut self, limit: usize) -> Self {
        self.reboot = limit;
        self
    }

    /// The limit of an action, at least 1.
    pub fn of(&self, verb: ActionKind) -> usize {
        match verb {
            ActionKind::Start => self.start,
            ActionKind::Stop => self.stop,
            ActionKind::Reboot => self.reboot,
        }
        .max(1)
    }
}

/// Which options a cloud can honour. Graceful stops and reboots are taken for granted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Support {
    /// [`StopMode::Forced`] at a stop.
    pub forced_stop: bool,
    /// [`StopMode::Forced`] at a reboot.
    pub forced_reboot: bool,
    /// [`StopBilling::Release`] at a stop.
    pub release_billing: bool,
    /// [`LocalDisk::Initialize`] at a start.
    pub initialize_local_disk: bool,
}

impl Support {
    /// No option at all.
    pub const NONE: Self = Self {
        forced_stop: false,
        forced_reboot: false,
        release_billing: false,
        initialize_local_disk: false,
    };

    /// With forced stops and reboots.
    #[must_use]
    pub const fn with_forced(mut self) -> Self {
        self.forced_stop = true;
        self.forced_reboot = true;
        self
    }

    /// With stops that end billing.
    #[must_use]
    pub const fn with_release_billing(mut self) -> Self {
        self.release_billing = true;
        self
    }

    /// With starts that initialise local disks.
    #[must_use]
    pub const fn with_initialize_local_disk(mut self) -> Self {
        self.initialize_local_disk = true;
        self
    }
}

/// How fast to call while nothing is known of the cloud's real limit; the engine adapts it.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct RateLimits {
    /// For observations, lists and jobs.
    pub reads: Rate,
    /// For power actions.
    pub writes: Rate,
}

impl RateLimits {
    /// 20 reads and 10 writes a second.
    pub const DEFAULT: Self = Self::new(Rate::new(20.0, 20), Rate::new(10.0, 10));

    /// Rate limits from its two rates.
    pub const fn new(reads: Rate, writes: Rate) -> Self {
        Self { reads, writes }
    }
}

/// A rate of calls.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Rate {
    /// Calls a second, in the long run.
    pub per_second: f64,
    /// Calls that may be sent at once after a pause.
    pub burst: u32,
}

impl Rate {
    /// A rate from its two numbers.
    pub const fn new(per_second: f64, burst: u32) -> Self {
        Self { per_second, burst }
    }
}

/// How often to look at instances while waiting for them.
///
/// Forced stops are over in seconds, nearly everything else takes a quarter of a minute and more,
/// and nobody knows how long what is overdue will take. So there is one early look, a pause, and
/// looks that get rarer with age: lateness stays in proportion, and polling stays cheap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PollingPolicy {
    /// From the accepted call to the first look.
    pub first: Duration,
    /// From the accepted call to the end of the pause after the first look.
    pub pause: Duration,
    /// Between the looks after that, while instances are about due.
    pub every: Duration,
    /// Between looks at instances that are long overdue.
    pub ceiling: Duration,
}

impl PollingPolicy {
    /// After 3 s and 12 s, then every 4 s, slowing down to every 30 s.
    pub const DEFAULT: Self = Self::new(
        Duration::from_secs(3),
        Duration::from_secs(4),
        Duration::from_secs(30),
    )
    .with_pause(Duration::from_secs(12));

    /// A policy from its three numbers, without a pause after the first look.
    pub const fn new(first: Duration, every: Duration, ceiling: Duration) -> Self {
        Self {
            first,
            pause: first,
            every,
            ceiling,
        }
    }

    /// With no second look before this time has passed since the accepted call.
    #[must_use]
    pub const fn with_pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// How long to wait for the next look after one at this age, counted from the accepted call.
    pub fn interval(&self, age: Duration) -> Duration {
        let share = (age / 10).clamp(self.every, self.ceiling.max(self.every));
        share.max(self.pause.saturating_sub(age))
    }
}

/// A set of environment variables that together hold a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "whoever reads variables must know every set"
)]
pub enum EnvVarNames {
    /// An access key.
    Keys {
        /// The variable with the public half.
        id: &'static str,
        /// The variable with the secret half.
        secret: &'static str,
        /// The variable with the session token of a temporary key, where there is one.
        session: Option<&'static str>,
    },
    /// A bearer token.
    Token(&'static str),
}

/// The names that must be set.
impl fmt::Display for EnvVarNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keys { id, secret, .. } => write!(f, "{id} and {secret}"),
            Self::Token(name) => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_pause_after_the_first_and_get_rarer_with_age_within_bounds() {
        let seconds = Duration::from_secs;
        let polling =
            PollingPolicy::new(seconds(3), seconds(4), seconds(30)).with_pause(seconds(12));
        for (age, wait) in [
            (3, 9),
            (7, 5),
            (9, 4),
            (40, 4),
            (60, 6),
            (300, 30),
            (9_000, 30),
        ] {
            assert_eq!(polling.interval(seconds(age)), seconds(wait), "age {age}");
        }
        let reversed = PollingPolicy::new(seconds(1), seconds(9), seconds(5));
        assert_eq!(reversed.interval(seconds(1_000)), seconds(9));
    }
}
