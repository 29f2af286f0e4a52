//! A fleet of simulated clouds, for tests.

use std::sync::Arc;

use lifecycle_client::SimulatedClouds;
use lifecycle_core::EmptyHost;

use super::{Fleet, FleetBuilder, connect::Connector};

impl Fleet {
    /// Returns a fleet of simulated clouds: with the transport, the clock, the keys and the project of `clouds`,
    /// without variables and files of this machine, and with polling intervals that fit the speed of
    /// `clouds`.
    ///
    /// [`FleetBuilder::simulated`] has the same settings, and takes further ones.
    ///
    /// # Examples
    /// ```
    /// use lifecycle_facade::Fleet;
    /// use lifecycle_sim::Simulator;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let simulator = Simulator::builder().fleet("huawei/cn-north-4=2,baidu/bj=1")?.build();
    /// let fleet = Fleet::simulated(&simulator);
    /// # drop(fleet);
    /// # Ok(())
    /// # }
    /// ```
    pub fn simulated(clouds: &(impl SimulatedClouds + Clone)) -> Self {
        let builder = Self::builder().simulated(clouds);
        Self {
            connector: Arc::new(Connector::new(
                builder.settings,
                SimulatedClouds::transport(clouds),
            )),
        }
    }
}

impl FleetBuilder {
    /// Connects the fleet to simulated clouds: see [`Fleet::simulated`]. Later calls replace single settings.
    /// Accounts keep their own credential sources.
    ///
    /// # Examples
    /// ```
    /// use lifecycle_facade::{Fleet, Protection};
    /// use lifecycle_sim::Simulator;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let simulator = Simulator::builder().fleet("baidu/bj=1;name=db-1")?.build();
    /// let fleet = Fleet::builder()
    ///     .simulated(&simulator)
    ///     .protection(Protection::default())
    ///     .build()?;
    /// # drop(fleet);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn simulated(mut self, clouds: &(impl SimulatedClouds + Clone)) -> Self {
        self.transport = Some(SimulatedClouds::transport(clouds));
        self.settings.clock = SimulatedClouds::clock(clouds);
        self.settings.host = Arc::new(EmptyHost);
        self.settings.project = clouds.project();
        self.settings.simulated = Some(Arc::new(clouds.clone()));
        self
    }
}
