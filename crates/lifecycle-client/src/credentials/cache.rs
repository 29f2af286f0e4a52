//! Keys from a chain of origins: found once, kept, renewed in time.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use lifecycle_core::{
    Credential, CredentialSource, Fault, FaultKind, ResolvedCredential, credential_source::unusable,
};
use tokio::{
    sync::{Mutex as Gate, MutexGuard as Admission},
    time::Instant,
};

use super::{
    CredentialError, CredentialInfo, CredentialProvider, StepDriver,
    driver::{RecordingHost, ResolveError, WithClockSkew},
    validity::Validity,
};

/// The first of several [`CredentialSource`]s that has a key, cached.
///
/// A key that ends is renewed some time before, once for all callers and without making them wait;
/// when that fails, the old one stays in use until it has really ended. The origin that had the key
/// is asked for every further one, and an origin that is set up and cannot be used ends the search:
/// a key of somebody else's must not take its place. Cheap to clone: all clones share the key.
#[derive(Clone, Debug)]
pub struct CachedCredentials {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    title: String,
    origins: Vec<Box<dyn CredentialSource>>,
    resolver: StepDriver,
    /// Held by the one who looks for a key.
    gate: Gate<()>,
    state: Mutex<State>,
}

impl CachedCredentials {
    /// Looks for a key of `title`, such as `Alibaba Cloud ECS`, at these origins in this order.
    pub fn new(
        title: impl Into<String>,
        origins: Vec<Box<dyn CredentialSource>>,
        resolver: StepDriver,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                title: title.into(),
                origins,
                resolver,
                gate: Gate::default(),
                state: Mutex::default(),
            }),
        }
    }
}

#[async_trait]
impl CredentialProvider for CachedCredentials {
    async fn credential(&self) -> Result<Arc<Credential>, CredentialError> {
        let inner = &self.inner;
        match inner.view() {
            CacheState::Good(key) => Ok(key),
            CacheState::Due(key) => {
                renew_meanwhile(inner);
                Ok(key)
            }
            CacheState::Nothing(rounds) => inner.obtain(rounds).await,
        }
    }

    fn invalidate(&self, key: &Credential) -> bool {
        let mut state = self.inner.state();
        let Some(held) = &state.held else {
            return true;
        };
        if !held.key.same_key(key) {
            return true;
        }
        if state.rejected {
            return true;
        }
        let now = Instant::now();
        let soon = |at: Instant| now.saturating_duration_since(at) < BETWEEN_REPLACEMENTS;
        if state.replaced.is_some_and(soon) {
            return false;
        }
        state.replaced = Some(now);
        state.rejected = true;
        true
    }

    fn info(&self) -> CredentialInfo {
        let state = self.inner.state();
        let mut info = state
            .held
            .as_ref()
            .map_or_else(CredentialInfo::default, |held| {
                let origin = self.inner.origins.get(held.origin);
                CredentialInfo {
                    kind: origin.map(CredentialSource::name).unwrap_or_default(),
                    source: held.found.clone(),
                    expires: held.term.map(|term| term.end),
                    renews: held.term.map(|term| term.renewal),
                    warnings: Vec::new(),
                }
            });
        info.warnings.clone_from(&state.warnings);
        info
    }
}

/// Longer texts are not read to their end.
const READABLE: usize = 240;

/// A key that was refused is replaced at most once in this time.
const BETWEEN_REPLACEMENTS: Duration = Duration::from_secs(60);

/// After a search in vain the same answer is given for this long, and renewals wait as long.
const HOLD_OFF: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
struct State {
    held: Option<CachedKey>,
    /// Searches that have come to an end, in vain or not.
    rounds: u64,
    /// The last search, when it was in vain.
    vain: Option<(Instant, CredentialError)>,
    /// When a refused key was replaced last.
    replaced: Option<Instant>,
    /// A cloud refused the key, and nobody has looked for another one since.
    rejected: bool,
    /// The origin that had a key. No other one is asked from then on.
    origin: Option<usize>,
    /// What was wrong with how secrets are kept at the last search.
    warnings: Vec<String>,
}

#[derive(Debug)]
struct CachedKey {
    key: Arc<Credential>,
    origin: usize,
    found: String,
    term: Option<Validity>,
}

impl CachedKey {
    fn new(origin: usize, grant: WithClockSkew<ResolvedCredential>, now: SystemTime) -> Self {
        let WithClockSkew {
            value: grant,
            ahead,
        } = grant;
        Self {
            key: Arc::new(grant.credential),
            origin,
            found: grant.source,
            term: grant
                .expires
                .map(|end| Validity::new(now, end, ahead, grant.renewal)),
        }
    }

    fn still_good(&self, now: SystemTime) -> Result<(), CredentialError> {
        match self.term {
            Some(term) if term.end <= now => Err(unusable(
                &format!("the key of {}", self.found),
                &format!(
                    "ended on {}: get a new one, as by logging in again",
                    httpdate::fmt_http_date(term.end)
                ),
            )
            .into()),
            _ => Ok(()),
        }
    }
}

/// What can be had without asking anybody.
enum CacheState {
    Good(Arc<Credential>),
    /// Still good, and time to renew it.
    Due(Arc<Credential>),
    /// Nothing, after so many searches.
    Nothing(u64),
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds this.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn view(&self) -> CacheState {
        let now = self.resolver.now();
        let state = self.state();
        let Some(held) = &state.held else {
            return CacheState::Nothing(state.rounds);
        };
        let key = Arc::clone(&held.key);
        if state.rejected {
            return CacheState::Nothing(state.rounds);
        }
        match held.term {
            Some(term) if now >= term.last => CacheState::Nothing(state.rounds),
            Some(term) if now >= term.renewal => CacheState::Due(key),
            _ => CacheState::Good(key),
        }
    }

