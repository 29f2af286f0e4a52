//! `PostgresStore`: the `Store` in PostgreSQL.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use async_trait::async_trait;
use jiff::Timestamp;
use lifecycle_controller::{
    History, HistoryEntry, HistoryQuery, OperationId, Record, State, Store, StoreError,
};
use tokio::sync::Mutex;
use tokio_postgres::types::{ToSql, Type};

use crate::{
    address::ConnectionText,
    database::{Connection, Database, Limits},
    fold::{self, FoldedState},
    writer::{Fence, Writer},
};

/// A store in PostgreSQL, for any number of programs at the same time. Cheap to clone.
///
/// # Examples
/// ```no_run
/// use lifecycle_controller::Store;
/// use lifecycle_store_postgres::PostgresStore;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let text = std::env::var("LIFECYCLE_DATABASE")?;
/// let store = PostgresStore::open(text.parse()?).await?;
/// assert_eq!(store.state().await?.unfinished().count(), 0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct PostgresStore {
    shared: Arc<Shared>,
    pass: Option<Arc<PassFence>>,
}

struct Shared {
    database: Database,
    writer: Arc<Writer>,
    folded: Mutex<FoldedState>,
}

/// The session of a pass, and the last event of the state on which the pass decides.
struct PassFence {
    session: String,
    seen: AtomicI64,
}

/// A process that reads more events at its start writes a snapshot for the next process.
const SNAPSHOT_AFTER: u64 = 50_000;

impl PostgresStore {
    /// Opens the store. Does not change the schema.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database does not answer; [`StoreError::Other`] if the database refuses the
    /// user, or if its schema has another version than this program.
    pub async fn open(text: ConnectionText) -> Result<Self, StoreError> {
        let store = Self::new(Database::open(text, Limits::default()).await?);
        store.database().schema_version().await?.check()?;
        Ok(store)
    }

    /// Opens the store, and brings the schema to the version of this program first.
    ///
    /// # Errors
    /// The errors of [`open`](Self::open) and of [`Database::migrate`].
    pub async fn open_and_migrate(text: ConnectionText) -> Result<Self, StoreError> {
        let store = Self::new(Database::open(text, Limits::default()).await?);
        store.database().migrate().await?;
        Ok(store)
    }

    /// Returns the store in a database. Opens no connection, and checks nothing.
    pub fn new(database: Database) -> Self {
        Self {
            shared: Arc::new(Shared {
                writer: Writer::new(database.clone()),
                database,
                folded: Mutex::default(),
            }),
            pass: None,
        }
    }

    /// Returns the database.
    pub fn database(&self) -> &Database {
        &self.shared.database
    }

