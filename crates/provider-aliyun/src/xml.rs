//! Converts an XML response of Alibaba ECS into a JSON value of the same shape.
//!
//! An element with children becomes an object, a repeated element a list, any other element a string. So
//! a list of one element is the element itself, and a number is a string.
//! Attributes and namespaces are ignored: ECS does not use them.

use quick_xml::{
    Reader,
    events::{BytesRef, BytesStart, Event},
};
use serde_json::{Map, Value};

/// Returns the content of the root element as an object.
///
/// # Errors
/// The reason why the body is not an XML response of ECS, for example an HTML page of a proxy.
pub(crate) fn read(body: &[u8]) -> Result<Value, String> {
    let text = str::from_utf8(body).map_err(|error| error.to_string())?;
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    loop {
        let closed = match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(tag) => {
                open.push(Element::new(&tag, open.len())?);
                None
            }
            Event::Empty(tag) => Some(Element::new(&tag, open.len())?),
            Event::End(_) => open.pop(),
            Event::Text(part) => {
                append(
                    &mut open,
                    &part.decode().map_err(|error| error.to_string())?,
                );
                None
            }
            Event::CData(part) => {
                append(
                    &mut open,
                    &part.decode().map_err(|error| error.to_string())?,
                );
                None
            }
            Event::GeneralRef(reference) => {
                append(&mut open, &resolve(&reference)?);
                None
            }
            Event::Eof => return Err("the XML is truncated".to_owned()),
            _ => None,
        };
        match (closed, open.last_mut()) {
            (Some(child), Some(parent)) => parent.add_child(child),
            (Some(root), None) => return root.into_root_object(),
            (None, _) => {}
        }
    }
}

/// The maximum depth. Responses of ECS are less deep, and dropping a deeper value could overflow
/// the stack.
const MAX_DEPTH: usize = 32;

struct Element {
    name: String,
    text: String,
    children: Map<String, Value>,
}

impl Element {
    fn new(tag: &BytesStart<'_>, depth: usize) -> Result<Self, String> {
        if depth >= MAX_DEPTH {
            return Err("the XML is nested too deeply".to_owned());
        }
        Ok(Self {
            name: String::from_utf8_lossy(tag.name().as_ref()).into_owned(),
            text: String::new(),
            children: Map::new(),
        })
    }

    fn add_child(&mut self, child: Self) {
        let (name, value) = child.into_parts();
        match self.children.get_mut(&name) {
            None => {
                self.children.insert(name, value);
            }
            Some(Value::Array(list)) => list.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }

    fn into_parts(self) -> (String, Value) {
        let value = if self.children.is_empty() {
            Value::String(self.text.trim().to_owned())
        } else {
            Value::Object(self.children)
        };
        (self.name, value)
    }

    /// Checks the name of the root: `Error`, or the operation, as in `StartInstanceResponse`.
    fn into_root_object(self) -> Result<Value, String> {
        if self.name != "Error" && !self.name.ends_with("Response") {
            return Err(format!("the XML has an unknown root {:?}", self.name));
        }
        Ok(Value::Object(self.children))
    }
}

fn append(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

/// Resolves character references and the five predefined entities. Entities that a document defines
/// are rejected.
fn resolve(reference: &BytesRef<'_>) -> Result<String, String> {
    if let Some(character) = reference
        .resolve_char_ref()
        .map_err(|error| error.to_string())?
    {
        return Ok(character.to_string());
    }
    let name = reference.decode().map_err(|error| error.to_string())?;
    match quick_xml::escape::resolve_predefined_entity(&name) {
        Some(text) => Ok(text.to_owned()),
        None => Err(format!("the XML has an unknown entity {name:?}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn xml_response_becomes_the_equivalent_json() {
        for (xml, expected) in [
            (
                "\n<?xml version=\"1.0\"?>\n<Error>\n  <Code> Throttling </Code>\n</Error>",
                json!({"Code": "Throttling"}),
            ),
            (
                "<AResponse><Rows><Row><Id>1</Id></Row><Row><Id>2</Id></Row></Rows></AResponse>",
                json!({"Rows": {"Row": [{"Id": "1"}, {"Id": "2"}]}}),
            ),
            (
                "<AResponse><Rows><Row><Id>1</Id></Row></Rows><Empty/><Locks></Locks></AResponse>",
                json!({"Rows": {"Row": {"Id": "1"}}, "Empty": "", "Locks": ""}),
            ),
            (
                "<Error><Message>a &lt;b&gt; &amp; &#x41;<![CDATA[<c>]]></Message></Error>",
                json!({"Message": "a <b> & A<c>"}),
            ),
            ("<StopInstanceResponse/>", json!({})),
        ] {
            assert_eq!(read(xml.as_bytes()).unwrap(), expected, "{xml}");
        }
    }

    #[test]
    fn body_that_is_not_a_response_of_ecs_is_rejected() {
        let deep = format!(
            "<AResponse>{}{}</AResponse>",
            "<a>".repeat(MAX_DEPTH),
            "</a>".repeat(MAX_DEPTH)
        );
        for text in [
            "",
            "<",
            "<html><body>502</body></html>",
            "<!DOCTYPE html><html/>",
            "<Error><Code>x</Code>",
            "<Error><Code>x</Error>",
            "<!DOCTYPE Error [<!ENTITY a \"b\">]><Error>&a;</Error>",
            "<Error>&#xFFFFFFFF;</Error>",
            &deep,
        ] {
            assert!(read(text.as_bytes()).is_err(), "{text:.60} was accepted");
        }
        assert!(read(b"<Error>\xff</Error>").is_err());
    }
}
