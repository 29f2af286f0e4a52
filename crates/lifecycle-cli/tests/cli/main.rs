//! Tests of the built binary: arguments, streams and exit codes. The tests use no network but
//! loopback.

mod accounts;
mod connections;
mod demo;
mod help;
#[cfg(unix)]
mod interrupts;
mod keys;
mod power;
mod proxies;
mod sim_flag;
#[cfg(unix)]
mod simulate;
mod support;
mod usage;
