//! A key from a URL that somebody else serves.

use std::net::Ipv4Addr;

use http::Method;
use lifecycle_core::{
    CredentialSource, Endpoint, ExchangeStep, Fault, ProviderContext, ResolvedCredential,
    ServiceKind, credential_source::unusable,
};

use super::{
    ecs_ram_role,
    session::{self, request},
};

/// The temporary key that a GET of a URL answers with, in the form of the ECS metadata service:
/// `{"Code":"Success","AccessKeyId":…,"AccessKeySecret":…,"SecurityToken":…,"Expiration":…}`.
///
/// Only where the URL leads is ever shown, not its path and query.
#[derive(Clone, Default)]
pub struct CredentialsUri {
    uri: Option<String>,
}

impl CredentialsUri {
    /// With this URL, such as `http://127.0.0.1:6666/key`.
    pub fn new(uri: impl Into<String>) -> Self {
        Self {
            uri: Some(uri.into()),
        }
    }

    /// With the URL in `ALIBABA_CLOUD_CREDENTIALS_URI`.
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

    fn wants(&self) -> String {
        VARIABLE.to_owned()
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        match self.uri.clone().or_else(|| ctx.variable(VARIABLE)) {
            Some(uri) => ask(&uri).unwrap_or_else(ExchangeStep::Failed),
            None => ExchangeStep::NotConfigured(format!("{VARIABLE} is not set")),
        }
    }
}

pub(super) const VARIABLE: &str = "ALIBABA_CLOUD_CREDENTIALS_URI";

fn ask(uri: &str) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
    let (endpoint, target) = split(uri.trim())
        .map_err(|reason| unusable(&format!("the credentials URI ({VARIABLE})"), reason))?;
    let found = format!("credentials URI at {endpoint}");
    let reach = reach(&endpoint);
    let request = request(Method::GET, &endpoint, target)?;
    let then = move |reply: Result<_, Fault>, _: &ProviderContext<'_>| {
        reply.and_then(|reply| session::told(&reply, &found)).into()
    };
    Ok(ExchangeStep::http("credentials-uri", reach, request, then))
}

/// The URL is not repeated in the reason: any part of it may be a secret.
fn split(uri: &str) -> Result<(Endpoint, String), &'static str> {
    let parts = uri
        .parse::<http::Uri>()
        .map_err(|_| "is no URL")?
        .into_parts();
    let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
        return Err("is no whole URL: write http:// or https://, a host and a path");
    };
    let endpoint = Endpoint::parse(&format!("{scheme}://{authority}"))
        .map_err(|_| "has no http:// or https:// and a host without a user name in front")?;
    let target = match parts.path_and_query {
        Some(target) => target.to_string(),
        None => "/".to_owned(),
    };
    Ok((endpoint, target))
}

/// The addresses at which a machine's own metadata services are, or else any service.
fn reach(endpoint: &Endpoint) -> ServiceKind {
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
