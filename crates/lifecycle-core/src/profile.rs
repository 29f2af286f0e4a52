//! `Profile`: the properties of a cloud as plain data (batch limits, rates, polling, supported
//! options).

use std::{fmt, time::Duration};

use crate::{
    Action, ActionKind, Fault, FaultKind, FilterSupport, LocalDisk, StopBilling, StopMode,
};

/// The properties of a cloud that the client needs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Profile {
    /// The name of the cloud in references, such as `aliyun`.
    pub cloud: &'static str,
    /// The name of the service for operators, such as `Alibaba Cloud ECS`.
    pub title: &'static str,
    /// The maximum numbers of instances in one request.
    pub batch_limits: BatchLimits,
    /// The options that the cloud supports.
    pub support: Support,
    /// The conditions that the cloud can apply to a list.
    pub filter_support: FilterSupport,
    /// The initial rate limits. The client adapts the rates to the responses.
    pub rate_limits: RateLimits,
    /// The times between observations during a wait.
    pub polling: PollingPolicy,
    /// The environment variables that may hold a key, in order of precedence.
    pub env_vars: &'static [EnvVarNames],
}

impl Profile {
    /// Returns a profile without optional support, with the default rate limits and the default
    /// polling policy.
    pub const fn new(cloud: &'static str, title: &'static str, batch_limits: BatchLimits) -> Self {
        Self {
            cloud,
            title,
            batch_limits,
            support: Support::NONE,
            filter_support: FilterSupport::NONE,
            rate_limits: RateLimits::DEFAULT,
            polling: PollingPolicy::DEFAULT,
            env_vars: &[],
        }
    }

    /// Sets the supported options.
    #[must_use]
    pub const fn with_support(mut self, support: Support) -> Self {
        self.support = support;
        self
    }

    /// Sets the conditions that the cloud can apply to a list.
    #[must_use]
    pub const fn with_filter_support(mut self, filter_support: FilterSupport) -> Self {
        self.filter_support = filter_support;
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

    /// Sets the environment variables that may hold a key, in order of precedence.
    #[must_use]
    pub const fn with_env_vars(mut self, env_vars: &'static [EnvVarNames]) -> Self {
        self.env_vars = env_vars;
        self
    }

    /// Returns the maximum number of instances in one request for `action`, at least 1.
    ///
    /// A start that erases local disks is sent for one instance at a time.
    pub fn batch_limit(&self, action: &Action) -> usize {
        match action {
            Action::Start(start) if start.local_disk == LocalDisk::Initialize => 1,
            _ => self.batch_limits.of(action.kind()),
        }
    }

    /// Checks that the cloud supports every option of `action`, and accepts this number of instances
    /// in one request.
    ///
    /// # Errors
    /// [`FaultKind::Unsupported`] with the name of the option; [`FaultKind::Invalid`] with the
    /// maximum. The reaction of clouds to a request with no ids or too many ids is unknown, so no
    /// such request is sent.
    pub fn check_batch(&self, action: &Action, instances: usize) -> Result<(), Fault> {
        self.supports(action)?;
        check_count(instances, self.batch_limit(action))
    }

    /// Checks that the cloud can report this number of instances in one request.
    ///
    /// # Errors
    /// [`FaultKind::Invalid`] with the maximum. Without ids, some clouds report all instances.
    pub fn check_observe(&self, instances: usize) -> Result<(), Fault> {
        check_count(instances, self.batch_limits.observe)
    }

    /// Checks that the cloud supports every option of `action`.
    ///
    /// # Errors
    /// [`FaultKind::Unsupported`] with the name of the option.
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

fn check_count(instances: usize, limit: usize) -> Result<(), Fault> {
    if (1..=limit).contains(&instances) {
        return Ok(());
    }
    Err(Fault::new(
        FaultKind::Invalid,
        format!("{instances} instances in one request; 1 to {limit} are allowed"),
    ))
}

/// The maximum numbers of instances in one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchLimits {
    /// The maximum for a start.
    pub start: usize,
    /// The maximum for a stop.
    pub stop: usize,
    /// The maximum for a reboot.
    pub reboot: usize,
    /// The maximum for an observation.
    pub observe: usize,
}

impl BatchLimits {
    /// Returns the same limit for all actions and for observations.
    pub const fn all(limit: usize) -> Self {
        Self {
            start: limit,
            stop: limit,
            reboot: limit,
            observe: limit,
        }
    }

    /// Sets the limit for starts.
    #[must_use]
    pub const fn with_start(mut self, limit: usize) -> Self {
        self.start = limit;
        self
    }

    /// Sets the limit for stops.
    #[must_use]
    pub const fn with_stop(mut self, limit: usize) -> Self {
        self.stop = limit;
        self
    }

    /// Sets the limit for observations.
    #[must_use]
    pub const fn with_observe(mut self, limit: usize) -> Self {
        self.observe = limit;
        self
    }

    /// Sets the limit for reboots.
    #[must_use]
    pub const fn with_reboot(mut self, limit: usize) -> Self {
        self.reboot = limit;
        self
    }

