//! Reads the section `[controller]`.

use std::{num::NonZeroUsize, path::PathBuf, time::Duration};

use super::{
    schema::{CONTROLLER, STORE},
    secret::VariableName,
    section::{Document, TableEntry},
    value,
};

/// The settings of the controller. `None` leaves a setting to the program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ControllerConfig {
    /// The journal file.
    pub journal: Option<PathBuf>,
    /// The variable with the connection text of a PostgreSQL database. The database is used instead of
    /// the journal file.
    pub postgres_variable: Option<VariableName>,
    /// The time after which a controller that does not renew has no groups in the database.
    pub lease: Option<Duration>,
    /// The time between two passes without a change of a schedule.
    pub resync: Option<Duration>,
    /// The maximum number of machines that a pass starts and stops. A pass with more does nothing.
    pub max_changes: Option<NonZeroUsize>,
    /// A missed change of a schedule is made good within this time.
    pub catch_up: Option<Duration>,
    /// The program and the arguments for messages.
    pub on_change: Vec<String>,
}

impl ControllerConfig {
    pub(super) fn read(found: TableEntry<'_>, document: Document<'_>) -> Self {
        let section = document.open("[controller]", found.table, CONTROLLER);
        let store = section.table("store").and_then(|found| {
            let store = document.open("store of [controller]", found.table, STORE);
            let lease = store.take("lease", value::duration);
            let variable = store.required(found.key.span(), "postgres_variable", value::variable);
            Some((variable?, lease))
        });
        let (postgres_variable, lease) = store.unzip();
        Self {
            journal: section.take("journal", value::text).map(PathBuf::from),
            postgres_variable,
            lease: lease.flatten(),
            resync: section.take("resync", value::duration),
            max_changes: section.take("max_changes", value::count),
            catch_up: section.take("catch_up", value::duration),
            on_change: section.take("on_change", value::texts).unwrap_or_default(),
        }
    }
}
