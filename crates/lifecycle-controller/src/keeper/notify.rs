//! Messages about facts, for people: JSON on the standard input of a program.

use std::{fmt, process::Stdio, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Serialize;
use tokio::{io::AsyncWriteExt, process::Command, time::timeout};

use crate::decide::Fact;

/// A message about the facts of one pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Message {
    /// The version of the fields: 1.
    pub schema: u32,
    /// The time.
    pub at: Timestamp,
    /// The program that made the pass.
    pub by: String,
    /// The facts, at least one.
    pub facts: Vec<FactMessage>,
}

/// One fact of a [`Message`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FactMessage {
    /// The kind, such as `drifted`.
    pub kind: &'static str,
    /// The machine or group.
    pub subject: String,
    /// The fact in words.
    pub message: String,
}

impl Message {
    pub(super) fn new(at: Timestamp, by: &str, facts: &[Fact]) -> Self {
        let facts = facts.iter().map(|fact| FactMessage {
            kind: fact.kind.as_str(),
            subject: fact.subject.clone(),
            message: fact.message.clone(),
        });
        Self {
            schema: 1,
            at,
            by: by.to_owned(),
            facts: facts.collect(),
        }
    }
}

/// A receiver of messages.
#[async_trait]
pub trait Notifier: fmt::Debug + Send + Sync + 'static {
    /// Sends a message, in a bounded time.
    ///
    /// # Errors
    /// The reason in words. The keeper records the reason, and continues.
    async fn notify(&self, message: Message) -> Result<(), String>;
}

/// A program that gets each message as one line of JSON on its standard input.
///
/// The program must end with exit code 0 within the time limit, and is killed otherwise.
#[derive(Clone, Debug)]
pub struct ProgramNotifier {
    program: String,
    arguments: Vec<String>,
    limit: Duration,
}

/// The time limit of a program.
const LIMIT: Duration = Duration::from_secs(30);

impl ProgramNotifier {
    /// Returns the notifier of `on_change`; `None` for an empty list.
    pub fn new(on_change: &[String]) -> Option<Self> {
        let (program, arguments) = on_change.split_first()?;
        Some(Self {
            program: program.clone(),
            arguments: arguments.to_vec(),
            limit: LIMIT,
        })
    }

    /// Sets the time limit; the default is 30 seconds.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    async fn run(&self, line: String) -> Result<(), String> {
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("cannot be started: {error}"))?;
        if let Some(mut input) = child.stdin.take() {
            // A program that does not read its input decides by its exit code.
            let _ = input.write_all(line.as_bytes()).await;
        }
        let status = child.wait().await;
        let status = status.map_err(|error| format!("has no exit code: {error}"))?;
        match status.success() {
            true => Ok(()),
            false => Err(format!("ended with {status}")),
        }
    }
}

#[async_trait]
impl Notifier for ProgramNotifier {
    async fn notify(&self, message: Message) -> Result<(), String> {
        let program = &self.program;
        let line = serde_json::to_string(&message).map_err(|error| error.to_string())? + "\n";
        match timeout(self.limit, self.run(line)).await {
            Ok(result) => result.map_err(|problem| format!("{program} {problem}")),
            Err(_) => Err(format!(
                "{program} did not end within {} s and was killed",
                self.limit.as_secs_f64()
            )),
        }
    }
}
