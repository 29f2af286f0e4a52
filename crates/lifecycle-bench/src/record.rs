//! Recording the requests of a client to a simulator, to send them again without the client.

use std::{
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use lifecycle_bench::Outcome;
use lifecycle_core::HttpResponse;
use lifecycle_facade::{Transport, TransportError};
use lifecycle_sim::MemoryTransport;
use tokio::time::{Duration, Instant, sleep_until};

/// Records every request that passes through the transports in front of which the recorder stands.
#[derive(Clone, Debug)]
pub(crate) struct Recorder {
    begin: Instant,
    requests: Arc<Mutex<Vec<Request>>>,
}

/// A request, and the time of sending, counted from the creation of the recorder.
pub(crate) type Request = (Duration, http::Request<Bytes>);

impl Recorder {
    pub(crate) fn new() -> Self {
        Self {
            begin: Instant::now(),
            requests: Arc::default(),
        }
    }

    /// Returns a transport that records, and forwards to `next`.
    pub(crate) fn before(&self, next: MemoryTransport) -> Recording {
        Recording {
            recorder: self.clone(),
            next,
        }
    }

    /// Takes the recorded requests out of the recorder.
    pub(crate) fn take(&self) -> Vec<Request> {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        mem::take(&mut requests)
    }
}

/// Sends recorded requests at their recorded times, counted from now.
pub(crate) async fn send_again(requests: Vec<Request>, transport: &MemoryTransport) -> Outcome<()> {
    let begin = Instant::now();
    for (at, request) in requests {
        sleep_until(begin + at).await;
        transport.send(request).await?;
    }
    Ok(())
}

#[derive(Debug)]
pub(crate) struct Recording {
    recorder: Recorder,
    next: MemoryTransport,
}

#[async_trait]
impl Transport for Recording {
    async fn send(&self, request: http::Request<Bytes>) -> Result<HttpResponse, TransportError> {
        let at = self.recorder.begin.elapsed();
        let copy = (at, request.clone());
        self.recorder
            .requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(copy);
        self.next.send(request).await
    }
}
