//! The simulated Huawei operations `GET /v3/projects` and `GET /v3/regions` of IAM: regions and their
//! projects.
//!
//! Documented: one default project for each region, with the name of the region, and further
//! projects below. The simulated account has the same ids in every region. Inferred: a region without
//! access has no project, and the list of regions shows the region nevertheless.

use serde::Serialize;

use crate::{
    cloud_state::{CloudState, RegionScope},
    request::ReceivedRequest,
    response::{self, Response},
};

/// Returns the projects with the name in the query, or all projects without a name.
pub(super) fn list(cloud: &CloudState, request: &ReceivedRequest) -> Response {
    let names: Vec<_> = match request.parameter("name") {
        Some(name) => has_project(cloud, &name)
            .then_some(name)
            .into_iter()
            .collect(),
        None => cloud
            .region_names(&REGIONS)
            .filter(|name| has_project(cloud, name))
            .map(str::to_owned)
            .collect(),
    };
    let projects = names
        .iter()
        .flat_map(|name| projects_of(cloud, name))
        .map(|(id, name)| Project {
            domain_id: DOMAIN,
            is_domain: false,
            parent_id: DOMAIN,
            name,
            description: "",
            links: Links {
                own: format!("https://{}/v3/projects/{id}", request.host()),
            },
            id,
            enabled: true,
        })
        .collect();
    response::json(
        200,
        &Projects {
            projects,
            links: Links {
                own: format!("https://{}/v3/projects", request.host()),
            },
        },
    )
}

/// Returns all regions. The description is empty, and the type is `public` (inferred).
pub(super) fn regions(cloud: &CloudState, request: &ReceivedRequest) -> Response {
    let region = |id| Region {
        id,
        kind: "public",
        description: "",
        locales: Locales {
            zh_cn: name(id, |(_, chinese, _)| chinese),
            en_us: name(id, |(_, _, english)| english),
        },
        links: Links {
            own: format!("https://{}/v3/regions/{id}", request.host()),
        },
    };
    let regions = cloud.region_names(&REGIONS).map(region).collect();
    let links = Links {
        own: format!("https://{}/v3/regions", request.host()),
    };
    response::json(200, &Regions { regions, links })
}

/// Returns a name of the region for people. The name of a region without an entry is the id.
fn name<'a>(
    id: &'a str,
    language: fn(&(&str, &'static str, &'static str)) -> &'static str,
) -> &'a str {
    let mut names = NAMES.iter();
    names.find(|(known, ..)| *known == id).map_or(id, language)
}

/// The Chinese and English names of some regions.
const NAMES: [(&str, &str, &str); 3] = [
    ("cn-east-3", "华东-上海一", "CN East-Shanghai1"),
    ("cn-north-4", "华北-北京四", "CN North-Beijing4"),
    ("cn-south-1", "华南-广州", "CN South-Guangzhou"),
];

/// Reports whether the region exists and has a project.
pub(super) fn has_project(cloud: &CloudState, name: &str) -> bool {
    let exists = match cloud.scope(name) {
        RegionScope::Forbidden => false,
        RegionScope::NoRegion => REGIONS.contains(&name),
        RegionScope::AllRegions | RegionScope::Region(_) => true,
    };
    exists && cloud.identity.project_count() > 0
}

/// Returns id and name of the region's own project and of the projects below. The match of the
/// further projects by the region's name is inferred: the SDK handles several results.
fn projects_of(cloud: &CloudState, region: &str) -> impl Iterator<Item = (String, String)> {
    (0..cloud.identity.project_count()).map(move |number| match number {
        0 => (cloud.account.project_id.clone(), region.to_owned()),
        _ => (format!("{number:032x}"), format!("{region}_{number}")),
    })
}

pub(super) const DOMAIN: &str = "fedcba9876543210fedcba9876543210";

/// The regions of the SDK's endpoint map (vendor's source). Other regions exist if servers are
/// there.
const REGIONS: [&str; 33] = [
    "ae-ad-1",
    "af-north-1",
    "af-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "cn-east-2",
    "cn-east-3",
    "cn-east-4",
    "cn-east-5",
    "cn-north-1",
    "cn-north-11",
    "cn-north-12",
    "cn-north-2",
    "cn-north-4",
    "cn-north-9",
    "cn-south-1",
    "cn-south-2",
    "cn-south-4",
    "cn-southwest-2",
    "cn-southwest-3",
    "eu-west-0",
    "eu-west-101",
    "la-north-2",
    "la-south-2",
    "me-east-1",
    "my-kualalumpur-1",
    "na-mexico-1",
    "ru-moscow-1",
    "sa-brazil-1",
    "tr-west-1",
];

#[derive(Serialize)]
struct Regions<'a> {
    regions: Vec<Region<'a>>,
    links: Links,
}

#[derive(Serialize)]
struct Region<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    description: &'static str,
    locales: Locales<'a>,
    links: Links,
}

#[derive(Serialize)]
struct Locales<'a> {
    #[serde(rename = "zh-cn")]
    zh_cn: &'a str,
    #[serde(rename = "en-us")]
    en_us: &'a str,
}

#[derive(Serialize)]
struct Projects {
    projects: Vec<Project>,
    links: Links,
}

#[derive(Serialize)]
struct Project {
    domain_id: &'static str,
    is_domain: bool,
    parent_id: &'static str,
    name: String,
    description: &'static str,
    links: Links,
    id: String,
    enabled: bool,
}

#[derive(Serialize)]
struct Links {
    #[serde(rename = "self")]
    own: String,
}
