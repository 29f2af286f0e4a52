//! `DescribeInstancesStatus` and `DescribeInstances`.

use serde::{Deserialize, Serialize};

use crate::{
    Impairment, SimulatedState,
    cloud_state::{CloudState, InstanceIndex, RegionScope},
    request::ReceivedRequest,
    response::Response,
    time::write_utc,
};

use super::{
    MOST_IDS,
    api_error::{self, ApiError, request_id, success},
    power, read_body,
    switches::{IdsPage, Recycled, RowOrder, Starting, UnknownInDescribe},
};

const PAGE_SIZE: i64 = 20;
const LARGEST_PAGE: i64 = 1000;

/// The one resource group that the account has.
const RESOURCE_GROUP: &str = "1000000000000000001";

/// Which rows a describe call shows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum RowKind {
    /// Id and status.
    Status,
    /// The whole instance.
    Whole,
}

/// The body of both calls. Every field is optional.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct DescribeRequest {
    instance_ids: Option<Vec<String>>,
    zone_id: Option<String>,
    status: Option<String>,
    name: Option<String>,
    resource_group_id: Option<String>,
    page_size: Option<i64>,
    page_num: Option<i64>,
}

/// A page of the instances that fit.
pub(super) fn describe(
    cloud: &mut CloudState,
    request: &ReceivedRequest,
    scope: RegionScope,
    rows: RowKind,
) -> Result<Response, ApiError> {
    let query: DescribeRequest = read_body(request)?;
    query.check()?;
    let (skipped, size) = query.page(cloud)?;
    let (found, total) = match &query.instance_ids {
        Some(ids) => query.named(cloud, scope, ids, skipped, size)?,
        None if query.has_filters(rows) => {
            let fits = |index: &InstanceIndex| query.matches(cloud, *index, rows);
            let total = cloud.list(scope, None).filter(fits).count();
            let fitting = cloud.list(scope, None).filter(fits);
            (fitting.skip(skipped).take(size).collect(), total)
        }
        None => (
            cloud.list(scope, None).skip(skipped).take(size).collect(),
            cloud.count(scope),
        ),
    };
    Ok(page(cloud, found, total, rows))
}

/// How many ids the body names, for the ledger; `None` when it names none.
pub(super) fn named_ids(request: &ReceivedRequest) -> Option<usize> {
    let query: DescribeRequest = read_body(request).ok()?;
    query.instance_ids.map(|ids| ids.len())
}

impl DescribeRequest {
    fn check(&self) -> Result<(), ApiError> {
        if self
            .instance_ids
            .as_ref()
            .is_some_and(|ids| ids.len() > MOST_IDS)
        {
            return Err(api_error::TOO_MANY);
        }
        if self
            .resource_group_id
            .as_deref()
            .is_some_and(|group| group != RESOURCE_GROUP)
        {
            return Err(api_error::NO_SUCH_GROUP);
        }
        Ok(())
    }

    /// How many rows to pass over, and how many to show. Bounds are documented.
    fn page(&self, cloud: &CloudState) -> Result<(usize, usize), ApiError> {
        let whole = self.instance_ids.is_some()
            && cloud.switches.zenlayer.ids_page == IdsPage::All
            && self.page_size.is_none();
        let size = if whole {
            LARGEST_PAGE
        } else {
            self.page_size.unwrap_or(PAGE_SIZE)
        };
        let number = self.page_num.unwrap_or(1);
        if size > LARGEST_PAGE {
            return Err(api_error::TOO_LARGE);
        }
        let (Ok(size), Ok(before)) = (
            usize::try_from(size),
            usize::try_from(number.saturating_sub(1)),
        ) else {
            return Err(api_error::TOO_SMALL);
        };
        if size == 0 {
            return Err(api_error::TOO_SMALL);
        }
        Ok((before.saturating_mul(size), size))
    }

    /// The page of the named instances that exist, and how many exist.
    fn named(
        &self,
        cloud: &CloudState,
        scope: RegionScope,
        ids: &[String],
        skipped: usize,
        size: usize,
    ) -> Result<(Vec<InstanceIndex>, usize), ApiError> {
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            match cloud.find(scope, id) {
                Some(index) => found.push(index),
                None if cloud.switches.zenlayer.unknown_in_describe
                    == UnknownInDescribe::Refused =>
                {
                    return Err(power::unknown_id(cloud));
                }
                None => {}
            }
        }
        found.sort_unstable();
        found.dedup();
        let total = found.len();
        Ok((found.into_iter().skip(skipped).take(size).collect(), total))
    }

    fn has_filters(&self, rows: RowKind) -> bool {
        rows == RowKind::Whole
            && (self.zone_id.is_some() || self.status.is_some() || self.name.is_some())
    }

    fn matches(&self, cloud: &CloudState, index: InstanceIndex, rows: RowKind) -> bool {
        let is = |wanted: &Option<String>, value: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == value)
        };
        let has_name = |part: &String| cloud.instance(index).name().contains(part.as_str());
        rows == RowKind::Status
            || (is(&self.zone_id, &zone(cloud, index))
                && is(&self.status, status(cloud, index))
                && self.name.as_ref().is_none_or(has_name))
    }
}

