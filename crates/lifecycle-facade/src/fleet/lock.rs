//! Locks on maps that stay valid after a panic.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks `mutex`. No code panics while holding a lock of this crate, so a poisoned lock is fine.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
