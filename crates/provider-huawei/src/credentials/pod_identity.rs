//! Credential source: a temporary key from the pod identity agent of the node:
//! `PodIdentityCredentialProvider` of huaweicloudsdkcore.

use std::net::IpAddr;

use bytes::Bytes;
use http::{
    Method, Request, Uri,
    header::{AUTHORIZATION, CONTENT_TYPE, HOST},
};
use lifecycle_core::{
    CredentialSource, ExchangeStep, Fault, ProviderContext, ResolvedCredential, ServiceKind,
    credential_source::{not_set, unusable},
    header, sensitive_header,
};

use super::{identity_provider::read_token_file, temporary_key};

/// Fetches the key of a pod from an agent on the node. The environment variables
/// `HC_CONTAINER_CREDENTIALS_FULL_URI` and `HC_CONTAINER_AUTHORIZATION_TOKEN_FILE` configure the
/// request.
#[derive(Clone, Copy, Debug, Default)]
pub struct PodIdentity(());

impl PodIdentity {
    /// Creates a source that is configured by environment variables only.
    pub fn new() -> Self {
        Self::default()
    }

    fn try_begin(
        self,
        ctx: &ProviderContext<'_>,
    ) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
        let (uri, file) = match [URI_VAR, TOKEN_FILE].map(|name| ctx.variable(name)) {
            [Some(uri), Some(file)] => (uri, file),
            [None, None] => return Ok(ExchangeStep::NotConfigured(not_set(&self.requirements()))),
            [Some(_), None] => return Err(incomplete(URI_VAR, TOKEN_FILE)),
            [None, Some(_)] => return Err(incomplete(TOKEN_FILE, URI_VAR)),
        };
        let uri: Uri = uri.parse().map_err(|_| unusable(URI_VAR, "is not a URL"))?;
        let is_http = uri
            .scheme_str()
            .is_some_and(|s| matches!(s, "http" | "https"));
        let Some(authority) = uri.authority().filter(|_| is_http) else {
            return Err(unusable(
                URI_VAR,
                "is not a URL that starts with https:// or http://",
            ));
        };
        // The part before an @ is a user name and a password, which messages would show.
        if authority.as_str().contains('@') {
            return Err(unusable(
                URI_VAR,
                "has a user name: write the URL without it",
            ));
        }
        let token = read_token_file(&file, ctx)?;
        let mut request = Request::new(Bytes::from_static(b"{}"));
        *request.method_mut() = Method::POST;
        let headers = request.headers_mut();
        headers.insert(HOST, header(authority.as_str())?);
        headers.insert(CONTENT_TYPE, header("application/json")?);
        headers.insert(AUTHORIZATION, sensitive_header(token.expose())?);
        let service = service_kind(authority.host());
        *request.uri_mut() = uri;
        Ok(ExchangeStep::http(
            "PodIdentity",
            service,
            request,
            |response, _| {
                response
                    .and_then(|response| {
                        temporary_key::read(&response, "identity of this pod".to_owned())
                    })
                    .into()
            },
        ))
    }
}

impl CredentialSource for PodIdentity {
    fn name(&self) -> String {
        "pod identity".to_owned()
    }

    fn requirements(&self) -> String {
        format!("{URI_VAR} and {TOKEN_FILE}")
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        self.try_begin(ctx).unwrap_or_else(ExchangeStep::Failed)
    }
}

/// Treats an address on the node as a metadata service.
fn service_kind(host: &str) -> ServiceKind {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse();
    match address {
        Ok(IpAddr::V4(address)) if address.is_link_local() => ServiceKind::Metadata,
        Ok(IpAddr::V6(address)) if address.is_unicast_link_local() => ServiceKind::Metadata,
        Ok(address) if address.is_loopback() => ServiceKind::Metadata,
        _ => ServiceKind::Identity,
    }
}

fn incomplete(present: &str, absent: &str) -> Fault {
    let reason = format!("is set, but {absent} is not: set both or neither");
    unusable(present, &reason)
}

const URI_VAR: &str = "HC_CONTAINER_CREDENTIALS_FULL_URI";
const TOKEN_FILE: &str = "HC_CONTAINER_AUTHORIZATION_TOKEN_FILE";
