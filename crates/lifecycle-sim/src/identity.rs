//! What the identity services of a cloud know: roles, users, identity tokens, and the role of the
//! instance that a program runs on.

use std::{fmt, time::Duration};

use jiff::Timestamp;

use crate::{KeyKind, account::Key, cloud_state::CloudState};

/// What the services of one cloud that hand out temporary keys know. Nothing and nobody unless told:
/// no role can be assumed, and there is no metadata service.
///
/// ```
/// use std::time::Duration;
/// use lifecycle_sim::{Cloud, Identity, Metadata, Role, Simulator};
///
/// let simulator = Simulator::builder()
///     .identity(
///         Cloud::Aliyun,
///         Identity::new()
///             .role(Role::new("acs:ram::1001:role/night").external_id("patch"))
///             .id_token("acs:ram::1001:oidc-provider/ci", "an.id.token")
///             .metadata(Metadata::Role("web".into())),
///     )
///     .identity(
///         Cloud::Huawei,
///         Identity::new().user("ops", "pass", "company").lifetime(Duration::from_secs(1800)),
///     )
///     .build();
/// ```
#[derive(Clone, Debug)]
pub struct Identity {
    roles: Vec<Role>,
    users: Vec<User>,
    id_tokens: Vec<IdToken>,
    metadata: Metadata,
    lifetime: Option<Duration>,
    projects: usize,
}

impl Default for Identity {
    fn default() -> Self {
        Self {
            roles: Vec::new(),
            users: Vec::new(),
            id_tokens: Vec::new(),
            metadata: Metadata::default(),
            lifetime: None,
            projects: 1,
        }
    }
}

impl Identity {
    /// Knows nothing and nobody.
    pub fn new() -> Self {
        Self::default()
    }

    /// A role that may be assumed by whoever has a good key, a temporary one included, or by whoever
    /// has an identity token. Huawei calls it an agency.
    #[must_use]
    pub fn role(mut self, role: Role) -> Self {
        self.roles.push(role);
        self
    }

    /// A user who may log in with a password, by the name of the account (domain) that the user
    /// belongs to. Huawei only.
    #[must_use]
    pub fn user(
        mut self,
        name: impl Into<String>,
        password: impl Into<String>,
        domain: impl Into<String>,
    ) -> Self {
        self.users.push(User {
            name: name.into(),
            password: password.into(),
            domain: domain.into(),
        });
        self
    }

    /// An OpenID Connect token that is believed when it comes with this provider: the ARN of the
    /// provider at Alibaba, its id (`X-Idp-Id`) or its URN at Huawei. The text of the token is free.
    #[must_use]
    pub fn id_token(mut self, provider: impl Into<String>, token: impl Into<String>) -> Self {
        self.id_tokens.push(IdToken {
            provider: provider.into(),
            token: token.into(),
        });
        self
    }

    /// What the metadata service of the instance has. Alibaba and Huawei have one. Off.
    #[must_use]
    pub fn metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = metadata;
        self
    }

    /// How long all keys and tokens live that are handed out, in whole seconds, whatever was asked for.
    /// As long as was asked for, or as long as the cloud's own default.
    #[must_use]
    pub fn lifetime(mut self, span: Duration) -> Self {
        self.lifetime = Some(span);
        self
    }

    /// How many projects a region has. Huawei only. 1.
    #[must_use]
    pub fn projects(mut self, count: usize) -> Self {
        self.projects = count;
        self
    }

    pub(crate) fn role_named(&self, name: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.name == name)
    }

    /// Has this user this password?
    pub(crate) fn accepts_password(&self, name: &str, password: &str, domain: &str) -> bool {
        self.users
            .iter()
            .any(|user| user.name == name && user.password == password && user.domain == domain)
    }

    pub(crate) fn has_provider(&self, provider: &str) -> bool {
        self.id_tokens
            .iter()
            .any(|known| known.provider == provider)
    }

    pub(crate) fn accepts_id_token(&self, provider: &str, token: &str) -> bool {
        self.id_tokens
            .iter()
            .any(|known| known.provider == provider && known.token == token)
    }

    pub(crate) fn has_metadata(&self) -> bool {
        self.metadata != Metadata::Off
    }

    /// The role of the instance.
    pub(crate) fn instance_role(&self) -> Option<&str> {
        match &self.metadata {
            Metadata::Role(name) => Some(name),
            Metadata::Off | Metadata::NoRole => None,
        }
    }

    pub(crate) fn project_count(&self) -> usize {
        self.projects
    }
}

/// A role that can be assumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    name: String,
    external_id: Option<String>,
    longest_session: Option<Duration>,
}

