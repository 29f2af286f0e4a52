//! How the body of an answer is read: JSON or XML, and never spoilt by one odd field.
//!
//! ECS answers in JSON or in XML. XML is first turned into the JSON that ECS would have sent, so one
//! set of types reads both.

use std::{fmt, marker::PhantomData};

use lifecycle_core::{Fault, HttpResponse, InstanceId, ResponseExt};
use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeOwned, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer,
    },
};

use crate::xml;

/// Reads a body by its first character. The content type would add nothing: no text is both an
/// object in JSON and XML, and what is neither cannot be read whatever it is called.
pub(crate) fn read<T: DeserializeOwned>(reply: &HttpResponse) -> Result<T, Fault> {
    match reply.body().trim_ascii_start().first() {
        Some(b'{') => reply.json(),
        Some(b'<') => {
            let value = xml::read(reply.body()).map_err(|reason| reply.unreadable(&reason))?;
            serde_json::from_value(value).map_err(|error| reply.unreadable(&error.to_string()))
        }
        _ => Err(reply.unreadable("neither a JSON object nor XML")),
    }
}

/// A text or a number, as text. Anything else, and an empty text, is nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Text(pub(crate) Option<String>);

impl Text {
    /// The instance that the text names; `None` when it cannot be an id.
    pub(crate) fn id(&self) -> Option<InstanceId> {
        InstanceId::new(self.0.as_deref()?).ok()
    }
}

/// An object. Anything else is an empty one.
#[derive(Debug, Default)]
pub(crate) struct Record<T>(pub(crate) T);

/// A list of objects, or an object that stands for a list of one, as XML writes it. Anything else
/// is an empty list.
#[derive(Debug)]
pub(crate) struct Rows<T>(pub(crate) Vec<T>);

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// What can be made of a value, whatever its type is.
trait Lenient<'de>: Default {
    fn from_text(text: &str) -> Self {
        let _ = text;
        Self::default()
    }

    fn from_list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }

    fn from_object<A: MapAccess<'de>>(mut object: A) -> Result<Self, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }
}

impl Lenient<'_> for Text {
    fn from_text(text: &str) -> Self {
        Self((!text.is_empty()).then(|| text.to_owned()))
    }
}

impl<'de, T: Default + Deserialize<'de>> Lenient<'de> for Record<T> {
    fn from_object<A: MapAccess<'de>>(object: A) -> Result<Self, A::Error> {
        T::deserialize(MapAccessDeserializer::new(object)).map(Self)
    }
}

impl<'de, T: Default + Deserialize<'de>> Lenient<'de> for Rows<T> {
    fn from_list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut rows = Vec::with_capacity(list.size_hint().unwrap_or_default());
        while let Some(Record(row)) = list.next_element()? {
            rows.push(row);
        }
        Ok(Self(rows))
    }

    fn from_object<A: MapAccess<'de>>(object: A) -> Result<Self, A::Error> {
        Record::from_object(object).map(|Record(row)| Self(vec![row]))
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        value.deserialize_any(AnyValue(PhantomData))
    }
}

impl<'de, T: Default + Deserialize<'de>> Deserialize<'de> for Record<T> {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        value.deserialize_any(AnyValue(PhantomData))
    }
}

impl<'de, T: Default + Deserialize<'de>> Deserialize<'de> for Rows<T> {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        value.deserialize_any(AnyValue(PhantomData))
    }
}

struct AnyValue<L>(PhantomData<L>);

impl<'de, L: Lenient<'de>> Visitor<'de> for AnyValue<L> {
    type Value = L;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_str<E>(self, text: &str) -> Result<L, E> {
        Ok(L::from_text(text))
    }

    fn visit_u64<E>(self, number: u64) -> Result<L, E> {
        Ok(L::from_text(&number.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<L, E> {
        Ok(L::from_text(&number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<L, E> {
        Ok(L::from_text(&number.to_string()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<L, E> {
        Ok(L::default())
    }

    fn visit_unit<E>(self) -> Result<L, E> {
        Ok(L::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<L, A::Error> {
        L::from_list(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<L, A::Error> {
        L::from_object(object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default, rename_all = "PascalCase")]
    struct Sample {
        word: Text,
        inner: Record<Inner>,
        rows: Rows<Inner>,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(default, rename_all = "PascalCase")]
    struct Inner {
        word: Text,
    }

    #[test]
    fn odd_values_leave_the_rest_alone() {
        for (json, expected) in [
            (r#""x""#, Some("x")),
            ("7", Some("7")),
            ("-7", Some("-7")),
            ("200.0", Some("200")),
            (r#""""#, None),
            ("true", None),
            ("null", None),
            ("[1,[2]]", None),
            (r#"{"a":{"b":1}}"#, None),
        ] {
            let text = format!(r#"{{"Word":{json},"Inner":{{"Word":"kept"}}}}"#);
            let sample: Sample = serde_json::from_str(&text).unwrap();
            assert_eq!(sample.word.0.as_deref(), expected, "{text}");
            assert_eq!(sample.inner.0.word.0.as_deref(), Some("kept"), "{text}");
        }
        for (json, expected) in [
            (r#"[{"Word":"a"},null,{"Word":"b"}]"#, 3),
            (r#"{"Word":"a"}"#, 1),
            ("[]", 0),
            (r#""""#, 0),
            ("null", 0),
        ] {
            let text = format!(r#"{{"Rows":{json},"Word":"kept"}}"#);
            let sample: Sample = serde_json::from_str(&text).unwrap();
            assert_eq!(sample.rows.0.len(), expected, "{text}");
            assert_eq!(sample.word.0.as_deref(), Some("kept"), "{text}");
        }
    }
}
