//! `Database`: a bounded number of connections, each query with a time limit.
//!
//! A slow database must not pile up work: a query waits a bounded time for a connection, a bounded
//! number of queries waits, and a connection whose query did not end is closed. A network that drops packets looks the
//! same, and every idle connection is as dead as the one that was used.

use std::{
    fmt,
    future::Future,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use lifecycle_controller::StoreError;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tokio_postgres::{
    Client, Row,
    error::SqlState,
    types::{ToSql, Type},
};

use crate::{address::ConnectionText, tls::MakeTls};

/// The limits of a [`Database`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The maximum number of open connections; 4.
    pub connections: usize,
    /// The maximum number of queries that wait for a connection; 64. Another query fails at once.
    pub waiting: usize,
    /// The time limit of a new connection; 5 seconds.
    pub connect: Duration,
    /// The time limit of a query, and of the wait for a connection; 10 seconds.
    pub query: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4,
            waiting: 64,
            connect: Duration::from_secs(5),
            query: Duration::from_secs(10),
        }
    }
}

impl Limits {
    /// Sets the time limit of a query.
    #[must_use]
    pub fn with_query(mut self, limit: Duration) -> Self {
        self.query = limit;
        self
    }

    /// Sets the maximum number of open connections.
    #[must_use]
    pub fn with_connections(mut self, connections: usize) -> Self {
        self.connections = connections.max(1);
        self
    }
}

/// The server ends a query by itself; the client gives the answer of the server this time.
const NETWORK: Duration = Duration::from_secs(1);

/// A PostgreSQL database. Cheap to clone: all clones share the connections.
///
/// Connections open when they are needed, and again after a failure: a `Database` outlives a restart of
/// the server.
#[derive(Clone)]
pub struct Database {
    shared: Arc<Shared>,
}

struct Shared {
    text: ConnectionText,
    tls: MakeTls,
    limits: Limits,
    slots: Arc<Semaphore>,
    waiting: AtomicUsize,
    idle: Mutex<Vec<Client>>,
}

impl Database {
    /// Returns the database of a connection text. Opens no connection.
    ///
    /// # Errors
    /// [`StoreError::Other`] if the certificates of the authorities cannot be read.
    pub async fn open(text: ConnectionText, limits: Limits) -> Result<Self, StoreError> {
        // A file of a dead network drive must not stop other tasks.
        let opening = tokio::task::spawn_blocking(move || Self::new(text, limits));
        let opened = opening.await;
        opened.unwrap_or_else(|error| Err(StoreError::Other(error.to_string())))
    }

    fn new(text: ConnectionText, limits: Limits) -> Result<Self, StoreError> {
        let tls = MakeTls::new(&text.tls);
        let tls =
            tls.map_err(|problem| StoreError::Other(format!("database {text}: {problem}")))?;
        Ok(Self {
            shared: Arc::new(Shared {
                text,
                tls,
                limits,
                slots: Arc::new(Semaphore::new(limits.connections)),
                waiting: AtomicUsize::new(0),
                idle: Mutex::default(),
            }),
        })
    }

    /// Returns the limits.
    pub fn limits(&self) -> Limits {
        self.shared.limits
    }

    /// Returns a connection for the sole use of the caller.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database does not answer, or if too many queries wait;
    /// [`StoreError::Other`] if the database refuses the user.
    pub async fn connection(&self) -> Result<Connection, StoreError> {
        let shared = &self.shared;
        let permit = self.permit().await?;
        let idle = shared.idle().pop().filter(|client| !client.is_closed());
        let client = match idle {
            Some(client) => client,
            None => self.connect().await?,
        };
        Ok(Connection {
            database: self.clone(),
            client: Some(client),
            is_clean: true,
            limit: self.shared.limits.query,
            _permit: permit,
        })
    }

