//! The poller: repeated observations for all waiters of a client.
//!
//! One task per client, while there are waiters. The task packs the instances of all waiters into as
//! few calls as the cloud allows, and delivers the results. The waiters draw the conclusions.
//!
//! The task runs on the runtime of one waiter, and calls code of the caller. If that runtime ends or
//! that code panics, the task wakes all waiters, and the first of them starts another task.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use lifecycle_core::{Fault, FaultKind, InstanceId, PollingPolicy};
use smallvec::SmallVec;
use tokio::{
    sync::Notify,
    task::AbortHandle,
    time::{Instant, sleep_until},
};
use tracing::{Instrument, Span};

use crate::{
    call::context::{CallContext, CallKind},
    call::event::{CallEvent, CallObserver},
    call::stats::ClientLabels,
    instant::after,
    observe::lookup::{ObserveResult, ObserveResults, StateReader},
    observe::mailbox::Mailbox,
    sync::lock,
};

/// The schedule of observations, shared by all clones of a client.
#[derive(Debug)]
pub(crate) struct Poller {
    reader: Arc<StateReader>,
    schedule: Mutex<PollSchedule>,
    changed: Notify,
}

impl Poller {
    pub(crate) fn new(reader: Arc<StateReader>) -> Self {
        Self {
            reader,
            schedule: Mutex::default(),
            changed: Notify::new(),
        }
    }

    fn schedule(&self) -> MutexGuard<'_, PollSchedule> {
        lock(&self.schedule)
    }

    /// Returns the number of instances under observation.
    pub(crate) fn instances(&self) -> usize {
        self.schedule().instances.len()
    }

    fn policy(&self) -> PollingPolicy {
        self.reader.engine.polling
    }

    /// Returns a random factor around 1, so that clients that started together drift apart.
    fn jitter(&self) -> f64 {
        0.9 + 0.2 * self.reader.engine.random_fraction()
    }
}

/// The subscription of one waiter. Dropping a subscription ends the observations for this waiter at once.
#[derive(Debug)]
pub(crate) struct Subscription {
    poller: Arc<Poller>,
    waiter: u64,
}

impl Subscription {
    /// Subscribes `mailbox` to the results.
    pub(crate) fn new(poller: Arc<Poller>, mailbox: Arc<Mailbox>) -> Self {
        let mut schedule = poller.schedule();
        schedule.last_waiter += 1;
        let waiter = schedule.last_waiter;
        schedule.waiters.insert(waiter, mailbox);
        drop(schedule);
        Self { poller, waiter }
    }

    /// Starts observations of instances with an action under way since now.
    pub(crate) fn add(&self, ids: impl IntoIterator<Item = InstanceId>) {
        let now = Instant::now();
        let first = self.poller.policy().first;
        self.add_from(ids, now, after(now, first.mul_f64(self.poller.jitter())));
    }

    /// Starts observations of instances at once. An action of unknown age may be almost finished.
    pub(crate) fn add_as_they_are(&self, ids: impl IntoIterator<Item = InstanceId>) {
        let now = Instant::now();
        let pause = self.poller.policy().pause;
        self.add_from(ids, now.checked_sub(pause).unwrap_or(now), now);
    }

    fn add_from(&self, ids: impl IntoIterator<Item = InstanceId>, since: Instant, due: Instant) {
        let mut schedule = self.poller.schedule();
        for id in ids {
            schedule.add(id, self.waiter, since, due);
        }
        drop(schedule);
        self.ensure_polling();
        self.poller.changed.notify_one();
    }

    /// Starts a task on the runtime of the caller if instances wait and no task polls them.
    pub(crate) fn ensure_polling(&self) {
        let mut schedule = self.poller.schedule();
        let is_over = schedule.task.as_ref().is_none_or(AbortHandle::is_finished);
        if is_over && !schedule.instances.is_empty() {
            schedule.last_task += 1;
            let number = schedule.last_task;
            schedule.requeue_unfinished(Instant::now(), &self.poller.policy());
            let task = tokio::spawn(poll(Arc::clone(&self.poller), number));
            schedule.task = Some(task.abort_handle());
        }
    }

    /// Ends the observations of an instance for this waiter.
    pub(crate) fn remove(&self, id: &InstanceId) {
        self.poller.schedule().remove(id, self.waiter);
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut schedule = self.poller.schedule();
        schedule.waiters.remove(&self.waiter);
        if !schedule.waiters.is_empty() {
            schedule.forget(self.waiter);
            return;
        }
        schedule.instances.clear();
        schedule.queue.clear();
        let task = schedule.task.take();
        drop(schedule);
        if let Some(task) = task {
            task.abort();
        }
    }
}

