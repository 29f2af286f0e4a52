//! Whether the key works: untried keys go out alone, refused ones not at all.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use std::sync::Arc;

use lifecycle_core::{Credential, Fault};
use tokio::sync::MutexGuard;

/// What is known of the key that a client uses.
///
/// Some clouds lock a key after a few wrong signatures (Huawei: five), so calls with a key that
/// never worked queue up behind each other, and a refusal stops all that wait.
#[derive(Debug, Default)]
pub(crate) struct Trust {
    confirmed: AtomicBool,
    alone: tokio::sync::Mutex<()>,
    refused: Mutex<Option<(Arc<Credential>, Fault)>>,
}

impl Trust {
    /// Waits until nobody else tries the key; passes at once when it is known to work.
    pub(crate) async fn probation(&self) -> Option<MutexGuard<'_, ()>> {
        if self.confirmed.load(Ordering::Acquire) {
            return None;
        }
        let guard = self.alone.lock().await;
        (!self.confirmed.load(Ordering::Acquire)).then_some(guard)
    }

    /// Refuses a key that a cloud has refused before, with that refusal.
    pub(crate) fn admit(&self, key: &Credential) -> Result<(), Fault> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        match &*refused {
            Some((known, fault)) if is_same(known, key) => Err(fault.clone()),
            _ => Ok(()),
        }
    }

    /// A cloud accepted the key.
    pub(crate) fn confirm(&self) {
        self.confirmed.store(true, Ordering::Release);
    }

    /// A cloud refused the key.
    pub(crate) fn revoke(&self, key: &Arc<Credential>, fault: &Fault) {
        self.confirmed.store(false, Ordering::Release);
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((Arc::clone(key), fault.clone()));
    }
}

fn is_same(one: &Credential, other: &Credential) -> bool {
    let public_half = |key: &Credential| match key {
        Credential::Keys { id, .. } => Some(id.clone()),
        _ => None,
    };
    public_half(one) == public_half(other)
        && one
            .secrets()
            .map(lifecycle_core::Secret::expose)
            .eq(other.secrets().map(lifecycle_core::Secret::expose))
}

#[cfg(test)]
mod tests {
    use lifecycle_core::FaultKind;

    use super::*;

    #[test]
    fn only_the_refused_key_is_kept_out() {
        let trust = Trust::default();
        let bad = Arc::new(Credential::keys("id", "wrong"));
        trust.revoke(&bad, &Fault::new(FaultKind::Credential, "no"));
        assert!(trust.admit(&Credential::keys("id", "wrong")).is_err());
        assert!(trust.admit(&Credential::keys("id", "right")).is_ok());
        assert!(
            trust
                .admit(&Credential::session("id", "wrong", "t"))
                .is_ok()
        );
    }

    #[tokio::test]
    async fn keys_on_probation_go_one_at_a_time() {
        let trust = Trust::default();
        let first = trust.probation().await;
        assert!(first.is_some());
        let second = tokio::time::timeout(std::time::Duration::from_millis(20), trust.probation());
        assert!(second.await.is_err(), "two untried calls at once");
        trust.confirm();
        drop(first);
        assert!(trust.probation().await.is_none());
    }
}
