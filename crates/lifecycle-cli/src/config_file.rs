//! Finds and reads the configuration file.

use std::{path::PathBuf, time::Duration};

use lifecycle_facade::config::{self, Config, ConfigError};

use crate::{blocking::blocking, exit::CommandError};

/// Reads the configuration file: `named` from the command line, or else the path in the environment, or else
/// the default path. Returns `None` if the default path has no file.
///
/// # Errors
/// The file of the command line or of the environment does not exist, or the file has errors.
pub(crate) async fn read(
    named: Option<PathBuf>,
    limit: Option<Duration>,
) -> Result<Option<Config>, CommandError> {
    blocking(limit, "the configuration file", || {
        read_now(named).map_err(|error| CommandError::configuration(&error))
    })
    .await
}

/// Reads the configuration file on this thread, for a program without a runtime.
///
/// # Errors
/// See [`read`].
pub(crate) fn read_now(named: Option<PathBuf>) -> Result<Option<Config>, ConfigError> {
    let named = named.or_else(path_from_environment);
    match (named, Config::default_path()) {
        (Some(path), _) => Config::load(path).map(Some),
        (None, Some(path)) => Config::load_if_present(path),
        (None, None) => Ok(None),
    }
}

/// Returns the path in the environment. An empty variable counts as not set.
fn path_from_environment() -> Option<PathBuf> {
    let path = std::env::var_os(config::PATH_VARIABLE).filter(|path| !path.is_empty())?;
    Some(PathBuf::from(path))
}
