//! The store of `lifecycle-controller` in PostgreSQL: several controllers share one fleet and one history.
//!
//! `docs/postgres.md` of the repository describes the tables and views, and
//! `docs/decisions/postgres.md` the reasons for this design.

#![doc = include_str!("../README.md")]

mod address;
mod admin;
#[cfg(feature = "test-cluster")]
pub mod cluster;
mod database;
mod fold;
mod leases;
mod migrate;
mod pace;
mod store;
mod tls;
mod writer;

pub use address::{ConnectionText, InvalidConnection};
pub use admin::{ControllerRow, LeaseRow, Pruned, StoreCheck};
pub use database::{Connection, Database, Limits};
pub use leases::{ControllerInfo, ControllerKind, PostgresLeases};
pub use migrate::{Migration, SchemaVersion};
#[cfg(feature = "test-cluster")]
#[doc(hidden)]
pub use pace::LEASE as LEASE_STATEMENT;
pub use pace::PostgresRateLimit;
pub use store::PostgresStore;
