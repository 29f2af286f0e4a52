//! Which project a key works in: <https://support.huaweicloud.com/intl/en-us/api-iam/iam_06_0001.html>.

use http::Method;
use lifecycle_core::{
    Credential, Draft, Fault, OriginConfig, Reach, Reply, Step, Surroundings, encode,
};
use serde::Deserialize;

use crate::{
    config::is_project_id,
    credentials::stored_project,
    fault,
    identity::{iam, invalid, region},
    sign::sign,
};

/// The environment variables that may hold the project id for [`Config::new`](crate::Config::new),
/// in the order in which they count: that of Huawei's SDKs, then that of its Terraform provider.
pub const PROJECT_VARIABLES: &[&str] = &["HUAWEICLOUD_SDK_PROJECT_ID", "HW_PROJECT_ID"];

/// The id of the project that `key` works in, in the region of `config`.
///
/// [`PROJECT_VARIABLES`] count first; then the project of the profile that holds this very key in
/// the files of Huawei's SDKs or of its command line; else IAM is asked for the project that is
/// named like the region, or like `HW_PROJECT_NAME` where that names a part of the region. None or
/// several such projects are a fault: then a project id has to be given.
pub fn project(config: &OriginConfig, key: &Credential, around: &Surroundings<'_>) -> Step<String> {
    if let Some(id) = around.first_variable(PROJECT_VARIABLES) {
        return Step::Done(id);
    }
    let Some(region) = region(config, around) else {
        return Step::Failed(invalid(format!(
            "without a region no project can be looked up: give a region or a project id ({})",
            PROJECT_VARIABLES.join(", ")
        )));
    };
    if let Some(id) = stored_project(config, &region, key, around) {
        return Step::Done(id);
    }
    let name = around
        .variable("HW_PROJECT_NAME")
        .filter(|name| name.starts_with(&format!("{region}_")))
        .unwrap_or(region);
    let draft = Draft::new("KeystoneListProjects", Method::GET, "/v3/projects")
        .with_query(format!("name={}", encode::percent(&name)));
    let request = iam(config, None, around)
        .and_then(|endpoint| sign(&endpoint, None, &draft, key, &around.stamp()));
    match request {
        Ok(request) => Step::ask(draft.operation, Reach::Service, request, move |reply, _| {
            reply.and_then(|reply| the_only_one(&reply, &name)).into()
        }),
        Err(fault) => Step::Failed(fault),
    }
}

#[derive(Deserialize)]
struct Projects {
    projects: Vec<Project>,
}

#[derive(Deserialize)]
struct Project {
    id: String,
}

fn the_only_one(reply: &Reply, name: &str) -> Result<String, Fault> {
    fault::check(reply)?;
    let Projects { projects } = fault::read(reply)?;
    let mut ids: Vec<String> = projects.into_iter().map(|project| project.id).collect();
    ids.retain(|id| is_project_id(id));
    let problem = match ids.as_slice() {
        [id] => return Ok(id.clone()),
        [] => format!("the key sees no project {name:?}"),
        several => format!(
            "there are several projects {name:?} ({})",
            several.join(", ")
        ),
    };
    let advice = format!("give a project id, such as by {}", PROJECT_VARIABLES[0]);
    Err(invalid(format!("{problem}: {advice}"))
        .with_status(reply.status)
        .with_request_id(fault::request_id(reply)))
}

#[cfg(test)]
mod tests;
