//! Where keys come from, as pure steps that somebody else carries out.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use jiff::Timestamp;

use crate::{
    Credential, Endpoint, EnvVarNames, ExchangeStep, Fault, FaultKind, HttpResponse, SigningContext,
};

/// One place where a key can come from: variables, a file, a metadata service, an exchange.
///
/// Which variables, files and calls these are is a cloud's knowledge. Nothing here reads them:
/// [`begin`](Self::begin) looks through [`ProviderContext`] and says what to ask next.
pub trait CredentialSource: fmt::Debug + Send + Sync + 'static {
    /// What people call it, such as `environment` or `ECS RAM role`.
    fn name(&self) -> String;

    /// What has to be there for a key to be found, as a fragment that follows "set up" in a list,
    /// such as `A_KEY_ID and A_KEY_SECRET` or `~/.cloud/config.json`.
    fn wants(&self) -> String;

    /// The first step to a key.
    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential>;
}

impl CredentialSource for Box<dyn CredentialSource> {
    fn name(&self) -> String {
        (**self).name()
    }

    fn wants(&self) -> String {
        (**self).wants()
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        (**self).begin(ctx)
    }
}

/// A key, how long it is good, and where it was found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ResolvedCredential {
    /// The key.
    pub credential: Credential,
    /// Where it was found, for people, such as `profile "prod" in ~/.aliyun/config.json`. Never a
    /// secret.
    pub source: String,
    /// When it ends, by the clock of whoever gave it; `None` when nobody says.
    pub expires: Option<SystemTime>,
    /// How long before its end a new one should be fetched, where the cloud has a rule of its own.
    pub renewal: Option<Duration>,
}

impl ResolvedCredential {
    /// A key whose end is not known.
    pub fn new(credential: Credential, source: impl Into<String>) -> Self {
        Self {
            credential,
            source: source.into(),
            expires: None,
            renewal: None,
        }
    }

    /// With its end.
    #[must_use]
    pub fn with_expiry(mut self, expires: SystemTime) -> Self {
        self.expires = Some(expires);
        self
    }

    /// Sets how long before its end the key should be renewed.
    #[must_use]
    pub fn with_renewal(mut self, ahead: Duration) -> Self {
        self.renewal = Some(ahead);
        self
    }

    /// Found by way of something else: `found` after `by`, joined by a comma.
    #[must_use]
    pub fn with_source_prefix(mut self, by: &str) -> Self {
        self.source = format!("{by}, {}", self.source);
        self
    }
}

/// What the origins of a cloud take from their caller instead of finding it themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CredentialSourceConfig {
    /// The region whose instances are meant.
    pub region: Option<String>,
    /// The profile of the vendor's own files, instead of the one that they name.
    pub profile: Option<String>,
    /// Where the cloud's identity service (STS, IAM) is reached, instead of its own host.
    pub identity: Option<Endpoint>,
    /// Where the machine's metadata service is reached, instead of its fixed address.
    pub metadata: Option<Endpoint>,
}

impl CredentialSourceConfig {
    /// For this region, and with everything else as the vendor's tools have it.
    pub fn in_region(region: impl Into<String>) -> Self {
        Self {
            region: Some(region.into()),
            ..Self::default()
        }
    }

    /// Sets the region of the instances.
    #[must_use]
    pub fn with_region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// Sets the profile of the vendor's own files.
    #[must_use]
    pub fn with_profile(mut self, profile: impl Into<String>) -> Self {
        self.profile = Some(profile.into());
        self
    }

    /// With another address of the identity service.
    #[must_use]
    pub fn with_identity(mut self, endpoint: Endpoint) -> Self {
        self.identity = Some(endpoint);
        self
    }

    /// With another address of the metadata service.
    #[must_use]
    pub fn with_metadata(mut self, endpoint: Endpoint) -> Self {
        self.metadata = Some(endpoint);
        self
    }
}

/// What a step can see: variables, files, and the moment.
///
/// Made anew for each step, so that no nonce is used twice.
#[derive(Clone, Copy, Debug)]
pub struct ProviderContext<'a> {
    host: &'a dyn HostEnvironment,
    signing_context: SigningContext,
}

impl<'a> ProviderContext<'a> {
    /// Returns the context of one step: `host` at the time of `signing_context`.
    pub fn new(host: &'a dyn HostEnvironment, signing_context: SigningContext) -> Self {
        Self {
            host,
            signing_context,
        }
    }

