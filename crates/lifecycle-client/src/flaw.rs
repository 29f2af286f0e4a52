//! Mistakes made on purpose, so that tests can show that mistakes are noticed.
//!
//! Every function here gives back what it was given, unless the feature `flaws` is on and a client
//! was built with the flaw that it stands for.

use std::time::Duration;

use lifecycle_core::{Action, Effect, Fault, FaultKind, InstanceId, Receipt, Repeat, StopMode};

use crate::{book::Book, plan::Plan};

/// A mistake that a client makes on purpose. For the tests of the engine itself, never for users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(
    not(feature = "flaws"),
    expect(unreachable_pub, reason = "it is exported with the feature only")
)]
pub enum Flaw {
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

#[cfg(feature = "flaws")]
impl Flaw {
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
pub(crate) struct Flawed(pub(crate) Option<Flaw>);

impl Flawed {
    fn is(self, flaw: Flaw) -> bool {
        cfg!(feature = "flaws") && self.0 == Some(flaw)
    }

    pub(crate) fn plan(self, mut plan: Plan) -> Plan {
        if self.is(Flaw::DropsAnId) && plan.ids.len() > 1 {
            plan.ids.pop();
        }
        if self.is(Flaw::Forces) {
            match &mut plan.action {
                Some(Action::Stop(stop)) => stop.mode = StopMode::Forced,
                Some(Action::Reboot(reboot)) => reboot.mode = StopMode::Forced,
                _ => {}
            }
        }
        plan
    }

    pub(crate) fn book(self, book: Book) -> Book {
        if self.is(Flaw::TrustsRunning) {
            return book.trusting();
        }
        if self.is(Flaw::KeepsSilent) {
            return book.silent();
        }
        book
    }

    pub(crate) fn time(self, time: Duration) -> Duration {
        time * if self.is(Flaw::IgnoresTheDeadline) {
            2
        } else {
            1
        }
    }

    pub(crate) fn batches(self, batches: Vec<Vec<InstanceId>>) -> Vec<Vec<InstanceId>> {
        if !self.is(Flaw::SplitsBatches) {
            return batches;
        }
        let halves = |batch: Vec<InstanceId>| {
            let half = batch.len().div_ceil(2).max(1);
            batch.chunks(half).map(<[_]>::to_vec).collect::<Vec<_>>()
        };
        batches.into_iter().flat_map(halves).collect()
    }

    pub(crate) fn repeat(self, repeat: Repeat) -> Repeat {
        if self.is(Flaw::RepeatsReboots) {
            return Repeat::Safe("a flaw");
        }
        repeat
    }

    pub(crate) fn admission(self, admission: Result<(), Fault>) -> Result<(), Fault> {
        if self.is(Flaw::UsesRefusedKeys) {
            return Ok(());
        }
        admission
    }

    pub(crate) fn effect(self, effect: Effect) -> Effect {
        if self.is(Flaw::BelievesALostAnswer) {
            return Effect::None;
        }
        effect
    }

    pub(crate) fn is_per_instance(self, kind: FaultKind) -> bool {
        kind.is_per_instance() || self.is(Flaw::HalvesOnAnything)
    }

    pub(crate) fn receipt(self, receipt: Receipt) -> Receipt {
        match receipt {
            Receipt::Except(_) | Receipt::Each { .. } if self.is(Flaw::IgnoresFailedIds) => {
                Receipt::All
            }
            receipt => receipt,
        }
    }

    pub(crate) fn leaves_quietly(self) -> bool {
        !self.is(Flaw::LooksForNobody)
    }
}
