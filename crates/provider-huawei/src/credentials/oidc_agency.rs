//! An agency for those whom an OpenID Connect provider vouches for: `OidcStsCredentialProvider` of
//! huaweicloudsdkcore.

use lifecycle_core::{
    CredentialSource, CredentialSourceConfig, ExchangeStep, Fault, ProviderContext,
    ResolvedCredential, Secret, ServiceKind,
    credential_source::{not_set, unusable},
};
use serde_json::{Value, json};

use super::{identity_provider::token_in, issued};
use crate::identity::{post, sts};

/// A token of an OpenID Connect provider, exchanged at STS for a key of an agency, as the variables
/// `HUAWEICLOUD_OIDC_*` say.
///
/// Required are `_PROVIDER_URN`, `_AGENCY_URN` and either `_ID_TOKEN` or `_TOKEN_FILE`; `_SESSION_NAME`,
/// `_DURATION_SECONDS` (3600), `_POLICY` and `_POLICY_IDS` are optional.
#[derive(Clone, Debug, Default)]
pub struct OidcAgency {
    config: CredentialSourceConfig,
}

impl OidcAgency {
    /// Any region; STS where Huawei's own variables say.
    pub fn new() -> Self {
        Self::default()
    }

    /// With a region, and with another address of STS.
    #[must_use]
    pub fn with_config(mut self, config: CredentialSourceConfig) -> Self {
        self.config = config;
        self
    }

    fn exchange(
        &self,
        ctx: &ProviderContext<'_>,
    ) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
        let (provider, agency) = match [PROVIDER, AGENCY].map(|name| ctx.variable(name)) {
            [Some(provider), Some(agency)] => (provider, agency),
            [None, None] if ctx.first_variable(&[ID_TOKEN, TOKEN_FILE]).is_none() => {
                return Ok(ExchangeStep::NotConfigured(not_set(&self.wants())));
            }
            [None, _] => return Err(incomplete(PROVIDER)),
            [_, None] => return Err(incomplete(AGENCY)),
        };
        let body = body(&provider, &agency, ctx)?;
        let request = post(
            &sts(&self.config, ctx)?,
            "/v5/agencies/assume-with-oidc",
            None,
            &body,
        )?;
        let found = format!("agency {agency} (OIDC)");
        Ok(ExchangeStep::http(
            "AssumeAgencyWithOIDC",
            ServiceKind::Identity,
            request,
            // No rule for its renewal: the SDK's 40 minutes are most of this key's hour.
            move |reply, _| reply.and_then(|reply| issued::read(&reply, found)).into(),
        ))
    }
}

impl CredentialSource for OidcAgency {
    fn name(&self) -> String {
        "agency (OIDC)".to_owned()
    }

    fn wants(&self) -> String {
        format!("{PROVIDER}, {AGENCY} and {TOKEN_FILE} or {ID_TOKEN}")
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        self.exchange(ctx).unwrap_or_else(ExchangeStep::Failed)
    }
}

fn body(provider: &str, agency: &str, ctx: &ProviderContext<'_>) -> Result<Value, Fault> {
    let token = match (ctx.variable(ID_TOKEN), ctx.variable(TOKEN_FILE)) {
        (Some(token), _) => Secret::new(token),
        (None, Some(file)) => token_in(&file, ctx)?,
        (None, None) => return Err(incomplete(TOKEN_FILE)),
    };
    let session_name = ctx
        .variable(SESSION_NAME)
        .unwrap_or_else(|| format!("lifecycle-{}", ctx.signing_context().unix()));
    let duration = match ctx.variable(DURATION) {
        None => 3600,
        Some(text) => text.parse::<u32>().map_err(|_| {
            let reason = format!("is {text:?}, which is no number of seconds");
            unusable(DURATION, &reason)
        })?,
    };
    let mut body = json!({
        "provider_urn": provider,
        "agency_urn": agency,
        "agency_session_name": session_name,
        "id_token": token.expose(),
        "duration_seconds": duration,
    });
    if let Some(policy) = ctx.variable(POLICY) {
        body["policy"] = policy.into();
    }
    if let Some(ids) = ctx.variable(POLICY_IDS) {
        let ids = ids.split(',').map(str::trim).filter(|id| !id.is_empty());
        body["policy_ids"] = ids.collect();
    }
    Ok(body)
}

fn incomplete(missing: &str) -> Fault {
    unusable(
        missing,
        "is not set, but others that belong to it are: set all, or none",
    )
}

const PROVIDER: &str = "HUAWEICLOUD_OIDC_PROVIDER_URN";
const AGENCY: &str = "HUAWEICLOUD_OIDC_AGENCY_URN";
const ID_TOKEN: &str = "HUAWEICLOUD_OIDC_ID_TOKEN";
const TOKEN_FILE: &str = "HUAWEICLOUD_OIDC_TOKEN_FILE";
const SESSION_NAME: &str = "HUAWEICLOUD_OIDC_SESSION_NAME";
const DURATION: &str = "HUAWEICLOUD_OIDC_DURATION_SECONDS";
const POLICY: &str = "HUAWEICLOUD_OIDC_POLICY";
const POLICY_IDS: &str = "HUAWEICLOUD_OIDC_POLICY_IDS";
