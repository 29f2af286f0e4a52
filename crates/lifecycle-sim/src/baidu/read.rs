//! Detail, lists and regions.

use serde::Serialize;

use crate::{
    instance::{Act, State, View},
    request::Received,
    response::Response,
    site::{Index, Scope, Site},
    time::write_utc,
};

use super::{
    MOST_IDS, power,
    refusal::{self, Refusal, granted},
    switches::{NoIds, RebootPath, UnknownInList},
};

/// `maxKeys` when it is not given, and its maximum. Documented; the maximum as "usually".
const MOST_KEYS: usize = 1000;

/// One instance.
pub(super) fn detail(site: &mut Site, scope: Scope, id: &str) -> Result<Response, Refusal> {
    #[derive(Serialize)]
    struct Detail<'a> {
        instance: Record<'a>,
    }
    let index = site
        .find(scope, id)
        .ok_or_else(|| refusal::unknown_ids(site, &[id]))?;
    let request_id = site.uuid();
    let born = birth(site);
    let detail = Detail {
        instance: Record::of(site, index, &born),
    };
    Ok(granted(&request_id, &detail))
}

/// A page of all instances that fit the filters.
pub(super) fn list(site: &mut Site, request: &Received, scope: Scope) -> Result<Response, Refusal> {
    let wanted = Wanted::read(request)?;
    let page = Page::read(site, request, scope)?;
    let matching = site
        .listed(scope, page.first.and_then(Index::previous))
        .filter(|index| wanted.takes(site, *index));
    Ok(page.answer(site, matching.take(page.most + 1).collect()))
}

/// The instances named in the body.
pub(super) fn by_ids(
    site: &mut Site,
    request: &Received,
    scope: Scope,
) -> Result<Response, Refusal> {
    let ids = power::read_ids(request)?;
    let none_refused = site.switches.baidu.no_ids == NoIds::Refused;
    if ids.len() > MOST_IDS || (ids.is_empty() && none_refused) {
        return Err(refusal::bad_list(site));
    }
    let unknown: Vec<&str> = ids
        .iter()
        .map(String::as_str)
        .filter(|id| site.find(scope, id).is_none())
        .collect();
    if !unknown.is_empty() && site.switches.baidu.unknown_in_list == UnknownInList::Refused {
        return Err(refusal::unknown_ids(site, &unknown));
    }
    let mut found: Vec<Index> = ids.iter().filter_map(|id| site.find(scope, id)).collect();
    found.sort_unstable();
    found.dedup();
    let page = Page::read(site, request, scope)?;
    let from = found.partition_point(|index| page.first.is_some_and(|first| *index < first));
    Ok(page.answer(site, found.split_off(from)))
}

/// The instances that can be stopped free of charge: none. Which ones can is not simulated here; see
/// [`Switches::no_charge`](super::switches::Switches::no_charge).
pub(super) fn no_charge(
    site: &mut Site,
    request: &Received,
    scope: Scope,
) -> Result<Response, Refusal> {
    let page = Page::read(site, request, scope)?;
    Ok(page.answer(site, Vec::new()))
}

