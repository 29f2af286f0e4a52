//! Endpoints of Huawei's identity service (IAM) and token service (STS), and unsigned requests for
//! both services.

use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, Method, Request,
    header::{CONTENT_TYPE, HOST},
};
use lifecycle_core::{
    CredentialSourceConfig, Endpoint, Fault, FaultKind, HttpResponse, LenientText,
    ParseEndpointError, ProviderContext, ResponseExt, header,
};
use serde::Deserialize;
use serde_json::Value;

/// The links in a list of IAM. IAM sends the whole list, so the next page is `null`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Links {
    next: LenientText,
}

impl Links {
    /// Checks that the list has no other page: a part of the list must not pass for the whole list.
    pub(crate) fn check_last_page(&self, response: &HttpResponse) -> Result<(), Fault> {
        match &self.next.0 {
            Some(_) => Err(response.unreadable("the list has another page")),
            None => Ok(()),
        }
    }
}

/// The default domain of Huawei Cloud.
pub(crate) const DOMAIN: &str = "myhuaweicloud.com";

/// Returns the endpoint of a service in a region.
pub(crate) fn host(
    service: &str,
    region: &str,
    domain: &str,
) -> Result<Endpoint, ParseEndpointError> {
    Endpoint::of_region(region, |region| format!("{service}.{region}.{domain}"))
}

/// Returns a domain other than the default, from the variable of Huawei's Terraform provider.
pub(crate) fn domain(ctx: &ProviderContext<'_>) -> Option<String> {
    ctx.variable("HW_CLOUD").filter(|domain| domain != DOMAIN)
}

/// Returns the region in lower case: the caller's region, else the region of Huawei's Terraform
/// provider.
pub(crate) fn region(config: &CredentialSourceConfig, ctx: &ProviderContext<'_>) -> Option<String> {
    let region = config
        .region
        .clone()
        .or_else(|| ctx.variable("HW_REGION_NAME"))?;
    Some(region.to_ascii_lowercase())
}

/// Returns the endpoint of IAM. In order: the caller's endpoint, `stored` (location and value in a
/// profile), Huawei's environment variables, the host of the region, the central host.
pub(crate) fn iam_endpoint(
    config: &CredentialSourceConfig,
    stored: Option<(&str, &str)>,
    ctx: &ProviderContext<'_>,
) -> Result<Endpoint, Fault> {
    if let Some(endpoint) = &config.identity {
        return Ok(endpoint.clone());
    }
    if let Some((location, text)) = stored {
        return parse(location, text);
    }
    if let Some(text) = ctx.variable(IAM_ENDPOINT) {
        return parse(IAM_ENDPOINT, &text);
    }
    if let Some(text) = ctx.variable(AUTH_URL) {
        // The value for Terraform ends with the API version, which is part of the paths here.
        let text = text.trim_end_matches('/');
        return parse(AUTH_URL, text.strip_suffix("/v3").unwrap_or(text));
    }
    region_endpoint("iam", config, ctx, &IAM_REGIONS, "iam.myhuaweicloud.com")
}

/// Returns the endpoint of STS. Huawei's SDK uses `cn-north-4` for every region to assume an
/// agency; this function follows the SDK's table of hosts instead.
pub(crate) fn sts_endpoint(
    config: &CredentialSourceConfig,
    ctx: &ProviderContext<'_>,
) -> Result<Endpoint, Fault> {
    if let Some(endpoint) = &config.identity {
        return Ok(endpoint.clone());
    }
    if let Some(text) = ctx.variable(STS_ENDPOINT) {
        return parse(STS_ENDPOINT, &text);
    }
    region_endpoint(
        "sts",
        config,
        ctx,
        &STS_REGIONS,
        "sts.cn-north-4.myhuaweicloud.com",
    )
}

const IAM_ENDPOINT: &str = "HUAWEICLOUD_SDK_IAM_ENDPOINT";
const STS_ENDPOINT: &str = "HUAWEICLOUD_SDK_STS_ENDPOINT";
const AUTH_URL: &str = "HW_AUTH_URL";

fn parse(location: &str, text: &str) -> Result<Endpoint, Fault> {
    Endpoint::parse(text).map_err(|error| invalid(format!("{location}: {error}")))
}

/// Returns the host of the region, else `central`. Partner clouds have a host in each region; for
/// Huawei's regions, `regions` lists the regions with a host.
fn region_endpoint(
    service: &str,
    config: &CredentialSourceConfig,
    ctx: &ProviderContext<'_>,
    regions: &[&str],
    central: &str,
) -> Result<Endpoint, Fault> {
    let endpoint = match (region(config, ctx), domain(ctx)) {
        (Some(region), Some(domain)) => host(service, &region, &domain),
        (Some(region), None) if regions.contains(&region.as_str()) => {
            host(service, &region, DOMAIN)
        }
        _ => Endpoint::parse(central),
    };
    endpoint.map_err(|error| invalid(error.to_string()))
}

/// Builds an unsigned request with a JSON body. `extra_header` is a complete header value, because
/// the value may be marked as secret.
pub(crate) fn post(
    endpoint: &Endpoint,
    path: &str,
    extra_header: Option<(&'static str, HeaderValue)>,
    body: &Value,
) -> Result<Request<Bytes>, Fault> {
    let json = HeaderValue::from_static("application/json;charset=UTF-8");
    let headers = [Some((CONTENT_TYPE.as_str(), json)), extra_header];
    let mut request =
        unsigned_request(endpoint, Method::POST, path, headers.into_iter().flatten())?;
    *request.body_mut() = body.to_string().into();
    Ok(request)
}

/// Builds an unsigned request without a body.
pub(crate) fn unsigned_request(
    endpoint: &Endpoint,
    method: Method,
    path: &str,
    headers: impl IntoIterator<Item = (&'static str, HeaderValue)>,
) -> Result<Request<Bytes>, Fault> {
    let mut request = Request::new(Bytes::new());
    *request.method_mut() = method;
    *request.uri_mut() = endpoint
        .uri(path.to_owned())
        .map_err(|error| invalid(error.to_string()))?;
    request
        .headers_mut()
        .insert(HOST, header(endpoint.authority())?);
    for (name, value) in headers {
        request
            .headers_mut()
            .insert(HeaderName::from_static(name), value);
    }
    Ok(request)
}

pub(crate) fn invalid(message: impl Into<String>) -> Fault {
    Fault::new(FaultKind::Invalid, message)
}

/// Regions with an IAM host, from `auth/endpoint.py` of huaweicloudsdkcore 3.1.219.
const IAM_REGIONS: [&str; 27] = [
    "ae-ad-1",
    "af-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "cn-east-2",
    "cn-east-3",
    "cn-east-4",
    "cn-east-5",
    "cn-north-1",
    "cn-north-12",
    "cn-north-2",
    "cn-north-4",
    "cn-north-9",
    "cn-south-1",
    "cn-south-2",
    "cn-southwest-2",
    "eu-west-0",
    "la-north-2",
    "la-south-2",
    "me-east-1",
    "my-kualalumpur-1",
    "na-mexico-1",
    "ru-moscow-1",
    "sa-brazil-1",
    "tr-west-1",
];

/// Regions with an STS host, from the same file.
const STS_REGIONS: [&str; 12] = [
    "af-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "cn-east-3",
    "cn-north-4",
    "cn-south-1",
    "cn-southwest-2",
    "la-south-2",
    "sa-brazil-1",
    "tr-west-1",
];

#[cfg(test)]
mod tests;
