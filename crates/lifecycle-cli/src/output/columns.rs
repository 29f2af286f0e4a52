//! The columns of the output. [`FIELDS`] is the only list: a field of the JSON output, a column of a table
//! and a column of CSV have one name and one source.

use std::{borrow::Cow, str::FromStr};

use lifecycle_facade::{StoppedBilling, did_you_mean};
use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{detail::detail, value::Value};
use crate::row::Row;

/// The version of the JSON rows. A new field keeps the version. A removed or renamed field, and a field
/// with another meaning, gets the next version.
pub(crate) const SCHEMA: u64 = 1;

/// A field of a row.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    value: fn(&Row) -> Value<'_>,
    /// The rows of the field in CSV without `--columns`.
    rows: RowKind,
}

/// The rows of a command, in the order from few fields to many fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RowKind {
    /// Instances without an outcome: `list` and `status`.
    States,
    /// Outcomes of `start`, `reboot` and `wait`.
    Outcomes,
    /// Outcomes of `stop`, with the billing.
    Stops,
}

const fn field(name: &'static str, value: fn(&Row) -> Value<'_>) -> Field {
    Field {
        name,
        value,
        rows: RowKind::States,
    }
}

impl Field {
    const fn of(mut self, rows: RowKind) -> Self {
        self.rows = rows;
        self
    }
}

/// All fields, in the order of the JSON output.
pub(crate) const FIELDS: &[Field] = &[
    field("instance", |row| Value::Text(row.instance().into())),
    field("outcome", |row| Value::if_present(row.outcome)).of(RowKind::Outcomes),
    field("state", |row| Value::text(row.state())),
    field("code", |row| Value::text(row.code.as_deref())),
    field("kind", |row| Value::text(row.kind)),
    field("pending", |row| Value::if_present(row.pending)).of(RowKind::Outcomes),
    field("message", |row| Value::text(row.message.as_deref())),
    field("request_id", |row| Value::text(row.request_id.as_deref())),
    field("billing", |row| {
        Value::if_present(row.billing.map(StoppedBilling::as_str))
    })
    .of(RowKind::Stops),
    field("name", |row| {
        Value::text(row.seen(|seen| seen.name.as_deref()))
    }),
    field("cloud", |row| {
        Value::Text(row.reference.location.cloud.as_str().into())
    }),
    field("region", |row| {
        Value::Text((&*row.reference.location.region).into())
    }),
    field("account", |row| {
        Value::text(row.reference.location.account.as_deref())
    }),
    field("id", |row| {
        Value::Text(row.reference.instance.as_str().into())
    }),
    field("cloud_state", |row| {
        Value::text(row.seen(|seen| Some(&*seen.raw)))
    }),
    field("lock", |row| {
        let lock = row.seen(|seen| seen.lock.as_ref());
        Value::text(lock.map(ToString::to_string))
    }),
];

/// A column of a table or of CSV.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    /// A field of the JSON output.
    Field(usize),
    /// The explanation of a row: code, message and request id, as far as people need them.
    Detail,
}

/// The name of [`Column::Detail`].
const DETAIL: &str = "detail";

impl Column {
    /// Returns the columns of a table without `--columns`.
    pub(crate) fn of_table(rows: RowKind) -> Vec<Self> {
        let names = match rows {
            RowKind::States => ["instance", "state", "name", DETAIL],
            RowKind::Outcomes | RowKind::Stops => ["instance", "outcome", "state", DETAIL],
        };
        names.iter().filter_map(|name| Self::find(name)).collect()
    }

    /// Returns the columns of CSV without `--columns`.
    pub(crate) fn of_csv(rows: RowKind) -> Vec<Self> {
        let applies =
            |(at, field): (usize, &Field)| (field.rows <= rows).then_some(Self::Field(at));
        FIELDS.iter().enumerate().filter_map(applies).collect()
    }

    /// Returns the names of all columns.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> + Clone {
        FIELDS.iter().map(|field| field.name).chain([DETAIL])
    }

    fn find(name: &str) -> Option<Self> {
        if name == DETAIL {
            return Some(Self::Detail);
        }
        let at = FIELDS.iter().position(|field| field.name == name)?;
        Some(Self::Field(at))
    }

    /// Returns the name of the column.
    pub(crate) fn name(&self) -> Cow<'_, str> {
        match self {
            Self::Field(at) => FIELDS.get(*at).map_or("", |field| field.name).into(),
            Self::Detail => DETAIL.into(),
        }
    }

    /// Returns the name as the header of a table.
    pub(crate) fn header(&self) -> String {
        self.name().to_uppercase()
    }

    /// Returns the text of the column in a row. Without a value the text is empty.
    pub(crate) fn text<'r>(&self, row: &'r Row, verbose: bool) -> Cow<'r, str> {
        match self {
            Self::Field(at) => match FIELDS.get(*at) {
                Some(field) => (field.value)(row).into_text(),
                None => Cow::Borrowed(""),
            },
            Self::Detail => detail(row, verbose).into(),
        }
    }
}

impl FromStr for Column {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        Self::find(text).ok_or_else(|| {
            let names: Vec<&str> = Self::names().collect();
            let hint = did_you_mean(text, names.iter().copied());
            let hint = hint.map_or_else(String::new, |hint| format!("{hint} "));
            format!(
                "unknown column {text:?}: {hint}columns: {}",
                names.join(", ")
            )
        })
    }
}

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("schema", &SCHEMA)?;
        for field in FIELDS {
            match (field.value)(self) {
                Value::Absent => {}
                value => map.serialize_entry(field.name, &value)?,
            }
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_column_is_reported_with_the_nearest_name_and_all_names() {
        let error = " stat".parse::<Column>().unwrap_err();
        assert!(
            error.starts_with(
                "unknown column \"stat\": did you mean \"state\"? columns: instance, outcome,"
            ),
            "{error}"
        );
        for name in Column::names() {
            assert!(error.contains(name), "{name}: {error}");
        }
        assert!("".parse::<Column>().is_err());
    }

    #[test]
    fn every_column_is_found_by_its_name() {
        for name in Column::names() {
            let column: Column = name.parse().unwrap();
            assert_eq!(column.name(), name);
        }
    }

    #[test]
    fn default_columns_are_known() {
        for rows in [RowKind::States, RowKind::Outcomes, RowKind::Stops] {
            assert_eq!(Column::of_table(rows).len(), 4, "{rows:?}");
        }
        let has = |rows, name| {
            Column::of_csv(rows)
                .iter()
                .any(|column| column.name() == name)
        };
        assert!(!has(RowKind::States, "outcome") && has(RowKind::Outcomes, "outcome"));
        assert!(!has(RowKind::Outcomes, "billing") && has(RowKind::Stops, "billing"));
    }
}
