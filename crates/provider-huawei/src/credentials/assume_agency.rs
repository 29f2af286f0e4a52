//! Credential source: a temporary key of an agency of another account, exchanged at IAM for another
//! key: <https://support.huaweicloud.com/intl/en-us/api-iam/iam_04_0101.html>.

use std::{sync::Arc, time::Duration};

use http::Method;
use lifecycle_core::{
    CredentialSource, CredentialSourceConfig, ExchangeStep, ProviderContext, ResolvedCredential,
    UnsignedRequest,
    credential_source::{EnvCredentialSource, unusable},
};
use serde_json::json;

use super::{TERRAFORM, temporary_key};
use crate::{identity::iam_endpoint, sign::sign};

/// Exchanges a key at IAM for a temporary key of an agency (委托), which may belong to another
/// account.
#[derive(Clone, Debug)]
pub struct AssumeAgency {
    base: Arc<dyn CredentialSource>,
    agency: Agency,
    config: CredentialSourceConfig,
}

impl AssumeAgency {
    /// Exchanges the key of `base` for a key of `agency` in the account (domain) `account_name`,
    /// for an hour.
    pub fn new(
        base: impl CredentialSource,
        agency: impl Into<String>,
        account_name: impl Into<String>,
    ) -> Self {
        Self {
            base: Arc::new(base),
            agency: Agency::new(agency.into(), AgencyOwner::Name(account_name.into())),
            config: CredentialSourceConfig::default(),
        }
    }

    /// Sets the lifetime of the keys in whole seconds: 15 minutes to 24 hours.
    #[must_use]
    pub fn with_duration(mut self, duration: Duration) -> Self {
        self.agency.duration = duration;
        self
    }

    /// Sets the region and the address of IAM.
    #[must_use]
    pub fn with_config(mut self, config: CredentialSourceConfig) -> Self {
        self.config = config;
        self
    }
}

impl CredentialSource for AssumeAgency {
    fn name(&self) -> String {
        format!("agency {} for {}", self.agency.name, self.base.name())
    }

    fn requirements(&self) -> String {
        self.base.requirements()
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        let (agency, config) = (self.agency.clone(), self.config.clone());
        self.base.begin(ctx).and_then(ctx, move |resolved, ctx| {
            agency.assume(resolved, &config, ctx)
        })
    }
}

/// An agency, and the lifetime of the keys.
#[derive(Clone, Debug)]
pub(crate) struct Agency {
    name: String,
    owner: AgencyOwner,
    duration: Duration,
}

/// The account that owns an agency.
#[derive(Clone, Debug)]
pub(crate) enum AgencyOwner {
    Name(String),
    Id(String),
}

impl Agency {
    pub(crate) fn new(name: String, owner: AgencyOwner) -> Self {
        Self {
            name,
            owner,
            duration: Duration::from_secs(60 * 60),
        }
    }

    /// Exchanges `base` for a key of the agency.
    pub(crate) fn assume(
        self,
        base: ResolvedCredential,
        config: &CredentialSourceConfig,
        ctx: &ProviderContext<'_>,
    ) -> ExchangeStep<ResolvedCredential> {
        let (field, owner) = match &self.owner {
            AgencyOwner::Name(name) => ("domain_name", name),
            AgencyOwner::Id(id) => ("domain_id", id),
        };
        let role = json!({
            "agency_name": self.name,
            field: owner,
            "duration_seconds": self.duration.as_secs(),
        });
        let body = json!({"auth": {"identity": {"methods": ["assume_role"], "assume_role": role}}});
        let unsigned = UnsignedRequest::new(
            "CreateTemporaryAccessKeyByAgency",
            Method::POST,
            "/v3.0/OS-CREDENTIAL/securitytokens",
        )
        .with_body(body.to_string());
        let source = format!("agency {} of account {owner} (IAM)", self.name);
        let request = iam_endpoint(config, None, ctx).and_then(|iam| {
            sign(
                &iam,
                None,
                &unsigned,
                &base.credential,
                &ctx.signing_context(),
            )
        });
        let ResolvedCredential {
            credential,
            source: base_source,
            ..
        } = base;
        ExchangeStep::signed(unsigned.operation, request, &credential, move |response| {
            let resolved = temporary_key::read(response, source)?;
            Ok(resolved.with_source_prefix(&base_source))
        })
    }
}

/// A key in the variables of Huawei's Terraform provider, exchanged for a key of an agency if the
/// variables name an agency.
#[derive(Debug)]
pub(crate) struct TerraformVariables {
    config: CredentialSourceConfig,
}

impl TerraformVariables {
    pub(crate) fn new(config: CredentialSourceConfig) -> Self {
        Self { config }
    }
}

impl CredentialSource for TerraformVariables {
    fn name(&self) -> String {
        "environment".to_owned()
    }

    fn requirements(&self) -> String {
        EnvCredentialSource::new(TERRAFORM).requirements()
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        let config = self.config.clone();
        EnvCredentialSource::new(TERRAFORM)
            .begin(ctx)
            .and_then(ctx, move |resolved, ctx| {
                let Some(name) = ctx.variable(AGENCY_VAR) else {
                    return ExchangeStep::Done(resolved);
                };
                let owner = match [ACCOUNT_VAR, ACCOUNT_ID_VAR].map(|name| ctx.variable(name)) {
                    [Some(name), _] => AgencyOwner::Name(name),
                    [None, Some(id)] => AgencyOwner::Id(id),
                    [None, None] => {
                        let reason = format!(
                            "is set, but {ACCOUNT_VAR} and {ACCOUNT_ID_VAR} are not: set one of them"
                        );
                        return ExchangeStep::Failed(unusable(AGENCY_VAR, &reason));
                    }
                };
                Agency::new(name, owner).assume(resolved, &config, ctx)
            })
    }
}

const AGENCY_VAR: &str = "HW_ASSUME_ROLE_AGENCY_NAME";
const ACCOUNT_VAR: &str = "HW_ASSUME_ROLE_DOMAIN_NAME";
const ACCOUNT_ID_VAR: &str = "HW_ASSUME_ROLE_DOMAIN_ID";
