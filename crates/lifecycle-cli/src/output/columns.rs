//! The columns of the output. [`FIELDS`] is the only list: a field of the JSON output, a column of a table
//! and a column of CSV have one name and one source.

use std::{borrow::Cow, str::FromStr};

use lifecycle_facade::{StoppedBilling, did_you_mean, lifecycle_core::ChargeType};
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
    /// The value is one of the details, which a request reads only if a column needs them.
    is_detail: bool,
}

/// The rows of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowKind {
    /// Instances without an outcome: `list` and `status`.
    States,
    /// Outcomes of `start`, `reboot` and `wait`.
    Outcomes,
    /// Outcomes of `stop`, with the billing.
    Stops,
    /// Instances as `status --watch` sees them.
    Changes,
}

impl RowKind {
    /// Returns `true` if rows of this kind have the fields of `other`.
    fn has_fields_of(self, other: Self) -> bool {
        other == Self::States || other == self || (self, other) == (Self::Stops, Self::Outcomes)
    }
}

const fn field(name: &'static str, value: fn(&Row) -> Value<'_>) -> Field {
    Field {
        name,
        value,
        rows: RowKind::States,
        is_detail: false,
    }
}

/// Returns a field whose value comes from the details of an instance.
const fn details(name: &'static str, value: fn(&Row) -> Value<'_>) -> Field {
    Field {
        is_detail: true,
        ..field(name, value)
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
        let billing = row.billing.unwrap_or(StoppedBilling::Unknown);
        Value::Text(billing.as_str().into())
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
    field("observed_at", |row| {
        Value::if_present(row.sighting.as_ref().map(|seen| seen.at.to_string()))
    })
    .of(RowKind::Changes),
    field("previous_state", |row| match &row.sighting {
        Some(seen) => Value::text(seen.previous),
        None => Value::Absent,
    })
    .of(RowKind::Changes),
    details("zone", |row| {
        Value::text(row.detail(|of| of.zone.as_deref()))
    }),
    details("type", |row| {
        Value::text(row.detail(|of| of.instance_type.as_deref()))
    }),
    details("charge_type", |row| {
        Value::text(row.detail(|of| of.charge_type.as_ref().map(ChargeType::as_str)))
    }),
    details("private_ips", |row| {
        Value::addresses(row.detail(|of| Some(&of.private_ips)))
    }),
    details("public_ips", |row| {
        Value::addresses(row.detail(|of| Some(&of.public_ips)))
    }),
    details("created_at", |row| {
        Value::text(
            row.detail(|of| of.created_at.as_ref())
                .map(ToString::to_string),
        )
    }),
    details("started_at", |row| {
        Value::text(
            row.detail(|of| of.started_at.as_ref())
                .map(ToString::to_string),
        )
    }),
    details("expires_at", |row| {
        Value::text(
            row.detail(|of| of.expires_at.as_ref())
                .map(ToString::to_string),
        )
    }),
    details("tags", |row| Value::tags(row.detail(|of| Some(&of.tags)))),
];

/// Columns of tables and CSV that JSON does not have.
const EXTRA: &[Field] = &[
    // The address for people: the first private one, else the first public one.
    details("ip", |row| {
        Value::text(row.detail(|of| of.private_ips.iter().chain(of.public_ips.iter()).next()))
    }),
];

/// A column of a table or of CSV.
#[derive(Clone, Debug)]
pub(crate) enum Column {
    /// A field of the JSON output, or an extra field.
    Field(&'static Field),
    /// The value of the tag with this key.
    Tag(String),
    /// The explanation of a row: code, message and request id, as far as people need them.
    Detail,
}

/// The name of [`Column::Detail`].
const DETAIL: &str = "detail";

/// The start of the name of a [`Column::Tag`].
const TAG: &str = "tag:";

impl Column {
    /// Returns the columns of a table without `--columns`.
    pub(crate) fn of_table(rows: RowKind) -> Vec<Self> {
        let names = match rows {
            RowKind::States => ["instance", "state", "name", DETAIL],
            RowKind::Outcomes | RowKind::Stops => ["instance", "outcome", "state", DETAIL],
            RowKind::Changes => {
                let names = [
                    "observed_at",
                    "instance",
                    "previous_state",
                    "state",
                    "name",
                    DETAIL,
                ];
                return names.iter().filter_map(|name| Self::find(name)).collect();
            }
        };
        names.iter().filter_map(|name| Self::find(name)).collect()
    }

    /// Returns the columns of CSV without `--columns`.
    pub(crate) fn of_csv(rows: RowKind) -> Vec<Self> {
        let fields = FIELDS.iter().filter(|field| rows.has_fields_of(field.rows));
        fields.map(Self::Field).collect()
    }

    /// Returns the names of all columns.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> + Clone {
        let fields = FIELDS.iter().chain(EXTRA);
        fields.map(|field| field.name).chain([DETAIL])
    }

    fn find(name: &str) -> Option<Self> {
        if name == DETAIL {
            return Some(Self::Detail);
        }
        if let Some(key) = name.strip_prefix(TAG).filter(|key| !key.is_empty()) {
            return Some(Self::Tag(key.to_owned()));
        }
        // Options have hyphens, and JSON fields underscores: both are accepted.
        let name = name.replace('-', "_");
        let mut fields = FIELDS.iter().chain(EXTRA);
        fields.find(|field| field.name == name).map(Self::Field)
    }

    /// Returns the name of the column.
    pub(crate) fn name(&self) -> Cow<'_, str> {
        match self {
            Self::Field(field) => field.name.into(),
            Self::Tag(key) => format!("{TAG}{key}").into(),
            Self::Detail => DETAIL.into(),
        }
    }

    /// Returns the name as the header of a table. Upper case and lower case make a difference in the keys
    /// of tags.
    pub(crate) fn header(&self) -> String {
        match self {
            Self::Tag(key) => TAG.to_uppercase() + key,
            _ => self.name().to_uppercase(),
        }
    }

    /// Returns `true` if the value is one of the details of an instance.
    pub(crate) fn is_detail(&self) -> bool {
        match self {
            Self::Field(field) => field.is_detail,
            Self::Tag(_) => true,
            Self::Detail => false,
        }
    }

    /// Returns the text of the column in a row. Without a value the text is empty.
    pub(crate) fn text<'r>(&self, row: &'r Row, verbose: bool) -> Cow<'r, str> {
        match self {
            Self::Field(field) => (field.value)(row).into_text(),
            Self::Tag(key) => row.detail(|of| of.tag(key)).unwrap_or_default().into(),
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
                "unknown column {text:?}: {hint}columns: {}, {TAG}KEY",
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
    fn column_is_written_with_underscores_or_hyphens() {
        for text in ["private_ips", "private-ips"] {
            assert_eq!(text.parse::<Column>().unwrap().name(), "private_ips");
        }
    }

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
