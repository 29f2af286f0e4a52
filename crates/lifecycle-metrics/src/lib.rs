#![doc = include_str!("../README.md")]
// Metrics of clients, machines and controllers. The README is the documentation of the crate.

mod catalogue;
mod client;
#[cfg(feature = "controller")]
mod controller;
mod exporter;
mod gauge_set;
mod machines;
#[cfg(feature = "prometheus")]
mod prometheus;

pub use catalogue::{METRICS, MetricInfo, MetricKind, describe};
pub use client::ClientMetrics;
#[cfg(feature = "controller")]
pub use controller::ControllerMetrics;
pub use exporter::{ExporterMetrics, ExporterStatus, LocationResult};
pub use gauge_set::SeriesRemover;
pub use machines::{MachineMetrics, MachineSample, UNSEEN};
#[cfg(feature = "prometheus")]
pub use prometheus::PrometheusRecorder;
