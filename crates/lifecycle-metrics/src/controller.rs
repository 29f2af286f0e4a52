//! `ControllerMetrics`: the passes of a controller, its groups and its machines.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use lifecycle_controller::{
    Wanted,
    decide::FactKind,
    status::{MachineStatus, PassStatus},
};
use lifecycle_core::PowerState;
use metrics::{Key, counter};

use crate::{
    catalogue::{
        ACTIONS, CALENDAR_END, FACTS, GROUP_NEXT_CHANGE, GROUP_WANTED, LAST_PASS, NEXT_PASS,
        OPEN_INTENTS, PASSES, PROBLEMS, WAITING,
    },
    gauge_set::{GaugeSet, SeriesRemover, key},
    machines::{MachineMetrics, MachineSample, UNSEEN},
};

/// Shows the status of each pass of a controller.
///
/// # Examples
/// ```
/// use lifecycle_controller::status::PassStatus;
/// use lifecycle_metrics::ControllerMetrics;
///
/// let metrics = ControllerMetrics::new(None);
/// // The callback of `Keeper::run` receives a report with the status.
/// metrics.observe(&PassStatus::default());
/// ```
#[derive(Debug)]
pub struct ControllerMetrics {
    gauges: Mutex<GaugeSet>,
    machines: MachineMetrics,
}

impl ControllerMetrics {
    /// Returns metrics, with the remover of the recorder if the recorder has one.
    ///
    /// Each counter without a label of a machine or an account begins at 0, so that `increase` of Prometheus sees the
    /// first event.
    pub fn new(remover: Option<Arc<dyn SeriesRemover>>) -> Self {
        for result in PassStatus::RESULTS {
            counter!(PASSES, "result" => result).increment(0);
        }
        for kind in FactKind::ALL {
            counter!(FACTS, "kind" => kind.as_str()).increment(0);
        }
        Self {
            gauges: Mutex::new(GaugeSet::new(remover.clone())),
            machines: MachineMetrics::of_remover(remover),
        }
    }

    /// Shows a pass, and counts its actions and facts. A pass without an answer of the store is counted, and changes no
    /// gauge: the states of machines and the time of the last pass stay.
    pub fn observe(&self, status: &PassStatus) {
        counter!(PASSES, "result" => status.result()).increment(1);
        for (action, outcome) in &status.actions {
            let (action, outcome) = (action.as_str(), *outcome);
            counter!(ACTIONS, "action" => action, "outcome" => outcome).increment(1);
        }
        for kind in &status.facts {
            counter!(FACTS, "kind" => kind.as_str()).increment(1);
        }
        if status.store_unavailable {
            return;
        }
        let mut shown = self.gauges.lock().unwrap_or_else(PoisonError::into_inner);
        shown.replace(gauges(status));
        drop(shown);
        self.machines.observe(status.machines.iter().map(sample));
    }
}

fn gauges(status: &PassStatus) -> HashMap<Key, f64> {
    let mut gauges = HashMap::new();
    let count = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    let mut set = |key: Key, value: f64| {
        gauges.insert(key, value);
    };
    set(key(LAST_PASS, []), seconds(status.at.as_second()));
    if let Some(next) = status.next {
        set(key(NEXT_PASS, []), seconds(next.as_second()));
    }
    set(key(PROBLEMS, []), count(status.problems));
    set(key(WAITING, []), count(status.waiting));
    set(key(OPEN_INTENTS, []), count(status.open_intents));
    for group in &status.groups {
        let name = || ("group", group.name.clone());
        let wanted = group.wanted.as_str().to_owned();
        set(key(GROUP_WANTED, [name(), ("state", wanted)]), 1.0);
        if let Some(at) = group.next_change {
            set(key(GROUP_NEXT_CHANGE, [name()]), seconds(at.as_second()));
        }
        if let Some((calendar, end)) = &group.calendar_end {
            let calendar = ("calendar", calendar.clone());
            set(
                key(CALENDAR_END, [name(), calendar]),
                seconds(end.as_second()),
            );
        }
    }
    gauges
}

/// Returns a Unix time as a gauge. Prometheus keeps times as floating-point numbers.
#[expect(clippy::cast_precision_loss, reason = "exact for all times in use")]
fn seconds(at: i64) -> f64 {
    at as f64
}

fn sample(machine: &MachineStatus) -> MachineSample {
    let groups: Vec<&str> = machine.groups.iter().map(String::as_str).collect();
    MachineSample::new(
        &machine.instance,
        machine.state.map_or(UNSEEN, PowerState::as_str),
    )
    .with_name(machine.name.as_deref().unwrap_or_default())
    .with_group(groups.join(","))
    .with_wanted(machine.wanted.map(Wanted::as_str))
}
