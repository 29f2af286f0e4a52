//! The look-up of the project id of a Huawei key:
//! <https://support.huaweicloud.com/intl/en-us/api-iam/iam_06_0001.html>.

use http::Method;
use lifecycle_core::{
    Credential, CredentialSourceConfig, ExchangeStep, Fault, HttpResponse, LenientObject,
    ProviderContext, UnsignedRequest, encode,
};
use serde::Deserialize;

use crate::{
    config::is_project_id,
    credentials::stored_project,
    fault,
    identity::{Links, iam_endpoint, invalid, region},
    sign::sign,
};

/// Environment variables that may hold the project id for [`Config::new`](crate::Config::new), in
/// order of precedence: the variable of Huawei's SDKs, then of Huawei's Terraform provider.
pub const PROJECT_VARIABLES: &[&str] = &["HUAWEICLOUD_SDK_PROJECT_ID", "HW_PROJECT_ID"];

/// Finds the id of the project that `key` can use in the region of `config`.
///
/// The sources, in order: [`PROJECT_VARIABLES`]; the project of the profile with the same key, in
/// the file of Huawei's SDKs or of Huawei's command line; IAM. A file that cannot be read is a fault,
/// because the file may name another project than IAM. The IAM project has the name of the region, or the
/// name in `HW_PROJECT_NAME` if `HW_PROJECT_NAME` is a sub-project of the region.
/// Zero or several matching projects are a fault: the project id must be configured then.
pub fn find_project_id(
    config: &CredentialSourceConfig,
    key: &Credential,
    ctx: &ProviderContext<'_>,
) -> ExchangeStep<String> {
    if let Some(id) = ctx.first_variable(PROJECT_VARIABLES) {
        return ExchangeStep::Done(id);
    }
    let Some(region) = region(config, ctx) else {
        return ExchangeStep::Failed(invalid(format!(
            "no region and no project id: set a region or a project id ({})",
            PROJECT_VARIABLES.join(", ")
        )));
    };
    match stored_project(config, &region, key, ctx) {
        Ok(Some(id)) => return ExchangeStep::Done(id),
        Ok(None) => {}
        Err(fault) => return ExchangeStep::Failed(fault),
    }
    let name = ctx
        .variable("HW_PROJECT_NAME")
        .filter(|name| name.starts_with(&format!("{region}_")))
        .unwrap_or(region);
    let unsigned = UnsignedRequest::new("KeystoneListProjects", Method::GET, "/v3/projects")
        .with_query(format!("name={}", encode::percent(&name)));
    let request = iam_endpoint(config, None, ctx)
        .and_then(|endpoint| sign(&endpoint, None, &unsigned, key, &ctx.signing_context()));
    ExchangeStep::signed(unsigned.operation, request, key, move |response| {
        read_project_id(response, &name)
    })
}

#[derive(Deserialize)]
struct Projects {
    projects: Vec<Project>,
    #[serde(default)]
    links: LenientObject<Links>,
}

#[derive(Deserialize)]
struct Project {
    id: String,
}

/// Returns the id of the only project in the response.
fn read_project_id(response: &HttpResponse, name: &str) -> Result<String, Fault> {
    fault::check(response)?;
    let Projects { projects, links } = fault::read(response)?;
    links.0.unwrap_or_default().check_last_page(response)?;
    let mut ids: Vec<String> = projects.into_iter().map(|project| project.id).collect();
    ids.retain(|id| is_project_id(id));
    let problem = match ids.as_slice() {
        [id] => return Ok(id.clone()),
        [] => format!("this key cannot access a project {name:?}: check the region name"),
        ids => format!(
            "several projects have the name {name:?} ({})",
            ids.join(", ")
        ),
    };
    Err(invalid(problem)
        .with_status(response.status().as_u16())
        .with_request_id(fault::request_id(response)))
}

#[cfg(test)]
mod tests;
