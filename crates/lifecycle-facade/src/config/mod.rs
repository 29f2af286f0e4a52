//! The configuration file `lifecycle.toml`: accounts with names, groups of instances, schedules, defaults.
//!
//! This module holds the data and the reader. The reader connects to no cloud and reads no
//! environment variable. A file has no secrets: the file names the *sources* of keys. The reader
//! reports all mistakes of a file at once, each with the line and the text to write instead.
//!
//! ```
//! use lifecycle_facade::config::{Config, CredentialConfig, Group};
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
//! assert!(matches!(&config.groups["web"], Group::References(web) if web.len() == 2));
//! # Ok::<(), lifecycle_facade::config::ConfigError>(())
//! ```
//!
//! # Every setting
//!
//! ```toml
#![doc = include_str!("../../lifecycle.sample.toml")]
//! ```

mod account;
mod calendar;
mod civil;
mod cloud_name;
mod controller;
mod credential_reader;
mod credentials;
mod defaults;
mod diagnostics;
mod error;
mod file;
mod group;
mod name;
mod schedule;
pub(crate) mod schema;
mod secret;
mod section;
mod value;

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use lifecycle_client::file::{MAX_TEXT, is_absence, read_text};
use toml::de::DeTable;

pub use account::{AccountConfig, PaceConfig};
pub use calendar::CalendarConfig;
pub use civil::DayRule;
pub use cloud_name::CloudName;
pub use controller::ControllerConfig;
pub use credentials::{CredentialConfig, RoleConfig};
pub use defaults::Defaults;
pub use error::{ConfigError, Diagnostic};
pub use group::{Group, GroupEntry, GroupSelection};
pub use schedule::{
    ExceptConfig, KeepConfig, MaintenanceConfig, ManualChange, ScheduleConfig, ScheduledSide,
    WindowConfig,
};
pub use secret::VariableName;
pub use value::{failure_limit, time_limit, waves};

use diagnostics::Diagnostics;
use section::Document;

/// The environment variable with the path of the configuration file. Only programs read the variable,
/// this crate does not.
pub const PATH_VARIABLE: &str = "LIFECYCLE_CONFIG";

/// A sample file with every setting, explained and commented out. Without changes the sample is a
/// valid file without settings.
pub const SAMPLE: &str = include_str!("../../lifecycle.sample.toml");

/// The content of a configuration file, empty by default.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// The defaults for all requests.
    pub defaults: Defaults,
    /// The accounts by name. A name has letters, digits, `-` and `_`, and is not the name of a cloud.
    pub accounts: BTreeMap<String, AccountConfig>,
    /// The groups of instances by name. The rules for the name of an account apply, and the name is not
    /// the name of an account.
    pub groups: BTreeMap<String, Group>,
    /// The calendars by name.
    pub calendars: BTreeMap<String, CalendarConfig>,
    /// The schedules by name.
    pub schedules: BTreeMap<String, ScheduleConfig>,
    /// The schedule of each kept group, by the name of the group.
    pub keep: BTreeMap<String, KeepConfig>,
    /// The moments at which groups are rebooted.
    pub maintenance: Vec<MaintenanceConfig>,
    /// The settings of the controller.
    pub controller: ControllerConfig,
    /// The path of the file, for messages; `None` for a text from elsewhere.
    pub file: Option<PathBuf>,
}

