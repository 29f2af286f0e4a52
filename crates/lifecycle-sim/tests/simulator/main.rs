//! Tests of the simulator's public interface: injected faults, keys, time and real sockets.

mod calls;
mod fleets;
mod identity;
mod injected_faults;
mod keys;
#[cfg(feature = "server")]
mod server;
mod time;
