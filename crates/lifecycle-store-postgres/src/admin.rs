//! Work of operators: the list of controllers, the check of the tables, the import of a journal, and the removal of
//! old records.

use std::path::Path;

use jiff::Timestamp;
use lifecycle_controller::{
    Answer, InstanceAnswer, Intent, IntentInstance, Journal, Operation, OperationId, Outcomes,
    Record, SendPhase, State, Store, StoreError,
};
use serde::Serialize;
use tokio_postgres::types::{ToSql, Type};

use crate::{migrate::SchemaVersion, store::PostgresStore, writer::encode};

/// One controller, living or ended within the last day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ControllerRow {
    /// The person and the machine, such as `ops@bastion`.
    pub name: String,
    /// The work: `run`, `apply` or `resume`.
    pub kind: String,
    /// The name of the machine.
    pub host: String,
    /// The id of the process.
    pub pid: i64,
    /// True while the lease lasts.
    pub alive: bool,
    /// The beginning.
    pub since: Timestamp,
    /// The last renewal, by the clock of the database.
    pub seen: Timestamp,
    /// The groups, and the times since which the controller has the groups.
    pub groups: Vec<LeaseRow>,
}

/// A group of a controller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LeaseRow {
    /// The group.
    pub group: String,
    /// The time since which the controller has the group.
    pub since: Timestamp,
}

/// The result of a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StoreCheck {
    /// The version of the tables.
    pub tables_version: i32,
    /// The version of the server, such as `15.4`.
    pub server: String,
    /// The number of events.
    pub events: i64,
    /// The number of operations without an end.
    pub unfinished: usize,
    /// The number of living controllers.
    pub controllers: usize,
    /// The contradictions between the tables, none in a store that only this program writes.
    pub problems: Vec<String>,
}

/// The number of removed rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Pruned {
    /// Removed events.
    pub events: u64,
    /// Removed operations, with their intents.
    pub operations: u64,
}

/// The number of records of one append of an import.
const CHUNK: usize = 500;

impl PostgresStore {
    /// Returns the controllers, living ones first.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be read.
    pub async fn controllers(&self) -> Result<Vec<ControllerRow>, StoreError> {
        let sql = "select c.name, c.kind, c.host, c.pid, c.expires_at > clock_timestamp(), \
                lifecycle.text(c.started_at), lifecycle.text(c.seen_at), l.group_name, lifecycle.text(l.since), c.id \
            from lifecycle.controller c left join lifecycle.lease l on l.holder = c.id \
            order by c.expires_at <= clock_timestamp(), c.started_at, c.id, l.group_name";
        let mut controllers: Vec<(String, ControllerRow)> = Vec::new();
        for row in self.database().query(sql, &[]).await? {
            let id: String = row.get(9);
            if controllers.last().is_none_or(|(last, _)| *last != id) {
                let controller = ControllerRow {
                    name: row.get(0),
                    kind: row.get(1),
                    host: row.get(2),
                    pid: row.get(3),
                    alive: row.get(4),
                    since: time(row.get(5))?,
                    seen: time(row.get(6))?,
                    groups: Vec::new(),
                };
                controllers.push((id, controller));
            }
            if let (Some(group), Some((_, controller))) =
                (row.get::<_, Option<String>>(7), controllers.last_mut())
            {
                let since = time(row.get(8))?;
                controller.groups.push(LeaseRow { group, since });
            }
        }
        Ok(controllers.into_iter().map(|(_, row)| row).collect())
    }

