#![doc = include_str!("../README.md")]

mod check;
mod run;
mod scenario;

pub use check::Violation;
pub use run::{Verdict, simulate};
pub use scenario::{Faults, Scenario};
