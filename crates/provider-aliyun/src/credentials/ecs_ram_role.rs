//! The key of the RAM role that is attached to this ECS instance, by its metadata service.

use http::{HeaderName, HeaderValue, Method, header};
use lifecycle_core::{
    CredentialSource, CredentialSourceConfig, Endpoint, ExchangeStep, Fault, FaultKind,
    HttpResponse, ProviderContext, ResolvedCredential, Secret, ServiceKind,
    credential_source::unusable, encode, sensitive_header,
};

use super::session::{self, request};

/// The key of the RAM role of the ECS instance on which this runs, from its metadata service: in
/// token mode, else without a token unless that is forbidden.
/// <https://www.alibabacloud.com/help/en/ecs/user-guide/attach-an-instance-ram-role-to-an-ecs-instance>
#[derive(Clone, Debug, Default)]
pub struct EcsRamRole {
    role: Option<String>,
    config: CredentialSourceConfig,
}

impl EcsRamRole {
    /// As the variables have it, at the fixed address of the metadata service.
    pub fn new() -> Self {
        Self::default()
    }

    /// With the address of the metadata service that `config` gives.
    #[must_use]
    pub fn with_config(mut self, config: CredentialSourceConfig) -> Self {
        self.config = config;
        self
    }

    /// With this role. Without it that of `ALIBABA_CLOUD_ECS_METADATA`, else whichever is attached.
    #[must_use]
    pub fn with_role(mut self, name: impl Into<String>) -> Self {
        self.role = Some(name.into());
        self
    }

    fn visit(&self, ctx: &ProviderContext<'_>) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
        let endpoint = match &self.config.metadata {
            Some(endpoint) => endpoint.clone(),
            None => Endpoint::parse(ADDRESS)
                .map_err(|error| unusable("the metadata service", &error.to_string()))?,
        };
        Visit {
            endpoint,
            role: self.role.clone().or_else(|| ctx.variable(ROLE)),
            token: None,
            tokenless: !ctx.is_on(TOKENLESS_OFF),
            answered: false,
        }
        .ask_token()
    }
}

impl CredentialSource for EcsRamRole {
    fn name(&self) -> String {
        "ECS RAM role".to_owned()
    }

    fn wants(&self) -> String {
        "a RAM role of the ECS instance".to_owned()
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        if ctx.is_on(OFF) {
            return ExchangeStep::NotConfigured(format!("{OFF} switches the metadata service off"));
        }
        self.visit(ctx).unwrap_or_else(ExchangeStep::Failed)
    }
}

pub(super) const ADDRESS: &str = "http://100.100.100.200";
const OFF: &str = "ALIBABA_CLOUD_ECS_METADATA_DISABLED";
const ROLE: &str = "ALIBABA_CLOUD_ECS_METADATA";
const TOKENLESS_OFF: &str = "ALIBABA_CLOUD_IMDSV1_DISABLED";
const ROLES: &str = "/latest/meta-data/ram/security-credentials/";

static TOKEN_LIFE: HeaderName = HeaderName::from_static("x-aliyun-ecs-metadata-token-ttl-seconds");
static TOKEN: HeaderName = HeaderName::from_static("x-aliyun-ecs-metadata-token");

/// What is known on the way: a token, the role, the key.
struct Visit {
    endpoint: Endpoint,
    role: Option<String>,
    token: Option<Secret>,
    /// May one ask without a token?
    tokenless: bool,
    /// Has the service answered anything yet?
    answered: bool,
}

