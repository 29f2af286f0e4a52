//! `IntoLocation`: the accepted types of location arguments.

use super::{FleetError, Location};

/// A location, as a value or as text such as `aliyun/cn-hangzhou`.
///
/// Implemented for `Location`, `&Location`, `&str`, `String` and `&String`.
pub trait IntoLocation: sealed::Sealed {
    /// Returns the location.
    ///
    /// # Errors
    /// [`FleetError::InvalidReference`] for text that is not a location.
    fn into_location(self) -> Result<Location, FleetError>;
}

impl<L: TryInto<Location, Error: Into<FleetError>>> IntoLocation for L {
    fn into_location(self) -> Result<Location, FleetError> {
        self.try_into().map_err(Into::into)
    }
}

mod sealed {
    use super::{FleetError, Location};

    pub trait Sealed {}

    impl<L: TryInto<Location, Error: Into<FleetError>>> Sealed for L {}
}
