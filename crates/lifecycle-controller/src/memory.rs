//! `MemoryStore`: a store without a file, for tests and demonstrations. The records end with the process.

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

use crate::{
    history::{History, HistoryEntry},
    record::Record,
    state::State,
    store::{HistoryQuery, Store, StoreError},
};

/// A store in memory.
///
/// ```
/// use lifecycle_controller::{HistoryQuery, MemoryStore, Store};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), lifecycle_controller::StoreError> {
/// let store = MemoryStore::default();
/// assert!(store.history(&HistoryQuery::default()).await?.is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Default)]
pub struct MemoryStore {
    records: Mutex<(State, Vec<Record>)>,
}

impl MemoryStore {
    /// Returns all records, the oldest first.
    pub fn records(&self) -> Vec<Record> {
        self.lock().1.clone()
    }

    fn lock(&self) -> MutexGuard<'_, (State, Vec<Record>)> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn append(&self, records: Vec<Record>) -> Result<(), StoreError> {
        let mut guard = self.lock();
        guard.0.append(&records)?;
        guard.1.extend(records);
        Ok(())
    }

    async fn state(&self) -> Result<State, StoreError> {
        Ok(self.lock().0.clone())
    }

    async fn history(&self, query: &HistoryQuery) -> Result<Vec<HistoryEntry>, StoreError> {
        let mut history = History::default();
        for record in &self.lock().1 {
            history.add(record);
        }
        let entries = history.finish().into_iter();
        Ok(entries.filter(|entry| query.admits(entry)).collect())
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}
