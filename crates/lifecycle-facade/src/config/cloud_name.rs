//! The name of a cloud in a configuration file.

use std::fmt;

use super::schema::CloudSettings;
use crate::cloud::{CloudData, Clouds};

/// A cloud, also a cloud that this build was not compiled with.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CloudName(&'static CloudData);

impl CloudName {
    /// Returns the name in references.
    pub const fn as_str(self) -> &'static str {
        self.0.name
    }

    /// Returns the cloud, in a build with the cloud.
    ///
    /// # Errors
    /// [`ParseReferenceError`](crate::ParseReferenceError) names the missing feature.
    #[cfg(feature = "_cloud")]
    pub fn in_this_build(self) -> Result<crate::Cloud, crate::ParseReferenceError> {
        self.0.name.parse()
    }

    pub(super) fn all(clouds: Clouds<'_>) -> impl Iterator<Item = Self> + Clone {
        clouds.iter().copied().map(Self)
    }

    pub(super) fn settings(self) -> &'static CloudSettings {
        &self.0.settings
    }
}

impl fmt::Display for CloudName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for CloudName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
