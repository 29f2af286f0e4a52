//! Credential source: the temporary key of the agency of this ECS server:
//! <https://support.huaweicloud.com/intl/en-us/usermanual-ecs/ecs_03_0166.html> and
//! `MetadataAccessor` of huaweicloudsdkcore.

use http::{HeaderValue, Method};
use lifecycle_core::{
    CredentialSource, CredentialSourceConfig, Endpoint, ExchangeStep, Fault, FaultKind,
    HttpResponse, ProviderContext, ResolvedCredential, ResponseExt, Secret, ServiceKind,
    sensitive_header,
};

use super::temporary_key::{self, RENEW_BEFORE_EXPIRY};
use crate::{
    fault,
    identity::{invalid, unsigned_request},
};

/// Fetches the key of the server's agency (委托) from the metadata service.
///
/// A key is valid for a day and is renewed 40 minutes before the expiry, as in Huawei's SDK.
#[derive(Clone, Debug, Default)]
pub struct EcsAgency {
    config: CredentialSourceConfig,
}

impl EcsAgency {
    /// Creates a source that uses the fixed address of the metadata service.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the address of the metadata service.
    #[must_use]
    pub fn with_config(mut self, config: CredentialSourceConfig) -> Self {
        self.config = config;
        self
    }
}

impl CredentialSource for EcsAgency {
    fn name(&self) -> String {
        "ECS agency".to_owned()
    }

    fn requirements(&self) -> String {
        "an agency of the ECS server".to_owned()
    }

    fn begin(&self, _: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        let endpoint = match &self.config.metadata {
            Some(endpoint) => Ok(endpoint.clone()),
            None => Endpoint::parse("http://169.254.169.254"),
        };
        match endpoint {
            Ok(endpoint) => MetadataService(endpoint).begin(),
            Err(error) => ExchangeStep::Failed(invalid(error.to_string())),
        }
    }
}

/// The metadata service.
#[derive(Clone)]
struct MetadataService(Endpoint);

impl MetadataService {
    /// Requests a token. The service may be missing, or may not support tokens.
    fn begin(self) -> ExchangeStep<ResolvedCredential> {
        let service = self.clone();
        self.request_token(move |response| match response {
            Ok(response) if response.status().as_u16() == 200 => {
                service.request_key(Some(token(&response)), TokenRetry::Allowed)
            }
            Ok(response) if has_no_tokens(&response) => {
                service.request_key(None, TokenRetry::Allowed)
            }
            Ok(response) if is_client_error(&response) => ExchangeStep::NotConfigured(format!(
                "the metadata service at {} does not belong to Huawei Cloud: HTTP {}",
                service.0,
                response.status().as_u16()
            )),
            Ok(response) => ExchangeStep::Failed(fault_of(&response)),
            Err(fault) if is_no_response(&fault) => ExchangeStep::NotConfigured(format!(
                "no metadata service at {}: this machine is not an ECS server of Huawei Cloud, or \
                 the service is off",
                service.0
            )),
            Err(fault) => ExchangeStep::Failed(fault),
        })
    }

    fn request_key(
        self,
        token: Option<Secret>,
        retry: TokenRetry,
    ) -> ExchangeStep<ResolvedCredential> {
        let header = token
            .as_ref()
            .map(|token| sensitive_header(token.expose()))
            .transpose();
        let request = header.and_then(|header| {
            let headers = header.map(|value| ("x-metadata-token", value));
            unsigned_request(&self.0, Method::GET, KEY_PATH, headers)
        });
        let request = match request {
            Ok(request) => request,
            Err(fault) => return ExchangeStep::Failed(fault),
        };
        ExchangeStep::http(
            "securitykey",
            ServiceKind::Metadata,
            request,
            move |response, _| {
                let response = match response {
                    Ok(response) => response,
                    Err(fault) => return ExchangeStep::Failed(fault),
                };
                match response.status().as_u16() {
                    401 if response.contains("Please configure Cloud Service Agency first") => {
                        ExchangeStep::NotConfigured("this ECS server has no agency".to_owned())
                    }
                    401 if retry == TokenRetry::Allowed => {
                        self.retry_with_new_token(token.is_some(), response)
                    }
                    404 => ExchangeStep::NotConfigured(format!(
                        "the metadata service at {} has no key",
                        self.0
                    )),
                    _ => temporary_key::read(&response, "ECS agency (metadata)".to_owned())
                        .map(|resolved| resolved.with_renewal(RENEW_BEFORE_EXPIRY))
                        .into(),
                }
            },
        )
    }

    /// Requests a token after a 401: the service rejected the token, or requires a token.
    fn retry_with_new_token(
        self,
        had_token: bool,
        rejection: HttpResponse,
    ) -> ExchangeStep<ResolvedCredential> {
        let service = self.clone();
        self.request_token(move |response| match response {
            Ok(response) if response.status().as_u16() == 200 => {
                service.request_key(Some(token(&response)), TokenRetry::Used)
            }
            Ok(response) if !had_token && has_no_tokens(&response) => {
                ExchangeStep::NotConfigured(format!(
                    "the metadata service at {} returned no key and no token",
                    service.0
                ))
            }
            Ok(_) => ExchangeStep::Failed(fault_of(&rejection)),
            Err(fault) => ExchangeStep::Failed(fault),
        })
    }

    fn request_token(
        &self,
        then: impl FnOnce(Result<HttpResponse, Fault>) -> ExchangeStep<ResolvedCredential>
        + Send
        + 'static,
    ) -> ExchangeStep<ResolvedCredential> {
        const SIX_HOURS: HeaderValue = HeaderValue::from_static("21600");
        let lifetime = [("x-metadata-token-ttl-seconds", SIX_HOURS)];
        match unsigned_request(&self.0, Method::PUT, TOKEN_PATH, lifetime) {
            Ok(request) => {
                ExchangeStep::http("token", ServiceKind::Metadata, request, |response, _| {
                    then(response)
                })
            }
            Err(fault) => ExchangeStep::Failed(fault),
        }
    }
}

const TOKEN_PATH: &str = "/meta-data/latest/api/token";
const KEY_PATH: &str = "/openstack/latest/securitykey";

/// The state of the single retry with a new token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TokenRetry {
    Allowed,
    Used,
}

fn token(response: &HttpResponse) -> Secret {
    Secret::new(String::from_utf8_lossy(response.body()).trim())
}

/// Detects an older metadata service without support for tokens.
fn has_no_tokens(response: &HttpResponse) -> bool {
    matches!(response.status().as_u16(), 404 | 405 | 503)
}

/// Detects the metadata service of another cloud, which requires other headers.
fn is_client_error(response: &HttpResponse) -> bool {
    (400..500).contains(&response.status().as_u16()) && response.status().as_u16() != 429
}

fn is_no_response(fault: &Fault) -> bool {
    matches!(fault.kind(), FaultKind::Unreachable | FaultKind::NoAnswer)
}

/// Returns the fault of an error response.
fn fault_of(response: &HttpResponse) -> Fault {
    fault::check(response)
        .err()
        .unwrap_or_else(|| temporary_key::unreadable(response, "unexpected status"))
}
