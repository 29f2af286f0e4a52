//! `SystemHost`: the environment variables and files of the host.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use lifecycle_core::credential_source::{FileCheck, HostEnvironment};

use crate::{file, sync::lock};

/// Reads the environment variables and files of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemHost;

impl HostEnvironment for SystemHost {
    fn variable(&self, name: &str) -> Option<String> {
        // A variable that is not UTF-8 is set: the next place for keys must not be used instead.
        std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
    }

    fn file(&self, path: &str, _: FileCheck) -> Result<Option<String>, String> {
        let Some(path) = expand_home(path) else {
            return Ok(None);
        };
        match file::read_text(&path, file::MAX_TEXT) {
            Ok(text) => Ok(Some(text)),
            Err(error) if file::is_absence(&error) => Ok(None),
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
    fn variable_is_read_from_this_process() {
        let path = std::env::var("PATH").unwrap();
        for host in [
            &SystemHost as &dyn HostEnvironment,
            &RecordingHost::new(Arc::new(SystemHost)),
        ] {
            assert_eq!(host.variable("PATH").as_deref(), Some(&*path));
            assert_eq!(host.variable("LIFECYCLE_NO_SUCH_VARIABLE"), None);
        }
    }

    #[test]
    fn warnings_concern_existing_files_with_secrets_only() {
        let folder = TempDir::new().unwrap();
        let host = RecordingHost::new(Arc::new(SystemHost));
        let [secret, closed, other] = [("secret", 0o644), ("closed", 0o600), ("other", 0o644)]
            .map(|(name, mode)| file(&folder, name, mode));
        for path in [&secret, &closed] {
            let text = host.file(path, FileCheck::OwnerOnly).unwrap();
            assert_eq!(text.as_deref(), Some("secret"));
        }
        assert!(host.file(&other, FileCheck::Any).unwrap().is_some());
        let absent = format!("{secret}-absent");
        assert_eq!(host.file(&absent, FileCheck::OwnerOnly), Ok(None));
        // The file appears after the search.
        file(&folder, "secret-absent", 0o644);
        let expected = SystemHost.permission_warning(&secret).unwrap();
        assert!(expected.contains("chmod 600"), "{expected}");
        assert_eq!(host.warnings(), [expected.as_str()]);
        assert_eq!(host.permission_warning(&secret), Some(expected));
        assert_eq!(host.permission_warning(&closed), None);
    }

    #[test]
    fn path_below_the_home_folder_begins_with_a_tilde() {
        let home = std::env::home_dir().unwrap();
        assert_eq!(expand_home("~/a/b"), Some(home.join("a/b")));
        assert_eq!(expand_home("/a/~/b"), Some(PathBuf::from("/a/~/b")));
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
