//! The database of the configuration file: opens the store, and joins its controllers.

use std::{env, sync::Arc, time::Duration};

use lifecycle_controller::{StoreError, host_name};
use lifecycle_facade::config::VariableName;
use lifecycle_store_postgres::{
    ConnectionText, ControllerInfo, ControllerKind, Database, Limits, Migration, PostgresLeases,
    PostgresRateLimit, PostgresStore,
};
use tokio::time::timeout;

use super::journal;
use crate::{console::eprint_warning, exit::CommandError};

/// The database of `store = { postgres_variable }`.
#[derive(Clone, Debug)]
pub(crate) struct DatabaseChoice {
    text: ConnectionText,
    lease: Option<Duration>,
}

/// A controller does not wait longer for its farewell.
const FAREWELL: Duration = Duration::from_secs(3);

impl DatabaseChoice {
    /// Reads the connection text out of the environment.
    ///
    /// # Errors
    /// The variable is not set, or has no connection text. No message shows the text.
    pub(crate) fn read(
        variable: &VariableName,
        lease: Option<Duration>,
    ) -> Result<Self, CommandError> {
        let problem = |problem: &str| {
            CommandError::nothing_done(format!(
                "{variable}, the variable of store in [controller], {problem}"
            ))
        };
        let Some(text) = env::var_os(variable.as_str()).filter(|text| !text.is_empty()) else {
            return Err(problem(
                "is not set: set it to postgresql://USER:PASSWORD@HOST:5432/DATABASE",
            ));
        };
        let text = text.to_str().ok_or_else(|| problem("is not UTF-8"))?;
        let text = text
            .parse::<ConnectionText>()
            .map_err(|error| problem(&format!("is not usable: {error}")))?;
        Ok(Self { text, lease })
    }

    /// Opens the store.
    ///
    /// # Errors
    /// The database cannot be used, or its schema has another version.
    pub(crate) async fn open(&self) -> Result<PostgresStore, StoreError> {
        PostgresStore::open(self.text.clone()).await
    }

    /// Opens the store, and updates its schema.
    ///
    /// # Errors
    /// The database cannot be used, or its schema has a later version.
    pub(crate) async fn open_and_migrate(&self) -> Result<PostgresStore, StoreError> {
        PostgresStore::open_and_migrate(self.text.clone()).await
    }

    /// Returns the rate limit that all controllers of the database share. Opens no connection.
    ///
    /// # Errors
    /// The certificates of the authorities cannot be read.
    pub(crate) async fn rate_limit(&self) -> Result<PostgresRateLimit, StoreError> {
        PostgresRateLimit::open(self.text.clone()).await
    }

    /// Updates the schema. Returns the migrations that ran.
    ///
    /// # Errors
    /// The database cannot be used, or its schema has a later version.
    pub(crate) async fn migrate(&self) -> Result<Vec<Migration>, StoreError> {
        let database = Database::open(self.text.clone(), Limits::default()).await?;
        database.migrate().await
    }

    /// Joins the controllers of the database.
    ///
    /// # Errors
    /// The database cannot be used.
    pub(crate) async fn join(
        &self,
        store: &PostgresStore,
        kind: ControllerKind,
    ) -> Result<Arc<PostgresLeases>, StoreError> {
        let mut info = ControllerInfo::new(journal::operator(), host_name(), kind);
        if let Some(lease) = self.lease {
            info = info.with_lease(lease);
        }
        PostgresLeases::join(store.clone(), info)
            .await
            .map(Arc::new)
    }
}

/// Leaves the controllers: others take the groups over at once.
pub(crate) async fn leave(leases: &PostgresLeases) {
    let problem = match timeout(FAREWELL, leases.leave()).await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error.to_string(),
        Err(_) => "the database does not answer".to_owned(),
    };
    eprint_warning(&format!(
        "other controllers take the groups over when the lease ends: {problem}"
    ));
}