    /// Returns the limit for an action, at least 1.
    pub fn of(&self, kind: ActionKind) -> usize {
        match kind {
            ActionKind::Start => self.start,
            ActionKind::Stop => self.stop,
            ActionKind::Reboot => self.reboot,
        }
        .max(1)
    }
}

/// The options that a cloud supports. Every cloud supports graceful stops and reboots.
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
    /// No optional support.
    pub const NONE: Self = Self {
        forced_stop: false,
        forced_reboot: false,
        release_billing: false,
        initialize_local_disk: false,
    };

    /// Adds forced stops and forced reboots.
    #[must_use]
    pub const fn with_forced(mut self) -> Self {
        self.forced_stop = true;
        self.forced_reboot = true;
        self
    }

    /// Adds stops that release the compute resources.
    #[must_use]
    pub const fn with_release_billing(mut self) -> Self {
        self.release_billing = true;
        self
    }

    /// Adds starts that initialise local disks.
    #[must_use]
    pub const fn with_initialize_local_disk(mut self) -> Self {
        self.initialize_local_disk = true;
        self
    }
}

/// The initial rate limits. The real limits of a cloud are unknown, so the client adapts the rates
/// to the responses.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct RateLimits {
    /// The rate of observations, lists and job queries.
    pub reads: Rate,
    /// The rate of power actions.
    pub writes: Rate,
}

impl RateLimits {
    /// 20 reads and 10 writes per second.
    pub const DEFAULT: Self = Self::new(Rate::new(20.0, 20), Rate::new(10.0, 10));

    /// Returns rate limits with these two rates.
    pub const fn new(reads: Rate, writes: Rate) -> Self {
        Self { reads, writes }
    }
}

/// A rate of requests.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Rate {
    /// Requests per second, on average.
    pub per_second: f64,
    /// Requests that may be sent at once after a pause.
    pub burst: u32,
}

impl Rate {
    /// Returns a rate with these two numbers.
    pub const fn new(per_second: f64, burst: u32) -> Self {
        Self { per_second, burst }
    }
}

/// The times between the observations of an instance during a wait.
///
/// A forced stop takes seconds, and most other actions take 15 seconds or more. So the policy has one
/// early observation, a pause, and then observations at growing intervals: the delay stays in
/// proportion to the age of the request, and a long wait needs few requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PollingPolicy {
    /// The time from the accepted request to the first observation.
    pub first: Duration,
    /// The time from the accepted request to the end of the pause after the first observation.
    pub pause: Duration,
    /// The minimum time between later observations.
    pub every: Duration,
    /// The maximum time between observations.
    pub ceiling: Duration,
}

impl PollingPolicy {
    /// Observations after 3 s and 11 s, then every 4.5 s, growing to every 30 s.
    pub const DEFAULT: Self = Self::new(
        Duration::from_secs(3),
        Duration::from_millis(4_500),
        Duration::from_secs(30),
    )
    .with_pause(Duration::from_secs(11));

    /// Returns a policy without a pause after the first observation.
    pub const fn new(first: Duration, every: Duration, ceiling: Duration) -> Self {
        Self {
            first,
            pause: first,
            every,
            ceiling,
        }
    }

    /// Sets the minimum time from the accepted request to the second observation.
    #[must_use]
    pub const fn with_pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// Returns the policy with all times divided by `factor`, for simulated clouds in fast motion. A factor that is
    /// not a positive number changes nothing.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use lifecycle_core::PollingPolicy;
    ///
    /// let fast = PollingPolicy::DEFAULT.divided_by(10.0);
    /// assert_eq!(fast.first, Duration::from_millis(300));
    /// assert_eq!(PollingPolicy::DEFAULT.divided_by(0.0), PollingPolicy::DEFAULT);
    /// ```
    #[must_use]
    pub fn divided_by(self, factor: f64) -> Self {
        if !(factor.is_finite() && factor > 0.0) {
            return self;
        }
        let shorter = |time: Duration| {
            // A time of years is out of range after a division by a tiny factor.
            Duration::try_from_secs_f64(time.as_secs_f64() / factor).unwrap_or(time)
        };
        Self {
            first: shorter(self.first),
            pause: shorter(self.pause),
            every: shorter(self.every),
            ceiling: shorter(self.ceiling),
        }
    }

    /// Returns the time to the next observation, after an observation at this age of the accepted
    /// request.
    pub fn interval(&self, age: Duration) -> Duration {
        let share = (age / 10).clamp(self.every, self.ceiling.max(self.every));
        share.max(self.pause.saturating_sub(age))
    }
}

/// The names of the environment variables that together hold a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a reader of variables must handle every set"
)]
pub enum EnvVarNames {
    /// An access key.
    Keys {
        /// The variable with the access key id.
        id: &'static str,
        /// The variable with the secret access key.
        secret: &'static str,
        /// The variable with the session token of a temporary key, if the cloud has temporary keys.
        session: Option<&'static str>,
    },
    /// The variable with a bearer token.
    Token(&'static str),
}

impl fmt::Display for EnvVarNames {
    /// Writes the names of the required variables.
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
    use crate::{RebootOptions, StartOptions, StopOptions};

