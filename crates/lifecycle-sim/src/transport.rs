//! The way to the simulated clouds without a socket.

use std::{future, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use lifecycle_client::{Transport, TransportError};
use lifecycle_core::HttpResponse;

use crate::{Simulator, world::CallOutcome};

/// A [`Transport`] that ends in a [`Simulator`]. Works under tokio's paused time. Made by
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
        pass(way).await;
        let delivery = self.simulator.exchange(request);
        match delivery {
            CallOutcome::Response(response, delay) => {
                pass(delay.saturating_add(way)).await;
                Ok(response)
            }
            CallOutcome::Unreachable => Err(TransportError::unsent("connection refused")),
            CallOutcome::Reset => {
                pass(way).await;
                Err(TransportError::unclear("connection reset"))
            }
            CallOutcome::Truncated(response) => {
                pass(way).await;
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

/// Lets time pass, but does not yield where no time is to pass.
async fn pass(span: Duration) {
    if !span.is_zero() {
        tokio::time::sleep(span).await;
    }
}
