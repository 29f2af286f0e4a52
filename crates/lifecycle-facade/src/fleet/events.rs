//! What happens in several clouds, as it happens.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::{Stream, StreamExt};
use lifecycle_client::{EventStream, Waves};
use tokio::sync::mpsc::{self, UnboundedReceiver};

use super::{
    Fleet, FleetError,
    order::{Group, Order},
    report::{FleetEvent, FleetReport},
    roll::roll,
};

/// The events of a request under way. Reading them is what carries it out; dropping them ends it,
/// and nothing more is sent.
#[must_use = "nothing is sent until the events are read"]
pub struct FleetEventStream<'f> {
    receiver: UnboundedReceiver<FleetEvent>,
    work: Option<Pin<Box<dyn Future<Output = ()> + Send + 'f>>>,
}

impl<'f> FleetEventStream<'f> {
    pub(crate) fn new(
        fleet: &'f Fleet,
        order: Result<Order, FleetError>,
        waves: Option<Waves>,
        begin: impl for<'c> Fn(&'c Group) -> EventStream<'c> + Send + Sync + 'f,
    ) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        let work = async move {
            let result = async {
                let order = order?.connect(fleet).await?;
                roll(order, waves.unwrap_or_default(), &begin, &sender).await
            }
            .await;
            // Nobody listens any more: then nobody misses it.
            let _ = sender.send(FleetEvent::Finished(result));
        };
        Self {
            receiver,
            work: Some(Box::pin(work)),
        }
    }

    /// Carries the request out for the sake of its report alone.
    pub(crate) async fn finish(mut self) -> Result<FleetReport, FleetError> {
        loop {
            match self.next().await {
                Some(FleetEvent::Finished(result)) => return result,
                Some(_) => {}
                // Cannot happen: the last event is the end.
                None => return Ok(FleetReport::default()),
            }
        }
    }
}

impl Stream for FleetEventStream<'_> {
    type Item = FleetEvent;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<FleetEvent>> {
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

impl fmt::Debug for FleetEventStream<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FleetEvents").finish_non_exhaustive()
    }
}
