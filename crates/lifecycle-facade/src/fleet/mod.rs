//! Several clouds behind one object.

mod cloud;
mod connect;
mod place;
mod report;
mod request;

pub use cloud::Cloud;
pub use connect::{Fleet, FleetBuilder, FleetError};
pub use place::{BadReference, Place, Reference};
pub use report::{FleetEvent, FleetIncomplete, FleetReport, FleetRow};
pub use request::{FleetEvents, FleetRequest, FleetStatus, FleetWait};
