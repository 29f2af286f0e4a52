//! `Journal`: a store in one file. One record is one line; an append returns after the line is durable.
//!
//! The document `docs/journal.md` of the repository describes the format.

pub(crate) mod line; // checksum and JSON
mod lock; // the lock of a file
mod open; // read, repair
mod rotate; // a new file each month
mod sink; // the end of the file

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use jiff::Timestamp;
use lifecycle_facade::{Clock, SystemClock};
use tokio::task::spawn_blocking;

use crate::{
    history::{History, HistoryEntry},
    record::Record,
    state::State,
    store::{HistoryQuery, Store, StoreError},
};
use sink::Sink;

pub use lock::LockedFile;
pub use open::host_name;

/// A store in one file, which one process writes at a time.
///
/// Cheap to clone: all clones write the same file. The last clone closes the file and ends the lock.
///
/// # Examples
/// ```
/// use lifecycle_controller::{Journal, Store};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// let journal = Journal::open(folder.path().join("journal")).await?;
/// assert_eq!(journal.state().await?.unfinished().count(), 0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Journal {
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    removed: u64,
    queue: Mutex<Queue>,
    /// Locked while records are written. Taken before `queue`.
    file: Mutex<OpenFile>,
}

/// The records that wait for the next write, and the state with them.
struct Queue {
    state: State,
    lines: Vec<u8>,
    /// The number of the last append.
    last: u64,
    /// The first failure. A journal with a failure accepts no further record.
    failure: Option<String>,
}

struct OpenFile {
    sink: Box<dyn Sink>,
    /// The number of the last append whose records are durable.
    durable: u64,
    created: Timestamp,
}

impl Journal {
    /// Opens a journal for writing; creates the file if there is none. Removes an incomplete record at the
    /// end, see [`removed_bytes`](Self::removed_bytes).
    ///
    /// # Errors
    /// [`StoreError::Locked`] if another process has the journal; [`StoreError::NotAJournal`],
    /// [`StoreError::NewerVersion`] and [`StoreError::DamagedRecord`] for other content: the file stays as it
    /// is.
    pub async fn open(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        Self::open_with_clock(path, Arc::new(SystemClock)).await
    }

    /// Opens a journal as [`open`](Self::open) does, with the time from `clock`.
    ///
    /// # Errors
    /// The errors of [`open`](Self::open).
    pub async fn open_with_clock(
        path: impl Into<PathBuf>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let path = path.into();
        blocking(move || {
            let opened = open::open(&path, now(&*clock))?;
            Ok(Self::new(
                path,
                clock,
                opened.state,
                opened.removed,
                OpenFile {
                    sink: Box::new(opened.file),
                    durable: 0,
                    created: opened.created,
                },
            ))
        })
        .await
    }

