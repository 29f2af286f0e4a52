//! The simulator from outside: mishaps, keys, time, and real sockets.

mod calls;
mod identity;
mod keys;
mod mishaps;
#[cfg(feature = "server")]
mod server;
mod time;
mod worlds;
