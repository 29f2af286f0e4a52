//! The description of an instance in the response of `DescribeInstances`.
//!
//! Documented: fields and formats. Inferred: the values of fields that no simulated call changes.

use std::borrow::Cow;

use jiff::Timestamp;
use lifecycle_core::ChargeType;
use serde::Serialize;

use super::status::{self, is_prepaid, lock_reason};
use crate::{
    cloud_state::{CloudState, InstanceIndex},
    template::Details,
    time::write_utc,
};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct InstanceRecord<'a> {
    instance_id: &'a str,
    instance_name: Cow<'a, str>,
    status: &'a str,
    stopped_mode: &'a str,
    region_id: &'a str,
    zone_id: Cow<'a, str>,
    instance_type: &'a str,
    instance_charge_type: &'a str,
    spot_strategy: &'a str,
    creation_time: Cow<'a, str>,
    /// The last boot. All times here have minute precision: a reboot within the minute is
    /// invisible.
    start_time: String,
    expired_time: Cow<'a, str>,
    vpc_attributes: VpcAttributes,
    public_ip_address: IpAddresses,
    eip_address: EipAddress,
    tags: Tags<'a>,
    operation_locks: Locks,
    deletion_protection: bool,
    recyclable: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct VpcAttributes {
    private_ip_address: IpAddresses,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct IpAddresses {
    ip_address: Vec<String>,
}

/// The elastic address; an empty text without one.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct EipAddress {
    ip_address: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tags<'a> {
    tag: Vec<Tag<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tag<'a> {
    tag_key: &'a str,
    tag_value: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Locks {
    lock_reason: Vec<Lock>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Lock {
    lock_reason: &'static str,
}

impl<'a> InstanceRecord<'a> {
    pub(super) fn of(cloud: &'a CloudState, index: InstanceIndex) -> Self {
        let instance = cloud.instance(index);
        let details = cloud.details(index);
        let status = status::observed(cloud, index);
        let lock = lock_reason(instance.impairment);
        let (public_ips, elastic_ip) = public_ips(&details, index);
        let charge_type = charge_type(cloud, index);
        Self {
            instance_id: instance.id(),
            instance_name: details.name(),
            status: status.as_str(),
            stopped_mode: status::stopped_mode(cloud, index, status),
            region_id: cloud.region(index),
            zone_id: zone(cloud, index),
            instance_type: instance_type(&details),
            instance_charge_type: charge_type,
            spot_strategy: match details.charge_type() {
                Some(ChargeType::Spot) => "SpotAsPriceGo",
                _ => "NoSpot",
            },
            creation_time: match details.created_at() {
                Some(time) => to_the_minute(time).into(),
                None => "2017-12-10T04:04Z".into(),
            },
            start_time: to_the_minute(cloud.started_at(index)),
            expired_time: match details.expires_at(false) {
                Some(time) => to_the_minute(time).into(),
                None if lock == Some("financial") => "2018-12-10T16:00Z".into(),
                None => "2099-12-31T15:59Z".into(),
            },
            vpc_attributes: VpcAttributes {
                private_ip_address: IpAddresses {
                    ip_address: details.private_ips(),
                },
            },
            public_ip_address: IpAddresses {
                ip_address: public_ips,
            },
            eip_address: EipAddress {
                ip_address: elastic_ip,
            },
            tags: tags(&details),
            operation_locks: Locks {
                lock_reason: lock
                    .map(|lock_reason| Lock { lock_reason })
                    .into_iter()
                    .collect(),
            },
            deletion_protection: false,
            recyclable: lock == Some("Recycling"),
        }
    }
}

pub(super) fn zone(cloud: &CloudState, index: InstanceIndex) -> Cow<'_, str> {
    if let Some(zone) = cloud.details(index).zone() {
        return zone.into();
    }
    let letter = ["g", "h", "i"][cloud.instance(index).number as usize % 3];
    format!("{}-{letter}", cloud.region(index)).into()
}

pub(super) fn instance_type<'a>(details: &Details<'a>) -> &'a str {
    details.instance_type().unwrap_or("ecs.g7.large")
}

/// Returns the payment method. A spot instance is `PostPaid` with a spot strategy (documented).
pub(super) fn charge_type(cloud: &CloudState, index: InstanceIndex) -> &str {
    match cloud.details(index).charge_type() {
        Some(ChargeType::Other(text)) => text,
        _ if is_prepaid(cloud, index) => "PrePaid",
        _ => "PostPaid",
    }
}

/// Returns the public addresses and the elastic address. The last address of every second instance is
/// elastic, so that tests have both kinds.
fn public_ips(details: &Details<'_>, index: InstanceIndex) -> (Vec<String>, String) {
    let mut addresses = details.public_ips();
    let elastic = match index.number() % 2 {
        0 => None,
        _ => addresses.pop(),
    };
    (addresses, elastic.unwrap_or_default())
}

fn tags<'a>(details: &Details<'a>) -> Tags<'a> {
    let tag = |tag: &'a lifecycle_core::Tag| Tag {
        tag_key: &tag.key,
        tag_value: &tag.value,
    };
    Tags {
        tag: details.tags().iter().map(tag).collect(),
    }
}

fn to_the_minute(time: Timestamp) -> String {
    write_utc("%Y-%m-%dT%H:%MZ", time)
}
