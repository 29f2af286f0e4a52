//! The details in the rows of `DescribeInstances`:
//! <https://www.alibabacloud.com/help/en/ecs/developer-reference/api-ecs-2014-05-26-describeinstances>

use lifecycle_core::{
    ChargeType, HttpResponse, InstanceDetails, LenientField, LenientObject, LenientRows,
    LenientText, LenientTexts, RawText, ReportedTime, Tag, TextPool,
};
use serde::Deserialize;

use crate::body;

/// Returns the details of each row, in the order of the response. `None` is a row whose details cannot
/// be read; the row itself is read elsewhere.
pub(crate) fn read(response: &HttpResponse) -> impl Iterator<Item = Option<InstanceDetails>> {
    let json = body::json(response, "/Instances/Instance").unwrap_or_default();
    let body: Body = serde_json::from_slice(&json).unwrap_or_default();
    let rows = body.instances.instance.into_iter();
    let mut pool = TextPool::default();
    rows.map(move |row| row.0?.details(&mut pool))
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Body {
    instances: Instances,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Instances {
    instance: Vec<LenientField<Row>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Row {
    tags: Option<LenientObject<Tags>>,
    zone_id: LenientText,
    instance_type: LenientText,
    vpc_attributes: LenientObject<VpcAttributes>,
    inner_ip_address: LenientObject<Addresses>,
    network_interfaces: LenientObject<NetworkInterfaces>,
    public_ip_address: LenientObject<Addresses>,
    eip_address: LenientObject<Addresses>,
    instance_charge_type: LenientText,
    spot_strategy: LenientText,
    creation_time: LenientText,
    start_time: LenientText,
    expired_time: LenientText,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Tags {
    tag: Option<LenientRows<TagRow>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct TagRow {
    tag_key: RawText,
    tag_value: RawText,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct VpcAttributes {
    private_ip_address: LenientObject<Addresses>,
}

/// A list of addresses, or the single address of `EipAddress`.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Addresses {
    ip_address: LenientTexts,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct NetworkInterfaces {
    network_interface: LenientRows<NetworkInterface>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct NetworkInterface {
    primary_ip_address: LenientText,
    private_ip_sets: LenientObject<PrivateIpSets>,
    ipv6_sets: LenientObject<Ipv6Sets>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct PrivateIpSets {
    private_ip_set: LenientRows<PrivateIpSet>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct PrivateIpSet {
    private_ip_address: LenientText,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Ipv6Sets {
    ipv6_set: LenientRows<Ipv6Set>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Ipv6Set {
    ipv6_address: LenientText,
}

impl Row {
    /// Converts the row. A row with unreadable tags has no details, because an instance without tags is
    /// another statement: a filter for a missing tag would match.
    fn details(self, pool: &mut TextPool) -> Option<InstanceDetails> {
        let mut details = InstanceDetails::default();
        details.tags = tags(self.tags, pool)?;
        details.zone = self.zone_id.0.map(|zone| pool.share(zone));
        details.instance_type = self.instance_type.0.map(|name| pool.share(name));
        let vpc = self.vpc_attributes.0.unwrap_or_default();
        let private = [vpc.private_ip_address, self.inner_ip_address];
        let interfaces = rows_of(self.network_interfaces.0, |list| list.network_interface);
        let private = private.into_iter().flat_map(addresses);
        let of_interfaces = interfaces.flat_map(NetworkInterface::addresses);
        details.private_ips = private.chain(of_interfaces).collect();
        let public = [self.public_ip_address, self.eip_address];
        details.public_ips = public.into_iter().flat_map(addresses).collect();
        details.charge_type = charge_type(self.instance_charge_type.0, self.spot_strategy.0);
        details.created_at = time(&self.creation_time);
        details.started_at = time(&self.start_time);
        // An instance without a paid term has a date in the year 2099.
        details.expires_at = match details.charge_type {
            Some(ChargeType::Postpaid | ChargeType::Spot) => None,
            _ => time(&self.expired_time),
        };
        Some(details)
    }
}

/// Returns the tags; `None` for a value that is not a list of tags.
fn tags(tags: Option<LenientObject<Tags>>, pool: &mut TextPool) -> Option<Vec<Tag>> {
    let Some(tags) = tags else {
        return Some(Vec::new());
    };
    match tags.0?.tag {
        Some(rows) => rows.all(|row| row.tag(pool)),
        None => Some(Vec::new()),
    }
}

impl TagRow {
    fn tag(self, pool: &mut TextPool) -> Option<Tag> {
        let key = self.tag_key.0.filter(|key| !key.is_empty())?;
        let value = self.tag_value.0.unwrap_or_default();
        Some(Tag::new(pool.share(key), pool.share(value)))
    }
}

impl NetworkInterface {
    fn addresses(self) -> impl Iterator<Item = String> {
        let private = rows_of(self.private_ip_sets.0, |sets| sets.private_ip_set);
        let ipv6 = rows_of(self.ipv6_sets.0, |sets| sets.ipv6_set);
        let primary = self.primary_ip_address.0.into_iter();
        primary
            .chain(private.filter_map(|set| set.private_ip_address.0))
            .chain(ipv6.filter_map(|set| set.ipv6_address.0))
    }
}

/// Returns the readable rows of a list that is wrapped in an object.
fn rows_of<O, T>(
    object: Option<O>,
    list: impl FnOnce(O) -> LenientRows<T>,
) -> impl Iterator<Item = T> {
    let rows = object.and_then(|object| list(object).0);
    rows.into_iter().flatten().flatten()
}

fn addresses(list: LenientObject<Addresses>) -> Vec<String> {
    list.0.unwrap_or_default().ip_address.0
}

/// Combines `InstanceChargeType` and `SpotStrategy`, which is `NoSpot` unless the instance is a spot
/// instance.
fn charge_type(charge_type: Option<String>, spot_strategy: Option<String>) -> Option<ChargeType> {
    if spot_strategy.is_some_and(|strategy| strategy != "NoSpot") {
        return Some(ChargeType::Spot);
    }
    Some(match charge_type?.as_str() {
        "PostPaid" => ChargeType::Postpaid,
        "PrePaid" => ChargeType::Prepaid,
        other => ChargeType::Other(other.into()),
    })
}

fn time(text: &LenientText) -> Option<ReportedTime> {
    text.0.as_deref().map(ReportedTime::new)
}

#[cfg(test)]
mod tests;
