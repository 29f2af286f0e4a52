//! Records the requests of a client to a simulator, and replays the requests without the client:
//! the replay measures the simulator alone.

use std::{
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use lifecycle_bench::BenchResult;
use lifecycle_core::HttpResponse;
use lifecycle_facade::{Transport, TransportError};
use lifecycle_sim::MemoryTransport;
use tokio::time::{Duration, Instant, sleep_until};

/// Collects the requests of all transports that [`wrap`](Self::wrap) returned.
#[derive(Clone, Debug)]
pub(crate) struct Recorder {
    begin: Instant,
    requests: Arc<Mutex<Vec<TimedRequest>>>,
}

/// The time since the creation of the recorder, and the request.
pub(crate) type TimedRequest = (Duration, http::Request<Bytes>);

impl Recorder {
    pub(crate) fn new() -> Self {
        Self {
            begin: Instant::now(),
            requests: Arc::default(),
        }
    }

    /// Returns a transport that records each request, and forwards the request to `inner`.
    pub(crate) fn wrap(&self, inner: MemoryTransport) -> RecordingTransport {
        RecordingTransport {
            recorder: self.clone(),
            inner,
        }
    }

    /// Takes the recorded requests out of the recorder.
    pub(crate) fn take(&self) -> Vec<TimedRequest> {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        mem::take(&mut requests)
    }
}

/// Sends recorded requests one after the other, none before its recorded time, counted from now.
pub(crate) async fn replay_requests(
    requests: Vec<TimedRequest>,
    transport: &MemoryTransport,
) -> BenchResult<()> {
    let begin = Instant::now();
    for (at, request) in requests {
        sleep_until(begin + at).await;
        transport.send(request).await?;
    }
    Ok(())
}

/// The transport of a [`Recorder`].
#[derive(Debug)]
pub(crate) struct RecordingTransport {
    recorder: Recorder,
    inner: MemoryTransport,
}

#[async_trait]
impl Transport for RecordingTransport {
    async fn send(&self, request: http::Request<Bytes>) -> Result<HttpResponse, TransportError> {
        let at = self.recorder.begin.elapsed();
        let copy = (at, request.clone());
        self.recorder
            .requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(copy);
        self.inner.send(request).await
    }
}
