//! The details in the rows of BCC: <https://cloud.baidu.com/doc/BCC/s/6jwvyo0q2>. The names of the fields
//! are also in the models of Baidu's Python SDK (`baiducloud-python-sdk-bcc` 0.0.9).

use lifecycle_core::{
    ChargeType, HttpResponse, InstanceDetails, LenientField, LenientRows, LenientText,
    LenientTexts, RawText, ReportedTime, Tag, TextPool,
};
use serde::Deserialize;

/// Returns the details of each row, in the order of the response. `None` is a row whose details cannot
/// be read; the row itself is read elsewhere.
pub(crate) fn of_list(response: &HttpResponse) -> impl Iterator<Item = Option<InstanceDetails>> {
    let body: ListBody = serde_json::from_slice(response.body()).unwrap_or_default();
    let mut pool = TextPool::default();
    let rows = body.instances.into_iter();
    rows.map(move |row| row.0?.details(&mut pool))
}

/// Returns the details of a single instance.
pub(crate) fn of_instance(response: &HttpResponse) -> Option<InstanceDetails> {
    let body: InstanceBody = serde_json::from_slice(response.body()).ok()?;
    body.instance.0?.details(&mut TextPool::default())
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ListBody {
    instances: Vec<LenientField<Row>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct InstanceBody {
    instance: LenientField<Row>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Row {
    tags: Option<LenientRows<TagRow>>,
    zone_name: LenientText,
    spec: LenientText,
    instance_type: LenientText,
    internal_ip: LenientText,
    ipv6: LenientText,
    ipv6_addresses: LenientTexts,
    public_ip: LenientText,
    payment_timing: LenientText,
    create_time: LenientText,
    expire_time: LenientText,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct TagRow {
    tag_key: RawText,
    tag_value: RawText,
}

impl Row {
    /// Converts the row. A row with unreadable tags has no details, because an instance without tags is
    /// another statement: a filter for a missing tag would match.
    fn details(self, pool: &mut TextPool) -> Option<InstanceDetails> {
        let mut details = InstanceDetails::default();
        details.tags = match self.tags {
            Some(rows) => rows.all(|row| row.tag(pool))?,
            None => Vec::new(),
        };
        details.zone = self.zone_name.0.map(|zone| pool.share(zone));
        let instance_type = self.spec.0.or(self.instance_type.0);
        details.instance_type = instance_type.map(|name| pool.share(name));
        let private = [self.internal_ip.0, self.ipv6.0].into_iter().flatten();
        details.private_ips = private.chain(self.ipv6_addresses.0).collect();
        details.public_ips = self.public_ip.0.into_iter().collect();
        details.charge_type = self.payment_timing.0.map(charge_type);
        details.created_at = self.create_time.0.as_deref().map(ReportedTime::new);
        details.expires_at = self.expire_time.0.as_deref().map(ReportedTime::new);
        Some(details)
    }
}

impl TagRow {
    fn tag(self, pool: &mut TextPool) -> Option<Tag> {
        let key = self.tag_key.0.filter(|key| !key.is_empty())?;
        let value = self.tag_value.0.unwrap_or_default();
        Some(Tag::new(pool.share(key), pool.share(value)))
    }
}

/// Maps `paymentTiming`. The pages have two values; the Go SDK has `Spotpaid` and `bidding` as well.
fn charge_type(timing: String) -> ChargeType {
    match timing.as_str() {
        "Postpaid" => ChargeType::Postpaid,
        "Prepaid" => ChargeType::Prepaid,
        "Spotpaid" | "bidding" => ChargeType::Spot,
        _ => ChargeType::Other(timing.into()),
    }
}

#[cfg(test)]
mod tests;
