//! Credential source: the temporary key of the RAM role that is attached to this ECS instance.

use http::{HeaderName, HeaderValue, Method, header};
use lifecycle_core::{
    CredentialSource, CredentialSourceConfig, Endpoint, ExchangeStep, Fault, FaultKind,
    HttpResponse, ProviderContext, ResolvedCredential, Secret, ServiceKind,
    credential_source::unusable, encode, sensitive_header,
};

use super::temporary_key::{self, request_without_body};

/// Fetches the key of the instance's RAM role from the ECS metadata service. A metadata token is
/// requested first; requests without a token follow if no token is available and
/// `ALIBABA_CLOUD_IMDSV1_DISABLED` is off.
/// <https://www.alibabacloud.com/help/en/ecs/user-guide/attach-an-instance-ram-role-to-an-ecs-instance>
#[derive(Clone, Debug, Default)]
pub struct EcsRamRole {
    role: Option<String>,
    config: CredentialSourceConfig,
}

impl EcsRamRole {
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

    /// Sets the name of the role. Defaults to `ALIBABA_CLOUD_ECS_METADATA`, else to the attached
    /// role.
    #[must_use]
    pub fn with_role(mut self, name: impl Into<String>) -> Self {
        self.role = Some(name.into());
        self
    }

    fn try_begin(
        &self,
        ctx: &ProviderContext<'_>,
    ) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
        let endpoint = match &self.config.metadata {
            Some(endpoint) => endpoint.clone(),
            None => Endpoint::parse(ADDRESS)
                .map_err(|error| unusable("the metadata service", &error.to_string()))?,
        };
        MetadataLookup {
            endpoint,
            role: self.role.clone().or_else(|| ctx.variable(ROLE_NAME_VAR)),
            token: None,
            allows_tokenless: !ctx.is_on(IMDSV1_DISABLED_VAR),
            has_response: false,
        }
        .request_token()
    }
}

impl CredentialSource for EcsRamRole {
    fn name(&self) -> String {
        "ECS RAM role".to_owned()
    }

    fn requirements(&self) -> String {
        "a RAM role of the ECS instance".to_owned()
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        if ctx.is_on(METADATA_DISABLED_VAR) {
            return ExchangeStep::NotConfigured(format!(
                "the metadata service is not used because of {METADATA_DISABLED_VAR}"
            ));
        }
        self.try_begin(ctx).unwrap_or_else(ExchangeStep::Failed)
    }
}

pub(super) const ADDRESS: &str = "http://100.100.100.200";
const METADATA_DISABLED_VAR: &str = "ALIBABA_CLOUD_ECS_METADATA_DISABLED";
const ROLE_NAME_VAR: &str = "ALIBABA_CLOUD_ECS_METADATA";
const IMDSV1_DISABLED_VAR: &str = "ALIBABA_CLOUD_IMDSV1_DISABLED";
const ROLE_PATH: &str = "/latest/meta-data/ram/security-credentials/";

static TOKEN_LIFETIME: HeaderName =
    HeaderName::from_static("x-aliyun-ecs-metadata-token-ttl-seconds");
static TOKEN: HeaderName = HeaderName::from_static("x-aliyun-ecs-metadata-token");

/// The state of a lookup: first the metadata token, then the role name, then the key.
struct MetadataLookup {
    endpoint: Endpoint,
    role: Option<String>,
    token: Option<Secret>,
    /// True if requests without a token are allowed.
    allows_tokenless: bool,
    /// True after the first response of the service.
    has_response: bool,
}