    /// Waits for its turn and searches, unless somebody else has searched meanwhile.
    async fn obtain(&self, rounds: u64) -> Result<Arc<Credential>, CredentialError> {
        let turn = self.gate.lock().await;
        if let CacheState::Good(key) | CacheState::Due(key) = self.view() {
            return Ok(key);
        }
        if let Some(answer) = self.told_already(rounds) {
            return self.old().ok_or(answer);
        }
        let found = self.search(&turn).await;
        found.or_else(|answer| self.old().ok_or(answer))
    }

    /// The key that should have been replaced, as long as it has not really ended.
    fn old(&self) -> Option<Arc<Credential>> {
        let now = self.resolver.now();
        let state = self.state();
        let held = state.held.as_ref()?;
        let is_good = held.term.is_none_or(|term| now < term.end);
        is_good.then(|| Arc::clone(&held.key))
    }

    /// The answer of a search that ended while this caller waited, or just before.
    fn told_already(&self, rounds: u64) -> Option<CredentialError> {
        let state = self.state();
        let (at, answer) = state.vain.as_ref()?;
        (state.rounds != rounds || at.elapsed() < HOLD_OFF).then(|| answer.clone())
    }

    /// Whether a renewal has failed just now.
    fn holds_off(&self) -> bool {
        let state = self.state();
        state
            .vain
            .as_ref()
            .is_some_and(|(at, _)| at.elapsed() < HOLD_OFF)
    }

    async fn search(&self, _turn: &Admission<'_, ()>) -> Result<Arc<Credential>, CredentialError> {
        let witness = self.resolver.witness();
        let found = self.find(&witness).await.and_then(|(origin, grant)| {
            let held = CachedKey::new(origin, grant, self.resolver.now());
            held.still_good(self.resolver.now()).map(|()| held)
        });
        let mut state = self.state();
        state.rounds += 1;
        state.rejected = false;
        state.warnings = witness.warnings();
        for warning in &state.warnings {
            tracing::warn!(cloud = self.title, "{warning}");
        }
        match found {
            Ok(held) => {
                self.announce(&held);
                let key = Arc::clone(&held.key);
                state.vain = None;
                state.origin = Some(held.origin);
                state.held = Some(held);
                Ok(key)
            }
            Err(answer) => {
                state.vain = Some((Instant::now(), answer.clone()));
                tracing::warn!(cloud = self.title, "no key: {answer}");
                Err(answer)
            }
        }
    }

    /// Asks the origin that had a key before; without one, the first that has one.
    async fn find(
        &self,
        machine: &RecordingHost,
    ) -> Result<(usize, WithClockSkew<ResolvedCredential>), CredentialError> {
        let before = self.state().origin;
        if let Some(origin) = before {
            return match self.ask(origin, machine).await? {
                Ok(found) => Ok((origin, found)),
                // Another origin may have the key of somebody else.
                Err(why) => Err(Fault::new(
                    FaultKind::Unreachable,
                    format!(
                        "no key for {} where it was before ({why}): set it up there again, or begin anew to look elsewhere",
                        self.title
                    ),
                )
                .into()),
            };
        }
        let mut reasons = Vec::new();
        for origin in 0..self.origins.len() {
            match self.ask(origin, machine).await? {
                Ok(found) => return Ok((origin, found)),
                Err(why) => reasons.push(why),
            }
        }
        Err(self.nothing(&reasons))
    }

    /// All reasons where a person can take them in, else the places; the log has the reasons.
    fn nothing(&self, reasons: &[String]) -> CredentialError {
        for (origin, why) in self.origins.iter().zip(reasons) {
            tracing::debug!(cloud = self.title, "no key in {}: {why}", origin.name());
        }
        let mut text = reasons.join("; ");
        if text.len() > READABLE {
            let places: Vec<String> = self.origins.iter().map(CredentialSource::name).collect();
            text = format!("found none in {}", places.join(", "));
        }
        CredentialError::new(format!("no key for {}: {text}", self.title))
    }

    /// The inner error says why nothing is set up there.
    async fn ask(
        &self,
        origin: usize,
        machine: &RecordingHost,
    ) -> Result<Result<WithClockSkew<ResolvedCredential>, String>, CredentialError> {
        let Some(origin) = self.origins.get(origin) else {
            return Ok(Err("there is no such place".to_owned()));
        };
        let found = self.resolver.resolve_on(machine, |ctx| origin.begin(ctx));
        match found.await {
            Ok(found) => Ok(Ok(found)),
            Err(ResolveError::Absent(why)) => Ok(Err(why)),
            Err(ResolveError::Failed(fault)) => {
                let message = format!("no key for {}: {}", self.title, fault.message());
                Err(fault.with_message(message).into())
            }
        }
    }

    fn announce(&self, held: &CachedKey) {
        tracing::info!(
            cloud = self.title,
            found = held.found,
            expires = held
                .term
                .map(|term| httpdate::fmt_http_date(term.end))
                .as_deref(),
            "key obtained"
        );
    }
}

/// Renews the key in the background, unless somebody does already or has just failed to.
fn renew_meanwhile(inner: &Arc<Inner>) {
    if inner.holds_off() || inner.gate.try_lock().is_err() {
        return;
    }
    let inner = Arc::clone(inner);
    tokio::spawn(async move {
        let Ok(turn) = inner.gate.try_lock() else {
            return;
        };
        if let CacheState::Due(_) = inner.view() {
            // A failure was logged, and the old key is good for a while.
            let _ = inner.search(&turn).await;
        }
    });
}
