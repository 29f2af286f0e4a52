//! Runs simulations on all cores.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// Returns the results of `work` for the numbers from 0 to `count`, in ascending order.
pub(crate) fn map_on_all_cores<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::with_capacity(count));
    let worker = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return;
            }
            let result = work(number);
            ignore_poison(results.lock()).push((number, result));
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(worker);
        }
    });
    let mut results = ignore_poison(results.into_inner());
    results.sort_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}

/// Returns the value of a lock even if a thread panicked while holding the lock: a push leaves no
/// half-changed list.
fn ignore_poison<T>(value: Result<T, PoisonError<T>>) -> T {
    value.unwrap_or_else(PoisonError::into_inner)
}
