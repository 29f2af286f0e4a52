//! Turns an answer in XML into the JSON that ECS would have sent.
//!
//! An element with children becomes an object, one that occurs twice a list, any other a text.
//! Attributes and namespaces do not occur in these answers and are passed over.

use quick_xml::{
    Reader,
    events::{BytesRef, BytesStart, Event},
};
use serde_json::{Map, Value};

/// The content of the root element as an object.
///
/// # Errors
/// Says why this is no answer of ECS in XML; an HTML page of a proxy is none.
pub(crate) fn read(body: &[u8]) -> Result<Value, String> {
    let text = str::from_utf8(body).map_err(|error| error.to_string())?;
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    loop {
        let ended = match reader.read_event().map_err(|error| error.to_string())? {
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
            Event::Eof => return Err("the XML ends too early".to_owned()),
            _ => None,
        };
        match (ended, open.last_mut()) {
            (Some(child), Some(parent)) => parent.adopt(child),
            (Some(root), None) => return root.into_answer(),
            (None, _) => {}
        }
    }
}

/// No answer of ECS is nested deeper; dropping a deep value would use up the stack.
const DEEPEST: usize = 32;

struct Element {
    name: String,
    text: String,
    children: Map<String, Value>,
}

impl Element {
    fn new(tag: &BytesStart<'_>, depth: usize) -> Result<Self, String> {
        if depth >= DEEPEST {
            return Err("the XML is nested too deeply".to_owned());
        }
        Ok(Self {
            name: String::from_utf8_lossy(tag.name().as_ref()).into_owned(),
            text: String::new(),
            children: Map::new(),
        })
    }

    fn adopt(&mut self, child: Self) {
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

    /// Roots are named after the operation, as in `StartInstanceResponse`, or `Error`.
    fn into_answer(self) -> Result<Value, String> {
        if self.name != "Error" && !self.name.ends_with("Response") {
            return Err(format!("the XML is about {:?}", self.name));
        }
        Ok(Value::Object(self.children))
    }
}

fn append(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

/// Only the five entities of XML itself and characters by number: none that a document defines.
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
    fn xml_becomes_the_json_that_ecs_would_have_sent() {
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
    fn what_is_no_answer_is_refused() {
        let deep = format!(
            "<AResponse>{}{}</AResponse>",
            "<a>".repeat(DEEPEST),
            "</a>".repeat(DEEPEST)
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
            assert!(read(text.as_bytes()).is_err(), "{text:.60} was taken");
        }
        assert!(read(b"<Error>\xff</Error>").is_err());
    }
}
