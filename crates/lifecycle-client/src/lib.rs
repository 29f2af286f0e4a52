#![doc = include_str!("../README.md")]

mod clock;
mod transport;

pub use clock::{Clock, SystemClock};
pub use transport::{Transport, TransportError};
