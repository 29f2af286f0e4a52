//! Reading answers that are not quite as documented.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeOwned, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer,
    },
};
use serde_json::value::RawValue;

/// A field that is dropped when it is of another type than documented, so that one odd field does
/// not cost the rest of the answer. Put `#[serde(default)]` on it, and it may be missing as well.
///
/// Reads JSON text only, not values that were read before: a field is looked at twice without
/// being copied, which is what makes a page of a hundred full records cheap.
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

/// A row of a list. One that is no object is dropped, so that it does not cost the others.
///
/// Reads a row once, where [`LenientField`] would read it twice; so `T` must take odd fields itself.
#[derive(Clone, Debug)]
pub struct LenientObject<T>(pub Option<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for LenientObject<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RowVisitor(PhantomData))
    }
}

struct RowVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for RowVisitor<T> {
    type Value = LenientObject<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<LenientObject<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(object)).map(|row| LenientObject(Some(row)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<LenientObject<T>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(LenientObject(None))
    }

    fn visit_str<E>(self, _: &str) -> Result<LenientObject<T>, E> {
        Ok(LenientObject(None))
    }

    fn visit_bool<E>(self, _: bool) -> Result<LenientObject<T>, E> {
        Ok(LenientObject(None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<LenientObject<T>, E> {
        Ok(LenientObject(None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<LenientObject<T>, E> {
        Ok(LenientObject(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<LenientObject<T>, E> {
        Ok(LenientObject(None))
    }

    fn visit_unit<E>(self) -> Result<LenientObject<T>, E> {
        Ok(LenientObject(None))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn one_odd_field_does_not_cost_the_others() {
        let json = r#"{"good": "text", "odd": 5, "null": null}"#;
        let fields: BTreeMap<String, LenientField<String>> = serde_json::from_str(json).unwrap();
        assert_eq!(fields["good"].0.as_deref(), Some("text"));
        assert!(fields["odd"].0.is_none());
        assert!(fields["null"].0.is_none());
    }

    #[test]
    fn a_row_that_is_no_object_does_not_cost_the_others() {
        let json =
            r#"[{"name": "a"}, 1, -1, 1.5, "text", true, null, [{"name": "b"}], {"name": 7}]"#;
        let rows: Vec<LenientObject<BTreeMap<String, LenientField<String>>>> =
            serde_json::from_str(json).unwrap();
        let names = rows
            .into_iter()
            .map(|row| row.0.map(|row| row["name"].0.clone()));
        let names: Vec<_> = names.collect();
        assert_eq!(names.len(), 9);
        assert_eq!(names[0], Some(Some("a".to_owned())));
        assert!(names[1..8].iter().all(Option::is_none), "{names:?}");
        assert_eq!(names[8], Some(None));
    }
}
