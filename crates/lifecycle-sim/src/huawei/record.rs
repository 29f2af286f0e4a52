//! The description of a server in Huawei's responses.
//!
//! Documented: the fields and their types (some numbers are texts), and the relation between
//! `status` and the state and task of the virtual machine. A server in the process of stopping is
//! still `ACTIVE`, a starting server still `SHUTOFF`. Inferred: the states of servers in the
//! recycle bin, and all values that no simulated call changes.

use std::borrow::Cow;

use lifecycle_core::ChargeType;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    Impairment, PowerOperation, SimulatedState,
    cloud_state::{CloudState, InstanceIndex},
    instance::InstanceSnapshot,
    template::Details,
    time::write_utc,
};

/// The fields that describe the power of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ServerStatus {
    pub(super) status: &'static str,
    pub(super) vm_state: &'static str,
    pub(super) task_state: Option<&'static str>,
    /// 0 none, 1 running, 4 shut down.
    pub(super) power_state: u8,
}

/// Returns the row of the table of "ECS statuses".
pub(super) fn server_status(view: InstanceSnapshot) -> ServerStatus {
    let (status, vm_state, task_state, power_state) = match view.state {
        SimulatedState::Creating => ("BUILD", "building", Some("spawning"), 0),
        SimulatedState::Running => ("ACTIVE", "active", None, 1),
        SimulatedState::Stopping => ("ACTIVE", "active", Some("powering-off"), 1),
        SimulatedState::Stopped | SimulatedState::Expired => ("SHUTOFF", "stopped", None, 4),
        SimulatedState::Starting => ("SHUTOFF", "stopped", Some("powering-on"), 4),
        SimulatedState::Rebooting => rebooting(view),
        SimulatedState::Changing => ("RESIZE", "stopped", Some("resize_migrating"), 4),
        SimulatedState::Failed => ("ERROR", "error", None, 0),
        // The table ends with a row for all other states.
        SimulatedState::Recycled => ("UNKNOWN", "soft-delete", None, 0),
    };
    ServerStatus {
        status,
        vm_state,
        task_state,
        power_state,
    }
}

fn rebooting(view: InstanceSnapshot) -> (&'static str, &'static str, Option<&'static str>, u8) {
    let early = view.progress < 0.5;
    let (status, task) = match (view.operation, early) {
        (Some(PowerOperation::ForcedReboot), true) => ("HARD_REBOOT", "rebooting_hard"),
        (Some(PowerOperation::ForcedReboot), false) => ("HARD_REBOOT", "reboot_started_hard"),
        (_, true) => ("REBOOT", "rebooting"),
        (_, false) => ("REBOOT", "reboot_started"),
    };
    (status, "active", Some(task), 1)
}

/// A server.
#[derive(Serialize)]
pub(super) struct ServerRecord<'a> {
    id: &'a str,
    name: Cow<'a, str>,
    status: &'static str,
    fault: Option<Fault>,
    #[serde(rename = "OS-EXT-STS:vm_state")]
    vm_state: &'static str,
    #[serde(rename = "OS-EXT-STS:task_state")]
    task_state: Option<&'static str>,
    #[serde(rename = "OS-EXT-STS:power_state")]
    power_state: u8,
    locked: bool,
    host_status: &'static str,
    created: Cow<'a, str>,
    updated: String,
    /// The first launch: a start or reboot does not change the value (inferred).
    #[serde(rename = "OS-SRV-USG:launched_at")]
    launched_at: Cow<'a, str>,
    tenant_id: &'a str,
    user_id: &'static str,
    #[serde(rename = "hostId")]
    host_id: &'static str,
    #[serde(rename = "OS-EXT-AZ:availability_zone")]
    availability_zone: Cow<'a, str>,
    #[serde(rename = "OS-EXT-SRV-ATTR:host")]
    host: &'static str,
    #[serde(rename = "OS-EXT-SRV-ATTR:instance_name")]
    instance_name: String,
    #[serde(rename = "OS-EXT-SRV-ATTR:hostname")]
    hostname: Cow<'a, str>,
    #[serde(rename = "OS-EXT-SRV-ATTR:launch_index")]
    launch_index: u8,
    #[serde(rename = "OS-EXT-SRV-ATTR:user_data")]
    user_data: Option<&'static str>,
    #[serde(rename = "OS-DCF:diskConfig")]
    disk_config: &'static str,
    config_drive: &'static str,
    flavor: Flavor<'a>,
    image: Image,
    addresses: Map<String, Value>,
    #[serde(rename = "os-extended-volumes:volumes_attached")]
    volumes: [Volume; 1],
    metadata: ServerMetadata<'a>,
    /// Each tag is a text `key=value`.
    tags: Vec<String>,
    sys_tags: [Tag; 1],
    enterprise_project_id: &'static str,
    security_groups: [SecurityGroup; 1],
    #[serde(rename = "os:scheduler_hints")]
    scheduler_hints: Map<String, Value>,
    description: &'static str,
    #[serde(rename = "accessIPv4")]
    access_ipv4: &'static str,
    #[serde(rename = "accessIPv6")]
    access_ipv6: &'static str,
    /// `progress` and `key_name` are optional (documented). The simulator sends both for the query
    /// of one running server.
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_name: Option<&'static str>,
}

