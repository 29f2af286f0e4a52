//! Several clouds behind one object.

mod cloud;
mod connect;
mod events;
mod order;
mod place;
mod report;
mod request;
mod roll;
mod status;

pub use cloud::Cloud;
pub use connect::{Fleet, FleetBuilder, FleetError};
pub use events::FleetEvents;
pub use place::{BadReference, Place, Reference};
pub use report::{FleetEvent, FleetIncomplete, FleetReport, FleetRow};
pub use request::{FleetPlannedCall, FleetRequest, FleetWait};
pub use status::FleetStatus;
