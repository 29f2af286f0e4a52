//! The migrations of the schema `lifecycle`: embedded, numbered, forward only.

use std::time::Duration;

use lifecycle_controller::StoreError;
use tokio_postgres::types::Type;

use crate::database::{Connection, Database};

/// One step of the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Migration {
    /// The number; migrations run in the order of their numbers.
    pub version: i32,
    /// The purpose in a few words.
    pub name: &'static str,
    /// The statements.
    pub sql: &'static str,
}

/// All migrations of this program. A published migration never changes.
const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "records, intents, leases, holds",
        sql: include_str!("migrations/0001_records.sql"),
    },
    Migration {
        version: 2,
        name: "shared rate limit, rejected keys",
        sql: include_str!("migrations/0002_pace.sql"),
    },
    Migration {
        version: 3,
        name: "machines in the history",
        sql: include_str!("migrations/0003_machines.sql"),
    },
];

/// The key of the advisory lock: "life" in ASCII. The function `append` takes the same lock, so no record is
/// appended during a migration.
const LOCK: i64 = 0x6c69_6665;

/// The time limit of each step: an index of a large table takes longer than a query.
const MIGRATION_LIMIT: Duration = Duration::from_secs(3_600);

/// The version of the schema in a database, and the version that this program needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SchemaVersion {
    /// The version in the database; 0 without a schema.
    pub found: i32,
    /// The version of this program.
    pub needed: i32,
}

impl SchemaVersion {
    /// Checks that this program can use the schema.
    ///
    /// # Errors
    /// [`StoreError::Other`] with one line, for an earlier and for a later version.
    pub fn check(self) -> Result<(), StoreError> {
        let Self { found, needed } = self;
        let problem = match found {
            0 => format!(
                "the database has no tables of lifecycle, and this program needs version {needed}: run \
                 lifecycle store migrate"
            ),
            found if found < needed => format!(
                "the tables of lifecycle have version {found}, and this program needs version {needed}: run \
                 lifecycle store migrate"
            ),
            found if found > needed => format!(
                "the tables of lifecycle have version {found}, and this program knows up to version {needed}: \
                 install a newer program"
            ),
            _ => return Ok(()),
        };
        Err(StoreError::Other(problem))
    }
}

impl Database {
    /// Returns the version of the schema.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be read.
    pub async fn schema_version(&self) -> Result<SchemaVersion, StoreError> {
        version(&mut self.connection().await?).await
    }

    /// Brings the schema to the version of this program. Several programs at the same time migrate once:
    /// an advisory lock lets one of them run, and the others find the work done. Returns the migrations that
    /// this call ran.
    ///
    /// # Errors
    /// [`StoreError::Other`] for a schema of a later version; nothing was changed. The errors of the database
    /// undo everything.
    pub async fn migrate(&self) -> Result<Vec<Migration>, StoreError> {
        let mut connection = self.connection().await?;
        if let SchemaVersion { found, needed } = version(&mut connection).await?
            && found >= needed
        {
            SchemaVersion { found, needed }.check()?;
            return Ok(Vec::new());
        }
        connection.begin().await?;
        let lock = "select pg_advisory_xact_lock($1)";
        connection.query(lock, &[(&LOCK, Type::INT8)]).await?;
        connection.extend_limit(MIGRATION_LIMIT).await?;
        let before = version(&mut connection).await?;
        if before.found > before.needed {
            before.check()?;
        }
        if before.found == 0 {
            connection.batch(VERSIONS).await?;
        }
        let mut done = Vec::new();
        for migration in MIGRATIONS {
            if migration.version <= before.found {
                continue;
            }
            connection.batch(migration.sql).await?;
            let record = "insert into lifecycle.schema_version (version, name) values ($1, $2)";
            let values: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 2] = [
                (&migration.version, Type::INT4),
                (&migration.name, Type::TEXT),
            ];
            connection.query(record, &values).await?;
            done.push(*migration);
        }
        connection.commit().await?;
        Ok(done)
    }
}

const VERSIONS: &str = "
    create schema if not exists lifecycle;
    create table lifecycle.schema_version (
        version integer primary key,
        name text not null,
        applied_at timestamptz not null default clock_timestamp(),
        applied_by text not null default current_user
    );";

async fn version(connection: &mut Connection) -> Result<SchemaVersion, StoreError> {
    let needed = MIGRATIONS.iter().map(|migration| migration.version).max();
    let needed = needed.unwrap_or_default();
    // to_regclass can answer from a cache of the session that is older than the lock.
    let known = "select exists (select from pg_catalog.pg_tables
        where schemaname = 'lifecycle' and tablename = 'schema_version')";
    let rows = connection.query(known, &[]).await?;
    let has_table: bool = rows.first().is_some_and(|row| row.get(0));
    if !has_table {
        return Ok(SchemaVersion { found: 0, needed });
    }
    let max = "select coalesce(max(version), 0) from lifecycle.schema_version";
    let rows = connection.query(max, &[]).await?;
    let found = rows.first().map_or(0, |row| row.get(0));
    Ok(SchemaVersion { found, needed })
}
