//! Mistakes made on purpose, so that tests can show that mistakes are noticed.
//!
//! Every function here gives back what it was given, unless the feature `mutations` is on and a client
//! was built with the flaw that it stands for.

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
    pub(crate) fn is(self, mutation: Mutation) -> bool {
        cfg!(feature = "mutations") && self.0 == Some(mutation)
    }
}
