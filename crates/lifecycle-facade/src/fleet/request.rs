//! Requests to several clouds, as the caller writes them.

use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    time::Duration,
};

use lifecycle_client::{
    Client, PlannedCall, PowerRequest, PowerRequestOptions, WaitTimeout, Waves,
};
use lifecycle_core::{
    Action, InstanceId, LocalDisk, PowerState, RebootOptions, StartOptions, StopBilling, StopMode,
    StopOptions,
};

use super::{
    Fleet, FleetError, InstanceReference, Location,
    events::FleetEventStream,
    order::{Group, Order},
    report::FleetReport,
};

/// A power action on instances in several clouds. Nothing happens until it is awaited, or its
/// [`events`](Self::events) are read.
///
/// Awaiting gives a [`FleetReport`] with one outcome per instance. A [`FleetError`] means that
/// nothing was sent to any cloud. Dropping the future is safe: nothing more is sent then.
#[must_use = "nothing is sent until it is awaited"]
pub struct FleetRequest<'f, O> {
    fleet: &'f Fleet,
    references: Result<Vec<InstanceReference>, FleetError>,
    verb: for<'c> fn(&'c Client, Vec<InstanceId>) -> PowerRequest<'c, O>,
    options: O,
    terms: PowerRequestOptions,
    waves: Option<Waves>,
    cap: Option<usize>,
}

impl<'f, O> FleetRequest<'f, O>
where
    O: Into<Action> + Default + Copy + Send + Sync + 'static,
{
    pub(crate) fn new(
        fleet: &'f Fleet,
        references: Result<Vec<InstanceReference>, FleetError>,
        verb: for<'c> fn(&'c Client, Vec<InstanceId>) -> PowerRequest<'c, O>,
    ) -> Self {
        Self {
            fleet,
            references,
            verb,
            options: O::default(),
            terms: PowerRequestOptions::default(),
            waves: None,
            cap: None,
        }
    }

    /// Waits until each instance has reached the goal, has come to a dead end, or the patience is
    /// over. Without this the request ends when the clouds have taken the action on.
    pub fn wait(mut self, patience: impl Into<WaitTimeout>) -> Self {
        self.terms.patience = Some(patience.into());
        self
    }

    /// Goes wave by wave through the request as it was written, whatever the clouds: the next wave
    /// begins when every instance of the one before has its outcome. Each wave is waited for, with
    /// a patience of its own: what [`wait`](Self::wait) says, or ten minutes.
    pub fn waves(mut self, waves: Waves) -> Self {
        self.waves = Some(waves);
        self
    }

    /// Refuses the whole request when it names more instances than this.
    pub fn max(mut self, instances: usize) -> Self {
        self.cap = Some(instances);
        self
    }

    /// The calls that awaiting would make if nothing stood in the way, the looks of a wait left
    /// out, wave by wave. Sends nothing, and needs no key.
    ///
    /// # Errors
    /// What awaiting would give.
    pub fn dry_run(&self) -> Result<Vec<FleetPlannedCall>, FleetError> {
        let order = self.order()?;
        let mut calls = Vec::new();
        for (number, wave) in (1..).zip(
            self.waves
                .unwrap_or_default()
                .ranges(order.references.len()),
        ) {
            for group in order.part(wave).groups {
                for mut call in self.request(&group).dry_run()? {
                    call.wave = number;
                    calls.push(FleetPlannedCall {
                        place: group.place.clone(),
                        call,
                    });
                }
            }
        }
        Ok(calls)
    }

    /// Carries the request out and gives what happens while it happens. The last event is
    /// [`FleetEvent::Finished`](crate::FleetEvent::Finished).
    pub fn events(self) -> FleetEventStream<'f> {
        let fleet = self.fleet;
        FleetEventStream::new(fleet, self.order(), self.waves, move |group| {
            self.request(group).events()
        })
    }

    /// Everything that can be refused is refused here, before any cloud hears of it.
    fn order(&self) -> Result<Order, FleetError> {
        let order = Order::sketch(self.fleet, self.references.clone()?)?;
        if let Some(cap) = self.cap
            && order.references.len() > cap
        {
            return Err(FleetError::TooMany {
                instances: order.references.len(),
                cap,
            });
        }
        for group in &order.groups {
            self.request(group).check()?;
        }
        Ok(order)
    }

    /// The part of the request that goes to one place.
    fn request<'c>(&self, group: &'c Group) -> PowerRequest<'c, O> {
        let mut terms = self.terms;
        if self.waves.is_some() {
            terms.patience = Some(terms.patience_or_default());
        }
        (self.verb)(&group.client, group.ids.clone())
            .options(self.options)
            .terms(terms)
    }
}

impl FleetRequest<'_, StartOptions> {
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

impl FleetRequest<'_, StopOptions> {
    /// Looks first, and refuses instances that are stopped already, or are about to be, instead
    /// of reporting them as unchanged. What cannot be looked at is skipped.
    pub fn strict(mut self) -> Self {
        self.terms.strict = true;
        self
    }

    /// Stops gracefully, and cuts the power of each instance that is not down this long after its
    /// cloud took its stop on. Waits: as long as [`wait`](Self::wait) says, or ten minutes more.
    pub fn force_after(mut self, after: Duration) -> Self {
        self.terms.force_after = Some(after);
        self
    }

    /// How the running systems are brought down.
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

impl FleetRequest<'_, RebootOptions> {
    /// How the running systems are brought down.
    pub fn mode(mut self, mode: StopMode) -> Self {
        self.options.mode = mode;
        self
    }
}

impl<'f, O> IntoFuture for FleetRequest<'f, O>
where
    O: Into<Action> + Default + Copy + Send + Sync + 'static,
{
    type Output = Result<FleetReport, FleetError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'f>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.events().finish())
    }
}

impl<O> fmt::Debug for FleetRequest<'_, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FleetRequest")
            .field("references", &self.references)
            .finish_non_exhaustive()
    }
}

/// A call that a request would make, as [`FleetRequest::dry_run`] gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FleetPlannedCall {
    /// Where it would go.
    pub place: Location,
    /// The call.
    pub call: PlannedCall,
}

/// A request that only waits. Nothing is read until it is awaited.
#[derive(Debug)]
#[must_use = "nothing is read until it is awaited"]
pub struct FleetWait<'f> {
    fleet: &'f Fleet,
    references: Result<Vec<InstanceReference>, FleetError>,
    goal: PowerState,
    patience: WaitTimeout,
}

impl<'f> FleetWait<'f> {
    pub(crate) fn new(
        fleet: &'f Fleet,
        references: Result<Vec<InstanceReference>, FleetError>,
        goal: PowerState,
    ) -> Self {
        Self {
            fleet,
            references,
            goal,
            patience: WaitTimeout::minutes(10),
        }
    }

    /// Waits this long instead of ten minutes.
    pub fn patience(mut self, patience: impl Into<WaitTimeout>) -> Self {
        self.patience = patience.into();
        self
    }

    /// Waits, and gives what is seen while it is seen. The last event is
    /// [`FleetEvent::Finished`](crate::FleetEvent::Finished).
    pub fn events(self) -> FleetEventStream<'f> {
        let order = self
            .references
            .and_then(|references| Order::sketch(self.fleet, references));
        FleetEventStream::new(self.fleet, order, None, move |group| {
            group
                .client
                .wait(group.ids.clone(), self.goal)
                .patience(self.patience)
                .events()
        })
    }
}

impl<'f> IntoFuture for FleetWait<'f> {
    type Output = Result<FleetReport, FleetError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'f>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.events().finish())
    }
}
