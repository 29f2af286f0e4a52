//! The health of each key: an unconfirmed key signs one call at a time, and a rejected key signs no
//! call.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use lifecycle_core::{Credential, Fault};
use tokio::{sync::MutexGuard, time::timeout};

use crate::sync::lock;

/// The accepted and rejected access keys of an account, for all clients of the account.
///
/// A rejected access key is invalid in every region. Some clouds lock a key after a few wrong
/// signatures (Huawei: five), so the clients of all regions share this record. Cheap to clone: all
/// clones share the record.
#[derive(Clone, Debug, Default)]
pub struct AccessKeyRecord(Arc<KeyRecord>);

/// The last accepted and the last rejected key.
///
/// Calls with an unconfirmed key wait for each other, and a rejection stops all waiting calls.
#[derive(Debug, Default)]
pub(crate) struct KeyHealth {
    /// The record of access keys.
    shared: AccessKeyRecord,
    /// The record of other keys: a token is valid in one region only.
    own: KeyRecord,
    /// Lets one call of this client at a time wait for `shared`.
    first_use: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct KeyRecord {
    confirmed: Mutex<Option<Arc<Credential>>>,
    first_use: tokio::sync::Mutex<()>,
    rejected: Mutex<Option<(Arc<Credential>, Fault)>>,
}

/// The permission to use an unconfirmed key. Other calls with the key wait until the drop.
#[derive(Debug)]
pub(crate) struct FirstUse<'h> {
    _in_client: MutexGuard<'h, ()>,
    _in_account: Option<MutexGuard<'h, ()>>,
}

/// The time for which a client waits for the first use of a key by the client of another region. A
/// region that does not answer must not stop the others.
const WAIT_FOR_OTHER_REGION: Duration = Duration::from_secs(10);

impl KeyHealth {
    /// Shares the record of access keys with other clients.
    pub(crate) fn sharing(shared: AccessKeyRecord) -> Self {
        Self {
            shared,
            ..Self::default()
        }
    }

    fn record(&self, key: &Credential) -> &KeyRecord {
        match key {
            Credential::Keys { .. } => &self.shared.0,
            _ => &self.own,
        }
    }

    /// Waits until no other call uses the unconfirmed `key`. Returns `None` for a confirmed key.
    pub(crate) async fn first_use_lock(&self, key: &Arc<Credential>) -> Option<FirstUse<'_>> {
        let record = self.record(key);
        if record.is_confirmed(key) {
            return None;
        }
        let in_client = self.first_use.lock().await;
        if record.is_confirmed(key) {
            return None;
        }
        let in_account = timeout(WAIT_FOR_OTHER_REGION, record.first_use.lock()).await;
        (!record.is_confirmed(key)).then_some(FirstUse {
            _in_client: in_client,
            _in_account: in_account.ok(),
        })
    }

    /// Returns the fault of the rejection if the cloud has rejected `key`.
    pub(crate) fn check(&self, key: &Credential) -> Result<(), Fault> {
        let rejected = lock(&self.record(key).rejected);
        match &*rejected {
            Some((known, fault)) if known.same_key(key) => Err(fault.clone()),
            _ => Ok(()),
        }
    }

    /// Records that the cloud accepted `key`.
    pub(crate) fn confirm(&self, key: &Arc<Credential>) {
        let mut confirmed = lock(&self.record(key).confirmed);
        if !confirmed
            .as_ref()
            .is_some_and(|known| Arc::ptr_eq(known, key))
        {
            *confirmed = Some(Arc::clone(key));
        }
    }

    /// Records that the cloud rejected `key`.
    pub(crate) fn reject(&self, key: &Arc<Credential>, fault: &Fault) {
        let record = self.record(key);
        lock(&record.confirmed).take_if(|known| known.same_key(key));
        *lock(&record.rejected) = Some((Arc::clone(key), fault.clone()));
    }
}

impl KeyRecord {
    fn is_confirmed(&self, key: &Arc<Credential>) -> bool {
        let confirmed = lock(&self.confirmed);
        confirmed.as_ref().is_some_and(|known| known.same_key(key))
    }
}

#[cfg(test)]
mod tests {
    use lifecycle_core::{FaultKind, Secret};

    use super::*;

    fn rejection() -> Fault {
        Fault::new(FaultKind::Credential, "no")
    }

    #[test]
    fn rejection_concerns_one_key_only() {
        let health = KeyHealth::default();
        let bad = Arc::new(Credential::keys("id", "wrong"));
        health.reject(&bad, &rejection());
        assert!(health.check(&Credential::keys("id", "wrong")).is_err());
        assert!(health.check(&Credential::keys("id", "right")).is_ok());
        assert!(
            health
                .check(&Credential::session("id", "wrong", "t"))
                .is_ok()
        );
    }

    #[test]
    fn rejected_access_key_is_known_to_all_regions_and_a_rejected_token_is_not() {
        let account = AccessKeyRecord::default();
        let [one, other] = [0, 1].map(|_| KeyHealth::sharing(account.clone()));
        let key = Arc::new(Credential::keys("id", "wrong"));
        one.reject(&key, &rejection());
        assert!(other.check(&key).is_err());
        let token = Arc::new(Credential::Token(Secret::new("t")));
        one.reject(&token, &rejection());
        assert!(one.check(&token).is_err());
        assert!(other.check(&token).is_ok());
    }

    #[tokio::test]
    async fn unconfirmed_key_is_used_by_one_call_at_a_time() {
        let health = KeyHealth::default();
        let key = Arc::new(Credential::keys("id", "secret"));
        let first = health.first_use_lock(&key).await;
        assert!(first.is_some());
        let second = timeout(Duration::from_millis(20), health.first_use_lock(&key));
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

    #[tokio::test(start_paused = true)]
    async fn other_region_waits_for_the_first_use_of_a_key_for_a_limited_time() {
        let account = AccessKeyRecord::default();
        let [one, other] = [0, 1].map(|_| KeyHealth::sharing(account.clone()));
        let key = Arc::new(Credential::keys("id", "secret"));
        let first = one.first_use_lock(&key).await;
        let soon = timeout(Duration::from_secs(9), other.first_use_lock(&key));
        assert!(soon.await.is_err(), "two regions with an unconfirmed key");
        assert!(other.first_use_lock(&key).await.is_some());
        drop(first);
    }
}
