//! Credential sources that exchange the password of an IAM user for an IAM token:
//! <https://support.huaweicloud.com/intl/en-us/api-iam/iam_30_0001.html>.

use std::time::Duration;

use lifecycle_core::{
    Credential, CredentialSource, CredentialSourceConfig, ExchangeStep, Fault, HttpResponse,
    ProviderContext, ResolvedCredential, Secret, ServiceKind,
    credential_source::{not_set, read_expiry, unusable},
    mark_secrets,
};
use serde::Deserialize;
use serde_json::json;

use super::{identity_provider::subject_token, temporary_key};
use crate::identity::{iam_endpoint, invalid, post, region};

/// Exchanges the password of an IAM user for a token that is valid for 24 hours in one region.
///
/// The token is renewed 12 hours before the expiry, as Huawei's pages recommend. IAM issues no
/// token to accounts that log in with a HUAWEI ID.
#[derive(Clone, Debug)]
pub struct Password {
    user: String,
    domain: String,
    password: Secret,
    config: CredentialSourceConfig,
}

impl Password {
    /// Creates a source for an IAM user, the name of the user's account (domain) and the password.
    pub fn new(user: impl Into<String>, domain: impl Into<String>, password: Secret) -> Self {
        Self {
            user: user.into(),
            domain: domain.into(),
            password,
            config: CredentialSourceConfig::default(),
        }
    }

    /// Sets the region of the token, which defaults to `HW_REGION_NAME`, and the address of IAM.
    #[must_use]
    pub fn with_config(mut self, config: CredentialSourceConfig) -> Self {
        self.config = config;
        self
    }

    fn try_begin(
        &self,
        ctx: &ProviderContext<'_>,
    ) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
        // The project of a region has the name of the region.
        let region = region(&self.config, ctx)
            .ok_or_else(|| invalid("no region: set the region of the token for the password"))?;
        let user = json!({
            "name": self.user,
            "password": self.password.expose(),
            "domain": {"name": self.domain},
        });
        let body = json!({"auth": {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": {"name": region}},
        }});
        let iam = iam_endpoint(&self.config, None, ctx)?;
        let mut request = post(&iam, "/v3/auth/tokens", None, &body)?;
        mark_secrets(&mut request, [&self.password]);
        let source = format!("password of {} in account {} (IAM)", self.user, self.domain);
        Ok(ExchangeStep::http(
            "KeystoneCreateUserTokenByPassword",
            ServiceKind::Identity,
            request,
            move |response, _| response.and_then(|response| read(&response, source)).into(),
        ))
    }
}

impl CredentialSource for Password {
    fn name(&self) -> String {
        format!("password of {}", self.user)
    }

    fn requirements(&self) -> String {
        "the password of an IAM user".to_owned()
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        self.try_begin(ctx).unwrap_or_else(ExchangeStep::Failed)
    }
}

/// Exchanges the password in an environment variable, like [`Password`].
#[derive(Clone, Debug)]
pub struct PasswordVariable {
    user: String,
    domain: String,
    variable: String,
    config: CredentialSourceConfig,
}

impl PasswordVariable {
    /// Creates a source for an IAM user, the name of the user's account (domain) and the name of
    /// the variable with the password.
    pub fn new(
        user: impl Into<String>,
        domain: impl Into<String>,
        variable: impl Into<String>,
    ) -> Self {
        Self {
            user: user.into(),
            domain: domain.into(),
            variable: variable.into(),
            config: CredentialSourceConfig::default(),
        }
    }

    /// Sets the same values as [`Password::with_config`].
    #[must_use]
    pub fn with_config(mut self, config: CredentialSourceConfig) -> Self {
        self.config = config;
        self
    }
}

impl CredentialSource for PasswordVariable {
    fn name(&self) -> String {
        format!("password of {}", self.user)
    }

    fn requirements(&self) -> String {
        self.variable.clone()
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        match ctx.variable(&self.variable) {
            Some(password) => Password::new(&self.user, &self.domain, Secret::new(password))
                .with_config(self.config.clone())
                .begin(ctx),
            None => ExchangeStep::NotConfigured(format!("{} is not set", self.variable)),
        }
    }
}

fn read(response: &HttpResponse, source: String) -> Result<ResolvedCredential, Fault> {
    #[derive(Deserialize)]
    struct Body {
        token: Token,
    }
    #[derive(Deserialize)]
    struct Token {
        expires_at: String,
    }

    const RENEW_BEFORE_EXPIRY: Duration = Duration::from_secs(12 * 60 * 60);
    let token = subject_token(response)?;
    let body: Body = temporary_key::json(response)?;
    let expires = read_expiry(&body.token.expires_at, response)?;
    Ok(ResolvedCredential::new(Credential::Token(token), source)
        .with_expiry(expires)
        .with_renewal(RENEW_BEFORE_EXPIRY))
}

/// Exchanges the password in the variables of Huawei's Terraform provider.
#[derive(Debug)]
pub(crate) struct TerraformPassword {
    config: CredentialSourceConfig,
}

impl TerraformPassword {
    pub(crate) fn new(config: CredentialSourceConfig) -> Self {
        Self { config }
    }
}

impl CredentialSource for TerraformPassword {
    fn name(&self) -> String {
        "password (IAM)".to_owned()
    }

    fn requirements(&self) -> String {
        format!("{USER_VAR}, {PASSWORD_VAR} and {ACCOUNT_VAR}")
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        let incomplete = |missing| {
            let reason = "is not set, but related variables are: set all of them or none";
            ExchangeStep::Failed(unusable(missing, reason))
        };
        match [USER_VAR, PASSWORD_VAR, ACCOUNT_VAR].map(|name| ctx.variable(name)) {
            [Some(user), Some(password), Some(account)] => {
                Password::new(user, account, Secret::new(password))
                    .with_config(self.config.clone())
                    .begin(ctx)
            }
            // The account name alone is valid: other tools use the variable too.
            [None, None, _] => ExchangeStep::NotConfigured(not_set(&self.requirements())),
            [None, ..] => incomplete(USER_VAR),
            [_, None, _] => incomplete(PASSWORD_VAR),
            [_, _, None] => incomplete(ACCOUNT_VAR),
        }
    }
}

const USER_VAR: &str = "HW_USER_NAME";
const PASSWORD_VAR: &str = "HW_USER_PASSWORD";
const ACCOUNT_VAR: &str = "HW_DOMAIN_NAME";
