//! Temporary keys from Baidu's token service:
//! <https://cloud.baidu.com/doc/IAM/s/Qjwvyc8ov>, and `services/sts` of Baidu's Go SDK.

use std::{sync::Arc, time::Duration};

use http::Method;
use lifecycle_core::{
    Credential, CredentialSource, Endpoint, ExchangeStep, Fault, FaultKind, HttpResponse,
    ProviderContext, ResolvedCredential, ServiceKind, UnsignedRequest,
    credential_source::{read_expiry, without_excerpt},
    encode,
};
use serde::Deserialize;

use crate::{fault, sign::sign};

/// Exchanges a key for a temporary one of the same user (`POST /v1/sessionToken`).
#[derive(Clone, Debug)]
pub struct SessionToken {
    base: Arc<dyn CredentialSource>,
    duration: Duration,
    service: Service,
}

impl SessionToken {
    /// For the key that `base` finds. Good for 12 hours, as in Baidu's Go SDK.
    pub fn new(base: impl CredentialSource) -> Self {
        Self {
            base: Arc::new(base),
            duration: Duration::from_secs(12 * 60 * 60),
            service: Service::default(),
        }
    }

    /// Good for this long instead, in whole seconds.
    #[must_use]
    pub fn with_duration(mut self, duration: Duration) -> Self {
        self.duration = duration;
        self
    }

    /// From a service at another address.
    #[must_use]
    pub fn with_identity(mut self, endpoint: Endpoint) -> Self {
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
        let draft = UnsignedRequest::new("GetSessionToken", Method::POST, "/v1/sessionToken")
            .with_query(format!("durationSeconds={}", self.duration.as_secs()));
        self.service
            .exchange(&*self.base, draft, "session token (STS)".to_owned(), ctx)
    }
}

/// Exchanges a key for a temporary one of a role (`POST /v1/credential?assumeRole`).
#[derive(Clone, Debug)]
pub struct AssumeRole {
    base: Arc<dyn CredentialSource>,
    account_id: String,
    role_name: String,
    duration: Duration,
    service: Service,
}

impl AssumeRole {
    /// For the key that `base` finds, and a role of this account. Good for 2 hours, as in Baidu's
    /// Go SDK and the longest that its pages allow.
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

    /// Good for this long instead, in whole seconds.
    #[must_use]
    pub fn with_duration(mut self, duration: Duration) -> Self {
        self.duration = duration;
        self
    }

    /// From a service at another address.
    #[must_use]
    pub fn with_identity(mut self, endpoint: Endpoint) -> Self {
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
        let draft =
            UnsignedRequest::new("AssumeRole", Method::POST, "/v1/credential").with_query(query);
        let found = format!(
            "role {} of account {} (STS)",
            self.role_name, self.account_id
        );
        self.service.exchange(&*self.base, draft, found, ctx)
    }
}

/// The token service; without an address, Baidu's own, which is one for all regions.
#[derive(Clone, Debug, Default)]
struct Service(Option<Endpoint>);

impl Service {
    /// The key that `base` finds, then the temporary one that the service gives for it.
    fn exchange(
        &self,
        base: &dyn CredentialSource,
        draft: UnsignedRequest,
        found: String,
        ctx: &ProviderContext<'_>,
    ) -> ExchangeStep<ResolvedCredential> {
        let endpoint = self.0.clone();
        base.begin(ctx).and_then(ctx, move |grant, ctx| {
            let operation = draft.operation;
            let request = endpoint
                .map_or_else(|| Endpoint::parse("sts.bj.baidubce.com"), Ok)
                .map_err(|error| Fault::new(FaultKind::Invalid, error.to_string()))
                .and_then(|endpoint| {
                    sign(&endpoint, &draft, &grant.credential, &ctx.signing_context())
                });
            match request {
                Ok(request) => ExchangeStep::http(
                    operation,
                    ServiceKind::Identity,
                    request,
                    move |reply, _| {
                        reply
                            .and_then(|reply| read(&reply, found))
                            .map(|issued| issued.with_source_prefix(&grant.source))
                            .into()
                    },
                ),
                Err(fault) => ExchangeStep::Failed(fault),
            }
        })
    }
}

/// What the service gives.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Issued {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    expiration: String,
}

fn read(reply: &HttpResponse, found: String) -> Result<ResolvedCredential, Fault> {
    fault::check(reply).map_err(without_excerpt)?;
    // Nothing of the answer may be shown: it holds the key.
    let unreadable = |reason: &str| {
        let message = format!("the answer of the token service cannot be read ({reason})");
        Fault::new(FaultKind::Unreadable, message)
            .with_status(reply.status().as_u16())
            .with_request_id(fault::request_id(reply))
    };
    let issued: Issued = serde_json::from_slice(reply.body()).map_err(|error| {
        unreadable(&format!("line {}, column {}", error.line(), error.column()))
    })?;
    for (name, value) in [
        ("accessKeyId", &issued.access_key_id),
        ("secretAccessKey", &issued.secret_access_key),
        ("sessionToken", &issued.session_token),
    ] {
        if value.trim().is_empty() {
            return Err(unreadable(&format!("it has no {name}")));
        }
    }
    let expires = read_expiry(&issued.expiration, reply)?;
    let credential = Credential::session(
        issued.access_key_id,
        issued.secret_access_key,
        issued.session_token,
    );
    Ok(ResolvedCredential::new(credential, found).with_expiry(expires))
}
