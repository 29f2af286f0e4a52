//! The value of one column in one row, in each form that an output format needs.

use std::borrow::Cow;

use lifecycle_facade::lifecycle_core::{IpAddresses, Tag};
use serde::{Serialize, Serializer, ser::SerializeMap};

/// The value of a column in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value<'r> {
    /// The column does not apply to the row: JSON has no field.
    Absent,
    /// The value is not known: JSON has `null`.
    Unknown,
    Text(Cow<'r, str>),
    List(Vec<Cow<'r, str>>),
    /// Keys with values, such as tags.
    Pairs(Vec<(&'r str, &'r str)>),
}

impl<'r> Value<'r> {
    /// Returns a text; `None` is an unknown value.
    pub(crate) fn text(text: Option<impl Into<Cow<'r, str>>>) -> Self {
        text.map_or(Self::Unknown, |text| Self::Text(text.into()))
    }

    /// Returns a text; `None` is a column that does not apply.
    pub(crate) fn if_present(text: Option<impl Into<Cow<'r, str>>>) -> Self {
        text.map_or(Self::Absent, |text| Self::Text(text.into()))
    }

    /// Returns a list of addresses; `None` is an unknown value.
    pub(crate) fn addresses(addresses: Option<&'r IpAddresses>) -> Self {
        let list =
            |addresses: &'r IpAddresses| Self::List(addresses.iter().map(Cow::Borrowed).collect());
        addresses.map_or(Self::Unknown, list)
    }

    /// Returns the keys and values of tags; `None` is an unknown value.
    pub(crate) fn tags(tags: Option<&'r Vec<Tag>>) -> Self {
        let pairs = |tags: &'r Vec<Tag>| {
            Self::Pairs(tags.iter().map(|tag| (&*tag.key, &*tag.value)).collect())
        };
        tags.map_or(Self::Unknown, pairs)
    }

    /// Returns the value as one text, for tables and CSV. Without a value the text is empty.
    pub(crate) fn into_text(self) -> Cow<'r, str> {
        match self {
            Self::Absent | Self::Unknown => Cow::Borrowed(""),
            Self::Text(text) => text,
            Self::List(texts) => Cow::Owned(texts.join(",")),
            Self::Pairs(pairs) => {
                let pair = |(key, value)| match value {
                    "" => String::from(key),
                    value => format!("{key}={value}"),
                };
                let pairs: Vec<String> = pairs.into_iter().map(pair).collect();
                Cow::Owned(pairs.join(","))
            }
        }
    }
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent | Self::Unknown => to.serialize_none(),
            Self::Text(text) => to.serialize_str(text),
            Self::List(texts) => to.collect_seq(texts),
            Self::Pairs(pairs) => {
                let mut map = to.serialize_map(Some(pairs.len()))?;
                for (key, value) in pairs {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_has_a_text_and_a_json_form() {
        for (value, text, json) in [
            (Value::Unknown, "", "null"),
            (Value::text(Some("a")), "a", "\"a\""),
            (
                Value::List(vec!["10.0.0.1".into(), "10.0.0.2".into()]),
                "10.0.0.1,10.0.0.2",
                r#"["10.0.0.1","10.0.0.2"]"#,
            ),
            (
                Value::Pairs(vec![("env", "dev"), ("spare", "")]),
                "env=dev,spare",
                r#"{"env":"dev","spare":""}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&value).unwrap(), json);
            assert_eq!(value.into_text(), text);
        }
    }
}
