//! The simulated Huawei operations that list servers in detail and read one server.
//!
//! Documented: paging by page number and by marker, the entry of an
//! unknown id in a list of named servers, fields and their types. Inferred: `Ecs.0005` for numbers
//! out of range, for unknown markers and for more than 100 named servers.

use serde::Serialize;

use super::{
    api_error::{self, ApiError},
    filter::Filter,
    record::{MissingServer, ServerRecord},
    switches::ServerIds,
};
use crate::{
    cloud_state::{CloudState, InstanceIndex, RegionScope},
    request::ReceivedRequest,
    response::{self, Response},
};

/// Handles `GET /v1/{project_id}/cloudservers/detail`.
pub(super) fn list(
    cloud: &CloudState,
    request: &ReceivedRequest,
    scope: RegionScope,
) -> Result<Response, ApiError> {
    let page = PageRequest::read(cloud, request)?;
    let named = named_servers(request, cloud.switches.huawei.server_ids);
    if named.is_empty() {
        return list_all(cloud, request, scope, &page);
    }
    list_named(cloud, scope, &named, &page)
}

/// Handles `GET /v1/{project_id}/cloudservers/{server_id}`.
pub(super) fn show(cloud: &CloudState, scope: RegionScope, id: &str) -> Result<Response, ApiError> {
    let index = cloud
        .find(scope, id)
        .ok_or_else(|| api_error::show_not_found(id, &cloud.switches.huawei))?;
    let server = ServerRecord::alone(cloud, index);
    Ok(response::json(200, &ServerBody { server }))
}

/// Returns the values of `server_id`, in the accepted form.
pub(super) fn named_servers(request: &ReceivedRequest, form: ServerIds) -> Vec<String> {
    let values = request
        .pairs()
        .filter(|(name, value)| name == "server_id" && !value.is_empty())
        .map(|(_, value)| value);
    let split = |value: String| -> Vec<String> { value.split(',').map(str::to_owned).collect() };
    match form {
        ServerIds::Both => values.flat_map(split).collect(),
        ServerIds::Comma => values.take(1).flat_map(split).collect(),
        ServerIds::Repeated => values.collect(),
        ServerIds::Ignored => Vec::new(),
    }
}

fn list_all(
    cloud: &CloudState,
    request: &ReceivedRequest,
    scope: RegionScope,
    page: &PageRequest,
) -> Result<Response, ApiError> {
    let filter = Filter::read(request, &cloud.switches.huawei)?;
    let count = if filter.is_empty() {
        cloud.count(scope)
    } else {
        cloud
            .list(scope, None)
            .filter(|index| filter.matches(cloud, *index))
            .count()
    };
    let servers: Vec<_> = cloud
        .list(scope, page.marker)
        .filter(|index| filter.matches(cloud, *index))
        .skip(page.skipped())
        .take(page.limit)
        .map(|index| ListedServer::Known(Box::new(ServerRecord::of(cloud, index))))
        .collect();
    Ok(response::json(200, &ServerList { count, servers }))
}

/// Returns the named servers. Other filters are ignored (documented).
fn list_named(
    cloud: &CloudState,
    scope: RegionScope,
    named: &[String],
    page: &PageRequest,
) -> Result<Response, ApiError> {
    if named.len() > 100 {
        return Err(api_error::BAD_PARAMETER);
    }
    let (skipped, limit) = if cloud.switches.huawei.pages_named_servers {
        (page.skipped(), page.limit)
    } else {
        (0, named.len())
    };
    let servers: Vec<_> = named
        .iter()
        .skip(skipped)
        .take(limit)
        .map(|id| match cloud.find(scope, id) {
            Some(index) => ListedServer::Known(Box::new(ServerRecord::of(cloud, index))),
            None => ListedServer::Unknown(MissingServer::new(id)),
        })
        .collect();
    let count = named.len();
    Ok(response::json(200, &ServerList { count, servers }))
}

/// The requested part of a list.
struct PageRequest {
    limit: usize,
    /// The page number, from 1; 0 means 1.
    number: usize,
    /// The last server of the page before.
    marker: Option<InstanceIndex>,
}

impl PageRequest {
    fn read(cloud: &CloudState, request: &ReceivedRequest) -> Result<Self, ApiError> {
        let number = |name: &str, default: usize| match request.parameter(name) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_| api_error::BAD_PARAMETER),
        };
        let limit = number("limit", 25)?;
        if !(1..=1000).contains(&limit) {
            return Err(api_error::BAD_PARAMETER);
        }
        let knows_marker = cloud.switches.huawei.server_ids != ServerIds::Ignored;
        let marker = match request.parameter("marker").filter(|_| knows_marker) {
            None => None,
            Some(id) => Some(cloud.find_any(&id).ok_or(api_error::BAD_PARAMETER)?),
        };
        Ok(Self {
            limit,
            number: number("offset", 1)?.max(1),
            marker,
        })
    }

    fn skipped(&self) -> usize {
        (self.number - 1).saturating_mul(self.limit)
    }
}

#[derive(Serialize)]
struct ServerBody<'a> {
    server: ServerRecord<'a>,
}

#[derive(Serialize)]
struct ServerList<'a> {
    /// The number of servers on all pages.
    count: usize,
    servers: Vec<ListedServer<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum ListedServer<'a> {
    Known(Box<ServerRecord<'a>>),
    Unknown(MissingServer<'a>),
}
