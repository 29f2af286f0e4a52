//! Credential sources: temporary keys of Baidu's token service (STS). Documented at
//! <https://cloud.baidu.com/doc/IAM/s/Qjwvyc8ov>; details from `services/sts` of the Go SDK.

use std::{sync::Arc, time::Duration};

use http::Method;
use lifecycle_core::{
    Credential, CredentialSource, Endpoint, ExchangeStep, Fault, FaultKind, HttpResponse,
    ProviderContext, ResolvedCredential, UnsignedRequest,
    credential_source::{read_expiry, without_excerpt},
    encode,
};
use serde::Deserialize;

use crate::{fault, sign::sign};

/// A temporary key of the same user, in exchange for a key (`POST /v1/sessionToken`).
#[derive(Clone, Debug)]
pub struct SessionToken {
    base: Arc<dyn CredentialSource>,
    duration: Duration,
    service: Service,
}

impl SessionToken {
    /// Returns a source that exchanges the key of `base` for a temporary key. The temporary key is
    /// valid for 12 hours, the default of the Go SDK.
    pub fn new(base: impl CredentialSource) -> Self {
        Self {
            base: Arc::new(base),
            duration: Duration::from_secs(12 * 60 * 60),
            service: Service::default(),
        }
    }

    /// Sets the validity of the temporary key, in whole seconds.
    #[must_use]
    pub fn with_duration(mut self, duration: Duration) -> Self {
        self.duration = duration;
        self
    }

    /// Sets the endpoint of the token service.
    #[must_use]
    pub fn with_endpoint(mut self, endpoint: Endpoint) -> Self {
        self.service = Service(Some(endpoint));
        self
    }
}

impl CredentialSource for SessionToken {
    fn name(&self) -> String {
        format!("session token (STS) for {}", self.base.name())
    }

    fn requirements(&self) -> String {
        self.base.requirements()
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        let request = UnsignedRequest::new("GetSessionToken", Method::POST, "/v1/sessionToken")
            .with_query(format!("durationSeconds={}", self.duration.as_secs()));
        self.service
            .exchange(&*self.base, request, "session token (STS)".to_owned(), ctx)
    }
}

/// A temporary key of a role, in exchange for a key (`POST /v1/credential?assumeRole`).
#[derive(Clone, Debug)]
pub struct AssumeRole {
    base: Arc<dyn CredentialSource>,
    account_id: String,
    role_name: String,
    duration: Duration,
    service: Service,
}

impl AssumeRole {
    /// Returns a source that exchanges the key of `base` for a temporary key of a role of this
    /// account. The temporary key is valid for 2 hours, the default of the Go SDK and the
    /// documented maximum.
    pub fn new(
        base: impl CredentialSource,
        account_id: impl Into<String>,
        role_name: impl Into<String>,
    ) -> Self {
        Self {
            base: Arc::new(base),
            account_id: account_id.into(),
            role_name: role_name.into(),
            duration: Duration::from_secs(2 * 60 * 60),
            service: Service::default(),
        }
    }

    /// Sets the validity of the temporary key, in whole seconds.
    #[must_use]
    pub fn with_duration(mut self, duration: Duration) -> Self {
        self.duration = duration;
        self
    }

    /// Sets the endpoint of the token service.
    #[must_use]
    pub fn with_endpoint(mut self, endpoint: Endpoint) -> Self {
        self.service = Service(Some(endpoint));
        self
    }
}

impl CredentialSource for AssumeRole {
    fn name(&self) -> String {
        format!("role {} (STS) for {}", self.role_name, self.base.name())
    }

    fn requirements(&self) -> String {
        self.base.requirements()
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        let query = format!(
            "assumeRole&accountId={}&durationSeconds={}&roleName={}",
            encode::percent(&self.account_id),
            self.duration.as_secs(),
            encode::percent(&self.role_name),
        );
        let request =
            UnsignedRequest::new("AssumeRole", Method::POST, "/v1/credential").with_query(query);
        let source = format!(
            "role {} of account {} (STS)",
            self.role_name, self.account_id
        );
        self.service.exchange(&*self.base, request, source, ctx)
    }
}

/// The token service; without an endpoint, the service of Baidu for all regions.
#[derive(Clone, Debug, Default)]
struct Service(Option<Endpoint>);

impl Service {
    /// Exchanges the key of `base` for a temporary key.
    fn exchange(
        &self,
        base: &dyn CredentialSource,
        unsigned: UnsignedRequest,
        source: String,
        ctx: &ProviderContext<'_>,
    ) -> ExchangeStep<ResolvedCredential> {
        let endpoint = self.0.clone();
        base.begin(ctx).and_then(ctx, move |resolved, ctx| {
            let operation = unsigned.operation;
            let request = endpoint
                .map_or_else(|| Endpoint::parse("sts.bj.baidubce.com"), Ok)
                .map_err(|error| Fault::new(FaultKind::Invalid, error.to_string()))
                .and_then(|endpoint| {
                    sign(
                        &endpoint,
                        &unsigned,
                        &resolved.credential,
                        &ctx.signing_context(),
                    )
                });
            let base_source = resolved.source;
            ExchangeStep::signed(operation, request, &resolved.credential, move |response| {
                Ok(read(response, source)?.with_source_prefix(&base_source))
            })
        })
    }
}

/// The response body of the token service.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct TemporaryKey {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    expiration: String,
}

/// Reads the temporary key in a response.
fn read(response: &HttpResponse, source: String) -> Result<ResolvedCredential, Fault> {
    // The response holds the key, so a fault quotes nothing.
    fault::check(response).map_err(without_excerpt)?;
    let unreadable = |reason: &str| {
        let message = format!("the response of the token service cannot be read ({reason})");
        Fault::new(FaultKind::Unreadable, message)
            .with_status(response.status().as_u16())
            .with_request_id(fault::request_id(response))
    };
    let key: TemporaryKey = serde_json::from_slice(response.body()).map_err(|error| {
        unreadable(&format!("line {}, column {}", error.line(), error.column()))
    })?;
    for (name, value) in [
        ("accessKeyId", &key.access_key_id),
        ("secretAccessKey", &key.secret_access_key),
        ("sessionToken", &key.session_token),
    ] {
        if value.trim().is_empty() {
            return Err(unreadable(&format!("it has no {name}")));
        }
    }
    let expires = read_expiry(&key.expiration, response)?;
    let credential =
        Credential::session(key.access_key_id, key.secret_access_key, key.session_token);
    Ok(ResolvedCredential::new(credential, source).with_expiry(expires))
}
