//! The configuration file `lifecycle.toml`: accounts with names, groups of instances, defaults.
//!
//! Pure data and its reader. Nothing is connected to here, no environment variable is looked up,
//! and no secret is in it: the file says *where* keys come from. Whatever is wrong with a file is
//! told at once, each problem with its line and what to write instead.
//!
//! ```
//! use lifecycle_facade::config::{Config, CredentialConfig};
//!
//! let config = Config::parse(
//!     r#"
//!     [accounts.prod]
//!     cloud = "aliyun"
//!     region = "cn-hangzhou"
//!     credentials = { source = "file", profile = "prod" }
//!
//!     [groups]
//!     web = ["prod@aliyun/cn-hangzhou/i-1", "baidu/bj/i-2"]
//!     "#,
//! )?;
//! let prod = &config.accounts["prod"];
//! assert_eq!(prod.cloud.as_str(), "aliyun");
//! assert!(matches!(prod.credentials, CredentialConfig::File { .. }));
//! assert_eq!(config.groups["web"].len(), 2);
//! # Ok::<(), lifecycle_facade::config::ConfigError>(())
//! ```
//!
//! # Every setting
//!
//! ```toml
#![doc = include_str!("../../lifecycle.sample.toml")]
//! ```

mod account;
mod credentials;
mod defaults;
mod findings;
mod group;
mod known;
mod nearest;
mod place;
mod problem;
mod secret;
mod section;
mod value;

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use toml::de::DeTable;

pub use account::{AccountConfig, NetworkConfig, PaceConfig};
pub use credentials::{CredentialConfig, RoleConfig};
pub use defaults::Defaults;
pub use group::GroupEntry;
pub use known::CloudName;
pub use problem::{ConfigError, ConfigProblem};
pub use secret::VariableName;
pub use value::{time_limit, waves};

use findings::Findings;
use section::Section;

/// The environment variable that names the file to read, for programs that ask for it. Nothing
/// here does.
pub const VARIABLE: &str = "LIFECYCLE_CONFIG";

/// A file with every setting, explained and commented out: read as it is, it changes nothing.
pub const SAMPLE: &str = include_str!("../../lifecycle.sample.toml");

/// What a configuration file says. The default says nothing.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// What holds wherever nothing else is said.
    pub defaults: Defaults,
    /// The accounts by name. A name is letters, digits, `-` and `_`, and not that of a cloud.
    pub accounts: BTreeMap<String, AccountConfig>,
    /// The groups of instances by name, in the order of the file within each; none is empty. A
    /// name is as that of an account, and not the name of one.
    pub groups: BTreeMap<String, Vec<GroupEntry>>,
    /// The file that was read, for messages; `None` for a text from elsewhere.
    pub file: Option<PathBuf>,
}

impl Config {
    /// Reads a text. Relative paths in it stay as they are written.
    ///
    /// # Errors
    /// [`ConfigError`] with everything that is wrong. Where the text is no TOML, that is the first
    /// such place.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let findings = Findings::of(text);
        let config = match DeTable::parse(text) {
            Ok(document) => Self::read(document.get_ref(), &findings),
            Err(error) => {
                findings.add(error.span(), error.message());
                Self::default()
            }
        };
        findings.into_result(config)
    }

    /// Reads a file. Relative paths in it are those of its folder, and `~/` is the user's home.
    ///
    /// # Errors
    /// [`ConfigError`], naming the file, when it cannot be read or something in it is wrong.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let text = place::read(path).map_err(|error| ConfigError::unreadable(path, &error))?;
        Self::from_file(path, &text)
    }

    /// Reads a file as [`load`](Self::load) does; `None` when there is none.
    ///
    /// # Errors
    /// Those of [`load`](Self::load), but for a file that is not there.
    pub fn load_if_present(path: impl AsRef<Path>) -> Result<Option<Self>, ConfigError> {
        let path = path.as_ref();
        match place::read(path) {
            Ok(text) => Self::from_file(path, &text).map(Some),
            Err(error) if place::is_absence(&error) => Ok(None),
            Err(error) => Err(ConfigError::unreadable(path, &error)),
        }
    }

    /// Where the file is unless told otherwise: `lifecycle/lifecycle.toml` in the platform's
    /// folder for configuration; `None` where the user has no such folder.
    ///
    /// On Linux and the like that is `$XDG_CONFIG_HOME`, else `~/.config`; on macOS
    /// `~/Library/Application Support`; on Windows `%APPDATA%`.
    pub fn default_path() -> Option<PathBuf> {
        Some(place::config_folder()?.join("lifecycle/lifecycle.toml"))
    }

    /// Checks every text of every group, for callers that know what a reference is.
    ///
    /// # Errors
    /// [`ConfigError`] with what `check` says about each text that it refuses.
    pub fn check_groups(
        &self,
        check: impl Fn(&str) -> Result<(), String>,
    ) -> Result<(), ConfigError> {
        let problems = group::refused(&self.groups, check);
        ConfigError::unless_empty(problems, self.file.as_deref())
    }

    fn from_file(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let mut config = Self::parse(text).map_err(|bad| bad.in_file(path))?;
        place::locate(&mut config.defaults.ca_certificates, path);
        config.file = Some(path.to_owned());
        Ok(config)
    }

    fn read(document: &DeTable<'_>, findings: &Findings) -> Self {
        let file = Section::open(findings, "this file", document, known::TOP);
        let defaults = file.table("defaults").map(|found| {
            let section = Section::open(findings, "[defaults]", found.table, known::DEFAULTS);
            Defaults::read(&section)
        });
        let accounts = file.table("accounts");
        let groups = file.table("groups");
        Self {
            defaults: defaults.unwrap_or_default(),
            accounts: accounts
                .map(|found| account::read_all(found.table, findings))
                .unwrap_or_default(),
            groups: groups
                .map(|found| group::read_all(found.table, accounts, findings))
                .unwrap_or_default(),
            file: None,
        }
    }
}
