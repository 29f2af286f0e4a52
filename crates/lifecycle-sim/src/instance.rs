//! One simulated instance. The state follows from the last power operation and the time.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use crate::{ExecutionCounts, Impairment, PowerOperation, SimulatedState, time::Moment};

/// The state of an instance at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InstanceSnapshot {
    pub(crate) state: SimulatedState,
    /// The operation in progress.
    pub(crate) operation: Option<PowerOperation>,
    /// The finished part of the operation, 0 to 1. A reboot can show two states, one after the other.
    pub(crate) progress: f64,
}

/// One instance. No state is stored: [`InstanceSnapshot`] is computed for each moment.
#[derive(Clone, Debug)]
pub(crate) struct Instance {
    id: Arc<str>,
    /// Counts the instances of one cloud from 0, in the order of creation.
    pub(crate) number: u32,
    /// The position of the region in the cloud's list of regions.
    pub(crate) region: u16,
    /// Marks an instance that no call finds any more.
    pub(crate) deleted: bool,
    pub(crate) impairment: Option<Impairment>,
    pub(crate) executed: ExecutionCounts,
    /// The power before `transition`.
    power_before: Power,
    transition: Option<Transition>,
    /// The last boot before `transition`, in microseconds since 1970.
    booted_before: i64,
}

/// The power of an instance without an operation in progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Power {
    Running,
    Stopped,
}

#[derive(Clone, Copy, Debug)]
struct Transition {
    operation: PowerOperation,
    accepted_at: Moment,
    visible_at: Moment,
    done_at: Moment,
}

