//! `SharedKeys`: the keys that the cloud rejected for any of the sharers of a rate limit.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use lifecycle_core::{Credential, Fault, FaultKind, encode::hmac_sha256_hex_of};

use crate::{call::shared_rate::RejectedKey, sync::lock};

/// The rejected keys of all sharers, as named by the last lease.
#[derive(Debug)]
pub(crate) struct SharedKeys {
    /// The cloud, because a key is valid at one cloud only.
    cloud: &'static str,
    /// The codes of the rejections, by digest of the key.
    rejected: Mutex<HashMap<String, Option<String>>>,
    /// The last key with its digest.
    last: Mutex<Option<(Arc<Credential>, String)>>,
}

impl SharedKeys {
    pub(crate) fn new(cloud: &'static str) -> Self {
        Self {
            cloud,
            rejected: Mutex::default(),
            last: Mutex::default(),
        }
    }

    /// Replaces the rejected keys.
    pub(crate) fn update(&self, keys: Vec<RejectedKey>) {
        let mut rejected = lock(&self.rejected);
        if !rejected.is_empty() || !keys.is_empty() {
            *rejected = keys.into_iter().map(|key| (key.digest, key.code)).collect();
        }
    }

    /// Returns the fault of the rejection if the cloud has rejected `key` for a sharer.
    pub(crate) fn check(&self, key: &Arc<Credential>) -> Result<(), Fault> {
        if lock(&self.rejected).is_empty() {
            return Ok(());
        }
        let Some(digest) = self.digest(key) else {
            return Ok(());
        };
        match lock(&self.rejected).get(&digest) {
            Some(code) => Err(rejection(code.clone())),
            None => Ok(()),
        }
    }

    /// Returns the record of a rejection; `None` for a token, which is valid in one region only.
    pub(crate) fn record(&self, key: &Arc<Credential>, fault: &Fault) -> Option<RejectedKey> {
        let digest = self.digest(key)?;
        let code = fault.code().map(str::to_owned);
        Some(RejectedKey { digest, code })
    }

    fn digest(&self, key: &Arc<Credential>) -> Option<String> {
        let mut last = lock(&self.last);
        if let Some((known, digest)) = &*last
            && Arc::ptr_eq(known, key)
        {
            return Some(digest.clone());
        }
        let digest = digest(self.cloud, key)?;
        *last = Some((Arc::clone(key), digest.clone()));
        Some(digest)
    }
}

/// Returns the digest of the id of an access key, made with the secret of the key.
fn digest(cloud: &str, key: &Credential) -> Option<String> {
    let Credential::Keys {
        id,
        secret,
        session,
    } = key
    else {
        return None;
    };
    let session = session.as_ref().map_or("", |session| session.expose());
    // The first part keeps the digest apart from every signature.
    let parts = [
        "lifecycle rejected key\n",
        cloud,
        "\n",
        id.as_str(),
        "\n",
        session,
    ];
    Some(hmac_sha256_hex_of(secret.expose().as_bytes(), &parts))
}

fn rejection(code: Option<String>) -> Fault {
    let message = "the cloud rejected this key for another program with the same shared rate limit; \
                   replace the key, or let the shared rate limit forget a key that is valid again";
    let fault = Fault::new(FaultKind::Credential, message);
    match code {
        Some(code) => fault.with_code(code),
        None => fault,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str, secret: &str) -> Arc<Credential> {
        Arc::new(Credential::keys(id, secret))
    }

    #[test]
    fn digest_changes_with_every_part_of_a_key_and_shows_none() {
        let digests: Vec<_> = [
            key("AKID", "SECRET"),
            key("AKID", "SECRET2"),
            key("AKID2", "SECRET"),
            Arc::new(Credential::session("AKID", "SECRET", "SESSION")),
        ]
        .iter()
        .map(|key| digest("cloud", key).unwrap())
        .collect();
        for (position, digest) in digests.iter().enumerate() {
            assert_eq!(digest.len(), 64);
            assert!(!digests.get(position + 1..).unwrap().contains(digest));
            for part in ["AKID", "SECRET", "SESSION"] {
                assert!(!digest.contains(part));
            }
        }
        let other_cloud = digest("other-cloud", &key("AKID", "SECRET"));
        assert!(!digests.contains(&other_cloud.unwrap()));
        assert_eq!(digest("cloud", &Credential::token("t")), None);
    }

    #[test]
    fn key_of_the_record_is_refused_until_it_changes() {
        let keys = SharedKeys::new("cloud");
        let fault = Fault::new(FaultKind::Credential, "no").with_code("NotFound");
        let bad = keys.record(&key("id", "wrong"), &fault).unwrap();
        keys.update(vec![bad]);
        let found = keys.check(&key("id", "wrong")).unwrap_err();
        assert_eq!(found.kind(), FaultKind::Credential);
        assert_eq!(found.code(), Some("NotFound"));
        keys.check(&key("id", "right")).unwrap();
        keys.update(Vec::new());
        keys.check(&key("id", "wrong")).unwrap();
    }
}
