//! Recording what a client sends to a simulator, to send it again without the client.

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

/// Takes down every request that passes through the transports that it was put before.
#[derive(Clone, Debug)]
pub(crate) struct Recorder {
    begin: Instant,
    requests: Arc<Mutex<Vec<Request>>>,
}

/// A request, and when it was sent, counted from the making of the recorder.
pub(crate) type Request = (Duration, http::Request<Bytes>);

impl Recorder {
    pub(crate) fn new() -> Self {
        Self {
            begin: Instant::now(),
            requests: Arc::default(),
        }
    }

    /// A transport that records, and hands on to `next`.
    pub(crate) fn before(&self, next: MemoryTransport) -> Recording {
        Recording {
            recorder: self.clone(),
            next,
        }
    }

    /// What was recorded so far. It is taken out.
    pub(crate) fn take(&self) -> Vec<Request> {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        mem::take(&mut requests)
    }
}

/// Sends recorded requests at the times at which they were sent, counted from now.
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
