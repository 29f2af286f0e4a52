//! An agency of another account:
//! <https://support.huaweicloud.com/intl/en-us/api-iam/iam_04_0101.html>.

use std::{sync::Arc, time::Duration};

use http::Method;
use lifecycle_core::{
    CredentialSource, CredentialSourceConfig, ExchangeStep, ProviderContext, ResolvedCredential,
    ServiceKind, UnsignedRequest,
    credential_source::{EnvCredentialSource, unusable},
};
use serde_json::json;

use super::{TERRAFORM, issued};
use crate::{identity::iam, sign::sign};

/// Exchanges a key at IAM for a temporary one of an agency, which may be another account's.
#[derive(Clone, Debug)]
pub struct AssumeAgency {
    base: Arc<dyn CredentialSource>,
    agency: Agency,
    config: CredentialSourceConfig,
}

impl AssumeAgency {
    /// For the key that `base` finds, an agency, and the name of the account (domain) that has it.
    /// Good for an hour.
    pub fn new(
        base: impl CredentialSource,
        agency: impl Into<String>,
        account_name: impl Into<String>,
    ) -> Self {
        Self {
            base: Arc::new(base),
            agency: Agency::new(agency.into(), Owner::Name(account_name.into())),
            config: CredentialSourceConfig::default(),
        }
    }

    /// Good for this long instead, in whole seconds: 15 minutes to 24 hours.
    #[must_use]
    pub fn with_duration(mut self, duration: Duration) -> Self {
        self.agency.duration = duration;
        self
    }

    /// With a region, and with another address of IAM.
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

    fn wants(&self) -> String {
        self.base.wants()
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        let (agency, config) = (self.agency.clone(), self.config.clone());
        self.base
            .begin(ctx)
            .and_then(ctx, move |grant, ctx| agency.assume(grant, &config, ctx))
    }
}

/// An agency, and for how long it is assumed.
#[derive(Clone, Debug)]
pub(crate) struct Agency {
    name: String,
    owner: Owner,
    duration: Duration,
}

/// The account that has an agency.
#[derive(Clone, Debug)]
pub(crate) enum Owner {
    Name(String),
    Id(String),
}

impl Agency {
    pub(crate) fn new(name: String, owner: Owner) -> Self {
        Self {
            name,
            owner,
            duration: Duration::from_secs(60 * 60),
        }
    }

    /// The agency's key in exchange for another.
    pub(crate) fn assume(
        self,
        grant: ResolvedCredential,
        config: &CredentialSourceConfig,
        ctx: &ProviderContext<'_>,
    ) -> ExchangeStep<ResolvedCredential> {
        let (field, owner) = match &self.owner {
            Owner::Name(name) => ("domain_name", name),
            Owner::Id(id) => ("domain_id", id),
        };
        let role = json!({
            "agency_name": self.name,
            field: owner,
            "duration_seconds": self.duration.as_secs(),
        });
        let body = json!({"auth": {"identity": {"methods": ["assume_role"], "assume_role": role}}});
        let draft = UnsignedRequest::new(
            "CreateTemporaryAccessKeyByAgency",
            Method::POST,
            "/v3.0/OS-CREDENTIAL/securitytokens",
        )
        .with_body(body.to_string());
        let found = format!("agency {} of account {owner} (IAM)", self.name);
        let request = iam(config, None, ctx).and_then(|iam| {
            sign(
                &iam,
                None,
                &draft,
                &grant.credential,
                &ctx.signing_context(),
            )
        });
        match request {
            Ok(request) => ExchangeStep::http(
                draft.operation,
                ServiceKind::Identity,
                request,
                move |reply, _| {
                    reply
                        .and_then(|reply| issued::read(&reply, found))
                        .map(|issued| issued.with_source_prefix(&grant.source))
                        .into()
                },
            ),
            Err(fault) => ExchangeStep::Failed(fault),
        }
    }
}

/// The variables of Huawei's Terraform provider for a key, and for the agency that it assumes with
/// it.
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

    fn wants(&self) -> String {
        EnvCredentialSource::new(TERRAFORM).wants()
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        let config = self.config.clone();
        EnvCredentialSource::new(TERRAFORM)
            .begin(ctx)
            .and_then(ctx, move |grant, ctx| {
                let Some(name) = ctx.variable(AGENCY) else {
                    return ExchangeStep::Done(grant);
                };
                let owner = match [ACCOUNT, ACCOUNT_ID].map(|name| ctx.variable(name)) {
                    [Some(name), _] => Owner::Name(name),
                    [None, Some(id)] => Owner::Id(id),
                    [None, None] => {
                        let reason = format!("is set, but neither {ACCOUNT} nor {ACCOUNT_ID} is");
                        return ExchangeStep::Failed(unusable(AGENCY, &reason));
                    }
                };
                Agency::new(name, owner).assume(grant, &config, ctx)
            })
    }
}

const AGENCY: &str = "HW_ASSUME_ROLE_AGENCY_NAME";
const ACCOUNT: &str = "HW_ASSUME_ROLE_DOMAIN_NAME";
const ACCOUNT_ID: &str = "HW_ASSUME_ROLE_DOMAIN_ID";
