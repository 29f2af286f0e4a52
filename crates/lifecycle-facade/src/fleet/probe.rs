//! Whether a place can be reached at all.

use lifecycle_core::ResponseExt;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use lifecycle_client::TransportError;
use tokio::time::Instant;

use super::{FleetError, Location, connect::Connector};

/// What an endpoint answered to a request for nothing in particular.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DoctorProbe {
    /// The HTTP status. Any status is good: something answered.
    pub status: u16,
    /// By how many seconds its clock is ahead of ours; `None` when it does not say.
    pub ahead: Option<i64>,
    /// How long it took.
    pub took: Duration,
}

impl Connector {
    pub(super) async fn probe(
        &self,
        place: &Location,
    ) -> Result<Result<DoctorProbe, TransportError>, FleetError> {
        let endpoint = self.sketch(place)?.endpoint;
        let uri = endpoint
            .uri("/".to_owned())
            .map_err(|bad| FleetError::Setup(bad.to_string()))?;
        let mut request = http::Request::new(Bytes::new());
        *request.uri_mut() = uri;
        let began = Instant::now();
        Ok(self.transport.send(request).await.map(|reply| DoctorProbe {
            status: reply.status().as_u16(),
            ahead: reply
                .date()
                .and_then(|date| seconds_between(date, self.settings.clock.now())),
            took: began.elapsed(),
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
