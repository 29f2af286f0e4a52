//! The poller: looks at instances for everybody who waits for them.
//!
//! One task per client while somebody waits. It asks for instances of all waiters together,
//! packed into as few calls as the cloud allows, and passes on what it sees. It decides nothing.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use lifecycle_core::{InstanceId, PollingPolicy};
use tokio::{
    sync::Notify,
    task::AbortHandle,
    time::{Instant, sleep_until},
};

use crate::{
    call::engine::{CallContext, CallKind},
    client::Inner,
    observe::lookup::ObserveResults,
    power::run::Mailbox,
};

/// The poller of a client.
#[derive(Debug, Default)]
pub(crate) struct Poller {
    table: Mutex<PollSchedule>,
    changed: Notify,
}

impl Poller {
    fn table(&self) -> MutexGuard<'_, PollSchedule> {
        // Nothing panics while it holds the lock.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A waiter's place at the poller. Dropping it ends all looking on its behalf at once.
#[derive(Debug)]
pub(crate) struct Subscription {
    inner: Arc<Inner>,
    waiter: u64,
}

impl Subscription {
    /// A place from which sights go to `results`.
    pub(crate) fn new(inner: &Arc<Inner>, results: Arc<Mailbox>) -> Self {
        let mut table = inner.poller.table();
        table.last_waiter += 1;
        let waiter = table.last_waiter;
        table.waiters.insert(waiter, results);
        Self {
            inner: Arc::clone(inner),
            waiter,
        }
    }

    /// Starts looking at these instances; they were acted upon just now.
    pub(crate) fn add(&self, ids: impl IntoIterator<Item = InstanceId>) {
        let now = Instant::now();
        let first = self.inner.provider.profile().polling.first;
        self.add_from(ids, now, now + first.mul_f64(self.inner.jitter()));
    }

    /// Starts looking at these instances, at once: nobody knows when they were acted upon, and so
    /// they may be about due.
    pub(crate) fn add_as_they_are(&self, ids: impl IntoIterator<Item = InstanceId>) {
        let now = Instant::now();
        let pause = self.inner.provider.profile().polling.pause;
        self.add_from(ids, now.checked_sub(pause).unwrap_or(now), now);
    }

    fn add_from(&self, ids: impl IntoIterator<Item = InstanceId>, since: Instant, due: Instant) {
        let mut table = self.inner.poller.table();
        for id in ids {
            table.add(id, self.waiter, since, due);
        }
        // One whose runtime has ended is of no use either.
        let is_over = table.task.as_ref().is_none_or(AbortHandle::is_finished);
        if is_over && !table.entries.is_empty() {
            let poller = poll(Arc::clone(&self.inner));
            table.task = Some(tokio::spawn(poller).abort_handle());
        }
        drop(table);
        self.inner.poller.changed.notify_one();
    }

    /// Stops looking at this instance for this waiter.
    pub(crate) fn remove(&self, id: &InstanceId) {
        self.inner.poller.table().remove(id, self.waiter);
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if !self.inner.mutant.leaves_quietly() {
            return;
        }
        let mut table = self.inner.poller.table();
        table.waiters.remove(&self.waiter);
        if !table.waiters.is_empty() {
            table.forget(self.waiter);
            return;
        }
        table.entries.clear();
        table.queue.clear();
        if let Some(task) = table.task.take() {
            task.abort();
        }
    }
}

#[derive(Debug, Default)]
struct PollSchedule {
    waiters: HashMap<u64, Arc<Mailbox>>,
    last_waiter: u64,
    entries: HashMap<InstanceId, WatchedInstance>,
    /// Entries that are not being looked at right now, the most urgent first.
    queue: BTreeSet<(Instant, InstanceId)>,
    task: Option<AbortHandle>,
}

#[derive(Debug)]
struct WatchedInstance {
    since: Instant,
    /// `None` while a look is under way.
    due: Option<Instant>,
    waiters: Vec<u64>,
}

impl PollSchedule {
    fn add(&mut self, id: InstanceId, waiter: u64, since: Instant, due: Instant) {
        let entry = self.entries.entry(id.clone()).or_insert(WatchedInstance {
            since,
            due: None,
            waiters: Vec::new(),
        });
        if !entry.waiters.contains(&waiter) {
            entry.waiters.push(waiter);
        }
        // If something new was asked of it, it is fresh again; if not, it stays as fresh as it is.
        entry.since = entry.since.max(since);
        if let Some(old) = entry.due.replace(due) {
            self.queue.remove(&(old, id.clone()));
        }
        self.queue.insert((due, id));
    }

    fn remove(&mut self, id: &InstanceId, waiter: u64) {
        let Some(entry) = self.entries.get_mut(id) else {
            return;
        };
        entry.waiters.retain(|other| *other != waiter);
        if entry.waiters.is_empty() {
            if let Some(due) = entry.due {
                self.queue.remove(&(due, id.clone()));
            }
            self.entries.remove(id);
        }
    }

    fn forget(&mut self, waiter: u64) {
        let ids: Vec<InstanceId> = self.entries.keys().cloned().collect();
        for id in &ids {
            self.remove(id, waiter);
        }
    }