impl Config {
    /// Parses a text. Relative paths in the text stay relative.
    ///
    /// # Errors
    /// [`ConfigError`] with all mistakes, or with the first syntax error if the text is not TOML.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let diagnostics = Diagnostics::of(text);
        let clouds = crate::cloud::all_data();
        let document = Document {
            clouds: &clouds,
            diagnostics: &diagnostics,
        };
        let config = match DeTable::parse(text) {
            Ok(table) => Self::read(table.get_ref(), document),
            Err(error) => {
                diagnostics.add(error.span(), error.message());
                Self::default()
            }
        };
        diagnostics.into_result(config)
    }

    /// Reads a file. Resolves relative paths in the file against the folder of the file, and `~/`
    /// against the user's home.
    ///
    /// # Errors
    /// [`ConfigError`] with the path, for an unreadable or an invalid file.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let text =
            read_text(path, MAX_TEXT).map_err(|error| ConfigError::unreadable(path, &error))?;
        Self::from_file(path, &text)
    }

    /// Reads a file like [`load`](Self::load); `None` if the file does not exist.
    ///
    /// # Errors
    /// The errors of [`load`](Self::load), except for a file that does not exist.
    pub fn load_if_present(path: impl AsRef<Path>) -> Result<Option<Self>, ConfigError> {
        let path = path.as_ref();
        match read_text(path, MAX_TEXT) {
            Ok(text) => Self::from_file(path, &text).map(Some),
            Err(error) if is_absence(&error) => Ok(None),
            Err(error) => Err(ConfigError::unreadable(path, &error)),
        }
    }

    /// Returns the default path: `lifecycle/lifecycle.toml` in the platform's folder for configuration;
    /// `None` if the user has no such folder.
    ///
    /// The folder is `$XDG_CONFIG_HOME`, else `~/.config`, on Linux and other Unix systems,
    /// `~/Library/Application Support` on macOS, and `%APPDATA%` on Windows.
    pub fn default_path() -> Option<PathBuf> {
        Some(file::config_folder()?.join("lifecycle/lifecycle.toml"))
    }

    /// Checks every reference of every group with `reference`, and every location of a selection with
    /// `location`.
    ///
    /// # Errors
    /// [`ConfigError`] with all errors of the checks.
    pub fn check_groups(
        &self,
        reference: impl Fn(&str) -> Result<(), String>,
        location: impl Fn(&str) -> Result<(), String>,
    ) -> Result<(), ConfigError> {
        let found = group::refused(&self.groups, reference, location);
        ConfigError::unless_empty(found, self.file.as_deref())
    }

    /// Checks the time zone of every schedule and every maintenance with `zone`. This crate has no
    /// database of time zones.
    ///
    /// # Errors
    /// [`ConfigError`] with all errors of the checks.
    pub fn check_zones(
        &self,
        zone: impl Fn(&str) -> Result<(), String>,
    ) -> Result<(), ConfigError> {
        let found = schedule::refused_zones(&self.schedules, &self.maintenance, zone);
        ConfigError::unless_empty(found, self.file.as_deref())
    }

    fn from_file(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let mut config = Self::parse(text).map_err(|error| error.in_file(path))?;
        file::locate(&mut config.defaults.ca_certificates, path);
        file::locate(config.controller.journal.as_mut_slice(), path);
        let found = calendar::load_files(&mut config.calendars, path);
        ConfigError::unless_empty(found, Some(path))?;
        config.file = Some(path.to_owned());
        Ok(config)
    }

    fn read(table: &DeTable<'_>, document: Document<'_>) -> Self {
        let file = document.open("this file", table, schema::TOP);
        let defaults = file.table("defaults").map(|found| {
            let section = document.open("[defaults]", found.table, schema::DEFAULTS);
            Defaults::read(&section)
        });
        let accounts = file.table("accounts");
        let groups = file.table("groups");
        let names = schedule::Names::of(table);
        let calendars = file.table("calendars");
        let schedules = file.table("schedules");
        let keep = file.table("keep");
        let controller = file.table("controller");
        Self {
            defaults: defaults.unwrap_or_default(),
            accounts: accounts
                .map(|found| account::read_all(found.table, document))
                .unwrap_or_default(),
            groups: groups
                .map(|found| group::read_all(found.table, accounts, document))
                .unwrap_or_default(),
            calendars: calendars
                .map(|found| calendar::read_all(found, document))
                .unwrap_or_default(),
            schedules: schedules
                .map(|found| schedule::read_all(found, &names, document))
                .unwrap_or_default(),
            keep: keep
                .map(|found| schedule::read_keep(found, &names, document))
                .unwrap_or_default(),
            maintenance: schedule::read_maintenance(&file, &names, document),
            controller: controller
                .map(|found| ControllerConfig::read(found, document))
                .unwrap_or_default(),
            file: None,
        }
    }
}
