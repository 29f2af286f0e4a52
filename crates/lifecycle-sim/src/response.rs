//! Builders of the HTTP responses of simulated clouds.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, header::CONTENT_TYPE};
use serde::Serialize;

/// A response of a cloud.
pub(crate) type Response = http::Response<Bytes>;

/// Creates a response with a JSON body.
pub(crate) fn json(status: u16, body: &impl Serialize) -> Response {
    // Serialising the simulator's own types into memory cannot fail.
    let text = serde_json::to_vec(body).unwrap_or_default();
    with_body(status, "application/json", text)
}

/// Creates a response with this body.
pub(crate) fn with_body(
    status: u16,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() =
        http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// Adds the standard header with the time to wait: whole seconds, rounded up.
pub(crate) fn with_retry_after(response: Response, wait: Duration) -> Response {
    let seconds = wait
        .as_secs()
        .saturating_add(u64::from(wait.subsec_nanos() > 0));
    with_header(response, "retry-after", &seconds.to_string())
}

/// Adds a header. An invalid value is ignored.
pub(crate) fn with_header(mut response: Response, name: &'static str, value: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(value) {
        response
            .headers_mut()
            .insert(HeaderName::from_static(name), value);
    }
    response
}