impl MetadataLookup {
    fn request_token(self) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
        let mut request =
            request_without_body(Method::PUT, &self.endpoint, "/latest/api/token".to_owned())?;
        let six_hours = HeaderValue::from_static("21600");
        request.headers_mut().insert(&TOKEN_LIFETIME, six_hours);
        // Explicit, because HTTP clients omit the header in a request without a body.
        let zero = HeaderValue::from_static("0");
        request.headers_mut().insert(header::CONTENT_LENGTH, zero);
        let then = |response, _: &ProviderContext<'_>| {
            self.on_token_response(response)
                .unwrap_or_else(ExchangeStep::Failed)
        };
        Ok(ExchangeStep::http(
            "token",
            ServiceKind::Metadata,
            request,
            then,
        ))
    }

    /// Continues without a token if the service does not support tokens, or if the token response
    /// does not reach this process, as in some containers.
    fn on_token_response(
        mut self,
        response: Result<HttpResponse, Fault>,
    ) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
        match response {
            Err(fault) if fault.kind() == FaultKind::Unreachable => return Ok(self.not_found()),
            Err(_) if self.allows_tokenless => {}
            Err(fault) if fault.kind() == FaultKind::NoAnswer => return Ok(self.not_found()),
            Err(fault) => return Err(fault),
            Ok(response) => {
                self.has_response = true;
                self.token = token(&response);
                if self.token.is_none() && !self.allows_tokenless {
                    let reason = format!(
                        "returned no token, and {IMDSV1_DISABLED_VAR} forbids requests without a token"
                    );
                    return Err(self.fault(&response, &reason));
                }
            }
        }
        match self.role.take() {
            Some(role) => self.request_key(role),
            None => self.request_role(),
        }
    }

    fn request_role(self) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
        self.get(
            "security-credentials",
            ROLE_PATH.to_owned(),
            Self::on_role_response,
        )
    }

    fn on_role_response(
        self,
        response: &HttpResponse,
    ) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
        let no_role = || {
            let reason = format!("the metadata service at {} has no RAM role", self.endpoint);
            Ok(ExchangeStep::NotConfigured(reason))
        };
        if response.status().as_u16() == 404 {
            return no_role();
        }
        if !response.status().is_success() {
            return Err(self.fault(response, "did not return the RAM role"));
        }
        let text = String::from_utf8_lossy(response.body());
        match text.trim().lines().next() {
            None => no_role(),
            Some(name) if is_role_name(name) => self.request_key(name.to_owned()),
            Some(_) => {
                let reason = "returned an invalid RAM role name: it may be another service";
                Err(self.fault(response, reason))
            }
        }
    }

    fn request_key(self, role: String) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
        let path = format!("{ROLE_PATH}{}", encode::percent(&role));
        self.get("security-credentials", path, move |lookup, response| {
            if response.status().as_u16() == 404 {
                let reason = format!(
                    "is not attached to this ECS instance (metadata service at {})",
                    lookup.endpoint
                );
                return Err(unusable(&format!("RAM role {role}"), &reason).with_status(404));
            }
            let source = format!("role {role} (ECS metadata)");
            temporary_key::read_metadata_response(response, &source).map(ExchangeStep::Done)
        })
    }

    /// Sends a GET, and repeats a rejected GET once without the token.
    fn get(
        mut self,
        operation: &'static str,
        path: String,
        on_response: impl FnOnce(Self, &HttpResponse) -> Result<ExchangeStep<ResolvedCredential>, Fault>
        + Send
        + 'static,
    ) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
        let mut request = request_without_body(Method::GET, &self.endpoint, path.clone())?;
        if let Some(token) = &self.token {
            let token = sensitive_header(token.expose())?;
            request.headers_mut().insert(&TOKEN, token);
        }
        let then = move |response: Result<HttpResponse, Fault>, _: &ProviderContext<'_>| {
            let next = match response {
                Err(fault) => match fault.kind() {
                    FaultKind::Unreachable | FaultKind::NoAnswer if !self.has_response => {
                        Ok(self.not_found())
                    }
                    _ => Err(fault),
                },
                Ok(response)
                    if !response.status().is_success()
                        && self.token.is_some()
                        && self.allows_tokenless =>
                {
                    self.token = None;
                    self.get(operation, path, on_response)
                }
                Ok(response) => {
                    self.has_response = true;
                    on_response(self, &response)
                }
            };
            next.unwrap_or_else(ExchangeStep::Failed)
        };
        Ok(ExchangeStep::http(
            operation,
            ServiceKind::Metadata,
            request,
            then,
        ))
    }

    fn not_found(&self) -> ExchangeStep<ResolvedCredential> {
        ExchangeStep::NotConfigured(format!(
            "no metadata service at {}: this machine is not an ECS instance, or the service is off",
            self.endpoint
        ))
    }

    /// Returns the fault of an unusable response. The kind follows the HTTP status.
    fn fault(&self, response: &HttpResponse, reason: &str) -> Fault {
        let message = format!("the metadata service at {} {reason}", self.endpoint);
        let fault = match temporary_key::check_status(response) {
            Err(fault) => fault,
            Ok(()) => Fault::new(FaultKind::Unreadable, "").with_status(response.status().as_u16()),
        };
        fault.with_message(message)
    }
}

/// Returns the token of a response; `None` for a text that is not a valid header value.
fn token(response: &HttpResponse) -> Option<Secret> {
    let text = str::from_utf8(response.body()).ok()?.trim();
    let is_valid =
        response.status().is_success() && !text.is_empty() && sensitive_header(text).is_ok();
    is_valid.then(|| Secret::new(text))
}

/// <https://www.alibabacloud.com/help/en/ram/developer-reference/api-ram-2015-05-01-createrole>
fn is_role_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    (1..=64).contains(&text.len()) && text.bytes().all(allowed)
}
