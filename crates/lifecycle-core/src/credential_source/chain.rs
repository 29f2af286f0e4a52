//! A chain of credential sources, in order of precedence.

use std::sync::Arc;

use super::{CredentialSource, ResolvedCredential};
use crate::{ExchangeStep, ProviderContext};

/// The first configured source of several sources. A configured source with an invalid key ends the
/// search, so no other key is used by mistake.
#[derive(Debug)]
pub struct CredentialSourceChain(Arc<[Box<dyn CredentialSource>]>);

impl CredentialSourceChain {
    /// Returns a chain of these sources, in order of precedence.
    pub fn new(sources: Vec<Box<dyn CredentialSource>>) -> Self {
        Self(sources.into())
    }

    /// Begins at the source after the sources without configuration; `reasons` has a reason for each.
    fn after(
        sources: &Arc<[Box<dyn CredentialSource>]>,
        mut reasons: Vec<String>,
        ctx: &ProviderContext<'_>,
    ) -> ExchangeStep<ResolvedCredential> {
        let Some(source) = sources.get(reasons.len()) else {
            return ExchangeStep::NotConfigured(reasons.join("; "));
        };
        let rest = Arc::clone(sources);
        source.begin(ctx).or_else(ctx, move |reason, ctx| {
            reasons.push(reason);
            Self::after(&rest, reasons, ctx)
        })
    }
}

impl CredentialSource for CredentialSourceChain {
    fn name(&self) -> String {
        let names: Vec<String> = self.0.iter().map(CredentialSource::name).collect();
        names.join(", else ")
    }

    fn requirements(&self) -> String {
        let requirements: Vec<String> = self.0.iter().map(CredentialSource::requirements).collect();
        requirements.join("; or ")
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        Self::after(&self.0, Vec::new(), ctx)
    }
}
