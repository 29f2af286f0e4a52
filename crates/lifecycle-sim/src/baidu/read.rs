//! The simulated Baidu operations that read instances and lists.

use serde::Serialize;

use crate::{
    cloud_state::{CloudState, InstanceIndex, RegionScope},
    request::ReceivedRequest,
    response::Response,
};

use super::{
    MAX_IDS,
    api_error::{self, ApiError, success},
    filter::ListFilter,
    power,
    record::{InstanceRecord, created_at},
    switches::{NoIds, UnknownInList},
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
    let wanted = ListFilter::read(request, &cloud.switches.baidu)?;
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
