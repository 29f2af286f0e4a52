//! What nobody outside the vendor knows about Huawei ECS.

/// How the simulated Huawei ECS behaves where its documents are silent.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Switches {}

impl Switches {
    /// Every setting drawn by chance.
    pub(crate) fn random(_chance: &mut fastrand::Rng) -> Self {
        Self {}
    }
}
