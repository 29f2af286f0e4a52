//! Tests of the metrics: the README lists exactly what the code records, machines vanish, and the events of a real
//! client arrive.

#![cfg(all(feature = "prometheus", feature = "controller"))]

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use lifecycle_client::{ClientLabels, LimitedCalls, StatsEvent, StatsObserver};
use lifecycle_controller::{
    Wanted,
    decide::{ActionName, FactKind},
    status::{GroupStatus, MachineStatus, PassStatus},
};
use lifecycle_core::{ActionKind, FaultKind, PowerState};
use lifecycle_facade::{Fleet, WaitTimeout};
use lifecycle_metrics::{
    ClientMetrics, ControllerMetrics, ExporterMetrics, ExporterStatus, LocationResult, METRICS,
    MachineMetrics, MachineSample, PrometheusRecorder,
};
use lifecycle_sim::{FaultRule, InjectedFault, Operation, Simulator};

/// Returns the label names of each metric in a text, without the labels and suffixes of histograms.
fn labels_by_name(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    let mut family = String::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            family = rest.split(' ').next().unwrap().to_owned();
        }
        if line.starts_with('#') {
            continue;
        }
        let labels = line.split_once('{').map_or("", |(_, rest)| rest);
        let labels = labels
            .split("=\"")
            .filter_map(|part| part.rsplit(['{', ',']).next());
        let mut labels: Vec<String> = labels
            .filter(|label| label.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
            .filter(|label| *label != "le" && !label.is_empty())
            .map(str::to_owned)
            .collect();
        labels.sort();
        found.insert(family.clone(), labels);
    }
    found
}

/// Returns a status with a value for every metric of a controller.
fn full_status() -> PassStatus {
    let mut status = PassStatus::default();
    status.next = Some(status.at);
    status.actions = vec![(ActionName::Start, "reached")];
    status.facts = vec![FactKind::Drifted];
    let mut group = GroupStatus::new("web", Wanted::Running);
    group.next_change = Some(status.at);
    group.calendar_end = Some(("china".to_owned(), status.at));
    status.groups = vec![group];
    let mut machine = MachineStatus::new("baidu/bj/i-1");
    machine.name = Some("web-1".to_owned());
    machine.groups = ["web".to_owned(), "all".to_owned()].into();
    machine.state = Some(PowerState::Running);
    machine.wanted = Some(Wanted::Running);
    status.machines = vec![machine];
    status
}

/// Records a value for every metric of clients.
fn record_all_client_events() {
    let client = ClientLabels::new("toy", "prod", "north");
    for event in [
        StatsEvent::Call {
            operation: "start",
            result: Err(FaultKind::Throttled),
            took: Duration::from_millis(200),
        },
        StatsEvent::Unsent {
            operation: "start",
            kind: FaultKind::Credential,
        },
        StatsEvent::Retry {
            operation: "start",
            kind: FaultKind::Throttled,
        },
        StatsEvent::Waited {
            limit: LimitedCalls::Writes,
            waited: Duration::from_secs(2),
        },
        StatsEvent::Rate {
            limit: LimitedCalls::Reads,
            per_second: 4.5,
        },
        StatsEvent::Polled { instances: 7 },
        StatsEvent::Outcome {
            action: Some(ActionKind::Start),
            outcome: "reached",
            instances: 3,
        },
        StatsEvent::KeySearch { found: true },
    ] {
        ClientMetrics.on_event(&client, &event);
    }
}

#[test]
fn every_metric_of_the_catalogue_is_recorded_with_its_labels_and_listed_in_the_readme() {
    let recorder = PrometheusRecorder::new();
    metrics::with_local_recorder(&recorder, || {
        lifecycle_metrics::describe();
        record_all_client_events();
        ControllerMetrics::new(Some(recorder.remover())).observe(&full_status());
        ExporterMetrics::new(None).observe(&refresh(0, &LocationResult::ALL), []);
    });
    let text = recorder.render();
    let recorded = labels_by_name(&text);
    let mut expected = BTreeMap::new();
    for metric in METRICS {
        let mut labels: Vec<String> = metric.labels.iter().map(ToString::to_string).collect();
        labels.sort();
        expected.insert(metric.name.to_owned(), labels);
        let kind = format!("# TYPE {} {}", metric.name, metric.kind.as_str());
        assert!(text.lines().any(|line| line == kind), "{kind}");
        let help = format!("# HELP {} {}", metric.name, metric.help);
        assert!(text.lines().any(|line| line == help), "{help}");
    }
    assert_eq!(recorded, expected);

    let readme = include_str!("../README.md");
    let listed = readme
        .lines()
        .filter(|line| line.starts_with("| `lifecycle_"));
    let rows = METRICS.iter().map(|metric| {
        let labels: Vec<String> = metric
            .labels
            .iter()
            .map(|label| format!("`{label}`"))
            .collect();
        let labels = labels.join(", ");
        format!(
            "| `{}` | {} | {labels} | {} |",
            metric.name,
            metric.kind.as_str(),
            metric.help
        )
    });
    assert_eq!(listed.collect::<Vec<_>>(), rows.collect::<Vec<_>>());
}

