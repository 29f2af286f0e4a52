//! Requests to several clouds, as the caller writes them.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::{
    Stream, StreamExt,
    future::{join_all, try_join_all},
};
use lifecycle_client::{Client, Error, Event, Events, Patience, PowerRequest, Report};
use lifecycle_core::{
    Action, Billing, Fault, InstanceId, LocalDisk, Observation, PowerState, RebootOptions,
    StartOptions, StopMode, StopOptions,
};

use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use super::{
    Fleet, FleetError, Place, Reference,
    report::{FleetEvent, FleetReport, FleetRow},
};

/// A power action on instances in several clouds. Nothing happens until it is awaited, or its
/// [`events`](Self::events) are read.
///
/// Awaiting gives a [`FleetReport`] with one outcome per instance. A [`FleetError`] means that
/// nothing was sent to any cloud. Dropping the future is safe: nothing more is sent then.
#[must_use = "nothing is sent until it is awaited"]
pub struct FleetRequest<'f, O> {
    fleet: &'f Fleet,
    references: Result<Vec<Reference>, FleetError>,
    verb: for<'c> fn(&'c Client, Vec<InstanceId>) -> PowerRequest<'c, O>,
    options: O,
    patience: Option<Patience>,
    cap: Option<usize>,
}

impl<'f, O> FleetRequest<'f, O>
where
    O: Into<Action> + Default + Copy + Send + Sync + 'static,
{
    pub(crate) fn new(
        fleet: &'f Fleet,
        references: Result<Vec<Reference>, FleetError>,
        verb: for<'c> fn(&'c Client, Vec<InstanceId>) -> PowerRequest<'c, O>,
    ) -> Self {
        Self {
            fleet,
            references,
            verb,
            options: O::default(),
            patience: None,
            cap: None,
        }
    }

    /// Waits until each instance has reached the goal, has come to a dead end, or the patience is
    /// over. Without this the request ends when the clouds have taken the action on.
    pub fn wait(mut self, patience: impl Into<Patience>) -> Self {
        self.patience = Some(patience.into());
        self
    }

    /// Refuses the whole request when it names more instances than this.
    pub fn max(mut self, instances: usize) -> Self {
        self.cap = Some(instances);
        self
    }

    /// Carries the request out and gives what happens while it happens. The last event is
    /// [`FleetEvent::Finished`].
    pub fn events(self) -> FleetEvents<'f> {
        let (order, options) = (self.order(), self.options);
        FleetEvents::new(order, move |group| {
            let request = (self.verb)(&group.client, group.ids.clone()).options(options);
            match self.patience {
                Some(patience) => request.wait(patience).events(),
                None => request.events(),
            }
        })
    }

    /// Everything that can be refused is refused here, before any cloud hears of it.
    fn order(&self) -> Result<Order, FleetError> {
        let order = Order::new(self.fleet, self.references.clone()?)?;
        if let Some(cap) = self.cap
            && order.references.len() > cap
        {
            return Err(FleetError::TooMany {
                instances: order.references.len(),
                cap,
            });
        }
        for group in &order.groups {
            (self.verb)(&group.client, group.ids.clone())
                .options(self.options)
                .check()?;
        }
        Ok(order)
    }
}

impl FleetRequest<'_, StartOptions> {
    /// What happens to local disks.
    pub fn local_disk(mut self, local_disk: LocalDisk) -> Self {
        self.options.local_disk = local_disk;
        self
    }
}

impl FleetRequest<'_, StopOptions> {
    /// How the running systems are brought down.
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
        let (order, verb, options, patience) =
            (self.order(), self.verb, self.options, self.patience);
        Box::pin(async move {
            let order = order?;
            let requests: Vec<_> = order
                .groups
                .iter()
                .map(|group| {
                    let request = verb(&group.client, group.ids.clone()).options(options);
                    match patience {
                        Some(patience) => request.wait(patience),
                        None => request,
                    }
                    .into_future()
                })
                .collect();
            let reports = try_join_all(requests).await?;
            Ok(order.assemble(reports))
        })
    }
}

impl<O> fmt::Debug for FleetRequest<'_, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FleetRequest")
            .field("references", &self.references)
            .finish_non_exhaustive()
    }
}

/// A request that only waits. Nothing is read until it is awaited.
#[derive(Debug)]
#[must_use = "nothing is read until it is awaited"]
pub struct FleetWait<'f> {
    fleet: &'f Fleet,
    references: Result<Vec<Reference>, FleetError>,
    goal: PowerState,
    patience: Patience,
}

impl<'f> FleetWait<'f> {
    pub(crate) fn new(
        fleet: &'f Fleet,
        references: Result<Vec<Reference>, FleetError>,
        goal: PowerState,
    ) -> Self {
        Self {
            fleet,
            references,
            goal,
            patience: Patience::minutes(10),
        }
    }

    /// Waits this long instead of ten minutes.
    pub fn patience(mut self, patience: impl Into<Patience>) -> Self {
        self.patience = patience.into();
        self
    }

