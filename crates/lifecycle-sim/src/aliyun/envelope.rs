//! The response formats of simulated Alibaba ECS: JSON and XML.
//!
//! Envelopes and lists with two levels are documented. The content type of XML is the value that
//! the Python SDK compares with (vendor's source), the content type of JSON is inferred.

use serde::Serialize;
use serde_json::Value;

use super::{api_error::ApiError, params::Format};
use crate::response::{self, Response};

/// The parts of a response besides the content.
#[derive(Debug)]
pub(super) struct Envelope {
    pub(super) format: Format,
    /// The name of the operation.
    pub(super) action: String,
    /// The name of the service, as in links to the documentation.
    pub(super) product: &'static str,
    /// The host of the request.
    pub(super) host: String,
    /// An upper-case UUID.
    pub(super) request_id: String,
}

impl Envelope {
    /// Returns the response of a successful call.
    pub(super) fn success(&self, content: &impl Serialize) -> Response {
        let content = WithRequestId {
            content,
            request_id: &self.request_id,
        };
        let root = format!("{}Response", self.action);
        self.write(200, &root, &content)
    }

    /// Returns the response of a rejected call.
    pub(super) fn error(&self, error: &ApiError) -> Response {
        let content = ErrorContent {
            request_id: &self.request_id,
            host_id: &self.host,
            code: &error.code,
            message: &error.message,
            recommend: (self.format == Format::Json).then(|| {
                format!(
                    "https://api.aliyun.com/troubleshoot?q={}&product={}&requestId={}",
                    error.code, self.product, self.request_id
                )
            }),
        };
        let response = self.write(error.status, "Error", &content);
        error
            .headers
            .iter()
            .fold(response, |response, (name, value)| {
                response::with_header(response, name, value)
            })
    }

    fn write(&self, status: u16, root: &str, content: &impl Serialize) -> Response {
        let response = match self.format {
            // Serialising the simulator's own types into memory cannot fail.
            Format::Json => response::with_body(
                status,
                "application/json;charset=utf-8",
                serde_json::to_vec(content).unwrap_or_default(),
            ),
            Format::Xml => {
                response::with_body(status, "text/xml;charset=utf-8", xml(root, content))
            }
        };
        response::with_header(response, "x-acs-request-id", &self.request_id)
    }
}

#[derive(Serialize)]
struct WithRequestId<'a, T> {
    #[serde(flatten)]
    content: &'a T,
    #[serde(rename = "RequestId")]
    request_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ErrorContent<'a> {
    request_id: &'a str,
    host_id: &'a str,
    code: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    recommend: Option<String>,
}

fn xml(root: &str, content: &impl Serialize) -> String {
    let mut text = String::from(r#"<?xml version="1.0" encoding="UTF-8"?>"#);
    let value = serde_json::to_value(content).unwrap_or_default();
    write_element(&mut text, root, &value);
    text
}

/// Writes a list as repeated elements, so that an empty list is an empty parent element.
fn write_element(text: &mut String, name: &str, value: &Value) {
    if let Value::Array(members) = value {
        for member in members {
            write_element(text, name, member);
        }
        return;
    }
    text.push('<');
    text.push_str(name);
    text.push('>');
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                write_element(text, name, value);
            }
        }
        Value::String(word) => write_escaped(text, word),
        Value::Null | Value::Array(_) => {}
        Value::Bool(_) | Value::Number(_) => text.push_str(&value.to_string()),
    }
    text.push_str("</");
    text.push_str(name);
    text.push('>');
}

fn write_escaped(text: &mut String, word: &str) {
    for character in word.chars() {
        match character {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            other => text.push(other),
        }
    }
}
