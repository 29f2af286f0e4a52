//! Reads the states of instances once. All other code reads states through [`StateReader`].

use std::{
    collections::{HashMap, HashSet, VecDeque, hash_map::Entry},
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};

use futures_util::{StreamExt, stream};
use lifecycle_core::{Fault, FaultKind, InstanceId, Observation};

use crate::{
    call::context::{CallContext, CallError},
    call::engine::Engine,
    observe::duplicates::merge,
};

/// The result of an observation for one instance.
#[derive(Clone, Debug)]
pub(crate) enum ObserveResult {
    Found(Observation),
    /// The response does not contain the instance.
    NotFound,
    /// The observation failed, and says nothing about the instance.
    Failed(Fault),
}

impl ObserveResult {
    /// Returns the row of the instance, if the response has one.
    pub(crate) fn found(&self) -> Option<&Observation> {
        match self {
            Self::Found(seen) => Some(seen),
            Self::NotFound | Self::Failed(_) => None,
        }
    }
}

/// Reads the states of instances.
#[derive(Debug)]
pub(crate) struct StateReader {
    pub(crate) engine: Arc<Engine>,
    content: ReadContent,
    batch_reads: BatchReadSupport,
}

/// The facts that a [`StateReader`] reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadContent {
    /// The state, by the cheapest call of the cloud.
    State,
    /// The state and the details.
    Details,
}

impl StateReader {
    pub(crate) fn new(engine: Arc<Engine>, content: ReadContent) -> Self {
        Self {
            engine,
            content,
            batch_reads: BatchReadSupport::default(),
        }
    }

    /// Returns one result for each of `ids`, read in as few calls as the cloud allows.
    pub(crate) async fn observe_once(
        &self,
        ids: &[InstanceId],
        ctx: &CallContext<'_>,
    ) -> ObserveResults {
        let limit = match self.batch_reads.get() {
            BatchReads::Unsupported => 1,
            _ => self.engine.profile().batch_limits.observe.max(1),
        };
        if ids.is_empty() {
            return ObserveResults::new();
        }
        if ids.len() <= limit {
            return self.observe_chunk(ids, ctx).await;
        }
        let reads: Vec<_> = ids
            .chunks(limit)
            .map(|chunk| self.observe_chunk(chunk, ctx))
            .collect();
        let reads = stream::iter(reads).buffer_unordered(self.engine.concurrency);
        reads.concat().await
    }

    async fn observe_chunk(&self, chunk: &[InstanceId], ctx: &CallContext<'_>) -> ObserveResults {
        if let [id] = chunk {
            return ObserveResults::from([(id.clone(), self.observe_single(id, ctx).await)]);
        }
        match self.send(chunk, ctx).await {
            Ok(rows) => self.complete(chunk, rows, ctx).await,
            // Some clouds reject the whole observation because of one id.
            Err(error) if error.fault.kind() == FaultKind::NotFound => {
                self.observe_singly(chunk, ctx).await
            }
            // One id can also be invalid, or outside the permissions of the key.
            Err(error) if may_concern_one_instance(error.fault.kind()) => {
                self.bisect(chunk, ctx).await
            }
            Err(error) => failed(chunk, &error.fault).collect(),
        }
    }

    /// Returns the results of an observation of several instances.
    ///
    /// An instance of another request, or a requested instance without a row, can mean that the
    /// cloud ignores lists of ids, or reads a list as one unknown id. Every cloud documents
    /// observations of single instances, so missing instances are read one by one, until a response
    /// with two requested instances, and no other, shows that the cloud understands lists of ids.
    async fn complete(
        &self,
        requested: &[InstanceId],
        rows: Vec<Observation>,
        ctx: &CallContext<'_>,
    ) -> ObserveResults {
        let Partition {
            mut results,
            missing,
            has_others,
        } = Partition::of(requested, rows);
        if has_others {
            self.batch_reads.set(BatchReads::Unsupported);
        }
        if missing.is_empty() {
            return results;
        }
        if self.batch_reads.get() == BatchReads::Supported {
            results.extend(missing.into_iter().map(|id| (id, ObserveResult::NotFound)));
            return results;
        }
        let singles = self.observe_singly(&missing, ctx).await;
        let is_found = |result: &ObserveResult| matches!(result, ObserveResult::Found(_));
        let is_absent = |result: &ObserveResult| matches!(result, ObserveResult::NotFound);
        if results.is_empty() && singles.values().any(is_found) {
            self.batch_reads.set(BatchReads::Unsupported);
        } else if !has_others && results.len() >= 2 && singles.values().all(is_absent) {
            self.batch_reads.set(BatchReads::Supported);
        }
        results.extend(singles);
        results
    }

