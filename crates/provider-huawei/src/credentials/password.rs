//! Tokens for a password: <https://support.huaweicloud.com/intl/en-us/api-iam/iam_30_0001.html>.

use std::time::Duration;

use lifecycle_core::{
    Credential, Fault, Grant, Origin, OriginConfig, Reach, Reply, Secret, Step, Surroundings,
    origin::{not_set, read_expiry, unusable},
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
    config: OriginConfig,
}

impl Password {
    /// An IAM user, the name of the account (domain) that it belongs to, and its password.
    pub fn new(user: impl Into<String>, domain: impl Into<String>, password: Secret) -> Self {
        Self {
            user: user.into(),
            domain: domain.into(),
            password,
            config: OriginConfig::default(),
        }
    }

    /// With the region that the token is for, and with another address of IAM. Without a region,
    /// that of `HW_REGION_NAME` counts.
    #[must_use]
    pub fn with_config(mut self, config: OriginConfig) -> Self {
        self.config = config;
        self
    }

    fn log_in(&self, around: &Surroundings<'_>) -> Result<Step<Grant>, Fault> {
        let project = region(&self.config, around)
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
        let iam = iam(&self.config, None, around)?;
        let request = post(&iam, "/v3/auth/tokens", None, &body)?;
        let found = format!("password of {} in account {} (IAM)", self.user, self.domain);
        Ok(Step::ask(
            "KeystoneCreateUserTokenByPassword",
            Reach::Service,
            request,
            move |reply, _| reply.and_then(|reply| read(&reply, found)).into(),
        ))
    }
}

impl Origin for Password {
    fn name(&self) -> String {
        format!("password of {}", self.user)
    }

    fn wants(&self) -> String {
        "the password of an IAM user".to_owned()
    }

    fn begin(&self, around: &Surroundings<'_>) -> Step<Grant> {
        self.log_in(around).unwrap_or_else(Step::Failed)
    }
}

/// An IAM user whose password is in a variable of the caller's choice.
#[derive(Clone, Debug)]
pub struct PasswordVariable {
    user: String,
    domain: String,
    variable: String,
    config: OriginConfig,
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
            config: OriginConfig::default(),
        }
    }

    /// What [`Password::with_config`] says.
    #[must_use]
    pub fn with_config(mut self, config: OriginConfig) -> Self {
        self.config = config;
        self
    }
}

impl Origin for PasswordVariable {
    fn name(&self) -> String {
        format!("password of {}", self.user)
    }

    fn wants(&self) -> String {
        self.variable.clone()
    }

    fn begin(&self, around: &Surroundings<'_>) -> Step<Grant> {
        match around.variable(&self.variable) {
            Some(password) => Password::new(&self.user, &self.domain, Secret::new(password))
                .with_config(self.config.clone())
                .begin(around),
            None => Step::Absent(format!("{} is not set", self.variable)),
        }
    }
}

fn read(reply: &Reply, found: String) -> Result<Grant, Fault> {
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
    Ok(Grant::new(Credential::Token(token), found)
        .until(expires)
        .renewed_before(RENEWAL))
}

/// The variables of Huawei's Terraform provider for an IAM user.
#[derive(Debug)]
pub(crate) struct FromVariables {
    config: OriginConfig,
}

impl FromVariables {
    pub(crate) fn new(config: OriginConfig) -> Self {
        Self { config }
    }
}

impl Origin for FromVariables {
    fn name(&self) -> String {
        "password (IAM)".to_owned()
    }

    fn wants(&self) -> String {
        format!("{USER}, {PASSWORD} and {ACCOUNT}")
    }

    fn begin(&self, around: &Surroundings<'_>) -> Step<Grant> {
        let incomplete = |missing| {
            let reason = "is not set, but others that belong to it are: set all, or none";
            Step::Failed(unusable(missing, reason))
        };
        match [USER, PASSWORD, ACCOUNT].map(|name| around.variable(name)) {
            [Some(user), Some(password), Some(account)] => {
                Password::new(user, account, Secret::new(password))
                    .with_config(self.config.clone())
                    .begin(around)
            }
            // The account has other uses.
            [None, None, _] => Step::Absent(not_set(&self.wants())),
            [None, ..] => incomplete(USER),
            [_, None, _] => incomplete(PASSWORD),
            [_, _, None] => incomplete(ACCOUNT),
        }
    }
}

const USER: &str = "HW_USER_NAME";
const PASSWORD: &str = "HW_USER_PASSWORD";
const ACCOUNT: &str = "HW_DOMAIN_NAME";
