//! The chain of credential sources of one cloud, tried in order.

use std::sync::Arc;

use lifecycle_core::{
    CredentialSource, ExchangeStep, Fault, FaultKind, HostEnvironment, ProviderContext,
    ResolvedCredential,
};

use crate::{
    call::credential::CredentialError,
    credentials::driver::{ResolveError, StepDriver, WithClockSkew},
    credentials::host::RecordingHost,
};

/// The [`CredentialSource`]s of one cloud.
#[derive(Debug)]
pub(super) struct SourceChain {
    /// The display name of the cloud.
    pub(super) title: String,
    pub(super) sources: Arc<[Box<dyn CredentialSource>]>,
    pub(super) driver: StepDriver,
}

/// A key, and the source that returned the key.
pub(super) struct FoundKey {
    /// The position in [`SourceChain::sources`].
    pub(super) source_index: usize,
    pub(super) resolved: WithClockSkew<ResolvedCredential>,
}

impl SourceChain {
    /// Returns the key of the source `previous`, or of the first configured source.
    pub(super) async fn find(
        &self,
        previous: Option<usize>,
        host: &Arc<RecordingHost>,
        on_retry: impl Fn(&Fault) + Send + Sync,
    ) -> Result<FoundKey, CredentialError> {
        if let Some(index) = previous {
            return match self.ask(index, host, &on_retry).await? {
                Ok(found) => Ok(found),
                // The next source may have the key of another account: do not continue there.
                Err(reason) => Err(Fault::new(
                    FaultKind::Unreachable,
                    format!(
                        "no key for {} in the previous source ({reason}): configure the key there again, or restart the program to search all sources",
                        self.title
                    ),
                )
                .into()),
            };
        }
        let mut reasons = Vec::new();
        for index in 0..self.sources.len() {
            match self.ask(index, host, &on_retry).await? {
                Ok(found) => return Ok(found),
                Err(reason) => reasons.push(reason),
            }
        }
        Err(self.not_configured(&reasons))
    }

    /// Asks one source. The inner error is the reason why the source is not configured.
    async fn ask(
        &self,
        index: usize,
        host: &Arc<RecordingHost>,
        on_retry: &(impl Fn(&Fault) + Send + Sync),
    ) -> Result<Result<FoundKey, String>, CredentialError> {
        let sources = Arc::clone(&self.sources);
        let begin = move |ctx: &ProviderContext<'_>| match sources.get(index) {
            Some(source) => source.begin(ctx),
            None => ExchangeStep::NotConfigured("unknown source".to_owned()),
        };
        let name = self.sources.get(index).map(CredentialSource::name);
        let name = name.unwrap_or_default();
        let describe = |fault: Fault| {
            let message = match fault.message() {
                message if message.contains(&name) => message.to_owned(),
                message => format!("{name}: {message}"),
            };
            fault.with_message(format!("no key for {}: {message}", self.title))
        };
        let on_retry = |fault: &Fault| on_retry(&describe(fault.clone()));
        let host: Arc<dyn HostEnvironment> = Arc::clone(host) as _;
        match self.driver.resolve_on(&host, begin, on_retry).await {
            Ok(resolved) => Ok(Ok(FoundKey {
                source_index: index,
                resolved,
            })),
            Err(ResolveError::NotConfigured(reason)) => Ok(Err(reason)),
            Err(ResolveError::Failed(fault)) => Err(describe(fault).into()),
        }
    }

    /// Returns an error with all reasons, or only with the names of the sources if the text exceeds
    /// [`MAX_MESSAGE`]. The log always has the reasons.
    fn not_configured(&self, reasons: &[String]) -> CredentialError {
        for (source, reason) in self.sources.iter().zip(reasons) {
            tracing::debug!(cloud = self.title, "no key in {}: {reason}", source.name());
        }
        let mut text = reasons.join("; ");
        if text.len() > MAX_MESSAGE {
            let names: Vec<String> = self.sources.iter().map(CredentialSource::name).collect();
            text = format!("found none in {}", names.join(", "));
        }
        CredentialError::not_configured(format!("no key for {}: {text}", self.title))
    }
}

/// The longest error text in bytes: longer texts are not read to the end.
const MAX_MESSAGE: usize = 240;