impl Role {
    /// A role by its full name: at Alibaba the ARN `acs:ram::ACCOUNT:role/NAME`, at Baidu
    /// `ACCOUNT/NAME`, at Huawei the URN `iam::ACCOUNT:agency:NAME`.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            external_id: None,
            longest_session: None,
        }
    }

    /// Demands this external id. Alibaba only. None is demanded unless told.
    #[must_use]
    pub fn external_id(mut self, id: impl Into<String>) -> Self {
        self.external_id = Some(id.into());
        self
    }

    /// How long a session may be asked for, in whole seconds. An hour; two hours at Baidu.
    #[must_use]
    pub fn longest_session(mut self, span: Duration) -> Self {
        self.longest_session = Some(span);
        self
    }

    /// Is the role given to who comes with this external id?
    pub(crate) fn is_for(&self, external_id: Option<&str>) -> bool {
        self.external_id.is_none() || self.external_id.as_deref() == external_id
    }

    /// The longest session in seconds.
    pub(crate) fn longest(&self, usual: u64) -> u64 {
        self.longest_session.map_or(usual, |span| span.as_secs())
    }
}

/// What the metadata service of an instance has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Metadata {
    /// There is no such service: its addresses answer 404.
    #[default]
    Off,
    /// The instance has no role.
    NoRole,
    /// The instance has the role with this short name, and gets keys for it.
    Role(String),
}

#[derive(Clone)]
struct User {
    name: String,
    password: String,
    domain: String,
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User")
            .field("name", &self.name)
            .field("domain", &self.domain)
            .finish_non_exhaustive()
    }
}

#[derive(Clone)]
struct IdToken {
    provider: String,
    token: String,
}

impl fmt::Debug for IdToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdToken")
            .field("provider", &self.provider)
            .finish_non_exhaustive()
    }
}

/// A key or token that was handed out, with its times in whole seconds.
#[derive(Clone, Debug)]
pub(crate) struct IssuedCredential {
    pub(crate) key: Key,
    pub(crate) issued_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

impl IssuedCredential {
    /// The session token that comes with the key.
    pub(crate) fn session(&self) -> &str {
        self.key.session.as_deref().unwrap_or_default()
    }
}

impl CloudState {
    /// Hands out a key or a token that the account knows from now on, for so many seconds or as long as
    /// [`Identity::lifetime`] says.
    pub(crate) fn issue_key(&mut self, kind: KeyKind, seconds: u64) -> IssuedCredential {
        let seconds = self
            .identity
            .lifetime
            .map_or(seconds, |span| span.as_secs());
        let now = self.wall_time().as_second();
        let end = now.saturating_add(i64::try_from(seconds).unwrap_or(i64::MAX));
        let expires_at = Timestamp::from_second(end).unwrap_or(Timestamp::MAX);
        let key = Key::generate(self.kind, kind, &mut self.rng).with_expiry(expires_at.as_second());
        self.account.remove_expired(now);
        self.account.add(key.clone());
        IssuedCredential {
            key,
            issued_at: Timestamp::from_second(now).unwrap_or_default(),
            expires_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Cloud,
        testing::{at, cloud_state},
    };

    #[test]
    fn what_is_handed_out_ends_by_the_clouds_clock() {
        let mut cloud = cloud_state(Cloud::Huawei);
        let issued = cloud.issue_key(KeyKind::Temporary, 900);
        assert_eq!(
            issued.expires_at.as_second() - issued.issued_at.as_second(),
            900
        );
        let is_expired = |cloud: &CloudState| {
            let key = cloud.account.key(&issued.key.id).unwrap();
            key.is_expired(cloud.wall_time().as_second())
        };
        at(&mut cloud, 899);
        assert!(!is_expired(&cloud));
        at(&mut cloud, 900);
        assert!(is_expired(&cloud));
        cloud.skew = -1;
        assert!(!is_expired(&cloud), "the cloud's own clock counts");
    }

    #[test]
    fn a_lifetime_beats_what_was_asked_for_and_never_overflows() {
        let mut cloud = cloud_state(Cloud::Huawei);
        let longest = cloud.issue_key(KeyKind::Token, u64::MAX);
        assert_eq!(longest.expires_at, Timestamp::MAX);
        cloud.identity = Identity::new().lifetime(Duration::from_secs(60));
        let issued = cloud.issue_key(KeyKind::Token, 900);
        assert_eq!(
            issued.expires_at.as_second() - issued.issued_at.as_second(),
            60
        );
    }

    #[test]
    fn ended_keys_are_remembered_for_a_day() {
        let mut cloud = cloud_state(Cloud::Huawei);
        let issued = cloud.issue_key(KeyKind::Temporary, 900);
        at(&mut cloud, 899 + 86_400);
        cloud.issue_key(KeyKind::Temporary, 900);
        assert!(cloud.account.key(&issued.key.id).is_some());
        at(&mut cloud, 900 + 86_400);
        cloud.issue_key(KeyKind::Temporary, 900);
        assert!(cloud.account.key(&issued.key.id).is_none());
        let own = cloud.account.newest_own_key().unwrap();
        assert_eq!(
            own.id, "id",
            "a key that was handed out is not the account's own"
        );
    }

    #[test]
    fn secrets_do_not_show() {
        let identity = Identity::new()
            .user("ops", "hidden", "company")
            .id_token("provider", "hidden");
        let shown = format!("{identity:?}");
        assert!(
            shown.contains("company") && !shown.contains("hidden"),
            "{shown}"
        );
    }
}
