//! Looking at instances once: the one place that reads states.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};

use futures_util::{StreamExt, stream};
use lifecycle_core::{Fault, FaultKind, InstanceId, Observation};

use crate::{
    call::context::{CallContext, CallError, CallKind},
    call::engine::Engine,
};

/// What one look showed of one instance.
#[derive(Clone, Debug)]
pub(crate) enum ObserveResult {
    Found(Observation),
    /// The cloud answered, and does not show it.
    NotFound,
    /// There was no answer; it says nothing about the instance.
    Failed(Fault),
}

/// Reads the states of instances.
#[derive(Debug)]
pub(crate) struct StateReader {
    pub(crate) engine: Arc<Engine>,
    batch_reads: BatchReadSupport,
}

impl StateReader {
    pub(crate) fn new(engine: Arc<Engine>) -> Self {
        Self {
            engine,
            batch_reads: BatchReadSupport::default(),
        }
    }

    /// Returns one result for each of `ids`, read in as few calls as the cloud allows.
    pub(crate) async fn observe_once(
        &self,
        ids: &[InstanceId],
        ctx: &CallContext<'_>,
    ) -> ObserveResults {
        let limit = match self.batch_reads.mode() {
            Mode::OneByOne => 1,
            _ => self.engine.profile().batch_limits.observe.max(1),
        };
        if ids.is_empty() {
            return ObserveResults::new();
        }
        if ids.len() <= limit {
            return self.look_at_chunk(ids, ctx).await;
        }
        let looks: Vec<_> = ids
            .chunks(limit)
            .map(|chunk| self.look_at_chunk(chunk, ctx))
            .collect();
        let looks = stream::iter(looks).buffer_unordered(self.engine.concurrency);
        looks.concat().await
    }

    async fn look_at_chunk(&self, chunk: &[InstanceId], ctx: &CallContext<'_>) -> ObserveResults {
        if let [id] = chunk {
            return ObserveResults::from([(id.clone(), self.look_at(id, ctx).await)]);
        }
        match self.ask(chunk, ctx).await {
            Ok(rows) => {
                let (mut results, missing) = partition(chunk, rows);
                if !results.is_empty() {
                    self.batch_reads.set(Mode::Together);
                }
                if self.batch_reads.mode() == Mode::Together {
                    results.extend(missing.into_iter().map(|id| (id, ObserveResult::NotFound)));
                    return results;
                }
                // The cloud showed nothing at all. Perhaps it does not understand the question:
                // ask again in the form that every cloud documents.
                let results = self.look_one_by_one(chunk, ctx).await;
                if results
                    .values()
                    .any(|result| matches!(result, ObserveResult::Found(_)))
                {
                    self.batch_reads.set(Mode::OneByOne);
                }
                results
            }
            // Some clouds refuse the whole question because of one id.
            Err(failure) if failure.fault.kind() == FaultKind::NotFound => {
                self.look_one_by_one(chunk, ctx).await
            }
            // And for others one id can spoil the question, or be out of this key's reach.
            Err(failure) if is_about_one_perhaps(failure.fault.kind()) => {
                self.look_in_halves(chunk, ctx).await
            }
            Err(failure) => missed(chunk, &failure.fault).collect(),
        }
    }

    /// Finds what spoils a question, so that the others can be seen. Gives up at once when it is
    /// not about one: when both halves are refused.
    async fn look_in_halves(&self, chunk: &[InstanceId], ctx: &CallContext<'_>) -> ObserveResults {
        let mut results = ObserveResults::new();
        let mut parts = VecDeque::from(<[_; 2]>::from(chunk.split_at(chunk.len() / 2)));
        let (mut refused, mut answered) = (0, false);
        while let Some(part) = parts.pop_front() {
            match self.ask(part, ctx).await {
                Ok(rows) => {
                    answered = true;
                    let (seen, missing) = partition(part, rows);
                    results.extend(seen);
                    results.extend(missing.into_iter().map(|id| (id, ObserveResult::NotFound)));
                }
                Err(failure) => {
                    refused += 1;
                    let fault = failure.fault;
                    if refused == 2 && !answered {
                        return missed(chunk, &fault).collect();
                    }
                    if part.len() > 1 && is_about_one_perhaps(fault.kind()) {
                        parts.extend(<[_; 2]>::from(part.split_at(part.len() / 2)));
                    } else {
                        results.extend(missed(part, &fault));
                    }
                }
            }
        }
        results
    }

