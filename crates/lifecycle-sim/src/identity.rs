//! The identity services of a simulated cloud: roles, users, identity tokens and the role of an
//! instance.

use std::{fmt, time::Duration};

use jiff::Timestamp;

use crate::{KeyKind, account::Key, cloud_state::CloudState};

/// The settings of a cloud's services for temporary keys. By default no role can be assumed, and
/// there is no metadata service.
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
    /// Creates settings without roles, users and tokens.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a role. Callers with a valid key, a temporary key or an identity token can assume the
    /// role. Huawei calls a role an agency (委托).
    #[must_use]
    pub fn role(mut self, role: Role) -> Self {
        self.roles.push(role);
        self
    }

    /// Adds a user with a password and the name of the account (domain) of the user. Huawei only.
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

    /// Adds an OpenID Connect token. The service accepts the token together with this provider: the
    /// ARN of the provider at Alibaba, the id (`X-Idp-Id`) or the URN at Huawei. The text of the
    /// token is free.
    #[must_use]
    pub fn id_token(mut self, provider: impl Into<String>, token: impl Into<String>) -> Self {
        self.id_tokens.push(IdToken {
            provider: provider.into(),
            token: token.into(),
        });
        self
    }

    /// Sets the metadata service of the instance; off by default. Alibaba and Huawei have a
    /// metadata service.
    #[must_use]
    pub fn metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = metadata;
        self
    }

    /// Sets the lifetime of all issued keys and tokens, in whole seconds. The default is the
    /// requested lifetime, or the default of the cloud.
    #[must_use]
    pub fn lifetime(mut self, span: Duration) -> Self {
        self.lifetime = Some(span);
        self
    }

    /// Sets the number of projects in a region; 1 by default. Huawei only.
    #[must_use]
    pub fn projects(mut self, count: usize) -> Self {
        self.projects = count;
        self
    }

    pub(crate) fn role_named(&self, name: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.name == name)
    }

    /// Reports whether the user has this password.
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

    /// Returns the role of the instance.
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

/// A role that calls can assume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    name: String,
    external_id: Option<String>,
    longest_session: Option<Duration>,
}

impl Role {
    /// Creates a role with its full name: at Alibaba the ARN `acs:ram::ACCOUNT:role/NAME`, at Baidu
    /// `ACCOUNT/NAME`, at Huawei the URN `iam::ACCOUNT:agency:NAME`.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            external_id: None,
            longest_session: None,
        }
    }

    /// Requires this external id. By default no id is required. Alibaba only.
    #[must_use]
    pub fn external_id(mut self, id: impl Into<String>) -> Self {
        self.external_id = Some(id.into());
        self
    }

    /// Sets the maximum session length, in whole seconds. The default is an hour; two hours at
    /// Baidu.
    #[must_use]
    pub fn longest_session(mut self, span: Duration) -> Self {
        self.longest_session = Some(span);
        self
    }

    /// Reports whether a caller with this external id may assume the role.
    pub(crate) fn allows_external_id(&self, external_id: Option<&str>) -> bool {
        self.external_id.is_none() || self.external_id.as_deref() == external_id
    }

    /// Returns the maximum session length in seconds.
    pub(crate) fn max_session(&self, default: u64) -> u64 {
        self.longest_session.map_or(default, |span| span.as_secs())
    }
}

/// The metadata service of an instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Metadata {
    /// No service: the addresses answer 404.
    #[default]
    Off,
    /// The instance has no role.
    NoRole,
    /// The instance has the role with this short name, and the service issues keys for the role.
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

/// An issued key or token with the times in whole seconds.
#[derive(Clone, Debug)]
pub(crate) struct IssuedCredential {
    pub(crate) key: Key,
    pub(crate) issued_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

impl IssuedCredential {
    /// Returns the session token of the key.
    pub(crate) fn session(&self) -> &str {
        self.key.session.as_deref().unwrap_or_default()
    }
}

impl CloudState {
    /// Issues a key or a token and adds it to the account. The lifetime is `seconds`, or
    /// [`Identity::lifetime`] if set.
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
        testing::{cloud_state, move_clock_to},
    };

    #[test]
    fn issued_key_expires_by_the_clock_of_the_cloud() {
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
        move_clock_to(&mut cloud, 899);
        assert!(!is_expired(&cloud));
        move_clock_to(&mut cloud, 900);
        assert!(is_expired(&cloud));
        cloud.skew = -1;
        assert!(!is_expired(&cloud), "the cloud's own clock counts");
    }

    #[test]
    fn configured_lifetime_replaces_the_requested_time_without_overflow() {
        let mut cloud = cloud_state(Cloud::Huawei);
        let unlimited = cloud.issue_key(KeyKind::Token, u64::MAX);
        assert_eq!(unlimited.expires_at, Timestamp::MAX);
        cloud.identity = Identity::new().lifetime(Duration::from_secs(60));
        let issued = cloud.issue_key(KeyKind::Token, 900);
        assert_eq!(
            issued.expires_at.as_second() - issued.issued_at.as_second(),
            60
        );
    }

    #[test]
    fn expired_key_is_removed_after_a_day() {
        let mut cloud = cloud_state(Cloud::Huawei);
        let issued = cloud.issue_key(KeyKind::Temporary, 900);
        move_clock_to(&mut cloud, 899 + 86_400);
        cloud.issue_key(KeyKind::Temporary, 900);
        assert!(cloud.account.key(&issued.key.id).is_some());
        move_clock_to(&mut cloud, 900 + 86_400);
        cloud.issue_key(KeyKind::Temporary, 900);
        assert!(cloud.account.key(&issued.key.id).is_none());
        let own = cloud.account.newest_permanent_key().unwrap();
        assert_eq!(own.id, "id", "an issued key is not the account's own");
    }

    #[test]
    fn debug_output_has_no_secrets() {
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
