//! Deserializers for JSON values whose type differs from the documentation.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeOwned, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer,
    },
};
use serde_json::value::RawValue;

use crate::InstanceId;

/// An optional field; `None` for a value that is not a `T`, so a single odd field does not spoil the
/// response. `#[serde(default)]` allows the field to be absent as well.
///
/// The reader accepts JSON text only, and scans each value twice. The other readers of this module
/// accept any format, and scan each value once.
#[derive(Clone, Debug)]
pub struct LenientField<T>(pub Option<T>);

impl<T> Default for LenientField<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for LenientField<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = <&RawValue>::deserialize(deserializer)?;
        Ok(Self(serde_json::from_str(json.get()).ok()))
    }
}

/// A text, or a number as text; `None` for an empty text and for a value of another type.
#[derive(Clone, Debug, Default)]
pub struct LenientText(pub Option<String>);

impl<'de> Deserialize<'de> for LenientText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue(PhantomData))
    }
}

/// A text of the cloud. A value of another type is kept as JSON text; `null` is `None`.
///
/// The reader accepts JSON text only.
#[derive(Clone, Debug, Default)]
pub struct RawText(pub Option<String>);

impl<'de> Deserialize<'de> for RawText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = <&RawValue>::deserialize(deserializer)?.get();
        Ok(Self(match json {
            "null" => None,
            _ => Some(serde_json::from_str(json).unwrap_or_else(|_| json.to_owned())),
        }))
    }
}

/// A list of texts, or a single text, as XML writes a list with a single text. An empty text and a value
/// of another type are left out.
#[derive(Clone, Debug, Default)]
pub struct LenientTexts(pub Vec<String>);

impl<'de> Deserialize<'de> for LenientTexts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue(PhantomData))
    }
}

/// An instance id, written as a text or as a whole number; `None` for any other value.
///
/// A number with more than 64 bits is `None`: JSON readers round the number, and a rounded number is
/// the id of another instance.
#[derive(Clone, Debug, Default)]
pub struct LenientId(pub Option<InstanceId>);

impl<'de> Deserialize<'de> for LenientId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue(PhantomData))
    }
}

/// An object, such as one row of a list; `None` if the value is not an object.
///
/// An odd value in `T` fails the whole response, unless the field in `T` is lenient as well.
#[derive(Clone, Debug)]
pub struct LenientObject<T>(pub Option<T>);

impl<T> Default for LenientObject<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for LenientObject<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue(PhantomData))
    }
}

/// A list of objects, or a single object, as XML writes a list with a single row. A row of another type
/// is dropped, and a value of another type is an empty list.
#[derive(Clone, Debug)]
pub struct LenientList<T>(pub Vec<T>);

impl<T> Default for LenientList<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for LenientList<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue(PhantomData))
    }
}

/// A list of objects with a place for each row, or a single object, as XML writes a list with a single
/// row. A row of another type is `None`; a value of another type is no list at all.
#[derive(Clone, Debug)]
pub struct LenientRows<T>(pub Option<Vec<Option<T>>>);

impl<T> LenientRows<T> {
    /// Converts every row. `None` if the value is no list, if a row is of another type, or if `convert`
    /// returns `None` for a row: the list is incomplete then.
    pub fn all<U>(self, mut convert: impl FnMut(T) -> Option<U>) -> Option<Vec<U>> {
        let rows = self.0?.into_iter();
        rows.map(|row| convert(row?)).collect()
    }
}

impl<T> Default for LenientRows<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for LenientRows<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue(PhantomData))
    }
}

/// A reader with a default for JSON values of other types.
trait FromLenient<'de>: Default {
    fn from_text(text: &str) -> Self {
        let _ = text;
        Self::default()
    }

    /// Reads a number with a fraction, or one that was rounded.
    fn from_fraction(number: f64) -> Self {
        Self::from_text(&number.to_string())
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

impl FromLenient<'_> for LenientText {
    fn from_text(text: &str) -> Self {
        Self((!text.is_empty()).then(|| text.to_owned()))
    }
}

impl<'de> FromLenient<'de> for LenientTexts {
    fn from_text(text: &str) -> Self {
        Self(LenientText::from_text(text).0.into_iter().collect())
    }

    fn from_list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut texts = Vec::new();
        while let Some(LenientText(text)) = list.next_element()? {
            texts.extend(text);
        }
        Ok(Self(texts))
    }
}

