//! `ClientStats`: the counters and gauges of a client. [`StatsCollector`] is the only place that counts, and
//! passes each event to the [`StatsObserver`].

use std::{
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use lifecycle_core::{ActionKind, FaultKind};

use crate::{
    call::context::CallKind,
    call::counters::{CallCounters, CallCounts},
    call::shared_rate::LimitedCalls,
    sync::lock,
};

/// The names that distinguish clients in stats, spans and metrics. Contains no secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub struct ClientLabels {
    /// The name of the cloud in references, such as `aliyun`.
    pub cloud: String,
    /// The name of the account; empty without a name.
    pub account: String,
    /// The region; empty if unknown, and for the key of all regions of an account.
    pub region: String,
}

impl ClientLabels {
    /// Returns the labels of a client.
    pub fn new(
        cloud: impl Into<String>,
        account: impl Into<String>,
        region: impl Into<String>,
    ) -> Self {
        Self {
            cloud: cloud.into(),
            account: account.into(),
            region: region.into(),
        }
    }

    /// Returns the region for a span; `None` if unknown.
    pub(crate) fn known_region(&self) -> Option<&str> {
        Some(&*self.region).filter(|region| !region.is_empty())
    }

    /// Returns the account for a span; `None` without a name.
    pub(crate) fn known_account(&self) -> Option<&str> {
        Some(&*self.account).filter(|account| !account.is_empty())
    }
}

/// Receives the events that a client counts, at the time of the count: the source of metrics.
///
/// Set an observer with [`ClientBuilder::stats_observer`](crate::ClientBuilder::stats_observer). A client without
/// an observer only adds to its counters. The function runs between the steps of a call, so the function must
/// return at once, and must not block.
///
/// # Examples
/// ```
/// use std::sync::{Arc, atomic::{AtomicU64, Ordering}};
/// use lifecycle_client::{ClientLabels, StatsEvent, StatsObserver};
///
/// #[derive(Debug, Default)]
/// struct SlowCalls(AtomicU64);
///
/// impl StatsObserver for SlowCalls {
///     fn on_event(&self, _: &ClientLabels, event: &StatsEvent) {
///         if let StatsEvent::Call { took, .. } = event && took.as_secs() > 5 {
///             self.0.fetch_add(1, Ordering::Relaxed);
///         }
///     }
/// }
/// # fn configure(builder: lifecycle_client::ClientBuilder) -> lifecycle_client::ClientBuilder {
/// let slow = Arc::new(SlowCalls::default());
/// builder.stats_observer(Arc::clone(&slow))
/// # }
/// ```
pub trait StatsObserver: fmt::Debug + Send + Sync + 'static {
    /// Receives an event of a client.
    fn on_event(&self, client: &ClientLabels, event: &StatsEvent);
}

impl<O: StatsObserver + ?Sized> StatsObserver for Arc<O> {
    fn on_event(&self, client: &ClientLabels, event: &StatsEvent) {
        (**self).on_event(client, event);
    }
}

/// An event that a client counts. All texts belong to small fixed sets.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum StatsEvent {
    /// An attempt at a call was sent and has ended.
    Call {
        /// The cloud's name of the operation.
        operation: &'static str,
        /// The kind of the fault of a failed attempt.
        result: Result<(), FaultKind>,
        /// The time from sending to the last byte of the response.
        took: Duration,
    },
    /// An attempt ended before sending, for example because there is no usable key.
    Unsent {
        /// The cloud's name of the operation.
        operation: &'static str,
        /// The kind of the fault.
        kind: FaultKind,
    },
    /// A failed attempt is repeated after a pause.
    Retry {
        /// The cloud's name of the operation.
        operation: &'static str,
        /// The kind of the fault of the failed attempt.
        kind: FaultKind,
    },
    /// A call waited for the rate limit.
    Waited {
        /// The rate limit.
        limit: LimitedCalls,
        /// The length of the wait.
        waited: Duration,
    },
    /// The present rate after a call. The client adapts the rate to the responses.
    Rate {
        /// The rate limit.
        limit: LimitedCalls,
        /// The calls per second.
        per_second: f64,
    },
    /// The poller looked instances up for waiting requests.
    Polled {
        /// The number of instances.
        instances: usize,
    },
    /// Instances of a request have their final outcomes.
    Outcome {
        /// The action; `None` for a request that only waits.
        action: Option<ActionKind>,
        /// The name of the outcome, such as `reached`.
        outcome: &'static str,
        /// The number of instances.
        instances: u64,
    },
    /// A search for a key has ended: the first search, a renewal, or the replacement of a rejected key.
    KeySearch {
        /// The search found a key.
        found: bool,
    },
}

