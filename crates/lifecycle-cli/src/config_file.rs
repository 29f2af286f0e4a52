//! Finds and reads the configuration file.

use std::path::PathBuf;

use lifecycle_facade::config::{self, Config, ConfigError};

/// Reads the configuration file; `None` if there is no file. `named` is the path on the command line.
///
/// # Errors
/// The file is named but does not exist, or has errors.
pub(crate) fn read(named: Option<PathBuf>) -> Result<Option<Config>, ConfigError> {
    let named = named.or_else(path_from_environment);
    match (named, Config::default_path()) {
        (Some(path), _) => Config::load(path).map(Some),
        (None, Some(path)) => Config::load_if_present(path),
        (None, None) => Ok(None),
    }
}

/// Returns the path in the environment. An empty variable counts as not set.
fn path_from_environment() -> Option<PathBuf> {
    let path = std::env::var_os(config::VARIABLE).filter(|path| !path.is_empty())?;
    Some(PathBuf::from(path))
}