    fn new(
        path: PathBuf,
        clock: Arc<dyn Clock>,
        state: State,
        removed: u64,
        file: OpenFile,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                path,
                clock,
                removed,
                queue: Mutex::new(Queue {
                    state,
                    lines: Vec::new(),
                    last: 0,
                    failure: None,
                }),
                file: Mutex::new(file),
            }),
        }
    }

    /// Returns the state of a journal without the lock, for example while a controller writes the journal.
    ///
    /// # Errors
    /// The errors of [`open`](Self::open) except for [`StoreError::Locked`].
    pub async fn read_state(path: impl Into<PathBuf>) -> Result<State, StoreError> {
        let path = path.into();
        blocking(move || {
            let mut state = State::default();
            open::read(&path, |record| state.apply(&record))?;
            Ok(state)
        })
        .await
    }

    /// Returns the history of a journal and of its earlier files without the lock.
    ///
    /// # Errors
    /// The errors of [`open`](Self::open) except for [`StoreError::Locked`].
    pub async fn read_history(
        path: impl Into<PathBuf>,
        query: &HistoryQuery,
    ) -> Result<Vec<HistoryEntry>, StoreError> {
        let path = path.into();
        let query = query.clone();
        blocking(move || {
            let mut history = History::default();
            for path in rotate::earlier_files(&path).iter().chain([&path]) {
                open::read(path, |record| history.add(&record))?;
            }
            let entries = history.finish().into_iter();
            Ok(entries.filter(|entry| query.admits(entry)).collect())
        })
        .await
    }

    /// Returns all records of a journal and of its earlier files without the lock, the oldest first.
    ///
    /// # Errors
    /// The errors of [`open`](Self::open) except for [`StoreError::Locked`].
    pub async fn read_records(path: impl Into<PathBuf>) -> Result<Vec<Record>, StoreError> {
        let path = path.into();
        blocking(move || {
            let mut records = Vec::new();
            for path in rotate::earlier_files(&path).iter().chain([&path]) {
                open::read(path, |record| records.push(record))?;
            }
            Ok(records)
        })
        .await
    }

    /// Begins a new file if the current file is from an earlier month (UTC), and returns the path of the
    /// earlier file. The new file begins with the open state: operations, holds, edges and last actions.
    ///
    /// The journal `journal` of November 2026 becomes `journal.2026-11`. A process that ends during the
    /// rotation leaves one complete journal.
    ///
    /// # Errors
    /// [`StoreError::Io`] if a file cannot be written. The current file stays in use.
    pub async fn rotate_if_due(&self) -> Result<Option<PathBuf>, StoreError> {
        let shared = self.shared.clone();
        blocking(move || {
            let now = shared.now();
            let mut file = lock(&shared.file);
            if rotate::month(now) == rotate::month(file.created) {
                return Ok(None);
            }
            // Waiting records belong to the file before.
            shared.write_waiting(&mut file)?;
            let earlier = rotate::free_name(&shared.path, file.created);
            let snapshot = shared.queue().state.snapshot(now);
            let next = rotate::begin(&shared.path, &earlier, snapshot, now)
                .map_err(|error| open::io_error("rotate", &shared.path, error))?;
            file.sink = Box::new(next);
            file.created = now;
            Ok(Some(earlier))
        })
        .await
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// Returns the number of bytes of the incomplete record that [`open`](Self::open) removed from the end of
    /// the file; 0 without an incomplete record. Nothing depends on the record: a program sends a call only
    /// after its record is complete.
    pub fn removed_bytes(&self) -> u64 {
        self.shared.removed
    }

    /// Returns the first failure of a write, after which the journal accepts no further record.
    pub fn failure(&self) -> Option<String> {
        self.shared.queue().failure.clone()
    }
}

#[async_trait]
impl Store for Journal {
    async fn append(&self, records: Vec<Record>) -> Result<(), StoreError> {
        let number = self.shared.enqueue(&records)?;
        let shared = Arc::clone(&self.shared);
        // The records are written even if the caller drops the future.
        blocking(move || shared.write(number)).await
    }

    async fn state(&self) -> Result<State, StoreError> {
        Ok(self.shared.queue().state.clone())
    }

    async fn history(&self, query: &HistoryQuery) -> Result<Vec<HistoryEntry>, StoreError> {
        Self::read_history(&self.shared.path, query).await
    }
}

impl Shared {
    /// Checks the records, and adds them to the next write. Returns the number of the append.
    fn enqueue(&self, records: &[Record]) -> Result<u64, StoreError> {
        let mut lines = Vec::new();
        for record in records {
            lines.extend(open::line_of(&self.path, record)?);
        }
        let mut queue = self.queue();
        if let Some(first) = &queue.failure {
            return Err(StoreError::Closed {
                first: first.clone(),
            });
        }
        queue.state.append(records)?;
        queue.lines.append(&mut lines);
        queue.last += 1;
        Ok(queue.last)
    }

    /// Writes all waiting records, and makes them durable. Several appends at the same time share a write.
    fn write(&self, number: u64) -> Result<(), StoreError> {
        let mut file = lock(&self.file);
        if file.durable >= number {
            return Ok(());
        }
        self.write_waiting(&mut file)
    }

    fn write_waiting(&self, file: &mut OpenFile) -> Result<(), StoreError> {
        let (lines, last) = {
            let mut queue = self.queue();
            if let Some(first) = &queue.failure {
                return Err(StoreError::Closed {
                    first: first.clone(),
                });
            }
            (std::mem::take(&mut queue.lines), queue.last)
        };
        let written = file.sink.append(&lines).and_then(|()| file.sink.sync());
        match written {
            Ok(()) => {
                file.durable = last;
                Ok(())
            }
            Err(error) => {
                let error = open::io_error("write", &self.path, error);
                self.queue().failure = Some(error.to_string());
                Err(error)
            }
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        lock(&self.queue)
    }

    fn now(&self) -> Timestamp {
        now(&*self.clock)
    }
}

/// Locks a mutex. A panic of another task leaves nothing half done: each step is complete or absent.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn now(clock: &dyn Clock) -> Timestamp {
    // Fails only for a clock that is wrong by thousands of years.
    Timestamp::try_from(clock.now()).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Runs a function that waits for files on a thread for blocking calls.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(StoreError::Other(format!("the write did not end: {error}"))),
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
