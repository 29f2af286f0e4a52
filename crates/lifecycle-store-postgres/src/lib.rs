//! The store of `lifecycle-controller` in PostgreSQL: several controllers share one fleet and one history.
//!
//! `docs/postgres.md` of the repository describes the tables and views, and
//! `docs/decisions/postgres.md` the reasons for this design.

#![doc = include_str!("../README.md")]

mod address;
#[cfg(feature = "test-cluster")]
pub mod cluster;
mod database;
mod migrate;
mod tls;

pub use address::{ConnectionText, InvalidConnection};
pub use database::{Connection, Database, Limits};
pub use migrate::{Migration, SchemaVersion};
