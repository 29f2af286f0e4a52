//! Keys for those whom an identity provider vouches for:
//! <https://support.huaweicloud.com/intl/en-us/api-iam/iam_13_0605.html> and `FederalAccessor` of
//! huaweicloudsdkcore.

use http::HeaderValue;
use lifecycle_core::{
    CredentialSource, CredentialSourceConfig, Endpoint, ExchangeStep, Fault, HttpResponse,
    ProviderContext, ResolvedCredential, ResponseExt, Secret, ServiceKind,
    credential_source::{unusable, without_excerpt},
    header,
};
use serde_json::json;

use super::issued::{self, RENEWAL};
use crate::{
    fault,
    identity::{iam, post},
};

/// An identity provider's token, exchanged at IAM for a token of Huawei's, and that for a key that
/// is good for six hours.
#[derive(Clone, Debug)]
pub struct IdentityProvider {
    id: String,
    token_file: String,
    config: CredentialSourceConfig,
    /// The address of IAM that is stored in a profile, and the profile.
    stored: Option<(String, String)>,
}

impl IdentityProvider {
    /// The provider with this id in IAM, whose token is in this file.
    pub fn new(id: impl Into<String>, token_file: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            token_file: token_file.into(),
            config: CredentialSourceConfig::default(),
            stored: None,
        }
    }

    /// With a region, and with another address of IAM.
    #[must_use]
    pub fn with_config(mut self, config: CredentialSourceConfig) -> Self {
        self.config = config;
        self
    }

    /// With the address of IAM that `place` has, unless the configuration has one.
    pub(crate) fn with_stored_endpoint(mut self, place: String, text: String) -> Self {
        self.stored = Some((place, text));
        self
    }

    fn exchange(
        &self,
        ctx: &ProviderContext<'_>,
    ) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
        let stored = self.stored.as_ref();
        let stored = stored.map(|(place, text)| (place.as_str(), text.as_str()));
        let iam = iam(&self.config, stored, ctx)?;
        let id_token = token_in(&self.token_file, ctx)?;
        let body = json!({"auth": {"id_token": {"id": id_token.expose()}}});
        let id = Some(("x-idp-id", header(&self.id)?));
        let request = post(&iam, "/v3.0/OS-AUTH/id-token/tokens", id, &body)?;
        let found = format!("identity provider {} (IAM)", self.id);
        Ok(ExchangeStep::http(
            "CreateUnscopedTokenByIdToken",
            ServiceKind::Identity,
            request,
            move |reply, _| {
                let next = reply
                    .and_then(|reply| subject_token(&reply))
                    .and_then(|token| key_for(&token, &iam, found));
                next.unwrap_or_else(ExchangeStep::Failed)
            },
        ))
    }
}

impl CredentialSource for IdentityProvider {
    fn name(&self) -> String {
        format!("identity provider {}", self.id)
    }

    fn wants(&self) -> String {
        format!("a token in {}", self.token_file)
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        self.exchange(ctx).unwrap_or_else(ExchangeStep::Failed)
    }
}

/// The second exchange: a token for a key.
fn key_for(
    token: &Secret,
    iam: &Endpoint,
    found: String,
) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
    const SIX_HOURS: u32 = 6 * 60 * 60;
    let token = json!({"id": token.expose(), "duration_seconds": SIX_HOURS});
    let body = json!({"auth": {"identity": {"methods": ["token"], "token": token}}});
    let nothing: Option<(&str, HeaderValue)> = None;
    let request = post(iam, "/v3.0/OS-CREDENTIAL/securitytokens", nothing, &body)?;
    Ok(ExchangeStep::http(
        "CreateTemporaryAccessKeyByToken",
        ServiceKind::Identity,
        request,
        move |reply, _| {
            reply
                .and_then(|reply| issued::read(&reply, found))
                .map(|grant| grant.with_renewal(RENEWAL))
                .into()
        },
    ))
}

/// The token that IAM gives in a header.
pub(crate) fn subject_token(reply: &HttpResponse) -> Result<Secret, Fault> {
    fault::check(reply).map_err(without_excerpt)?;
    match reply.header("x-subject-token").map(str::trim) {
        None | Some("") => Err(issued::unreadable(reply, "it has no X-Subject-Token")),
        Some(token) => Ok(Secret::new(token)),
    }
}

/// The token that somebody else keeps fresh in a file.
pub(crate) fn token_in(file: &str, ctx: &ProviderContext<'_>) -> Result<Secret, Fault> {
    let text = ctx.file(file)?;
    let text = text.ok_or_else(|| unusable(file, "should hold a token, but is not there"))?;
    match text.trim() {
        "" => Err(unusable(file, "should hold a token, but is empty")),
        token => Ok(Secret::new(token)),
    }
}
