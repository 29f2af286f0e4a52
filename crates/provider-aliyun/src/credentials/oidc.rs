//! Credential source: a temporary key of a RAM role, exchanged at STS for a token of an OIDC
//! provider.

use bytes::Bytes;
use http::{HeaderValue, Method, header};
use lifecycle_core::{
    CredentialSource, CredentialSourceConfig, ExchangeStep, Fault, ProviderContext,
    ResolvedCredential, Secret, ServiceKind, credential_source::unusable, mark_secrets,
};

use super::{
    role::Role,
    temporary_key::{self, request_without_body},
};

/// Exchanges the token file of an OIDC provider at STS for a temporary key of a role, by
/// `AssumeRoleWithOIDC`. The request is not signed. The file is read again for each key.
/// <https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-assumerolewithoidc>
#[derive(Clone, Debug)]
pub struct AssumeRoleWithOidc {
    role: Role,
    provider_arn: String,
    token_file: String,
}

impl AssumeRoleWithOidc {
    /// Creates a source for `role`, which may be given as an ARN. The ARN of the provider has the
    /// form `acs:ram::1:oidc-provider/x`.
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

    fn try_begin(
        &self,
        ctx: &ProviderContext<'_>,
    ) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
        let token = self.token(ctx)?;
        let form = self
            .role
            .parameters(OPERATION, ctx)?
            .with("OIDCProviderArn", &self.provider_arn)
            .with("OIDCToken", token.expose())
            .with("Timestamp", &ctx.signing_context().extended())
            .canonical();
        let mut request =
            request_without_body(Method::POST, &self.role.sts_endpoint(ctx)?, "/".to_owned())?;
        let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        request
            .headers_mut()
            .insert(header::CONTENT_TYPE, form_type);
        *request.body_mut() = Bytes::from(form);
        mark_secrets(&mut request, [&token]);
        let source = format!("{} (OIDC token {})", self.role.label(), self.token_file);
        let then = move |response: Result<_, Fault>, _: &ProviderContext<'_>| {
            response
                .and_then(|response| temporary_key::read_sts_response(&response, &source))
                .map_err(|fault| temporary_key::with_context(fault, &source))
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
            .ok_or_else(|| unusable("does not exist"))?;
        match text.trim() {
            "" => Err(unusable("is empty")),
            token => Ok(Secret::new(token)),
        }
    }
}

const OPERATION: &str = "AssumeRoleWithOIDC";

impl CredentialSource for AssumeRoleWithOidc {
    fn name(&self) -> String {
        format!("OIDC {}", self.role.label())
    }

    fn requirements(&self) -> String {
        format!("OIDC token file {}", self.token_file)
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        self.try_begin(ctx).unwrap_or_else(ExchangeStep::Failed)
    }
}

/// [`AssumeRoleWithOidc`] configured by environment variables, such as the variables that Alibaba's
/// Kubernetes sets in a pod (RRSA).
/// <https://www.alibabacloud.com/help/en/ack/ack-managed-and-ack-dedicated/user-guide/use-rrsa-to-authorize-pods-to-access-different-cloud-services>
#[derive(Clone, Debug, Default)]
pub struct OidcVariables {
    config: CredentialSourceConfig,
}

impl OidcVariables {
    /// Creates a source that is configured by environment variables only.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the address of STS.
    #[must_use]
    pub fn with_config(mut self, config: CredentialSourceConfig) -> Self {
        self.config = config;
        self
    }
}

// First the name of the SDKs, then the name that only `aliyun` reads.
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

    fn requirements(&self) -> String {
        let [role, provider, file] = [ROLE_ARN, PROVIDER_ARN, TOKEN_FILE].map(|[name, _]| name);
        format!("{role}, {provider} and {file}")
    }

    /// An incomplete set of variables is not a fault, as in the vendor's chain: the same variables
    /// also complete profiles of the files.
    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        let set = [ROLE_ARN, PROVIDER_ARN, TOKEN_FILE].map(|names| ctx.first_variable(&names));
        match set {
            [Some(role), Some(provider), Some(file)] => {
                let role = Role::new(role).with_config(&self.config);
                AssumeRoleWithOidc::new(role, provider, file).begin(ctx)
            }
            _ => ExchangeStep::NotConfigured(format!("{} are not all set", self.requirements())),
        }
    }
}
