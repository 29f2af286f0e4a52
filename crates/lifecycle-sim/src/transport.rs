//! The in-memory transport to the simulated clouds.

use std::{future, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use lifecycle_client::{Transport, TransportError};
use lifecycle_core::HttpResponse;

use crate::{Simulator, world::CallOutcome};

/// A [`Transport`] to a [`Simulator`]. Works under tokio's paused time. Created by
/// [`Simulator::transport`].
#[derive(Clone, Debug)]
pub struct MemoryTransport {
    simulator: Simulator,
}

impl MemoryTransport {
    pub(crate) fn to(simulator: Simulator) -> Self {
        Self { simulator }
    }
}

#[async_trait]
impl Transport for MemoryTransport {
    async fn send(&self, request: http::Request<Bytes>) -> Result<HttpResponse, TransportError> {
        let way = self.simulator.latency() / 2;
        wait(way).await;
        let outcome = self.simulator.exchange(request);
        match outcome {
            CallOutcome::Response(response, delay) => {
                wait(delay.saturating_add(way)).await;
                Ok(response)
            }
            CallOutcome::Unreachable => Err(TransportError::unsent("connection refused")),
            CallOutcome::Reset => {
                wait(way).await;
                Err(TransportError::unclear("connection reset"))
            }
            CallOutcome::Truncated(response) => {
                wait(way).await;
                let whole = response.body().len();
                Err(TransportError::unclear(format!(
                    "connection closed after {} of {whole} bytes",
                    whole / 2
                )))
            }
            CallOutcome::Silence => future::pending().await,
        }
    }
}

/// Waits for `span`. A zero span does not yield.
async fn wait(span: Duration) {
    if !span.is_zero() {
        tokio::time::sleep(span).await;
    }
}