#[derive(Debug, Default)]
struct PollSchedule {
    waiters: HashMap<u64, Arc<Mailbox>>,
    last_waiter: u64,
    instances: HashMap<InstanceId, WatchedInstance>,
    /// Instances without an observation under way, ordered by the time of the next observation.
    queue: BTreeSet<(Instant, InstanceId)>,
    task: Option<AbortHandle>,
    /// The number of the task started last.
    last_task: u64,
}

#[derive(Debug)]
struct WatchedInstance {
    /// The time of the last action. Older observations do not count.
    since: Instant,
    /// The time of the next observation; `None` while an observation is under way.
    due: Option<Instant>,
    /// Most instances have one waiter, and a request can have a million instances.
    waiters: SmallVec<[u64; 1]>,
}

impl PollSchedule {
    fn add(&mut self, id: InstanceId, waiter: u64, since: Instant, due: Instant) {
        let watched = self.instances.entry(id.clone()).or_insert(WatchedInstance {
            since,
            due: None,
            waiters: SmallVec::new(),
        });
        if !watched.waiters.contains(&waiter) {
            watched.waiters.push(waiter);
        }
        // A new action starts the intervals again; a mere waiter does not.
        watched.since = watched.since.max(since);
        if let Some(old) = watched.due.replace(due) {
            self.queue.remove(&(old, id.clone()));
        }
        self.queue.insert((due, id));
    }

    fn remove(&mut self, id: &InstanceId, waiter: u64) {
        let Some(watched) = self.instances.get_mut(id) else {
            return;
        };
        watched.waiters.retain(|other| *other != waiter);
        if watched.waiters.is_empty() {
            if let Some(due) = watched.due {
                self.queue.remove(&(due, id.clone()));
            }
            self.instances.remove(id);
        }
    }

    fn forget(&mut self, waiter: u64) {
        let ids: Vec<InstanceId> = self.instances.keys().cloned().collect();
        for id in &ids {
            self.remove(id, waiter);
        }
    }

    /// Returns the next batch: the instances due now, filled up with instances due within `slack`.
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
                    if let Some(watched) = self.instances.get_mut(&id) {
                        watched.due = None;
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

    /// Returns the instances of observations under way.
    fn unfinished(&self) -> impl Iterator<Item = (&InstanceId, &WatchedInstance)> {
        let instances = self.instances.iter();
        instances.filter(|(_, watched)| watched.due.is_none())
    }

    /// Schedules again the observations that ended with an earlier task. The usual interval lies
    /// between two attempts, so a part that always panics is not called without a pause.
    fn requeue_unfinished(&mut self, now: Instant, policy: &PollingPolicy) {
        for (id, watched) in &mut self.instances {
            if watched.due.is_none() {
                let due = after(
                    now,
                    policy.interval(now.saturating_duration_since(watched.since)),
                );
                watched.due = Some(due);
                self.queue.insert((due, id.clone()));
            }
        }
    }

    /// Sends an event of an observation of `batch` to each waiter, with the instances of the waiter.
    fn forward(&self, batch: &[InstanceId], event: &CallEvent) {
        let mut by_waiter: BTreeMap<u64, Vec<InstanceId>> = BTreeMap::new();
        for id in batch {
            for waiter in self.instances.get(id).iter().flat_map(|it| &it.waiters) {
                by_waiter.entry(*waiter).or_default().push(id.clone());
            }
        }
        for (waiter, ids) in by_waiter {
            if let Some(mailbox) = self.waiters.get(&waiter) {
                mailbox.put_event(ids, event.clone());
            }
        }
    }

    /// Links the span of an observation of `batch` to the span of each waiting request.
    fn link(&self, batch: &[InstanceId], span: &Span) {
        let watched = batch.iter().filter_map(|id| self.instances.get(id));
        let waiters: BTreeSet<u64> = watched.flat_map(|it| it.waiters.iter().copied()).collect();
        for mailbox in waiters.iter().filter_map(|it| self.waiters.get(it)) {
            span.follows_from(&mailbox.request);
        }
    }

    /// Delivers results to the waiters, and schedules the next observation of each instance.
    fn deliver(
        &mut self,
        mut poll_result: PollResult,
        now: Instant,
        policy: &PollingPolicy,
        jitter: f64,
    ) {
        for id in poll_result.batch {
            let (Some(result), Some(watched)) =
                (poll_result.results.remove(&id), self.instances.get_mut(&id))
            else {
                continue;
            };
            if watched.since > poll_result.started {
                // The observation may show a state from before the last action.
                continue;
            }
            put_result(&self.waiters, watched, &id, &result);
            if watched.due.is_none() {
                let wait = policy.interval(now.saturating_duration_since(watched.since));
                let due = after(now, wait.mul_f64(jitter));
                watched.due = Some(due);
                self.queue.insert((due, id));
            }
        }
    }
}

/// Puts the result of an observation into the mailbox of each waiter of the instance.
fn put_result(
    mailboxes: &HashMap<u64, Arc<Mailbox>>,
    watched: &WatchedInstance,
    id: &InstanceId,
    result: &ObserveResult,
) {
    for mailbox in watched.waiters.iter().filter_map(|it| mailboxes.get(it)) {
        mailbox.put(id.clone(), result.clone());
    }
}

/// Wakes the waiters at the end of the task, whatever ends the task.
struct WakeAtEnd<'p> {
    poller: &'p Poller,
    /// The number of the task.
    task: u64,
}

