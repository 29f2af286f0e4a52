//! `Message`: the text form of a request or a response in the seeds.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use lifecycle_core::HttpResponse;

/// An HTTP message: a start line, header lines, an empty line, and the body.
pub(crate) struct Message {
    /// The status of a response; method and target of a request.
    pub(crate) start: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Message {
    /// Parses a message. Lines that are not a header are ignored.
    pub(crate) fn parse(data: &[u8]) -> Self {
        let (head, body) = match data.windows(2).position(|pair| pair == b"\n\n") {
            Some(end) => (&data[..end], &data[end + 2..]),
            None => (data, &[][..]),
        };
        let mut lines = head.split(|byte| *byte == b'\n');
        let start = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
        Self {
            start,
            headers: lines.filter_map(header).collect(),
            body: Bytes::copy_from_slice(body),
        }
    }

    /// Returns the message as a response. A start line that is not a status is status 200.
    pub(crate) fn into_response(self) -> HttpResponse {
        let status = self.start.trim().parse().ok();
        let mut response = http::Response::new(self.body);
        *response.status_mut() = status
            .and_then(|status| http::StatusCode::from_u16(status).ok())
            .unwrap_or_default();
        *response.headers_mut() = self.headers;
        response
    }
}

fn header(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = HeaderName::from_bytes(&line[..colon]).ok()?;
    let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?;
    Some((name, value))
}
