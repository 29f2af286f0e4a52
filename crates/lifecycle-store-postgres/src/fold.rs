//! `FoldedState`: the state of all records, kept up to date with the records after the last one that was read.

use lifecycle_controller::{Record, State, StoreError};
use tokio_postgres::types::Type;

use crate::database::Connection;

/// The number of events in one query.
pub(crate) const PAGE: i64 = 20_000;

/// The folded events up to an id.
///
/// Ids commit in their order, because every append holds the same advisory lock until its end. So a reader
/// of "id > last" misses no event.
#[derive(Debug, Default)]
pub(crate) struct FoldedState {
    pub(crate) state: State,
    /// The id of the last event; 0 without one.
    pub(crate) last: i64,
    /// The time of the last event, as the server writes the time.
    recorded_at: String,
    /// The number of events that were read since the last snapshot.
    pub(crate) read: u64,
}

impl FoldedState {
    /// Reads the events since the last call.
    ///
    /// A database that was restored from a copy, or that lost its last events in a failover, has another last
    /// event under the same id: then everything is read again.
    pub(crate) async fn catch_up(&mut self, connection: &mut Connection) -> Result<(), StoreError> {
        if self.last > 0 && !self.is_known(connection).await? {
            *self = Self::default();
        }
        if self.last == 0 {
            self.read_snapshot(connection).await?;
        }
        loop {
            let sql = "select id, recorded_at::text, record::text from lifecycle.event \
                       where id > $1 order by id limit $2";
            let rows = connection
                .query(sql, &[(&self.last, Type::INT8), (&PAGE, Type::INT8)])
                .await?;
            for row in &rows {
                let text: &str = row.get(2);
                self.state.apply(&read(text)?);
            }
            if let Some(row) = rows.last() {
                self.last = row.get(0);
                self.recorded_at = row.get(1);
            }
            self.read += rows.len() as u64;
            if (rows.len() as u64) < PAGE.unsigned_abs() {
                return Ok(());
            }
        }
    }

    /// Returns true if the last event that was read is still the event with this id.
    async fn is_known(&self, connection: &mut Connection) -> Result<bool, StoreError> {
        if self.recorded_at.is_empty() {
            return Ok(false);
        }
        let sql = "select recorded_at::text from lifecycle.event where id = $1";
        let rows = connection.query(sql, &[(&self.last, Type::INT8)]).await?;
        Ok(rows
            .first()
            .is_some_and(|row| row.get::<_, &str>(0) == self.recorded_at))
    }

    async fn read_snapshot(&mut self, connection: &mut Connection) -> Result<(), StoreError> {
        let sql = "select through, record from lifecycle.snapshot order by through desc limit 1";
        let rows = connection.query(sql, &[]).await?;
        let Some(row) = rows.first() else {
            return Ok(());
        };
        self.state.apply(&read(row.get(1))?);
        self.last = row.get(0);
        let sql = "select recorded_at::text from lifecycle.event where id = $1";
        let rows = connection.query(sql, &[(&self.last, Type::INT8)]).await?;
        self.recorded_at = rows.first().map(|row| row.get(0)).unwrap_or_default();
        self.read = 0;
        Ok(())
    }
}

/// Reads a record.
pub(crate) fn read(text: &str) -> Result<Record, StoreError> {
    serde_json::from_str(text).map_err(|error| {
        StoreError::Other(format!(
            "a record in the table event is not readable: {error}; a newer program wrote the record, or somebody changed \
             the record: run lifecycle store check"
        ))
    })
}
