//! `State`: everything that the records of a journal say, folded: operations, holds, edges and the last
//! action of each instance. No I/O.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::{
    error::StoreError,
    machine::machine_name,
    record::{AnswerRecord, Edge, Hold, Intent, OperationId, Pass, Record, Snapshot},
};
pub use crate::{
    passes::PassLog,
    progress::{InstanceProgress, LastAction, Operation, SendPhase},
};

/// The folded records of a journal.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct State {
    /// The operations without an end, and the latest operation, in the order of their requests.
    pub operations: Vec<Operation>,
    /// The holds by target: a group or a [`machine_name`]. A hold whose end has passed stays until another one replaces it.
    pub holds: BTreeMap<String, Hold>,
    /// The last edge of each group, and of each instance of a group.
    pub edges: BTreeMap<EdgeKey, Edge>,
    /// The last action of each machine, by [`machine_name`].
    pub last_actions: BTreeMap<String, LastAction>,
    /// The last pass of a controller.
    pub last_pass: Option<Pass>,
    /// The problem of the last pass of each controller whose last pass had one.
    pub problems: BTreeMap<String, String>,
    /// The passes and the reported facts by group.
    pub log: PassLog,
}

/// A group, or an instance of a group.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub struct EdgeKey {
    /// The group.
    pub group: String,
    /// The [`machine_name`] of the instance; `None` for the group as a whole.
    pub instance: Option<String>,
}

impl EdgeKey {
    /// Returns the key of a group as a whole.
    pub fn group(group: impl Into<String>) -> Self {
        Self {
            group: group.into(),
            instance: None,
        }
    }

    /// Returns the key of an instance of a group.
    pub fn instance(group: impl Into<String>, instance: impl AsRef<str>) -> Self {
        Self {
            group: group.into(),
            instance: Some(machine_name(instance.as_ref())),
        }
    }
}

impl State {
    /// Returns an operation.
    pub fn operation(&self, id: &OperationId) -> Option<&Operation> {
        self.operations
            .iter()
            .rfind(|operation| operation.request.operation == *id)
    }

    /// Returns the latest operation.
    pub fn latest(&self) -> Option<&Operation> {
        self.operations.last()
    }

    /// Returns the operations in which an instance has no outcome.
    pub fn unfinished(&self) -> impl Iterator<Item = &Operation> {
        self.operations
            .iter()
            .filter(|operation| !operation.is_finished())
    }

    /// Returns the hold of a group or of a machine at a time.
    pub fn hold(&self, target: &str, now: Timestamp) -> Option<&Hold> {
        self.last_hold(target).filter(|hold| now < hold.until)
    }

    /// Returns the last hold of a group or of a machine, which can be over.
    pub(crate) fn last_hold(&self, target: &str) -> Option<&Hold> {
        // Most stores have few holds, and a pass asks for each machine.
        let is_held = !self.holds.is_empty();
        is_held.then(|| self.holds.get(&machine_name(target)))?
    }

    /// Returns the last action on a machine.
    pub fn last_action(&self, instance: &str) -> Option<&LastAction> {
        self.last_actions.get(&machine_name(instance))
    }

    /// Returns the machines that have no outcome in an unfinished operation, by [`machine_name`].
    pub(crate) fn open_machines(&self) -> BTreeSet<String> {
        let open = self.unfinished().flat_map(|operation| {
            let instances = operation.request.instances.iter();
            instances.filter(|name| operation.progress(name).outcome.is_none())
        });
        open.map(|name| machine_name(name)).collect()
    }

    /// Checks that a record may be appended: a call that may not be repeated has one intent.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for an instance that already has an intent in the operation, or an outcome;
    /// [`StoreError::UnknownOperation`] for a record of an operation without a request.
    pub fn check(&self, record: &Record) -> Result<(), StoreError> {
        let operation = |id: &OperationId| {
            self.operation(id)
                .ok_or_else(|| StoreError::UnknownOperation(id.clone()))
        };
        match record {
            Record::Intent(intent) => check_intent(operation(&intent.operation)?, intent),
            Record::Answer(answer) => operation(&answer.operation).map(drop),
            Record::Outcome(outcomes) => operation(&outcomes.operation).map(drop),
            Record::End(end) => operation(&end.operation).map(drop),
            _ => Ok(()),
        }
    }

    /// Adds records, all of them or none. A record can depend on a record before it.
    ///
    /// # Errors
    /// The errors of [`check`](Self::check).
    pub fn append(&mut self, records: &[Record]) -> Result<(), StoreError> {
        match records {
            [only] => self.check(only)?,
            _ => self.only_operations_of(records).check_in_order(records)?,
        }
        for record in records {
            self.apply(record);
        }
        Ok(())
    }

    /// Returns the operations of some records, without the rest of the state, which can be large.
    fn only_operations_of(&self, records: &[Record]) -> Self {
        let ids: BTreeSet<&OperationId> = records.iter().filter_map(Record::operation).collect();
        let operations = self.operations.iter();
        let operations = operations.filter(|operation| ids.contains(&operation.request.operation));
        Self {
            operations: operations.cloned().collect(),
            ..Self::default()
        }
    }

    fn check_in_order(mut self, records: &[Record]) -> Result<(), StoreError> {
        for record in records {
            self.check(record)?;
            self.apply(record);
        }
        Ok(())
    }

