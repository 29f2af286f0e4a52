//! The credential source that reads environment variables.

use super::{CredentialSource, ResolvedCredential, unusable};
use crate::{Credential, EnvVarNames, ExchangeStep, Fault, ProviderContext};

/// Keys in environment variables. The first complete set of variables is used; an incomplete set is
/// a fault.
#[derive(Clone, Debug)]
pub struct EnvCredentialSource {
    sets: Vec<Set>,
}

/// An [`EnvVarNames`] with owned names.
#[derive(Clone, Debug)]
enum Set {
    Keys {
        id: String,
        secret: String,
        session: Option<String>,
    },
    Token(String),
}

impl EnvCredentialSource {
    /// Returns a source with these sets of variables, in order of precedence.
    pub fn new(sets: &[EnvVarNames]) -> Self {
        let sets = sets.iter().map(|set| match *set {
            EnvVarNames::Keys {
                id,
                secret,
                session,
            } => Set::Keys {
                id: id.to_owned(),
                secret: secret.to_owned(),
                session: session.map(str::to_owned),
            },
            EnvVarNames::Token(name) => Set::Token(name.to_owned()),
        });
        Self {
            sets: sets.collect(),
        }
    }

    /// Returns a source with an access key in these variables.
    pub fn keys(id: impl Into<String>, secret: impl Into<String>, session: Option<String>) -> Self {
        Self {
            sets: vec![Set::Keys {
                id: id.into(),
                secret: secret.into(),
                session,
            }],
        }
    }

    /// Returns a source with a bearer token in this variable.
    pub fn token(name: impl Into<String>) -> Self {
        Self {
            sets: vec![Set::Token(name.into())],
        }
    }
}

impl CredentialSource for EnvCredentialSource {
    fn name(&self) -> String {
        "environment".to_owned()
    }

    fn requirements(&self) -> String {
        let sets: Vec<String> = self.sets.iter().map(Set::names).collect();
        sets.join(", or ")
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        self.sets
            .iter()
            .find_map(|set| set.read(ctx))
            .unwrap_or_else(|| ExchangeStep::NotConfigured(not_set(&self.requirements())))
    }
}

/// Returns the text of [`ExchangeStep::NotConfigured`] for variables with these names.
pub fn not_set(names: &str) -> String {
    let verb = if names.contains(" and ") { "are" } else { "is" };
    format!("{names} {verb} not set")
}

impl Set {
    fn names(&self) -> String {
        match self {
            Self::Keys { id, secret, .. } => format!("{id} and {secret}"),
            Self::Token(name) => name.clone(),
        }
    }

    /// Reads the key; `None` if no variable of the set has a value.
    fn read(&self, ctx: &ProviderContext<'_>) -> Option<ExchangeStep<ResolvedCredential>> {
        let (credential, source) = match self {
            Self::Keys {
                id,
                secret,
                session,
            } => {
                let (key, secret) = match (ctx.variable(id), ctx.variable(secret)) {
                    (Some(key), Some(secret)) => (key, secret),
                    (Some(_), None) => return Some(ExchangeStep::Failed(incomplete(id, secret))),
                    (None, Some(_)) => return Some(ExchangeStep::Failed(incomplete(secret, id))),
                    (None, None) => return None,
                };
                let session = session.as_ref().and_then(|name| ctx.variable(name));
                let credential = match session {
                    Some(session) => Credential::session(key, secret, session),
                    None => Credential::keys(key, secret),
                };
                (credential, id)
            }
            Self::Token(name) => (Credential::token(ctx.variable(name)?), name),
        };
        Some(ExchangeStep::Done(ResolvedCredential::new(
            credential,
            format!("variable {source}"),
        )))
    }
}

fn incomplete(present: &str, absent: &str) -> Fault {
    unusable(
        present,
        &format!("is set, but {absent} is not: set both, or neither"),
    )
}
