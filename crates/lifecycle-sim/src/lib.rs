#![doc = include_str!("../README.md")]

mod account;
mod aliyun;
mod baidu;
mod behaviour;
mod cloud;
mod cloud_api;
mod cloud_state;
mod fleet;
mod huawei;
mod identity;
mod injected_fault;
mod instance;
mod ledger;
mod metadata;
mod operation;
mod power_operation;
mod request;
mod response;
#[cfg(feature = "server")]
mod server;
mod simulated_state;
mod simulator;
pub mod switches;
#[cfg(test)]
mod testing;
mod throttle;
mod time;
mod transition_times;
mod transport;
mod world;
mod zenlayer;

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
pub use simulator::{KeyKind, Simulator, SimulatorBuilder, UnknownInstance};
pub use switches::{RetryAfterHint, Switches};
pub use throttle::Throttle;
pub use time::SimClock;
pub use transition_times::TransitionTimes;
pub use transport::MemoryTransport;
