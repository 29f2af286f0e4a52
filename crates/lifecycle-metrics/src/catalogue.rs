//! The catalogue of all metrics: names, kinds, labels and descriptions.

use metrics::Unit;

/// A metric of this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MetricInfo {
    /// The name, by the rules of Prometheus.
    pub name: &'static str,
    /// The kind.
    pub kind: MetricKind,
    /// The names of the labels. An empty label counts as missing for Prometheus.
    pub labels: &'static [&'static str],
    /// The description, in one sentence.
    pub help: &'static str,
}

/// The kind of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the metrics facade has three kinds"
)]
pub enum MetricKind {
    /// A number that only grows.
    Counter,
    /// A number that rises and falls.
    Gauge,
    /// A distribution of values.
    Histogram,
}

impl MetricKind {
    /// Returns the name, such as `counter`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// Declares the catalogue, with a constant for each name.
macro_rules! metrics {
    ($($kind:ident $constant:ident $name:literal [$($label:literal),*] $help:literal;)*) => {
        $(#[cfg_attr(
            not(feature = "controller"),
            allow(dead_code, reason = "the catalogue lists the metrics of all features")
        )]
        pub(crate) const $constant: &str = $name;)*

        /// All metrics of this crate.
        pub const METRICS: &[MetricInfo] = &[$(MetricInfo {
            name: $name,
            kind: MetricKind::$kind,
            labels: &[$($label),*],
            help: $help,
        }),*];
    };
}

metrics! {
    Counter CALLS "lifecycle_client_calls_total" ["cloud", "account", "region", "operation", "result"]
        "Attempts at calls that were sent and have ended; result is ok or the kind of the fault.";
    Histogram CALL_DURATION "lifecycle_client_call_duration_seconds" ["cloud", "operation"]
        "Time from sending a call to the last byte of the response.";
    Counter UNSENT "lifecycle_client_unsent_calls_total" ["cloud", "account", "operation", "kind"]
        "Attempts that ended before sending, by the kind of the fault.";
    Counter RETRIES "lifecycle_client_retries_total" ["cloud", "account", "operation", "kind"]
        "Retries of calls, by the kind of the fault of the failed attempt.";
    Histogram RATE_LIMIT_WAIT "lifecycle_client_rate_limit_wait_seconds" ["cloud", "account", "limit"]
        "Waits of calls for the rate limit of the client; limit is reads or writes.";
    Gauge RATE "lifecycle_client_rate_calls_per_second" ["cloud", "account", "region", "limit"]
        "Present rate limit, which the client adapts to the responses; limit is reads or writes.";
    Counter POLLS "lifecycle_client_polls_total" ["cloud", "account", "region"]
        "Lookups of the poller for waiting requests.";
    Counter POLLED_INSTANCES "lifecycle_client_polled_instances_total" ["cloud", "account", "region"]
        "Instances in the lookups of the poller.";
    Counter KEY_SEARCHES "lifecycle_client_key_searches_total" ["cloud", "account", "result"]
        "Searches for a key, including renewals; result is found or failed.";
    Counter OUTCOMES "lifecycle_client_outcomes_total" ["cloud", "account", "action", "outcome"]
        "Instances with a final outcome; action is start, stop, reboot or wait.";
    Gauge MACHINE_STATE "lifecycle_machine_state" ["machine", "name", "group", "state"]
        "1 for the present state of a machine; state is unseen if the last look failed.";
    Gauge MACHINE_WANTED "lifecycle_machine_wanted" ["machine", "name", "group", "state"]
        "1 for the state that the schedule or a hold wants for a machine.";
    Gauge MACHINES "lifecycle_machines" ["state"]
        "Number of machines by state, including machines without a series.";
    Gauge MACHINES_WITHOUT_SERIES "lifecycle_machines_without_series" []
        "Number of machines beyond the limit of machine series.";
    Gauge LAST_PASS "lifecycle_controller_last_pass_timestamp_seconds" []
        "Begin of the last pass of the controller.";
    Gauge NEXT_PASS "lifecycle_controller_next_pass_timestamp_seconds" []
        "Time of the next pass of the controller.";
    Counter PASSES "lifecycle_controller_passes_total" ["result"]
        "Passes of the controller; result is complete, incomplete, blocked, or unavailable for a store that did not answer.";
    Counter ACTIONS "lifecycle_controller_actions_total" ["action", "outcome"]
        "Actions of the controller on machines, by outcome.";
    Counter FACTS "lifecycle_controller_facts_total" ["kind"]
        "Facts for people, such as drifted or given-up.";
    Gauge PROBLEMS "lifecycle_controller_problems" []
        "Groups, locations and machines that the last pass could not read.";
    Gauge WAITING "lifecycle_controller_waiting_machines" []
        "Machines that differ from the wanted state and are left alone.";
    Gauge OPEN_INTENTS "lifecycle_controller_open_intents" []
        "Instances of recorded requests without an outcome, left by an earlier process.";
    Gauge GROUP_WANTED "lifecycle_group_wanted" ["group", "state"]
        "1 for the state that the schedule or a hold wants for a group.";
    Gauge GROUP_NEXT_CHANGE "lifecycle_group_next_change_timestamp_seconds" ["group"]
        "Next change of the schedule of a group.";
    Gauge CALENDAR_END "lifecycle_group_calendar_end_timestamp_seconds" ["group", "calendar"]
        "End of the calendar of a group; holidays are unknown from then on.";
    Gauge LOCATION_UP "lifecycle_exporter_location_up" ["location"]
        "1 if the last look at a location succeeded, 0 if the look failed.";
    Gauge LAST_LOOK "lifecycle_exporter_last_look_timestamp_seconds" []
        "End of the last look of the exporter at all locations.";
}

/// Describes all metrics to the recorder of this program.
pub fn describe() {
    for metric in METRICS {
        let unit = match metric.name {
            name if name.contains("_seconds") => Unit::Seconds,
            name if name.ends_with("_per_second") => Unit::CountPerSecond,
            _ => Unit::Count,
        };
        match metric.kind {
            MetricKind::Counter => metrics::describe_counter!(metric.name, unit, metric.help),
            MetricKind::Gauge => metrics::describe_gauge!(metric.name, unit, metric.help),
            MetricKind::Histogram => metrics::describe_histogram!(metric.name, unit, metric.help),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rules_of_prometheus() {
        for metric in METRICS {
            let MetricInfo { name, kind, .. } = metric;
            let is_valid = |c: char| c.is_ascii_lowercase() || c == '_';
            assert!(
                name.starts_with("lifecycle_") && name.chars().all(is_valid),
                "{name}"
            );
            assert_eq!(
                name.ends_with("_total"),
                *kind == MetricKind::Counter,
                "{name}"
            );
            let has_time = name.contains("timestamp") || name.contains("duration");
            assert!(!has_time || name.ends_with("_seconds"), "{name}");
            assert!(metric.help.ends_with('.'), "{name}");
            assert!(
                metric
                    .labels
                    .iter()
                    .all(|label| label.chars().all(is_valid))
            );
            let same = METRICS.iter().filter(|other| other.name == *name);
            assert_eq!(same.count(), 1, "{name}");
        }
    }
}
