//! Whether the key works: untried keys go out alone, refused ones not at all.

use std::sync::{Arc, Mutex};

use lifecycle_core::{Credential, Fault};
use tokio::sync::MutexGuard;

use crate::sync::lock;

/// What is known of the key that a client uses.
///
/// Some clouds lock a key after a few wrong signatures (Huawei: five), so calls with a key that
/// never worked queue up behind each other, and a refusal stops all that wait.
#[derive(Debug, Default)]
pub(crate) struct KeyHealth {
    /// The key that a cloud accepted last.
    confirmed: Mutex<Option<Arc<Credential>>>,
    alone: tokio::sync::Mutex<()>,
    refused: Mutex<Option<(Arc<Credential>, Fault)>>,
}

impl KeyHealth {
    /// Waits until nobody else tries the key; passes at once when it is known to work.
    pub(crate) async fn first_use_lock(&self, key: &Arc<Credential>) -> Option<MutexGuard<'_, ()>> {
        if self.is_confirmed(key) {
            return None;
        }
        let guard = self.alone.lock().await;
        (!self.is_confirmed(key)).then_some(guard)
    }

    fn is_confirmed(&self, key: &Arc<Credential>) -> bool {
        let confirmed = lock(&self.confirmed);
        confirmed.as_ref().is_some_and(|known| known.same_key(key))
    }

    /// Refuses a key that a cloud has refused before, with that refusal.
    pub(crate) fn check(&self, key: &Credential) -> Result<(), Fault> {
        let refused = lock(&self.refused);
        match &*refused {
            Some((known, fault)) if known.same_key(key) => Err(fault.clone()),
            _ => Ok(()),
        }
    }

    /// A cloud accepted the key.
    pub(crate) fn confirm(&self, key: &Arc<Credential>) {
        let mut confirmed = lock(&self.confirmed);
        if !confirmed
            .as_ref()
            .is_some_and(|known| Arc::ptr_eq(known, key))
        {
            *confirmed = Some(Arc::clone(key));
        }
    }

    /// A cloud refused the key.
    pub(crate) fn reject(&self, key: &Arc<Credential>, fault: &Fault) {
        lock(&self.confirmed).take_if(|known| known.same_key(key));
        *lock(&self.refused) = Some((Arc::clone(key), fault.clone()));
    }
}

#[cfg(test)]
mod tests {
    use lifecycle_core::FaultKind;

    use super::*;

    #[test]
    fn only_the_refused_key_is_kept_out() {
        let trust = KeyHealth::default();
        let bad = Arc::new(Credential::keys("id", "wrong"));
        trust.reject(&bad, &Fault::new(FaultKind::Credential, "no"));
        assert!(trust.check(&Credential::keys("id", "wrong")).is_err());
        assert!(trust.check(&Credential::keys("id", "right")).is_ok());
        assert!(
            trust
                .check(&Credential::session("id", "wrong", "t"))
                .is_ok()
        );
    }

    #[tokio::test]
    async fn keys_on_probation_go_one_at_a_time() {
        let trust = KeyHealth::default();
        let key = Arc::new(Credential::keys("id", "secret"));
        let first = trust.first_use_lock(&key).await;
        assert!(first.is_some());
        let second = tokio::time::timeout(
            std::time::Duration::from_millis(20),
            trust.first_use_lock(&key),
        );
        assert!(second.await.is_err(), "two untried calls at once");
        trust.confirm(&key);
        drop(first);
        assert!(trust.first_use_lock(&key).await.is_none());
        let next = Arc::new(Credential::keys("id", "rotated"));
        assert!(
            trust.first_use_lock(&next).await.is_some(),
            "a new key is new"
        );
    }
}
