//! `LockedFile`: a journal file that one process writes at a time.

use std::{
    fs::{File, TryLockError},
    ops::{Deref, DerefMut},
};

/// An open file with its lock, which ends with this value.
#[derive(Debug)]
pub(super) struct LockedFile(File);

impl LockedFile {
    /// Takes the lock without waiting for it.
    pub(super) fn lock(file: File) -> Result<Self, TryLockError> {
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
