//! What goes wrong between a client and a cloud.

use std::time::Duration;

use crate::{Cloud, Operation, cloud_api::CallInfo};

/// One thing that goes wrong with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InjectedFault {
    /// Nobody answers at the cloud's address: the request provably never arrives. The HTTP server,
    /// which has taken the connection already, closes it unread instead.
    Unreachable,
    /// The connection is reset without an answer.
    Reset(FaultTiming),
    /// The connection stays open, and nothing ever comes.
    Silence(FaultTiming),
    /// A server or a proxy fails.
    ServerError {
        /// The status, such as 502.
        status: u16,
        /// What the body holds.
        body: ErrorBody,
        /// Whether the cloud had acted.
        when: FaultTiming,
    },
    /// A shield in front of the cloud wants to see a browser: 403 with the header
    /// `cf-mitigated: challenge` and a page. Zenlayer's Python and Java SDKs know it.
    Challenged,
    /// A shield in front of the cloud blocks the call: 451 without a body. Zenlayer's Python and Java
    /// SDKs know it.
    Blocked,
    /// The cloud says that calls come too fast, in its own form. It does not act.
    Throttled {
        /// How long to wait, where the cloud says so.
        hint: Option<Duration>,
    },
    /// The cloud acts; the connection breaks in the middle of the answer.
    Truncated,
    /// The cloud acts; the answer is a whole message with half a body.
    HalfBody,
    /// The cloud acts; the answer's body is no text.
    Garbage,
    /// The cloud acts; the answer's body is empty.
    EmptyBody,
    /// The cloud acts; the answer claims to be HTML.
    WrongContentType,
    /// The cloud acts at once; its answer comes late.
    Slow(Duration),
    /// The answer shows states as they were so long ago.
    Stale(Duration),
}

/// Whether a fault triggers before or after the cloud has acted on the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FaultTiming {
    /// Before: nothing happens.
    Before,
    /// After: the request has its effect, and only the answer is lost.
    After,
}

/// The body of a server error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorBody {
    /// Nothing.
    Empty,
    /// A page, as proxies send.
    Html,
    /// The cloud's own form.
    Json,
}

/// A mishap and the calls that it triggers.
///
/// ```
/// use lifecycle_sim::{Cloud, FaultRule, InjectedFault, Operation, FaultTiming};
///
/// // The answers to the second and third reboot at Huawei are lost, though they are executed.
/// FaultRule::new(InjectedFault::Reset(FaultTiming::After))
///     .at(Cloud::Huawei)
///     .on(Operation::Reboot)
///     .skip(1)
///     .times(2);
///
/// // One call in twenty is throttled, for ever.
/// FaultRule::new(InjectedFault::Throttled { hint: None }).chance(0.05).always();
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct FaultRule {
    fault: InjectedFault,
    cloud: Option<Cloud>,
    target: Target,
    skip: u64,
    /// How often it still triggers; `None` for ever.
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
    /// A mishap that triggers the next call, whatever it is.
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

    /// Strikes calls to this cloud only.
    #[must_use]
    pub fn at(mut self, cloud: Cloud) -> Self {
        self.cloud = Some(cloud);
        self
    }

    /// Strikes calls of this kind only.
    #[must_use]
    pub fn on(mut self, operation: Operation) -> Self {
        self.target = Target::Kind(operation);
        self
    }

    /// Strikes starts, stops and reboots only.
    #[must_use]
    pub fn on_actions(mut self) -> Self {
        self.target = Target::Actions;
        self
    }

    /// Strikes calls with this name in the cloud's own words only, such as `StopInstances`.
    #[must_use]
    pub fn on_named(mut self, name: impl Into<String>) -> Self {
        self.target = Target::Name(name.into());
        self
    }

    /// Lets so many matching calls pass first.
    #[must_use]
    pub fn skip(mut self, calls: u64) -> Self {
        self.skip = calls;
        self
    }

    /// Strikes so many calls. 1 unless said otherwise.
    #[must_use]
    pub fn times(mut self, calls: u64) -> Self {
        self.left = Some(calls);
        self
    }

    /// Strikes for ever.
    #[must_use]
    pub fn always(mut self) -> Self {
        self.left = None;
        self
    }

    /// Strikes a matching call with this probability, 0 to 1, hits from the simulator's seed.
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

    /// Takes note of a matching call; does the mishap strike it?
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

/// All mishaps that are waiting for their calls. The one injected first comes first; a call is
/// hit by one at most.
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

    /// The mishap that triggers this call.
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
            ids: 1,
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
    fn a_script_strikes_the_calls_it_names() {
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
    fn chance_follows_the_seed() {
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
