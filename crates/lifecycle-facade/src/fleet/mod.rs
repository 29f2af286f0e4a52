//! Several clouds behind one object.

mod account;
mod builder;
mod connect;
mod error;
mod events;
#[cfg(feature = "config")]
mod from_config;
mod location;
mod lock;
mod order;
mod probe;
mod project;
mod report;
mod request;
mod roll;
mod settings;
mod status;

use std::{collections::BTreeMap, sync::Arc, time::SystemTime};

use lifecycle_client::{CallCounts, Client, CredentialProvider, TransportError};
use lifecycle_core::{Endpoint, Observation, PowerState, RebootOptions, StartOptions, StopOptions};

pub use account::{Account, CredentialSettings, CredentialSourceFactory};
pub use builder::FleetBuilder;
pub use error::FleetError;
pub use events::FleetEventStream;
pub use location::{InstanceReference, Location};
pub use probe::DoctorProbe;
pub use report::{FleetEvent, FleetIncompleteError, FleetReport, FleetRow};
pub use request::{FleetPlannedCall, FleetRequest, FleetWait};
pub use status::FleetStatus;

use connect::Connector;
use status::observe;

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

    /// Boots stopped instances. Await the result for a [`FleetReport`](crate::FleetReport).
    pub fn start<I>(&self, references: I) -> FleetRequest<'_, StartOptions>
    where
        I: IntoIterator,
        I::Item: TryInto<InstanceReference>,
        FleetError: From<<I::Item as TryInto<InstanceReference>>::Error>,
    {
        FleetRequest::new(self, collect(references), Client::start)
    }

    /// Shuts running instances down, gracefully by default. Await the result for a
    /// [`FleetReport`](crate::FleetReport).
    pub fn stop<I>(&self, references: I) -> FleetRequest<'_, StopOptions>
    where
        I: IntoIterator,
        I::Item: TryInto<InstanceReference>,
        FleetError: From<<I::Item as TryInto<InstanceReference>>::Error>,
    {
        FleetRequest::new(self, collect(references), Client::stop)
    }

    /// Shuts running instances down and boots them again. Await the result for a
    /// [`FleetReport`](crate::FleetReport).
    pub fn reboot<I>(&self, references: I) -> FleetRequest<'_, RebootOptions>
    where
        I: IntoIterator,
        I::Item: TryInto<InstanceReference>,
        FleetError: From<<I::Item as TryInto<InstanceReference>>::Error>,
    {
        FleetRequest::new(self, collect(references), Client::reboot)
    }

    /// Waits until instances are in the state `goal`. Sends no action.
    pub fn wait<I>(&self, references: I, goal: PowerState) -> FleetWait<'_>
    where
        I: IntoIterator,
        I::Item: TryInto<InstanceReference>,
        FleetError: From<<I::Item as TryInto<InstanceReference>>::Error>,
    {
        FleetWait::new(self, collect(references), goal)
    }

    /// Reads the states of instances once, in the order of the request, duplicates folded.
    ///
    /// # Errors
    /// [`FleetError`] for an invalid reference, or if a location cannot be connected. Nothing was read
    /// then.
    pub async fn observe<I>(&self, references: I) -> Result<Vec<FleetStatus>, FleetError>
    where
        I: IntoIterator,
        I::Item: TryInto<InstanceReference>,
        FleetError: From<<I::Item as TryInto<InstanceReference>>::Error>,
    {
        observe(self, collect(references)?).await
    }

    /// Reads all instances of one location.
    ///
    /// # Errors
    /// [`FleetError`] if the location cannot be connected, or if the list cannot be read.
    pub async fn list(&self, location: &Location) -> Result<Vec<Observation>, FleetError> {
        Ok(self.client(location).await?.list().await?)
    }

    /// Returns the connected client of one location.
    ///
    /// # Errors
    /// [`FleetError`] if the location has no key, or for an invalid region.
    pub async fn client(&self, location: &Location) -> Result<Client, FleetError> {
        self.connector.client(location).await
    }

    /// Returns the endpoint of a location. Sends nothing.
    ///
    /// # Errors
    /// [`FleetError`] for an invalid location.
    pub fn endpoint(&self, location: &Location) -> Result<Endpoint, FleetError> {
        Ok(self.connector.offline_client(location)?.endpoint)
    }

    /// Returns the provider of the keys of a location. Sends nothing.
    ///
    /// # Errors
    /// [`FleetError`] for an invalid location.
    pub fn credentials(
        &self,
        location: &Location,
    ) -> Result<Arc<dyn CredentialProvider>, FleetError> {
        self.connector.offline_client(location)?;
        self.connector.credentials(location)
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
        location: &Location,
    ) -> Result<Result<DoctorProbe, TransportError>, FleetError> {
        self.connector.probe(location).await
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

fn collect<I>(references: I) -> Result<Vec<InstanceReference>, FleetError>
where
    I: IntoIterator,
    I::Item: TryInto<InstanceReference>,
    FleetError: From<<I::Item as TryInto<InstanceReference>>::Error>,
{
    let references = references.into_iter();
    Ok(references
        .map(TryInto::try_into)
        .collect::<Result<_, _>>()?)
}
