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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FaultKind;

    /// A host where each variable except `UNSET` has its own name as the value.
    #[derive(Debug)]
    struct NamesAsValues;

    impl HostEnvironment for NamesAsValues {
        fn variable(&self, name: &str) -> Option<String> {
            (name != "UNSET").then(|| format!(" {name}\n"))
        }

        fn file(&self, path: &str, check: FileCheck) -> Result<Option<String>, String> {
            match path {
                "locked" => Err("cannot be read".to_owned()),
                "missing" => Ok(None),
                _ => Ok(Some(format!("{path} {check:?}"))),
            }
        }

        fn permission_warning(&self, path: &str) -> Option<String> {
            (path == "open").then(|| "open is readable by others".to_owned())
        }
    }

    fn context(host: &dyn HostEnvironment) -> ProviderContext<'_> {
        ProviderContext::new(host, SigningContext::from_unix(7, 8))
    }

    #[test]
    fn variable_without_a_value_counts_as_unset() {
        let context = context(&NamesAsValues);
        assert_eq!(context.variable("KEY").as_deref(), Some("KEY"));
        assert_eq!(context.variable(""), None);
        assert_eq!(context.variable("UNSET"), None);
        let first = context.first_variable(&["UNSET", "", "SECOND", "THIRD"]);
        assert_eq!(first.as_deref(), Some("SECOND"));
        assert_eq!(context.first_variable(&["UNSET", ""]), None);
        assert_eq!(context.signing_context(), SigningContext::from_unix(7, 8));
    }

    #[test]
    fn switch_is_on_for_four_words_in_any_case() {
        let context = context(&NamesAsValues);
        for (value, expected) in [
            ("true", true),
            ("True", true),
            ("1", true),
            ("yes", true),
            ("ON", true),
            ("false", false),
            ("0", false),
            ("no", false),
            ("off", false),
            ("truth", false),
            ("", false),
            ("UNSET", false),
        ] {
            assert_eq!(context.is_on(value), expected, "{value}");
        }
    }

    #[test]
    fn file_with_secrets_is_read_with_a_check_of_the_owner() {
        let context = context(&NamesAsValues);
        let text = |text: &str| Ok(Some(text.to_owned()));
        assert_eq!(context.secret_file("key"), text("key OwnerOnly"));
        assert_eq!(context.file("key"), text("key Any"));
        for result in [context.secret_file("missing"), context.file("missing")] {
            assert_eq!(result, Ok(None));
        }
        for result in [context.secret_file("locked"), context.file("locked")] {
            let fault = result.unwrap_err();
            assert_eq!(fault.kind(), FaultKind::Credential);
            assert_eq!(fault.message(), "locked cannot be read");
        }
    }

    #[test]
    fn shared_host_has_the_variables_files_and_warnings_of_its_target() {
        let shared = Arc::new(NamesAsValues);
        let shared: &dyn HostEnvironment = &shared;
        assert_eq!(shared.variable("KEY").as_deref(), Some(" KEY\n"));
        assert_eq!(shared.variable("UNSET"), None);
        let file = shared.file("key", FileCheck::Any);
        assert_eq!(file, Ok(Some("key Any".to_owned())));
        assert_eq!(
            shared.permission_warning("open").as_deref(),
            Some("open is readable by others")
        );
        assert_eq!(shared.permission_warning("key"), None);
    }

    #[test]
    fn empty_host_has_nothing_and_warns_of_nothing() {
        assert_eq!(EmptyHost.variable("PATH"), None);
        assert_eq!(EmptyHost.file("key", FileCheck::OwnerOnly), Ok(None));
        assert_eq!(EmptyHost.permission_warning("key"), None);
    }
}
