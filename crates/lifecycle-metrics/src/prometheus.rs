//! `PrometheusRecorder`: a recorder in memory that renders the Prometheus text format.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering},
};

use metrics::{
    Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
    atomics::AtomicU64,
};

use crate::{catalogue::MetricKind, gauge_set::SeriesRemover};

/// The upper bounds of the buckets of histograms, in seconds.
const BUCKETS: [f64; 10] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// Keeps all metrics of a program in memory, and renders them for Prometheus.
///
/// Other than recorders with an idle time, this recorder removes the series of machines that are gone at once:
/// see [`SeriesRemover`]. All clones share the metrics.
///
/// # Examples
/// ```
/// use lifecycle_metrics::{MachineMetrics, MachineSample, PrometheusRecorder};
///
/// let recorder = PrometheusRecorder::new();
/// metrics::set_global_recorder(recorder.clone())?;
/// lifecycle_metrics::describe();
/// let machines = MachineMetrics::with_remover(recorder.remover());
/// machines.observe([MachineSample::new("baidu/bj/i-1", "running")]);
/// let text = recorder.render();
/// assert!(text.contains(r#"lifecycle_machines{state="running"} 1"#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct PrometheusRecorder {
    families: Arc<Mutex<BTreeMap<String, Family>>>,
}

/// The labels of a series, sorted by name.
type Labels = Vec<(String, String)>;

/// The series of one name.
struct Family {
    kind: MetricKind,
    help: String,
    series: BTreeMap<Labels, Series>,
}

enum Series {
    Counter(Arc<AtomicU64>),
    Gauge(Arc<AtomicU64>),
    Histogram(Arc<Distribution>),
}

impl Series {
    fn new(kind: MetricKind) -> Self {
        match kind {
            MetricKind::Counter => Self::Counter(Arc::default()),
            MetricKind::Gauge => Self::Gauge(Arc::default()),
            MetricKind::Histogram => Self::Histogram(Arc::default()),
        }
    }
}

/// A histogram with fixed buckets.
#[derive(Default)]
struct Distribution(Mutex<Counts>);

#[derive(Clone, Copy, Default)]
struct Counts {
    /// The number of values up to each bound, without the values up to the bound before.
    buckets: [u64; BUCKETS.len()],
    count: u64,
    sum: f64,
}

impl Distribution {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HistogramFn for Distribution {
    fn record(&self, value: f64) {
        let mut counts = self.counts();
        counts.count += 1;
        counts.sum += value;
        if let Some(bucket) = BUCKETS.iter().position(|bound| value <= *bound) {
            counts.buckets[bucket] += 1;
        }
    }
}

impl PrometheusRecorder {
    /// Returns a recorder without metrics.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the remover of series of this recorder.
    pub fn remover(&self) -> Arc<dyn SeriesRemover> {
        Arc::new(self.clone())
    }

    /// Returns all metrics in the text format of Prometheus, version 0.0.4. Families and series are sorted.
    pub fn render(&self) -> String {
        let mut text = String::new();
        for (name, family) in self.families().iter() {
            if !family.series.is_empty() {
                render_family(&mut text, name, family);
            }
        }
        text
    }

    fn families(&self) -> MutexGuard<'_, BTreeMap<String, Family>> {
        self.families.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn describe(&self, name: &KeyName, kind: MetricKind, help: &str) {
        let mut families = self.families();
        let family = families.entry(valid_name(name.as_str()));
        help.clone_into(&mut family.or_insert_with(|| Family::new(kind)).help);
    }

    /// Returns what `handle` makes of a series; `None` if the name belongs to a metric of another kind.
    fn register<T>(
        &self,
        key: &Key,
        kind: MetricKind,
        handle: impl FnOnce(&Series) -> Option<T>,
    ) -> Option<T> {
        let mut families = self.families();
        let family = families.entry(valid_name(key.name()));
        let family = family.or_insert_with(|| Family::new(kind));
        if family.kind != kind {
            return None;
        }
        let series = family.series.entry(labels(key));
        handle(series.or_insert_with(|| Series::new(kind)))
    }
}

impl Family {
    fn new(kind: MetricKind) -> Self {
        Self {
            kind,
            help: String::new(),
            series: BTreeMap::new(),
        }
    }
}

impl fmt::Debug for PrometheusRecorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrometheusRecorder").finish_non_exhaustive()
    }
}

impl SeriesRemover for PrometheusRecorder {
    fn remove(&self, key: &Key) {
        if let Some(family) = self.families().get_mut(&valid_name(key.name())) {
            family.series.remove(&labels(key));
        }
    }
}

impl Recorder for PrometheusRecorder {
    fn describe_counter(&self, key: KeyName, _: Option<Unit>, help: SharedString) {
        self.describe(&key, MetricKind::Counter, &help);
    }

    fn describe_gauge(&self, key: KeyName, _: Option<Unit>, help: SharedString) {
        self.describe(&key, MetricKind::Gauge, &help);
    }

