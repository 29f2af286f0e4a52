//! The details in the rows of `DescribeInstances`. The names of the fields are in the models of Zenlayer's
//! Python SDK (`zenlayercloud-sdk-python` 2.0.77, `InstanceInfo`).

use lifecycle_core::{
    HttpResponse, InstanceDetails, LenientField, LenientObject, LenientRows, LenientText,
    LenientTexts, RawText, ReportedTime, Tag, TextPool,
};
use serde::Deserialize;

use crate::wire::read_body;

/// Returns the details of each row, in the order of the response. `None` is a row whose details cannot
/// be read; the row itself is read elsewhere.
pub(crate) fn read(response: &HttpResponse) -> impl Iterator<Item = Option<InstanceDetails>> {
    let list: List = read_body(response, "dataSet").unwrap_or_default();
    let rows = list.data_set.into_iter();
    let mut pool = TextPool::default();
    rows.map(move |row| row.0?.details(&mut pool))
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
    fn details(self, pool: &mut TextPool) -> Option<InstanceDetails> {
        let mut details = InstanceDetails::default();
        details.tags = match self.tags {
            Some(tags) => match tags.0?.tags {
                Some(rows) => rows.all(|row| row.tag(pool))?,
                None => Vec::new(),
            },
            None => Vec::new(),
        };
        details.zone = self.zone_id.0.map(|zone| pool.share(zone));
        details.instance_type = self.instance_type.0.map(|name| pool.share(name));
        details.private_ips = self.private_ip_addresses.0.into_iter().collect();
        details.public_ips = self.public_ip_addresses.0.into_iter().collect();
        details.created_at = self.create_time.0.as_deref().map(ReportedTime::new);
        details.expires_at = self.expired_time.0.as_deref().map(ReportedTime::new);
        Some(details)
    }
}

impl TagRow {
    fn tag(self, pool: &mut TextPool) -> Option<Tag> {
        let key = self.key.0.filter(|key| !key.is_empty())?;
        let value = self.value.0.unwrap_or_default();
        Some(Tag::new(pool.share(key), pool.share(value)))
    }
}

#[cfg(test)]
mod tests;
