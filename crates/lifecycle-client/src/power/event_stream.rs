//! `EventStream`: drives a request, and yields the events.

use std::{
    fmt,
    future::poll_fn,
    hash::Hash,
    mem,
    panic::resume_unwind,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use futures_util::Stream;
use lifecycle_core::InstanceId;
use tokio::{
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
    task::AbortHandle,
};

use crate::{
    error::Error,
    power::{event::Event, report::Report, resume_point::ResumePoints, rollout::RolloutState},
    sync::lock,
};

/// A request under way. Awaits the report of the request.
///
/// Dropping the future is safe: no further call is sent, and sent calls are not undone.
pub type ReportFuture<I = InstanceId, E = Error> =
    Pin<Box<dyn Future<Output = Result<Report<I>, E>> + Send>>;

/// The events of a request under way.
///
/// Reading the events carries the request out: a reader that pauses also holds back the next wave, forced
/// stops and lookups. After [`spawn`](Self::spawn) a task carries the request out, and the events wait for
/// the reader.
///
/// Dropping the stream is safe: no further call is sent, and sent calls are not undone.
/// [`cancel`](Self::cancel) does the same, and returns the report of what is known.
#[must_use = "nothing is sent until the events are read"]
pub struct EventStream<I = InstanceId, E = Error> {
    receiver: UnboundedReceiver<Event<I, E>>,
    work: Option<ReportFuture<I, E>>,
    state: Arc<Mutex<RolloutState<I>>>,
    result: Option<Result<Report<I>, E>>,
    /// The result of a spawned task, before a poll of the stream has moved the result to `result`.
    task_result: TaskResult<I, E>,
    /// The last event was returned.
    ended: bool,
}

type TaskResult<I, E> = Arc<Mutex<Option<Result<Report<I>, E>>>>;

impl<I: Clone + Eq + Hash, E: Clone> EventStream<I, E> {
    /// Creates the stream of a request that `work` carries out.
    pub(crate) fn new(
        state: RolloutState<I>,
        work: impl FnOnce(
            Arc<Mutex<RolloutState<I>>>,
            UnboundedSender<Event<I, E>>,
        ) -> ReportFuture<I, E>,
    ) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        let state = Arc::new(Mutex::new(state));
        Self {
            receiver,
            work: Some(work(Arc::clone(&state), sender)),
            state,
            result: None,
            task_result: Arc::default(),
            ended: false,
        }
    }

    /// Creates the stream of a request that failed before the first call.
    pub(crate) fn failed(error: E) -> Self {
        Self {
            receiver: mpsc::unbounded_channel().1,
            work: None,
            state: Arc::new(Mutex::new(RolloutState::new(
                [].into(),
                None,
                ResumePoints::default(),
            ))),
            result: Some(Err(error)),
            task_result: Arc::default(),
            ended: false,
        }
    }

    /// Carries the request out up to the next event, and returns the event; `None` after the last
    /// event, which is [`Event::Finished`].
    ///
    /// Dropping the returned future loses no event.
    ///
    /// # Examples
    /// ```
    /// use lifecycle_client::{Event, WaitTimeout};
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// let mut events = client.start(&ids).wait(WaitTimeout::minutes(5)).events();
    /// while let Some(event) = events.next().await {
    ///     if let Event::Finished(report) = event {
    ///         assert!(report?.is_success());
    ///     }
    /// }
    /// # Ok(())
    /// # });
    /// ```
    pub async fn next(&mut self) -> Option<Event<I, E>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// Carries the request out in a task of the current tokio runtime, also while nobody reads. Events wait in
    /// memory for the reader, without a limit: an instance has a few events. Dropping the stream still ends the
    /// request. If the runtime of the task ends, the request ends as with [`cancel`](Self::cancel).
    ///
    /// # Panics
    /// If called outside of a tokio runtime.
    ///
    /// # Examples
    /// ```
    /// use std::time::Duration;
    /// use lifecycle_client::{Event, WaitTimeout};
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// let mut events = client.start(&ids).wait(WaitTimeout::minutes(5)).events().spawn();
    /// while let Some(event) = events.next().await {
    ///     if let Event::Finished(report) = event {
    ///         assert!(report?.is_success());
    ///     }
    ///     // A slow reader: the request goes on meanwhile.
    ///     tokio::time::sleep(Duration::from_secs(30)).await;
    /// }
    /// # Ok(())
    /// # });
    /// ```
    #[must_use = "dropping the stream ends the request"]
    pub fn spawn(mut self) -> Self
    where
        I: Send + Sync + 'static,
        E: Send + 'static,
    {
        if let Some(work) = self.work.take() {
            let (state, result) = (Arc::clone(&self.state), Arc::clone(&self.task_result));
            self.work = Some(in_task(work, state, result));
        }
        self
    }

    /// Ends the request now, and returns the report of what is known. Sends no further call, and
    /// undoes nothing.
    ///
    /// | known about an instance | outcome |
    /// | --- | --- |
    /// | outcome final | the final outcome |
    /// | accepted | [`Pending`](crate::Outcome::Pending); [`Accepted`](crate::Outcome::Accepted) if the request does not wait |
    /// | sent without an answer | [`Uncertain`](crate::Outcome::Uncertain) |
    /// | not sent | [`Skipped`](crate::Outcome::Skipped) |
    ///
    /// # Errors
    /// The error of a request that failed as a whole: nothing was sent.
    ///
    /// # Examples
    /// ```
    /// use lifecycle_client::Event;
    /// use lifecycle_core::PowerState;
    ///
    /// # mod setup { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/setup.rs")); }
    /// # setup::run(async |client, ids| {
    /// let mut events = client.wait(&ids, PowerState::Running).events();
    /// while let Some(event) = events.next().await {
    ///     if let Event::State { .. } = event {
    ///         break;
    ///     }
    /// }
    /// let report = events.cancel()?;
    /// assert_eq!(report.instances().len(), ids.len());
    /// assert_eq!(report.instances()[0].outcome.as_str(), "pending");
    /// # Ok(())
    /// # });
    /// ```
    pub fn cancel(mut self) -> Result<Report<I>, E> {
        self.work = None;
        // Not before: the drop waits for a poll of the task that can end the request.
        let task_result = lock(&self.task_result).take();
        match self.result.take().or(task_result) {
            Some(result) => result,
            None => Ok(lock(&self.state).cancel()),
        }
    }
}

