//! The data of the setting `credentials` of an account: the source of the keys. The configuration
//! file never holds a key.
//!
//! "The cloud's own tools" are the command line tool and the SDKs of the vendor.

use std::time::Duration;

use super::secret::VariableName;

/// The source of the keys of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialConfig {
    /// Every source of the cloud's own tools, tried in the order in which these tools try the
    /// sources.
    #[non_exhaustive]
    Default {
        /// The profile in the files of these tools; `None` for the profile that the files select.
        profile: Option<String>,
    },
    /// The environment variables of the cloud's own tools.
    Environment,
    /// The files of the cloud's own tools.
    #[non_exhaustive]
    File {
        /// The profile; `None` for the profile that the files select.
        profile: Option<String>,
    },
    /// An access key in environment variables with these names.
    #[non_exhaustive]
    AccessKeyVariables {
        /// The variable of the public key ID.
        id: VariableName,
        /// The variable of the secret.
        secret: VariableName,
        /// The variable of the session token of a temporary key.
        session: Option<VariableName>,
    },
    /// A bearer token in an environment variable with this name.
    #[non_exhaustive]
    TokenVariable {
        /// The variable of the token.
        token: VariableName,
    },
    /// The metadata service of the instance that the program runs on.
    #[non_exhaustive]
    Metadata {
        /// The role of the instance; `None` to ask the metadata service for the role.
        role: Option<String>,
    },
    /// An OIDC token, described by the environment variables of the cloud's own tools.
    Oidc,
    /// An HTTP service that returns keys, such as Alibaba's credentials URI.
    #[non_exhaustive]
    Uri {
        /// The URI of the service: `http://` or `https://`.
        uri: String,
    },
    /// Temporary keys of a role.
    AssumeRole(RoleConfig),
    /// Temporary keys of the same user.
    #[non_exhaustive]
    SessionToken {
        /// The lifetime of a key; `None` for the cloud's default.
        duration: Option<Duration>,
        /// The source of the keys that sign the requests for temporary keys.
        from: Box<Self>,
    },
    /// An IAM token for a user name and a password.
    #[non_exhaustive]
    Password {
        /// The user name.
        user: String,
        /// The account (domain) of the user.
        domain: String,
        /// The environment variable of the password.
        password_variable: VariableName,
    },
}

/// A role, and the way to assume the role.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoleConfig {
    /// The role: an ARN on Alibaba, a name on Baidu, the name of an agency (委托) on Huawei.
    pub role: String,
    /// The ID of the account with the role. Only Baidu has this setting, and requires it.
    pub account_id: Option<String>,
    /// The name of the account with the agency. Only Huawei has this setting, and requires it.
    pub domain: Option<String>,
    /// The session name in the cloud's audit log; `None` for a name chosen by this library.
    pub session_name: Option<String>,
    /// The external ID that the owner of the role requires from other accounts.
    pub external_id: Option<String>,
    /// The lifetime of a key; `None` for the cloud's default.
    pub duration: Option<Duration>,
    /// The source of the keys that sign the requests for the role's keys.
    pub from: Box<CredentialConfig>,
}

impl Default for CredentialConfig {
    /// Returns every source of the cloud's own tools.
    fn default() -> Self {
        Self::Default { profile: None }
    }
}

impl CredentialConfig {
    /// Returns the source of the keys that sign the requests for temporary keys; `None` for sources
    /// without such requests.
    #[cfg(feature = "_cloud")]
    pub(crate) fn base(&self) -> Option<&Self> {
        match self {
            Self::AssumeRole(role) => Some(&role.from),
            Self::SessionToken { from, .. } => Some(from),
            _ => None,
        }
    }
}