    /// Checks the tables against each other. Changes nothing.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be read, or has a record that this program cannot read.
    pub async fn check(&self) -> Result<StoreCheck, StoreError> {
        let SchemaVersion { found: schema, .. } = self.database().schema_version().await?;
        let state = self.state().await?;
        let unfinished: Vec<String> = state
            .unfinished()
            .map(|operation| operation.request.operation.0.clone())
            .collect();
        let sql = "select current_setting('server_version'), (select count(*) from lifecycle.event), \
            (select count(*) from lifecycle.controller where expires_at > clock_timestamp()), \
            array(select u from unnest($1) u where not exists (select from lifecycle.operation o where o.id = u))";
        let rows = self
            .database()
            .query(sql, &[(&unfinished, Type::TEXT_ARRAY)])
            .await?;
        let Some(row) = rows.first() else {
            return Err(StoreError::Other("the database returns no row".to_owned()));
        };
        let lost: Vec<String> = row.get(3);
        let problems = lost.into_iter().map(|id| {
            format!("operation {id} is open and has no row in the table operation: its calls are refused")
        });
        Ok(StoreCheck {
            tables_version: schema,
            server: row.get(0),
            events: row.get(1),
            unfinished: unfinished.len(),
            controllers: usize::try_from(row.get::<_, i64>(2)).unwrap_or_default(),
            problems: problems.collect(),
        })
    }

    /// Copies all records of a journal, with its earlier files, into an empty store. The journal stays as it is; no
    /// program may write the journal in the meantime. Returns the number of records.
    ///
    /// # Errors
    /// [`StoreError::Other`] if the store has records; the errors of the journal and of the database. Nothing was
    /// imported then, unless the answer to the commit was lost: check with `lifecycle history`.
    pub async fn import(&self, journal: &Journal) -> Result<usize, StoreError> {
        let records = importable(journal.path()).await?;
        let mut connection = self.database().connection().await?;
        connection.begin().await?;
        // The lock of every append, so that nothing comes between.
        connection.batch("select lifecycle.lock_appends()").await?;
        let rows = connection
            .query("select exists (select from lifecycle.event)", &[])
            .await?;
        if rows.first().is_some_and(|row| row.get(0)) {
            return Err(StoreError::Other(
                "the store has records already: import a journal into an empty database".to_owned(),
            ));
        }
        for chunk in records.chunks(CHUNK) {
            let json = format!("[{}]", encode(chunk, None)?);
            let sql = "select code, detail from lifecycle.append($1::jsonb)";
            let rows = connection.query(sql, &[(&json, Type::TEXT)]).await?;
            let refused = rows.first().and_then(|row| row.get::<_, Option<&str>>(0));
            if let Some(code) = refused {
                let detail: Option<&str> = rows.first().and_then(|row| row.get(1));
                return Err(StoreError::Other(format!(
                    "the journal has a record that the store refuses ({code}, {}): nothing was imported",
                    detail.unwrap_or_default()
                )));
            }
        }
        connection.commit().await?;
        Ok(records.len())
    }

    /// Removes events before a time, with their operations and intents. Keeps unfinished operations, the holds that
    /// last, and everything that the state needs: the state is written as a snapshot first.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be written. Nothing was removed then, unless the answer to the commit was
    /// lost: run the command again.
    pub async fn prune(&self, before: Timestamp) -> Result<Pruned, StoreError> {
        let mut connection = self.database().connection().await?;
        connection.begin().await?;
        connection.batch("select lifecycle.lock_appends()").await?;
        let state = self.write_snapshot(&mut connection).await?;
        let kept = kept_operations(&state);
        let before = before.to_string();
        let parameters: [(&(dyn ToSql + Sync), Type); 2] =
            [(&before, Type::TEXT), (&kept, Type::TEXT_ARRAY)];
        let count = |rows: &[tokio_postgres::Row]| {
            let count: i64 = rows.first().map_or(0, |row| row.get(0));
            count.unsigned_abs()
        };
        // An operation goes as a whole, when its last event is old.
        let sql = "with old as ( \
                delete from lifecycle.operation o where o.requested_at < $1::timestamptz and o.id <> all ($2) \
                    and not exists (select from lifecycle.event e where e.operation = o.id and e.at >= $1::timestamptz) \
                returning o.id) \
            select count(*) from old";
        let operations = count(&connection.query(sql, &parameters).await?);
        // The last event stays: readers compare it with the event that they know.
        let sql = "with old as ( \
                delete from lifecycle.event e \
                where e.at < $1::timestamptz and e.id < (select max(id) from lifecycle.event) \
                    and (e.operation is null or not exists ( \
                        select from lifecycle.operation o where o.id = e.operation)) \
                    and (e.operation is null or e.operation <> all ($2)) \
                returning 1) \
            select count(*) from old";
        let events = count(&connection.query(sql, &parameters).await?);
        let sql = "delete from lifecycle.hold where until < $1::timestamptz";
        connection.query(sql, &[(&before, Type::TEXT)]).await?;
        connection.commit().await?;
        Ok(Pruned { events, operations })
    }
}