impl<I: Clone + Eq + Hash, E: Clone> Stream for EventStream<I, E> {
    type Item = Event<I, E>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        // Events come before further work. `poll_recv` may be pending despite an event, because tokio
        // limits the work of one poll; `try_recv` is not limited.
        if let Ok(event) = this.receiver.try_recv() {
            return Poll::Ready(Some(event));
        }
        if let Some(work) = &mut this.work {
            match work.as_mut().poll(context) {
                Poll::Ready(result) => {
                    this.result = Some(result);
                    this.work = None;
                }
                Poll::Pending => {
                    return match this.receiver.poll_recv(context) {
                        // A task drops its sender in its last poll, before its result is there.
                        Poll::Ready(None) => Poll::Pending,
                        event => event,
                    };
                }
            }
            if let Ok(event) = this.receiver.try_recv() {
                return Poll::Ready(Some(event));
            }
        }
        let ended = mem::replace(&mut this.ended, true);
        let result = this.result.as_ref().filter(|_| !ended);
        Poll::Ready(result.cloned().map(Event::Finished))
    }
}

/// Spawns a task for `work`, and returns the result of the task. Dropping the returned future drops `work`
/// before the drop ends, so that no further call is sent.
fn in_task<I, E>(
    work: ReportFuture<I, E>,
    state: Arc<Mutex<RolloutState<I>>>,
    task_result: TaskResult<I, E>,
) -> ReportFuture<I, E>
where
    I: Clone + Eq + Hash + Send + Sync + 'static,
    E: Send + 'static,
{
    let work = Arc::new(Mutex::new(Some(work)));
    let (driven, slot) = (Arc::clone(&work), Arc::clone(&task_result));
    let task = tokio::spawn(poll_fn(move |context| {
        let mut work = lock(&driven);
        let Some(future) = work.as_mut() else {
            // The reader has dropped the work.
            return Poll::Ready(());
        };
        future.as_mut().poll(context).map(|result| {
            *lock(&slot) = Some(result);
            *work = None;
        })
    }));
    let guard = TaskGuard {
        work,
        task: task.abort_handle(),
    };
    Box::pin(async move {
        let ended = task.await;
        drop(guard);
        if let Err(error) = ended
            && let Ok(panic) = error.try_into_panic()
        {
            resume_unwind(panic);
        }
        let result = lock(&task_result).take();
        // Without a result the runtime of the task has ended.
        result.unwrap_or_else(|| Ok(lock(&state).cancel()))
    })
}

/// Ends the work of a task when the reader ends.
struct TaskGuard<I, E> {
    work: Arc<Mutex<Option<ReportFuture<I, E>>>>,
    task: AbortHandle,
}

impl<I, E> Drop for TaskGuard<I, E> {
    fn drop(&mut self) {
        // An abort alone lets a poll on another thread send a further call.
        let work = lock(&self.work).take();
        // Not under the lock.
        drop(work);
        self.task.abort();
    }
}

/// No field is pinned in place.
impl<I, E> Unpin for EventStream<I, E> {}

impl<I, E> fmt::Debug for EventStream<I, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream").finish_non_exhaustive()
    }
}
