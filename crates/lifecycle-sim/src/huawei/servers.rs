//! Looking at servers: the detailed list, and one server.
//!
//! Documented: paging by page number and by marker, the coarse filter by status, the form of an unknown
//! id in a list of named servers, fields and their types. Inferred: that numbers out of range, unknown
//! markers and more than 100 named servers are refused with `Ecs.0005`.

use serde::Serialize;

use super::{
    record::{Record, Unknown, standing},
    refusal::{self, Refusal},
    switches::ServerIds,
};
use crate::{
    request::Received,
    response::{self, Response},
    site::{Index, Scope, Site},
};

/// `GET /v1/{project_id}/cloudservers/detail`.
pub(super) fn list(site: &Site, request: &Received, scope: Scope) -> Result<Response, Refusal> {
    let page = Page::read(site, request)?;
    let named = named_servers(request, site.switches.huawei.server_ids);
    if named.is_empty() {
        return Ok(list_all(site, request, scope, &page));
    }
    list_named(site, scope, &named, &page)
}

/// `GET /v1/{project_id}/cloudservers/{server_id}`.
pub(super) fn show(site: &Site, scope: Scope, id: &str) -> Result<Response, Refusal> {
    let index = site
        .find(scope, id)
        .ok_or_else(|| refusal::show_not_found(id, &site.switches.huawei))?;
    let server = Record::alone(site, index);
    Ok(response::json(200, &One { server }))
}

/// The values of `server_id`, as the cloud takes them.
pub(super) fn named_servers(request: &Received, form: ServerIds) -> Vec<String> {
    let values = request
        .pairs()
        .filter(|(name, value)| name == "server_id" && !value.is_empty())
        .map(|(_, value)| value);
    let split = |value: String| -> Vec<String> { value.split(',').map(str::to_owned).collect() };
    match form {
        ServerIds::Both => values.flat_map(split).collect(),
        ServerIds::Comma => values.take(1).flat_map(split).collect(),
        ServerIds::Repeated => values.collect(),
    }
}

fn list_all(site: &Site, request: &Received, scope: Scope, page: &Page) -> Response {
    let filter = Filter::read(request);
    let count = if filter.is_open() {
        site.count(scope)
    } else {
        site.listed(scope, None)
            .filter(|index| filter.passes(site, *index))
            .count()
    };
    let servers: Vec<_> = site
        .listed(scope, page.marker)
        .filter(|index| filter.passes(site, *index))
        .skip(page.skipped())
        .take(page.limit)
        .map(|index| Entry::Known(Box::new(Record::of(site, index))))
        .collect();
    response::json(200, &Many { count, servers })
}

/// Other filters are ignored (documented).
fn list_named(
    site: &Site,
    scope: Scope,
    named: &[String],
    page: &Page,
) -> Result<Response, Refusal> {
    if named.len() > 100 {
        return Err(refusal::BAD_PARAMETER);
    }
    let (skipped, limit) = if site.switches.huawei.pages_named_servers {
        (page.skipped(), page.limit)
    } else {
        (0, named.len())
    };
    let servers: Vec<_> = named
        .iter()
        .skip(skipped)
        .take(limit)
        .map(|id| match site.find(scope, id) {
            Some(index) => Entry::Known(Box::new(Record::of(site, index))),
            None => Entry::Unknown(Unknown::new(id)),
        })
        .collect();
    let count = named.len();
    Ok(response::json(200, &Many { count, servers }))
}

/// Which part of the list is asked for.
struct Page {
    limit: usize,
    /// Counts pages, from 1; 0 is taken for 1.
    number: usize,
    /// The last server of the page before.
    marker: Option<Index>,
}

impl Page {
    fn read(site: &Site, request: &Received) -> Result<Self, Refusal> {
        let number = |name: &str, usual: usize| match request.parameter(name) {
            None => Ok(usual),
            Some(text) => text.parse().map_err(|_| refusal::BAD_PARAMETER),
        };
        let limit = number("limit", 25)?;
        if !(1..=1000).contains(&limit) {
            return Err(refusal::BAD_PARAMETER);
        }
        let marker = match request.parameter("marker") {
            None => None,
            Some(id) => Some(site.any(&id).ok_or(refusal::BAD_PARAMETER)?),
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

/// Conditions that all must hold.
struct Filter {
    status: Option<String>,
    /// A part of the name, in which a dot stands for any character.
    name: Option<String>,
    /// No simulated server has a tag.
    tagged: bool,
}

impl Filter {
    fn read(request: &Received) -> Self {
        Self {
            status: request.parameter("status"),
            name: request.parameter("name"),
            tagged: request.parameter("tags").is_some(),
        }
    }

    fn is_open(&self) -> bool {
        self.status.is_none() && self.name.is_none() && !self.tagged
    }

    fn passes(&self, site: &Site, index: Index) -> bool {
        !self.tagged
            && self
                .status
                .as_deref()
                .is_none_or(|wanted| covers(wanted, standing(site.shown(index)).status))
            && self
                .name
                .as_deref()
                .is_none_or(|part| is_part_of(part, &site.instance(index).name()))
    }
}

/// Filtering by status is coarse (documented).
fn covers(wanted: &str, status: &str) -> bool {
    let also: &[&str] = match wanted {
        "ACTIVE" => &["REBOOT", "HARD_REBOOT", "REBUILD", "MIGRATING", "RESIZE"],
        "SHUTOFF" => &["RESIZE", "REBUILD"],
        "ERROR" => &["REBUILD"],
        "VERIFY_RESIZE" => &["REVERT_RESIZE"],
        _ => &[],
    };
    wanted == status || also.contains(&status)
}

fn is_part_of(part: &str, name: &str) -> bool {
    let part = part.as_bytes();
    let fits = |window: &[u8]| {
        window
            .iter()
            .zip(part)
            .all(|(letter, wanted)| letter == wanted || *wanted == b'.')
    };
    part.is_empty() || name.as_bytes().windows(part.len()).any(fits)
}

#[derive(Serialize)]
struct One<'a> {
    server: Record<'a>,
}

#[derive(Serialize)]
struct Many<'a> {
    /// On all pages.
    count: usize,
    servers: Vec<Entry<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Entry<'a> {
    Known(Box<Record<'a>>),
    Unknown(Unknown<'a>),
}
