//! The state of a simulated metadata service. Requests and responses are in the modules of the
//! clouds.

use std::collections::HashMap;

use crate::{
    KeyKind, cloud_state::CloudState, identity::IssuedCredential, request::ReceivedRequest,
};

/// The issued tokens and the key of the instance's role.
#[derive(Debug, Default)]
pub(crate) struct MetadataState {
    /// The expiry of each token, in seconds since 1970.
    tokens: HashMap<String, i64>,
    role_key: Option<RoleKey>,
}

/// The key that the service returns to every request.
#[derive(Debug)]
struct RoleKey {
    role: String,
    issued: IssuedCredential,
}

impl RoleKey {
    /// Reports whether the key is still the newest. A new key appears when a quarter of the old
    /// key's lifetime is left (documented by Huawei: 6 of 24 hours; inferred for Alibaba). Both
    /// keys stay valid until they expire.
    fn is_current(&self, role: &str, now: i64) -> bool {
        let life = self.issued.expires_at.as_second() - self.issued.issued_at.as_second();
        self.role == role && self.issued.expires_at.as_second() - now > life / 4
    }
}

/// Returns the requested lifetime of a token from this header; `None` for an invalid lifetime.
pub(crate) fn requested_lifetime(request: &ReceivedRequest, header: &str) -> Option<i64> {
    let seconds = request.header(header)?.trim().parse().ok()?;
    (1..=21_600).contains(&seconds).then_some(seconds)
}

impl CloudState {
    /// Issues a token with this lifetime.
    pub(crate) fn metadata_token(&mut self, seconds: i64) -> String {
        let now = self.wall_time().as_second();
        let token = format!("simmetadata{:032x}", self.rng.u128(..));
        let tokens = &mut self.metadata.tokens;
        tokens.retain(|_, end| now < *end);
        tokens.insert(token.clone(), now.saturating_add(seconds));
        token
    }

    /// Reports whether the token was issued and is still valid.
    pub(crate) fn accepts_metadata_token(&self, token: &str) -> bool {
        let now = self.wall_time().as_second();
        let end = self.metadata.tokens.get(token);
        end.is_some_and(|end| now < *end)
    }

    /// Returns the key of the instance's role. Each key is valid for `life` seconds.
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
        testing::{cloud_state, move_clock_to},
    };

    #[test]
    fn metadata_token_expires() {
        let mut cloud = cloud_state(Cloud::Aliyun);
        let token = cloud.metadata_token(60);
        assert!(cloud.accepts_metadata_token(&token));
        assert!(!cloud.accepts_metadata_token("other"));
        move_clock_to(&mut cloud, 60);
        assert!(!cloud.accepts_metadata_token(&token));
    }

    #[test]
    fn instance_key_is_renewed_when_a_quarter_of_its_lifetime_is_left() {
        let mut cloud = cloud_state(Cloud::Aliyun);
        let mut key = |seconds: u64, role: &str| {
            move_clock_to(&mut cloud, seconds);
            cloud.instance_key(role, 4000).key.id
        };
        let first = key(0, "web");
        assert_eq!(key(2999, "web"), first);
        let second = key(3000, "web");
        assert_ne!(second, first);
        assert_ne!(key(3001, "db"), second, "another role has another key");
    }

    #[test]
    fn revoked_instance_key_is_renewed() {
        let mut cloud = cloud_state(Cloud::Aliyun);
        let first = cloud.instance_key("web", 4000);
        cloud.account.revoke_after(0);
        let second = cloud.instance_key("web", 4000);
        assert_ne!(first.key.id, second.key.id);
        assert!(!cloud.account.key(&second.key.id).unwrap().is_revoked());
    }
}