    async fn look_one_by_one(&self, ids: &[InstanceId], ctx: &CallContext<'_>) -> ObserveResults {
        let looks: Vec<_> = ids.iter().map(|id| self.look_at(id, ctx)).collect();
        // In the order of the ids.
        let looks = stream::iter(looks).buffered(self.engine.concurrency);
        let results: Vec<ObserveResult> = looks.collect().await;
        ids.iter().cloned().zip(results).collect()
    }

    async fn look_at(&self, id: &InstanceId, ctx: &CallContext<'_>) -> ObserveResult {
        match self.ask(std::slice::from_ref(id), ctx).await {
            Ok(rows) => rows
                .into_iter()
                .find(|row| row.instance == *id)
                .map_or(ObserveResult::NotFound, ObserveResult::Found),
            Err(failure) if failure.fault.kind() == FaultKind::NotFound => ObserveResult::NotFound,
            Err(failure) => ObserveResult::Failed(failure.fault),
        }
    }

    async fn ask(
        &self,
        ids: &[InstanceId],
        ctx: &CallContext<'_>,
    ) -> Result<Vec<Observation>, CallError> {
        let call = self
            .engine
            .provider()
            .observe(ids)
            .map_err(CallError::unsent)?;
        let ctx = CallContext {
            kind: CallKind::Observe,
            instances: ids.len(),
            ..*ctx
        };
        Ok(self.engine.execute(&call, &ctx).await?.value)
    }
}

pub(crate) type ObserveResults = HashMap<InstanceId, ObserveResult>;

/// Whether a look at several can have been refused because of one of them.
fn is_about_one_perhaps(kind: FaultKind) -> bool {
    matches!(
        kind,
        FaultKind::Invalid | FaultKind::Permission | FaultKind::Unsupported
    )
}

fn missed<'i>(
    ids: &'i [InstanceId],
    fault: &'i Fault,
) -> impl Iterator<Item = (InstanceId, ObserveResult)> + 'i {
    ids.iter()
        .map(|id| (id.clone(), ObserveResult::Failed(fault.clone())))
}

/// Rows of instances that were asked for, and the ids that have none.
fn partition(asked: &[InstanceId], rows: Vec<Observation>) -> (ObserveResults, Vec<InstanceId>) {
    let wanted: HashSet<&InstanceId> = asked.iter().collect();
    let results: ObserveResults = rows
        .into_iter()
        .filter(|row| wanted.contains(&row.instance))
        .map(|row| (row.instance.clone(), ObserveResult::Found(row)))
        .collect();
    let missing = asked
        .iter()
        .filter(|id| !results.contains_key(*id))
        .cloned()
        .collect();
    (results, missing)
}

/// The fault of an instance that its cloud does not show.
pub(crate) fn not_shown() -> Fault {
    Fault::new(
        FaultKind::NotFound,
        "the cloud does not show it: there is none in this region, or the key may not see it",
    )
}

/// Whether the cloud has ever answered a question about several instances at once.
#[derive(Debug, Default)]
pub(crate) struct BatchReadSupport(AtomicU8);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Untried,
    Together,
    OneByOne,
}

impl BatchReadSupport {
    fn mode(&self) -> Mode {
        match self.0.load(Ordering::Relaxed) {
            0 => Mode::Untried,
            1 => Mode::Together,
            _ => Mode::OneByOne,
        }
    }

    fn set(&self, mode: Mode) {
        self.0.store(mode as u8, Ordering::Relaxed);
    }
}
