//! The simulated Baidu operations that read instances, lists and regions.

use serde::Serialize;

use crate::{
    PowerOperation, SimulatedState,
    cloud_state::{CloudState, InstanceIndex, RegionScope},
    instance::InstanceSnapshot,
    request::ReceivedRequest,
    response::Response,
    time::write_utc,
};

use super::{
    MAX_IDS,
    api_error::{self, ApiError, success},
    power,
    switches::{NoIds, RebootPath, UnknownInList},
};

/// The default and the maximum of `maxKeys`. Documented; the maximum as "usually".
const MAX_KEYS: usize = 1000;

/// Returns one instance.
pub(super) fn detail(
    cloud: &mut CloudState,
    scope: RegionScope,
    id: &str,
) -> Result<Response, ApiError> {
    #[derive(Serialize)]
    struct Detail<'a> {
        instance: InstanceRecord<'a>,
    }
    let index = cloud
        .find(scope, id)
        .ok_or_else(|| api_error::unknown_ids(cloud, &[id]))?;
    let request_id = cloud.uuid();
    let created_at = created_at(cloud);
    let detail = Detail {
        instance: InstanceRecord::of(cloud, index, &created_at),
    };
    Ok(success(&request_id, &detail))
}

/// Returns a page of all instances that match the filters.
pub(super) fn list(
    cloud: &mut CloudState,
    request: &ReceivedRequest,
    scope: RegionScope,
) -> Result<Response, ApiError> {
    let wanted = ListFilter::read(request)?;
    let page = PageRequest::read(cloud, request, scope)?;
    let matching = cloud
        .list(scope, page.first.and_then(InstanceIndex::previous))
        .filter(|index| wanted.matches(cloud, *index));
    Ok(page.response(cloud, matching.take(page.max_keys + 1).collect()))
}

/// Returns the instances named in the body.
pub(super) fn by_ids(
    cloud: &mut CloudState,
    request: &ReceivedRequest,
    scope: RegionScope,
) -> Result<Response, ApiError> {
    let ids = power::read_ids(request)?;
    let none_refused = cloud.switches.baidu.no_ids == NoIds::Refused;
    if ids.len() > MAX_IDS || (ids.is_empty() && none_refused) {
        return Err(api_error::bad_list(cloud));
    }
    let unknown: Vec<&str> = ids
        .iter()
        .map(String::as_str)
        .filter(|id| cloud.find(scope, id).is_none())
        .collect();
    if !unknown.is_empty() && cloud.switches.baidu.unknown_in_list == UnknownInList::Refused {
        return Err(api_error::unknown_ids(cloud, &unknown));
    }
    let mut found: Vec<InstanceIndex> = ids.iter().filter_map(|id| cloud.find(scope, id)).collect();
    found.sort_unstable();
    found.dedup();
    let page = PageRequest::read(cloud, request, scope)?;
    let from = found.partition_point(|index| page.first.is_some_and(|first| *index < first));
    Ok(page.response(cloud, found.split_off(from)))
}

/// Returns the instances with a stop free of charge: none. The set is not simulated here; see
/// [`Switches::no_charge`](super::switches::Switches::no_charge).
pub(super) fn no_charge(
    cloud: &mut CloudState,
    request: &ReceivedRequest,
    scope: RegionScope,
) -> Result<Response, ApiError> {
    let page = PageRequest::read(cloud, request, scope)?;
    Ok(page.response(cloud, Vec::new()))
}

