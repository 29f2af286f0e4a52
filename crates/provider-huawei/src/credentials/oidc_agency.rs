//! An agency for those whom an OpenID Connect provider vouches for: `OidcStsCredentialProvider` of
//! huaweicloudsdkcore.

use lifecycle_core::{
    Fault, Grant, Origin, OriginConfig, Reach, Secret, Step, Surroundings,
    origin::{not_set, unusable},
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
    config: OriginConfig,
}

impl OidcAgency {
    /// Any region; STS where Huawei's own variables say.
    pub fn new() -> Self {
        Self::default()
    }

    /// With a region, and with another address of STS.
    #[must_use]
    pub fn with_config(mut self, config: OriginConfig) -> Self {
        self.config = config;
        self
    }

    fn exchange(&self, around: &Surroundings<'_>) -> Result<Step<Grant>, Fault> {
        let (provider, agency) = match [PROVIDER, AGENCY].map(|name| around.variable(name)) {
            [Some(provider), Some(agency)] => (provider, agency),
            [None, None] if around.first_variable(&[ID_TOKEN, TOKEN_FILE]).is_none() => {
                return Ok(Step::Absent(not_set(&self.wants())));
            }
            [None, _] => return Err(incomplete(PROVIDER)),
            [_, None] => return Err(incomplete(AGENCY)),
        };
        let body = body(&provider, &agency, around)?;
        let request = post(
            &sts(&self.config, around)?,
            "/v5/agencies/assume-with-oidc",
            None,
            &body,
        )?;
        let found = format!("agency {agency} (OIDC)");
        Ok(Step::ask(
            "AssumeAgencyWithOIDC",
            Reach::Service,
            request,
            // No rule for its renewal: the SDK's 40 minutes are most of this key's hour.
            move |reply, _| reply.and_then(|reply| issued::read(&reply, found)).into(),
        ))
    }
}

impl Origin for OidcAgency {
    fn name(&self) -> String {
        "agency (OIDC)".to_owned()
    }

    fn wants(&self) -> String {
        format!("{PROVIDER}, {AGENCY} and {TOKEN_FILE} or {ID_TOKEN}")
    }

    fn begin(&self, around: &Surroundings<'_>) -> Step<Grant> {
        self.exchange(around).unwrap_or_else(Step::Failed)
    }
}

fn body(provider: &str, agency: &str, around: &Surroundings<'_>) -> Result<Value, Fault> {
    let token = match (around.variable(ID_TOKEN), around.variable(TOKEN_FILE)) {
        (Some(token), _) => Secret::new(token),
        (None, Some(file)) => token_in(&file, around)?,
        (None, None) => return Err(incomplete(TOKEN_FILE)),
    };
    let session_name = around
        .variable(SESSION_NAME)
        .unwrap_or_else(|| format!("lifecycle-{}", around.stamp().unix()));
    let duration = match around.variable(DURATION) {
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
    if let Some(policy) = around.variable(POLICY) {
        body["policy"] = policy.into();
    }
    if let Some(ids) = around.variable(POLICY_IDS) {
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
