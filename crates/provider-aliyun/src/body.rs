//! Reads response bodies of Alibaba ECS in JSON or XML.
//!
//! XML is first converted to the JSON that ECS would have sent, so one set of types reads both.

use std::borrow::Cow;

use lifecycle_core::{Fault, HttpResponse, ResponseExt};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::xml;

/// Reads a body, whose format its first character decides: no text is both a JSON object and XML.
///
/// # Errors
/// [`FaultKind::Unreadable`](lifecycle_core::FaultKind::Unreadable) for a body in neither format,
/// whatever its content type.
pub(crate) fn read<T: DeserializeOwned>(response: &HttpResponse) -> Result<T, Fault> {
    match response.body().trim_ascii_start().first() {
        Some(b'{') => response.json(),
        Some(b'<') => {
            let value =
                xml::read(response.body()).map_err(|reason| response.unreadable(&reason))?;
            serde_json::from_value(value).map_err(|error| response.unreadable(&error.to_string()))
        }
        _ => Err(response.unreadable("neither a JSON object nor XML")),
    }
}

/// Returns the body as JSON text, for readers of JSON text; `None` for a body in neither format.
///
/// In XML, `list` is the pointer (RFC 6901) of a list that may have a single row, and an element without
/// content has no value.
pub(crate) fn json<'a>(response: &'a HttpResponse, list: &str) -> Option<Cow<'a, [u8]>> {
    if !is_xml(response) {
        return Some(response.body().as_ref().into());
    }
    let mut value = xml::read(response.body()).ok()?;
    empty_to_null(&mut value);
    if let Some(rows) = value.pointer_mut(list)
        && !rows.is_array()
    {
        *rows = json!([rows.take()]);
    }
    Some(value.to_string().into_bytes().into())
}

fn empty_to_null(value: &mut Value) {
    match value {
        Value::String(text) if text.is_empty() => *value = Value::Null,
        Value::Array(items) => items.iter_mut().for_each(empty_to_null),
        Value::Object(fields) => fields.values_mut().for_each(empty_to_null),
        _ => {}
    }
}

/// Returns true for a body in XML whose root has an element with this name and without content.
pub(crate) fn has_empty_element(response: &HttpResponse, name: &str) -> bool {
    let body = is_xml(response).then(|| xml::read(response.body()).ok());
    let body = body.flatten().unwrap_or_default();
    body.get(name).and_then(Value::as_str) == Some("")
}

/// Returns true for a body in XML.
fn is_xml(response: &HttpResponse) -> bool {
    response.body().trim_ascii_start().starts_with(b"<")
}