    #[test]
    fn intervals_grow_with_age_between_the_minimum_and_the_maximum() {
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

    fn profile(support: Support) -> Profile {
        let limits = BatchLimits::all(10)
            .with_start(5)
            .with_stop(7)
            .with_reboot(0)
            .with_observe(3);
        Profile::new("cloud", "Some Cloud", limits).with_support(support)
    }

    fn invalid(message: &str) -> Result<(), Fault> {
        Err(Fault::new(FaultKind::Invalid, message))
    }

    #[test]
    fn batch_has_at_least_one_instance_and_at_most_the_limit_of_the_action() {
        let profile = profile(Support::NONE.with_initialize_local_disk());
        let start = StartOptions::default();
        let erasing = start.with_local_disk(LocalDisk::Initialize);
        for (action, limit) in [
            (Action::from(start), 5),
            (Action::from(erasing), 1),
            (Action::from(ActionKind::Stop), 7),
            // A limit of 0 would make every batch impossible.
            (Action::from(ActionKind::Reboot), 1),
        ] {
            assert_eq!(profile.batch_limit(&action), limit, "{action}");
            assert_eq!(profile.check_batch(&action, 1), Ok(()), "{action}");
            assert_eq!(profile.check_batch(&action, limit), Ok(()), "{action}");
            for number in [0, limit + 1] {
                let message =
                    format!("{number} instances in one request; 1 to {limit} are allowed");
                let result = profile.check_batch(&action, number);
                assert_eq!(result, invalid(&message), "{action}");
            }
        }
        let all = BatchLimits::all(10);
        assert!(ActionKind::ALL.iter().all(|kind| all.of(*kind) == 10));
        assert_eq!(all.observe, 10);
    }

    #[test]
    fn observation_has_at_least_one_instance_and_at_most_the_limit() {
        let profile = profile(Support::NONE);
        for (number, expected) in [
            (0, invalid("0 instances in one request; 1 to 3 are allowed")),
            (1, Ok(())),
            (3, Ok(())),
            (4, invalid("4 instances in one request; 1 to 3 are allowed")),
        ] {
            assert_eq!(profile.check_observe(number), expected);
        }
    }

    #[test]
    fn action_is_supported_if_the_cloud_has_all_its_options() {
        const NONE: Support = Support::NONE;
        for (support, expected) in [
            (NONE, &["start", "stop", "reboot"][..]),
            (
                NONE.with_forced(),
                &["start", "stop", "stop, forced", "reboot", "reboot, forced"],
            ),
            (
                NONE.with_release_billing(),
                &["start", "stop", "stop, billing released", "reboot"],
            ),
            (
                NONE.with_initialize_local_disk(),
                &["start", "start, local disks initialised", "stop", "reboot"],
            ),
            (
                NONE.with_forced().with_release_billing(),
                &[
                    "start",
                    "stop",
                    "stop, billing released",
                    "stop, forced",
                    "stop, forced, billing released",
                    "reboot",
                    "reboot, forced",
                ],
            ),
        ] {
            let profile = profile(support);
            let supported: Vec<String> = Action::all_variants()
                .filter(|action| profile.supports(action).is_ok())
                .map(|action| action.to_string())
                .collect();
            assert_eq!(supported, expected, "{support:?}");
        }
    }

    #[test]
    fn unsupported_option_is_named_with_the_cloud() {
        let forced = StopOptions::default().with_mode(StopMode::Forced);
        let released = StopOptions::default().with_billing(StopBilling::Release);
        let reboot = RebootOptions::default().with_mode(StopMode::Forced);
        let erasing = StartOptions::default().with_local_disk(LocalDisk::Initialize);
        for (action, message) in [
            (Action::from(forced), "Some Cloud cannot force a stop"),
            (
                Action::from(released),
                "Some Cloud cannot stop billing at a stop",
            ),
            (Action::from(reboot), "Some Cloud cannot force a reboot"),
            (
                Action::from(erasing),
                "Some Cloud cannot initialise local disks at a start",
            ),
        ] {
            let expected = Err(Fault::new(FaultKind::Unsupported, message));
            let profile = profile(Support::NONE);
            assert_eq!(profile.supports(&action), expected);
            assert_eq!(profile.check_batch(&action, 1), expected);
        }
    }

    #[test]
    fn all_times_are_divided_by_a_positive_number_and_kept_otherwise() {
        let millis = Duration::from_millis;
        let fast = PollingPolicy::new(millis(300), millis(450), millis(3_000));
        assert_eq!(
            PollingPolicy::DEFAULT.divided_by(10.0),
            fast.with_pause(millis(1_100))
        );
        for factor in [0.0, -2.0, f64::NAN, f64::INFINITY, 1e-300] {
            let policy = PollingPolicy::DEFAULT.divided_by(factor);
            assert_eq!(policy, PollingPolicy::DEFAULT, "{factor}");
        }
    }
}
