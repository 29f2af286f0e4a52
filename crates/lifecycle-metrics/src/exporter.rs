//! `ExporterMetrics`: the looks of an exporter at locations, without a controller.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use crate::{
    catalogue::{LAST_LOOK, LOCATION_UP},
    gauge_set::{GaugeSet, SeriesRemover, key},
    machines::{MachineMetrics, MachineSample},
};

/// Shows the machines of several locations, and the locations whose last look failed.
///
/// # Examples
/// ```
/// use std::time::SystemTime;
/// use lifecycle_metrics::{ExporterMetrics, MachineSample};
///
/// let metrics = ExporterMetrics::new(None);
/// let machines = [MachineSample::new("baidu/bj/i-1", "running")];
/// metrics.observe(SystemTime::UNIX_EPOCH, [("baidu/bj".to_owned(), true)], machines);
/// ```
#[derive(Debug)]
pub struct ExporterMetrics {
    gauges: Mutex<GaugeSet>,
    machines: MachineMetrics,
}

impl ExporterMetrics {
    /// Returns metrics, with the remover of the recorder if the recorder has one.
    pub fn new(remover: Option<Arc<dyn SeriesRemover>>) -> Self {
        Self {
            gauges: Mutex::new(GaugeSet::new(remover.clone())),
            machines: MachineMetrics::of_remover(remover),
        }
    }

    /// Sets the limit of machines with series of their own.
    #[must_use]
    pub fn with_limit(mut self, machines: usize) -> Self {
        self.machines = self.machines.with_limit(machines);
        self
    }

    /// Shows one look: whether each location could be read, and all machines.
    pub fn observe(
        &self,
        at: SystemTime,
        locations: impl IntoIterator<Item = (String, bool)>,
        machines: impl IntoIterator<Item = MachineSample>,
    ) {
        let mut gauges: HashMap<_, _> = locations
            .into_iter()
            .map(|(location, is_up)| {
                let key = key(LOCATION_UP, [("location", location)]);
                (key, f64::from(u8::from(is_up)))
            })
            .collect();
        let at = at.duration_since(UNIX_EPOCH).unwrap_or_default();
        gauges.insert(key(LAST_LOOK, []), at.as_secs_f64());
        let mut shown = self.gauges.lock().unwrap_or_else(PoisonError::into_inner);
        shown.replace(gauges);
        drop(shown);
        self.machines.observe(machines);
    }
}