fn page(
    cloud: &mut CloudState,
    mut found: Vec<InstanceIndex>,
    total_count: usize,
    rows: RowKind,
) -> Response {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct DescribeResponse<T> {
        total_count: usize,
        data_set: Vec<T>,
    }
    if cloud.switches.zenlayer.order == RowOrder::Reversed {
        found.reverse();
    }
    let request_id = request_id(cloud);
    let born = write_utc("%Y-%m-%dT%H:%M:%SZ", cloud.created_at());
    let found = found.into_iter();
    match rows {
        RowKind::Status => {
            let data_set = found.map(|index| StatusRow::of(cloud, index)).collect();
            success(
                &request_id,
                &DescribeResponse {
                    total_count,
                    data_set,
                },
            )
        }
        RowKind::Whole => {
            let data_set = found.map(|index| Whole::of(cloud, index, &born)).collect();
            success(
                &request_id,
                &DescribeResponse {
                    total_count,
                    data_set,
                },
            )
        }
    }
}

/// The status field is called `instanceStatus` here and `status` in whole rows.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StatusRow<'a> {
    instance_id: &'a str,
    instance_status: &'static str,
}

impl<'a> StatusRow<'a> {
    fn of(cloud: &'a CloudState, index: InstanceIndex) -> Self {
        Self {
            instance_id: cloud.instance(index).id(),
            instance_status: status(cloud, index),
        }
    }
}

/// The fields that the SDKs' model of an instance has.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Whole<'a> {
    instance_id: &'a str,
    instance_name: String,
    zone_id: String,
    instance_type: &'static str,
    cpu: u32,
    memory: u32,
    image_id: &'static str,
    image_name: &'static str,
    time_zone: &'static str,
    nic_network_type: &'static str,
    status: &'static str,
    system_disk: Disk,
    data_disks: [(); 0],
    public_ip_addresses: [String; 0],
    private_ip_addresses: [String; 1],
    key_id: Option<&'static str>,
    subnet_id: &'static str,
    security_group_id: &'static str,
    enable_agent: bool,
    enable_agent_monitor: bool,
    enable_ip_forward: bool,
    create_time: &'a str,
    expired_time: Option<String>,
    resource_group_id: &'static str,
    resource_group_name: &'static str,
    tags: Tags,
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
struct Tags {
    tags: [(); 0],
}

impl<'a> Whole<'a> {
    fn of(cloud: &'a CloudState, index: InstanceIndex, born: &'a str) -> Self {
        let instance = cloud.instance(index);
        let [_, b, c, d] = index.number().to_be_bytes();
        Self {
            instance_id: instance.id(),
            instance_name: instance.name(),
            zone_id: zone(cloud, index),
            instance_type: "z2a.cpu.1",
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
            public_ip_addresses: [],
            private_ip_addresses: [format!("10.{b}.{c}.{d}")],
            key_id: None,
            subnet_id: "simulated",
            security_group_id: "simulated",
            enable_agent: true,
            enable_agent_monitor: true,
            enable_ip_forward: true,
            create_time: born,
            expired_time: None,
            resource_group_id: RESOURCE_GROUP,
            resource_group_name: "Default Resource Group",
            tags: Tags { tags: [] },
            load_balancer_ids: [],
            placement_group_id: None,
        }
    }
}

fn zone(cloud: &CloudState, index: InstanceIndex) -> String {
    format!("{}a", cloud.region(index))
}

/// The state in Zenlayer's words. The enumeration has no word for an expired or a broken instance:
/// `STOPPED` and `CREATE_FAILED` are inferred, and so is that a boot that failed ends in `STOPPED`.
fn status(cloud: &CloudState, index: InstanceIndex) -> &'static str {
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
        SimulatedState::Failed if cloud.instance(index).impairment == Some(Impairment::Broken) => {
            "STOPPED"
        }
        SimulatedState::Failed => "CREATE_FAILED",
        SimulatedState::Recycled => match cloud.switches.zenlayer.recycled {
            Recycled::Recycle => "RECYCLE",
            Recycled::Recycled => "RECYCLED",
        },
    }
}