/// Returns a refresh that ends `at`, with a location of each result.
fn refresh(at: u64, results: &[LocationResult]) -> ExporterStatus {
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(at);
    let mut status = ExporterStatus::new(at, at + Duration::from_secs(3600));
    let results = results.iter().enumerate();
    status.locations = results
        .map(|(number, result)| (format!("baidu/r{number}"), *result))
        .collect();
    status.problems = 1;
    status
}

#[test]
fn locations_that_were_not_read_have_a_series_and_the_time_of_the_last_success_stays() {
    let recorder = PrometheusRecorder::new();
    metrics::with_local_recorder(&recorder, || {
        let metrics = ExporterMetrics::new(Some(recorder.remover()));
        let lines = |status: &ExporterStatus| {
            metrics.observe(status, []);
            let text = recorder.render();
            let lines = text
                .lines()
                .filter_map(|line| line.strip_prefix("lifecycle_exporter_"));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        // A process that has read nothing so far has no time of a success.
        assert_eq!(
            lines(&refresh(5, &[])),
            ["next_refresh_timestamp_seconds 3605", "problems 1",]
        );
        assert_eq!(
            lines(&refresh(10, &LocationResult::ALL)),
            [
                "last_refresh_timestamp_seconds 10",
                r#"location_unavailable{location="baidu/r2"} 1"#,
                r#"location_up{location="baidu/r0"} 1"#,
                r#"location_up{location="baidu/r1"} 0"#,
                "next_refresh_timestamp_seconds 3610",
                "problems 1",
            ]
        );
        assert_eq!(
            lines(&refresh(20, &[LocationResult::Failed])),
            [
                "last_refresh_timestamp_seconds 10",
                r#"location_up{location="baidu/r0"} 0"#,
                "next_refresh_timestamp_seconds 3620",
                "problems 1",
            ]
        );
    });
}

#[test]
fn machine_vanishes_from_a_recorder_with_remover() {
    let recorder = PrometheusRecorder::new();
    metrics::with_local_recorder(&recorder, || {
        let machines = MachineMetrics::with_remover(recorder.remover()).with_limit(2);
        let machine = |id: &str, state| MachineSample::new(format!("baidu/bj/{id}"), state);
        machines.observe([
            machine("i-3", "running"),
            machine("i-1", "running").with_wanted(Some("stopped")),
            machine("i-2", "stopped"),
        ]);
        let text = recorder.render();
        assert!(
            text.contains(r#"lifecycle_machines{state="running"} 2"#),
            "{text}"
        );
        assert!(
            text.contains("lifecycle_machines_without_series 1"),
            "{text}"
        );
        assert!(!text.contains("i-3"), "{text}");
        machines.observe([machine("i-2", "running")]);
    });
    let text = recorder.render();
    let machines = text
        .lines()
        .filter(|line| line.starts_with("lifecycle_machine"));
    assert_eq!(
        machines.collect::<Vec<_>>(),
        [
            r#"lifecycle_machine_state{group="",machine="baidu/bj/i-2",name="",state="running"} 1"#,
            r#"lifecycle_machines{state="running"} 1"#,
            "lifecycle_machines_without_series 0",
        ]
    );
}

#[test]
fn machine_that_is_gone_has_the_value_0_without_remover() {
    let recorder = PrometheusRecorder::new();
    metrics::with_local_recorder(&recorder, || {
        let machines = MachineMetrics::new();
        machines.observe([MachineSample::new("baidu/bj/i-1", "running")]);
        machines.observe([]);
    });
    let text = recorder.render();
    assert!(text.contains(r#"state="running"} 0"#), "{text}");
    assert!(!text.contains(r#"state="running"} 1"#), "{text}");
}

#[tokio::test(start_paused = true)]
async fn calls_of_a_fleet_are_counted_by_cloud_operation_and_result() {
    let recorder = PrometheusRecorder::new();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let simulator = Simulator::builder().fleet("baidu/bj=2").unwrap().build();
    let throttled = InjectedFault::Throttled { hint: None };
    simulator.inject(FaultRule::new(throttled).on(Operation::Start));
    let fleet = Fleet::builder()
        .stats_observer(ClientMetrics)
        .simulated(&simulator)
        .build()
        .unwrap();
    let start = fleet.start(simulator.instances());
    let report = start.wait(WaitTimeout::minutes(10)).await.unwrap();
    assert!(report.is_success());
    let text = recorder.render();
    let stats = fleet.stats();
    let stats = stats.values().next().unwrap();
    let line = |name: &str, labels: &str, value: u64| {
        let line = format!("{name}{{{labels}}} {value}");
        assert!(text.lines().any(|found| found == line), "{line} in {text}");
    };
    for operation in &stats.operations {
        let name = operation.operation;
        let labels = |result: &str| {
            format!(r#"account="",cloud="baidu",operation="{name}",region="bj",result="{result}""#)
        };
        line(
            "lifecycle_client_calls_total",
            &labels("ok"),
            operation.succeeded,
        );
        for (kind, count) in &operation.failed {
            line(
                "lifecycle_client_calls_total",
                &labels(kind.as_str()),
                *count,
            );
        }
        let labels = format!(r#"cloud="baidu",operation="{name}""#);
        line(
            "lifecycle_client_call_duration_seconds_count",
            &labels,
            operation.calls(),
        );
    }
    assert_eq!(stats.throttled(), 1);
    let labels = r#"account="",action="start",cloud="baidu",outcome="reached""#;
    line("lifecycle_client_outcomes_total", labels, 2);
}
