//! What became of a request to several clouds.

use lifecycle_client::{Event, InstanceReport};

use super::{FleetError, InstanceReference, Location};

/// One outcome per requested instance, in the order of the request, duplicates folded.
#[derive(Clone, Debug, Default)]
pub struct FleetReport {
    rows: Vec<FleetRow>,
}

/// What became of one instance.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FleetRow {
    /// Which instance.
    pub reference: InstanceReference,
    /// What became of it.
    pub report: InstanceReport,
}

impl FleetReport {
    pub(crate) fn new(rows: Vec<FleetRow>) -> Self {
        Self { rows }
    }

    /// The outcomes, in the order of the request.
    pub fn rows(&self) -> &[FleetRow] {
        &self.rows
    }

    /// Every instance went as asked.
    pub fn is_success(&self) -> bool {
        self.failures().next().is_none()
    }

    /// The instances that did not go as asked.
    pub fn failures(&self) -> impl Iterator<Item = &FleetRow> {
        self.rows
            .iter()
            .filter(|row| !row.report.outcome.is_success())
    }

    /// For those who want all or nothing.
    ///
    /// # Errors
    /// [`FleetIncompleteError`] with the whole report when any instance did not go as asked.
    pub fn into_result(self) -> Result<Self, FleetIncompleteError> {
        if self.is_success() {
            Ok(self)
        } else {
            Err(FleetIncompleteError(self))
        }
    }
}

impl IntoIterator for FleetReport {
    type Item = FleetRow;
    type IntoIter = std::vec::IntoIter<FleetRow>;

    fn into_iter(self) -> Self::IntoIter {
        self.rows.into_iter()
    }
}

/// Some instances did not go as asked. The report says which and why.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{} of {} instances did not go as asked; the first: {}", .0.failures().count(), .0.rows.len(), first_failure(.0))]
pub struct FleetIncompleteError(
    /// The whole report.
    pub FleetReport,
);

fn first_failure(report: &FleetReport) -> String {
    report.failures().next().map_or_else(String::new, |row| {
        format!("{}: {}", row.reference, row.report.outcome)
    })
}

/// One thing that happened during a request to several clouds.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum FleetEvent {
    /// It happened in this place.
    In(Location, Event),
    /// The next wave begins. Only requests in waves have it.
    Wave {
        /// Which wave, counted from 1.
        number: usize,
        /// Of how many, if none has to be left out.
        of: usize,
        /// How many instances it has.
        instances: usize,
    },
    /// The request is over. Always the last event.
    Finished(Result<FleetReport, FleetError>),
}
