//! `SystemHost`: the environment variables and files of the host.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use lifecycle_core::credential_source::{FileCheck, HostEnvironment};

use crate::sync::lock;

/// Reads the environment variables and files of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemHost;

impl HostEnvironment for SystemHost {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn file(&self, path: &str, _: FileCheck) -> Result<Option<String>, String> {
        let Some(path) = expand_home(path) else {
            return Ok(None);
        };
        match read(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if is_not_found(&error) => Ok(None),
            Err(error) => Err(format!("cannot be read: {error}")),
        }
    }

    fn permission_warning(&self, path: &str) -> Option<String> {
        is_open_to_others(&expand_home(path)?).then(|| {
            format!("other users of this machine can read the secrets in {path}: chmod 600 {path}")
        })
    }
}

/// Reads from another host, and records the files with secrets.
#[derive(Debug)]
pub(super) struct RecordingHost {
    host: Arc<dyn HostEnvironment>,
    files_with_secrets: Mutex<BTreeSet<String>>,
}

impl RecordingHost {
    pub(super) fn new(host: Arc<dyn HostEnvironment>) -> Self {
        Self {
            host,
            files_with_secrets: Mutex::default(),
        }
    }

    /// Returns warnings about files with secrets, if other users can read these files.
    pub(super) fn warnings(&self) -> Vec<String> {
        lock(&self.files_with_secrets)
            .iter()
            .filter_map(|path| self.host.permission_warning(path))
            .collect()
    }
}

impl HostEnvironment for RecordingHost {
    fn variable(&self, name: &str) -> Option<String> {
        self.host.variable(name)
    }

    fn file(&self, path: &str, check: FileCheck) -> Result<Option<String>, String> {
        let text = self.host.file(path, check)?;
        if text.is_some() && check == FileCheck::OwnerOnly {
            lock(&self.files_with_secrets).insert(path.to_owned());
        }
        Ok(text)
    }

    fn permission_warning(&self, path: &str) -> Option<String> {
        self.host.permission_warning(path)
    }
}

/// The largest accepted file. Files with keys have a few kilobytes.
const MAX_FILE: u64 = 1 << 20;

fn read(path: &Path) -> io::Result<String> {
    use io::Read;

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

fn is_not_found(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// Replaces a leading `~`. Returns `None` if there is no home directory.
fn expand_home(path: &str) -> Option<PathBuf> {
    match path.strip_prefix("~/") {
        Some(rest) => Some(std::env::home_dir()?.join(rest)),
        None => Some(PathBuf::from(path)),
    }
}

#[cfg(unix)]
fn is_open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;

    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

/// Returns `false`: there are no Unix permissions.
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
    fn file_readable_by_other_users_causes_a_warning() {
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
    fn missing_file_is_no_error_but_a_folder_is() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().to_string_lossy().into_owned();
        let absent = format!("{path}/nothing/here");
        assert_eq!(SystemHost.file(&absent, FileCheck::OwnerOnly), Ok(None));
        assert!(SystemHost.file(&path, FileCheck::OwnerOnly).is_err());
    }
}
