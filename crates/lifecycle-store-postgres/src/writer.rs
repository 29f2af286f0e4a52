//! `Writer`: appends records. Appends of many tasks at the same time share one transaction.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use lifecycle_controller::{OperationId, Record, StoreError};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use tokio_postgres::types::Type;

use crate::database::Database;

/// The maximum number of appends that wait. Another append fails at once: a slow database must not pile
/// up work.
const MAX_WAITING: usize = 10_000;
/// The size of one transaction, in bytes of JSON, from which on the rest waits for the next one.
const MAX_BYTES: usize = 4 << 20;

/// Appends records to the database.
#[derive(Debug)]
pub(crate) struct Writer {
    database: Database,
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    /// A task writes, and takes everything that waits.
    is_writing: bool,
}

/// One append.
#[derive(Debug)]
struct Waiting {
    batch: String,
    result: oneshot::Sender<Result<(), StoreError>>,
}

/// The session of a controller, and the last event of the state on which the session decides.
#[derive(Clone, Debug)]
pub(crate) struct Fence {
    pub(crate) session: String,
    pub(crate) seen: i64,
}

/// The records of one append, as the function `append` reads the records.
#[derive(Serialize)]
struct Batch<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seen: Option<i64>,
    entries: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    record: &'a Record,
    repeatable: bool,
}

/// The detail of a refused append.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Refusal {
    operation: String,
    instance: String,
    group: String,
}

impl Writer {
    pub(crate) fn new(database: Database) -> Arc<Self> {
        Arc::new(Self {
            database,
            queue: Mutex::default(),
        })
    }

    /// Appends records: all of them, or none. The records are written even if the caller drops the future.
    pub(crate) async fn append(
        self: &Arc<Self>,
        records: &[Record],
        fence: Option<&Fence>,
    ) -> Result<(), StoreError> {
        let batch = encode(records, fence)?;
        let (result, answer) = oneshot::channel();
        {
            let mut queue = self.queue();
            if queue.waiting.len() >= MAX_WAITING {
                return Err(StoreError::Unavailable {
                    message: format!("{MAX_WAITING} appends wait for the database already"),
                });
            }
            queue.waiting.push_back(Waiting { batch, result });
            if !queue.is_writing {
                queue.is_writing = true;
                tokio::spawn(Arc::clone(self).write_all());
            }
        }
        match answer.await {
            Ok(result) => result,
            Err(_) => Err(StoreError::Unavailable {
                message: "the write did not end".to_owned(),
            }),
        }
    }

    /// Writes until nothing waits.
    async fn write_all(self: Arc<Self>) {
        loop {
            let batches = {
                let mut queue = self.queue();
                let mut bytes = 0;
                let mut batches = Vec::new();
                while bytes < MAX_BYTES
                    && let Some(next) = queue.waiting.pop_front()
                {
                    bytes += next.batch.len();
                    batches.push(next);
                }
                if batches.is_empty() {
                    queue.is_writing = false;
                    return;
                }
                batches
            };
            self.write(batches).await;
        }
    }

    async fn write(&self, batches: Vec<Waiting>) {
        match self.send(&batches).await {
            Ok(results) => {
                for (waiting, result) in batches.into_iter().zip(results) {
                    // The caller can be gone.
                    let _ = waiting.result.send(result);
                }
            }
            Err(error) => {
                let mut failed: Vec<Waiting> = batches;
                if error.is_temporary() {
                    // Each further try would wait for its own time limit.
                    failed.extend(self.queue().waiting.drain(..));
                }
                for waiting in failed {
                    let _ = waiting.result.send(Err(copy(&error)));
                }
            }
        }
    }

    async fn send(&self, batches: &[Waiting]) -> Result<Vec<Result<(), StoreError>>, StoreError> {
        let texts: Vec<&str> = batches.iter().map(|one| one.batch.as_str()).collect();
        let json = format!("[{}]", texts.join(","));
        let sql = "select code, detail from lifecycle.append($1::jsonb) order by batch";
        let rows = self.database.query(sql, &[(&json, Type::TEXT)]).await?;
        let results = rows.iter().map(|row| {
            let code: Option<&str> = row.get(0);
            let detail: Option<&str> = row.get(1);
            code.map_or(Ok(()), |code| Err(refused(code, detail)))
        });
        Ok(results.collect())
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the JSON of an append.
pub(crate) fn encode(records: &[Record], fence: Option<&Fence>) -> Result<String, StoreError> {
    let entries = records.iter().map(|record| Entry {
        record,
        repeatable: matches!(record, Record::Intent(intent) if intent.action.is_repeatable()),
    });
    let batch = Batch {
        session: fence.map(|fence| fence.session.as_str()),
        seen: fence.map(|fence| fence.seen),
        entries: entries.collect(),
    };
    let json = serde_json::to_string(&batch);
    let json = json.map_err(|error| StoreError::Other(format!("a record has no JSON: {error}")))?;
    Ok(without_nul(json))
}

/// Replaces the letter U+0000, which PostgreSQL does not store. A message of a cloud can have any letter.
fn without_nul(json: String) -> String {
    const NUL: &str = "\\u0000";
    if !json.contains(NUL) {
        return json;
    }
    let mut clean = String::with_capacity(json.len());
    let mut letters = json.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            clean.push(letter);
        } else if letters.as_str().starts_with("u0000") {
            clean.push('\u{fffd}');
            letters.nth(4);
        } else {
            clean.push(letter);
            // The letter after a backslash is part of the escape.
            clean.extend(letters.next());
        }
    }
    clean
}

fn refused(code: &str, detail: Option<&str>) -> StoreError {
    let text = detail;
    let detail: Refusal = detail
        .and_then(|detail| serde_json::from_str(detail).ok())
        .unwrap_or_default();
    match code {
        "LC001" => StoreError::Conflict {
            instance: detail.instance,
            operation: OperationId(detail.operation),
        },
        "LC002" => StoreError::UnknownOperation(OperationId(detail.operation)),
        "LC003" => StoreError::TakenOver {
            subject: format!("group {}", detail.group),
        },
        "LC004" => StoreError::TakenOver {
            subject: format!("operation {}", detail.operation),
        },
        "LC005" => StoreError::Other(
            "a hold changed during the pass: nothing was sent, and the next pass decides anew"
                .to_owned(),
        ),
        other => StoreError::Other(format!(
            "the database refused a record ({other}: {}); run lifecycle store check",
            text.unwrap_or_default()
        )),
    }
}

/// Returns the same error for another append of the same transaction.
fn copy(error: &StoreError) -> StoreError {
    match error {
        StoreError::Unavailable { message } => StoreError::Unavailable {
            message: message.clone(),
        },
        other => StoreError::Other(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letter_nul_is_replaced_and_other_escapes_stay() {
        let text = "a\0b \\u0000 \\\\u0000 \" \n\0";
        let json = serde_json::to_string(text).unwrap();
        let clean: String = serde_json::from_str(&without_nul(json)).unwrap();
        assert_eq!(clean, text.replace('\0', "\u{fffd}"));
    }
}