impl Visit {
    fn ask_token(self) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
        let mut request = request(Method::PUT, &self.endpoint, "/latest/api/token".to_owned())?;
        let six_hours = HeaderValue::from_static("21600");
        request.headers_mut().insert(&TOKEN_LIFE, six_hours);
        // Said aloud, because HTTP clients leave it out of a request without a body.
        let nothing = HeaderValue::from_static("0");
        request
            .headers_mut()
            .insert(header::CONTENT_LENGTH, nothing);
        let then = |reply, _: &ProviderContext<'_>| {
            self.take_token(reply).unwrap_or_else(ExchangeStep::Failed)
        };
        Ok(ExchangeStep::http(
            "token",
            ServiceKind::Metadata,
            request,
            then,
        ))
    }

    /// A service that knows no tokens, or whose token does not find the way back into a container,
    /// is asked without.
    fn take_token(
        mut self,
        reply: Result<HttpResponse, Fault>,
    ) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
        match reply {
            Err(fault) if fault.kind() == FaultKind::Unreachable => return Ok(self.nobody()),
            Err(_) if self.tokenless => {}
            Err(fault) if fault.kind() == FaultKind::NoAnswer => return Ok(self.nobody()),
            Err(fault) => return Err(fault),
            Ok(reply) => {
                self.answered = true;
                self.token = token(&reply);
                if self.token.is_none() && !self.tokenless {
                    let refused =
                        format!("gives no token, and {TOKENLESS_OFF} forbids to go without");
                    return Err(self.fault(&reply, &refused));
                }
            }
        }
        match self.role.take() {
            Some(role) => self.ask_key(role),
            None => self.ask_role(),
        }
    }

    fn ask_role(self) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
        self.get("security-credentials", ROLES.to_owned(), Self::take_role)
    }

    fn take_role(self, reply: &HttpResponse) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
        let none = || {
            let why = format!(
                "the metadata service at {} knows no RAM role",
                self.endpoint
            );
            Ok(ExchangeStep::NotConfigured(why))
        };
        if reply.status().as_u16() == 404 {
            return none();
        }
        if !reply.status().is_success() {
            return Err(self.fault(reply, "does not name the RAM role"));
        }
        let text = String::from_utf8_lossy(reply.body());
        match text.trim().lines().next() {
            None => none(),
            Some(name) if is_role_name(name) => self.ask_key(name.to_owned()),
            Some(_) => Err(self.fault(reply, "names no RAM role: something else answers there")),
        }
    }

    fn ask_key(self, role: String) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
        let path = format!("{ROLES}{}", encode::percent(&role));
        self.get("security-credentials", path, move |visit, reply| {
            if reply.status().as_u16() == 404 {
                let reason = format!(
                    "is not attached to this ECS instance, says {}",
                    visit.endpoint
                );
                return Err(unusable(&format!("RAM role {role}"), &reason).with_status(404));
            }
            session::told(reply, &format!("role {role} (ECS metadata)")).map(ExchangeStep::Done)
        })
    }

    /// Asks, and asks once more without the token if it was of no use.
    fn get(
        mut self,
        operation: &'static str,
        path: String,
        take: impl FnOnce(Self, &HttpResponse) -> Result<ExchangeStep<ResolvedCredential>, Fault>
        + Send
        + 'static,
    ) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
        let mut request = request(Method::GET, &self.endpoint, path.clone())?;
        if let Some(token) = &self.token {
            let token = sensitive_header(token.expose())?;
            request.headers_mut().insert(&TOKEN, token);
        }
        let then = move |reply: Result<HttpResponse, Fault>, _: &ProviderContext<'_>| {
            let next = match reply {
                Err(fault) => match fault.kind() {
                    FaultKind::Unreachable | FaultKind::NoAnswer if !self.answered => {
                        Ok(self.nobody())
                    }
                    _ => Err(fault),
                },
                Ok(reply)
                    if !reply.status().is_success() && self.token.is_some() && self.tokenless =>
                {
                    self.token = None;
                    self.get(operation, path, take)
                }
                Ok(reply) => {
                    self.answered = true;
                    take(self, &reply)
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

    fn nobody(&self) -> ExchangeStep<ResolvedCredential> {
        ExchangeStep::NotConfigured(format!(
            "no metadata service at {}: this machine is no ECS instance, or it is switched off",
            self.endpoint
        ))
    }

    /// The fault of an answer. Its status tells of trouble and throttling.
    fn fault(&self, reply: &HttpResponse, reason: &str) -> Fault {
        let message = format!("the metadata service at {} {reason}", self.endpoint);
        let fault = match session::refusal(reply) {
            Err(fault) => fault,
            Ok(()) => Fault::new(FaultKind::Unreadable, "").with_status(reply.status().as_u16()),
        };
        fault.with_message(message)
    }
}

/// The token in an answer; `None` when there is none that a header could carry.
fn token(reply: &HttpResponse) -> Option<Secret> {
    let text = str::from_utf8(reply.body()).ok()?.trim();
    let fits = reply.status().is_success() && !text.is_empty() && sensitive_header(text).is_ok();
    fits.then(|| Secret::new(text))
}

/// <https://www.alibabacloud.com/help/en/ram/developer-reference/api-ram-2015-05-01-createrole>
fn is_role_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    (1..=64).contains(&text.len()) && text.bytes().all(allowed)
}