impl FromLenient<'_> for LenientId {
    fn from_text(text: &str) -> Self {
        Self(InstanceId::new(text).ok())
    }

    fn from_fraction(_: f64) -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>> FromLenient<'de> for LenientObject<T> {
    fn from_object<A: MapAccess<'de>>(object: A) -> Result<Self, A::Error> {
        T::deserialize(MapAccessDeserializer::new(object)).map(|row| Self(Some(row)))
    }
}

impl<'de, T: Deserialize<'de>> FromLenient<'de> for LenientList<T> {
    fn from_list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut rows = Vec::with_capacity(list.size_hint().unwrap_or_default());
        while let Some(LenientObject(row)) = list.next_element()? {
            rows.extend(row);
        }
        Ok(Self(rows))
    }

    fn from_object<A: MapAccess<'de>>(object: A) -> Result<Self, A::Error> {
        T::deserialize(MapAccessDeserializer::new(object)).map(|row| Self(vec![row]))
    }
}

impl<'de, T: Deserialize<'de>> FromLenient<'de> for LenientRows<T> {
    fn from_list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut rows = Vec::with_capacity(list.size_hint().unwrap_or_default());
        while let Some(LenientObject(row)) = list.next_element()? {
            rows.push(row);
        }
        Ok(Self(Some(rows)))
    }

    fn from_object<A: MapAccess<'de>>(object: A) -> Result<Self, A::Error> {
        let row = T::deserialize(MapAccessDeserializer::new(object))?;
        Ok(Self(Some(vec![Some(row)])))
    }
}

struct AnyValue<L>(PhantomData<L>);

