//! The variables `SSL_CERT_FILE` and `SSL_CERT_DIR`, which replace the certificate store of the system.

use crate::transport::TransportError;

/// Checks the variables. The TLS library would report a missing file as a rejected certificate.
///
/// # Errors
/// [`TransportError`] with the name of the variable.
#[cfg(all(unix, not(target_vendor = "apple")))]
pub(super) fn check() -> Result<(), TransportError> {
    let [file, folders] = [FILE, FOLDERS].map(std::env::var_os);
    check_values(file.as_deref(), folders.as_deref())
}

/// Accepts every value: the stores of this system do not depend on variables.
#[cfg(not(all(unix, not(target_vendor = "apple"))))]
pub(super) fn check() -> Result<(), TransportError> {
    Ok(())
}

#[cfg(all(unix, not(target_vendor = "apple")))]
use unix::{FILE, FOLDERS, check_values};

#[cfg(all(unix, not(target_vendor = "apple")))]
mod unix {
    use std::{ffi::OsStr, fs, path::Path};

    use crate::{file, transport::TransportError};

    pub(super) const FILE: &str = "SSL_CERT_FILE";
    pub(super) const FOLDERS: &str = "SSL_CERT_DIR";

    /// Checks the values of both variables. The TLS library takes an empty value for a store without
    /// certificates, so one of the variables needs a value.
    pub(super) fn check_values(
        file: Option<&OsStr>,
        folders: Option<&OsStr>,
    ) -> Result<(), TransportError> {
        match (file, folders) {
            (Some(file), None) if file.is_empty() => return Err(empty(FILE)),
            (None, Some(folders)) if folders.is_empty() => return Err(empty(FOLDERS)),
            (Some(file), Some(folders)) if file.is_empty() && folders.is_empty() => {
                return Err(empty(FILE));
            }
            _ => {}
        }
        if let Some(path) = file.filter(|path| !path.is_empty()) {
            check_file(path.as_ref())?;
        }
        match folders.filter(|paths| !paths.is_empty()) {
            Some(paths) => check_folders(paths, file.is_none_or(OsStr::is_empty)),
            None => Ok(()),
        }
    }

    fn empty(name: &str) -> TransportError {
        TransportError::unsent(format!(
            "the variable {name} is empty: remove the variable to use the certificates of the system"
        ))
    }

    fn check_file(path: &Path) -> Result<(), TransportError> {
        let unusable = |problem: &str| {
            TransportError::unsent(format!(
                "the variable {FILE} names {}: {problem}",
                path.display()
            ))
        };
        let pem = file::read_with_mark(path, file::MAX_CERTIFICATES)
            .map_err(|error| unusable(&format!("cannot be read: {error}")))?;
        if file::has_mark(&pem) {
            return Err(unusable(
                "the file begins with a byte order mark, which hides the first certificate: save the file as UTF-8 without the mark",
            ));
        }
        match has_certificate(&pem) {
            true => Ok(()),
            false => Err(unusable("the file has no certificate in PEM format")),
        }
    }

    fn has_certificate(pem: &[u8]) -> bool {
        reqwest::Certificate::from_pem_bundle(pem)
            .is_ok_and(|certificates| !certificates.is_empty())
    }

    /// Requires one folder of the list, because the TLS library skips missing folders; and a certificate in one of the
    /// folders, if the other variable names none.
    fn check_folders(paths: &OsStr, needs_certificate: bool) -> Result<(), TransportError> {
        let folders = std::env::split_paths(paths).filter(|path| path.is_dir());
        let folders: Vec<_> = folders.collect();
        let has_certificate = || folders.iter().any(|folder| holds_certificate(folder));
        let problem = match folders.is_empty() {
            true => "no such folder",
            false if needs_certificate && !has_certificate() => {
                "no file with a certificate in PEM format"
            }
            false => return Ok(()),
        };
        Err(TransportError::unsent(format!(
            "the variable {FOLDERS} names {}: {problem}",
            paths.display()
        )))
    }

    fn holds_certificate(folder: &Path) -> bool {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let mut files =
            entries.map(|entry| file::read_with_mark(&entry.path(), file::MAX_CERTIFICATES));
        files.any(|pem| pem.is_ok_and(|pem| has_certificate(&pem)))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn empty_value_is_an_error_unless_the_other_variable_has_a_value() {
            let folder = tempfile::TempDir::new().unwrap();
            let (full, empty) = (folder.path().as_os_str(), OsStr::new(""));
            let store = folder.path().join("store.pem");
            let key = rcgen::generate_simple_self_signed(vec![]).unwrap();
            std::fs::write(&store, key.cert.pem()).unwrap();
            let (store, missing) = (store.as_os_str(), folder.path().join("missing"));
            let bare = folder.path().join("bare");
            std::fs::create_dir(&bare).unwrap();
            let both = std::env::join_paths([&*bare, folder.path()]).unwrap();
            for (file, folders, expected) in [
                (None, None, None),
                (Some(empty), None, Some(FILE)),
                (None, Some(empty), Some(FOLDERS)),
                (Some(empty), Some(empty), Some(FILE)),
                (Some(empty), Some(full), None),
                (None, Some(full), None),
                (Some(full), Some(empty), Some(FILE)),
                (Some(store), None, None),
                (Some(store), Some(empty), None),
                (Some(store), Some(full), None),
                (Some(store), Some(missing.as_os_str()), Some(FOLDERS)),
                (None, Some(missing.as_os_str()), Some(FOLDERS)),
                (None, Some(bare.as_os_str()), Some(FOLDERS)),
                (Some(empty), Some(bare.as_os_str()), Some(FOLDERS)),
                (Some(store), Some(bare.as_os_str()), None),
                (None, Some(both.as_os_str()), None),
            ] {
                let error = check_values(file, folders).err();
                let text = error.map_or_else(String::new, |error| error.to_string());
                let named = [FILE, FOLDERS].into_iter().find(|name| text.contains(name));
                assert_eq!(named, expected, "{file:?} {folders:?}: {text}");
            }
        }

        #[test]
        fn file_without_certificates_and_missing_folder_are_named() {
            let folder = tempfile::TempDir::new().unwrap();
            let path = folder.path().join("ca.pem");
            let error = check_file(&path).unwrap_err().to_string();
            assert!(error.contains(FILE) && error.contains("ca.pem"), "{error}");
            std::fs::write(&path, "no certificate").unwrap();
            let error = check_file(&path).unwrap_err().to_string();
            assert!(error.contains("no certificate in PEM"), "{error}");
            let error = check_folders(path.as_os_str(), false).unwrap_err();
            assert!(error.to_string().contains(FOLDERS), "{error}");
            let folder = folder.path().as_os_str();
            assert!(check_folders(folder, false).is_ok());
            let error = check_folders(folder, true).unwrap_err().to_string();
            assert!(error.contains("no file with a certificate"), "{error}");
        }

        #[test]
        fn byte_order_mark_of_the_file_is_refused() {
            let folder = tempfile::TempDir::new().unwrap();
            let path = folder.path().join("ca.pem");
            let key = rcgen::generate_simple_self_signed(vec![]).unwrap();
            let pem = key.cert.pem();
            std::fs::write(&path, format!("\u{feff}{pem}{pem}")).unwrap();
            let error = check_file(&path).unwrap_err().to_string();
            assert!(
                error.contains(FILE) && error.contains("byte order mark"),
                "{error}"
            );
            std::fs::write(&path, &pem).unwrap();
            assert!(check_file(&path).is_ok());
        }
    }
}