    /// Runs one query that is a transaction of its own. Returns the rows.
    ///
    /// # Errors
    /// The errors of [`connection`](Self::connection) and of [`Connection::query`].
    pub async fn query(
        &self,
        sql: &str,
        parameters: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Vec<Row>, StoreError> {
        self.connection().await?.query(sql, parameters).await
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, StoreError> {
        let shared = &self.shared;
        if let Ok(permit) = Arc::clone(&shared.slots).try_acquire_owned() {
            return Ok(permit);
        }
        let _waiting = Waiting::new(&shared.waiting);
        if shared.waiting.load(Ordering::Relaxed) > shared.limits.waiting {
            return Err(self.unavailable(format_args!(
                "{} queries wait for an answer already",
                shared.limits.waiting
            )));
        }
        let slots = Arc::clone(&shared.slots);
        match timeout(shared.limits.query, slots.acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(self.unavailable(format_args!(
                "no connection was free within {} s",
                shared.limits.query.as_secs_f64()
            ))),
        }
    }

    async fn connect(&self) -> Result<Client, StoreError> {
        let shared = &self.shared;
        let mut config = shared.text.config.clone();
        let limit = shared.limits.query.as_millis();
        // A frozen program must not keep a lock: the server ends its transaction. A program that is gone with its network
        // must not keep a session.
        let settings = format!(
            "-c statement_timeout={limit} -c lock_timeout={limit} \
             -c idle_in_transaction_session_timeout={limit} \
             -c tcp_keepalives_idle=30 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3 \
             -c tcp_user_timeout=30000 {}",
            config.get_options().unwrap_or_default()
        );
        config.options(settings);
        if config.get_application_name().is_none() {
            config.application_name("lifecycle");
        }
        if config.get_keepalives_idle() > Duration::from_secs(30) {
            config.keepalives_idle(Duration::from_secs(30));
        }
        // A query that did not arrive in its time must not arrive later, at the end of a cut.
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(shared.limits.query + NETWORK);
        }
        let connecting = config.connect(shared.tls.clone());
        match timeout(shared.limits.connect, connecting).await {
            Ok(Ok((client, connection))) => {
                tokio::spawn(async move {
                    // The queries of the connection report its failure.
                    let _ = connection.await;
                });
                Ok(client)
            }
            Ok(Err(error)) => Err(self.failure(&error)),
            Err(_) => Err(self.unavailable(format_args!(
                "no connection within {} s",
                shared.limits.connect.as_secs_f64()
            ))),
        }
    }

    /// Returns the error of a store for an error of the database. The message has no secret.
    pub fn failure(&self, error: &tokio_postgres::Error) -> StoreError {
        let text = &self.shared.text;
        let Some(server) = error.as_db_error() else {
            let cause = std::error::Error::source(error);
            let cause = cause.map(|cause| format!(": {cause}")).unwrap_or_default();
            return self.unavailable(format_args!("{error}{cause}"));
        };
        refusal(text, server.code(), server.message())
    }

    fn unavailable(&self, problem: impl fmt::Display) -> StoreError {
        let text = &self.shared.text;
        let problem = text.scrub(&problem.to_string());
        StoreError::Unavailable {
            message: format!("database {text}: {problem}"),
        }
    }
}

/// Returns the error for a refusal of the server. The message of a server can quote anything.
fn refusal(text: &ConnectionText, code: &SqlState, message: &str) -> StoreError {
    let message = text.scrub(message);
    let advice = match *code {
        SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            "; correct the user and the password in the variable"
        }
        SqlState::INVALID_CATALOG_NAME => "; create the database, or correct its name",
        SqlState::INSUFFICIENT_PRIVILEGE => {
            "; run lifecycle store migrate as the owner of the database, and grant the rights to this user"
        }
        _ => "",
    };
    let message = format!("database {text}: {message}{advice}");
    match is_temporary(code) {
        true => StoreError::Unavailable { message },
        false => StoreError::Other(message),
    }
}

/// Returns true for failures that end by themselves: a server that starts or stops, a time limit, a full
/// server, or a lock.
fn is_temporary(code: &SqlState) -> bool {
    matches!(
        *code,
        SqlState::QUERY_CANCELED
            | SqlState::LOCK_NOT_AVAILABLE
            | SqlState::T_R_SERIALIZATION_FAILURE
            | SqlState::T_R_DEADLOCK_DETECTED
            | SqlState::READ_ONLY_SQL_TRANSACTION
            | SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
    ) || ["08", "53", "57P", "58"]
        .iter()
        .any(|class| code.code().starts_with(class))
}

/// Counts a query that waits for a connection.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Shared {
    fn idle(&self) -> MutexGuard<'_, Vec<Client>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection for the sole use of one caller. A connection with an open transaction or an unfinished query