impl<'de, L: FromLenient<'de>> Visitor<'de> for AnyValue<L> {
    type Value = L;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<L, A::Error> {
        L::from_object(object)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<L, A::Error> {
        L::from_list(list)
    }

    fn visit_str<E>(self, text: &str) -> Result<L, E> {
        Ok(L::from_text(text))
    }

    fn visit_bool<E>(self, _: bool) -> Result<L, E> {
        Ok(L::default())
    }

    fn visit_i64<E>(self, number: i64) -> Result<L, E> {
        Ok(L::from_text(&number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<L, E> {
        Ok(L::from_text(&number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<L, E> {
        Ok(L::from_fraction(number))
    }

    fn visit_unit<E>(self) -> Result<L, E> {
        Ok(L::default())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    type Fields = BTreeMap<String, LenientField<String>>;

    #[test]
    fn field_of_another_type_or_with_an_invalid_value_does_not_spoil_the_others() {
        for odd in [
            "5",
            "1e999",
            "null",
            "true",
            r#"[1, [2]]"#,
            r#"{"a": {"b": 1}}"#,
            // A name without the second half of a surrogate pair.
            r#""web-\ud83d""#,
        ] {
            let json = format!(r#"{{"good": "text", "odd": {odd}}}"#);
            let fields: Fields = serde_json::from_str(&json).unwrap();
            assert_eq!(fields["good"].0.as_deref(), Some("text"), "{json}");
            assert!(fields["odd"].0.is_none(), "{json}");
        }
    }

    #[test]
    fn text_is_read_from_a_text_or_a_number_and_from_nothing_else() {
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
            let text = format!(r#"[{json}, "kept"]"#);
            let [odd, kept]: [LenientText; 2] = serde_json::from_str(&text).unwrap();
            assert_eq!(odd.0.as_deref(), expected, "{text}");
            assert_eq!(kept.0.as_deref(), Some("kept"), "{text}");
        }
    }

    #[test]
    fn id_is_read_from_a_text_or_a_whole_number_and_never_from_a_rounded_number() {
        for (json, expected) in [
            (r#""i-1""#, Some("i-1")),
            ("1358249734217893376", Some("1358249734217893376")),
            ("18446744073709551615", Some("18446744073709551615")),
            ("18446744073709551616", None),
            ("1.5", None),
            ("1e3", None),
            (r#""""#, None),
            (r#""a/b""#, None),
            ("null", None),
            ("true", None),
            (r#"["i-1"]"#, None),
            (r#"{"id":"i-1"}"#, None),
        ] {
            let text = format!(r#"[{json}, "kept"]"#);
            let [id, kept]: [LenientId; 2] = serde_json::from_str(&text).unwrap();
            assert_eq!(id.0.as_ref().map(InstanceId::as_str), expected, "{text}");
            assert_eq!(kept.0.unwrap().as_str(), "kept", "{text}");
        }
    }

    #[test]
    fn row_of_another_type_keeps_its_place() {
        for (json, expected) in [
            (
                r#"[{"name": "a"}, null, 7, {"name": "b"}]"#,
                Some(&[true, false, false, true][..]),
            ),
            (r#"{"name": "a"}"#, Some(&[true])),
            ("[]", Some(&[])),
            (r#""""#, None),
            ("null", None),
            ("7", None),
        ] {
            let list: LenientRows<Fields> = serde_json::from_str(json).unwrap();
            let rows = list
                .0
                .map(|rows| rows.iter().map(Option::is_some).collect());
            assert_eq!(rows, expected.map(<[bool]>::to_vec), "{json}");
        }
    }

    #[test]
    fn raw_text_keeps_a_value_of_another_type_as_json() {
        for (json, expected) in [
            (r#""x""#, Some("x")),
            (r#""""#, Some("")),
            ("7", Some("7")),
            ("true", Some("true")),
            ("[1]", Some("[1]")),
            ("null", None),
        ] {
            let text: RawText = serde_json::from_str(json).unwrap();
            assert_eq!(text.0.as_deref(), expected, "{json}");
        }
    }

    #[test]
    fn texts_are_read_from_a_list_or_from_one_text() {
        for (json, expected) in [
            (
                r#"["a", "", null, 7, {"a": "b"}, ["c"], "d"]"#,
                &["a", "7", "d"][..],
            ),
            (r#""a""#, &["a"]),
            (r#""""#, &[]),
            ("null", &[]),
            (r#"{"a": "b"}"#, &[]),
        ] {
            let texts: LenientTexts = serde_json::from_str(json).unwrap();
            assert_eq!(texts.0, expected, "{json}");
        }
    }

    #[test]
    fn all_rows_are_converted_or_none() {
        for (json, expected) in [
            (r#"[{"name": "a"}, {"name": "b"}]"#, Some(2)),
            (r#"{"name": "a"}"#, Some(1)),
            ("[]", Some(0)),
            (r#"[{"name": "a"}, 7]"#, None),
            (r#"[{"name": "a"}, {"other": "b"}]"#, None),
            ("7", None),
        ] {
            let list: LenientRows<BTreeMap<String, LenientText>> =
                serde_json::from_str(json).unwrap();
            let names = list.all(|row| row.get("name")?.0.clone());
            assert_eq!(names.map(|names| names.len()), expected, "{json}");
        }
    }

    #[test]
    fn row_of_another_type_does_not_spoil_the_others() {
        let json =
            r#"[{"name": "a"}, 1, -1, 1.5, "text", true, null, [{"name": "b"}], {"name": 7}]"#;
        let rows: Vec<LenientObject<Fields>> = serde_json::from_str(json).unwrap();
        let names: Vec<_> = rows
            .into_iter()
            .map(|row| row.0.map(|row| row["name"].0.clone()))
            .collect();
        assert_eq!(names.len(), 9);
        assert_eq!(names[0], Some(Some("a".to_owned())));
        assert!(names[1..8].iter().all(Option::is_none), "{names:?}");
        assert_eq!(names[8], Some(None));
    }

    #[test]
    fn list_is_read_from_an_array_of_objects_or_from_one_object() {
        for (json, expected) in [
            (r#"[{"name": "a"}, null, 7, {"name": "b"}]"#, 2),
            (r#"{"name": "a"}"#, 1),
            ("[]", 0),
            (r#""""#, 0),
            ("null", 0),
            ("7", 0),
        ] {
            let text = format!(r#"[{json}, {{"name": "kept"}}]"#);
            let [list, next]: [LenientList<BTreeMap<String, LenientText>>; 2] =
                serde_json::from_str(&text).unwrap();
            assert_eq!(list.0.len(), expected, "{text}");
            assert_eq!(next.0[0]["name"].0.as_deref(), Some("kept"), "{text}");
        }
    }

    #[test]
    fn value_that_json_does_not_have_is_an_error() {
        use serde::de::value::{BytesDeserializer, Error};

        let bytes = BytesDeserializer::<Error>::new(b"x");
        let error = LenientText::deserialize(bytes).unwrap_err();
        assert_eq!(
            error.to_string(),
            "invalid type: byte array, expected any value"
        );
    }
}
