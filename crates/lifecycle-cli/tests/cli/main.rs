//! Tests of the built binary `lifecycle`: arguments, streams and exit codes. The tests use no
//! network but loopback.

mod accounts;
#[cfg(unix)]
mod chaos;
#[cfg(unix)]
mod completion;
mod connections;
#[cfg(unix)]
mod database;
mod demo;
mod deploy;
#[cfg(unix)]
mod documents;
mod first_use;
mod help;
#[cfg(unix)]
mod interrupts;
mod journal;
mod keys;
mod kills;
mod metrics;
#[cfg(target_os = "linux")]
mod namespaces;
mod output;
#[cfg(unix)]
mod outside_text;
mod power;
mod protection;
mod proxies;
mod queries;
mod schedule;
mod scrape;
mod selection;
mod sim_flag;
#[cfg(unix)]
mod simulate;
mod support;
mod usage;
mod watch;
