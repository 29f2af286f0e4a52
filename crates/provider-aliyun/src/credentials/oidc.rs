//! A key for a role, in exchange for a token of an OIDC provider.

use bytes::Bytes;
use http::{HeaderValue, Method, header};
use lifecycle_core::{
    CredentialSource, CredentialSourceConfig, ExchangeStep, Fault, ProviderContext,
    ResolvedCredential, Secret, ServiceKind, credential_source::unusable,
};

use super::{
    role::Role,
    session::{self, request},
};

/// The key that STS hands out for a role in exchange for a token that an OIDC provider has put
/// into a file, by `AssumeRoleWithOIDC`. Nothing is signed. The file is read anew for each key.
/// <https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-assumerolewithoidc>
#[derive(Clone, Debug)]
pub struct AssumeRoleWithOidc {
    role: Role,
    provider_arn: String,
    token_file: String,
}

impl AssumeRoleWithOidc {
    /// For `role`, such as its ARN; the provider's ARN is like `acs:ram::1:oidc-provider/x`.
    pub fn new(
        role: impl Into<Role>,
        provider_arn: impl Into<String>,
        token_file: impl Into<String>,
    ) -> Self {
        Self {
            role: role.into(),
            provider_arn: provider_arn.into(),
            token_file: token_file.into(),
        }
    }

    fn ask(&self, ctx: &ProviderContext<'_>) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
        let token = self.token(ctx)?;
        let form = self
            .role
            .parameters(OPERATION, ctx)?
            .with("OIDCProviderArn", &self.provider_arn)
            .with("OIDCToken", token.expose())
            .with("Timestamp", &ctx.signing_context().extended())
            .canonical();
        let mut request = request(Method::POST, &self.role.sts(ctx)?, "/".to_owned())?;
        let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        request
            .headers_mut()
            .insert(header::CONTENT_TYPE, form_type);
        *request.body_mut() = Bytes::from(form);
        let found = format!("{} (OIDC token {})", self.role.title(), self.token_file);
        let then = move |reply: Result<_, Fault>, _: &ProviderContext<'_>| {
            reply
                .and_then(|reply| session::assumed(&reply, &found))
                .map_err(|fault| {
                    session::about(session::scrubbed(fault, std::iter::once(&token)), &found)
                })
                .into()
        };
        Ok(ExchangeStep::http(
            OPERATION,
            ServiceKind::Identity,
            request,
            then,
        ))
    }

    fn token(&self, ctx: &ProviderContext<'_>) -> Result<Secret, Fault> {
        let unusable = |reason| unusable(&format!("OIDC token file {}", self.token_file), reason);
        let text = ctx
            .file(&self.token_file)?
            .ok_or_else(|| unusable("is not there"))?;
        match text.trim() {
            "" => Err(unusable("is empty")),
            token => Ok(Secret::new(token)),
        }
    }
}

const OPERATION: &str = "AssumeRoleWithOIDC";

impl CredentialSource for AssumeRoleWithOidc {
    fn name(&self) -> String {
        format!("OIDC {}", self.role.title())
    }

    fn wants(&self) -> String {
        format!("OIDC token file {}", self.token_file)
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        self.ask(ctx).unwrap_or_else(ExchangeStep::Failed)
    }
}

/// [`AssumeRoleWithOidc`] as variables describe it, for instance those that a pod of Alibaba's
/// Kubernetes (RRSA) is given.
/// <https://www.alibabacloud.com/help/en/ack/ack-managed-and-ack-dedicated/user-guide/use-rrsa-to-authorize-pods-to-access-different-cloud-services>
#[derive(Clone, Debug, Default)]
pub struct OidcVariables {
    config: CredentialSourceConfig,
}

impl OidcVariables {
    /// As the variables have it.
    pub fn new() -> Self {
        Self::default()
    }

    /// With the address of STS that `config` gives.
    #[must_use]
    pub fn with_config(mut self, config: CredentialSourceConfig) -> Self {
        self.config = config;
        self
    }
}

/// Names of the SDKs first, then those that only the command line knows.
pub(super) const ROLE_ARN: [&str; 2] = ["ALIBABA_CLOUD_ROLE_ARN", "ALIBABACLOUD_ROLE_ARN"];
pub(super) const PROVIDER_ARN: [&str; 2] = [
    "ALIBABA_CLOUD_OIDC_PROVIDER_ARN",
    "ALIBABACLOUD_OIDC_PROVIDER_ARN",
];
pub(super) const TOKEN_FILE: [&str; 2] = [
    "ALIBABA_CLOUD_OIDC_TOKEN_FILE",
    "ALIBABACLOUD_OIDC_TOKEN_FILE",
];

impl CredentialSource for OidcVariables {
    fn name(&self) -> String {
        "OIDC role".to_owned()
    }

    fn wants(&self) -> String {
        let [role, provider, file] = [ROLE_ARN, PROVIDER_ARN, TOKEN_FILE].map(|[name, _]| name);
        format!("{role}, {provider} and {file}")
    }

    /// Some of the three are no half: they also complete profiles of files, and the vendor's chain
    /// goes on then.
    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        let set = [ROLE_ARN, PROVIDER_ARN, TOKEN_FILE].map(|names| ctx.first_variable(&names));
        match set {
            [Some(role), Some(provider), Some(file)] => {
                let role = Role::new(role).configured(&self.config);
                AssumeRoleWithOidc::new(role, provider, file).begin(ctx)
            }
            _ => ExchangeStep::NotConfigured(format!("{} are not all set", self.wants())),
        }
    }
}