    /// Separates the instances that cause the rejection of an observation from the other instances.
    /// If the cloud rejects both halves, the cause is not one instance, and perhaps the list itself.
    async fn bisect(&self, chunk: &[InstanceId], ctx: &CallContext<'_>) -> ObserveResults {
        let mut results = ObserveResults::new();
        let mut parts = VecDeque::from(<[_; 2]>::from(chunk.split_at(chunk.len() / 2)));
        let (mut rejections, mut answered) = (0, false);
        while let Some(part) = parts.pop_front() {
            match self.send(part, ctx).await {
                Ok(rows) => {
                    answered = true;
                    results.extend(self.complete(part, rows, ctx).await);
                }
                Err(error) => {
                    rejections += 1;
                    let fault = error.fault;
                    if rejections == 2 && !answered {
                        return self.observe_without_lists(chunk, &fault, ctx).await;
                    }
                    if part.len() > 1 && may_concern_one_instance(fault.kind()) {
                        parts.extend(<[_; 2]>::from(part.split_at(part.len() / 2)));
                    } else {
                        results.extend(failed(part, &fault));
                    }
                }
            }
        }
        results
    }

    /// Reads the instances of a chunk one by one, after the cloud rejected the chunk and both halves. The
    /// first instance decides whether the rest is read: a cloud that rejects every lookup gets one more call.
    async fn observe_without_lists(
        &self,
        chunk: &[InstanceId],
        rejection: &Fault,
        ctx: &CallContext<'_>,
    ) -> ObserveResults {
        let halves = <[_; 2]>::from(chunk.split_at(chunk.len() / 2));
        let first = match halves {
            // The first half was a lookup of one instance.
            [[_], _] => None,
            _ => chunk.split_first(),
        };
        let Some((first, rest)) = first else {
            return failed(chunk, rejection).collect();
        };
        let result = self.observe_single(first, ctx).await;
        if let ObserveResult::Failed(_) = result {
            return failed(chunk, rejection).collect();
        }
        let mut results = self.observe_singly(rest, ctx).await;
        results.insert(first.clone(), result);
        let is_found = |id: &InstanceId| results.get(id).is_some_and(|it| it.found().is_some());
        // A rejected list of instances that single lookups show has no instance that explains the rejection.
        if halves.iter().any(|half| half.iter().all(is_found)) {
            self.batch_reads.set(BatchReads::Unsupported);
        }
        results
    }

    async fn observe_singly(&self, ids: &[InstanceId], ctx: &CallContext<'_>) -> ObserveResults {
        let reads: Vec<_> = ids.iter().map(|id| self.observe_single(id, ctx)).collect();
        // `buffered` keeps the order of the ids.
        let reads = stream::iter(reads).buffered(self.engine.concurrency);
        let results: Vec<ObserveResult> = reads.collect().await;
        ids.iter().cloned().zip(results).collect()
    }

    async fn observe_single(&self, id: &InstanceId, ctx: &CallContext<'_>) -> ObserveResult {
        match self.send(std::slice::from_ref(id), ctx).await {
            Ok(rows) => {
                let mut partition = Partition::of(std::slice::from_ref(id), rows);
                match partition.results.remove(id) {
                    Some(found) => found,
                    None if partition.has_others => ObserveResult::Failed(shows_others()),
                    None => ObserveResult::NotFound,
                }
            }
            Err(error) if error.fault.kind() == FaultKind::NotFound => ObserveResult::NotFound,
            Err(error) => ObserveResult::Failed(error.fault),
        }
    }

    async fn send(
        &self,
        ids: &[InstanceId],
        ctx: &CallContext<'_>,
    ) -> Result<Vec<Observation>, CallError> {
        let provider = self.engine.provider();
        let call = match self.content {
            ReadContent::State => provider.observe(ids),
            ReadContent::Details => provider.describe(ids),
        };
        let call = call.map_err(CallError::unsent)?;
        let ctx = CallContext {
            instances: ids.len(),
            ..*ctx
        };
        Ok(self.engine.execute(&call, &ctx).await?.value)
    }
}

pub(crate) type ObserveResults = HashMap<InstanceId, ObserveResult>;

/// Returns true if one instance, or the call for several instances, can be the cause of the
/// rejection of an observation.
fn may_concern_one_instance(kind: FaultKind) -> bool {
    matches!(
        kind,
        FaultKind::Invalid
            | FaultKind::WrongEndpoint
            | FaultKind::Permission
            | FaultKind::Unsupported
    )
}

fn failed<'i>(
    ids: &'i [InstanceId],
    fault: &'i Fault,
) -> impl Iterator<Item = (InstanceId, ObserveResult)> + 'i {
    ids.iter()
        .map(|id| (id.clone(), ObserveResult::Failed(fault.clone())))
}

