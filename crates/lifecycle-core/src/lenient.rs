//! Reading answers that are not quite as documented.

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::value::RawValue;

/// A field that is dropped when it is of another type than documented, so that one odd field does
/// not cost the rest of the answer. Put `#[serde(default)]` on it, and it may be missing as well.
///
/// Reads JSON text only, not values that were read before: a field is looked at twice without
/// being copied, which is what makes a page of a hundred full records cheap.
#[derive(Clone, Debug)]
pub struct Lenient<T>(pub Option<T>);

impl<T> Default for Lenient<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = <&RawValue>::deserialize(deserializer)?;
        Ok(Self(serde_json::from_str(json.get()).ok()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn one_odd_field_does_not_cost_the_others() {
        let json = r#"{"good": "text", "odd": 5, "null": null}"#;
        let fields: BTreeMap<String, Lenient<String>> = serde_json::from_str(json).unwrap();
        assert_eq!(fields["good"].0.as_deref(), Some("text"));
        assert!(fields["odd"].0.is_none());
        assert!(fields["null"].0.is_none());
    }
}
