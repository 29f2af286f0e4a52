//! The history: one entry for each call of each instance, and for each hold, edge and notice.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::record::{
    Answer, AnswerRecord, EdgeProgress, Intent, OperationId, Outcomes, Record, Request, RowRecord,
};

/// One entry of the history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HistoryEntry {
    /// The time of the intent, of the outcome without a call, or of the record.
    pub at: Timestamp,
    /// The kind: `call`, `not-sent`, `hold`, `release`, `edge`, `pass` or `notice`.
    pub kind: &'static str,
    /// The instance, group or target.
    pub subject: Option<String>,
    /// The person or program.
    pub by: Option<String>,
    /// The reason.
    pub why: Option<String>,
    /// The action or the wanted state.
    pub action: Option<String>,
    /// The id of the operation.
    pub operation: Option<OperationId>,
    /// The number of the call in the operation.
    pub call: Option<u64>,
    /// The answer to the call; `None` if no answer was recorded.
    pub answer: Option<&'static str>,
    /// The final outcome of the instance; `None` if no outcome was recorded.
    pub outcome: Option<&'static str>,
    /// The cloud's id of the request.
    pub request_id: Option<String>,
    /// The fault or another explanation.
    pub message: Option<String>,
}

impl HistoryEntry {
    fn new(at: Timestamp, kind: &'static str) -> Self {
        Self {
            at,
            kind,
            subject: None,
            by: None,
            why: None,
            action: None,
            operation: None,
            call: None,
            answer: None,
            outcome: None,
            request_id: None,
            message: None,
        }
    }
}

/// Builds the history from records.
#[derive(Debug, Default)]
pub struct History {
    entries: Vec<HistoryEntry>,
    requests: HashMap<OperationId, Request>,
    /// The last entry of an instance in an operation.
    last: HashMap<(OperationId, String), usize>,
}

impl History {
    /// Adds a record. Records come in the order of the store.
    pub fn add(&mut self, record: &Record) {
        match record {
            Record::Header(_) | Record::Opened(_) | Record::End(_) => {}
            Record::Request(request) => {
                self.requests
                    .insert(request.operation.clone(), request.clone());
            }
            Record::Snapshot(snapshot) => {
                for operation in &snapshot.operations {
                    let request = operation.request.clone();
                    self.requests.insert(request.operation.clone(), request);
                }
            }
            Record::Intent(intent) => self.add_intent(intent),
            Record::Answer(answer) => self.add_answer(answer),
            Record::Outcome(outcomes) => self.add_outcomes(outcomes),
            Record::Hold(hold) => self.entries.push(HistoryEntry {
                subject: Some(hold.target.clone()),
                by: Some(hold.by.clone()),
                why: Some(hold.why.clone()),
                action: Some(hold.state.as_str().to_owned()),
                message: Some(format!("until {}", hold.until)),
                ..HistoryEntry::new(hold.at, "hold")
            }),
            Record::Release(release) => self.entries.push(HistoryEntry {
                subject: Some(release.target.clone()),
                by: Some(release.by.clone()),
                ..HistoryEntry::new(release.at, "release")
            }),
            Record::Edge(edge) => {
                let message = match &edge.progress {
                    EdgeProgress::Open { .. } => return,
                    EdgeProgress::Reached => "reached".to_owned(),
                    EdgeProgress::Drifted { state } => format!("drifted: {state}"),
                    EdgeProgress::GivenUp { why } => format!("given up: {why}"),
                };
                self.entries.push(HistoryEntry {
                    subject: Some(edge.instance.clone().unwrap_or_else(|| edge.group.clone())),
                    why: Some(format!(
                        "schedule of {}, change at {:.0}",
                        edge.group, edge.edge
                    )),
                    action: Some(edge.wanted.as_str().to_owned()),
                    message: Some(message),
                    ..HistoryEntry::new(edge.at, "edge")
                });
            }
            Record::Pass(pass) => {
                if let Some(problem) = &pass.problem {
                    self.entries.push(HistoryEntry {
                        by: Some(pass.by.clone()),
                        message: Some(problem.clone()),
                        ..HistoryEntry::new(pass.at, "pass")
                    });
                }
            }
            Record::Notice(notice) => self.entries.push(HistoryEntry {
                subject: notice.subject.clone(),
                why: Some(notice.kind.clone()),
                message: Some(notice.message.clone()),
                ..HistoryEntry::new(notice.at, "notice")
            }),
        }
    }

    /// Returns the entries, in the order of their first records.
    pub fn finish(self) -> Vec<HistoryEntry> {
        self.entries
    }

    fn add_intent(&mut self, intent: &Intent) {
        for sent in &intent.instances {
            let entry = HistoryEntry {
                action: Some(intent.action.to_string()),
                call: Some(intent.call),
                ..self.entry_of(intent.at, "call", &intent.operation, &sent.instance)
            };
            let key = (intent.operation.clone(), sent.instance.clone());
            self.last.insert(key, self.entries.len());
            self.entries.push(entry);
        }
    }

    fn add_answer(&mut self, answer: &Answer) {
        for row in &answer.answers {
            let Some(entry) = self.last_entry(&answer.operation, &row.instance) else {
                continue;
            };
            entry.answer = Some(row.answer.as_str());
            match &row.answer {
                AnswerRecord::Accepted { request_id, .. } => {
                    entry.request_id.clone_from(request_id);
                }
                answer => {
                    if let Some(fault) = answer.fault() {
                        entry.request_id.clone_from(&fault.request_id);
                        entry.message = Some(fault.to_string());
                    }
                }
            }
        }
    }

    fn add_outcomes(&mut self, outcomes: &Outcomes) {
        for row in &outcomes.rows {
            if self
                .last_entry(&outcomes.operation, &row.instance)
                .is_none()
            {
                let entry =
                    self.entry_of(outcomes.at, "not-sent", &outcomes.operation, &row.instance);
                let key = (outcomes.operation.clone(), row.instance.clone());
                self.last.insert(key, self.entries.len());
                self.entries.push(entry);
            }
            if let Some(entry) = self.last_entry(&outcomes.operation, &row.instance) {
                settle(entry, row);
            }
        }
    }

    fn entry_of(
        &self,
        at: Timestamp,
        kind: &'static str,
        operation: &OperationId,
        instance: &str,
    ) -> HistoryEntry {
        let request = self.requests.get(operation);
        HistoryEntry {
            subject: Some(instance.to_owned()),
            by: request.map(|request| request.by.clone()),
            why: request.map(|request| request.why.clone()),
            action: request.map(|request| request.action.to_string()),
            operation: Some(operation.clone()),
            ..HistoryEntry::new(at, kind)
        }
    }

    fn last_entry(&mut self, operation: &OperationId, instance: &str) -> Option<&mut HistoryEntry> {
        let at = self.last.get(&(operation.clone(), instance.to_owned()))?;
        self.entries.get_mut(*at)
    }
}

fn settle(entry: &mut HistoryEntry, row: &RowRecord) {
    entry.outcome = Some(row.outcome.as_str());
    if row.request_id.is_some() {
        entry.request_id.clone_from(&row.request_id);
    }
    if let Some(message) = row.outcome.explanation() {
        entry.message = Some(message);
    }
}
