//! `HostEnvironment`: the variables, the files and the time that a credential source can read.

use std::{fmt, sync::Arc};

use crate::{Fault, SigningContext, credential_source::unusable};

/// The input of one step of an exchange: variables, files, time and nonce.
///
/// Each step has a new context, so no nonce is used twice.
#[derive(Clone, Copy, Debug)]
pub struct ProviderContext<'a> {
    host: &'a dyn HostEnvironment,
    signing_context: SigningContext,
}

impl<'a> ProviderContext<'a> {
    /// Returns the context of one step on `host`.
    pub fn new(host: &'a dyn HostEnvironment, signing_context: SigningContext) -> Self {
        Self {
            host,
            signing_context,
        }
    }

    /// Returns the time and the nonce of this step.
    pub fn signing_context(&self) -> SigningContext {
        self.signing_context
    }

    /// Returns a variable without white space at the ends; `None` if the variable is unset or empty.
    pub fn variable(&self, name: &str) -> Option<String> {
        let value = self.host.variable(name)?;
        let value = value.trim();
        (!value.is_empty()).then(|| value.to_owned())
    }

    /// Returns the first of these variables with a value.
    pub fn first_variable(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.variable(name))
    }

    /// Returns whether a variable has the value `true`, `1`, `yes` or `on`, in any case.
    pub fn is_on(&self, name: &str) -> bool {
        self.variable(name).is_some_and(|value| {
            let value = value.to_ascii_lowercase();
            matches!(value.as_str(), "true" | "1" | "yes" | "on")
        })
    }

    /// Reads a file with secrets; `None` if the file does not exist. A path may begin with `~/`, the
    /// home folder of the user.
    ///
    /// # Errors
    /// [`FaultKind::Credential`](crate::FaultKind::Credential) if the file exists and cannot be read.
    pub fn secret_file(&self, path: &str) -> Result<Option<String>, Fault> {
        self.read(path, FileCheck::OwnerOnly)
    }

    /// Reads a file without secrets, or a file of another owner; `None` if the file does not exist. A
    /// path may begin with `~/`, the home folder of the user.
    ///
    /// # Errors
    /// [`FaultKind::Credential`](crate::FaultKind::Credential) if the file exists and cannot be read.
    pub fn file(&self, path: &str) -> Result<Option<String>, Fault> {
        self.read(path, FileCheck::Any)
    }

    fn read(&self, path: &str, check: FileCheck) -> Result<Option<String>, Fault> {
        self.host
            .file(path, check)
            .map_err(|reason| unusable(path, &reason))
    }
}

/// The variables and files of a machine.
pub trait HostEnvironment: fmt::Debug + Send + Sync + 'static {
    /// Returns the variable with this name; `None` if the variable is unset.
    fn variable(&self, name: &str) -> Option<String>;

    /// Reads a file; `None` if the file does not exist. The prefix `~/` is the home folder of the
    /// user.
    ///
    /// # Errors
    /// The reason for which an existing file cannot be read, as a fragment that follows the path.
    fn file(&self, path: &str, check: FileCheck) -> Result<Option<String>, String>;

    /// Returns a warning for operators about the permissions of a file with secrets, such as that
    /// other users can read the file.
    fn permission_warning(&self, path: &str) -> Option<String> {
        let _ = path;
        None
    }
}

/// A host without variables and files.
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

    fn file(&self, path: &str, check: FileCheck) -> Result<Option<String>, String> {
        (**self).file(path, check)
    }

    fn permission_warning(&self, path: &str) -> Option<String> {
        (**self).permission_warning(path)
    }
}

/// The check of the permissions of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a host must handle every check")]
pub enum FileCheck {
    /// The file holds secrets: only the owner should have access.
    OwnerOnly,
    /// The file holds no secrets, or another owner is responsible for the permissions.
    Any,
}