    fn describe_histogram(&self, key: KeyName, _: Option<Unit>, help: SharedString) {
        self.describe(&key, MetricKind::Histogram, &help);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let counter = self.register(key, MetricKind::Counter, |series| match series {
            Series::Counter(value) => Some(Counter::from_arc(Arc::clone(value))),
            _ => None,
        });
        counter.unwrap_or_else(Counter::noop)
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        let gauge = self.register(key, MetricKind::Gauge, |series| match series {
            Series::Gauge(value) => Some(Gauge::from_arc(Arc::clone(value))),
            _ => None,
        });
        gauge.unwrap_or_else(Gauge::noop)
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        let histogram = self.register(key, MetricKind::Histogram, |series| match series {
            Series::Histogram(value) => Some(Histogram::from_arc(Arc::clone(value))),
            _ => None,
        });
        histogram.unwrap_or_else(Histogram::noop)
    }
}

/// Returns a name without characters that Prometheus does not accept.
fn valid_name(name: &str) -> String {
    let valid = |(at, c): (usize, char)| match c {
        'a'..='z' | 'A'..='Z' | '_' => c,
        '0'..='9' if at > 0 => c,
        _ => '_',
    };
    name.chars().enumerate().map(valid).collect()
}

fn labels(key: &Key) -> Labels {
    let labels = key.labels();
    let labels = labels.map(|label| (valid_name(label.key()), label.value().to_owned()));
    let mut labels: Labels = labels.collect();
    labels.sort();
    labels.dedup_by(|later, first| later.0 == first.0);
    labels
}

fn render_family(text: &mut String, name: &str, family: &Family) {
    let help = family.help.replace('\\', r"\\").replace('\n', r"\n");
    // Writing into a text does not fail.
    let _ = writeln!(text, "# HELP {name} {help}");
    let _ = writeln!(text, "# TYPE {name} {}", family.kind.as_str());
    for (labels, series) in &family.series {
        match series {
            Series::Counter(value) => {
                let value = value.load(Ordering::Relaxed);
                render_sample(text, name, labels, None, &value);
            }
            Series::Gauge(value) => {
                let value = f64::from_bits(value.load(Ordering::Relaxed));
                render_sample(text, name, labels, None, &Number(value));
            }
            Series::Histogram(distribution) => {
                render_histogram(text, name, labels, &distribution.counts());
            }
        }
    }
}

fn render_histogram(text: &mut String, name: &str, labels: &Labels, counts: &Counts) {
    let bucket = format!("{name}_bucket");
    let mut below = 0;
    for (bound, count) in BUCKETS.iter().zip(counts.buckets) {
        below += count;
        let bound = Number(*bound).to_string();
        render_sample(text, &bucket, labels, Some(&bound), &below);
    }
    render_sample(text, &bucket, labels, Some("+Inf"), &counts.count);
    let sum = Number(counts.sum);
    render_sample(text, &format!("{name}_sum"), labels, None, &sum);
    render_sample(text, &format!("{name}_count"), labels, None, &counts.count);
}

/// Renders one line. `bound` is the label `le` of a bucket.
fn render_sample(
    text: &mut String,
    name: &str,
    labels: &Labels,
    bound: Option<&str>,
    value: &dyn fmt::Display,
) {
    text.push_str(name);
    let labels = labels
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let mut separator = '{';
    for (name, value) in labels.chain(bound.map(|bound| ("le", bound))) {
        let value = value.replace('\\', r"\\").replace('"', "\\\"");
        let value = value.replace('\n', r"\n");
        let _ = write!(text, "{separator}{name}=\"{value}\"");
        separator = ',';
    }
    if separator == ',' {
        text.push('}');
    }
    let _ = writeln!(text, " {value}");
}

/// A number as Prometheus writes it.
struct Number(f64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            value if value.is_nan() => f.write_str("NaN"),
            value if value.is_infinite() && value > 0.0 => f.write_str("+Inf"),
            value if value.is_infinite() => f.write_str("-Inf"),
            value => value.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use metrics::{counter, gauge, histogram};

    use super::*;

    fn rendered(record: impl FnOnce()) -> String {
        let recorder = PrometheusRecorder::new();
        metrics::with_local_recorder(&recorder, record);
        recorder.render()
    }

    #[test]
    fn labels_and_help_are_escaped() {
        let text = rendered(|| {
            metrics::describe_counter!("a.b", "one\nline \\");
            counter!("a.b", "9x" => "say \"hi\"\n\\").increment(3);
        });
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                r"# HELP a_b one\nline \\",
                "# TYPE a_b counter",
                r#"a_b{_x="say \"hi\"\n\\"} 3"#,
            ]
        );
    }

    #[test]
    fn histogram_has_cumulative_buckets() {
        let text = rendered(|| {
            for value in [0.01, 0.2, 0.2, 100.0] {
                histogram!("wait_seconds", "cloud" => "toy").record(value);
            }
        });
        for line in [
            r#"wait_seconds_bucket{cloud="toy",le="0.05"} 1"#,
            r#"wait_seconds_bucket{cloud="toy",le="0.25"} 3"#,
            r#"wait_seconds_bucket{cloud="toy",le="60"} 3"#,
            r#"wait_seconds_bucket{cloud="toy",le="+Inf"} 4"#,
            r#"wait_seconds_sum{cloud="toy"} 100.41"#,
            r#"wait_seconds_count{cloud="toy"} 4"#,
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in {text}");
        }
    }

    #[test]
    fn name_of_another_kind_is_not_mixed_in() {
        let text = rendered(|| {
            gauge!("same").set(f64::INFINITY);
            counter!("same").increment(1);
        });
        assert!(text.ends_with("# TYPE same gauge\nsame +Inf\n"), "{text}");
    }
}