    /// The moment and nonce of this step.
    pub fn signing_context(&self) -> SigningContext {
        self.signing_context
    }

    /// A variable without white space at its ends; `None` when it is empty.
    pub fn variable(&self, name: &str) -> Option<String> {
        let value = self.host.variable(name)?;
        let value = value.trim();
        (!value.is_empty()).then(|| value.to_owned())
    }

    /// The first of these variables that is set.
    pub fn first_variable(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.variable(name))
    }

    /// Is a switch among the variables on? `true`, `1`, `yes` and `on`, in any case.
    pub fn is_on(&self, name: &str) -> bool {
        self.variable(name).is_some_and(|value| {
            let value = value.to_ascii_lowercase();
            matches!(value.as_str(), "true" | "1" | "yes" | "on")
        })
    }

    /// The text of a file that holds secrets; `None` when there is no such file. A path may begin
    /// with `~/`.
    ///
    /// # Errors
    /// [`FaultKind::Credential`] when it is there and cannot be read.
    pub fn secret_file(&self, path: &str) -> Result<Option<String>, Fault> {
        self.read(path, FileCheck::OwnerOnly)
    }

    /// The text of a file without secrets, or of one that others write for us; `None` when there is
    /// no such file. A path may begin with `~/`.
    ///
    /// # Errors
    /// [`FaultKind::Credential`] when it is there and cannot be read.
    pub fn file(&self, path: &str) -> Result<Option<String>, Fault> {
        self.read(path, FileCheck::Any)
    }

    fn read(&self, path: &str, holds: FileCheck) -> Result<Option<String>, Fault> {
        self.host
            .file(path, holds)
            .map_err(|reason| unusable(path, &reason))
    }
}

/// The fault of something that is set up and cannot be used. `what` is a file, a variable or a
/// profile; `reason` reads after it.
pub fn unusable(what: &str, reason: &str) -> Fault {
    Fault::new(FaultKind::Credential, format!("{what} {reason}"))
}

/// A fault of an identity service. Where the answer has no code it is somebody else's page, which may
/// quote the request and its secrets: then nothing of it is shown.
pub fn without_excerpt(fault: Fault) -> Fault {
    match fault.code() {
        Some(_) => fault,
        None => fault.with_message("the answer is not in the cloud's form"),
    }
}

/// A machine's variables and files.
pub trait HostEnvironment: fmt::Debug + Send + Sync + 'static {
    /// The variable with this name.
    fn variable(&self, name: &str) -> Option<String>;

    /// The text of a file; `None` when there is none. A path that begins with `~/` is in the home
    /// of the user.
    ///
    /// # Errors
    /// Why a file that is there cannot be read, as a fragment that follows its path.
    fn file(&self, path: &str, holds: FileCheck) -> Result<Option<String>, String>;

    /// What is wrong with how the secrets in a file are kept, such as that others can read it too.
    /// For people.
    fn permission_warning(&self, path: &str) -> Option<String> {
        let _ = path;
        None
    }
}

/// A machine without variables and files.
#[derive(Clone, Copy, Debug, Default)]
pub struct EmptyHost;

impl HostEnvironment for EmptyHost {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, _: &str, _: FileCheck) -> Result<Option<String>, String> {
        Ok(None)
    }
}

impl<M: HostEnvironment + ?Sized> HostEnvironment for Arc<M> {
    fn variable(&self, name: &str) -> Option<String> {
        (**self).variable(name)
    }

    fn file(&self, path: &str, holds: FileCheck) -> Result<Option<String>, String> {
        (**self).file(path, holds)
    }

    fn permission_warning(&self, path: &str) -> Option<String> {
        (**self).permission_warning(path)
    }
}

/// What is in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third kind")]
pub enum FileCheck {
    /// Secrets: nobody but its owner should be able to read it.
    OwnerOnly,
    /// Nothing secret, or something whose safety is the business of whoever writes it.
    Any,
}

/// Keys in environment variables. The first complete set counts; half a set is a fault.
#[derive(Clone, Debug)]
pub struct EnvCredentialSource {
    sets: Vec<Set>,
}

