//! The simulated Zenlayer operations `DescribeInstancesStatus` and `DescribeInstances`.

use serde::{Deserialize, Serialize, de::IgnoredAny};

use crate::{
    Impairment, SimulatedState,
    cloud_state::{CloudState, InstanceIndex, RegionScope},
    request::ReceivedRequest,
    response::Response,
    time::write_utc,
};

use super::{
    MAX_IDS,
    api_error::{self, ApiError, request_id, success},
    power, read_body,
    switches::{IdsPage, Recycled, RowOrder, Starting, UnknownInDescribe},
};

const DEFAULT_PAGE_SIZE: i64 = 20;
const MAX_PAGE_SIZE: i64 = 1000;

/// The only resource group of the account.
const RESOURCE_GROUP: &str = "1000000000000000001";

/// The kind of rows in a describe call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum RowKind {
    /// Id and status.
    Status,
    /// The complete instance.
    Full,
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
    // Documented filters without simulation.
    tag_keys: Option<IgnoredAny>,
    tags: Option<IgnoredAny>,
    ipv4_address: Option<IgnoredAny>,
}

/// Returns a page of the matching instances.
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

/// Returns the number of ids in the body, for the ledger, or `None` for a body without ids.
pub(super) fn named_ids(request: &ReceivedRequest) -> Option<usize> {
    let query: DescribeRequest = read_body(request).ok()?;
    query.instance_ids.map(|ids| ids.len())
}

impl DescribeRequest {
    fn check(&self) -> Result<(), ApiError> {
        // The simulator refuses a filter instead of listing all instances.
        if self.tag_keys.is_some() || self.tags.is_some() || self.ipv4_address.is_some() {
            return Err(api_error::UNSUPPORTED_FILTER);
        }
        if self
            .instance_ids
            .as_ref()
            .is_some_and(|ids| ids.len() > MAX_IDS)
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

    /// Returns the number of skipped rows and the page size. The limits are documented.
    fn page(&self, cloud: &CloudState) -> Result<(usize, usize), ApiError> {
        let all_ids = self.instance_ids.is_some()
            && cloud.switches.zenlayer.ids_page == IdsPage::All
            && self.page_size.is_none();
        let size = if all_ids {
            MAX_PAGE_SIZE
        } else {
            self.page_size.unwrap_or(DEFAULT_PAGE_SIZE)
        };
        let number = self.page_num.unwrap_or(1);
        if size > MAX_PAGE_SIZE {
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

    /// Returns the page of the named instances that exist, and the number of existing instances.
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
        rows == RowKind::Full
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
    let created_at = write_utc("%Y-%m-%dT%H:%M:%SZ", cloud.created_at());
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
        RowKind::Full => {
            let data_set = found
                .map(|index| InstanceRow::of(cloud, index, &created_at))
                .collect();
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

/// A row with the status. The field is `instanceStatus` here and `status` in complete rows.
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

/// A complete row, with the fields of the SDKs' model of an instance.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InstanceRow<'a> {
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

impl<'a> InstanceRow<'a> {
    fn of(cloud: &'a CloudState, index: InstanceIndex, created_at: &'a str) -> Self {
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
            create_time: created_at,
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

/// Returns Zenlayer's name of the state. The enumeration has no name for an expired or a broken
/// instance: `STOPPED` and `CREATE_FAILED` are inferred, and so is `STOPPED` after a failed boot.
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
