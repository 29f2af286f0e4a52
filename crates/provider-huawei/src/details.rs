//! The details of a server: <https://support.huaweicloud.com/intl/en-us/api-ecs/ecs_02_0104.html>.

use std::collections::BTreeMap;

use lifecycle_core::{
    ChargeType, HttpResponse, InstanceDetails, LenientField, LenientObject, LenientRows,
    LenientText, ReportedTime, Tag, TextPool,
};
use serde::Deserialize;

/// Returns the details of each row, in the order of the response. `None` is a row whose details cannot
/// be read; the row itself is read elsewhere.
pub(crate) fn of_list(response: &HttpResponse) -> impl Iterator<Item = Option<InstanceDetails>> {
    let body: ListBody = serde_json::from_slice(response.body()).unwrap_or_default();
    let mut pool = TextPool::default();
    let servers = body.servers.into_iter();
    servers.map(move |server| server.0?.details(&mut pool))
}

/// Returns the details of a single server.
pub(crate) fn of_server(response: &HttpResponse) -> Option<InstanceDetails> {
    let body: ServerBody = serde_json::from_slice(response.body()).ok()?;
    body.server.0?.details(&mut TextPool::default())
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ListBody {
    servers: Vec<LenientField<Server>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ServerBody {
    server: LenientField<Server>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Server {
    tags: Option<LenientField<Vec<String>>>,
    #[serde(rename = "OS-EXT-AZ:availability_zone")]
    availability_zone: LenientText,
    flavor: LenientObject<Flavor>,
    addresses: LenientField<BTreeMap<String, LenientRows<Address>>>,
    metadata: LenientObject<Metadata>,
    created: LenientText,
    #[serde(rename = "OS-SRV-USG:launched_at")]
    launched_at: LenientText,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Flavor {
    id: LenientText,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Address {
    addr: LenientText,
    #[serde(rename = "OS-EXT-IPS:type")]
    kind: LenientText,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    charging_mode: LenientText,
}

impl Server {
    /// Converts the row. A row with unreadable tags has no details, because a server without tags is
    /// another statement: a filter for a missing tag would match.
    fn details(self, pool: &mut TextPool) -> Option<InstanceDetails> {
        let mut details = InstanceDetails::default();
        details.tags = match self.tags {
            Some(tags) => tags
                .0?
                .iter()
                .map(|text| tag(text, pool))
                .collect::<Option<_>>()?,
            None => Vec::new(),
        };
        details.zone = self.availability_zone.0.map(|zone| pool.share(zone));
        let instance_type = self.flavor.0.and_then(|flavor| flavor.id.0);
        details.instance_type = instance_type.map(|name| pool.share(name));
        let networks = self.addresses.0.unwrap_or_default().into_values();
        let addresses: Vec<Address> = networks
            .flat_map(|rows| rows.0.unwrap_or_default())
            .flatten()
            .collect();
        let of_kind = |kind| {
            let addresses = addresses.iter();
            let addresses = addresses.filter(move |row| row.kind.0.as_deref() == Some(kind));
            addresses.filter_map(|row| row.addr.0.as_deref()).collect()
        };
        details.private_ips = of_kind("fixed");
        details.public_ips = of_kind("floating");
        let metadata = self.metadata.0.unwrap_or_default();
        details.charge_type = metadata.charging_mode.0.map(charge_type);
        details.created_at = self.created.0.as_deref().map(ReportedTime::new);
        details.started_at = self.launched_at.0.as_deref().map(ReportedTime::new);
        Some(details)
    }
}

/// Reads a tag, `key=value`. No page shows the form of a tag in a response; the filter of the list has
/// this form. A text without an equals sign is a key without a value.
fn tag(text: &str, pool: &mut TextPool) -> Option<Tag> {
    let (key, value) = text.split_once('=').unwrap_or((text, ""));
    (!key.is_empty()).then(|| Tag::new(pool.share(key), pool.share(value)))
}

/// Maps `charging_mode`: <https://support.huaweicloud.com/api-ecs/zh-cn_topic_0094148850.html>.
fn charge_type(mode: String) -> ChargeType {
    match mode.as_str() {
        "0" => ChargeType::Postpaid,
        "1" => ChargeType::Prepaid,
        "2" => ChargeType::Spot,
        _ => ChargeType::Other(mode.into()),
    }
}

#[cfg(test)]
mod tests;
