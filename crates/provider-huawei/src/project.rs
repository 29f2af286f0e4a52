//! Which project a key works in: <https://support.huaweicloud.com/intl/en-us/api-iam/iam_06_0001.html>.

use http::Method;
use lifecycle_core::{
    Credential, CredentialSourceConfig, ExchangeStep, Fault, HttpResponse, ProviderContext,
    ServiceKind, UnsignedRequest, encode,
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
pub fn project(
    config: &CredentialSourceConfig,
    key: &Credential,
    ctx: &ProviderContext<'_>,
) -> ExchangeStep<String> {
    if let Some(id) = ctx.first_variable(PROJECT_VARIABLES) {
        return ExchangeStep::Done(id);
    }
    let Some(region) = region(config, ctx) else {
        return ExchangeStep::Failed(invalid(format!(
            "without a region no project can be looked up: give a region or a project id ({})",
            PROJECT_VARIABLES.join(", ")
        )));
    };
    if let Some(id) = stored_project(config, &region, key, ctx) {
        return ExchangeStep::Done(id);
    }
    let name = ctx
        .variable("HW_PROJECT_NAME")
        .filter(|name| name.starts_with(&format!("{region}_")))
        .unwrap_or(region);
    let draft = UnsignedRequest::new("KeystoneListProjects", Method::GET, "/v3/projects")
        .with_query(format!("name={}", encode::percent(&name)));
    let request = iam(config, None, ctx)
        .and_then(|endpoint| sign(&endpoint, None, &draft, key, &ctx.signing_context()));
    match request {
        Ok(request) => ExchangeStep::http(
            draft.operation,
            ServiceKind::Identity,
            request,
            move |reply, _| reply.and_then(|reply| the_only_one(&reply, &name)).into(),
        ),
        Err(fault) => ExchangeStep::Failed(fault),
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

fn the_only_one(reply: &HttpResponse, name: &str) -> Result<String, Fault> {
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
        .with_status(reply.status().as_u16())
        .with_request_id(fault::request_id(reply)))
}

#[cfg(test)]
mod tests;