    /// The next batch to look at: everything that is due, filled up with what is due soon.
    fn take_batch(
        &mut self,
        now: Instant,
        slack: Duration,
        limit: usize,
    ) -> Option<Vec<InstanceId>> {
        let (first, _) = self.queue.first()?;
        if *first > now {
            return None;
        }
        let mut batch = Vec::new();
        while batch.len() < limit {
            match self.queue.pop_first() {
                Some((due, id)) if due <= now + slack => {
                    if let Some(entry) = self.entries.get_mut(&id) {
                        entry.due = None;
                    }
                    batch.push(id);
                }
                Some(later) => {
                    self.queue.insert(later);
                    break;
                }
                None => break,
            }
        }
        Some(batch)
    }

    /// Passes sights on and plans the next look at each instance.
    fn deliver(&mut self, look: Look, now: Instant, cadence: &PollingPolicy, jitter: f64) {
        for (id, result) in look.results {
            let Some(entry) = self.entries.get_mut(&id) else {
                continue;
            };
            if entry.since > look.started {
                // Something was asked of it since: what this look shows may be older than that.
                continue;
            }
            for waiter in &entry.waiters {
                if let Some(results) = self.waiters.get(waiter) {
                    // A waiter that is gone has no use for it.
                    results.put(id.clone(), result.clone());
                }
            }
            if entry.due.is_none() {
                let wait = cadence.interval(now.saturating_duration_since(entry.since));
                let due = now + wait.mul_f64(jitter);
                entry.due = Some(due);
                self.queue.insert((due, id));
            }
        }
    }
}

async fn poll(inner: Arc<Inner>) {
    let cadence = inner.provider.profile().polling;
    let limit = inner.provider.profile().batch_limits.observe.max(1);
    let slack = cadence.every / 3;
    let mut looks = FuturesUnordered::new();
    loop {
        let next = {
            let mut table = inner.poller.table();
            while looks.len() < inner.concurrency {
                let Some(batch) = table.take_batch(Instant::now(), slack, limit) else {
                    break;
                };
                looks.push(look(&inner, batch, &cadence));
            }
            if looks.is_empty() && table.entries.is_empty() {
                table.task = None;
                return;
            }
            table.queue.first().map(|(due, _)| *due)
        };
        let room = looks.len() < inner.concurrency;
        tokio::select! {
            Some(look) = looks.next(), if !looks.is_empty() => {
                inner.poller.table().deliver(look, Instant::now(), &cadence, inner.jitter());
            }
            () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() && room => {}
            () = inner.poller.changed.notified() => {}
        }
    }
}

struct Look {
    started: Instant,
    results: ObserveResults,
}

async fn look(inner: &Inner, batch: Vec<InstanceId>, cadence: &PollingPolicy) -> Look {
    let started = Instant::now();
    let effort = CallContext {
        purpose: CallKind::Observe,
        instances: batch.len(),
        // A look that takes longer is worth less than a new one.
        deadline: started + inner.timeouts.attempt + cadence.ceiling,
        observer: &|_| {},
    };
    Look {
        started,
        results: inner.look(&batch, &effort).await,
    }
}

impl Inner {
    /// A factor around 1, so that clients that started together do not stay together.
    fn jitter(&self) -> f64 {
        0.9 + 0.2 * self.chance()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::lookup::ObserveResult;

    fn id(n: usize) -> InstanceId {
        InstanceId::new(&format!("i-{n}")).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn batches_hold_what_is_due_filled_up_with_what_is_due_soon() {
        let mut table = PollSchedule::default();
        let now = Instant::now();
        let second = Duration::from_secs(1);
        table.add(id(0), 1, now, now);
        table.add(id(1), 1, now, now + second / 2);
        table.add(id(2), 1, now, now + 9 * second);
        assert_eq!(table.take_batch(now, second, 10), Some(vec![id(0), id(1)]));
        assert_eq!(table.take_batch(now, second, 10), None);
        // A look under way is not started twice.
        table.deliver(
            Look {
                started: now,
                results: ObserveResults::from([(id(0), ObserveResult::NotFound)]),
            },
            now,
            &PollingPolicy::DEFAULT,
            1.0,
        );
        assert_eq!(table.queue.len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn who_only_waits_does_not_make_older_looks_count() {
        let mut table = PollSchedule::default();
        let second = Duration::from_secs(1);
        tokio::time::advance(9 * second).await;
        let acted = Instant::now();
        table.add(id(0), 1, acted, acted + second);
        table.add(id(0), 2, acted - 5 * second, acted);
        assert_eq!(table.entries[&id(0)].since, acted);
        assert_eq!(table.queue.first(), Some(&(acted, id(0))));
    }

    #[tokio::test(start_paused = true)]
    async fn an_instance_is_watched_while_anyone_waits_for_it() {
        let mut table = PollSchedule::default();
        let now = Instant::now();
        table.add(id(0), 1, now, now);
        table.add(id(0), 2, now, now);
        table.remove(&id(0), 1);
        assert_eq!(table.entries.len(), 1);
        table.forget(2);
        assert!(table.entries.is_empty() && table.queue.is_empty());
    }
}
