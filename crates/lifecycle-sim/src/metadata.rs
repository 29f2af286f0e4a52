//! What a metadata service remembers. How it is asked, and what it answers, is the cloud's own matter.

use std::collections::HashMap;

use crate::{KeyKind, cloud_state::CloudState, identity::IssuedCredential};

/// Tokens that were given, and the key of the instance's role.
#[derive(Debug, Default)]
pub(crate) struct MetadataState {
    /// Until when each token is good, in seconds since 1970.
    tokens: HashMap<String, i64>,
    role_key: Option<RoleKey>,
}

/// The key that is given to everyone who asks.
#[derive(Debug)]
struct RoleKey {
    role: String,
    issued: IssuedCredential,
}

impl RoleKey {
    /// A new key appears when a quarter of the old one's life is left (documented by Huawei: 6 of 24
    /// hours; inferred for Alibaba). Both are good until they end.
    fn is_current(&self, role: &str, now: i64) -> bool {
        let life = self.issued.expires_at.as_second() - self.issued.issued_at.as_second();
        self.role == role && self.issued.expires_at.as_second() - now > life / 4
    }
}

impl CloudState {
    /// A new token that is good for so many seconds.
    pub(crate) fn metadata_token(&mut self, seconds: i64) -> String {
        let now = self.wall_time().as_second();
        let token = format!("simmetadata{:032x}", self.rng.u128(..));
        let tokens = &mut self.metadata.tokens;
        tokens.retain(|_, end| now < *end);
        tokens.insert(token.clone(), now.saturating_add(seconds));
        token
    }

    /// Was this token given, and is it still good?
    pub(crate) fn accepts_metadata_token(&self, token: &str) -> bool {
        let now = self.wall_time().as_second();
        let end = self.metadata.tokens.get(token);
        end.is_some_and(|end| now < *end)
    }

    /// The key of the instance's role, of which each lives for so many seconds.
    pub(crate) fn instance_key(&mut self, role: &str, life: u64) -> IssuedCredential {
        let now = self.wall_time().as_second();
        if let Some(role_key) = &self.metadata.role_key
            && role_key.is_current(role, now)
            && self
                .account
                .key(&role_key.issued.key.id)
                .is_some_and(|key| !key.is_revoked())
        {
            return role_key.issued.clone();
        }
        let issued = self.issue_key(KeyKind::Temporary, life);
        self.metadata.role_key = Some(RoleKey {
            role: role.to_owned(),
            issued: issued.clone(),
        });
        issued
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Cloud,
        testing::{at, cloud_state},
    };

    #[test]
    fn tokens_end() {
        let mut cloud = cloud_state(Cloud::Aliyun);
        let token = cloud.metadata_token(60);
        assert!(cloud.accepts_metadata_token(&token));
        assert!(!cloud.accepts_metadata_token("other"));
        at(&mut cloud, 60);
        assert!(!cloud.accepts_metadata_token(&token));
    }

    #[test]
    fn a_key_is_given_until_a_quarter_of_its_life_is_left() {
        let mut cloud = cloud_state(Cloud::Aliyun);
        let mut key = |seconds: u64, role: &str| {
            at(&mut cloud, seconds);
            cloud.instance_key(role, 4000).key.id
        };
        let first = key(0, "web");
        assert_eq!(key(2999, "web"), first);
        let second = key(3000, "web");
        assert_ne!(second, first);
        assert_ne!(key(3001, "db"), second, "another role has another key");
    }

    #[test]
    fn a_key_that_was_taken_back_is_not_given_again() {
        let mut cloud = cloud_state(Cloud::Aliyun);
        let first = cloud.instance_key("web", 4000);
        cloud.account.revoke_after(0);
        let second = cloud.instance_key("web", 4000);
        assert_ne!(first.key.id, second.key.id);
        assert!(!cloud.account.key(&second.key.id).unwrap().is_revoked());
    }
}