    /// Returns the store for the records of one pass of a session.
    pub(crate) fn for_pass(&self, session: &str) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            pass: Some(Arc::new(PassFence {
                session: session.to_owned(),
                seen: AtomicI64::new(0),
            })),
        }
    }

    /// Writes the folded state, so that a new process need not read all events.
    ///
    /// # Errors
    /// The errors of [`Store::state`].
    pub(crate) async fn write_snapshot(
        &self,
        connection: &mut Connection,
    ) -> Result<State, StoreError> {
        let mut folded = self.shared.folded.lock().await;
        folded.catch_up(connection).await?;
        let record = folded.state.snapshot(Timestamp::now());
        let json = serde_json::to_string(&record);
        let json = json.map_err(|error| StoreError::Other(error.to_string()))?;
        let sql = "insert into lifecycle.snapshot (through, record) values ($1, $2) \
                   on conflict (through) do nothing";
        let last = folded.last;
        connection
            .query(sql, &[(&last, Type::INT8), (&json, Type::TEXT)])
            .await?;
        let sql = "delete from lifecycle.snapshot where through < $1";
        connection.query(sql, &[(&last, Type::INT8)]).await?;
        folded.read = 0;
        Ok(folded.state.clone())
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn append(&self, records: Vec<Record>) -> Result<(), StoreError> {
        let fence = self.pass.as_ref().map(|pass| Fence {
            session: pass.session.clone(),
            seen: pass.seen.load(Ordering::Acquire),
        });
        self.shared.writer.append(&records, fence.as_ref()).await
    }

    async fn state(&self) -> Result<State, StoreError> {
        let mut connection = self.shared.database.connection().await?;
        let mut folded = self.shared.folded.lock().await;
        folded.catch_up(&mut connection).await?;
        if let Some(pass) = &self.pass {
            pass.seen.store(folded.last, Ordering::Release);
        }
        let state = folded.state.clone();
        let snapshot_is_due = folded.read >= SNAPSHOT_AFTER;
        drop(folded);
        if snapshot_is_due {
            // The snapshot is a help for the next process: its failure is no failure of this one.
            if let Err(error) = self.write_snapshot(&mut connection).await {
                tracing::debug!(%error, "no snapshot was written");
            }
        }
        Ok(state)
    }

    async fn history(&self, query: &HistoryQuery) -> Result<Vec<HistoryEntry>, StoreError> {
        let since = query.since.map(|since| since.to_string());
        let mut history = History::default();
        let mut connection = self.shared.database.connection().await?;
        let mut last = before_first(&mut connection, since.as_deref()).await?;
        // A query has a time limit, and the history of years has none: it comes in pages.
        while let Some(after) = last {
            let parameters: [(&(dyn ToSql + Sync), Type); 4] = [
                (&since, Type::TEXT),
                (&query.subject, Type::TEXT),
                (&after, Type::INT8),
                (&fold::PAGE, Type::INT8),
            ];
            let rows = connection.query(HISTORY, &parameters).await?;
            for row in &rows {
                history.add(&fold::read(row.get(1))?);
            }
            let is_full = rows.len() as u64 == fold::PAGE.unsigned_abs();
            last = rows.last().filter(|_| is_full).map(|row| row.get(0));
        }
        let entries = history.finish().into_iter();
        Ok(entries.filter(|entry| query.admits(entry)).collect())
    }

    async fn take_over(
        &self,
        unfinished: Vec<OperationId>,
    ) -> Result<Vec<OperationId>, StoreError> {
        let session = self.pass.as_ref().map(|pass| pass.session.as_str());
        let ids: Vec<String> = unfinished.into_iter().map(|id| id.0).collect();
        let sql = "update lifecycle.operation o set owner = $2 \
            where o.id = any ($1) and \
                (o.owner is null or o.owner = $2 or not lifecycle.is_alive(o.owner)) \
            returning o.id";
        let parameters: [(&(dyn ToSql + Sync), Type); 2] =
            [(&ids, Type::TEXT_ARRAY), (&session, Type::TEXT)];
        let rows = self.shared.database.query(sql, &parameters).await?;
        let taken: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        // The order of the requests.
        let taken = ids.into_iter().filter(|id| taken.contains(id));
        Ok(taken.map(OperationId).collect())
    }
}

/// Selects a page of the events of some operations, machines and groups.
const HISTORY: &str = "select e.id, e.record::text from lifecycle.event e \
    where e.id > $3 \
    and ($1::text is null or e.at >= $1::timestamptz or e.operation in \
        (select operation from lifecycle.event where at >= $1::timestamptz and operation is not null)) \
    and ($2::text is null or e.id in ( \
        select s.id from lifecycle.event s where lifecycle.machine(s.subject) = lifecycle.machine($2) \
        union all \
        select o.id from lifecycle.intent i join lifecycle.event o on o.operation = i.operation \
            where lifecycle.machine(i.instance) = lifecycle.machine($2))) \
    order by e.id limit $4";

/// Returns an id before the first event of a history; `None` for a history without events.
async fn before_first(
    connection: &mut Connection,
    since: Option<&str>,
) -> Result<Option<i64>, StoreError> {
    if since.is_none() {
        return Ok(Some(0));
    }
    let sql = "select min(id) - 1 from ( \
        select min(id) as id from lifecycle.event where at >= $1::timestamptz \
        union all \
        select min(o.id) from lifecycle.event e join lifecycle.event o on o.operation = e.operation \
            where e.at >= $1::timestamptz) as first_events";
    let rows = connection.query(sql, &[(&since, Type::TEXT)]).await?;
    Ok(rows.first().and_then(|row| row.get(0)))
}

impl fmt::Display for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared.database.fmt(f)
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore")
            .field("database", &self.shared.database)
            .field("session", &self.pass.as_ref().map(|pass| &pass.session))
            .finish_non_exhaustive()
    }
}