impl Instance {
    pub(crate) fn new(id: Arc<str>, number: u32, region: u16, power: Power, booted: i64) -> Self {
        Self {
            id,
            number,
            region,
            deleted: false,
            impairment: None,
            executed: ExecutionCounts::default(),
            power_before: power,
            transition: None,
            booted_before: booted,
        }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn shared_id(&self) -> Arc<str> {
        Arc::clone(&self.id)
    }

    /// Begins `operation` in any state and returns the moment of completion.
    pub(crate) fn begin(
        &mut self,
        operation: PowerOperation,
        now: Moment,
        lag: Duration,
        duration: Duration,
        epoch: i64,
    ) -> Moment {
        self.booted_before = self.booted(now, epoch);
        self.power_before = match self.actual(now).state {
            SimulatedState::Running => Power::Running,
            // Until the operation is visible, observations show the state before its result.
            SimulatedState::Starting | SimulatedState::Stopping | SimulatedState::Rebooting
                if operation != PowerOperation::Start =>
            {
                Power::Running
            }
            _ => Power::Stopped,
        };
        let ignores_stop = self.impairment == Some(Impairment::Stubborn);
        let done_at = if ignores_stop && operation == PowerOperation::Stop {
            Moment::NEVER
        } else {
            now.after(duration)
        };
        self.transition = Some(Transition {
            operation,
            accepted_at: now,
            visible_at: now.after(lag).min(done_at),
            done_at,
        });
        done_at
    }

    /// Returns the actual state.
    pub(crate) fn actual(&self, at: Moment) -> InstanceSnapshot {
        self.snapshot(at, |transition| transition.accepted_at)
    }

    /// Returns the observed state, which can lag behind an accepted operation.
    pub(crate) fn observed(&self, at: Moment) -> InstanceSnapshot {
        self.snapshot(at, |transition| transition.visible_at)
    }

    fn snapshot(&self, at: Moment, begin: fn(&Transition) -> Moment) -> InstanceSnapshot {
        let settled = |state| InstanceSnapshot {
            state,
            operation: None,
            progress: 1.0,
        };
        if let Some(state) = self.impairment.and_then(Impairment::state) {
            return settled(state);
        }
        let before = match self.power_before {
            Power::Running => SimulatedState::Running,
            Power::Stopped => SimulatedState::Stopped,
        };
        let Some(transition) = &self.transition else {
            return settled(before);
        };
        let operation = transition.operation;
        if at < begin(transition) {
            return settled(before);
        }
        if at < transition.done_at {
            let since_begin = |moment: Moment| moment.since(transition.accepted_at).as_secs_f64();
            let duration_seconds = since_begin(transition.done_at);
            return InstanceSnapshot {
                state: operation.transitional(),
                operation: Some(operation),
                progress: since_begin(at) / duration_seconds.max(f64::MIN_POSITIVE),
            };
        }
        if self.impairment == Some(Impairment::FailsToBoot) && operation.is_boot() {
            return settled(SimulatedState::Failed);
        }
        settled(operation.target())
    }

    /// Returns the time of the last boot, as an observation at `at` shows it.
    pub(crate) fn started_at(&self, at: Moment, epoch: i64) -> Timestamp {
        Timestamp::from_microsecond(self.booted(at, epoch)).unwrap_or_default()
    }

    fn booted(&self, at: Moment, epoch: i64) -> i64 {
        match &self.transition {
            Some(transition) if transition.operation.is_boot() && at >= transition.done_at => {
                let elapsed = transition.done_at.elapsed().as_micros();
                epoch.saturating_add(i64::try_from(elapsed).unwrap_or_default())
            }
            _ => self.booted_before,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPOCH: i64 = 1_000_000_000_000_000;

    fn at(seconds: u64) -> Moment {
        Moment::since_start(Duration::from_secs(seconds))
    }

    fn instance(power: Power) -> Instance {
        Instance::new("i-1".into(), 0, 0, power, EPOCH)
    }

    fn begin(instance: &mut Instance, operation: PowerOperation, now: u64) {
        instance.begin(
            operation,
            at(now),
            Duration::from_secs(2),
            Duration::from_secs(10),
            EPOCH,
        );
    }

    #[test]
    fn reboot_shows_after_the_lag_and_ends_with_a_new_start_time() {
        let mut instance = instance(Power::Running);
        let before = instance.started_at(at(5), EPOCH);
        begin(&mut instance, PowerOperation::Reboot, 10);
        assert_eq!(instance.actual(at(10)).state, SimulatedState::Rebooting);
        assert_eq!(
            instance.observed(at(11)).state,
            SimulatedState::Running,
            "not visible yet"
        );
        assert_eq!(instance.observed(at(12)).state, SimulatedState::Rebooting);
        assert_eq!(instance.started_at(at(19), EPOCH), before);
        assert_eq!(instance.observed(at(20)).state, SimulatedState::Running);
        assert_ne!(instance.started_at(at(20), EPOCH), before);
    }

    #[test]
    fn stop_during_a_boot_does_not_show_stopped_before_completion() {
        let mut instance = instance(Power::Stopped);
        begin(&mut instance, PowerOperation::Start, 0);
        begin(&mut instance, PowerOperation::Stop, 5);
        assert_eq!(instance.observed(at(6)).state, SimulatedState::Running);
        assert_eq!(instance.observed(at(7)).state, SimulatedState::Stopping);
        assert_eq!(instance.observed(at(15)).state, SimulatedState::Stopped);
    }

    #[test]
    fn impairment_changes_the_state_or_the_result_of_an_operation() {
        let mut stubborn = instance(Power::Running);
        stubborn.impairment = Some(Impairment::Stubborn);
        begin(&mut stubborn, PowerOperation::Stop, 0);
        assert_eq!(stubborn.actual(at(100_000)).state, SimulatedState::Stopping);
        begin(&mut stubborn, PowerOperation::ForcedStop, 100_000);
        assert_eq!(stubborn.actual(at(100_010)).state, SimulatedState::Stopped);

        let mut broken = instance(Power::Stopped);
        broken.impairment = Some(Impairment::FailsToBoot);
        begin(&mut broken, PowerOperation::Start, 0);
        assert_eq!(broken.actual(at(9)).state, SimulatedState::Starting);
        assert_eq!(broken.actual(at(10)).state, SimulatedState::Failed);

        let mut locked = instance(Power::Running);
        locked.impairment = Some(Impairment::Locked);
        assert_eq!(locked.observed(at(0)).state, SimulatedState::Running);
        locked.impairment = Some(Impairment::Expired);
        assert_eq!(locked.observed(at(0)).state, SimulatedState::Expired);
    }

    #[test]
    fn instance_takes_at_most_120_bytes() {
        assert!(
            size_of::<Instance>() <= 120,
            "{} bytes",
            size_of::<Instance>()
        );
    }
}