    /// Adds a record.
    pub fn apply(&mut self, record: &Record) {
        match record {
            Record::Header(_) | Record::Opened(_) => {}
            Record::Notice(notice) => self.log.add_notice(notice),
            Record::Request(request) => {
                self.operations.retain(|operation| !operation.is_finished());
                self.operations.push(Operation::new(request.clone()));
            }
            Record::Intent(intent) => self.apply_intent(intent),
            Record::Answer(answer) => {
                if let Some(operation) = self.operation_mut(&answer.operation) {
                    for row in &answer.answers {
                        let progress = operation.progress_mut(&row.instance);
                        progress.phase = SendPhase::Answered(row.answer.clone());
                    }
                }
            }
            Record::Outcome(outcomes) => {
                for row in &outcomes.rows {
                    let last = self.last_actions.get_mut(&machine_name(&row.instance));
                    let last = last.filter(|last| last.operation == outcomes.operation);
                    if let Some(last) = last.filter(|last| last.outcome.is_none()) {
                        last.outcome = Some(row.outcome.as_str().to_owned());
                    }
                }
                if let Some(operation) = self.operation_mut(&outcomes.operation) {
                    for row in &outcomes.rows {
                        // The first outcome is final: a controller that was cut off can record an older one later.
                        let progress = operation.progress_mut(&row.instance);
                        progress.outcome.get_or_insert_with(|| row.clone());
                    }
                }
            }
            Record::End(end) => {
                if let Some(operation) = self.operation_mut(&end.operation) {
                    operation.ended = true;
                }
            }
            Record::Hold(hold) => {
                self.log.change_hold(&hold.target);
                self.holds.insert(machine_name(&hold.target), hold.clone());
            }
            // The end of a hold is a change for the controller, so the hold stays with its real end.
            Record::Release(release) => {
                self.log.change_hold(&release.target);
                if let Some(hold) = self.holds.get_mut(&machine_name(&release.target)) {
                    hold.until = hold.until.min(release.at);
                }
            }
            Record::Edge(edge) => {
                let key = match &edge.instance {
                    Some(instance) => EdgeKey::instance(&edge.group, instance),
                    None => EdgeKey::group(&edge.group),
                };
                self.edges.insert(key, edge.clone());
            }
            Record::Pass(pass) => {
                match &pass.problem {
                    Some(problem) => self.problems.insert(pass.by.clone(), problem.clone()),
                    None => self.problems.remove(&pass.by),
                };
                self.log.add_pass(pass);
                self.last_pass = Some(pass.clone());
            }
            Record::Snapshot(snapshot) => *self = Self::from(&**snapshot),
        }
    }

    /// Returns the record with which the next file of a journal begins.
    pub fn snapshot(&self, at: Timestamp) -> Record {
        Record::Snapshot(Box::new(Snapshot {
            at,
            operations: self.operations.clone(),
            holds: self.holds.values().cloned().collect(),
            edges: self.edges.values().cloned().collect(),
            last_actions: self.last_actions.clone(),
            last_pass: self.last_pass.clone(),
            problems: self.problems.clone(),
            log: self.log.clone(),
        }))
    }

    fn apply_intent(&mut self, intent: &Intent) {
        for sent in &intent.instances {
            let last = LastAction {
                operation: intent.operation.clone(),
                action: intent.action,
                at: intent.at,
                outcome: None,
            };
            self.last_actions.insert(machine_name(&sent.instance), last);
        }
        let Some(operation) = self.operation_mut(&intent.operation) else {
            return;
        };
        operation.calls = operation.calls.max(intent.call);
        for sent in &intent.instances {
            let progress = operation.progress_mut(&sent.instance);
            progress.phase = SendPhase::Sent;
            if progress.before.is_none() {
                progress.before.clone_from(&sent.before);
            }
        }
    }

    fn operation_mut(&mut self, id: &OperationId) -> Option<&mut Operation> {
        self.operations
            .iter_mut()
            .rfind(|operation| operation.request.operation == *id)
    }
}

impl From<&Snapshot> for State {
    fn from(snapshot: &Snapshot) -> Self {
        let mut state = Self {
            operations: snapshot.operations.clone(),
            last_pass: snapshot.last_pass.clone(),
            problems: snapshot.problems.clone(),
            ..Self::default()
        };
        // An earlier version recorded a machine under each of its references: the latest action counts.
        for (instance, last) in &snapshot.last_actions {
            let known = state.last_actions.entry(machine_name(instance));
            let known = known.or_insert_with(|| last.clone());
            if known.at < last.at {
                known.clone_from(last);
            }
        }
        for hold in &snapshot.holds {
            state.apply(&Record::Hold(hold.clone()));
        }
        for edge in &snapshot.edges {
            state.apply(&Record::Edge(edge.clone()));
        }
        state.log = snapshot.log.clone();
        // An older program wrote no log.
        if let (true, Some(pass)) = (state.log.is_empty(), &snapshot.last_pass) {
            state.log.add_pass(pass);
        }
        state
    }
}

/// Checks that a call of an operation may be sent.
fn check_intent(operation: &Operation, intent: &Intent) -> Result<(), StoreError> {
    let repeatable = intent.action.is_repeatable();
    for sent in &intent.instances {
        let progress = operation.progress(&sent.instance);
        let allowed = match (&progress.outcome, &progress.phase) {
            (Some(_), _) => false,
            (None, SendPhase::NotSent | SendPhase::Answered(AnswerRecord::NotSent { .. })) => true,
            // A refused reboot was not executed: a request that waits for idle instances sends again.
            (
                None,
                SendPhase::Answered(AnswerRecord::Rejected { .. } | AnswerRecord::Refused { .. }),
            ) => repeatable || intent.resent,
            (None, SendPhase::Sent | SendPhase::Answered(_)) => repeatable,
        };
        if !allowed {
            return Err(StoreError::Conflict {
                instance: sent.instance.clone(),
                operation: operation.request.operation.clone(),
            });
        }
    }
    Ok(())
}