/// The rows of a lookup, compared with the request.
struct Partition {
    results: ObserveResults,
    /// The requested instances without a row.
    missing: Vec<InstanceId>,
    /// The response has rows of other instances.
    has_others: bool,
}

impl Partition {
    fn of(requested: &[InstanceId], rows: Vec<Observation>) -> Self {
        let mut results = ObserveResults::with_capacity(rows.len());
        for row in rows {
            match results.entry(row.instance.clone()) {
                Entry::Vacant(first) => {
                    first.insert(ObserveResult::Found(row));
                }
                Entry::Occupied(mut first) => {
                    if let ObserveResult::Found(first) = first.get_mut() {
                        merge(first, row);
                    }
                }
            }
        }
        let rows = results.len();
        let mut missing = Vec::new();
        for id in requested {
            match results.get_mut(id) {
                // A row that is kept shares the text of the requested id.
                Some(ObserveResult::Found(row)) => row.instance = id.clone(),
                _ => missing.push(id.clone()),
            }
        }
        // Fewer instances were found than there are rows, unless all rows are of requested instances.
        let has_others = rows + missing.len() != requested.len();
        if has_others {
            let wanted: HashSet<&InstanceId> = requested.iter().collect();
            results.retain(|id, _| wanted.contains(id));
        }
        Self {
            missing,
            has_others: results.len() != rows,
            results,
        }
    }
}

/// Returns the fault of a lookup that shows other instances than the requested one.
fn shows_others() -> Fault {
    Fault::new(
        FaultKind::Unreadable,
        "the response shows other instances than the requested one",
    )
}

/// Returns whether lookups that fail in this way cannot succeed later.
pub(crate) fn fails_for_good(kind: FaultKind) -> bool {
    matches!(
        kind,
        FaultKind::Credential
            | FaultKind::Permission
            | FaultKind::Unsupported
            | FaultKind::Certificate
            | FaultKind::Proxy
    )
}

/// Returns the fault of an instance that the cloud does not show.
pub(crate) fn not_shown() -> Fault {
    Fault::new(
        FaultKind::NotFound,
        "the cloud does not show it: there is none in this region, or the key may not see it",
    )
}

/// Remembers whether the cloud supports observations of several instances in one call.
#[derive(Debug, Default)]
pub(crate) struct BatchReadSupport(AtomicU8);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BatchReads {
    Unknown,
    Supported,
    Unsupported,
}

impl BatchReadSupport {
    fn get(&self) -> BatchReads {
        match self.0.load(Ordering::Relaxed) {
            0 => BatchReads::Unknown,
            1 => BatchReads::Supported,
            _ => BatchReads::Unsupported,
        }
    }

    fn set(&self, reads: BatchReads) {
        self.0.store(reads as u8, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use lifecycle_core::PowerState;

    use super::*;

    #[test]
    fn kinds_of_faults_concern_one_instance_or_every_lookup() {
        use FaultKind::{
            Certificate, Credential, Invalid, Permission, Proxy, Unsupported, WrongEndpoint,
        };
        let one = [Invalid, WrongEndpoint, Permission, Unsupported];
        let for_good = [Credential, Permission, Unsupported, Certificate, Proxy];
        for kind in FaultKind::ALL {
            assert_eq!(
                may_concern_one_instance(*kind),
                one.contains(kind),
                "{kind}"
            );
            assert_eq!(fails_for_good(*kind), for_good.contains(kind), "{kind}");
        }
    }

    #[test]
    fn found_row_shares_the_text_of_the_requested_id() {
        let id = || InstanceId::new("i-1").unwrap();
        let (requested, row) = (id(), Observation::new(id(), PowerState::Running, "running"));
        let partition = Partition::of(std::slice::from_ref(&requested), vec![row]);
        let found = partition.results[&requested].found().unwrap();
        assert!(std::ptr::eq(found.instance.as_str(), requested.as_str()));
    }

    #[test]
    fn only_a_found_instance_has_a_row() {
        let id = InstanceId::new("i-1").unwrap();
        let row = Observation::new(id, PowerState::Running, "running");
        assert_eq!(ObserveResult::Found(row.clone()).found(), Some(&row));
        assert_eq!(ObserveResult::NotFound.found(), None);
        assert_eq!(ObserveResult::Failed(shows_others()).found(), None);
    }

    #[test]
    fn support_of_batch_reads_is_remembered() {
        let support = BatchReadSupport::default();
        assert_eq!(support.get(), BatchReads::Unknown);
        for reads in [BatchReads::Supported, BatchReads::Unsupported] {
            support.set(reads);
            assert_eq!(support.get(), reads);
        }
    }
}