/// The names of a set of variables, owned.
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
    /// These sets, in this order.
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

    /// An access key in variables with these names.
    pub fn keys(id: impl Into<String>, secret: impl Into<String>, session: Option<String>) -> Self {
        Self {
            sets: vec![Set::Keys {
                id: id.into(),
                secret: secret.into(),
                session,
            }],
        }
    }

    /// A bearer token in the variable with this name.
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

    fn wants(&self) -> String {
        let sets: Vec<String> = self.sets.iter().map(Set::wants).collect();
        sets.join(", or ")
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        self.sets
            .iter()
            .find_map(|set| set.read(ctx))
            .unwrap_or_else(|| ExchangeStep::NotConfigured(not_set(&self.wants())))
    }
}

/// The names of variables as the text of [`ExchangeStep::NotConfigured`].
pub fn not_set(wants: &str) -> String {
    let verb = if wants.contains(" and ") { "are" } else { "is" };
    format!("{wants} {verb} not set")
}

impl Set {
    fn wants(&self) -> String {
        match self {
            Self::Keys { id, secret, .. } => format!("{id} and {secret}"),
            Self::Token(name) => name.clone(),
        }
    }

    /// `None` when nothing of the set is there.
    fn read(&self, ctx: &ProviderContext<'_>) -> Option<ExchangeStep<ResolvedCredential>> {
        let (credential, found) = match self {
            Self::Keys {
                id,
                secret,
                session,
            } => {
                let (key, secret) = match (ctx.variable(id), ctx.variable(secret)) {
                    (Some(key), Some(secret)) => (key, secret),
                    (Some(_), None) => return Some(ExchangeStep::Failed(half(id, secret))),
                    (None, Some(_)) => return Some(ExchangeStep::Failed(half(secret, id))),
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
            format!("variable {found}"),
        )))
    }
}

fn half(present: &str, absent: &str) -> Fault {
    unusable(
        present,
        &format!("is set, but {absent} is not: set both, or neither"),
    )
}

/// The first of several origins that has something. One that is set up and cannot be used ends the
/// search: a key of somebody else's must not take its place.
#[derive(Debug)]
pub struct CredentialSourceChain(Arc<[Box<dyn CredentialSource>]>);

impl CredentialSourceChain {
    /// These origins, in this order.
    pub fn new(origins: Vec<Box<dyn CredentialSource>>) -> Self {
        Self(origins.into())
    }

    /// Begins at the origin after those that had nothing, for these reasons.
    fn after(
        origins: &Arc<[Box<dyn CredentialSource>]>,
        mut reasons: Vec<String>,
        ctx: &ProviderContext<'_>,
    ) -> ExchangeStep<ResolvedCredential> {
        let Some(origin) = origins.get(reasons.len()) else {
            return ExchangeStep::NotConfigured(reasons.join("; "));
        };
        let rest = Arc::clone(origins);
        origin.begin(ctx).or_else(ctx, move |why, ctx| {
            reasons.push(why);
            Self::after(&rest, reasons, ctx)
        })
    }
}

impl CredentialSource for CredentialSourceChain {
    fn name(&self) -> String {
        let names: Vec<String> = self.0.iter().map(CredentialSource::name).collect();
        names.join(", else ")
    }

    fn wants(&self) -> String {
        let wants: Vec<String> = self.0.iter().map(CredentialSource::wants).collect();
        wants.join("; or ")
    }

    fn begin(&self, ctx: &ProviderContext<'_>) -> ExchangeStep<ResolvedCredential> {
        Self::after(&self.0, Vec::new(), ctx)
    }
}

/// The end of a key as services write it, such as `2026-11-22T08:00:00Z`.
///
/// # Errors
/// [`FaultKind::Unreadable`]: a key without a known end would be used for too long. The fault shows
/// nothing else of the answer, which holds the key.
pub fn read_expiry(text: &str, reply: &HttpResponse) -> Result<SystemTime, Fault> {
    read_moment(text).ok_or_else(|| {
        let message = format!("the answer cannot be read ({text:?} is no time)");
        Fault::new(FaultKind::Unreadable, message).with_status(reply.status().as_u16())
    })
}

/// A moment as services and programs write it, such as `2026-11-22T08:00:00Z`; `None` when the
/// text is none.
pub fn read_moment(text: &str) -> Option<SystemTime> {
    text.trim().parse::<Timestamp>().ok().map(SystemTime::from)
}

#[cfg(test)]
mod tests;
