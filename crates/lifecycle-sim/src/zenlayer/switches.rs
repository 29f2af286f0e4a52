//! What nobody outside the vendor knows about Zenlayer ZEC.

/// How the simulated Zenlayer ZEC behaves where its documents are silent.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Switches {}

impl Switches {
    /// Every setting drawn by chance.
    pub(crate) fn random(_chance: &mut fastrand::Rng) -> Self {
        Self {}
    }
}
