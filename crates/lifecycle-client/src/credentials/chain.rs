//! The sources of keys, tried in order.

use lifecycle_core::{CredentialSource, Fault, FaultKind, ResolvedCredential};

use crate::{
    call::credential::CredentialError,
    credentials::driver::{ResolveError, StepDriver, WithClockSkew},
    credentials::host::RecordingHost,
};

/// The [`CredentialSource`]s of one cloud.
#[derive(Debug)]
pub(super) struct SourceChain {
    /// The cloud's name for people.
    pub(super) title: String,
    pub(super) sources: Vec<Box<dyn CredentialSource>>,
    pub(super) driver: StepDriver,
}

/// A key, and the source that returned the key.
pub(super) struct FoundKey {
    /// The position in [`SourceChain::sources`].
    pub(super) source: usize,
    pub(super) resolved: WithClockSkew<ResolvedCredential>,
}

impl SourceChain {
    /// Asks the source `previous`, or all sources in order until the first key.
    pub(super) async fn find(
        &self,
        previous: Option<usize>,
        host: &RecordingHost,
    ) -> Result<FoundKey, CredentialError> {
        if let Some(source) = previous {
            return match self.ask(source, host).await? {
                Ok(found) => Ok(found),
                // Another source may have the key of another account.
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
        for source in 0..self.sources.len() {
            match self.ask(source, host).await? {
                Ok(found) => return Ok(found),
                Err(reason) => reasons.push(reason),
            }
        }
        Err(self.not_configured(&reasons))
    }

    /// Asks one source. The inner error is the reason for which the source is not configured.
    async fn ask(
        &self,
        source: usize,
        host: &RecordingHost,
    ) -> Result<Result<FoundKey, String>, CredentialError> {
        let Some(asked) = self.sources.get(source) else {
            return Ok(Err("unknown source".to_owned()));
        };
        match self.driver.resolve_on(host, |ctx| asked.begin(ctx)).await {
            Ok(resolved) => Ok(Ok(FoundKey { source, resolved })),
            Err(ResolveError::Absent(reason)) => Ok(Err(reason)),
            Err(ResolveError::Failed(fault)) => {
                let message = format!("no key for {}: {}", self.title, fault.message());
                Err(fault.with_message(message).into())
            }
        }
    }

    /// Returns an error with all reasons if the text stays readable, else with the names of the
    /// sources; the log has the reasons.
    fn not_configured(&self, reasons: &[String]) -> CredentialError {
        for (source, reason) in self.sources.iter().zip(reasons) {
            tracing::debug!(cloud = self.title, "no key in {}: {reason}", source.name());
        }
        let mut text = reasons.join("; ");
        if text.len() > READABLE {
            let names: Vec<String> = self.sources.iter().map(CredentialSource::name).collect();
            text = format!("found none in {}", names.join(", "));
        }
        CredentialError::new(format!("no key for {}: {text}", self.title))
    }
}

/// People do not read longer texts to the end.
const READABLE: usize = 240;
