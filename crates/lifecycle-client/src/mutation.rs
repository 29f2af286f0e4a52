//! Mistakes made on purpose, so that tests can show that mistakes are noticed.
//!
//! Every function here gives back what it was given, unless the feature `mutations` is on and a client
//! was built with the flaw that it stands for.

use std::time::Duration;

use lifecycle_core::{
    Action, BatchAck, ExecutionStatus, Fault, FaultKind, Idempotency, InstanceId, StopMode,
};

use crate::{power::plan::Plan, power::tracker::OutcomeTracker};

/// A mistake that a client makes on purpose. For the tests of the engine itself, never for users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(
    not(feature = "mutations"),
    expect(unreachable_pub, reason = "it is exported with the feature only")
)]
pub enum Mutation {
    /// Sends a reboot again when its answer is lost.
    RepeatsReboots,
    /// Forgets the last of several instances.
    DropsAnId,
    /// Takes "running" for the proof of a reboot.
    TrustsRunning,
    /// Takes a good answer as good for all, whichever instances it says have failed.
    IgnoresFailedIds,
    /// Goes on with a key that was refused.
    UsesRefusedKeys,
    /// Takes twice the time that it was given.
    IgnoresTheDeadline,
    /// Takes a lost answer for a refusal.
    BelievesALostAnswer,
    /// Searches for a culprit whatever the cloud refuses for.
    HalvesOnAnything,
    /// Puts half as many instances into a call as there could be.
    SplitsBatches,
    /// Cuts the power where it was asked to be graceful.
    Forces,
    /// Goes on looking when nobody waits any more.
    LooksForNobody,
    /// Says nothing when the outcome of an instance is final.
    KeepsSilent,
}

#[cfg(feature = "mutations")]
impl Mutation {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::RepeatsReboots,
        Self::DropsAnId,
        Self::TrustsRunning,
        Self::IgnoresFailedIds,
        Self::UsesRefusedKeys,
        Self::IgnoresTheDeadline,
        Self::BelievesALostAnswer,
        Self::HalvesOnAnything,
        Self::SplitsBatches,
        Self::Forces,
        Self::LooksForNobody,
        Self::KeepsSilent,
    ];
}

/// The flaw of a client; none outside the tests of the engine.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mutant(pub(crate) Option<Mutation>);

impl Mutant {
    fn is(self, mutation: Mutation) -> bool {
        cfg!(feature = "mutations") && self.0 == Some(mutation)
    }

    pub(crate) fn plan(self, mut plan: Plan) -> Plan {
        if self.is(Mutation::DropsAnId) && plan.ids.len() > 1 {
            plan.ids.pop();
        }
        if self.is(Mutation::Forces) {
            match &mut plan.action {
                Some(Action::Stop(stop)) => stop.mode = StopMode::Forced,
                Some(Action::Reboot(reboot)) => reboot.mode = StopMode::Forced,
                _ => {}
            }
        }
        plan
    }

    pub(crate) fn tracker(self, tracker: OutcomeTracker) -> OutcomeTracker {
        if self.is(Mutation::TrustsRunning) {
            return tracker.trusting();
        }
        if self.is(Mutation::KeepsSilent) {
            return tracker.silent();
        }
        tracker
    }

    pub(crate) fn time(self, time: Duration) -> Duration {
        time * if self.is(Mutation::IgnoresTheDeadline) {
            2
        } else {
            1
        }
    }

    pub(crate) fn batches(self, batches: Vec<Vec<InstanceId>>) -> Vec<Vec<InstanceId>> {
        if !self.is(Mutation::SplitsBatches) {
            return batches;
        }
        let halves = |batch: Vec<InstanceId>| {
            let half = batch.len().div_ceil(2).max(1);
            batch.chunks(half).map(<[_]>::to_vec).collect::<Vec<_>>()
        };
        batches.into_iter().flat_map(halves).collect()
    }

    pub(crate) fn repeat(self, repeat: Idempotency) -> Idempotency {
        if self.is(Mutation::RepeatsReboots) {
            return Idempotency::Idempotent("a flaw");
        }
        repeat
    }

    pub(crate) fn admission(self, admission: Result<(), Fault>) -> Result<(), Fault> {
        if self.is(Mutation::UsesRefusedKeys) {
            return Ok(());
        }
        admission
    }

    pub(crate) fn effect(self, effect: ExecutionStatus) -> ExecutionStatus {
        if self.is(Mutation::BelievesALostAnswer) {
            return ExecutionStatus::NotExecuted;
        }
        effect
    }

    pub(crate) fn is_per_instance(self, kind: FaultKind) -> bool {
        kind.is_per_instance() || self.is(Mutation::HalvesOnAnything)
    }

    pub(crate) fn receipt(self, receipt: BatchAck) -> BatchAck {
        match receipt {
            BatchAck::Except(_) | BatchAck::Each { .. } if self.is(Mutation::IgnoresFailedIds) => {
                BatchAck::All
            }
            receipt => receipt,
        }
    }

    pub(crate) fn leaves_quietly(self) -> bool {
        !self.is(Mutation::LooksForNobody)
    }
}
