//! The description of an instance in Baidu's responses.

use std::borrow::Cow;

use jiff::Timestamp;
use lifecycle_core::ChargeType;
use serde::Serialize;

use crate::{
    PowerOperation, SimulatedState,
    cloud_state::{CloudState, InstanceIndex},
    instance::InstanceSnapshot,
    template::Details,
    time::write_utc,
};

use super::switches::RebootPath;

/// An instance in lists and details: the first fields of the example of
/// cloud.baidu.com/doc/BCC/s/sjwvyoeqr. The number of cards is a text there, too.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InstanceRecord<'a> {
    id: &'a str,
    name: Cow<'a, str>,
    role_name: &'static str,
    hostname: Cow<'a, str>,
    instance_type: &'static str,
    spec: &'a str,
    status: &'static str,
    repair_status: &'static str,
    desc: &'static str,
    created_from: &'static str,
    payment_timing: &'a str,
    create_time: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expire_time: Option<String>,
    internal_ip: String,
    public_ip: String,
    cpu_count: u32,
    isomerism_card: &'static str,
    card_count: &'static str,
    npu_video_memory: &'static str,
    #[serde(rename = "memoryCapacityInGB")]
    memory: u32,
    #[serde(rename = "localDiskSizeInGB")]
    local_disk: u32,
    image_id: &'static str,
    image_name: &'static str,
    zone_name: Cow<'a, str>,
    tags: Vec<Tag<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tag<'a> {
    tag_key: &'a str,
    tag_value: &'a str,
}

impl<'a> InstanceRecord<'a> {
    pub(super) fn of(cloud: &'a CloudState, index: InstanceIndex, created_at: &'a str) -> Self {
        let instance = cloud.instance(index);
        let details = cloud.details(index);
        let payment_timing = payment_timing(&details);
        Self {
            id: instance.id(),
            name: details.name(),
            role_name: "",
            hostname: details.name(),
            instance_type: "N5",
            spec: details.instance_type().unwrap_or("bcc.g4.c2m8"),
            status: status(cloud, index),
            repair_status: "normal",
            desc: "",
            created_from: "",
            payment_timing,
            create_time: match details.created_at() {
                Some(time) => to_the_second(time).into(),
                None => created_at.into(),
            },
            expire_time: details
                .expires_at(payment_timing == "Prepaid")
                .map(to_the_second),
            internal_ip: first(details.private_ips()),
            public_ip: first(details.public_ips()),
            cpu_count: 2,
            isomerism_card: "",
            card_count: "0",
            npu_video_memory: "",
            memory: 8,
            local_disk: 0,
            image_id: "m-simulated",
            image_name: "simulated",
            zone_name: zone(cloud, index),
            tags: details
                .tags()
                .iter()
                .map(|tag| Tag {
                    tag_key: &tag.key,
                    tag_value: &tag.value,
                })
                .collect(),
        }
    }
}

/// Returns the creation time of an instance without a template.
pub(super) fn created_at(cloud: &CloudState) -> String {
    to_the_second(cloud.created_at())
}

fn to_the_second(time: Timestamp) -> String {
    write_utc("%Y-%m-%dT%H:%M:%SZ", time)
}

/// Returns the only address that Baidu's fields have room for.
pub(super) fn first(addresses: Vec<String>) -> String {
    addresses.into_iter().next().unwrap_or_default()
}

pub(super) fn zone(cloud: &CloudState, index: InstanceIndex) -> Cow<'_, str> {
    match cloud.details(index).zone() {
        Some(zone) => zone.into(),
        None => format!("cn-{}-a", cloud.region(index)).into(),
    }
}

/// Returns the payment method. `bidding` is the value of the Go SDK for spot instances.
pub(super) fn payment_timing<'a>(details: &Details<'a>) -> &'a str {
    match details.charge_type() {
        Some(ChargeType::Prepaid) => "Prepaid",
        Some(ChargeType::Spot) => "bidding",
        Some(ChargeType::Other(text)) => text,
        _ => "Postpaid",
    }
}

/// Returns Baidu's name of the state. Baidu has no name for creating or rebooting: both are
/// `Starting`. Documented, except `Scaling`, which stands for any other operation.
pub(super) fn status(cloud: &CloudState, index: InstanceIndex) -> &'static str {
    let view = cloud.observed(index);
    match view.state {
        SimulatedState::Creating | SimulatedState::Starting => "Starting",
        SimulatedState::Running => "Running",
        SimulatedState::Stopping => "Stopping",
        SimulatedState::Stopped => "Stopped",
        SimulatedState::Rebooting => rebooting(cloud, &view),
        SimulatedState::Changing => "Scaling",
        SimulatedState::Expired => "Expired",
        SimulatedState::Failed => "Error",
        SimulatedState::Recycled => "Recycled",
    }
}

fn rebooting(cloud: &CloudState, view: &InstanceSnapshot) -> &'static str {
    let goes_down = cloud.switches.baidu.reboot_path == RebootPath::StoppingThenStarting
        && view.operation != Some(PowerOperation::ForcedReboot);
    if goes_down && view.progress < 0.5 {
        "Stopping"
    } else {
        "Starting"
    }
}
