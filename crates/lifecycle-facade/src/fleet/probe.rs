//! The probe of an endpoint for `doctor`: can the endpoint be reached, and what time does the cloud
//! have?

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use lifecycle_client::TransportError;
use lifecycle_core::ResponseExt;
use tokio::time::Instant;

use super::{FleetError, Location, connect::Connector};

/// The response of an endpoint to a request without a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DoctorProbe {
    /// The HTTP status. Any status means that the endpoint can be reached.
    pub status: u16,
    /// The seconds by which the endpoint's clock is ahead; `None` if the response has no date.
    pub ahead: Option<i64>,
    /// The time until the response.
    pub took: Duration,
}

impl Connector {
    pub(super) async fn probe(
        self: &Arc<Self>,
        location: &Location,
    ) -> Result<Result<DoctorProbe, TransportError>, FleetError> {
        let endpoint = self.endpoint(location).await?;
        let uri = endpoint
            .uri("/".to_owned())
            .map_err(|error| FleetError::Setup(error.to_string()))?;
        let mut request = http::Request::new(Bytes::new());
        *request.uri_mut() = uri;
        let sent = Instant::now();
        let response = self.transport.send(request).await;
        Ok(response.map(|response| DoctorProbe {
            status: response.status().as_u16(),
            ahead: response
                .date()
                .and_then(|date| seconds_between(date, self.settings.clock.now())),
            took: sent.elapsed(),
        }))
    }
}

fn seconds_between(theirs: SystemTime, ours: SystemTime) -> Option<i64> {
    let seconds = |time: Duration| i64::try_from(time.as_secs()).ok();
    match theirs.duration_since(ours) {
        Ok(ahead) => seconds(ahead),
        Err(behind) => seconds(behind.duration()).map(|seconds| -seconds),
    }
}
