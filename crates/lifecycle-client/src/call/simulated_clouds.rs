//! `SimulatedClouds`: clouds in memory that replace all real clouds.

use std::{fmt, sync::Arc};

use lifecycle_core::Credential;

use super::clock::Clock;
use crate::transport::Transport;

/// Clouds in memory, such as a simulator: the transport, the clock and the keys of all clouds at once.
///
/// A fleet takes the value as a whole, so that a test has one line instead of a setting for each part.
pub trait SimulatedClouds: fmt::Debug + Send + Sync + 'static {
    /// Returns the transport to the clouds.
    fn transport(&self) -> Arc<dyn Transport>;

    /// Returns the clock of the clouds.
    fn clock(&self) -> Arc<dyn Clock>;

    /// Returns the newest key of the cloud with this name; `None` if there is no such cloud.
    fn credential(&self, cloud: &str) -> Option<Credential>;

    /// Returns the project of the instances on clouds with projects.
    fn project(&self) -> Option<String> {
        None
    }

    /// Returns the factor by which the clouds are faster than real clouds. Polling intervals are divided by
    /// the factor.
    fn speed(&self) -> f64 {
        1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::clock::SystemClock;

    /// Clouds without any setting of their own.
    #[derive(Debug)]
    struct DefaultClouds;

    impl SimulatedClouds for DefaultClouds {
        fn transport(&self) -> Arc<dyn Transport> {
            unreachable!("no call is made")
        }

        fn clock(&self) -> Arc<dyn Clock> {
            Arc::new(SystemClock)
        }

        fn credential(&self, _: &str) -> Option<Credential> {
            None
        }
    }

    #[test]
    fn simulated_clouds_have_no_projects_and_the_speed_of_real_clouds_by_default() {
        assert_eq!(DefaultClouds.project(), None);
        assert_eq!(DefaultClouds.speed(), 1.0);
    }
}
