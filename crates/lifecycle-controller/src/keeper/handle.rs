//! `Keeper`: the fleet, the store, the settings and the clock of the passes.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use jiff::Timestamp;
use lifecycle_facade::{Clock, Fleet, SystemClock};

use super::notify::Notifier;
use crate::{journal::now, leases::GroupLeases, record::Record, settings::Settings, store::Store};

/// Keeps the groups of a fleet in the states of their schedules.
///
/// The keeper is safe to stop at any moment, also by dropping its future: an open call stays in the
/// store, and the next pass looks at the machine instead of sending the call again.
#[derive(Clone)]
pub struct Keeper {
    pub(super) fleet: Fleet,
    pub(super) store: Arc<dyn Store>,
    pub(super) settings: Arc<Settings>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) by: String,
    pub(super) notifier: Option<Arc<dyn Notifier>>,
    pub(super) leases: Option<Arc<dyn GroupLeases>>,
    /// The failures of notifications in the background, for the next pass.
    pub(super) late: Arc<Mutex<Vec<Record>>>,
}

impl Keeper {
    /// Returns a keeper. `by` names the program in the history.
    pub fn new(
        fleet: Fleet,
        store: Arc<dyn Store>,
        settings: Settings,
        by: impl Into<String>,
    ) -> Self {
        Self {
            fleet,
            store,
            settings: Arc::new(settings),
            clock: Arc::new(SystemClock),
            by: by.into(),
            notifier: None,
            leases: None,
            late: Arc::default(),
        }
    }

    /// Takes the time from `clock` instead of this machine.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sends facts to a notifier.
    #[must_use]
    pub fn notifier(mut self, notifier: Arc<dyn Notifier>) -> Self {
        self.notifier = Some(notifier);
        self
    }

    /// Acts only on the groups of this controller. Without leases, a keeper acts on all groups.
    #[must_use]
    pub fn leases(mut self, leases: Arc<dyn GroupLeases>) -> Self {
        self.leases = Some(leases);
        self
    }

    /// Returns the settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Returns the time.
    pub fn now(&self) -> Timestamp {
        now(&*self.clock)
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeper")
            .field("by", &self.by)
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}
