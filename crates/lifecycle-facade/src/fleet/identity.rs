//! Look-ups at the identity service of a cloud: the project of a region, and the list of regions.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use lifecycle_client::{CredentialError, CredentialProvider, ResolveError, StepDriver};
use lifecycle_core::{
    Credential, CredentialSourceConfig, ExchangeStep, Fault, FaultKind, HostEnvironment,
    ProviderContext, credential_source::FileCheck,
};
use tokio::sync::Mutex as AsyncMutex;

use super::{Location, lock::lock};

/// Runs look-ups, and never sends a rejected key again: some clouds lock a key after a few rejections.
#[derive(Debug, Default)]
pub(super) struct IdentityLookups {
    rejections: Mutex<BTreeMap<Option<Arc<str>>, Rejections>>,
}

/// The rejected keys of one account. A search holds the lock, so the searches of an account run one at a time.
type Rejections = Arc<AsyncMutex<Vec<Rejection>>>;

/// A rejected key, and the response of the cloud.
#[derive(Debug)]
struct Rejection {
    region: Arc<str>,
    key: Arc<Credential>,
    fault: Fault,
}

/// A look-up with the settings of a location.
pub(super) struct IdentitySearch<'s, T> {
    pub(super) find: IdentityFn<T>,
    pub(super) location: &'s Location,
    pub(super) config: CredentialSourceConfig,
    pub(super) driver: StepDriver,
}

/// A function of a provider that looks up a `T` with a key.
pub(super) type IdentityFn<T> =
    fn(&CredentialSourceConfig, &Credential, &ProviderContext<'_>) -> ExchangeStep<T>;

/// A search failed: there is no other key, or the look-up failed.
pub(super) enum SearchError {
    Credential(CredentialError),
    Lookup(Fault),
}

impl IdentityLookups {
    /// Runs a look-up with `key`. Tries one more key of `provider` if the cloud rejects `key`.
    pub(super) async fn find<T: Send + 'static>(
        &self,
        search: &IdentitySearch<'_, T>,
        provider: &dyn CredentialProvider,
        key: Arc<Credential>,
    ) -> Result<T, SearchError> {
        let found = self.find_with(search, &key).await;
        let is_rejected = matches!(&found, Err(fault) if fault.kind() == FaultKind::Credential);
        if is_rejected && provider.invalidate(&key) {
            let next = provider.credential().await;
            let next = next.map_err(SearchError::Credential)?;
            return self
                .find_with(search, &next)
                .await
                .map_err(SearchError::Lookup);
        }
        found.map_err(SearchError::Lookup)
    }

    /// Runs a search with `key`, unless the cloud rejected the key before. Searches of an account run one at a
    /// time, so only one call uses an untried key.
    async fn find_with<T: Send + 'static>(
        &self,
        search: &IdentitySearch<'_, T>,
        key: &Arc<Credential>,
    ) -> Result<T, Fault> {
        let account = search.location.account.clone();
        let rejections = Arc::clone(lock(&self.rejections).entry(account).or_default());
        let mut rejections = rejections.lock().await;
        let mut known = rejections.iter();
        if let Some(rejection) = known.find(|known| known.applies_to(search.location, key)) {
            return Err(rejection.fault.clone());
        }
        let found = search.run(key).await;
        if let Err(fault) = &found
            && fault.kind() == FaultKind::Credential
        {
            rejections.push(Rejection {
                region: search.location.region.clone(),
                key: Arc::clone(key),
                fault: fault.clone(),
            });
        }
        found
    }
}

impl Rejection {
    /// Returns `true` if the cloud would reject `key` again. A rejected access key is invalid in all regions; a
    /// token is valid in one region, so another region may accept the token.
    fn applies_to(&self, location: &Location, key: &Credential) -> bool {
        let is_here = self.region == location.region || matches!(key, Credential::Keys { .. });
        is_here && self.key.same_key(key)
    }
}

impl<T: Send + 'static> IdentitySearch<'_, T> {
    /// Sends the calls of the look-up.
    async fn run(&self, key: &Arc<Credential>) -> Result<T, Fault> {
        let find = self.find;
        let (config, key) = (self.config.clone(), Arc::clone(key));
        let found = self
            .driver
            .resolve(move |ctx| find(&config, &key, ctx))
            .await;
        found.map_err(|error| match error {
            ResolveError::Failed(fault) => fault,
            ResolveError::NotConfigured(why) => Fault::new(FaultKind::Invalid, why),
        })
    }
}

/// Hides the variables of a host, because the variables belong to another account.
#[derive(Debug)]
pub(super) struct WithoutVariables(pub(super) Arc<dyn HostEnvironment>);

impl HostEnvironment for WithoutVariables {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, path: &str, check: FileCheck) -> Result<Option<String>, String> {
        self.0.file(path, check)
    }
}
