//! This machine's variables and files.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use lifecycle_core::origin::{Holds, Machine};

/// The environment and the files of this machine, as the user that runs the program sees them.
#[derive(Debug, Default)]
pub struct ThisMachine {
    exposed: Mutex<BTreeSet<String>>,
}

impl Machine for ThisMachine {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn file(&self, path: &str, holds: Holds) -> Result<Option<String>, String> {
        let Some(place) = in_home(path) else {
            return Ok(None);
        };
        let text = match read(&place) {
            Ok(text) => text,
            Err(error) if is_absence(&error) => return Ok(None),
            Err(error) => return Err(format!("cannot be read: {error}")),
        };
        if holds == Holds::Secrets && is_open_to_others(&place) {
            self.expose(path);
        }
        Ok(Some(text))
    }

    fn warnings(&self) -> Vec<String> {
        let exposed = self.exposed.lock().unwrap_or_else(PoisonError::into_inner);
        exposed.iter().map(|path| warning(path)).collect()
    }
}

impl ThisMachine {
    fn expose(&self, path: &str) {
        let mut exposed = self.exposed.lock().unwrap_or_else(PoisonError::into_inner);
        if exposed.insert(path.to_owned()) {
            tracing::warn!("{}", warning(path));
        }
    }
}

fn warning(path: &str) -> String {
    format!("other users of this machine can read the secrets in {path}: chmod 600 {path}")
}

/// The longest file that is read. Files with keys have a few kilobytes.
const MAX_FILE: u64 = 1 << 20;

fn read(place: &Path) -> io::Result<String> {
    use io::Read;

    let mut text = String::new();
    let file = fs::File::open(place)?;
    if file.metadata()?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    file.take(MAX_FILE + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_FILE {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(text)
}

fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// `None` when the path is in a home that nobody has.
fn in_home(path: &str) -> Option<PathBuf> {
    match path.strip_prefix("~/") {
        Some(rest) => Some(std::env::home_dir()?.join(rest)),
        None => Some(PathBuf::from(path)),
    }
}

#[cfg(unix)]
fn is_open_to_others(place: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;

    fs::metadata(place).is_ok_and(|found| found.permissions().mode() & 0o077 != 0)
}

/// Elsewhere files have no such bits.
#[cfg(not(unix))]
fn is_open_to_others(_: &Path) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use tempfile::TempDir;

    use super::*;

    fn file(folder: &TempDir, name: &str, mode: u32) -> String {
        let path = folder.path().join(name);
        fs::write(&path, "secret").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path.to_string_lossy().into_owned()
    }

    #[test]
    fn a_secret_that_others_can_read_is_warned_about_once() {
        let folder = TempDir::new().unwrap();
        let (open, closed) = (file(&folder, "open", 0o644), file(&folder, "closed", 0o600));
        let machine = ThisMachine::default();
        for path in [&open, &closed, &open] {
            let text = machine.file(path, Holds::Secrets).unwrap();
            assert_eq!(text.as_deref(), Some("secret"));
        }
        let warnings = machine.warnings();
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].contains(&open), "{warnings:?}");
    }

    #[test]
    fn a_file_that_holds_no_secret_may_be_open() {
        let folder = TempDir::new().unwrap();
        let machine = ThisMachine::default();
        machine
            .file(&file(&folder, "open", 0o644), Holds::Settings)
            .unwrap();
        assert!(machine.warnings().is_empty());
    }

    #[test]
    fn absence_is_no_error_and_a_folder_is_one() {
        let folder = TempDir::new().unwrap();
        let machine = ThisMachine::default();
        let path = folder.path().to_string_lossy().into_owned();
        let absent = format!("{path}/nothing/here");
        assert_eq!(machine.file(&absent, Holds::Secrets), Ok(None));
        assert!(machine.file(&path, Holds::Secrets).is_err());
    }
}