/// is closed when dropped, which undoes the transaction.
pub struct Connection {
    database: Database,
    client: Option<Client>,
    is_clean: bool,
    /// The time limit of a query.
    limit: Duration,
    _permit: OwnedSemaphorePermit,
}

impl Connection {
    /// Runs one query with its parameters and their types. Returns the rows.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database does not answer within the time limit: the query may have
    /// been executed or not. [`StoreError::Other`] if the database refuses the query.
    pub async fn query(
        &mut self,
        sql: &str,
        parameters: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Vec<Row>, StoreError> {
        self.limited(|client| client.query_typed(sql, parameters))
            .await
    }

    /// Runs several statements without parameters.
    ///
    /// # Errors
    /// The errors of [`query`](Self::query).
    pub async fn batch(&mut self, sql: &str) -> Result<(), StoreError> {
        self.limited(|client| client.batch_execute(sql)).await
    }

    /// Begins a transaction. The transaction is undone unless [`commit`](Self::commit) follows.
    ///
    /// # Errors
    /// The errors of [`query`](Self::query).
    pub async fn begin(&mut self) -> Result<(), StoreError> {
        self.batch("begin").await?;
        self.is_clean = false;
        Ok(())
    }

    /// Sets the time limit of each query up to the end of the transaction.
    ///
    /// # Errors
    /// The errors of [`query`](Self::query).
    pub(crate) async fn extend_limit(&mut self, limit: Duration) -> Result<(), StoreError> {
        let millis = limit.as_millis();
        let sql =
            format!("set local statement_timeout = {millis}; set local lock_timeout = {millis}");
        self.batch(&sql).await?;
        self.limit = limit;
        Ok(())
    }

    /// Commits the transaction.
    ///
    /// # Errors
    /// The errors of [`query`](Self::query).
    pub async fn commit(&mut self) -> Result<(), StoreError> {
        self.batch("commit").await?;
        self.is_clean = true;
        self.limit = self.database.shared.limits.query;
        Ok(())
    }

    async fn limited<'c, T, F>(
        &'c mut self,
        query: impl FnOnce(&'c Client) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, tokio_postgres::Error>>,
    {
        let database = self.database.clone();
        let was_clean = std::mem::replace(&mut self.is_clean, false);
        let Some(client) = self.client.as_ref() else {
            return Err(database.unavailable("the connection is closed"));
        };
        let limit = self.limit + NETWORK;
        let result = timeout(limit, query(client)).await;
        match result {
            Ok(Ok(value)) => {
                self.is_clean = was_clean;
                Ok(value)
            }
            Ok(Err(error)) => {
                self.is_clean = was_clean && error.as_db_error().is_some();
                Err(database.failure(&error))
            }
            Err(_) => {
                let dead = std::mem::take(&mut *database.shared.idle());
                drop(dead);
                Err(database
                    .unavailable(format_args!("no answer within {} s", limit.as_secs_f64())))
            }
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let client = self.client.take();
        let reusable = client.filter(|client| self.is_clean && !client.is_closed());
        self.database.shared.idle().extend(reusable);
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared.text.fmt(f)
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database")
            .field("text", &self.shared.text)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text() -> ConnectionText {
        let text = "postgres://ops:hunter2%2Fx@db.example:5432/fleet";
        text.parse().unwrap()
    }

    #[test]
    fn password_that_the_server_quotes_is_hidden() {
        for code in [
            SqlState::INVALID_PASSWORD,
            SqlState::SYNTAX_ERROR,
            SqlState::TOO_MANY_CONNECTIONS,
        ] {
            let message = "refused: ops with hunter2/x, as in //ops:hunter2%2Fx@db";
            let error = refusal(&text(), &code, message).to_string();
            assert!(!error.contains("hunter2"), "{error}");
            assert!(error.contains("refused: ops with [secret]"), "{error}");
        }
    }

    #[tokio::test]
    async fn password_in_another_problem_is_hidden() {
        let database = Database::new(text(), Limits::default()).unwrap();
        let error = database.unavailable("no answer to hunter2/x").to_string();
        assert!(
            error.contains("no answer to [secret]") && !error.contains("hunter2"),
            "{error}"
        );
    }
}