/// The counters and gauges of a client and its clones. Counters begin at 0 with the client.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ClientStats {
    /// The names of the client.
    pub labels: ClientLabels,
    /// The calls by purpose.
    pub calls: CallCounts,
    /// The calls by operation, in the order of the names.
    pub operations: Vec<OperationStats>,
    /// The outcomes of instances, in the order of their first occurrence. Dropped requests are not counted.
    pub outcomes: Vec<OutcomeStats>,
    /// The rate limit of calls that read.
    pub reads: RateLimitStats,
    /// The rate limit of calls that act.
    pub writes: RateLimitStats,
    /// The number of sent calls without a response now.
    pub in_flight: u64,
    /// The number of lookups of the poller.
    pub polls: u64,
    /// The number of instances that the poller observes now.
    pub polled_instances: usize,
    /// The number of keys obtained, including renewals. Clients with a shared key report the same number.
    pub keys_found: u64,
    /// The number of searches for a key without success.
    pub failed_key_searches: u64,
}

impl ClientStats {
    /// Returns the number of responses with which the cloud throttled a call.
    pub fn throttled(&self) -> u64 {
        self.failures(FaultKind::Throttled)
    }

    /// Returns the number of sent attempts that failed with this kind of fault.
    pub fn failures(&self, kind: FaultKind) -> u64 {
        let failed = self.operations.iter().flat_map(|it| &it.failed);
        let failed = failed.filter(|(other, _)| *other == kind);
        failed.map(|(_, count)| count).sum()
    }
}

/// The counters of one operation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OperationStats {
    /// The cloud's name of the operation, such as `StartInstances`.
    pub operation: &'static str,
    /// The number of attempts with success.
    pub succeeded: u64,
    /// The number of sent attempts that failed, by the kind of the fault.
    pub failed: Vec<(FaultKind, u64)>,
    /// The number of attempts that ended before sending.
    pub unsent: u64,
    /// The number of retries.
    pub retries: u64,
    /// The time of all sent attempts together.
    pub time: Duration,
    /// The time of the slowest attempt.
    pub longest: Duration,
}

impl OperationStats {
    fn new(operation: &'static str) -> Self {
        Self {
            operation,
            succeeded: 0,
            failed: Vec::new(),
            unsent: 0,
            retries: 0,
            time: Duration::ZERO,
            longest: Duration::ZERO,
        }
    }

    /// Returns the number of sent attempts that have ended.
    pub fn calls(&self) -> u64 {
        self.succeeded + self.failed.iter().map(|(_, count)| count).sum::<u64>()
    }
}

/// The number of instances with an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutcomeStats {
    /// The action; `None` for requests that only wait.
    pub action: Option<ActionKind>,
    /// The name of the outcome, such as `reached`.
    pub outcome: &'static str,
    /// The number of instances.
    pub instances: u64,
}

/// The counters and the rate of a rate limit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct RateLimitStats {
    /// The present rate in calls per second; `None` without a limit, and before the first lease of a shared limit.
    pub per_second: Option<f64>,
    /// The number of calls that waited.
    pub waits: u64,
    /// The time of all waits together.
    pub waited: Duration,
}

/// Counts the events of a client, and passes each event to the observer.
#[derive(Debug, Default)]
pub(crate) struct StatsCollector {
    pub(crate) labels: ClientLabels,
    observer: Option<Arc<dyn StatsObserver>>,
    purposes: CallCounters,
    in_flight: AtomicU64,
    polls: AtomicU64,
    operations: Mutex<Vec<OperationStats>>,
    outcomes: Mutex<Vec<OutcomeStats>>,
    waits: Mutex<[RateLimitStats; 2]>,
}

impl StatsCollector {
    pub(crate) fn new(labels: ClientLabels, observer: Option<Arc<dyn StatsObserver>>) -> Self {
        Self {
            labels,
            observer,
            ..Self::default()
        }
    }

    fn emit(&self, event: &StatsEvent) {
        if let Some(observer) = &self.observer {
            observer.on_event(&self.labels, event);
        }
    }

