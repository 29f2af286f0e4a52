//! Test helpers that the providers share: responses, and responses with another body.

use bytes::Bytes;
use lifecycle_core::HttpResponse;

/// Returns a response with these parts.
///
/// # Panics
/// When `status` is no HTTP status.
pub fn http_response(
    status: u16,
    headers: http::HeaderMap,
    body: impl Into<Bytes>,
) -> HttpResponse {
    let mut response = http::Response::new(body.into());
    *response.status_mut() = http::StatusCode::from_u16(status).expect("an HTTP status");
    *response.headers_mut() = headers;
    response
}

/// Returns `response` with another body.
pub fn with_body(response: &HttpResponse, body: impl Into<Bytes>) -> HttpResponse {
    response.clone().map(|_| body.into())
}
