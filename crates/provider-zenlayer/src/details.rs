//! The details in the rows of `DescribeInstances`. The names of the fields are in the models of Zenlayer's
//! Python SDK (`zenlayercloud-sdk-python` 2.0.77, `InstanceInfo`).

use lifecycle_core::{
    HttpResponse, InstanceDetails, LenientField, LenientObject, LenientRows, LenientText,
    LenientTexts, RawText, Tag, distinct_addresses, utc_time,
};
use serde::Deserialize;

use crate::wire::read_body;

/// Returns the details of each row, in the order of the response. `None` is a row whose details cannot
/// be read; the row itself is read elsewhere.
pub(crate) fn read(response: &HttpResponse) -> impl Iterator<Item = Option<InstanceDetails>> {
    let list: List = read_body(response, "dataSet").unwrap_or_default();
    let rows = list.data_set.into_iter();
    rows.map(|row| row.0.and_then(Row::details))
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct List {
    data_set: Vec<LenientField<Row>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Row {
    tags: Option<LenientObject<Tags>>,
    zone_id: LenientText,
    instance_type: LenientText,
    private_ip_addresses: LenientTexts,
    public_ip_addresses: LenientTexts,
    create_time: LenientText,
    expired_time: LenientText,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Tags {
    tags: Option<LenientRows<TagRow>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TagRow {
    key: RawText,
    value: RawText,
}

impl Row {
    /// Converts the row. A row with unreadable tags has no details, because an instance without tags is
    /// another statement: a filter for a missing tag would match.
    fn details(self) -> Option<InstanceDetails> {
        let mut details = InstanceDetails::default();
        details.tags = match self.tags {
            Some(tags) => tags
                .0?
                .tags
                .map_or(Some(Vec::new()), |rows| rows.all(TagRow::tag))?,
            None => Vec::new(),
        };
        details.zone = self.zone_id.0;
        details.instance_type = self.instance_type.0;
        details.private_ips = distinct_addresses(self.private_ip_addresses.0);
        details.public_ips = distinct_addresses(self.public_ip_addresses.0);
        details.created_at = self.create_time.0.as_deref().map(utc_time);
        details.expires_at = self.expired_time.0.as_deref().map(utc_time);
        Some(details)
    }
}

impl TagRow {
    fn tag(self) -> Option<Tag> {
        let key = self.key.0.filter(|key| !key.is_empty())?;
        Some(Tag::new(key, self.value.0.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests;
