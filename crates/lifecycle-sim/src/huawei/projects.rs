//! `GET /v3/projects` of IAM: which project a region has.
//!
//! Documented: one default project per region, named like it. The simulated account has the same id in
//! every region.

use serde::Serialize;

use crate::{
    request::Received,
    response::{self, Response},
    site::{Scope, Site},
};

/// The projects with the name that the query gives; all without one.
pub(super) fn list(site: &Site, request: &Received) -> Response {
    let id = site.account.project_id.as_str();
    let names = match request.parameter("name") {
        Some(name) => {
            let exists = REGIONS.contains(&&*name) || site.scope(&name) != Scope::Nowhere;
            exists.then_some(name).into_iter().collect()
        }
        None => REGIONS.map(str::to_owned).to_vec(),
    };
    let projects = names
        .into_iter()
        .map(|name| Project {
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

const DOMAIN: &str = "fedcba9876543210fedcba9876543210";

/// The regions of the SDK's endpoint map (vendor's source). Others exist when servers live there.
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
struct Projects<'a> {
    projects: Vec<Project<'a>>,
    links: Links,
}

#[derive(Serialize)]
struct Project<'a> {
    domain_id: &'static str,
    is_domain: bool,
    parent_id: &'static str,
    name: String,
    description: &'static str,
    links: Links,
    id: &'a str,
    enabled: bool,
}

#[derive(Serialize)]
struct Links {
    #[serde(rename = "self")]
    own: String,
}
