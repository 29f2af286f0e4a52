//! The description of an instance in Zenlayer's responses.

use std::borrow::Cow;

use jiff::Timestamp;
use lifecycle_core::ChargeType;
use serde::Serialize;

use crate::{
    Impairment, SimulatedState,
    cloud_state::{CloudState, InstanceIndex},
    template::Details,
    time::write_utc,
};

use super::switches::{Recycled, Starting};

/// The only resource group of the account.
pub(super) const RESOURCE_GROUP: &str = "1000000000000000001";

/// A complete row, with the fields of the SDKs' model of an instance.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InstanceRow<'a> {
    instance_id: &'a str,
    instance_name: Cow<'a, str>,
    zone_id: Cow<'a, str>,
    instance_type: &'a str,
    cpu: u32,
    memory: u32,
    image_id: &'static str,
    image_name: &'static str,
    time_zone: &'static str,
    nic_network_type: &'static str,
    status: &'static str,
    system_disk: Disk,
    data_disks: [(); 0],
    public_ip_addresses: Vec<String>,
    private_ip_addresses: Vec<String>,
    key_id: Option<&'static str>,
    subnet_id: &'static str,
    security_group_id: &'static str,
    enable_agent: bool,
    enable_agent_monitor: bool,
    enable_ip_forward: bool,
    create_time: Cow<'a, str>,
    expired_time: Option<String>,
    resource_group_id: &'static str,
    resource_group_name: &'static str,
    tags: Tags<'a>,
    load_balancer_ids: [String; 0],
    placement_group_id: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Disk {
    disk_id: String,
    disk_size: u32,
    disk_category: &'static str,
    bursting_enabled: bool,
}

#[derive(Serialize)]
struct Tags<'a> {
    tags: Vec<Tag<'a>>,
}

#[derive(Serialize)]
struct Tag<'a> {
    key: &'a str,
    value: &'a str,
}

impl<'a> InstanceRow<'a> {
    pub(super) fn of(cloud: &'a CloudState, index: InstanceIndex, created_at: &'a str) -> Self {
        let instance = cloud.instance(index);
        let details = cloud.details(index);
        let is_prepaid = details.charge_type() == Some(&ChargeType::Prepaid);
        Self {
            instance_id: instance.id(),
            instance_name: details.name(),
            zone_id: zone(cloud, index),
            instance_type: instance_type(&details),
            cpu: 1,
            memory: 2,
            image_id: "simulated",
            image_name: "simulated",
            time_zone: "UTC",
            nic_network_type: "FailOver",
            status: status(cloud, index),
            system_disk: Disk {
                disk_id: format!("disk-{}", index.number()),
                disk_size: 40,
                disk_category: "Standard NVMe SSD",
                bursting_enabled: false,
            },
            data_disks: [],
            public_ip_addresses: details.public_ips(),
            private_ip_addresses: details.private_ips(),
            key_id: None,
            subnet_id: "simulated",
            security_group_id: "simulated",
            enable_agent: true,
            enable_agent_monitor: true,
            enable_ip_forward: true,
            create_time: match details.created_at() {
                Some(time) => to_the_second(time).into(),
                None => created_at.into(),
            },
            expired_time: details.expires_at(is_prepaid).map(to_the_second),
            resource_group_id: RESOURCE_GROUP,
            resource_group_name: "Default Resource Group",
            tags: Tags {
                tags: details
                    .tags()
                    .iter()
                    .map(|tag| Tag {
                        key: &tag.key,
                        value: &tag.value,
                    })
                    .collect(),
            },
            load_balancer_ids: [],
            placement_group_id: None,
        }
    }
}

pub(super) fn zone(cloud: &CloudState, index: InstanceIndex) -> Cow<'_, str> {
    match cloud.details(index).zone() {
        Some(zone) => zone.into(),
        None => format!("{}a", cloud.region(index)).into(),
    }
}

pub(super) fn instance_type<'a>(details: &Details<'a>) -> &'a str {
    details.instance_type().unwrap_or("z2a.cpu.1")
}

/// Returns the creation time of an instance without a template.
pub(super) fn created_at(cloud: &CloudState) -> String {
    to_the_second(cloud.created_at())
}

fn to_the_second(time: Timestamp) -> String {
    write_utc("%Y-%m-%dT%H:%M:%SZ", time)
}

/// Returns Zenlayer's name of the state. The enumeration has no name for an expired or a broken
/// instance: `STOPPED` and `CREATE_FAILED` are inferred, and so is `STOPPED` after a failed boot.
pub(super) fn status(cloud: &CloudState, index: InstanceIndex) -> &'static str {
    match cloud.observed(index).state {
        SimulatedState::Creating => "DEPLOYING",
        SimulatedState::Starting => match cloud.switches.zenlayer.starting {
            Starting::Booting => "BOOTING",
            Starting::Starting => "STARTING",
        },
        SimulatedState::Running => "RUNNING",
        SimulatedState::Stopping => "STOPPING",
        SimulatedState::Stopped | SimulatedState::Expired => "STOPPED",
        SimulatedState::Rebooting => "REBOOT",
        SimulatedState::Changing => "RESIZING",
        SimulatedState::Failed
            if cloud.instance(index).impairment == Some(Impairment::FailsToBoot) =>
        {
            "STOPPED"
        }
        SimulatedState::Failed => "CREATE_FAILED",
        SimulatedState::Recycled => match cloud.switches.zenlayer.recycled {
            Recycled::Recycle => "RECYCLE",
            Recycled::Recycled => "RECYCLED",
        },
    }
}
