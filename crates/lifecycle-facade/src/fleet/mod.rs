//! Several clouds behind one object.

mod account;
mod builder;
mod cloud;
#[cfg(feature = "config")]
mod configured;
mod connect;
mod error;
mod events;
mod location;
mod order;
mod probe;
#[cfg(feature = "huawei")]
mod project;
mod report;
mod request;
mod roll;
mod status;

use std::{collections::BTreeMap, sync::Arc, time::SystemTime};

use lifecycle_client::{CallCounts, Client, CredentialProvider, TransportError};
use lifecycle_core::{Endpoint, Observation, PowerState, RebootOptions, StartOptions, StopOptions};

pub use account::{Account, CredentialSettings, CredentialSourceFactory, EndpointNetwork};
pub use builder::FleetBuilder;
pub use cloud::Cloud;
pub use error::FleetError;
pub use events::FleetEventStream;
pub use location::{InstanceReference, Location, ParseReferenceError};
pub use probe::DoctorProbe;
pub use report::{FleetEvent, FleetIncompleteError, FleetReport, FleetRow};
pub use request::{FleetPlannedCall, FleetRequest, FleetWait};
pub use status::FleetStatus;

use connect::Connector;
use status::observe;

/// Instances in several clouds and regions, named by [`InstanceReference`]s.
///
/// Connects to a place when it is first named, with one [`Client`] for each, shared by all
/// clones.
#[derive(Clone, Debug)]
pub struct Fleet {
    connector: Arc<Connector>,
}

impl Fleet {
    /// A fleet with keys from wherever the clouds' own tools find them on this machine: variables,
    /// their files, metadata services.
    ///
    /// # Errors
    /// [`FleetError::Setup`] when no HTTP client can be set up on this machine.
    pub fn from_environment() -> Result<Self, FleetError> {
        Self::builder().build()
    }

    /// A fleet with settings.
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

    /// Shuts running instances down, gracefully unless told otherwise. Await the result for a
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

    /// Waits until instances are in `goal`, without changing anything.
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
    /// [`FleetError`] when a reference is wrong or a place cannot be connected to; nothing was
    /// read then.
    pub async fn observe<I>(&self, references: I) -> Result<Vec<FleetStatus>, FleetError>
    where
        I: IntoIterator,
        I::Item: TryInto<InstanceReference>,
        FleetError: From<<I::Item as TryInto<InstanceReference>>::Error>,
    {
        observe(self, collect(references)?).await
    }

    /// Reads all instances of one place.
    ///
    /// # Errors
    /// [`FleetError`] when the place cannot be connected to or the list cannot be read.
    pub async fn list(&self, place: &Location) -> Result<Vec<Observation>, FleetError> {
        Ok(self.client(place).await?.list().await?)
    }

    /// The client of one place, connected: with a key, and with whatever else it takes to call.
    ///
    /// # Errors
    /// [`FleetError`] when there is no key for it, or its region cannot be one.
    pub async fn client(&self, place: &Location) -> Result<Client, FleetError> {
        self.connector.client(place).await
    }

    /// Where the calls of a place go. Calls nobody.
    ///
    /// # Errors
    /// [`FleetError`] when there can be no such place.
    pub fn endpoint(&self, place: &Location) -> Result<Endpoint, FleetError> {
        Ok(self.connector.sketch(place)?.endpoint)
    }

    /// Where the key of a place comes from. Calls nobody.
    ///
    /// # Errors
    /// [`FleetError`] when there can be no such place.
    pub fn credentials(&self, place: &Location) -> Result<Arc<dyn CredentialProvider>, FleetError> {
        self.connector.sketch(place)?;
        self.connector.source(place)
    }

    /// Asks the endpoint of a place for nothing in particular, without a key: a harmless call that
    /// shows whether it can be reached, and what time it is there.
    ///
    /// The inner error is that of the connection.
    ///
    /// # Errors
    /// [`FleetError`] when there can be no such place.
    pub async fn probe(
        &self,
        place: &Location,
    ) -> Result<Result<DoctorProbe, TransportError>, FleetError> {
        self.connector.probe(place).await
    }

    /// The wall clock by which it works.
    pub fn now(&self) -> SystemTime {
        self.connector.settings.clock.now()
    }

    /// The accounts that were given names, in the order of these.
    pub fn accounts(&self) -> impl Iterator<Item = (&str, &Account)> {
        self.connector.accounts()
    }

    /// The calls made so far, by place.
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