    /// Waits, and gives what is seen while it is seen. The last event is
    /// [`FleetEvent::Finished`].
    pub fn events(self) -> FleetEvents<'f> {
        let order = self
            .references
            .and_then(|references| Order::new(self.fleet, references));
        FleetEvents::new(order, move |group| {
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
        Box::pin(async move {
            let order = Order::new(self.fleet, self.references?)?;
            let requests: Vec<_> = order
                .groups
                .iter()
                .map(|group| {
                    group
                        .client
                        .wait(group.ids.clone(), self.goal)
                        .patience(self.patience)
                        .into_future()
                })
                .collect();
            let reports = try_join_all(requests).await?;
            Ok(order.assemble(reports))
        })
    }
}

/// The events of a request under way. Reading them is what carries it out; dropping them ends it,
/// and nothing more is sent.
#[must_use = "nothing is sent until the events are read"]
pub struct FleetEvents<'f> {
    receiver: UnboundedReceiver<FleetEvent>,
    work: Option<Pin<Box<dyn Future<Output = ()> + Send + 'f>>>,
}

impl<'f> FleetEvents<'f> {
    fn new(
        order: Result<Order, FleetError>,
        begin: impl for<'c> Fn(&'c Group) -> Events<'c> + Send + Sync + 'f,
    ) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        let work = async move {
            let result = match order {
                Ok(order) => carry_out(order, &begin, &sender).await,
                Err(error) => Err(error),
            };
            // Nobody listens any more: then nobody misses it.
            let _ = sender.send(FleetEvent::Finished(result));
        };
        Self {
            receiver,
            work: Some(Box::pin(work)),
        }
    }
}

async fn carry_out(
    order: Order,
    begin: &(impl for<'c> Fn(&'c Group) -> Events<'c> + Sync),
    sender: &UnboundedSender<FleetEvent>,
) -> Result<FleetReport, FleetError> {
    let parts: Vec<_> = order
        .groups
        .iter()
        .map(|group| forward(&group.place, begin(group), sender))
        .collect();
    let reports = join_all(parts).await;
    let reports = reports.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(order.assemble(reports))
}

async fn forward(
    place: &Place,
    mut events: Events<'_>,
    sender: &UnboundedSender<FleetEvent>,
) -> Result<Report, Error> {
    let mut report = Ok(Report::default());
    while let Some(event) = events.next().await {
        match event {
            Event::Finished(result) => report = result,
            event => {
                let _ = sender.send(FleetEvent::In(place.clone(), event));
            }
        }
    }
    report
}

impl Stream for FleetEvents<'_> {
    type Item = FleetEvent;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<FleetEvent>> {
        if let Some(work) = &mut self.work
            && work.as_mut().poll(context).is_ready()
        {
            self.work = None;
        }
        self.receiver.poll_recv(context)
    }
}

impl fmt::Debug for FleetEvents<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FleetEvents").finish_non_exhaustive()
    }
}

/// What one look showed of one instance.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FleetStatus {
    /// Which instance.
    pub reference: Reference,
    /// It as its cloud shows it, or why it could not be seen.
    pub result: Result<Observation, Fault>,
}

pub(crate) async fn observe(
    fleet: &Fleet,
    references: Vec<Reference>,
) -> Result<Vec<FleetStatus>, FleetError> {
    let order = Order::new(fleet, references)?;
    let looks: Vec<_> = order
        .groups
        .iter()
        .map(|group| group.client.observe(group.ids.clone()).into_future())
        .collect();
    let mut results = HashMap::new();
    for (group, statuses) in order.groups.iter().zip(try_join_all(looks).await?) {
        for status in statuses {
            results.insert((&group.place, status.instance), status.result);
        }
    }
    Ok(order
        .references
        .iter()
        .filter_map(|reference| {
            let result = results.remove(&(&reference.place, reference.instance.clone()))?;
            Some(FleetStatus {
                reference: reference.clone(),
                result,
            })
        })
        .collect())
}

/// References sorted out by place, and their own order.
struct Order {
    references: Vec<Reference>,
    groups: Vec<Group>,
}

/// The instances of one place.
struct Group {
    place: Place,
    client: Client,
    ids: Vec<InstanceId>,
}

impl Order {
    /// Folds duplicates and connects to every place.
    fn new(fleet: &Fleet, mut references: Vec<Reference>) -> Result<Self, FleetError> {
        let mut known = HashSet::new();
        references.retain(|reference| known.insert(reference.clone()));
        let mut places: BTreeMap<&Place, Vec<InstanceId>> = BTreeMap::new();
        for reference in &references {
            places
                .entry(&reference.place)
                .or_default()
                .push(reference.instance.clone());
        }
        let groups = places
            .into_iter()
            .map(|(place, ids)| {
                Ok(Group {
                    place: place.clone(),
                    client: fleet.client(place)?,
                    ids,
                })
            })
            .collect::<Result<_, FleetError>>()?;
        Ok(Self { references, groups })
    }

    /// Puts the reports of the groups into the order of the request.
    fn assemble(self, reports: Vec<Report>) -> FleetReport {
        let mut rows = HashMap::new();
        for (group, report) in self.groups.iter().zip(reports) {
            for row in report {
                rows.insert((&group.place, row.instance.clone()), row);
            }
        }
        let rows = self.references.iter().filter_map(|reference| {
            let report = rows.remove(&(&reference.place, reference.instance.clone()))?;
            Some(FleetRow {
                reference: reference.clone(),
                report,
            })
        });
        FleetReport::new(rows.collect())
    }
}
