//! Reads files and standard input on a thread for blocking calls.

use std::{panic::resume_unwind, time::Duration};

use tokio::{task::spawn_blocking, time::timeout};

use crate::exit::CommandError;

/// The time limit of a command without `--timeout`.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);

/// Runs `read` on a thread for blocking calls, up to the time limit: a file of a dead network drive and an
/// open standard input never end. `None` is for a command that has no `--timeout`: the limit is [`DEFAULT_TIMEOUT`].
pub(crate) async fn blocking<T: Send + 'static>(
    limit: Option<Duration>,
    what: &str,
    read: impl FnOnce() -> Result<T, CommandError> + Send + 'static,
) -> Result<T, CommandError> {
    let (limit, advice) = match limit {
        Some(limit) => (limit, "; increase --timeout"),
        None => (DEFAULT_TIMEOUT, ""),
    };
    match timeout(limit, spawn_blocking(read)).await {
        Ok(Ok(result)) => result,
        Ok(Err(error)) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(error) => Err(CommandError::nothing_done(error.to_string())),
        },
        Err(_) => Err(CommandError::nothing_done(format!(
            "{what}: no end within {} s{advice}",
            limit.as_secs_f64()
        ))),
    }
}
