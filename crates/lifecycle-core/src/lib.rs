#![doc = include_str!("../README.md")]

mod action;
mod credential;
pub mod encode;
mod endpoint;
mod fault;
mod instance;
mod lenient;
pub mod origin;
mod profile;
mod provider;
mod reply;
mod stamp;
mod state;
mod step;

pub use action::{
    Action, Billing, LocalDisk, RebootOptions, Repeat, StartOptions, StopMode, StopOptions, Verb,
};
pub use credential::{Credential, Secret, header, hidden_header};
pub use endpoint::{BadEndpoint, Endpoint, is_loopback};
pub use fault::{Effect, Fault, FaultKind};
pub use instance::{InstanceId, InvalidId, JobId, PageToken};
pub use lenient::{Lenient, Row};
pub use origin::{BareMachine, Grant, Machine, Origin, OriginConfig, Surroundings};
pub use profile::{Cadence, KeyVariables, Limits, Pace, Profile, Rate, Support};
pub use provider::{Call, Draft, Page, Progress, Provider, Receipt, Verdict};
pub use reply::Reply;
pub use stamp::Stamp;
pub use state::{Lock, Observation, PowerState, StoppedBilling};
pub use step::{Ask, Reach, Run, Step};