/// Returns the operations that stay whatever their age: unfinished ones, and the latest one.
fn kept_operations(state: &State) -> Vec<String> {
    let kept = state.unfinished().chain(state.latest());
    kept.map(|operation| operation.request.operation.0.clone())
        .collect()
}

/// Returns the records of a journal that a store takes. The snapshot of a file stands for the files before it,
/// where those are gone.
async fn importable(path: &Path) -> Result<Vec<Record>, StoreError> {
    let mut known = std::collections::HashSet::<OperationId>::new();
    let mut records = Vec::new();
    for record in Journal::read_records(path).await? {
        match record {
            Record::Header(_) | Record::Opened(_) => {}
            Record::Snapshot(snapshot) => {
                let stands_for_lost_files = records.is_empty();
                for operation in &snapshot.operations {
                    if known.insert(operation.request.operation.clone()) {
                        records.extend(operation_records(operation));
                    }
                }
                // The files before have the same edges, holds and pass, where these files exist.
                if stands_for_lost_files {
                    records.extend(snapshot.edges.iter().cloned().map(Record::Edge));
                    records.extend(snapshot.holds.iter().cloned().map(Record::Hold));
                    if let Some(pass) = &snapshot.last_pass {
                        // After the holds: the record of a hold ends the message about the hold before.
                        records.extend(snapshot.log.notices(pass.at).map(Record::Notice));
                        records.push(Record::Pass(pass.clone()));
                    }
                }
            }
            record => {
                if let Record::Request(request) = &record {
                    known.insert(request.operation.clone());
                }
                records.push(record);
            }
        }
    }
    Ok(records)
}

/// Returns the records of an operation whose first records are gone.
fn operation_records(operation: &Operation) -> Vec<Record> {
    let request = &operation.request;
    let mut records = vec![Record::Request(request.clone())];
    let sent = request.instances.iter().filter_map(|name| {
        let progress = operation.progress(name);
        (progress.phase != SendPhase::NotSent).then_some((name, progress))
    });
    let sent: Vec<_> = sent.collect();
    if !sent.is_empty() {
        let instances = sent
            .iter()
            .map(|(name, progress)| IntentInstance::new((*name).clone(), progress.before.clone()));
        records.push(Record::Intent(Intent::new(
            request.operation.clone(),
            operation.calls,
            request.at,
            request.action,
            instances.collect(),
        )));
    }
    let answers = sent
        .iter()
        .filter_map(|(name, progress)| match &progress.phase {
            SendPhase::Answered(answer) => {
                Some(InstanceAnswer::new((*name).clone(), answer.clone()))
            }
            _ => None,
        });
    let answers: Vec<_> = answers.collect();
    if !answers.is_empty() {
        records.push(Record::Answer(Answer::new(
            request.operation.clone(),
            operation.calls,
            request.at,
            answers,
        )));
    }
    let rows = request.instances.iter();
    let rows: Vec<_> = rows
        .filter_map(|name| operation.progress(name).outcome.clone())
        .collect();
    if !rows.is_empty() {
        records.push(Record::Outcome(Outcomes::new(
            request.operation.clone(),
            request.at,
            rows,
        )));
    }
    records
}

fn time(text: &str) -> Result<Timestamp, StoreError> {
    text.parse().map_err(|_| {
        StoreError::Other(format!("the database returns the unreadable time {text:?}"))
    })
}
