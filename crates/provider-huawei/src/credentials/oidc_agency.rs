//! Credential source: a temporary key of an agency, exchanged at STS for a token of an OpenID
//! Connect provider: `OidcStsCredentialProvider` of huaweicloudsdkcore.

use lifecycle_core::{
    CredentialSource, CredentialSourceConfig, ExchangeStep, Fault, ProviderContext,
    ResolvedCredential, Secret, ServiceKind,
    credential_source::{not_set, unusable},
    mark_secrets,
};
use serde_json::{Value, json};

use super::{identity_provider::read_token_file, temporary_key};
use crate::identity::{post, sts_endpoint};

/// Exchanges the token of an OpenID Connect provider at STS for a key of an agency. The environment
/// variables `HUAWEICLOUD_OIDC_*` configure the exchange.
///
/// Required are `_PROVIDER_URN`, `_AGENCY_URN` and either `_ID_TOKEN` or `_TOKEN_FILE`;
/// `_SESSION_NAME`, `_DURATION_SECONDS` (3600), `_POLICY` and `_POLICY_IDS` are optional.
#[derive(Clone, Debug, Default)]
pub struct OidcAgency {
    config: CredentialSourceConfig,
}

impl OidcAgency {
    /// Creates a source without a region.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the region and the address of STS.
    #[must_use]
    pub fn with_config(mut self, config: CredentialSourceConfig) -> Self {
        self.config = config;
        self
    }

    fn try_begin(
        &self,
        ctx: &ProviderContext<'_>,
    ) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
        let (provider, agency) = match [PROVIDER_VAR, AGENCY_VAR].map(|name| ctx.variable(name)) {
            [Some(provider), Some(agency)] => (provider, agency),
            [None, None]
                if ctx
                    .first_variable(&[ID_TOKEN_VAR, TOKEN_FILE_VAR])
                    .is_none() =>
            {
                return Ok(ExchangeStep::NotConfigured(not_set(&self.requirements())));
            }
            [None, _] => return Err(incomplete(PROVIDER_VAR)),
            [_, None] => return Err(incomplete(AGENCY_VAR)),
        };
        let token = id_token(ctx)?;
        let body = body(&provider, &agency, &token, ctx)?;
        let mut request = post(
            &sts_endpoint(&self.config, ctx)?,
            "/v5/agencies/assume-with-oidc",
            None,
            &body,
        )?;
        mark_secrets(&mut request, [&token]);
        let source = format!("agency {agency} (OIDC)");
        Ok(ExchangeStep::http(
            "AssumeAgencyWithOIDC",
            ServiceKind::Identity,
            request,
            // Without the SDK's renewal time: 40 minutes are most of the hour of this key.
            move |response, _| {
                response
                    .and_then(|response| temporary_key::read(&response, source))
                    .into()
            },
        ))
    }
}

impl CredentialSource for OidcAgency {
    fn name(&self) -> String {
        "agency (OIDC)".to_owned()
    }

    fn requirements(&self) -> String {
        format!("{PROVIDER_VAR}, {AGENCY_VAR} and {TOKEN_FILE_VAR} or {ID_TOKEN_VAR}")
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        self.try_begin(ctx).unwrap_or_else(ExchangeStep::Failed)
    }
}

fn id_token(ctx: &ProviderContext<'_>) -> Result<Secret, Fault> {
    match (ctx.variable(ID_TOKEN_VAR), ctx.variable(TOKEN_FILE_VAR)) {
        (Some(token), _) => Ok(Secret::new(token)),
        (None, Some(file)) => read_token_file(&file, ctx),
        (None, None) => Err(incomplete(TOKEN_FILE_VAR)),
    }
}

fn body(
    provider: &str,
    agency: &str,
    token: &Secret,
    ctx: &ProviderContext<'_>,
) -> Result<Value, Fault> {
    let session_name = ctx
        .variable(SESSION_NAME_VAR)
        .unwrap_or_else(|| format!("lifecycle-{}", ctx.signing_context().unix()));
    let duration = match ctx.variable(DURATION_VAR) {
        None => 3600,
        Some(text) => text.parse::<u32>().map_err(|_| {
            let reason = format!("has the invalid value {text:?}: use a number of seconds");
            unusable(DURATION_VAR, &reason)
        })?,
    };
    let mut body = json!({
        "provider_urn": provider,
        "agency_urn": agency,
        "agency_session_name": session_name,
        "id_token": token.expose(),
        "duration_seconds": duration,
    });
    if let Some(policy) = ctx.variable(POLICY_VAR) {
        body["policy"] = policy.into();
    }
    if let Some(ids) = ctx.variable(POLICY_IDS_VAR) {
        let ids = ids.split(',').map(str::trim).filter(|id| !id.is_empty());
        body["policy_ids"] = ids.collect();
    }
    Ok(body)
}

fn incomplete(missing: &str) -> Fault {
    unusable(
        missing,
        "is not set, but related variables are: set all of them or none",
    )
}

const PROVIDER_VAR: &str = "HUAWEICLOUD_OIDC_PROVIDER_URN";
const AGENCY_VAR: &str = "HUAWEICLOUD_OIDC_AGENCY_URN";
const ID_TOKEN_VAR: &str = "HUAWEICLOUD_OIDC_ID_TOKEN";
const TOKEN_FILE_VAR: &str = "HUAWEICLOUD_OIDC_TOKEN_FILE";
const SESSION_NAME_VAR: &str = "HUAWEICLOUD_OIDC_SESSION_NAME";
const DURATION_VAR: &str = "HUAWEICLOUD_OIDC_DURATION_SECONDS";
const POLICY_VAR: &str = "HUAWEICLOUD_OIDC_POLICY";
const POLICY_IDS_VAR: &str = "HUAWEICLOUD_OIDC_POLICY_IDS";
