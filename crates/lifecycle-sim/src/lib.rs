#![doc = include_str!("../README.md")]

mod account;
mod aliyun;
mod baidu;
mod cloud;
mod dialect;
mod fleet;
mod huawei;
mod identity;
mod injected_fault;
mod instance;
mod ledger;
mod marks;
mod metadata;
mod request;
mod response;
#[cfg(feature = "server")]
mod server;
mod simulator;
mod site;
pub mod switches;
mod tempo;
#[cfg(test)]
mod testing;
mod throttle;
mod time;
mod transport;
mod world;
mod zenlayer;

pub use cloud::{Cloud, UnknownCloud};
pub use dialect::Operation;
pub use fleet::BadFleet;
pub use identity::{Identity, Metadata, Role};
pub use injected_fault::{ErrorBody, FaultRule, FaultTiming, InjectedFault};
pub use instance::{Act, Executed, State, Trouble};
pub use ledger::{ActRecord, CallRecord, Ledger};
pub use marks::{Behaviour, COMMON_BEHAVIOURS, Mark, SwitchDescription, common_switches};
#[cfg(feature = "server")]
pub use server::Server;
pub use simulator::{Builder, KeyKind, Simulator, UnknownInstance};
pub use switches::{Hint, Switches};
pub use tempo::Tempo;
pub use throttle::Throttle;
pub use time::SimClock;
pub use transport::MemoryTransport;
