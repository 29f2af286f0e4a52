//! The variables `SSL_CERT_FILE` and `SSL_CERT_DIR`, which replace the certificate store of the system.

use crate::transport::TransportError;

/// Checks the variables. The TLS library would report a missing file as a rejected certificate.
///
/// # Errors
/// [`TransportError`] with the name of the variable.
#[cfg(all(unix, not(target_vendor = "apple")))]
pub(super) fn check() -> Result<(), TransportError> {
    let value = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(path) = value(FILE) {
        check_file(path.as_ref())?;
    }
    if let Some(paths) = value(FOLDERS) {
        check_folders(&paths)?;
    }
    Ok(())
}

/// Accepts every value: the stores of this system do not depend on variables.
#[cfg(not(all(unix, not(target_vendor = "apple"))))]
pub(super) fn check() -> Result<(), TransportError> {
    Ok(())
}

#[cfg(all(unix, not(target_vendor = "apple")))]
use unix::{FILE, FOLDERS, check_file, check_folders};

#[cfg(all(unix, not(target_vendor = "apple")))]
mod unix {
    use std::{ffi::OsStr, path::Path};

    use crate::{file, transport::TransportError};

    pub(super) const FILE: &str = "SSL_CERT_FILE";
    pub(super) const FOLDERS: &str = "SSL_CERT_DIR";

    pub(super) fn check_file(path: &Path) -> Result<(), TransportError> {
        let unusable = |problem: &str| {
            TransportError::unsent(format!(
                "the variable {FILE} names {}: {problem}",
                path.display()
            ))
        };
        let pem = file::read_bytes(path, file::MAX_CERTIFICATES)
            .map_err(|error| unusable(&format!("cannot be read: {error}")))?;
        match reqwest::Certificate::from_pem_bundle(&pem) {
            Ok(certificates) if !certificates.is_empty() => Ok(()),
            _ => Err(unusable("the file has no certificate in PEM format")),
        }
    }

    /// Requires one folder of the list: the TLS library skips missing folders.
    pub(super) fn check_folders(paths: &OsStr) -> Result<(), TransportError> {
        if std::env::split_paths(paths).any(|path| path.is_dir()) {
            return Ok(());
        }
        Err(TransportError::unsent(format!(
            "the variable {FOLDERS} names {}: no such folder",
            paths.display()
        )))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn file_without_certificates_and_missing_folder_are_named() {
            let folder = tempfile::TempDir::new().unwrap();
            let path = folder.path().join("ca.pem");
            let error = check_file(&path).unwrap_err().to_string();
            assert!(error.contains(FILE) && error.contains("ca.pem"), "{error}");
            std::fs::write(&path, "no certificate").unwrap();
            let error = check_file(&path).unwrap_err().to_string();
            assert!(error.contains("no certificate in PEM"), "{error}");
            let error = check_folders(path.as_os_str()).unwrap_err().to_string();
            assert!(error.contains(FOLDERS), "{error}");
            assert!(check_folders(folder.path().as_os_str()).is_ok());
        }
    }
}