impl Drop for WakeAtEnd<'_> {
    fn drop(&mut self) {
        let mut schedule = self.poller.schedule();
        if schedule.last_task != self.task {
            return;
        }
        schedule.task = None;
        let result = ObserveResult::Failed(Fault::new(
            FaultKind::NoAnswer,
            "the lookup was interrupted by a panic, or by the end of the runtime of another request",
        ));
        for (id, watched) in schedule.unfinished() {
            put_result(&schedule.waiters, watched, id, &result);
        }
        for mailbox in schedule.waiters.values() {
            mailbox.notify();
        }
    }
}

/// Polls until no instance is watched. `number` is the number of the task.
async fn poll(poller: Arc<Poller>, number: u64) {
    let _wake_at_end = WakeAtEnd {
        poller: &poller,
        task: number,
    };
    let engine = &*poller.reader.engine;
    let policy = poller.policy();
    let limit = engine.profile().batch_limits.observe.max(1);
    let slack = policy.every / 3;
    let mut polls = FuturesUnordered::new();
    loop {
        let next = {
            let mut schedule = poller.schedule();
            while polls.len() < engine.concurrency {
                let Some(batch) = schedule.take_batch(Instant::now(), slack, limit) else {
                    break;
                };
                polls.push(poll_once(&poller, batch, &policy));
            }
            if polls.is_empty() && schedule.instances.is_empty() {
                schedule.task = None;
                return;
            }
            schedule.queue.first().map(|(due, _)| *due)
        };
        let room = polls.len() < engine.concurrency;
        tokio::select! {
            // A fixed order makes simulations repeatable.
            biased;
            Some(poll_result) = polls.next(), if !polls.is_empty() => {
                poller.schedule().deliver(poll_result, Instant::now(), &policy, poller.jitter());
            }
            () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() && room => {}
            () = poller.changed.notified() => {}
        }
    }
}

/// The results of an observation.
struct PollResult {
    started: Instant,
    batch: Vec<InstanceId>,
    results: ObserveResults,
}

/// Forwards the events of an observation to the waiters of the instances.
struct PollEvents<'p> {
    poller: &'p Poller,
    batch: &'p [InstanceId],
}

impl CallObserver for PollEvents<'_> {
    fn on_event(&self, event: CallEvent) {
        if !matches!(event, CallEvent::Sending { .. }) {
            self.poller.schedule().forward(self.batch, &event);
        }
    }
}

async fn poll_once(poller: &Poller, batch: Vec<InstanceId>, policy: &PollingPolicy) -> PollResult {
    let reader = &poller.reader;
    let started = Instant::now();
    // A new observation is worth more than one that takes longer.
    let limit = reader
        .engine
        .timeouts
        .attempt
        .saturating_add(policy.ceiling);
    let deadline = after(started, limit);
    let events = PollEvents {
        poller,
        batch: &batch,
    };
    let ctx = CallContext::of_read(CallKind::Observe, batch.len(), deadline, &events);
    let collector = reader.engine.collector();
    collector.polled(batch.len());
    let span = lookup_span(&collector.labels, batch.len());
    if !span.is_disabled() {
        poller.schedule().link(&batch, &span);
    }
    let results = reader.observe_once(&batch, &ctx).instrument(span).await;
    PollResult {
        started,
        batch,
        results,
    }
}

