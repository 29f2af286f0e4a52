//! The observer: the engine of a client with a state reader and a poller. The base of all requests.

use std::sync::Arc;

use lifecycle_core::InstanceId;

use crate::{
    call::context::CallContext,
    call::engine::Engine,
    call::stats::ClientStats,
    observe::lookup::{ObserveResults, ReadContent, StateReader},
    observe::mailbox::Mailbox,
    observe::poller::{Poller, Subscription},
};

/// An [`Engine`], observations of instance states, and one [`Poller`]. Shared by all clones of a client.
#[derive(Debug)]
pub(crate) struct Observer {
    pub(crate) engine: Arc<Engine>,
    reader: Arc<StateReader>,
    detail_reader: StateReader,
    poller: Arc<Poller>,
}

impl Observer {
    pub(crate) fn new(engine: Engine) -> Self {
        let engine = Arc::new(engine);
        let reader = Arc::new(StateReader::new(Arc::clone(&engine), ReadContent::State));
        Self {
            detail_reader: StateReader::new(Arc::clone(&engine), ReadContent::Details),
            poller: Arc::new(Poller::new(Arc::clone(&reader))),
            reader,
            engine,
        }
    }

    /// Reads the states of `ids` now, in as few calls as the cloud allows.
    pub(crate) async fn observe_once(
        &self,
        ids: &[InstanceId],
        ctx: &CallContext<'_>,
    ) -> ObserveResults {
        self.reader.observe_once(ids, ctx).await
    }

    /// Reads the states and the details of `ids` now, in as few calls as the cloud allows.
    pub(crate) async fn describe_once(
        &self,
        ids: &[InstanceId],
        ctx: &CallContext<'_>,
    ) -> ObserveResults {
        self.detail_reader.observe_once(ids, ctx).await
    }

    /// Returns the stats so far.
    pub(crate) fn stats(&self) -> ClientStats {
        ClientStats {
            polled_instances: self.poller.instances(),
            ..self.engine.stats()
        }
    }

    /// Subscribes `mailbox` to the poller.
    pub(crate) fn subscribe(&self, mailbox: Arc<Mailbox>) -> Subscription {
        Subscription::new(Arc::clone(&self.poller), mailbox)
    }
}