/// The regions of the documents (cloud.baidu.com/doc/BCC/s/0jwvyo603).
pub(super) fn regions(site: &mut Site) -> Response {
    #[derive(Serialize)]
    struct Regions {
        regions: [Region; 6],
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Region {
        region_id: &'static str,
        region_name: &'static str,
        region_endpoint: String,
    }
    let region = |region_id, region_name| Region {
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
    granted(&site.uuid(), &regions)
}

/// Which instances a list is limited to. Filters combine with AND, the values of one with OR.
#[derive(Default)]
struct Wanted {
    ids: Option<Vec<String>>,
    names: Option<Vec<String>>,
    statuses: Option<Vec<String>>,
}

impl Wanted {
    fn read(request: &Received) -> Result<Self, Refusal> {
        let several = |key: &str| -> Result<Option<Vec<String>>, Refusal> {
            let Some(text) = request.parameter(key) else {
                return Ok(None);
            };
            let values: Vec<String> = text.split(',').map(str::to_owned).collect();
            if values.len() > MOST_IDS {
                return Err(refusal::BAD_REQUEST);
            }
            Ok(Some(values))
        };
        Ok(Self {
            ids: several("instanceIds")?,
            names: several("instanceNames")?,
            statuses: several("status")?,
        })
    }

    fn takes(&self, site: &Site, index: Index) -> bool {
        let has = |wanted: &Option<Vec<String>>, value: &str| {
            wanted
                .as_ref()
                .is_none_or(|wanted| wanted.iter().any(|one| one == value))
        };
        has(&self.ids, site.instance(index).id())
            && has(&self.statuses, status(site, index))
            && (self.names.is_none() || has(&self.names, &site.instance(index).name()))
    }
}

/// The part of a list that a call asks for. A marker is the id of the page's first instance, as in
/// the example of cloud.baidu.com/doc/BCC/s/4koffviai.
struct Page {
    marker: String,
    first: Option<Index>,
    most: usize,
}

impl Page {
    fn read(site: &Site, request: &Received, scope: Scope) -> Result<Self, Refusal> {
        let marker = request.parameter("marker").unwrap_or_default();
        let first = match marker.as_str() {
            "" => None,
            id => Some(site.find(scope, id).ok_or(refusal::BAD_REQUEST)?),
        };
        let most = match request.parameter("maxKeys").as_deref() {
            None | Some("") => MOST_KEYS,
            Some(text) => match text.parse() {
                Ok(0) | Err(_) => return Err(refusal::BAD_REQUEST),
                Ok(most) => MOST_KEYS.min(most),
            },
        };
        Ok(Self {
            marker,
            first,
            most,
        })
    }

    /// The answer with these instances; one too many says that there is a further page.
    fn answer(&self, site: &mut Site, mut found: Vec<Index>) -> Response {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct List<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            next_marker: Option<&'a str>,
            marker: &'a str,
            is_truncated: bool,
            max_keys: usize,
            instances: Vec<Record<'a>>,
        }
        let next = found.get(self.most).copied();
        found.truncate(self.most);
        let request_id = site.uuid();
        let born = birth(site);
        let list = List {
            next_marker: next.map(|index| site.instance(index).id()),
            marker: &self.marker,
            is_truncated: next.is_some(),
            max_keys: self.most,
            instances: found
                .into_iter()
                .map(|index| Record::of(site, index, &born))
                .collect(),
        };
        granted(&request_id, &list)
    }
}

/// An instance as lists and details show it: the first fields of the example of
/// cloud.baidu.com/doc/BCC/s/sjwvyoeqr. The number of cards is a text there, too.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
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

impl<'a> Record<'a> {
    fn of(site: &'a Site, index: Index, born: &'a str) -> Self {
        let instance = site.instance(index);
        let [_, b, c, d] = index.number().to_be_bytes();
        Self {
            id: instance.id(),
            name: instance.name(),
            role_name: "",
            hostname: instance.name(),
            instance_type: "N5",
            spec: "bcc.g4.c2m8",
            status: status(site, index),
            repair_status: "normal",
            desc: "",
            created_from: "",
            payment_timing: "Postpaid",
            create_time: born,
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
            zone_name: format!("cn-{}-a", site.region(index)),
        }
    }
}

fn birth(site: &Site) -> String {
    write_utc("%Y-%m-%dT%H:%M:%SZ", site.birth())
}

/// The state in Baidu's words. There is none for creating or rebooting: both are `Starting`.
/// Documented, but for `Scaling`, which stands for any other work.
fn status(site: &Site, index: Index) -> &'static str {
    let view = site.shown(index);
    match view.state {
        State::Creating | State::Starting => "Starting",
        State::Running => "Running",
        State::Stopping => "Stopping",
        State::Stopped => "Stopped",
        State::Rebooting => rebooting(site, &view),
        State::Changing => "Scaling",
        State::Expired => "Expired",
        State::Failed => "Error",
        State::Recycled => "Recycled",
    }
}

fn rebooting(site: &Site, view: &View) -> &'static str {
    let goes_down = site.switches.baidu.reboot_path == RebootPath::StoppingThenStarting
        && view.act != Some(Act::ForcedReboot);
    if goes_down && view.progress < 0.5 {
        "Stopping"
    } else {
        "Starting"
    }
}