/// Returns the regions of the documents (cloud.baidu.com/doc/BCC/s/0jwvyo603).
pub(super) fn regions(cloud: &mut CloudState) -> Response {
    #[derive(Serialize)]
    struct Regions {
        regions: [RegionInfo; 6],
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct RegionInfo {
        region_id: &'static str,
        region_name: &'static str,
        region_endpoint: String,
    }
    let region = |region_id, region_name| RegionInfo {
        region_id,
        region_name,
        region_endpoint: format!("bcc.{region_id}.baidubce.com"),
    };
    let regions = Regions {
        regions: [
            region("bj", "Beijing"),
            region("bd", "Baoding"),
            region("gz", "Guangzhou"),
            region("su", "Suzhou"),
            region("fwh", "Wuhan"),
            region("hkg", "Hong Kong"),
        ],
    };
    success(&cloud.uuid(), &regions)
}

/// The filters of a list. Filters combine with AND, the values of one filter with OR.
#[derive(Default)]
struct ListFilter {
    ids: Option<Vec<String>>,
    names: Option<Vec<String>>,
    statuses: Option<Vec<String>>,
}

/// Documented filters without simulation. The simulator refuses a filter instead of listing all
/// instances.
const UNSUPPORTED_FILTERS: [&str; 11] = [
    "dedicatedHostId",
    "ehcClusterId",
    "fuzzyInstanceName",
    "internalIp",
    "keypairId",
    "paymentTiming",
    "privateIps",
    "securityGroupIds",
    "tags",
    "vpcId",
    "zoneName",
];

impl ListFilter {
    fn read(request: &ReceivedRequest) -> Result<Self, ApiError> {
        let is_sent = |name: &&str| request.parameter(name).is_some_and(|text| !text.is_empty());
        if let Some(name) = UNSUPPORTED_FILTERS.iter().find(|name| is_sent(name)) {
            return Err(api_error::unsupported_filter(name));
        }
        let several = |key: &str| -> Result<Option<Vec<String>>, ApiError> {
            let Some(text) = request.parameter(key) else {
                return Ok(None);
            };
            let values: Vec<String> = text.split(',').map(str::to_owned).collect();
            if values.len() > MAX_IDS {
                return Err(api_error::BAD_REQUEST);
            }
            Ok(Some(values))
        };
        Ok(Self {
            ids: several("instanceIds")?,
            names: several("instanceNames")?,
            statuses: several("status")?,
        })
    }

    fn matches(&self, cloud: &CloudState, index: InstanceIndex) -> bool {
        let has = |wanted: &Option<Vec<String>>, value: &str| {
            wanted
                .as_ref()
                .is_none_or(|wanted| wanted.iter().any(|one| one == value))
        };
        has(&self.ids, cloud.instance(index).id())
            && has(&self.statuses, status(cloud, index))
            && (self.names.is_none() || has(&self.names, &cloud.instance(index).name()))
    }
}

/// The requested part of a list. A marker is the id of the page's first instance, as in the example
/// of cloud.baidu.com/doc/BCC/s/4koffviai.
struct PageRequest {
    marker: String,
    first: Option<InstanceIndex>,
    max_keys: usize,
}

impl PageRequest {
    fn read(
        cloud: &CloudState,
        request: &ReceivedRequest,
        scope: RegionScope,
    ) -> Result<Self, ApiError> {
        let marker = request.parameter("marker").unwrap_or_default();
        let first = match marker.as_str() {
            "" => None,
            id => Some(cloud.find(scope, id).ok_or(api_error::BAD_REQUEST)?),
        };
        let max_keys = match request.parameter("maxKeys").as_deref() {
            None | Some("") => MAX_KEYS,
            Some(text) => match text.parse() {
                Ok(0) | Err(_) => return Err(api_error::BAD_REQUEST),
                Ok(max_keys) => MAX_KEYS.min(max_keys),
            },
        };
        Ok(Self {
            marker,
            first,
            max_keys,
        })
    }

    /// Returns the response with these instances. One instance above the limit marks a further
    /// page.
    fn response(&self, cloud: &mut CloudState, mut found: Vec<InstanceIndex>) -> Response {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct List<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            next_marker: Option<&'a str>,
            marker: &'a str,
            is_truncated: bool,
            max_keys: usize,
            instances: Vec<InstanceRecord<'a>>,
        }
        let next = found.get(self.max_keys).copied();
        found.truncate(self.max_keys);
        let request_id = cloud.uuid();
        let created_at = created_at(cloud);
        let list = List {
            next_marker: next.map(|index| cloud.instance(index).id()),
            marker: &self.marker,
            is_truncated: next.is_some(),
            max_keys: self.max_keys,
            instances: found
                .into_iter()
                .map(|index| InstanceRecord::of(cloud, index, &created_at))
                .collect(),
        };
        success(&request_id, &list)
    }
}

/// An instance in lists and details: the first fields of the example of
/// cloud.baidu.com/doc/BCC/s/sjwvyoeqr. The number of cards is a text there, too.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InstanceRecord<'a> {
    id: &'a str,
    name: String,
    role_name: &'static str,
    hostname: String,
    instance_type: &'static str,
    spec: &'static str,
    status: &'static str,
    repair_status: &'static str,
    desc: &'static str,
    created_from: &'static str,
    payment_timing: &'static str,
    create_time: &'a str,
    internal_ip: String,
    public_ip: &'static str,
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
    zone_name: String,
}

impl<'a> InstanceRecord<'a> {
    fn of(cloud: &'a CloudState, index: InstanceIndex, created_at: &'a str) -> Self {
        let instance = cloud.instance(index);
        let [_, b, c, d] = index.number().to_be_bytes();
        Self {
            id: instance.id(),
            name: instance.name(),
            role_name: "",
            hostname: instance.name(),
            instance_type: "N5",
            spec: "bcc.g4.c2m8",
            status: status(cloud, index),
            repair_status: "normal",
            desc: "",
            created_from: "",
            payment_timing: "Postpaid",
            create_time: created_at,
            internal_ip: format!("10.{b}.{c}.{d}"),
            public_ip: "",
            cpu_count: 2,
            isomerism_card: "",
            card_count: "0",
            npu_video_memory: "",
            memory: 8,
            local_disk: 0,
            image_id: "m-simulated",
            image_name: "simulated",
            zone_name: format!("cn-{}-a", cloud.region(index)),
        }
    }
}

fn created_at(cloud: &CloudState) -> String {
    write_utc("%Y-%m-%dT%H:%M:%SZ", cloud.created_at())
}

/// Returns Baidu's name of the state. Baidu has no name for creating or rebooting: both are
/// `Starting`. Documented, except `Scaling`, which stands for any other operation.
fn status(cloud: &CloudState, index: InstanceIndex) -> &'static str {
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
