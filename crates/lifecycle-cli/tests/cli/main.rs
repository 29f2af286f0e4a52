//! The command as its users meet it: the built binary, its arguments, its streams and its exit
//! codes. Nothing here needs a network beyond loopback.

mod accounts;
mod demo;
mod help;
#[cfg(unix)]
mod interrupts;
mod keys;
mod power;
mod proxies;
#[cfg(unix)]
mod served;
mod simulated;
mod support;
mod usage;
