//! The health of each key: an unconfirmed key signs one call at a time, and a rejected key signs no
//! call.

use std::sync::{Arc, Mutex};

use lifecycle_core::{Credential, Fault};
use tokio::sync::MutexGuard;

use crate::sync::lock;

/// The last accepted and the last rejected key.
///
/// Some clouds lock a key after a few wrong signatures (Huawei: five). So calls with an unconfirmed
/// key wait for each other, and a rejection stops all waiting calls.
#[derive(Debug, Default)]
pub(crate) struct KeyHealth {
    confirmed: Mutex<Option<Arc<Credential>>>,
    first_use: tokio::sync::Mutex<()>,
    rejected: Mutex<Option<(Arc<Credential>, Fault)>>,
}

impl KeyHealth {
    /// Waits until no other call uses the unconfirmed `key`. Returns `None` for a confirmed key.
    pub(crate) async fn first_use_lock(&self, key: &Arc<Credential>) -> Option<MutexGuard<'_, ()>> {
        if self.is_confirmed(key) {
            return None;
        }
        let guard = self.first_use.lock().await;
        (!self.is_confirmed(key)).then_some(guard)
    }

    fn is_confirmed(&self, key: &Arc<Credential>) -> bool {
        let confirmed = lock(&self.confirmed);
        confirmed.as_ref().is_some_and(|known| known.same_key(key))
    }

    /// Returns the fault of the rejection if the cloud has rejected `key`.
    pub(crate) fn check(&self, key: &Credential) -> Result<(), Fault> {
        let rejected = lock(&self.rejected);
        match &*rejected {
            Some((known, fault)) if known.same_key(key) => Err(fault.clone()),
            _ => Ok(()),
        }
    }

    /// Records that the cloud accepted `key`.
    pub(crate) fn confirm(&self, key: &Arc<Credential>) {
        let mut confirmed = lock(&self.confirmed);
        if !confirmed
            .as_ref()
            .is_some_and(|known| Arc::ptr_eq(known, key))
        {
            *confirmed = Some(Arc::clone(key));
        }
    }

    /// Records that the cloud rejected `key`.
    pub(crate) fn reject(&self, key: &Arc<Credential>, fault: &Fault) {
        lock(&self.confirmed).take_if(|known| known.same_key(key));
        *lock(&self.rejected) = Some((Arc::clone(key), fault.clone()));
    }
}

#[cfg(test)]
mod tests {
    use lifecycle_core::FaultKind;

    use super::*;

    #[test]
    fn rejection_concerns_one_key_only() {
        let health = KeyHealth::default();
        let bad = Arc::new(Credential::keys("id", "wrong"));
        health.reject(&bad, &Fault::new(FaultKind::Credential, "no"));
        assert!(health.check(&Credential::keys("id", "wrong")).is_err());
        assert!(health.check(&Credential::keys("id", "right")).is_ok());
        assert!(
            health
                .check(&Credential::session("id", "wrong", "t"))
                .is_ok()
        );
    }

    #[tokio::test]
    async fn unconfirmed_key_is_used_by_one_call_at_a_time() {
        let health = KeyHealth::default();
        let key = Arc::new(Credential::keys("id", "secret"));
        let first = health.first_use_lock(&key).await;
        assert!(first.is_some());
        let second = tokio::time::timeout(
            std::time::Duration::from_millis(20),
            health.first_use_lock(&key),
        );
        assert!(second.await.is_err(), "two calls with an unconfirmed key");
        health.confirm(&key);
        drop(first);
        assert!(health.first_use_lock(&key).await.is_none());
        let next = Arc::new(Credential::keys("id", "rotated"));
        assert!(
            health.first_use_lock(&next).await.is_some(),
            "the new key is unconfirmed"
        );
    }
}
