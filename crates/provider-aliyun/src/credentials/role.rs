//! A role, and the STS that hands out keys for it.

use lifecycle_core::{
    CredentialSourceConfig, Endpoint, Fault, ProviderContext, credential_source::unusable,
};

use crate::{config::Network, wire::Query};

/// A RAM role to assume, and how.
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
    /// The role with this name of resource, such as `acs:ram::123456789012:role/web`, for an hour.
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

    /// With this name of the session, which audit trails show: 2 to 64 letters, digits and
    /// `.@-_`. Without it `ALIBABA_CLOUD_ROLE_SESSION_NAME`, else `lifecycle-` and the time.
    #[must_use]
    pub fn with_session_name(mut self, name: impl Into<String>) -> Self {
        self.session_name = Some(name.into());
        self
    }

    /// With keys that are good for this many seconds: 900 to what the role allows; an hour unless
    /// told otherwise.
    #[must_use]
    pub fn with_duration(mut self, seconds: u32) -> Self {
        self.duration = seconds;
        self
    }

    /// With a policy that narrows what the key may do, as JSON.
    #[must_use]
    pub fn with_policy(mut self, policy: impl Into<String>) -> Self {
        self.policy = Some(policy.into());
        self
    }

    /// With the external id that the role asks for. A role of an OIDC provider has none.
    #[must_use]
    pub fn with_external_id(mut self, id: impl Into<String>) -> Self {
        self.external_id = Some(id.into());
        self
    }

    /// With the STS of this region. Without it that of `ALIBABA_CLOUD_STS_REGION`, else the
    /// central one, `sts.aliyuncs.com`, as in the vendor's library.
    #[must_use]
    pub fn with_sts_region(mut self, region: impl Into<String>) -> Self {
        self.sts_region = Some(region.into());
        self
    }

    /// With the STS on this network. Without it inside the VPC when
    /// `ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED` says so. The central STS has no address there.
    #[must_use]
    pub fn with_network(mut self, network: Network) -> Self {
        self.network = Some(network);
        self
    }

    /// With another address of STS. It wins over region and network.
    #[must_use]
    pub fn with_endpoint(mut self, endpoint: Endpoint) -> Self {
        self.endpoint = Some(endpoint);
        self
    }

    /// With the address of STS that the caller gives, where he gives one.
    pub(super) fn configured(mut self, config: &CredentialSourceConfig) -> Self {
        if config.identity.is_some() {
            self.endpoint.clone_from(&config.identity);
        }
        self
    }

    /// The same with an optional value: `role.with(name, Role::with_session_name)`.
    pub(super) fn with<T>(self, value: Option<T>, set: impl FnOnce(Self, T) -> Self) -> Self {
        match value {
            Some(value) => set(self, value),
            None => self,
        }
    }

    /// What people call it.
    pub(super) fn title(&self) -> String {
        format!("role {}", self.arn)
    }

    /// The parameters that both operations have.
    pub(super) fn parameters(
        &self,
        operation: &str,
        ctx: &ProviderContext<'_>,
    ) -> Result<Query<'static>, Fault> {
        if self.duration < SHORTEST {
            return Err(unusable(
                &self.title(),
                &format!(
                    "is to be assumed for {} seconds: ask for {SHORTEST} or more",
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

    /// The external id that the role asks for.
    pub(super) fn external_id(&self) -> Option<&str> {
        self.external_id.as_deref()
    }

    /// Where STS is reached.
    pub(super) fn sts(&self, ctx: &ProviderContext<'_>) -> Result<Endpoint, Fault> {
        if let Some(endpoint) = &self.endpoint {
            return Ok(endpoint.clone());
        }
        if let Some(endpoint) = ctx.variable(STS_ENDPOINT) {
            return Endpoint::parse(&endpoint)
                .map_err(|error| unusable(STS_ENDPOINT, &format!("is no endpoint: {error}")));
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
        self.network.unwrap_or(match ctx.is_on(VPC) {
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

/// The version of STS.
const VERSION: &str = "2015-04-01";
/// No key of STS ends sooner.
const SHORTEST: u32 = 900;
const CENTRAL_STS: &str = "sts.aliyuncs.com";
const STS_ENDPOINT: &str = "ALIBABA_CLOUD_STS_ENDPOINT";
const STS_REGION: &str = "ALIBABA_CLOUD_STS_REGION";
const VPC: &str = "ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED";
