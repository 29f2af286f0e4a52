//! Requests to a fleet: the client of each location runs a part.

use lifecycle_client::{
    Client, Event, EventStream, InstanceReport, PowerRequest, Report, Target, WaitRequest,
};
use lifecycle_core::InstanceId;

use super::{Fleet, FleetError, InstanceReference, Location};

/// A power action on instances in several clouds.
pub type FleetRequest<O> = PowerRequest<O, Fleet>;
/// A request that waits for instances in several clouds.
pub type FleetWait = WaitRequest<Fleet>;
/// The result of a request to several clouds.
pub type FleetReport = Report<InstanceReference>;
/// The result of a request to several clouds for one instance.
pub type FleetRow = InstanceReport<InstanceReference>;
/// An event of a request to several clouds.
pub type FleetEvent = Event<InstanceReference, FleetError>;
/// The events of a request to several clouds.
pub type FleetEventStream = EventStream<InstanceReference, FleetError>;

impl Target for Fleet {
    type Instance = InstanceReference;
    type Location = Location;
    type Error = FleetError;

    fn split(reference: &InstanceReference) -> (Location, InstanceId) {
        (reference.location.clone(), reference.instance.clone())
    }

    fn join(location: &Location, id: InstanceId) -> InstanceReference {
        InstanceReference::new(location.clone(), id)
    }

    fn machine_location(location: &Location) -> Location {
        location.without_account()
    }

    fn offline_client(&self, location: &Location) -> Result<Client, FleetError> {
        // A connected client plans as one without a key does.
        match self.connector.connected(location) {
            Some(client) => Ok(client),
            None => self.connector.offline_client(location),
        }
    }

    async fn connect(&self, location: &Location) -> Result<Client, FleetError> {
        self.connector.client(location).await
    }
}
