//! A RAM role, and the STS endpoint that issues temporary keys for the role.

use lifecycle_core::{
    CredentialSourceConfig, Endpoint, Fault, ProviderContext, credential_source::unusable,
};

use crate::{config::Network, wire::Query};

/// A RAM role to assume, with the options of the session.
/// <https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-assumerole>
#[derive(Clone, Debug)]
pub struct Role {
    arn: String,
    session_name: Option<String>,
    duration: u32,
    policy: Option<String>,
    external_id: Option<String>,
    sts_region: Option<String>,
    network: Option<Network>,
    endpoint: Option<Endpoint>,
}

impl Role {
    /// Creates a role from an ARN, such as `acs:ram::123456789012:role/web`, for sessions of an
    /// hour.
    pub fn new(arn: impl Into<String>) -> Self {
        Self {
            arn: arn.into(),
            session_name: None,
            duration: 3600,
            policy: None,
            external_id: None,
            sts_region: None,
            network: None,
            endpoint: None,
        }
    }

    /// Sets the session name, which audit trails show: 2 to 64 letters, digits and `.@-_`. Defaults
    /// to `ALIBABA_CLOUD_ROLE_SESSION_NAME`, else to `lifecycle-` and the time.
    #[must_use]
    pub fn with_session_name(mut self, name: impl Into<String>) -> Self {
        self.session_name = Some(name.into());
        self
    }

    /// Sets the lifetime of the keys in seconds: from 900 to the maximum of the role. Defaults to
    /// an hour.
    #[must_use]
    pub fn with_duration(mut self, seconds: u32) -> Self {
        self.duration = seconds;
        self
    }

    /// Sets a policy, as JSON, that restricts the permissions of the key.
    #[must_use]
    pub fn with_policy(mut self, policy: impl Into<String>) -> Self {
        self.policy = Some(policy.into());
        self
    }

    /// Sets the external id that the role requires. A role for an OIDC provider has no external id.
    #[must_use]
    pub fn with_external_id(mut self, id: impl Into<String>) -> Self {
        self.external_id = Some(id.into());
        self
    }

    /// Sets the region of STS. Defaults to `ALIBABA_CLOUD_STS_REGION`, else to the central STS,
    /// `sts.aliyuncs.com`, as in the vendor's library.
    #[must_use]
    pub fn with_sts_region(mut self, region: impl Into<String>) -> Self {
        self.sts_region = Some(region.into());
        self
    }

    /// Sets the network of STS. Defaults to the VPC if `ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED` is on.
    /// The central STS has no address inside a VPC.
    #[must_use]
    pub fn with_network(mut self, network: Network) -> Self {
        self.network = Some(network);
        self
    }

    /// Sets the address of STS. Defaults to `ALIBABA_CLOUD_STS_ENDPOINT`. An address takes precedence over
    /// region and network.
    #[must_use]
    pub fn with_endpoint(mut self, endpoint: Endpoint) -> Self {
        self.endpoint = Some(endpoint);
        self
    }

    /// Sets the address of STS from `config`, if `config` has one.
    pub(super) fn with_config(mut self, config: &CredentialSourceConfig) -> Self {
        if config.identity.is_some() {
            self.endpoint.clone_from(&config.identity);
        }
        self
    }

    /// Calls a setter if `value` is set: `role.with_optional(name, Role::with_session_name)`.
    pub(super) fn with_optional<T>(
        self,
        value: Option<T>,
        set: impl FnOnce(Self, T) -> Self,
    ) -> Self {
        match value {
            Some(value) => set(self, value),
            None => self,
        }
    }

    /// Returns the name for messages.
    pub(super) fn label(&self) -> String {
        format!("role {}", self.arn)
    }

    /// Returns the parameters that `AssumeRole` and `AssumeRoleWithOIDC` share.
    pub(super) fn parameters(
        &self,
        operation: &str,
        ctx: &ProviderContext<'_>,
    ) -> Result<Query<'static>, Fault> {
        if self.duration < MIN_DURATION {
            return Err(unusable(
                &self.label(),
                &format!(
                    "has a session duration of {} seconds: use {MIN_DURATION} or more",
                    self.duration
                ),
            ));
        }
        let query = Query::default()
            .with("Action", operation)
            .with("Version", VERSION)
            .with("Format", "JSON")
            .with("RoleArn", &self.arn)
            .with("RoleSessionName", &self.session_name(ctx))
            .with("DurationSeconds", &self.duration.to_string());
        Ok(match &self.policy {
            Some(policy) => query.with("Policy", policy),
            None => query,
        })
    }

    /// Returns the external id that the role requires.
    pub(super) fn external_id(&self) -> Option<&str> {
        self.external_id.as_deref()
    }

    /// Returns the address of STS.
    pub(super) fn sts_endpoint(&self, ctx: &ProviderContext<'_>) -> Result<Endpoint, Fault> {
        if let Some(endpoint) = &self.endpoint {
            return Ok(endpoint.clone());
        }
        if let Some(endpoint) = ctx.variable(STS_ENDPOINT) {
            return Endpoint::parse(&endpoint).map_err(|error| {
                unusable(STS_ENDPOINT, &format!("is not a valid endpoint: {error}"))
            });
        }
        let Some(region) = self.sts_region.clone().or(ctx.variable(STS_REGION)) else {
            return Endpoint::parse(CENTRAL_STS)
                .map_err(|error| unusable("STS", &error.to_string()));
        };
        let host = |region: &str| match self.network(ctx) {
            Network::Public => format!("sts.{region}.aliyuncs.com"),
            Network::Vpc => format!("sts-vpc.{region}.aliyuncs.com"),
        };
        Endpoint::of_region(&region, host).map_err(|error| {
            unusable(
                &format!("the STS region ({STS_REGION})"),
                &error.to_string(),
            )
        })
    }

    fn network(&self, ctx: &ProviderContext<'_>) -> Network {
        self.network.unwrap_or(match ctx.is_on(VPC_ENABLED) {
            true => Network::Vpc,
            false => Network::Public,
        })
    }

    fn session_name(&self, ctx: &ProviderContext<'_>) -> String {
        self.session_name
            .clone()
            .or_else(|| ctx.variable("ALIBABA_CLOUD_ROLE_SESSION_NAME"))
            .unwrap_or_else(|| format!("lifecycle-{}", ctx.signing_context().unix()))
    }
}

impl<T: Into<String>> From<T> for Role {
    fn from(arn: T) -> Self {
        Self::new(arn)
    }
}

/// The version of the STS API.
const VERSION: &str = "2015-04-01";
/// The shortest session that STS accepts, in seconds.
const MIN_DURATION: u32 = 900;
const CENTRAL_STS: &str = "sts.aliyuncs.com";
const STS_ENDPOINT: &str = "ALIBABA_CLOUD_STS_ENDPOINT";
const STS_REGION: &str = "ALIBABA_CLOUD_STS_REGION";
const VPC_ENABLED: &str = "ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED";
