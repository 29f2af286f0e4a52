//! The path of the configuration file, and the paths inside the file.

use std::{
    env,
    path::{Path, PathBuf},
};

/// Returns the platform's folder for the configuration of a user. Each platform has one variable or
/// one folder, less code than a dependency.
pub(super) fn config_folder() -> Option<PathBuf> {
    if cfg!(windows) {
        absolute("APPDATA")
    } else if cfg!(target_vendor = "apple") {
        Some(env::home_dir()?.join("Library/Application Support"))
    } else {
        absolute("XDG_CONFIG_HOME").or_else(|| Some(env::home_dir()?.join(".config")))
    }
}

/// Returns the folder in a variable. The XDG convention ignores relative folders.
fn absolute(variable: &str) -> Option<PathBuf> {
    let folder = PathBuf::from(env::var_os(variable)?);
    folder.is_absolute().then_some(folder)
}

/// Resolves relative paths in `file` against the folder of `file`.
pub(super) fn locate(paths: &mut [PathBuf], file: &Path) {
    let folder = file.parent().unwrap_or(Path::new(""));
    for path in paths {
        *path = match (path.strip_prefix("~"), env::home_dir()) {
            (Ok(rest), Some(home)) => home.join(rest),
            _ => folder.join(&*path),
        };
    }
}