impl<'a> ServerRecord<'a> {
    /// Creates the record for the query of one server.
    pub(super) fn alone(cloud: &'a CloudState, index: InstanceIndex) -> Self {
        let server_status = server_status(cloud.observed(index));
        let settled_running =
            server_status.status == "ACTIVE" && server_status.task_state.is_none();
        Self {
            progress: settled_running.then_some(0),
            key_name: settled_running.then_some("KeyPair-1"),
            ..Self::of(cloud, index)
        }
    }

    /// Creates the record for a list.
    pub(super) fn of(cloud: &'a CloudState, index: InstanceIndex) -> Self {
        let instance = cloud.instance(index);
        let number = instance.number;
        let details = cloud.details(index);
        let server_status = server_status(cloud.observed(index));
        let updated = cloud.started_at(index);
        let expired = instance.impairment == Some(Impairment::Expired);
        Self {
            id: instance.id(),
            name: details.name(),
            status: server_status.status,
            fault: (server_status.status == "ERROR").then(|| Fault {
                code: 500,
                created: write_utc("%Y-%m-%dT%H:%M:%SZ", updated),
                message: "The server is broken.",
                details: "",
            }),
            vm_state: server_status.vm_state,
            task_state: server_status.task_state,
            power_state: server_status.power_state,
            locked: instance.impairment == Some(Impairment::Locked),
            host_status: "UP",
            created: match details.created_at() {
                Some(time) => write_utc("%Y-%m-%dT%H:%M:%SZ", time).into(),
                None => "2025-11-01T02:03:04Z".into(),
            },
            updated: write_utc("%Y-%m-%dT%H:%M:%SZ", updated),
            launched_at: match details.created_at() {
                Some(time) => write_utc("%Y-%m-%dT%H:%M:%S.000000", time).into(),
                None => "2025-11-01T02:04:05.123456".into(),
            },
            tenant_id: &cloud.account.project_id,
            user_id: "fedcba9876543210fedcba9876543210",
            host_id: "c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00",
            availability_zone: match details.zone() {
                Some(zone) => zone.into(),
                None => format!("{}a", cloud.region(index)).into(),
            },
            host: "az1.dc1",
            instance_name: format!("instance-{number:08x}"),
            hostname: details.name(),
            launch_index: 0,
            user_data: None,
            disk_config: "MANUAL",
            config_drive: "",
            flavor: Flavor {
                id: flavor(&details),
                name: flavor(&details),
                vcpus: "2",
                ram: "4096",
                disk: "0",
            },
            image: Image {
                id: "11111111-2222-4333-8444-555555555555",
            },
            addresses: addresses(&details, number),
            volumes: [Volume {
                id: format!("12121212-3434-4565-8787-{number:012x}"),
                device: "/dev/vda",
                boot_index: "0",
                delete_on_termination: "false",
            }],
            metadata: ServerMetadata {
                charging_mode: charging_mode(&details, expired),
                os_type: "Linux",
                vpc_id: VPC_ID,
                ecm_res_status: expired.then_some("freeze"),
            },
            tags: details.tags().iter().map(ToString::to_string).collect(),
            sys_tags: [Tag {
                key: "_sys_enterprise_project_id",
                value: "0",
            }],
            enterprise_project_id: "0",
            security_groups: [SecurityGroup {
                name: "default",
                id: "abababab-cdcd-4efe-8121-343434343434",
            }],
            scheduler_hints: Map::new(),
            description: "",
            access_ipv4: "",
            access_ipv6: "",
            progress: None,
            key_name: None,
        }
    }
}

