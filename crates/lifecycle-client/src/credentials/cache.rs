//! The cache of the credential: fetched once for all callers, and renewed before expiry.

use std::{
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use lifecycle_core::{
    Credential, CredentialSource, Fault,
    credential_source::{display_time, unusable},
};
use tokio::{task::spawn_blocking, time::Instant};
use tracing::Instrument;

use crate::{
    call::credential::{CredentialError, CredentialInfo, CredentialProvider},
    call::stats::{ClientLabels, StatsEvent, StatsObserver},
    credentials::chain::{FoundKey, SourceChain},
    credentials::driver::{StepDriver, WithClockSkew},
    credentials::validity::Validity,
    sync::lock,
};

/// Caches the key of the first [`CredentialSource`] with a key.
///
/// Temporary keys are renewed before they expire, once for all callers, and no caller waits. If a
/// renewal fails, the old key stays in use until its expiry. Later searches ask only the source
/// of the first key. A configured but unusable source ends the search, because the key of another
/// account must not take the place of the right key. Cheap to clone: all clones share the key.
#[derive(Clone, Debug)]
pub struct CachedCredentials {
    cache: Arc<Cache>,
}

#[derive(Debug)]
struct Cache {
    chain: SourceChain,
    /// Held by the task that searches for a key.
    search_lock: tokio::sync::Mutex<()>,
    state: Mutex<State>,
    observer: Option<(ClientLabels, Arc<dyn StatsObserver>)>,
}

impl CachedCredentials {
    /// Searches for keys of `title`, such as `Alibaba Cloud ECS`, in `sources`, in this order.
    pub fn new(
        title: impl Into<String>,
        sources: Vec<Box<dyn CredentialSource>>,
        driver: StepDriver,
    ) -> Self {
        Self::observed(title, sources, driver, None)
    }

    /// Searches as [`new`](Self::new) does, and passes the end of each search to an observer, with these labels.
    pub fn with_stats_observer(
        title: impl Into<String>,
        sources: Vec<Box<dyn CredentialSource>>,
        driver: StepDriver,
        labels: ClientLabels,
        observer: Arc<dyn StatsObserver>,
    ) -> Self {
        Self::observed(title, sources, driver, Some((labels, observer)))
    }

    fn observed(
        title: impl Into<String>,
        sources: Vec<Box<dyn CredentialSource>>,
        driver: StepDriver,
        observer: Option<(ClientLabels, Arc<dyn StatsObserver>)>,
    ) -> Self {
        Self {
            cache: Arc::new(Cache {
                chain: SourceChain {
                    title: title.into(),
                    sources: sources.into(),
                    driver,
                },
                search_lock: tokio::sync::Mutex::default(),
                state: Mutex::default(),
                observer,
            }),
        }
    }
}

#[async_trait]
impl CredentialProvider for CachedCredentials {
    async fn credential(&self) -> Result<Arc<Credential>, CredentialError> {
        match self.cache.look_up() {
            CacheState::Fresh(key) => Ok(key),
            CacheState::RenewalDue(key) => {
                renew_in_background(&self.cache);
                Ok(key)
            }
            CacheState::Empty { searches } => self.cache.obtain(searches).await,
        }
    }

    fn invalidate(&self, key: &Credential) -> bool {
        let mut state = self.cache.state();
        let in_use = state.cached.as_ref();
        if in_use.is_none_or(|cached| !cached.key.same_key(key)) || state.rejected {
            return true;
        }
        let now = Instant::now();
        let recently = |at: Instant| now.saturating_duration_since(at) < BETWEEN_REPLACEMENTS;
        if state.replaced_at.is_some_and(recently) {
            return false;
        }
        state.replaced_at = Some(now);
        state.rejected = true;
        true
    }

    fn search_fault(&self) -> Option<Fault> {
        self.cache.state().search_fault.clone()
    }

    fn info(&self) -> CredentialInfo {
        let state = self.cache.state();
        let info = state.cached.as_ref().map(|cached| {
            let source = self.cache.chain.sources.get(cached.source);
            let kind = source.map(CredentialSource::name).unwrap_or_default();
            let info = CredentialInfo::new(kind, cached.found_in.as_str());
            match cached.validity {
                Some(validity) => info.with_expiry(validity.expiry, validity.renewal),
                None => info,
            }
        });
        CredentialInfo {
            warnings: state.warnings.clone(),
            keys_found: state.searches - state.failed_searches,
            failed_searches: state.failed_searches,
            ..info.unwrap_or_default()
        }
    }
}

/// The least time between two replacements of rejected keys.
const BETWEEN_REPLACEMENTS: Duration = Duration::from_secs(60);

/// The time after a failed search in which callers get the same error, and no renewal starts.
const HOLD_OFF: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
struct State {
    cached: Option<CachedKey>,
    /// The number of finished searches.
    searches: u64,
    /// The number of finished searches without a key.
    failed_searches: u64,
    /// The time and the error of the last search, if it failed.
    last_failure: Option<(Instant, CredentialError)>,
    /// The fault of the last attempt of a search under way.
    search_fault: Option<Fault>,
    /// The time at which a rejected key was replaced last.
    replaced_at: Option<Instant>,
    /// The cloud rejected the key, and no search has finished since.
    rejected: bool,
    /// The source of the first key. Later searches ask no other source.
    source: Option<usize>,
    /// Problems with the storage of secrets, found by the last search.
    warnings: Vec<String>,
}

#[derive(Debug)]
struct CachedKey {
    key: Arc<Credential>,
    source: usize,
    /// The place in the source, such as a profile in a file.
    found_in: String,
    validity: Option<Validity>,
}

impl CachedKey {
    fn new(found: FoundKey, now: SystemTime) -> Self {
        let WithClockSkew { value, ahead } = found.resolved;
        Self {
            key: Arc::new(value.credential),
            source: found.source_index,
            found_in: value.source,
            validity: value
                .expires
                .map(|expiry| Validity::new(now, expiry, ahead, value.renewal)),
        }
    }

    fn check_expiry(&self, now: SystemTime) -> Result<(), CredentialError> {
        match self.validity {
            Some(validity) if validity.expiry <= now => Err(unusable(
                &format!("the key of {}", self.found_in),
                &format!(
                    "expired on {}: get a new key, for example by logging in again",
                    display_time(validity.expiry)
                ),
            )
            .into()),
            _ => Ok(()),
        }
    }
}

/// The answer of the cache without a search.
enum CacheState {
    Fresh(Arc<Credential>),
    /// The key is still valid and should be renewed.
    RenewalDue(Arc<Credential>),
    /// No usable key; `searches` have finished so far.
    Empty {
        searches: u64,
    },
}

impl Cache {
    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn now(&self) -> SystemTime {
        self.chain.driver.now()
    }

    fn look_up(&self) -> CacheState {
        let now = self.now();
        let state = self.state();
        let searches = state.searches;
        match &state.cached {
            Some(cached) if !state.rejected => match cached.validity {
                Some(validity) if now >= validity.last_use => CacheState::Empty { searches },
                Some(validity) if now >= validity.renewal => {
                    CacheState::RenewalDue(Arc::clone(&cached.key))
                }
                _ => CacheState::Fresh(Arc::clone(&cached.key)),
            },
            _ => CacheState::Empty { searches },
        }
    }

    /// Waits for the search lock and searches, unless another task has searched in the meantime.
    async fn obtain(&self, searches: u64) -> Result<Arc<Credential>, CredentialError> {
        let guard = self.search_lock.lock().await;
        if let CacheState::Fresh(key) | CacheState::RenewalDue(key) = self.look_up() {
            return Ok(key);
        }
        let result = match self.recent_failure(searches) {
            Some(error) => Err(error),
            None => self.search(&guard).await,
        };
        result.or_else(|error| self.unexpired_key().ok_or(error))
    }

    /// Returns the key that should have been replaced, unless it has expired.
    fn unexpired_key(&self) -> Option<Arc<Credential>> {
        let now = self.now();
        let state = self.state();
        let cached = state.cached.as_ref()?;
        let is_valid = cached.validity.is_none_or(|validity| now < validity.expiry);
        is_valid.then(|| Arc::clone(&cached.key))
    }

    /// Returns the error of a search that failed just now, or while the caller waited.
    fn recent_failure(&self, searches: u64) -> Option<CredentialError> {
        let state = self.state();
        let (at, error) = state.last_failure.as_ref()?;
        (state.searches != searches || at.elapsed() < HOLD_OFF).then(|| error.clone())
    }

    fn failed_just_now(&self) -> bool {
        let state = self.state();
        let failure = state.last_failure.as_ref();
        failure.is_some_and(|(at, _)| at.elapsed() < HOLD_OFF)
    }

    /// Searches for a key. The caller holds the search lock.
    async fn search(
        &self,
        _guard: &tokio::sync::MutexGuard<'_, ()>,
    ) -> Result<Arc<Credential>, CredentialError> {
        let title = self.chain.title.as_str();
        let previous = self.state().source;
        let host = self.chain.driver.recording_host();
        self.state().search_fault = None;
        let on_repeat = |fault: &Fault| self.state().search_fault = Some(fault.clone());
        let span = tracing::info_span!("lifecycle.credential_search", cloud = title);
        let found = self.chain.find(previous, &host, on_repeat);
        let found = found.instrument(span).await;
        let found = found.and_then(|found| {
            let cached = CachedKey::new(found, self.now());
            cached.check_expiry(self.now()).map(|()| cached)
        });
        if let Some((labels, observer)) = &self.observer {
            let found = found.is_ok();
            observer.on_event(labels, &StatsEvent::KeySearch { found });
        }
        let checked = spawn_blocking(move || host.warnings()).await;
        let warnings = checked.unwrap_or_default();
        let mut state = self.state();
        state.searches += 1;
        state.search_fault = None;
        state.rejected = false;
        state.warnings = warnings;
        for warning in &state.warnings {
            tracing::warn!(cloud = title, "{warning}");
        }
        match found {
            Ok(cached) => {
                let expires = cached.validity.map(|validity| validity.expiry);
                tracing::info!(
                    cloud = title,
                    found = cached.found_in,
                    expires = expires.map(display_time).as_deref(),
                    "key obtained"
                );
                let key = Arc::clone(&cached.key);
                state.last_failure = None;
                state.source = Some(cached.source);
                state.cached = Some(cached);
                Ok(key)
            }
            Err(error) => {
                state.failed_searches += 1;
                state.last_failure = Some((Instant::now(), error.clone()));
                tracing::warn!(cloud = title, "no key: {error}");
                Err(error)
            }
        }
    }
}

/// Renews the key in a task, unless another task does or a search has failed just now.
fn renew_in_background(cache: &Arc<Cache>) {
    if cache.failed_just_now() || cache.search_lock.try_lock().is_err() {
        return;
    }
    let cache = Arc::clone(cache);
    tokio::spawn(async move {
        let Ok(guard) = cache.search_lock.try_lock() else {
            return;
        };
        if let CacheState::RenewalDue(_) = cache.look_up() {
            // `search` logs a failure, and the old key is still valid.
            let _ = cache.search(&guard).await;
        }
    });
}
