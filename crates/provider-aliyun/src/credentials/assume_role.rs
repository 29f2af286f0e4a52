//! Credential source: a temporary key of a RAM role, exchanged at STS for another key.

use std::sync::Arc;

use http::Method;
use lifecycle_core::{
    CredentialSource, ExchangeStep, Fault, ProviderContext, ResolvedCredential, ServiceKind,
    mark_secrets,
};

use super::{
    role::Role,
    signature::{SignedQuery, signed_query},
    temporary_key::{self, request_without_body},
};

/// Exchanges the key of another source at STS for a temporary key of a role, by `AssumeRole`. The
/// other key may be temporary too, so roles can be chained.
/// <https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-assumerole>
#[derive(Debug)]
pub struct AssumeRole {
    base: Box<dyn CredentialSource>,
    role: Arc<Role>,
}

impl AssumeRole {
    /// Exchanges the key of `base` for a key of `role`, which may be given as an ARN.
    pub fn new(base: Box<dyn CredentialSource>, role: impl Into<Role>) -> Self {
        Self {
            base,
            role: Arc::new(role.into()),
        }
    }
}

impl CredentialSource for AssumeRole {
    fn name(&self) -> String {
        format!("{} assumed with {}", self.role.label(), self.base.name())
    }

    fn requirements(&self) -> String {
        self.base.requirements()
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        let role = Arc::clone(&self.role);
        self.base.begin(ctx).and_then(ctx, move |base, ctx| {
            assume(&role, base, ctx).unwrap_or_else(ExchangeStep::Failed)
        })
    }
}

fn assume(
    role: &Role,
    base: ResolvedCredential,
    ctx: &ProviderContext<'_>,
) -> Result<ExchangeStep<ResolvedCredential>, Fault> {
    let parameters = role.parameters("AssumeRole", ctx)?;
    let parameters = match role.external_id() {
        Some(id) => parameters.with("ExternalId", id),
        None => parameters,
    };
    let SignedQuery { query, signature } =
        signed_query(parameters, &base.credential, &ctx.signing_context())?;
    let mut request =
        request_without_body(Method::GET, &role.sts_endpoint(ctx)?, format!("/?{query}"))?;
    mark_secrets(&mut request, base.credential.secrets().chain([&signature]));
    let label = role.label();
    let then = move |response: Result<_, Fault>, _: &ProviderContext<'_>| {
        response
            .and_then(|response| temporary_key::read_sts_response(&response, &label))
            .map(|resolved| resolved.with_source_prefix(&base.source))
            .map_err(|fault| {
                temporary_key::with_context(fault, &format!("{label} assumed with {}", base.source))
            })
            .into()
    };
    Ok(ExchangeStep::http(
        "AssumeRole",
        ServiceKind::Identity,
        request,
        then,
    ))
}
