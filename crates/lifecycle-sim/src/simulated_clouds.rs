//! The simulator as [`SimulatedClouds`]: a fleet connects to all clouds at once.

use std::sync::Arc;

use lifecycle_client::{Clock, SimulatedClouds, Transport};
use lifecycle_core::Credential;

use crate::{Cloud, Simulator};

impl SimulatedClouds for Simulator {
    fn transport(&self) -> Arc<dyn Transport> {
        Arc::new(self.transport())
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(self.clock())
    }

    fn credential(&self, cloud: &str) -> Option<Credential> {
        let mut clouds = Cloud::ALL.into_iter();
        let cloud = clouds.find(|known| known.as_str() == cloud)?;
        Some(self.credential(cloud))
    }

    fn project(&self) -> Option<String> {
        Some(self.project_id())
    }

    fn speed(&self) -> f64 {
        self.speed
    }
}
