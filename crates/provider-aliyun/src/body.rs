//! Reads response bodies of Alibaba ECS in JSON or XML.
//!
//! XML is first converted to the JSON that ECS would have sent, so one set of types reads both.

use lifecycle_core::{Fault, HttpResponse, ResponseExt};
use serde::de::DeserializeOwned;

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

/// Returns true for a body in XML.
pub(crate) fn is_xml(response: &HttpResponse) -> bool {
    response.body().trim_ascii_start().starts_with(b"<")
}
