//! `MachineMetrics`: the states of machines, with a limit on the number of series.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    catalogue::{MACHINE_STATE, MACHINE_WANTED, MACHINES, MACHINES_WITHOUT_SERIES},
    gauge_set::{GaugeSet, SeriesRemover, key},
};

/// The state of a machine whose last look failed.
pub const UNSEEN: &str = "unseen";

/// The default limit of machines with series.
const LIMIT: usize = 5_000;

/// A machine at one time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct MachineSample {
    /// The reference of the machine, such as `aliyun/cn-hangzhou/i-1`.
    pub machine: String,
    /// The display name; empty without a name.
    pub name: String,
    /// The groups, separated by commas; empty without a group.
    pub group: String,
    /// The state, or [`UNSEEN`].
    pub state: &'static str,
    /// The wanted state; `None` if nothing is wanted.
    pub wanted: Option<&'static str>,
}

impl MachineSample {
    /// Returns a machine without name, group and wanted state.
    pub fn new(machine: impl Into<String>, state: &'static str) -> Self {
        Self {
            machine: machine.into(),
            name: String::new(),
            group: String::new(),
            state,
            wanted: None,
        }
    }

    /// Sets the display name.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the groups, separated by commas.
    #[must_use]
    pub fn with_group(mut self, group: impl Into<String>) -> Self {
        self.group = group.into();
        self
    }

    /// Sets the wanted state.
    #[must_use]
    pub fn with_wanted(mut self, wanted: Option<&'static str>) -> Self {
        self.wanted = wanted;
        self
    }
}

/// Shows the states of machines. A machine that is no longer among the samples vanishes.
///
/// At most 5000 machines have series of their own, the first ones in the order of their references. The numbers of
/// machines by state include all machines.
///
/// # Examples
/// ```
/// use lifecycle_metrics::{MachineMetrics, MachineSample};
///
/// let machines = MachineMetrics::new().with_limit(100);
/// let web = MachineSample::new("baidu/bj/i-1", "running").with_name("web-1");
/// machines.observe([web]);
/// // The machine was deleted.
/// machines.observe([]);
/// ```
#[derive(Debug)]
pub struct MachineMetrics {
    limit: usize,
    gauges: Mutex<GaugeSet>,
}

impl Default for MachineMetrics {
    fn default() -> Self {
        Self::new()
    }
}

impl MachineMetrics {
    /// Returns metrics for a recorder without a [`SeriesRemover`]. The series of a machine that is gone have the
    /// value 0, and are no longer set.
    pub fn new() -> Self {
        Self::of_remover(None)
    }

    /// Returns metrics for a recorder that can remove series.
    pub fn with_remover(remover: Arc<dyn SeriesRemover>) -> Self {
        Self::of_remover(Some(remover))
    }

    pub(crate) fn of_remover(remover: Option<Arc<dyn SeriesRemover>>) -> Self {
        Self {
            limit: LIMIT,
            gauges: Mutex::new(GaugeSet::new(remover)),
        }
    }

    /// Sets the limit of machines with series of their own.
    #[must_use]
    pub fn with_limit(mut self, machines: usize) -> Self {
        self.limit = machines;
        self
    }

    /// Shows these machines, and no others.
    pub fn observe(&self, machines: impl IntoIterator<Item = MachineSample>) {
        let mut machines: Vec<MachineSample> = machines.into_iter().collect();
        machines.sort_unstable();
        let mut gauges = HashMap::new();
        let mut states: BTreeMap<&'static str, u32> = BTreeMap::new();
        for machine in &machines {
            *states.entry(machine.state).or_default() += 1;
        }
        for (state, count) in states {
            let labels = [("state", state.to_owned())];
            gauges.insert(key(MACHINES, labels), f64::from(count));
        }
        let hidden = machines.len().saturating_sub(self.limit);
        let hidden = u32::try_from(hidden).unwrap_or(u32::MAX);
        gauges.insert(key(MACHINES_WITHOUT_SERIES, []), f64::from(hidden));
        for machine in machines.into_iter().take(self.limit) {
            let labels = |state: &str| {
                [
                    ("machine", machine.machine.clone()),
                    ("name", machine.name.clone()),
                    ("group", machine.group.clone()),
                    ("state", state.to_owned()),
                ]
            };
            gauges.insert(key(MACHINE_STATE, labels(machine.state)), 1.0);
            if let Some(wanted) = machine.wanted {
                gauges.insert(key(MACHINE_WANTED, labels(wanted)), 1.0);
            }
        }
        let mut shown = self.gauges.lock().unwrap_or_else(PoisonError::into_inner);
        shown.replace(gauges);
    }
}
