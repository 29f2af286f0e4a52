//! Tokens for a password: <https://support.huaweicloud.com/intl/en-us/api-iam/iam_30_0001.html>.

use std::time::Duration;

use lifecycle_core::{
    Credential, CredentialSource, CredentialSourceConfig, ExchangeStep, Fault, HttpResponse,
    ProviderContext, ResolvedCredential, Secret, ServiceKind,
    credential_source::{not_set, read_expiry, unusable},
};
use serde::Deserialize;
use serde_json::json;

use super::{identity_provider::subject_token, issued};
use crate::identity::{iam, invalid, post, region};

/// The password of an IAM user, exchanged for a token that is good for 24 hours in one region.
///
/// The token is renewed 12 hours before its end, as Huawei's pages advise. Accounts that log in
/// with a HUAWEI ID get none; IAM users do.
#[derive(Clone, Debug)]
pub struct Password {
    user: String,
    domain: String,
    password: Secret,
    config: CredentialSourceConfig,
}

impl Password {
    /// An IAM user, the name of the account (domain) that it belongs to, and its password.
    pub fn new(user: impl Into<String>, domain: impl Into<String>, password: Secret) -> Self {
        Self {
            user: user.into(),
            domain: domain.into(),
            password,
            config: CredentialSourceConfig::default(),
        }
    }

    /// With the region that the token is for, and with another address of IAM. Without a region,
    /// that of `HW_REGION_NAME` counts.
    #[must_use]
    pub fn with_config(mut self, config: CredentialSourceConfig) -> Self {
        self.config = config;
        self
    }

    fn log_in(&self, ctx: &ProviderContext<'_>) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
        let project = region(&self.config, ctx)
            .ok_or_else(|| invalid("a password gives a token for one region: name the region"))?;
        let user = json!({
            "name": self.user,
            "password": self.password.expose(),
            "domain": {"name": self.domain},
        });
        let body = json!({"auth": {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": {"name": project}},
        }});
        let iam = iam(&self.config, None, ctx)?;
        let request = post(&iam, "/v3/auth/tokens", None, &body)?;
        let found = format!("password of {} in account {} (IAM)", self.user, self.domain);
        Ok(ExchangeStep::http(
            "KeystoneCreateUserTokenByPassword",
            ServiceKind::Identity,
            request,
            move |reply, _| reply.and_then(|reply| read(&reply, found)).into(),
        ))
    }
}

impl CredentialSource for Password {
    fn name(&self) -> String {
        format!("password of {}", self.user)
    }

    fn wants(&self) -> String {
        "the password of an IAM user".to_owned()
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        self.log_in(ctx).unwrap_or_else(ExchangeStep::Failed)
    }
}

/// An IAM user whose password is in a variable of the caller's choice.
#[derive(Clone, Debug)]
pub struct PasswordVariable {
    user: String,
    domain: String,
    variable: String,
    config: CredentialSourceConfig,
}

impl PasswordVariable {
    /// An IAM user, the name of the account (domain) that it belongs to, and the name of the
    /// variable with its password.
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

    /// What [`Password::with_config`] says.
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

    fn wants(&self) -> String {
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

fn read(reply: &HttpResponse, found: String) -> Result<ResolvedCredential, Fault> {
    #[derive(Deserialize)]
    struct Answer {
        token: Token,
    }
    #[derive(Deserialize)]
    struct Token {
        expires_at: String,
    }

    const RENEWAL: Duration = Duration::from_secs(12 * 60 * 60);
    let token = subject_token(reply)?;
    let answer: Answer = issued::json(reply)?;
    let expires = read_expiry(&answer.token.expires_at, reply)?;
    Ok(ResolvedCredential::new(Credential::Token(token), found)
        .with_expiry(expires)
        .with_renewal(RENEWAL))
}

/// The variables of Huawei's Terraform provider for an IAM user.
#[derive(Debug)]
pub(crate) struct FromVariables {
    config: CredentialSourceConfig,
}

impl FromVariables {
    pub(crate) fn new(config: CredentialSourceConfig) -> Self {
        Self { config }
    }
}

impl CredentialSource for FromVariables {
    fn name(&self) -> String {
        "password (IAM)".to_owned()
    }

    fn wants(&self) -> String {
        format!("{USER}, {PASSWORD} and {ACCOUNT}")
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        let incomplete = |missing| {
            let reason = "is not set, but others that belong to it are: set all, or none";
            ExchangeStep::Failed(unusable(missing, reason))
        };
        match [USER, PASSWORD, ACCOUNT].map(|name| ctx.variable(name)) {
            [Some(user), Some(password), Some(account)] => {
                Password::new(user, account, Secret::new(password))
                    .with_config(self.config.clone())
                    .begin(ctx)
            }
            // The account has other uses.
            [None, None, _] => ExchangeStep::NotConfigured(not_set(&self.wants())),
            [None, ..] => incomplete(USER),
            [_, None, _] => incomplete(PASSWORD),
            [_, _, None] => incomplete(ACCOUNT),
        }
    }
}

const USER: &str = "HW_USER_NAME";
const PASSWORD: &str = "HW_USER_PASSWORD";
const ACCOUNT: &str = "HW_DOMAIN_NAME";
