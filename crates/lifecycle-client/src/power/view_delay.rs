//! The delay of the views that a cloud shows of its instances.

use std::time::Duration;

/// The highest delay of a view. A choice: no cloud documents a delay, and the Terraform provider of one
/// cloud expects a lag.
pub(crate) const LATEST_VIEW: Duration = Duration::from_secs(15);
