//! `ExporterMetrics`: the refreshes of an exporter, which reads the machines of locations without a controller.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use crate::{
    catalogue::{EXPORTER_PROBLEMS, LAST_REFRESH, LOCATION_UNAVAILABLE, LOCATION_UP, NEXT_REFRESH},
    gauge_set::{GaugeSet, SeriesRemover, key},
    machines::{MachineMetrics, MachineSample},
};

/// The result of a refresh for one location.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LocationResult {
    /// The machines were read.
    Read,
    /// The machines could not be read.
    Failed,
    /// The key cannot use this location of a pattern such as `aliyun/*`, so the location is left out.
    Unavailable,
}

impl LocationResult {
    /// All results.
    pub const ALL: [Self; 3] = [Self::Read, Self::Failed, Self::Unavailable];
}

/// One refresh of an exporter, without the machines.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ExporterStatus {
    /// The end of the refresh.
    pub at: SystemTime,
    /// The begin of the next refresh.
    pub next: SystemTime,
    /// The locations, and their results.
    pub locations: BTreeMap<String, LocationResult>,
    /// The number of locations and lists of regions that could not be read.
    pub problems: usize,
}

impl ExporterStatus {
    /// Returns a refresh without locations and problems.
    pub fn new(at: SystemTime, next: SystemTime) -> Self {
        Self {
            at,
            next,
            locations: BTreeMap::new(),
            problems: 0,
        }
    }
}

/// Shows the refreshes of an exporter: the machines of several locations, and the locations that could not be read.
///
/// # Examples
/// ```
/// use std::time::{Duration, SystemTime};
/// use lifecycle_metrics::{ExporterMetrics, ExporterStatus, LocationResult, MachineSample};
///
/// let metrics = ExporterMetrics::new(None);
/// let now = SystemTime::UNIX_EPOCH;
/// let mut status = ExporterStatus::new(now, now + Duration::from_secs(60));
/// status.locations.insert("baidu/bj".to_owned(), LocationResult::Read);
/// metrics.observe(&status, [MachineSample::new("baidu/bj/i-1", "running")]);
/// ```
#[derive(Debug)]
pub struct ExporterMetrics {
    shown: Mutex<Shown>,
    machines: MachineMetrics,
}

/// The gauges of the last refresh.
#[derive(Debug)]
struct Shown {
    gauges: GaugeSet,
    /// The end of the last refresh that read a location.
    last: Option<SystemTime>,
}

impl ExporterMetrics {
    /// Returns metrics, with the remover of the recorder if the recorder has one.
    pub fn new(remover: Option<Arc<dyn SeriesRemover>>) -> Self {
        Self {
            shown: Mutex::new(Shown {
                gauges: GaugeSet::new(remover.clone()),
                last: None,
            }),
            machines: MachineMetrics::of_remover(remover),
        }
    }

    /// Sets the limit of machines with series of their own.
    #[must_use]
    pub fn with_limit(mut self, machines: usize) -> Self {
        self.machines = self.machines.with_limit(machines);
        self
    }

    /// Shows a refresh and all machines. The time of the last refresh stays if no location was read.
    pub fn observe(
        &self,
        status: &ExporterStatus,
        machines: impl IntoIterator<Item = MachineSample>,
    ) {
        let mut gauges: HashMap<_, _> = status
            .locations
            .iter()
            .map(|(location, result)| {
                let (name, value) = match result {
                    LocationResult::Read => (LOCATION_UP, 1.0),
                    LocationResult::Failed => (LOCATION_UP, 0.0),
                    LocationResult::Unavailable => (LOCATION_UNAVAILABLE, 1.0),
                };
                (key(name, [("location", location.clone())]), value)
            })
            .collect();
        let problems = u32::try_from(status.problems).unwrap_or(u32::MAX);
        gauges.insert(key(EXPORTER_PROBLEMS, []), f64::from(problems));
        gauges.insert(key(NEXT_REFRESH, []), seconds(status.next));
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let mut results = status.locations.values();
        if results.any(|result| *result == LocationResult::Read) {
            shown.last = Some(status.at);
        }
        if let Some(last) = shown.last {
            gauges.insert(key(LAST_REFRESH, []), seconds(last));
        }
        shown.gauges.replace(gauges);
        drop(shown);
        self.machines.observe(machines);
    }
}

/// Returns a Unix time as a gauge.
fn seconds(at: SystemTime) -> f64 {
    let at = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    at.as_secs_f64()
}
