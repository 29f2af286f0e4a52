//! The path and the text of the configuration file, and the paths inside the file.

use std::{
    env, fs,
    io::{self, Read},
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

/// The maximum size of a file. A file with a thousand accounts has a tenth of this size.
const MAX_FILE: u64 = 1 << 20;

pub(super) fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let file = fs::File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    file.take(MAX_FILE + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_FILE {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(text)
}

pub(super) fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
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