const VPC_ID: &str = "99999999-8888-4777-8666-555555555555";

pub(super) fn flavor<'a>(details: &Details<'a>) -> &'a str {
    details.instance_type().unwrap_or("s6.large.2")
}

/// Returns the documented numbers of the payment methods. An expired server was prepaid.
fn charging_mode<'a>(details: &Details<'a>, expired: bool) -> &'a str {
    match details.charge_type() {
        Some(ChargeType::Prepaid) => "1",
        Some(ChargeType::Spot) => "2",
        Some(ChargeType::Other(text)) => text,
        None if expired => "1",
        _ => "0",
    }
}

/// Returns the private and public addresses, under the id of the network.
fn addresses(details: &Details<'_>, number: u32) -> Map<String, Value> {
    let [_, second, third, fourth] = number.to_be_bytes();
    let address = |addr: String, kind: &str| {
        json!({
            "version": if addr.contains(':') { "6" } else { "4" },
            "addr": addr,
            "OS-EXT-IPS-MAC:mac_addr": format!("fa:16:3e:{second:02x}:{third:02x}:{fourth:02x}"),
            "OS-EXT-IPS:port_id": format!("aaaaaaaa-bbbb-4ccc-8ddd-{number:012x}"),
            "OS-EXT-IPS:type": kind,
        })
    };
    let private = details.private_ips().into_iter();
    let public = details.public_ips().into_iter();
    let all: Vec<_> = private
        .map(|addr| address(addr, "fixed"))
        .chain(public.map(|addr| address(addr, "floating")))
        .collect();
    Map::from_iter([(VPC_ID.to_owned(), all.into())])
}

#[derive(Serialize)]
struct Fault {
    code: u16,
    created: String,
    message: &'static str,
    details: &'static str,
}

/// The flavor. All numbers are texts.
#[derive(Serialize)]
struct Flavor<'a> {
    id: &'a str,
    name: &'a str,
    vcpus: &'static str,
    ram: &'static str,
    disk: &'static str,
}

#[derive(Serialize)]
struct Image {
    id: &'static str,
}

#[derive(Serialize)]
struct Volume {
    id: String,
    device: &'static str,
    #[serde(rename = "bootIndex")]
    boot_index: &'static str,
    delete_on_termination: &'static str,
}

#[derive(Serialize)]
struct ServerMetadata<'a> {
    charging_mode: &'a str,
    os_type: &'static str,
    vpc_id: &'static str,
    #[serde(rename = "EcmResStatus", skip_serializing_if = "Option::is_none")]
    ecm_res_status: Option<&'static str>,
}

#[derive(Serialize)]
struct Tag {
    key: &'static str,
    value: &'static str,
}

#[derive(Serialize)]
struct SecurityGroup {
    name: &'static str,
    id: &'static str,
}

/// The entry of an unknown server in a list of named servers: all fields except id and fault are
/// null (documented).
#[derive(Serialize)]
pub(super) struct MissingServer<'a> {
    id: &'a str,
    fault: MissingServerFault,
    name: Option<&'static str>,
    status: Option<&'static str>,
    #[serde(rename = "OS-EXT-STS:task_state")]
    task_state: Option<&'static str>,
    #[serde(rename = "OS-EXT-STS:vm_state")]
    vm_state: Option<&'static str>,
    #[serde(rename = "OS-EXT-STS:power_state")]
    power_state: Option<u8>,
    locked: Option<bool>,
}

#[derive(Serialize)]
struct MissingServerFault {
    message: String,
}

impl<'a> MissingServer<'a> {
    pub(super) fn new(id: &'a str) -> Self {
        Self {
            id,
            fault: MissingServerFault {
                message: format!("Instance {id} could not be found."),
            },
            name: None,
            status: None,
            task_state: None,
            vm_state: None,
            power_state: None,
            locked: None,
        }
    }
}
