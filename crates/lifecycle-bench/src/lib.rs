#![doc = include_str!("../README.md")]
//!
//! Code that the two binaries share.

mod clouds;
mod process;
mod work;

pub use clouds::{client, client_over, connected, ids, key, location, provider, secret};
pub use process::{Memory, cpu_time, memory};
pub use work::{BenchResult, Run, Until, drive, observe, runtime, start};
