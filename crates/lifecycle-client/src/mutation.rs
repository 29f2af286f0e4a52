//! Deliberate bugs of the client (mutations). Tests inject a bug to prove that the checks find the
//! bug.
//!
//! The hooks are in the plan, in the tracker and in the sender of a power request.

/// A deliberate mistake of a client. For tests of the engine, never for users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[cfg_attr(
    not(feature = "mutations"),
    expect(unreachable_pub, reason = "exported with the feature only")
)]
pub enum Mutation {
    /// Resends a reboot after a lost response.
    RetriesReboots,
    /// Drops the last of several instances.
    DropsAnId,
    /// Accepts the state `running` as evidence of a reboot.
    TrustsRunning,
    /// Treats a successful response as success for all instances, including the failed ones.
    IgnoresFailedIds,
    /// Uses rejected keys.
    UsesRefusedKeys,
    /// Waits for twice the time limit.
    IgnoresTheDeadline,
    /// Treats a lost response as a rejection.
    TreatsLostResponseAsRejection,
    /// Bisects a batch after every rejection.
    BisectsAfterAnyRejection,
    /// Sends half as many instances in a call as the limit allows.
    SplitsBatches,
    /// Forces a graceful stop.
    Forces,
    /// Polls without waiters.
    PollsWithoutWaiters,
    /// Emits no events.
    EmitsNoEvents,
}

#[cfg(feature = "mutations")]
impl Mutation {
    /// All mutations.
    pub const ALL: [Self; 12] = [
        Self::RetriesReboots,
        Self::DropsAnId,
        Self::TrustsRunning,
        Self::IgnoresFailedIds,
        Self::UsesRefusedKeys,
        Self::IgnoresTheDeadline,
        Self::TreatsLostResponseAsRejection,
        Self::BisectsAfterAnyRejection,
        Self::SplitsBatches,
        Self::Forces,
        Self::PollsWithoutWaiters,
        Self::EmitsNoEvents,
    ];
}

/// The mutation of a client; none outside of tests.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mutant(pub(crate) Option<Mutation>);

impl Mutant {
    /// Returns whether the client has this mutation. Always `false` without the feature.
    pub(crate) fn is(self, mutation: Mutation) -> bool {
        cfg!(feature = "mutations") && self.0 == Some(mutation)
    }
}
