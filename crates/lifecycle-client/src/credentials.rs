//! Where keys come from.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use lifecycle_core::{Credential, KeyVariables, Profile};

/// Gives the key for the next call. Asked before every attempt, so it should cache.
#[async_trait]
pub trait CredentialSource: fmt::Debug + Send + Sync + 'static {
    /// The key to sign with now.
    ///
    /// # Errors
    /// [`NoCredential`] says what was looked for and what to do.
    async fn credential(&self) -> Result<Arc<Credential>, NoCredential>;
}

/// There is no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoCredential(String);

impl NoCredential {
    /// With a text that says what was looked for and what to do.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

/// One key that never changes.
#[derive(Clone, Debug)]
pub struct StaticCredential(Arc<Credential>);

impl StaticCredential {
    /// This key for ever.
    pub fn new(credential: Credential) -> Self {
        Self(Arc::new(credential))
    }
}

#[async_trait]
impl CredentialSource for StaticCredential {
    async fn credential(&self) -> Result<Arc<Credential>, NoCredential> {
        Ok(Arc::clone(&self.0))
    }
}

/// Reads a cloud's key from the environment variables that its own tools use.
///
/// # Errors
/// [`NoCredential`] names every variable that was looked at.
pub fn credential_from_environment(profile: &Profile) -> Result<Credential, NoCredential> {
    credential_from(profile, |name| std::env::var(name).ok())
}

/// Like [`credential_from_environment`], with any look-up in the place of the environment.
///
/// # Errors
/// [`NoCredential`] names every variable that was looked at, or the half that is missing.
pub fn credential_from(
    profile: &Profile,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Credential, NoCredential> {
    let value = |name: &str| variable(name).filter(|text| !text.trim().is_empty());
    for variables in profile.variables {
        match *variables {
            KeyVariables::Keys {
                id,
                secret,
                session,
            } => match (value(id), value(secret)) {
                (Some(id), Some(secret)) => {
                    return Ok(match session.and_then(&value) {
                        Some(session) => Credential::session(id, secret, session),
                        None => Credential::keys(id, secret),
                    });
                }
                (Some(_), None) => return Err(half(id, secret)),
                (None, Some(_)) => return Err(half(secret, id)),
                (None, None) => {}
            },
            KeyVariables::Token(name) => {
                if let Some(token) = value(name) {
                    return Ok(Credential::token(token));
                }
            }
            _ => {}
        }
    }
    Err(NoCredential(format!(
        "no key for {}: set {}",
        profile.title,
        alternatives(profile)
    )))
}

fn half(present: &str, absent: &str) -> NoCredential {
    NoCredential(format!("{present} is set, but {absent} is not: set both"))
}

fn alternatives(profile: &Profile) -> String {
    let names: Vec<String> = profile
        .variables
        .iter()
        .filter_map(|variables| match variables {
            KeyVariables::Keys { id, secret, .. } => Some(format!("{id} and {secret}")),
            KeyVariables::Token(name) => Some((*name).to_owned()),
            _ => None,
        })
        .collect();
    names.join(", or ")
}

#[cfg(test)]
mod tests {
    use lifecycle_core::Limits;

    use super::*;

    const PROFILE: Profile = Profile::new("cloud", "Some Cloud", Limits::all(1)).with_variables(&[
        KeyVariables::Keys {
            id: "A_ID",
            secret: "A_SECRET",
            session: Some("A_SESSION"),
        },
        KeyVariables::Token("B_TOKEN"),
    ]);

    fn read(variables: &[(&str, &str)]) -> Result<Credential, NoCredential> {
        credential_from(&PROFILE, |name| {
            let (_, value) = variables.iter().find(|(n, _)| *n == name)?;
            Some((*value).to_owned())
        })
    }

    #[test]
    fn the_first_complete_set_counts() {
        let key = read(&[("A_ID", " id\n"), ("A_SECRET", "s"), ("B_TOKEN", "t")]).unwrap();
        assert!(matches!(key, Credential::Keys { id, session: None, .. } if id == "id"));
        let key = read(&[("A_ID", "id"), ("A_SECRET", "s"), ("A_SESSION", "x")]).unwrap();
        assert!(matches!(
            key,
            Credential::Keys {
                session: Some(_),
                ..
            }
        ));
        let key = read(&[("A_ID", ""), ("B_TOKEN", "t")]).unwrap();
        assert!(matches!(key, Credential::Token(_)));
    }

    #[test]
    fn what_is_missing_is_named() {
        let text = read(&[]).unwrap_err().to_string();
        assert_eq!(
            text,
            "no key for Some Cloud: set A_ID and A_SECRET, or B_TOKEN"
        );
        let text = read(&[("A_SECRET", "s")]).unwrap_err().to_string();
        assert_eq!(text, "A_SECRET is set, but A_ID is not: set both");
    }
}
