//! Faults between a client and a cloud, and the rules that inject them.

use std::time::Duration;

use crate::{Cloud, Operation, cloud_api::CallInfo};

/// A fault of one call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InjectedFault {
    /// The connection is refused: the request provably does not reach the cloud. The HTTP server
    /// has already accepted the connection and closes it unread instead.
    Unreachable,
    /// The connection is reset without a response.
    Reset(FaultTiming),
    /// The connection stays open without a response.
    Silence(FaultTiming),
    /// A server or a proxy fails.
    ServerError {
        /// The status, such as 502.
        status: u16,
        /// The format of the body.
        body: ErrorBody,
        /// The time of the fault.
        when: FaultTiming,
    },
    /// A protection service in front of the cloud requires a browser: 403 with the header
    /// `cf-mitigated: challenge` and a page. Zenlayer's Python and Java SDKs handle this response.
    Challenged,
    /// A protection service in front of the cloud blocks the call: 451 without a body. Zenlayer's
    /// Python and Java SDKs handle this response.
    Blocked,
    /// The cloud rejects the call because of too many calls, in the format of the cloud. The
    /// request is not executed.
    Throttled {
        /// The time to wait, if the response names a time.
        hint: Option<Duration>,
    },
    /// The request is executed; the connection breaks in the middle of the response.
    Truncated,
    /// The request is executed; the response is complete, with half of the body.
    HalfBody,
    /// The request is executed; the body of the response is not text.
    Garbage,
    /// The request is executed; the body of the response is empty.
    EmptyBody,
    /// The request is executed; the content type of the response is HTML.
    WrongContentType,
    /// The request is executed immediately; the response is delayed.
    Slow(Duration),
    /// The response shows states of this age.
    Stale(Duration),
}

/// The time of a fault: before or after the execution of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FaultTiming {
    /// The fault occurs before the execution: the request has no effect.
    Before,
    /// The fault occurs after the execution: the request has an effect, and only the response is lost.
    After,
}

/// The body of a server error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorBody {
    /// An empty body.
    Empty,
    /// An HTML page, as from a proxy.
    Html,
    /// The error format of the cloud.
    Json,
}

/// A rule that injects a fault into matching calls.
///
/// ```
/// use lifecycle_sim::{Cloud, FaultRule, InjectedFault, Operation, FaultTiming};
///
/// // The second and third reboot at Huawei are executed, and the responses are lost.
/// FaultRule::new(InjectedFault::Reset(FaultTiming::After))
///     .at(Cloud::Huawei)
///     .on(Operation::Reboot)
///     .skip(1)
///     .times(2);
///
/// // One call in twenty is throttled, without a limit.
/// FaultRule::new(InjectedFault::Throttled { hint: None }).chance(0.05).always();
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct FaultRule {
    fault: InjectedFault,
    cloud: Option<Cloud>,
    target: Target,
    skip: u64,
    /// The number of further faults, or `None` for no limit.
    left: Option<u64>,
    chance: f64,
}

#[derive(Clone, Debug, PartialEq)]
enum Target {
    Any,
    Actions,
    Kind(Operation),
    Name(String),
}

impl FaultRule {
    /// Creates a rule that injects the fault into the next call of any kind.
    pub fn new(fault: InjectedFault) -> Self {
        Self {
            fault,
            cloud: None,
            target: Target::Any,
            skip: 0,
            left: Some(1),
            chance: 1.0,
        }
    }

    /// Restricts the rule to calls to this cloud.
    #[must_use]
    pub fn at(mut self, cloud: Cloud) -> Self {
        self.cloud = Some(cloud);
        self
    }

    /// Restricts the rule to calls of this kind.
    #[must_use]
    pub fn on(mut self, operation: Operation) -> Self {
        self.target = Target::Kind(operation);
        self
    }

    /// Restricts the rule to starts, stops and reboots.
    #[must_use]
    pub fn on_actions(mut self) -> Self {
        self.target = Target::Actions;
        self
    }

    /// Restricts the rule to calls with this name in the API of the cloud, such as `StopInstances`.
    #[must_use]
    pub fn on_named(mut self, name: impl Into<String>) -> Self {
        self.target = Target::Name(name.into());
        self
    }

    /// Skips this number of matching calls first.
    #[must_use]
    pub fn skip(mut self, calls: u64) -> Self {
        self.skip = calls;
        self
    }

