//! A key for a role, in exchange for another key.

use std::sync::Arc;

use http::Method;
use lifecycle_core::{
    CredentialSource, ExchangeStep, Fault, ProviderContext, ResolvedCredential, ServiceKind,
};

use super::{
    role::Role,
    session::{self, request},
    signature::signed_query,
};

/// The key that STS hands out for a role in exchange for the key of another origin, by
/// `AssumeRole`. That key may be temporary too, so roles can be chained.
/// <https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-assumerole>
#[derive(Debug)]
pub struct AssumeRole {
    base: Box<dyn CredentialSource>,
    role: Arc<Role>,
}

impl AssumeRole {
    /// Exchanges the key of `base` for one of `role`, such as its ARN.
    pub fn new(base: Box<dyn CredentialSource>, role: impl Into<Role>) -> Self {
        Self {
            base,
            role: Arc::new(role.into()),
        }
    }
}

impl CredentialSource for AssumeRole {
    fn name(&self) -> String {
        format!("{} by way of {}", self.role.title(), self.base.name())
    }

    fn wants(&self) -> String {
        self.base.wants()
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
    let query = signed_query(parameters, &base.credential, &ctx.signing_context())?;
    let request = request(Method::GET, &role.sts(ctx)?, format!("/?{query}"))?;
    let title = role.title();
    let then = move |reply: Result<_, Fault>, _: &ProviderContext<'_>| {
        reply
            .and_then(|reply| session::assumed(&reply, &title))
            .map(|grant| grant.with_source_prefix(&base.source))
            .map_err(|fault| {
                let fault = session::scrubbed(fault, base.credential.secrets());
                session::about(fault, &format!("{title}, asked for with {}", base.source))
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
