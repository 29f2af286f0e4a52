#![doc = include_str!("../README.md")]
// Simulated clouds for tests. The README is the documentation of the crate.

// The simulator as a whole.
mod fleet; // the parser of fleet specifications
mod ledger; // the record of calls and power operations
#[cfg(feature = "server")]
mod server;
mod simulated_clouds;
mod simulator;
mod template; // names, tags and addresses of instances
mod time;
mod transport;
mod world; // the state of all clouds, and the path of a call

// One simulated cloud: state, settings and faults.
mod account;
mod behaviour; // the list of behaviours, with sources
mod cloud;
mod cloud_state;
mod identity; // roles, users and tokens
mod injected_fault;
mod instance;
mod metadata; // the metadata service
mod power_operation;
mod simulated_state;
pub mod switches; // behaviour that vendors do not document
mod throttle;
mod transition_times;

// The APIs of the clouds.
mod aliyun;
mod baidu;
mod cloud_api; // the trait of the four API modules
mod huawei;
mod operation; // the kinds of API operations
mod request;
mod response;
mod zenlayer;

#[cfg(test)]
mod testing;

pub use account::KeyKind;
pub use behaviour::{Behaviour, COMMON_BEHAVIOURS, Confidence, SwitchDescription, common_switches};
pub use cloud::{Cloud, UnknownCloud};
pub use fleet::ParseFleetError;
pub use identity::{Identity, Metadata, Role};
pub use injected_fault::{ErrorBody, FaultRule, FaultTiming, InjectedFault};
pub use ledger::{CallRecord, Ledger, PowerOperationRecord};
pub use operation::Operation;
pub use power_operation::{ExecutionCounts, PowerOperation};
#[cfg(feature = "server")]
pub use server::Server;
pub use simulated_state::{Impairment, SimulatedState};
pub use simulator::{Simulator, SimulatorBuilder, UnknownInstance};
pub use switches::{IgnoredFilters, RetryAfterHint, Switches};
pub use template::InstanceTemplate;
pub use throttle::Throttle;
pub use time::SimClock;
pub use transition_times::TransitionTimes;
pub use transport::MemoryTransport;
