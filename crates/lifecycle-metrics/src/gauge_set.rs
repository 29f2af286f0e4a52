//! `GaugeSet`: gauges that are replaced as a whole, so that no series outlives its subject.

use std::{collections::HashMap, fmt, sync::Arc};

use metrics::{Key, Label, Level, Metadata};

/// Removes series from a recorder.
///
/// The `metrics` facade cannot remove a series. A recorder with this trait drops the series of machines that are
/// gone at once; another recorder keeps them with the value 0, until its idle time is over.
pub trait SeriesRemover: fmt::Debug + Send + Sync + 'static {
    /// Removes a gauge.
    fn remove(&self, key: &Key);
}

/// A set of gauges.
#[derive(Debug)]
pub(crate) struct GaugeSet {
    shown: HashMap<Key, f64>,
    remover: Option<Arc<dyn SeriesRemover>>,
}

/// The source of the gauges for filters of recorders.
const METADATA: Metadata<'static> =
    Metadata::new(module_path!(), Level::INFO, Some(module_path!()));

impl GaugeSet {
    pub(crate) fn new(remover: Option<Arc<dyn SeriesRemover>>) -> Self {
        Self {
            shown: HashMap::new(),
            remover,
        }
    }

    /// Removes the gauges that are not in `gauges`, and sets the others.
    pub(crate) fn replace(&mut self, gauges: HashMap<Key, f64>) {
        metrics::with_recorder(|recorder| {
            for key in self.shown.keys().filter(|key| !gauges.contains_key(key)) {
                recorder.register_gauge(key, &METADATA).set(0.0);
                if let Some(remover) = &self.remover {
                    remover.remove(key);
                }
            }
            for (key, value) in &gauges {
                recorder.register_gauge(key, &METADATA).set(*value);
            }
        });
        self.shown = gauges;
    }
}

/// Returns the key of a gauge.
pub(crate) fn key<const N: usize>(name: &'static str, labels: [(&'static str, String); N]) -> Key {
    let labels = labels.into_iter();
    let labels = labels.map(|(name, value)| Label::new(name, value));
    Key::from_parts(name, labels.collect::<Vec<_>>())
}