/// Returns the span of one lookup for all requests that wait. The span has no parent, and follows from the
/// span of each request.
fn lookup_span(labels: &ClientLabels, instances: usize) -> Span {
    tracing::info_span!(
        parent: None,
        "lifecycle.poll",
        instances,
        cloud = &*labels.cloud,
        region = labels.known_region(),
        account = labels.known_account(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: usize) -> InstanceId {
        InstanceId::new(&format!("i-{n}")).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn batch_is_filled_up_with_instances_due_soon() {
        let mut schedule = PollSchedule::default();
        let now = Instant::now();
        let second = Duration::from_secs(1);
        schedule.add(id(0), 1, now, now);
        schedule.add(id(1), 1, now, now + second / 2);
        schedule.add(id(2), 1, now, now + 9 * second);
        assert_eq!(
            schedule.take_batch(now, second, 10),
            Some(vec![id(0), id(1)])
        );
        assert_eq!(schedule.take_batch(now, second, 10), None);
        // An observation under way is not started twice.
        schedule.deliver(
            PollResult {
                started: now,
                batch: vec![id(0)],
                results: ObserveResults::from([(id(0), ObserveResult::NotFound)]),
            },
            now,
            &PollingPolicy::DEFAULT,
            1.0,
        );
        assert_eq!(schedule.queue.len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn results_arrive_in_the_order_of_the_instances() {
        let mut schedule = PollSchedule::default();
        let mailbox = Arc::new(Mailbox::new());
        schedule.waiters.insert(1, Arc::clone(&mailbox));
        let now = Instant::now();
        let batch: Vec<_> = (0..50).rev().map(id).collect();
        for id in &batch {
            schedule.add(id.clone(), 1, now, now);
        }
        let results = batch.iter().cloned();
        let poll_result = PollResult {
            started: now,
            batch: batch.clone(),
            results: results.map(|id| (id, ObserveResult::NotFound)).collect(),
        };
        schedule.deliver(poll_result, now, &PollingPolicy::DEFAULT, 1.0);
        let arrived: Vec<_> = mailbox.take().into_iter().map(|(id, _)| id).collect();
        assert_eq!(arrived, batch);
    }

    #[tokio::test(start_paused = true)]
    async fn waiter_without_action_keeps_the_time_of_the_last_action() {
        let mut schedule = PollSchedule::default();
        let second = Duration::from_secs(1);
        tokio::time::advance(9 * second).await;
        let acted = Instant::now();
        schedule.add(id(0), 1, acted, acted + second);
        schedule.add(id(0), 2, acted - 5 * second, acted);
        assert_eq!(schedule.instances[&id(0)].since, acted);
        assert_eq!(schedule.queue.first(), Some(&(acted, id(0))));
    }

    #[tokio::test(start_paused = true)]
    async fn instance_is_watched_until_its_last_waiter_leaves() {
        let mut schedule = PollSchedule::default();
        let now = Instant::now();
        schedule.add(id(0), 1, now, now);
        schedule.add(id(0), 2, now, now);
        schedule.remove(&id(0), 1);
        assert_eq!(schedule.instances[&id(0)].waiters[..], [2]);
        schedule.forget(2);
        assert!(schedule.instances.is_empty() && schedule.queue.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn batch_is_not_larger_than_the_limit() {
        let mut schedule = PollSchedule::default();
        let now = Instant::now();
        for n in 0..5 {
            schedule.add(id(n), 1, now, now);
        }
        let mut sizes = Vec::new();
        while let Some(batch) = schedule.take_batch(now, Duration::ZERO, 2) {
            sizes.push(batch.len());
        }
        assert_eq!(sizes, [2, 2, 1]);
        assert_eq!(schedule.unfinished().count(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn instance_due_at_the_end_of_the_slack_belongs_to_the_batch() {
        let second = Duration::from_secs(1);
        for (due, expected) in [(999, 2), (1_000, 2), (1_001, 1)] {
            let mut schedule = PollSchedule::default();
            let now = Instant::now();
            schedule.add(id(0), 1, now, now);
            schedule.add(id(1), 1, now, now + Duration::from_millis(due));
            let batch = schedule.take_batch(now, second, 10).unwrap();
            assert_eq!(batch.len(), expected, "{due} ms");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn unfinished_observations_of_an_ended_task_are_due_after_the_usual_interval() {
        let mut schedule = PollSchedule::default();
        let began = Instant::now();
        let second = Duration::from_secs(1);
        schedule.add(id(0), 1, began, began);
        schedule.add(id(1), 1, began, began + 90 * second);
        schedule.take_batch(began, Duration::ZERO, 10).unwrap();
        tokio::time::advance(60 * second).await;
        let now = Instant::now();
        let policy = PollingPolicy::DEFAULT;
        schedule.requeue_unfinished(now, &policy);
        assert_eq!(schedule.unfinished().count(), 0);
        let queue: Vec<_> = schedule.queue.into_iter().collect();
        let expected = [
            (now + policy.interval(60 * second), id(0)),
            (began + 90 * second, id(1)),
        ];
        assert_eq!(queue, expected);
    }
}
