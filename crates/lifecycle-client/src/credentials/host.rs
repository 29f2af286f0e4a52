//! This machine's variables and files.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use lifecycle_core::credential_source::{FileCheck, HostEnvironment};

use crate::sync::lock;

/// The environment and the files of this machine, as the user that runs the program sees them.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemHost;

impl HostEnvironment for SystemHost {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn file(&self, path: &str, _: FileCheck) -> Result<Option<String>, String> {
        let Some(place) = in_home(path) else {
            return Ok(None);
        };
        match read(&place) {
            Ok(text) => Ok(Some(text)),
            Err(error) if is_absence(&error) => Ok(None),
            Err(error) => Err(format!("cannot be read: {error}")),
        }
    }

    fn permission_warning(&self, path: &str) -> Option<String> {
        is_open_to_others(&in_home(path)?).then(|| {
            format!("other users of this machine can read the secrets in {path}: chmod 600 {path}")
        })
    }
}

/// A machine that remembers which files with secrets were read on it.
#[derive(Debug)]
pub(super) struct RecordingHost {
    machine: Arc<dyn HostEnvironment>,
    seen: Mutex<BTreeSet<String>>,
}

impl RecordingHost {
    pub(super) fn new(machine: Arc<dyn HostEnvironment>) -> Self {
        Self {
            machine,
            seen: Mutex::default(),
        }
    }

    /// What is wrong with how the secrets are kept that were read.
    pub(super) fn warnings(&self) -> Vec<String> {
        let seen = lock(&self.seen);
        seen.iter()
            .filter_map(|path| self.machine.permission_warning(path))
            .collect()
    }
}

impl HostEnvironment for RecordingHost {
    fn variable(&self, name: &str) -> Option<String> {
        self.machine.variable(name)
    }

    fn file(&self, path: &str, holds: FileCheck) -> Result<Option<String>, String> {
        let text = self.machine.file(path, holds)?;
        if text.is_some() && holds == FileCheck::OwnerOnly {
            let mut seen = lock(&self.seen);
            seen.insert(path.to_owned());
        }
        Ok(text)
    }

    fn permission_warning(&self, path: &str) -> Option<String> {
        self.machine.permission_warning(path)
    }
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
    fn a_file_that_others_can_read_is_told() {
        let folder = TempDir::new().unwrap();
        for (mode, is_exposed) in [(0o644, true), (0o640, true), (0o600, false), (0o400, false)] {
            let path = file(&folder, &format!("{mode:o}"), mode);
            let text = SystemHost.file(&path, FileCheck::OwnerOnly).unwrap();
            assert_eq!(text.as_deref(), Some("secret"));
            let warning = SystemHost.permission_warning(&path).unwrap_or_default();
            assert_eq!(warning.contains(&path), is_exposed, "{mode:o}: {warning}");
        }
        assert_eq!(SystemHost.permission_warning("/nonexistent/file"), None);
    }

    #[test]
    fn absence_is_no_error_and_a_folder_is_one() {
        let folder = TempDir::new().unwrap();
        let machine = SystemHost;
        let path = folder.path().to_string_lossy().into_owned();
        let absent = format!("{path}/nothing/here");
        assert_eq!(machine.file(&absent, FileCheck::OwnerOnly), Ok(None));
        assert!(machine.file(&path, FileCheck::OwnerOnly).is_err());
    }
}