    /// Changes the counters of an operation.
    fn operation(&self, operation: &'static str, change: impl FnOnce(&mut OperationStats)) {
        let mut operations = lock(&self.operations);
        let known = operations.iter().position(|it| it.operation == operation);
        let at = known.unwrap_or_else(|| {
            operations.push(OperationStats::new(operation));
            operations.len() - 1
        });
        change(&mut operations[at]);
    }

    /// Counts an attempt that is sent now.
    pub(crate) fn sending(&self, kind: CallKind) {
        self.purposes.count(kind);
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts the end of a sent attempt, whatever ends the attempt.
    pub(crate) fn left_flight(&self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    /// Counts the result of a sent attempt.
    pub(crate) fn call(
        &self,
        operation: &'static str,
        result: Result<(), FaultKind>,
        took: Duration,
    ) {
        self.operation(operation, |stats| {
            match result {
                Ok(()) => stats.succeeded += 1,
                Err(kind) => match stats.failed.iter_mut().find(|(known, _)| *known == kind) {
                    Some((_, count)) => *count += 1,
                    None => stats.failed.push((kind, 1)),
                },
            }
            stats.time = stats.time.saturating_add(took);
            stats.longest = stats.longest.max(took);
        });
        self.emit(&StatsEvent::Call {
            operation,
            result,
            took,
        });
    }

    /// Counts an attempt that ended before sending.
    pub(crate) fn unsent(&self, operation: &'static str, kind: FaultKind) {
        self.operation(operation, |stats| stats.unsent += 1);
        self.emit(&StatsEvent::Unsent { operation, kind });
    }

    /// Counts a retry, in addition to its attempt.
    pub(crate) fn retry(&self, operation: &'static str, kind: FaultKind) {
        self.purposes.count_repeat();
        self.operation(operation, |stats| stats.retries += 1);
        self.emit(&StatsEvent::Retry { operation, kind });
    }

    /// Counts a wait for a rate limit.
    pub(crate) fn waited(&self, limit: LimitedCalls, waited: Duration) {
        {
            let stats = &mut lock(&self.waits)[limit as usize];
            stats.waits += 1;
            stats.waited = stats.waited.saturating_add(waited);
        }
        self.emit(&StatsEvent::Waited { limit, waited });
    }

    /// Passes the present rate to the observer. `rate` is not called without an observer.
    pub(crate) fn rate(&self, limit: LimitedCalls, rate: impl FnOnce() -> Option<f64>) {
        if self.observer.is_some()
            && let Some(per_second) = rate()
        {
            self.emit(&StatsEvent::Rate { limit, per_second });
        }
    }

    /// Counts a lookup of the poller.
    pub(crate) fn polled(&self, instances: usize) {
        self.polls.fetch_add(1, Ordering::Relaxed);
        self.emit(&StatsEvent::Polled { instances });
    }

    /// Counts final outcomes.
    pub(crate) fn outcomes(
        &self,
        action: Option<ActionKind>,
        outcomes: impl Iterator<Item = &'static str>,
    ) {
        let mut counts: Vec<(&'static str, u64)> = Vec::new();
        for outcome in outcomes {
            match counts.iter_mut().find(|(known, _)| *known == outcome) {
                Some((_, count)) => *count += 1,
                None => counts.push((outcome, 1)),
            }
        }
        for (outcome, instances) in counts {
            self.outcome(action, outcome, instances);
        }
    }

    fn outcome(&self, action: Option<ActionKind>, outcome: &'static str, instances: u64) {
        {
            let mut outcomes = lock(&self.outcomes);
            let known = outcomes.iter_mut();
            let mut known = known.filter(|it| (it.action, it.outcome) == (action, outcome));
            match known.next() {
                Some(stats) => stats.instances += instances,
                None => outcomes.push(OutcomeStats {
                    action,
                    outcome,
                    instances,
                }),
            }
        }
        self.emit(&StatsEvent::Outcome {
            action,
            outcome,
            instances,
        });
    }

    /// Returns the calls by purpose.
    pub(crate) fn calls(&self) -> CallCounts {
        self.purposes.snapshot()
    }

    /// Returns the counters so far. `rates` are the present rates of reads and writes. The fields of the poller
    /// and of the keys are 0.
    pub(crate) fn snapshot(&self, rates: [Option<f64>; 2]) -> ClientStats {
        let [reads, writes] = *lock(&self.waits);
        let [read_rate, write_rate] = rates;
        let mut operations = lock(&self.operations).clone();
        operations.sort_unstable_by_key(|stats| stats.operation);
        ClientStats {
            labels: self.labels.clone(),
            calls: self.calls(),
            operations,
            outcomes: lock(&self.outcomes).clone(),
            reads: RateLimitStats {
                per_second: read_rate,
                ..reads
            },
            writes: RateLimitStats {
                per_second: write_rate,
                ..writes
            },
            in_flight: self.in_flight.load(Ordering::Relaxed),
            polls: self.polls.load(Ordering::Relaxed),
            polled_instances: 0,
            keys_found: 0,
            failed_key_searches: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn events_of_an_operation_are_added_up() {
        let stats = StatsCollector::default();
        for operation in ["stop", "start"] {
            stats.call(operation, Ok(()), SECOND);
            for _ in 0..3 {
                stats.call(operation, Err(FaultKind::Throttled), 2 * SECOND);
                stats.unsent(operation, FaultKind::Deadline);
            }
        }
        stats.call("start", Err(FaultKind::Busy), 3 * SECOND);
        stats.retry("start", FaultKind::Busy);
        stats.retry("start", FaultKind::Throttled);
        let found = stats.snapshot([None, None]);
        let [start, stop] = &*found.operations else {
            panic!("{:?}", found.operations);
        };
        assert_eq!((start.operation, stop.operation), ("start", "stop"));
        let failed = [(FaultKind::Throttled, 3), (FaultKind::Busy, 1)];
        assert_eq!(start.failed, failed);
        assert_eq!(stop.failed, failed[..1]);
        assert_eq!((start.succeeded, start.unsent, start.retries), (1, 3, 2));
        assert_eq!((start.calls(), stop.calls()), (5, 4));
        assert_eq!((start.time, start.longest), (10 * SECOND, 3 * SECOND));
        assert_eq!((stop.time, stop.longest), (7 * SECOND, 2 * SECOND));
        assert_eq!((stop.succeeded, stop.unsent, stop.retries), (1, 3, 0));
        assert_eq!((found.throttled(), found.failures(FaultKind::Busy)), (6, 1));
        assert_eq!(found.failures(FaultKind::Deadline), 0, "never sent");
        assert_eq!(found.calls.repeats, 2);
    }

    #[test]
    fn outcomes_are_added_up_by_action_and_name() {
        let stats = StatsCollector::default();
        let start = Some(ActionKind::Start);
        for _ in 0..2 {
            stats.outcomes(start, ["reached", "failed", "reached"].into_iter());
            stats.outcomes(None, ["reached"].into_iter());
        }
        let outcomes = stats.snapshot([None, None]).outcomes;
        let outcomes: Vec<_> = outcomes
            .iter()
            .map(|it| (it.action, it.outcome, it.instances))
            .collect();
        let expected = [
            (start, "reached", 4),
            (start, "failed", 2),
            (None, "reached", 2),
        ];
        assert_eq!(outcomes, expected);
    }

    #[test]
    fn waits_and_rates_are_kept_apart_by_reads_and_writes() {
        let stats = StatsCollector::default();
        for _ in 0..3 {
            stats.waited(LimitedCalls::Writes, 2 * SECOND);
        }
        stats.waited(LimitedCalls::Reads, SECOND);
        let found = stats.snapshot([Some(4.0), None]);
        let limit = |per_second, waits, waited| RateLimitStats {
            per_second,
            waits,
            waited,
        };
        assert_eq!(found.reads, limit(Some(4.0), 1, SECOND));
        assert_eq!(found.writes, limit(None, 3, 6 * SECOND));
        let found = stats.snapshot([None, Some(0.5)]);
        let rates = [found.reads.per_second, found.writes.per_second];
        assert_eq!(rates, [None, Some(0.5)]);
    }

    #[test]
    fn empty_names_are_no_labels_of_a_span() {
        let labels = ClientLabels::new("cloud", "", "");
        assert_eq!(
            (labels.known_account(), labels.known_region()),
            (None, None)
        );
        let labels = ClientLabels::new("cloud", "prod", "north");
        assert_eq!(labels.known_account(), Some("prod"));
        assert_eq!(labels.known_region(), Some("north"));
    }
}
