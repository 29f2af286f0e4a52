//! The regions of Huawei Cloud: the list of IAM, and the projects of a key.

use std::collections::BTreeMap;

use http::Method;
use lifecycle_core::{
    Credential, CredentialSourceConfig, ExchangeStep, Fault, FaultKind, HttpResponse, LenientField,
    LenientObject, LenientRows, LenientText, ProviderContext, Region, ServiceKind, UnsignedRequest,
    mark_secrets,
};
use serde::Deserialize;

use crate::{
    fault,
    identity::{Links, iam_endpoint},
    sign::sign,
};

/// Finds the regions of Huawei Cloud, and whether `key` has a project there: a region without a project is
/// unavailable for the key.
///
/// IAM has both lists: `GET /v3/regions`
/// (<https://support.huaweicloud.com/intl/en-us/api-iam/iam_05_0001.html>) and `GET /v3/projects`
/// (<https://support.huaweicloud.com/intl/en-us/api-iam/iam_06_0001.html>). If IAM refuses the list of
/// regions, the projects with the name of a region are the result. The endpoint of IAM is found as for
/// [`find_project_id`](crate::find_project_id).
pub fn find_regions(
    config: &CredentialSourceConfig,
    key: &Credential,
    ctx: &ProviderContext<'_>,
) -> ExchangeStep<Vec<Region>> {
    let (config, key) = (config.clone(), key.clone());
    let regions = get(
        "KeystoneListRegions",
        "/v3/regions",
        read_regions,
        &config,
        &key,
        ctx,
    );
    regions.and_then(ctx, move |regions, ctx| {
        let (operation, path) = ("KeystoneListProjects", "/v3/projects");
        let projects = get(operation, path, read_projects, &config, &key, ctx);
        projects.and_then(ctx, move |projects, _| {
            let combined = projects.map(|projects| combine(regions.ok(), &projects));
            combined.into()
        })
    })
}

/// Reads a list of IAM. The result is a fault if IAM refuses the list although the key is valid.
fn get<T: 'static>(
    operation: &'static str,
    path: &str,
    read: fn(&HttpResponse) -> Result<T, Fault>,
    config: &CredentialSourceConfig,
    key: &Credential,
    ctx: &ProviderContext<'_>,
) -> ExchangeStep<Result<T, Fault>> {
    let unsigned = UnsignedRequest::new(operation, Method::GET, path);
    let request = iam_endpoint(config, None, ctx)
        .and_then(|endpoint| sign(&endpoint, None, &unsigned, key, &ctx.signing_context()));
    let mut request = match request {
        Ok(request) => request,
        Err(fault) => return ExchangeStep::Failed(fault),
    };
    mark_secrets(&mut request, key.secrets());
    ExchangeStep::http(
        operation,
        ServiceKind::Identity,
        request,
        move |response, _| match response.and_then(|response| read(&response)) {
            Err(fault) if !is_refusal(&fault) => ExchangeStep::Failed(fault),
            result => ExchangeStep::Done(result),
        },
    )
}

/// Returns true if another call with the same key can succeed.
fn is_refusal(fault: &Fault) -> bool {
    matches!(
        fault.kind(),
        FaultKind::Permission | FaultKind::NotFound | FaultKind::Unsupported | FaultKind::Invalid
    )
}

/// Reads the regions. A region without an id cannot be reported, so the response is unreadable.
fn read_regions(response: &HttpResponse) -> Result<Vec<Region>, Fault> {
    fault::check(response)?;
    let body: RegionsBody = fault::read(response)?;
    body.links.0.unwrap_or_default().check_last_page(response)?;
    let regions = body.regions.all(RegionRow::region);
    regions.ok_or_else(|| fault::missing_field(response, "list of regions with ids"))
}

fn read_projects(response: &HttpResponse) -> Result<Vec<Project>, Fault> {
    fault::check(response)?;
    let body: ProjectsBody = fault::read(response)?;
    body.links.0.unwrap_or_default().check_last_page(response)?;
    let projects = body.projects.all(ProjectRow::project);
    projects.ok_or_else(|| fault::missing_field(response, "list of projects with names"))
}

/// Adds the projects to the regions. Without a list of regions, each project of a region stands for the
/// region.
fn combine(known: Option<Vec<Region>>, projects: &[Project]) -> Vec<Region> {
    let own_region = |project: &&Project| is_region(&project.name);
    let known = known.unwrap_or_else(|| {
        let names = projects.iter().filter(own_region);
        names
            .map(|project| Region::new(project.name.as_str()))
            .collect()
    });
    let regions = known.into_iter().map(|region| {
        let project = projects.iter().find(|project| project.name == region.id);
        let problem = match project {
            None => Some("the key has no project in this region"),
            Some(project) if !project.is_enabled => {
                Some("the project of the key in this region is disabled")
            }
            Some(_) => None,
        };
        region.with_unavailable(problem.map(str::to_owned))
    });
    regions.collect()
}

/// Returns true for the name of a region, such as `cn-north-4`. The name of a sub-project is
/// `cn-north-4_team`, and other services have projects such as `MOS`.
fn is_region(name: &str) -> bool {
    let is_label = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    name.contains('-') && name.bytes().all(is_label)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RegionsBody {
    regions: LenientRows<RegionRow>,
    links: LenientObject<Links>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RegionRow {
    id: LenientText,
    locales: LenientField<BTreeMap<String, LenientText>>,
}

impl RegionRow {
    /// Converts the row. The name is English, or else Chinese.
    fn region(self) -> Option<Region> {
        let mut names = self.locales.0.unwrap_or_default();
        let mut name = |language| names.remove(language).and_then(|name| name.0);
        let name = name("en-us").or_else(|| name("zh-cn"));
        Some(Region::new(self.id.0?).with_name(name))
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ProjectsBody {
    projects: LenientRows<ProjectRow>,
    links: LenientObject<Links>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ProjectRow {
    name: LenientText,
    enabled: LenientField<bool>,
}

/// A project that the key can use.
struct Project {
    name: String,
    is_enabled: bool,
}

impl ProjectRow {
    fn project(self) -> Option<Project> {
        Some(Project {
            name: self.name.0?,
            is_enabled: self.enabled.0 != Some(false),
        })
    }
}

#[cfg(test)]
mod tests;
