//! `ReceivedRequest`: an HTTP request as received by a simulated cloud.

use std::collections::HashSet;

use bytes::Bytes;
use lifecycle_core::encode::percent;
use percent_encoding::percent_decode_str;

/// A request as received: nothing is decoded, dropped or sorted, because signatures cover the bytes
/// on the wire.
#[derive(Clone, Debug)]
pub(crate) struct ReceivedRequest {
    /// The method.
    pub(crate) method: http::Method,
    /// The path, percent-encoded as received.
    pub(crate) path: String,
    /// The query, percent-encoded as received, without the question mark.
    pub(crate) query: String,
    /// The headers, in any order.
    pub(crate) headers: http::HeaderMap,
    /// The body.
    pub(crate) body: Bytes,
}

impl ReceivedRequest {
    /// Creates a received request. Missing Host and Content-Length headers are added, as HTTP
    /// clients do.
    pub(crate) fn new(request: http::Request<Bytes>) -> Self {
        let (parts, body) = request.into_parts();
        let mut headers = parts.headers;
        if !headers.contains_key(http::header::HOST)
            && let Some(host) = parts.uri.authority().map(http::uri::Authority::as_str)
            && let Ok(value) = host.parse()
        {
            headers.insert(http::header::HOST, value);
        }
        if !body.is_empty() && !headers.contains_key(http::header::CONTENT_LENGTH) {
            headers.insert(http::header::CONTENT_LENGTH, body.len().into());
        }
        Self {
            method: parts.method,
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers,
            body,
        }
    }

    /// Returns a header as text, or `None` for an absent header and for bytes that are not text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns the Host header, including the port.
    pub(crate) fn host(&self) -> &str {
        self.header("host").unwrap_or_default()
    }

    /// Returns the host without the port.
    pub(crate) fn hostname(&self) -> &str {
        let host = self.host();
        match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => host,
        }
    }

    /// Returns the query pairs in the received order, decoded like an HTML form (`+` is a blank). A
    /// key without an equals sign has an empty value.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (String, String)> {
        form_pairs(&self.query)
    }

    /// Returns the first value of a query key, decoded.
    pub(crate) fn parameter(&self, key: &str) -> Option<String> {
        self.pairs()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value)
    }

    /// Parses the body as JSON.
    pub(crate) fn json<'a, T: serde::Deserialize<'a>>(&'a self) -> serde_json::Result<T> {
        serde_json::from_slice(&self.body)
    }
}

/// Decodes `a=b&c` like an HTML form (`+` is a blank).
pub(crate) fn form_pairs(text: &str) -> impl Iterator<Item = (String, String)> {
    text.split('&').filter(|part| !part.is_empty()).map(|part| {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        (form_decoded(key), form_decoded(value))
    })
}

/// Joins the pairs as `name=value`, percent-encoded.
pub(crate) fn encode_pairs<N: AsRef<str>, V: AsRef<str>>(pairs: &[(N, V)]) -> String {
    let encoded: Vec<_> = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", percent(name.as_ref()), percent(value.as_ref())))
        .collect();
    encoded.join("&")
}

/// Returns each id once, in the order of the first occurrence.
pub(crate) fn distinct<'i>(ids: impl IntoIterator<Item = &'i str>) -> Vec<&'i str> {
    let mut seen = HashSet::new();
    ids.into_iter().filter(|id| seen.insert(*id)).collect()
}

fn form_decoded(text: &str) -> String {
    let blanks = text.replace('+', " ");
    percent_decode_str(&blanks).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(uri: &str) -> ReceivedRequest {
        ReceivedRequest::new(http::Request::get(uri).body(Bytes::new()).unwrap())
    }

    #[test]
    fn path_query_and_host_stay_as_received() {
        let request = received("http://127.0.0.1:8080/a%2Fb?start&x=a+b%2B&x=2");
        assert_eq!(request.path, "/a%2Fb");
        assert_eq!(request.query, "start&x=a+b%2B&x=2");
        assert_eq!(
            (request.host(), request.hostname()),
            ("127.0.0.1:8080", "127.0.0.1")
        );
        assert_eq!(request.parameter("start").as_deref(), Some(""));
        assert_eq!(request.parameter("x").as_deref(), Some("a b+"));
        assert_eq!(request.parameter("y"), None);
    }
}
