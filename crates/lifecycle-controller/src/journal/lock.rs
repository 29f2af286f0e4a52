//! `LockedFile`: a file that one process writes at a time.

use std::{
    fs::{File, TryLockError},
    ops::{Deref, DerefMut},
};

/// An open file with an exclusive advisory lock of the operating system, which ends with this value.
///
/// # Examples
/// ```
/// use lifecycle_controller::LockedFile;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("lock");
/// let open = || std::fs::File::create(&path);
/// let locked = LockedFile::try_lock(open()?)?;
/// assert!(LockedFile::try_lock(open()?).is_err());
/// drop(locked);
/// assert!(LockedFile::try_lock(open()?).is_ok());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct LockedFile(File);

impl LockedFile {
    /// Takes the lock of a file, without waiting.
    ///
    /// # Errors
    /// [`TryLockError::WouldBlock`] if another process, or this one, has the lock; [`TryLockError::Error`] if the
    /// file system has no locks.
    pub fn try_lock(file: File) -> Result<Self, TryLockError> {
        file.try_lock()?;
        Ok(Self(file))
    }
}

impl Drop for LockedFile {
    fn drop(&mut self) {
        // To close the file is not enough: a child process has a copy of it until it begins its program.
        let _ = self.0.unlock();
    }
}

impl Deref for LockedFile {
    type Target = File;

    fn deref(&self) -> &File {
        &self.0
    }
}

impl DerefMut for LockedFile {
    fn deref_mut(&mut self) -> &mut File {
        &mut self.0
    }
}
