//! Power requests as the caller writes them.

use std::{
    future::{Future, IntoFuture},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::Stream;
use lifecycle_core::{
    Action, Billing, InstanceId, LocalDisk, PowerState, RebootOptions, StartOptions, StopMode,
    StopOptions,
};
use tokio::sync::mpsc::{self, UnboundedReceiver};

use crate::{
    client::Inner,
    error::Error,
    event::Event,
    policy::Patience,
    report::Report,
    run::{Plan, run},
};

/// A power action on some instances. Nothing happens until it is awaited, or its
/// [`events`](Self::events) are read.
///
/// Awaiting gives a [`Report`] with one outcome per instance. An [`Error`] means that nothing was
/// sent. Dropping the future is safe: nothing more is sent then.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent until it is awaited"]
pub struct PowerRequest<'c, O> {
    client: &'c Arc<Inner>,
    ids: Result<Vec<InstanceId>, Error>,
    options: O,
    patience: Option<Patience>,
    cap: Option<usize>,
}

impl<'c, O: Default> PowerRequest<'c, O> {
    pub(crate) fn new(client: &'c Arc<Inner>, ids: Result<Vec<InstanceId>, Error>) -> Self {
        Self {
            client,
            ids,
            options: O::default(),
            patience: None,
            cap: None,
        }
    }
}

impl<'c, O: Into<Action>> PowerRequest<'c, O> {
    /// Waits until each instance has reached the goal, has come to a dead end, or the patience is
    /// over. Without this the request ends when the cloud has taken the action on.
    pub fn wait(mut self, patience: impl Into<Patience>) -> Self {
        self.patience = Some(patience.into());
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

    /// Carries the request out and gives what happens while it happens. The last event is
    /// [`Event::Finished`].
    pub fn events(self) -> Events<'c> {
        Events::new(self.client, self.plan())
    }

    fn plan(self) -> Result<Plan, Error> {
        let ids = self.ids?;
        let action = self.options.into();
        let profile = self.client.provider.profile();
        profile.admits(&action).map_err(Error::Unsupported)?;
        match self.cap {
            Some(cap) if ids.len() > cap => Err(Error::TooMany {
                instances: ids.len(),
                cap,
            }),
            _ => Ok(Plan {
                action: Some(action),
                goal: action.verb().goal(),
                ids,
                patience: self.patience.map(Patience::duration),
            }),
        }
    }
}

impl PowerRequest<'_, StartOptions> {
    /// What happens to local disks.
    pub fn local_disk(mut self, local_disk: LocalDisk) -> Self {
        self.options.local_disk = local_disk;
        self
    }
}

impl PowerRequest<'_, StopOptions> {
    /// How the running system is brought down.
    pub fn mode(mut self, mode: StopMode) -> Self {
        self.options.mode = mode;
        self
    }

    /// What happens to the bill.
    pub fn billing(mut self, billing: Billing) -> Self {
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
    type IntoFuture = Work<'c>;

    fn into_future(self) -> Self::IntoFuture {
        work(self.client, self.plan())
    }
}

/// A request that only waits. Nothing is read until it is awaited.
#[derive(Debug)]
#[must_use = "nothing is read until it is awaited"]
pub struct WaitRequest<'c> {
    client: &'c Arc<Inner>,
    ids: Result<Vec<InstanceId>, Error>,
    goal: PowerState,
    patience: Patience,
}

impl<'c> WaitRequest<'c> {
    pub(crate) fn new(
        client: &'c Arc<Inner>,
        ids: Result<Vec<InstanceId>, Error>,
        goal: PowerState,
    ) -> Self {
        Self {
            client,
            ids,
            goal,
            patience: Patience::minutes(10),
        }
    }

    /// Waits this long instead of ten minutes.
    pub fn patience(mut self, patience: impl Into<Patience>) -> Self {
        self.patience = patience.into();
        self
    }

    /// Waits, and gives what is seen while it is seen. The last event is [`Event::Finished`].
    pub fn events(self) -> Events<'c> {
        Events::new(self.client, self.plan())
    }

    fn plan(self) -> Result<Plan, Error> {
        Ok(Plan {
            action: None,
            goal: self.goal,
            ids: self.ids?,
            patience: Some(self.patience.duration()),
        })
    }
}

impl<'c> IntoFuture for WaitRequest<'c> {
    type Output = Result<Report, Error>;
    type IntoFuture = Work<'c>;

    fn into_future(self) -> Self::IntoFuture {
        work(self.client, self.plan())
    }
}

/// A request under way.
pub type Work<'c> = Pin<Box<dyn Future<Output = Result<Report, Error>> + Send + 'c>>;

fn work<'c>(client: &'c Arc<Inner>, plan: Result<Plan, Error>) -> Work<'c> {
    Box::pin(async move { Ok(run(client, plan?, None).await) })
}

/// The events of a request under way. Reading them is what carries it out; dropping them ends it,
/// and nothing more is sent.
#[must_use = "nothing is sent until the events are read"]
pub struct Events<'c> {
    receiver: UnboundedReceiver<Event>,
    work: Option<Pin<Box<dyn Future<Output = ()> + Send + 'c>>>,
}

impl<'c> Events<'c> {
    fn new(client: &'c Arc<Inner>, plan: Result<Plan, Error>) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        let work = async move {
            let result = match plan {
                Ok(plan) => Ok(run(client, plan, Some(sender.clone())).await),
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

impl Stream for Events<'_> {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Event>> {
        if let Some(work) = &mut self.work
            && work.as_mut().poll(context).is_ready()
        {
            self.work = None;
        }
        self.receiver.poll_recv(context)
    }
}

impl std::fmt::Debug for Events<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}