    /// Sets the number of injected faults; 1 by default.
    #[must_use]
    pub fn times(mut self, calls: u64) -> Self {
        self.left = Some(calls);
        self
    }

    /// Injects the fault without a limit.
    #[must_use]
    pub fn always(mut self) -> Self {
        self.left = None;
        self
    }

    /// Injects the fault with this probability, 0 to 1, drawn from the simulator's seed.
    #[must_use]
    pub fn chance(mut self, probability: f64) -> Self {
        self.chance = probability.clamp(0.0, 1.0);
        self
    }

    fn matches(&self, cloud: Cloud, call: &CallInfo) -> bool {
        let target = match &self.target {
            Target::Any => true,
            Target::Actions => call.operation.is_action(),
            Target::Kind(operation) => *operation == call.operation,
            Target::Name(name) => name == call.name,
        };
        target && self.cloud.is_none_or(|wanted| wanted == cloud)
    }

    /// Counts a matching call and reports whether the call gets the fault.
    fn triggers(&mut self, rng: &mut fastrand::Rng) -> bool {
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        if self.chance < 1.0 && rng.f64() >= self.chance {
            return false;
        }
        if let Some(left) = &mut self.left {
            *left -= 1;
        }
        true
    }
}

/// All active rules, in the order of injection. A call gets one fault at most.
#[derive(Debug, Default)]
pub(crate) struct FaultRules(Vec<FaultRule>);

impl FaultRules {
    pub(crate) fn add(&mut self, rule: FaultRule) {
        if rule.left != Some(0) {
            self.0.push(rule);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Returns the fault of this call.
    pub(crate) fn next_fault(
        &mut self,
        cloud: Cloud,
        call: &CallInfo,
        rng: &mut fastrand::Rng,
    ) -> Option<InjectedFault> {
        let position = self
            .0
            .iter_mut()
            .position(|rule| rule.matches(cloud, call) && rule.triggers(rng))?;
        let rule = self.0.get(position)?;
        let fault = rule.fault.clone();
        if rule.left == Some(0) {
            self.0.remove(position);
        }
        Some(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(operation: Operation) -> CallInfo {
        CallInfo {
            operation,
            name: "RebootInstances",
            id_count: 1,
            key: String::new(),
        }
    }

    fn hits(fault_rules: &mut FaultRules, operation: Operation, calls: usize) -> Vec<bool> {
        let mut rng = fastrand::Rng::with_seed(1);
        (0..calls)
            .map(|_| {
                fault_rules
                    .next_fault(Cloud::Huawei, &call(operation), &mut rng)
                    .is_some()
            })
            .collect()
    }

    #[test]
    fn rule_injects_faults_only_into_matching_calls() {
        let mut fault_rules = FaultRules::default();
        fault_rules.add(
            FaultRule::new(InjectedFault::Unreachable)
                .at(Cloud::Huawei)
                .on(Operation::Reboot)
                .skip(1)
                .times(2),
        );
        assert_eq!(hits(&mut fault_rules, Operation::Start, 3), [false; 3]);
        let hit = hits(&mut fault_rules, Operation::Reboot, 5);
        assert_eq!(hit, [false, true, true, false, false]);
        assert!(fault_rules.0.is_empty());

        fault_rules.add(FaultRule::new(InjectedFault::Unreachable).at(Cloud::Baidu));
        fault_rules.add(
            FaultRule::new(InjectedFault::Garbage)
                .on_named("RebootInstances")
                .always(),
        );
        assert_eq!(hits(&mut fault_rules, Operation::Reboot, 2), [true; 2]);
        fault_rules.clear();
        fault_rules.add(FaultRule::new(InjectedFault::Garbage).on_actions());
        assert_eq!(hits(&mut fault_rules, Operation::List, 1), [false]);
        assert_eq!(hits(&mut fault_rules, Operation::Stop, 1), [true]);
    }

    #[test]
    fn random_faults_follow_the_seed() {
        let mut fault_rules = FaultRules::default();
        fault_rules.add(
            FaultRule::new(InjectedFault::Unreachable)
                .chance(0.25)
                .always(),
        );
        let hit = hits(&mut fault_rules, Operation::Stop, 4_000);
        let share = hit.iter().filter(|hit| **hit).count();
        assert!((900..1_100).contains(&share), "{share}");
        assert_eq!(hit, hits(&mut fault_rules, Operation::Stop, 4_000));
    }
}
