//! Credential source: a temporary key, exchanged at IAM for a token of an identity provider:
//! <https://support.huaweicloud.com/intl/en-us/api-iam/iam_13_0605.html> and `FederalAccessor` of
//! huaweicloudsdkcore.

use lifecycle_core::{
    CredentialSource, CredentialSourceConfig, Endpoint, ExchangeStep, Fault, HttpResponse,
    ProviderContext, ResolvedCredential, ResponseExt, Secret, ServiceKind,
    credential_source::{unusable, without_excerpt},
    header, mark_secrets,
};
use serde_json::json;

use super::temporary_key::{self, RENEW_BEFORE_EXPIRY};
use crate::{
    fault,
    identity::{iam_endpoint, post},
};

/// Exchanges the token of an identity provider at IAM for a token of Huawei Cloud, and exchanges
/// the second token for a key that is valid for six hours.
#[derive(Clone, Debug)]
pub struct IdentityProvider {
    id: String,
    token_file: String,
    config: CredentialSourceConfig,
    /// The location and the value of an IAM address in a profile.
    stored: Option<(String, String)>,
}

impl IdentityProvider {
    /// Creates a source for the provider with this id in IAM and the file with the provider's
    /// token.
    pub fn new(id: impl Into<String>, token_file: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            token_file: token_file.into(),
            config: CredentialSourceConfig::default(),
            stored: None,
        }
    }

    /// Sets the region and the address of IAM.
    #[must_use]
    pub fn with_config(mut self, config: CredentialSourceConfig) -> Self {
        self.config = config;
        self
    }

    /// Sets the IAM address of a profile, which the address of the configuration overrides.
    pub(crate) fn with_stored_endpoint(mut self, location: String, text: String) -> Self {
        self.stored = Some((location, text));
        self
    }

    fn try_begin(
        &self,
        ctx: &ProviderContext<'_>,
    ) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
        let stored = self.stored.as_ref();
        let stored = stored.map(|(location, text)| (location.as_str(), text.as_str()));
        let iam = iam_endpoint(&self.config, stored, ctx)?;
        let id_token = read_token_file(&self.token_file, ctx)?;
        let body = json!({"auth": {"id_token": {"id": id_token.expose()}}});
        let id = Some(("x-idp-id", header(&self.id)?));
        let mut request = post(&iam, "/v3.0/OS-AUTH/id-token/tokens", id, &body)?;
        mark_secrets(&mut request, [&id_token]);
        let source = format!("identity provider {} (IAM)", self.id);
        Ok(ExchangeStep::http(
            "CreateUnscopedTokenByIdToken",
            ServiceKind::Identity,
            request,
            move |response, _| {
                let next = response
                    .and_then(|response| subject_token(&response))
                    .and_then(|token| exchange_token(&token, &iam, source));
                next.unwrap_or_else(ExchangeStep::Failed)
            },
        ))
    }
}

impl CredentialSource for IdentityProvider {
    fn name(&self) -> String {
        format!("identity provider {}", self.id)
    }

    fn requirements(&self) -> String {
        format!("a token in {}", self.token_file)
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        self.try_begin(ctx).unwrap_or_else(ExchangeStep::Failed)
    }
}

/// Exchanges a token of Huawei Cloud for a key.
fn exchange_token(
    token: &Secret,
    iam: &Endpoint,
    source: String,
) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
    const SIX_HOURS: u32 = 6 * 60 * 60;
    let id = json!({"id": token.expose(), "duration_seconds": SIX_HOURS});
    let body = json!({"auth": {"identity": {"methods": ["token"], "token": id}}});
    let mut request = post(iam, "/v3.0/OS-CREDENTIAL/securitytokens", None, &body)?;
    mark_secrets(&mut request, [token]);
    Ok(ExchangeStep::http(
        "CreateTemporaryAccessKeyByToken",
        ServiceKind::Identity,
        request,
        move |response, _| {
            response
                .and_then(|response| temporary_key::read(&response, source))
                .map(|resolved| resolved.with_renewal(RENEW_BEFORE_EXPIRY))
                .into()
        },
    ))
}

/// Reads the token that IAM returns in a header.
pub(crate) fn subject_token(response: &HttpResponse) -> Result<Secret, Fault> {
    fault::check(response).map_err(without_excerpt)?;
    match response.header("x-subject-token").map(str::trim) {
        None | Some("") => Err(temporary_key::unreadable(response, "no X-Subject-Token")),
        Some(token) => Ok(Secret::new(token)),
    }
}

/// Reads the token file that an identity provider updates.
pub(crate) fn read_token_file(file: &str, ctx: &ProviderContext<'_>) -> Result<Secret, Fault> {
    let text = ctx.file(file)?;
    let text = text.ok_or_else(|| unusable(file, "is a token file, but does not exist"))?;
    match text.trim() {
        "" => Err(unusable(file, "is a token file, but is empty")),
        token => Ok(Secret::new(token)),
    }
}
