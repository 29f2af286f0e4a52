//! Power requests as the caller writes them.

use std::{
    future::{Future, IntoFuture},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::Stream;
use lifecycle_core::{
    Action, InstanceId, LocalDisk, PowerState, RebootOptions, StartOptions, StopBilling, StopMode,
    StopOptions,
};
use tokio::sync::mpsc::{self, UnboundedReceiver};

use crate::{
    call::policy::WaitTimeout,
    error::Error,
    observe::observer::Observer,
    power::event::Event,
    power::options::PowerRequestOptions,
    power::plan::{Plan, PlannedCall},
    power::report::Report,
    power::waves::{Waves, run_rollout},
};

/// A power action on some instances. Nothing happens until it is awaited, or its
/// [`events`](Self::events) are read.
///
/// Awaiting gives a [`Report`] with one outcome per instance. An [`Error`] means that nothing was
/// sent. Dropping the future is safe: nothing more is sent then.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent until it is awaited"]
pub struct PowerRequest<'c, O> {
    client: &'c Arc<Observer>,
    ids: Result<Vec<InstanceId>, Error>,
    options: O,
    terms: PowerRequestOptions,
    waves: Option<Waves>,
    cap: Option<usize>,
}

impl<'c, O: Default> PowerRequest<'c, O> {
    pub(crate) fn new(client: &'c Arc<Observer>, ids: Result<Vec<InstanceId>, Error>) -> Self {
        Self {
            client,
            ids,
            options: O::default(),
            terms: PowerRequestOptions::default(),
            waves: None,
            cap: None,
        }
    }
}

impl<'c, O: Into<Action>> PowerRequest<'c, O> {
    /// Waits until each instance has reached the goal, has come to a dead end, or the patience is
    /// over. Without this the request ends when the cloud has taken the action on.
    pub fn wait(mut self, patience: impl Into<WaitTimeout>) -> Self {
        self.terms.patience = Some(patience.into());
        self
    }

    /// Goes wave by wave: the next one begins when every instance of the one before has its
    /// outcome. Each wave is waited for, with a patience of its own: what [`wait`](Self::wait)
    /// says, or ten minutes.
    pub fn waves(mut self, waves: Waves) -> Self {
        self.waves = Some(waves);
        self
    }

    /// Refuses the whole request when it names more instances than this.
    pub fn max(mut self, instances: usize) -> Self {
        self.cap = Some(instances);
        self
    }

    /// Replaces all options at once.
    pub fn options(mut self, options: O) -> Self {
        self.options = options;
        self
    }

    /// Replaces all terms at once.
    pub fn terms(mut self, terms: PowerRequestOptions) -> Self {
        self.terms = terms;
        self
    }

    /// Looks for everything that awaiting would refuse, without sending anything.
    ///
    /// # Errors
    /// What awaiting would give.
    pub fn check(&self) -> Result<(), Error>
    where
        O: Clone,
    {
        self.clone().plan().map(drop)
    }

    /// The calls that awaiting would make if nothing stood in the way, the looks of a wait left
    /// out. Sends nothing.
    ///
    /// # Errors
    /// What awaiting would give.
    pub fn dry_run(&self) -> Result<Vec<PlannedCall>, Error>
    where
        O: Clone,
    {
        let provider = self.client.engine.provider();
        let plan = self.clone().plan()?;
        plan.calls(provider).map_err(Error::Unsupported)
    }

    /// Carries the request out and gives what happens while it happens. The last event is
    /// [`Event::Finished`].
    pub fn events(self) -> EventStream<'c> {
        EventStream::new(self.client, self.plan())
    }

    fn plan(self) -> Result<Plan, Error> {
        let ids = self.ids?;
        let action = self.options.into();
        let profile = self.client.engine.profile();
        profile.supports(&action).map_err(Error::Unsupported)?;
        if let Some(force) = self.terms.force(&action)? {
            profile
                .supports(&force.action)
                .map_err(Error::Unsupported)?;
        }
        match self.cap {
            Some(cap) if ids.len() > cap => Err(Error::TooMany {
                instances: ids.len(),
                cap,
            }),
            _ => Ok(Plan {
                action: Some(action),
                goal: action.kind().goal(),
                ids,
                waves: self.waves,
                terms: self.terms,
            }),
        }
    }
}

impl PowerRequest<'_, StartOptions> {
    /// Looks first, and refuses instances that run already, or are about to, instead of
    /// reporting them as unchanged. What cannot be looked at is skipped.
    pub fn strict(mut self) -> Self {
        self.terms.strict = true;
        self
    }

    /// What happens to local disks.
    pub fn local_disk(mut self, local_disk: LocalDisk) -> Self {
        self.options.local_disk = local_disk;
        self
    }
}

