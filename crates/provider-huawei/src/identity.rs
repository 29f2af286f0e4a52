//! Huawei's identity service (IAM) and its token service (STS): where they are, and unsigned
//! requests to them.

use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, Method, Request,
    header::{CONTENT_TYPE, HOST},
};
use lifecycle_core::{
    CredentialSourceConfig, Endpoint, Fault, FaultKind, ParseEndpointError, ProviderContext, header,
};
use serde_json::Value;

/// The domain of Huawei Cloud itself.
pub(crate) const DOMAIN: &str = "myhuaweicloud.com";

/// The host of a service in a region.
pub(crate) fn host(
    service: &str,
    region: &str,
    domain: &str,
) -> Result<Endpoint, ParseEndpointError> {
    Endpoint::of_region(region, |region| format!("{service}.{region}.{domain}"))
}

/// Another domain than Huawei Cloud's own, by the variable of its Terraform provider.
pub(crate) fn domain(ctx: &ProviderContext<'_>) -> Option<String> {
    ctx.variable("HW_CLOUD").filter(|domain| domain != DOMAIN)
}

/// The region meant, in lower case; where the caller names none, that of Huawei's Terraform
/// provider.
pub(crate) fn region(config: &CredentialSourceConfig, ctx: &ProviderContext<'_>) -> Option<String> {
    let region = config
        .region
        .clone()
        .or_else(|| ctx.variable("HW_REGION_NAME"))?;
    Some(region.to_ascii_lowercase())
}

/// Where IAM is: what the caller says, `stored` of a profile (its name and value), Huawei's own
/// variables, the region's own host where there is one, else one for all.
pub(crate) fn iam(
    config: &CredentialSourceConfig,
    stored: Option<(&str, &str)>,
    ctx: &ProviderContext<'_>,
) -> Result<Endpoint, Fault> {
    if let Some(endpoint) = &config.identity {
        return Ok(endpoint.clone());
    }
    if let Some((place, text)) = stored {
        return parse(place, text);
    }
    if let Some(text) = ctx.variable(IAM_ENDPOINT) {
        return parse(IAM_ENDPOINT, &text);
    }
    if let Some(text) = ctx.variable(AUTH_URL) {
        // Terraform's has the version of the API, which is part of our paths.
        let text = text.trim_end_matches('/');
        return parse(AUTH_URL, text.strip_suffix("/v3").unwrap_or(text));
    }
    of_region("iam", config, ctx, &IAM_REGIONS, "iam.myhuaweicloud.com")
}

/// Where STS is. Huawei's SDK asks that of `cn-north-4` for every region when it assumes an agency;
/// its own table of hosts serves here.
pub(crate) fn sts(
    config: &CredentialSourceConfig,
    ctx: &ProviderContext<'_>,
) -> Result<Endpoint, Fault> {
    if let Some(endpoint) = &config.identity {
        return Ok(endpoint.clone());
    }
    if let Some(text) = ctx.variable(STS_ENDPOINT) {
        return parse(STS_ENDPOINT, &text);
    }
    of_region(
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

fn parse(place: &str, text: &str) -> Result<Endpoint, Fault> {
    Endpoint::parse(text).map_err(|error| invalid(format!("{place}: {error}")))
}

/// Partner clouds have a host in each region; Huawei's own regions have one if they are in the
/// table.
fn of_region(
    service: &str,
    config: &CredentialSourceConfig,
    ctx: &ProviderContext<'_>,
    regions: &[&str],
    otherwise: &str,
) -> Result<Endpoint, Fault> {
    let endpoint = match (region(config, ctx), domain(ctx)) {
        (Some(region), Some(domain)) => host(service, &region, &domain),
        (Some(region), None) if regions.contains(&region.as_str()) => {
            host(service, &region, DOMAIN)
        }
        _ => Endpoint::parse(otherwise),
    };
    endpoint.map_err(|error| invalid(error.to_string()))
}

/// An unsigned request with a JSON body. Further headers are given ready, because some of them are
/// secret.
pub(crate) fn post(
    endpoint: &Endpoint,
    path: &str,
    further: Option<(&'static str, HeaderValue)>,
    body: &Value,
) -> Result<Request<Bytes>, Fault> {
    let json = HeaderValue::from_static("application/json;charset=UTF-8");
    let headers = [Some((CONTENT_TYPE.as_str(), json)), further];
    let mut request = unsigned(endpoint, Method::POST, path, headers.into_iter().flatten())?;
    *request.body_mut() = body.to_string().into();
    Ok(request)
}

/// An unsigned request without a body.
pub(crate) fn unsigned(
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

/// The regions that have an IAM of their own, by `auth/endpoint.py` of huaweicloudsdkcore 3.1.219.
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

/// The regions that have an STS of their own, by the same file.
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
