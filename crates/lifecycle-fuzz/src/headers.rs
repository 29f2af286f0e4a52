//! Fuzz target: headers of a response: `Retry-After`, `Date`, the request ids, and times in RFC
//! 3339 format.

use lifecycle_core::{ResponseExt, credential_source::read_time};

use crate::{CLOUDS, message::Message, traces::assert_bounded};

/// Reads the headers of one response with the readers that all clouds share, and with the readers of
/// each cloud.
///
/// # Panics
/// If a reader panics, or if a text is larger than the input allows.
pub fn check(data: &[u8]) {
    let response = Message::parse(data).into_response();
    let _ = (response.retry_after(), response.date());
    for value in response.headers().values() {
        if let Ok(text) = value.to_str() {
            let _ = read_time(text);
            let _ = lifecycle_core::header(text);
            let _ = lifecycle_core::sensitive_header(text);
        }
    }
    for cloud in CLOUDS {
        let provider = crate::provider(cloud).expect("a known cloud");
        if let Err(fault) = provider.check(&response) {
            assert_bounded(&fault, data);
        }
        let _ = provider.request_id(&response);
    }
}
