//! Several clouds behind one object.

mod account;
mod builder;
mod connect;
mod error;
#[cfg(feature = "config")]
mod from_config;
mod location;
mod lock;
mod probe;
mod project;
mod settings;
mod target;

use std::{collections::BTreeMap, sync::Arc, time::SystemTime};

use lifecycle_client::{
    CallCounts, Client, CredentialProvider, IntoInstances, ListRequest, ObserveRequest,
    TransportError,
};
use lifecycle_core::{Endpoint, PowerState, RebootOptions, StartOptions, StopOptions};

pub use account::{Account, CredentialSettings, CredentialSourceFactory};
pub use builder::FleetBuilder;
pub use error::FleetError;
pub use location::{InstanceReference, IntoLocation, Location};
pub use probe::DoctorProbe;
pub use target::{FleetEvent, FleetEventStream, FleetReport, FleetRequest, FleetRow, FleetWait};

use connect::Connector;

/// Instances in several clouds and regions, named by [`InstanceReference`]s.
///
/// A fleet connects to a location at the first use, with one [`Client`] per location. All clones share
/// the clients.
#[derive(Clone, Debug)]
pub struct Fleet {
    connector: Arc<Connector>,
}

impl Fleet {
    /// Returns a fleet with the keys of the clouds' own tools on this machine: variables, files and
    /// metadata services.
    ///
    /// # Errors
    /// [`FleetError::Setup`] if the HTTP client cannot be set up.
    pub fn from_environment() -> Result<Self, FleetError> {
        Self::builder().build()
    }

    /// Returns a builder with the default settings.
    pub fn builder() -> FleetBuilder {
        FleetBuilder::default()
    }

    /// Starts stopped instances. Await the request for a [`FleetReport`].
    pub fn start(&self, references: impl IntoInstances<Self>) -> FleetRequest<StartOptions> {
        FleetRequest::new(self.clone(), references, StartOptions::default())
    }

    /// Stops running instances, gracefully by default. Await the request for a [`FleetReport`].
    pub fn stop(&self, references: impl IntoInstances<Self>) -> FleetRequest<StopOptions> {
        FleetRequest::new(self.clone(), references, StopOptions::default())
    }

    /// Reboots running instances, gracefully by default. Each instance is rebooted at most once.
    /// Await the request for a [`FleetReport`].
    pub fn reboot(&self, references: impl IntoInstances<Self>) -> FleetRequest<RebootOptions> {
        FleetRequest::new(self.clone(), references, RebootOptions::default())
    }

    /// Waits until instances are in the state `goal`. Sends no action.
    pub fn wait(&self, references: impl IntoInstances<Self>, goal: PowerState) -> FleetWait {
        FleetWait::new(self.clone(), references, goal)
    }

    /// Reads the states of instances once.
    pub fn observe(&self, references: impl IntoInstances<Self>) -> ObserveRequest<Self> {
        ObserveRequest::new(self.clone(), references)
    }

    /// Reads all instances of one location.
    pub fn list(&self, location: impl IntoLocation) -> ListRequest<Self> {
        ListRequest::new(self.clone(), location.into_location())
    }

    /// Returns the connected client of one location.
    ///
    /// # Errors
    /// [`FleetError`] for an invalid location, or if the location has no key.
    pub async fn client(&self, location: impl IntoLocation) -> Result<Client, FleetError> {
        self.connector.client(&location.into_location()?).await
    }

    /// Returns the endpoint of a location. Sends nothing.
    ///
    /// # Errors
    /// [`FleetError`] for an invalid location.
    pub fn endpoint(&self, location: impl IntoLocation) -> Result<Endpoint, FleetError> {
        let location = location.into_location()?;
        Ok(self.connector.offline_client(&location)?.endpoint)
    }

    /// Returns the provider of the keys of a location. Sends nothing.
    ///
    /// # Errors
    /// [`FleetError`] for an invalid location.
    pub fn credentials(
        &self,
        location: impl IntoLocation,
    ) -> Result<Arc<dyn CredentialProvider>, FleetError> {
        let location = location.into_location()?;
        self.connector.offline_client(&location)?;
        self.connector.credentials(&location)
    }

    /// Sends a harmless request without a key to the endpoint of a location. The probe shows that the
    /// endpoint can be reached, and the time at the endpoint.
    ///
    /// The inner error is the error of the connection.
    ///
    /// # Errors
    /// [`FleetError`] for an invalid location.
    pub async fn probe(
        &self,
        location: impl IntoLocation,
    ) -> Result<Result<DoctorProbe, TransportError>, FleetError> {
        self.connector.probe(&location.into_location()?).await
    }

    /// Returns the time of the fleet's clock.
    pub fn now(&self) -> SystemTime {
        self.connector.settings.clock.now()
    }

    /// Returns the named accounts in the order of the names.
    pub fn accounts(&self) -> impl Iterator<Item = (&str, &Account)> {
        let accounts = self.connector.settings.accounts.iter();
        accounts.map(|(name, account)| (name.as_str(), account))
    }

    /// Returns the number of calls so far, by location.
    pub fn calls(&self) -> BTreeMap<Location, CallCounts> {
        self.connector.calls()
    }
}
