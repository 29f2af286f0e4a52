//! HTTP responses for tests: built from parts, or read from the recordings in `wire.json`.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use lifecycle_core::HttpResponse;
use serde_json::Value;

/// Returns a response with these parts.
///
/// # Panics
/// If `status` is not an HTTP status.
pub fn http_response(status: u16, headers: HeaderMap, body: impl Into<Bytes>) -> HttpResponse {
    let mut response = http::Response::new(body.into());
    *response.status_mut() = http::StatusCode::from_u16(status).expect("an HTTP status");
    *response.headers_mut() = headers;
    response
}

/// Returns a response without headers. The body is the text of `body`, such as a `str` or a JSON
/// [`Value`].
///
/// # Panics
/// If `status` is not an HTTP status.
pub fn response(status: u16, body: &(impl ToString + ?Sized)) -> HttpResponse {
    http_response(status, HeaderMap::new(), body.to_string())
}

/// Returns `response` with another body.
pub fn with_body(response: &HttpResponse, body: impl Into<Bytes>) -> HttpResponse {
    response.clone().map(|_| body.into())
}

/// Returns the response of an entry of `wire.json`, a provider's file of recorded requests and
/// responses.
///
/// The entry has a number `status` or `http_status`, and `headers` as an object or as a list of
/// pairs. A `body` that is a string is the text of the response body; any other `body` is sent as
/// JSON. `content_type` adds one header.
///
/// # Panics
/// If the entry has a different format.
pub fn recorded_response(entry: &Value) -> HttpResponse {
    let status = entry["status"]
        .as_u64()
        .or_else(|| entry["http_status"].as_u64());
    let status = status.and_then(|status| status.try_into().ok());
    let mut headers = recorded_headers(&entry["headers"]);
    if let Some(content_type) = entry["content_type"].as_str() {
        headers.insert(http::header::CONTENT_TYPE, header_value(content_type));
    }
    let body = match &entry["body"] {
        Value::String(text) => text.clone(),
        json => json.to_string(),
    };
    http_response(
        status.unwrap_or_else(|| panic!("no status in {entry}")),
        headers,
        body,
    )
}

/// Returns the headers of a recorded request or response.
pub(crate) fn recorded_headers(headers: &Value) -> HeaderMap {
    let pairs: Vec<(&str, &Value)> = match headers {
        Value::Null => Vec::new(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.as_str(), value))
            .collect(),
        Value::Array(pairs) => pairs
            .iter()
            .map(|pair| (pair[0].as_str().expect("the name of a header"), &pair[1]))
            .collect(),
        _ => panic!("invalid headers {headers}"),
    };
    pairs
        .into_iter()
        .map(|(name, value)| {
            let name: HeaderName = name.parse().expect("the name of a header");
            (
                name,
                header_value(value.as_str().expect("the value of a header")),
            )
        })
        .collect()
}

fn header_value(text: &str) -> HeaderValue {
    text.parse().expect("the value of a header")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn recorded_response_is_read_in_every_format_of_wire_json() {
        for entry in [
            json!({"status": 404, "headers": {"X-Id": "7"}, "body": r#"{"a":1}"#}),
            json!({"http_status": 404, "headers": [["X-Id", "7"]], "body": {"a": 1}}),
        ] {
            let response = recorded_response(&entry);
            assert_eq!(response.status(), 404, "{entry}");
            assert_eq!(response.headers()["x-id"], "7", "{entry}");
            assert_eq!(response.body(), r#"{"a":1}"#, "{entry}");
        }
        let typed = recorded_response(&json!({"status": 200, "content_type": "a/b", "body": ""}));
        assert_eq!(typed.headers()["content-type"], "a/b");
        assert!(typed.body().is_empty());
    }
}
