//! Credential source: a temporary key from a URL.

use std::net::Ipv4Addr;

use http::Method;
use lifecycle_core::{
    CredentialSource, Endpoint, ExchangeStep, Fault, ProviderContext, ResolvedCredential, Secret,
    ServiceKind, credential_source::unusable, mark_secrets,
};
use percent_encoding::percent_decode_str;

use super::{
    ecs_ram_role,
    temporary_key::{self, request_without_body},
};

/// Fetches a temporary key from a URL. The response has the format of the ECS metadata service:
/// `{"Code":"Success","AccessKeyId":…,"AccessKeySecret":…,"SecurityToken":…,"Expiration":…}`.
///
/// Messages show the host of the URL only: the path and the query may hold a secret.
#[derive(Clone, Default)]
pub struct CredentialsUri {
    uri: Option<String>,
}

impl CredentialsUri {
    /// Fetches the key from `uri`, such as `http://127.0.0.1:6666/key`.
    pub fn new(uri: impl Into<String>) -> Self {
        Self {
            uri: Some(uri.into()),
        }
    }

    /// Fetches the key from the URL in `ALIBABA_CLOUD_CREDENTIALS_URI`.
    pub fn from_variable() -> Self {
        Self::default()
    }
}

impl std::fmt::Debug for CredentialsUri {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CredentialsUri").finish_non_exhaustive()
    }
}

impl CredentialSource for CredentialsUri {
    fn name(&self) -> String {
        "credentials URI".to_owned()
    }

    fn requirements(&self) -> String {
        URI_VAR.to_owned()
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        match self.uri.clone().or_else(|| ctx.variable(URI_VAR)) {
            Some(uri) => fetch(&uri).unwrap_or_else(ExchangeStep::Failed),
            None => ExchangeStep::NotConfigured(format!("{URI_VAR} is not set")),
        }
    }
}

pub(super) const URI_VAR: &str = "ALIBABA_CLOUD_CREDENTIALS_URI";

fn fetch(uri: &str) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
    let (endpoint, target) = split(uri.trim())
        .map_err(|reason| unusable(&format!("the credentials URI ({URI_VAR})"), reason))?;
    let source = format!("credentials URI at {endpoint}");
    let service = service_kind(&endpoint);
    let secrets = secrets_in(&target);
    let mut request = request_without_body(Method::GET, &endpoint, target)?;
    mark_secrets(&mut request, &secrets);
    let then = move |response: Result<_, Fault>, _: &ProviderContext<'_>| {
        response
            .and_then(|response| temporary_key::read_metadata_response(&response, &source))
            .into()
    };
    Ok(ExchangeStep::http(
        "credentials-uri",
        service,
        request,
        then,
    ))
}

/// Returns the target of a request and each value of its query. The URL may hold a token of the service,
/// and a response may repeat the token alone.
fn secrets_in(target: &str) -> Vec<Secret> {
    let query = target.split_once('?').map_or("", |(_, query)| query);
    let values = query.split('&').map(|pair| {
        let value = pair.split_once('=').map_or(pair, |(_, value)| value);
        percent_decode_str(value).decode_utf8_lossy()
    });
    [target.into()]
        .into_iter()
        .chain(values)
        .map(Secret::new)
        .collect()
}

/// Splits a URL into endpoint and request target. The error never repeats the URL, which may hold a
/// secret.
fn split(uri: &str) -> Result<(Endpoint, String), &'static str> {
    let parts = uri
        .parse::<http::Uri>()
        .map_err(|_| "is not a URL")?
        .into_parts();
    let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
        return Err("is not a complete URL: write http:// or https://, a host and a path");
    };
    let endpoint = Endpoint::parse(&format!("{scheme}://{authority}"))
        .map_err(|_| "is not an http:// or https:// URL with a host and without a user name")?;
    let target = match parts.path_and_query {
        Some(target) => target.to_string(),
        None => "/".to_owned(),
    };
    Ok((endpoint, target))
}

/// Treats link-local addresses and the address of the ECS metadata service as metadata services.
fn service_kind(endpoint: &Endpoint) -> ServiceKind {
    let text = endpoint.to_string();
    let Some(authority) = text.strip_prefix("http://") else {
        return ServiceKind::Identity;
    };
    let host = authority.split(':').next().unwrap_or_default();
    let is_link_local = host
        .parse()
        .is_ok_and(|host: Ipv4Addr| host.is_link_local());
    if is_link_local || ecs_ram_role::ADDRESS == format!("http://{host}") {
        ServiceKind::Metadata
    } else {
        ServiceKind::Identity
    }
}