impl PowerRequest<'_, StopOptions> {
    /// Looks first, and refuses instances that are stopped already, or are about to be, instead
    /// of reporting them as unchanged. What cannot be looked at is skipped.
    pub fn strict(mut self) -> Self {
        self.terms.strict = true;
        self
    }

    /// Stops gracefully, and cuts the power of each instance that is not down this long after the
    /// cloud took its stop on. Waits: as long as [`wait`](Self::wait) says, or ten minutes more.
    pub fn force_after(mut self, after: Duration) -> Self {
        self.terms.force_after = Some(after);
        self
    }

    /// How the running system is brought down.
    pub fn mode(mut self, mode: StopMode) -> Self {
        self.options.mode = mode;
        self
    }

    /// What happens to the bill.
    pub fn billing(mut self, billing: StopBilling) -> Self {
        self.options.billing = billing;
        self
    }
}

impl PowerRequest<'_, RebootOptions> {
    /// How the running system is brought down.
    pub fn mode(mut self, mode: StopMode) -> Self {
        self.options.mode = mode;
        self
    }
}

impl<'c, O: Into<Action> + Send + 'c> IntoFuture for PowerRequest<'c, O> {
    type Output = Result<Report, Error>;
    type IntoFuture = ReportFuture<'c>;

    fn into_future(self) -> Self::IntoFuture {
        work(self.client, self.plan())
    }
}

/// A request that only waits. Nothing is read until it is awaited.
#[derive(Debug)]
#[must_use = "nothing is read until it is awaited"]
pub struct WaitRequest<'c> {
    client: &'c Arc<Observer>,
    ids: Result<Vec<InstanceId>, Error>,
    goal: PowerState,
    patience: WaitTimeout,
}

impl<'c> WaitRequest<'c> {
    pub(crate) fn new(
        client: &'c Arc<Observer>,
        ids: Result<Vec<InstanceId>, Error>,
        goal: PowerState,
    ) -> Self {
        Self {
            client,
            ids,
            goal,
            patience: WaitTimeout::DEFAULT,
        }
    }

    /// Waits this long instead of ten minutes.
    pub fn patience(mut self, patience: impl Into<WaitTimeout>) -> Self {
        self.patience = patience.into();
        self
    }

    /// Waits, and gives what is seen while it is seen. The last event is [`Event::Finished`].
    pub fn events(self) -> EventStream<'c> {
        EventStream::new(self.client, self.plan())
    }

    fn plan(self) -> Result<Plan, Error> {
        Ok(Plan {
            action: None,
            goal: self.goal,
            ids: self.ids?,
            waves: None,
            terms: PowerRequestOptions {
                patience: Some(self.patience),
                ..PowerRequestOptions::default()
            },
        })
    }
}

impl<'c> IntoFuture for WaitRequest<'c> {
    type Output = Result<Report, Error>;
    type IntoFuture = ReportFuture<'c>;

    fn into_future(self) -> Self::IntoFuture {
        work(self.client, self.plan())
    }
}

/// A request under way.
pub type ReportFuture<'c> = Pin<Box<dyn Future<Output = Result<Report, Error>> + Send + 'c>>;

fn work<'c>(client: &'c Arc<Observer>, plan: Result<Plan, Error>) -> ReportFuture<'c> {
    Box::pin(async move { Ok(run_rollout(client, plan?, None).await) })
}

/// The events of a request under way. Reading them is what carries it out; dropping them ends it,
/// and nothing more is sent.
#[must_use = "nothing is sent until the events are read"]
pub struct EventStream<'c> {
    receiver: UnboundedReceiver<Event>,
    work: Option<Pin<Box<dyn Future<Output = ()> + Send + 'c>>>,
}

impl<'c> EventStream<'c> {
    fn new(client: &'c Arc<Observer>, plan: Result<Plan, Error>) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        let work = async move {
            let result = match plan {
                Ok(plan) => Ok(run_rollout(client, plan, Some(sender.clone())).await),
                Err(error) => Err(error),
            };
            // Nobody listens any more: then nobody misses it.
            let _ = sender.send(Event::Finished(result));
        };
        Self {
            receiver,
            work: Some(Box::pin(work)),
        }
    }
}

impl Stream for EventStream<'_> {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Event>> {
        // What has happened is told before anything more happens.
        if let told @ Poll::Ready(Some(_)) = self.receiver.poll_recv(context) {
            return told;
        }
        if let Some(work) = &mut self.work
            && work.as_mut().poll(context).is_ready()
        {
            self.work = None;
        }
        self.receiver.poll_recv(context)
    }
}

impl std::fmt::Debug for EventStream<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}
