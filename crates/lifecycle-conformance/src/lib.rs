#![doc = include_str!("../README.md")]

mod draw;
mod judge;
mod many;
mod placement;
mod run;
mod scenario;
mod stage;
pub mod suite;

pub use judge::Violation;
pub use many::{Failure, Tally, simulate_all};
pub use placement::{Exhausted, Extent, Placement, exhaust};
pub use run::{Verdict, simulate};
pub use scenario::{Deed, Faults, Incident, Key, Reading, Request, Scenario, Share};

/// What a client can be told to do wrong.
pub use lifecycle_client::Mutation;
