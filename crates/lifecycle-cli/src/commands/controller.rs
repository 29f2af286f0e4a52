//! The parts that the commands of the controller share: settings, journal and state.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::{Timestamp, tz::TimeZone};
use lifecycle_controller::{Journal, State, StoreError, settings::Settings};
use lifecycle_facade::{Clock, SystemClock, config::Config};
use tokio::time::{Instant, sleep};

use super::journal;
use crate::exit::CommandError;

/// Returns the settings of the configuration file.
///
/// # Errors
/// There is no configuration file, or the file has no kept group and no maintenance, or has errors.
pub(crate) fn settings(config: Option<&Config>) -> Result<Settings, CommandError> {
    let Some(config) = config else {
        return Err(CommandError::wrong_usage(
            "there is no configuration file: write the groups, [schedules] and [keep] into \
             lifecycle/lifecycle.toml in your configuration folder, or name a file with --config",
        ));
    };
    let settings =
        Settings::from_config(config).map_err(|error| CommandError::configuration(&error))?;
    if settings.rules.groups.is_empty() && settings.rules.maintenance.is_empty() {
        return Err(CommandError::wrong_usage(
            "the configuration file keeps no group: add a schedule to [schedules], and the group to [keep]",
        ));
    }
    Ok(settings)
}

/// Returns the path of the journal.
///
/// # Errors
/// Neither the command line nor the configuration file names a journal.
pub(crate) fn journal_path(
    named: Option<&PathBuf>,
    config: Option<&Config>,
) -> Result<PathBuf, CommandError> {
    if let Some(path) = named {
        return Ok(path.clone());
    }
    let controller = config.map(|config| &config.controller);
    if controller.is_some_and(|controller| controller.postgres_variable.is_some()) {
        return Err(CommandError::wrong_usage(
            "store = { postgres_variable } in [controller] is not supported by this version: write journal = \
             \"journal\" instead",
        ));
    }
    controller
        .and_then(|controller| controller.journal.clone())
        .ok_or_else(|| {
            CommandError::wrong_usage(
                "no journal: write journal = \"journal\" into [controller] of the configuration file, or \
                 --journal FILE",
            )
        })
}

/// Opens the journal. Waits a short time for another process that has the journal.
///
/// # Errors
/// The journal cannot be used, or another process keeps the journal.
pub(crate) async fn open(path: &Path) -> Result<Journal, CommandError> {
    let deadline = Instant::now() + LOCK_WAIT;
    loop {
        match Journal::open(path).await {
            Err(StoreError::Locked { .. }) if Instant::now() < deadline => {
                sleep(Duration::from_millis(200)).await;
            }
            opened => {
                let opened = opened?;
                journal::warn_of_removed(&opened);
                return Ok(opened);
            }
        }
    }
}

/// Returns the state of the journal without the lock; an empty state if there is no journal.
///
/// # Errors
/// The journal cannot be read.
pub(crate) async fn read_state(path: Option<&Path>) -> Result<State, CommandError> {
    match path {
        Some(path) if path.exists() => Ok(Journal::read_state(path).await?),
        _ => Ok(State::default()),
    }
}

/// Returns the time.
pub(crate) fn now() -> Timestamp {
    Timestamp::try_from(SystemClock.now()).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Returns a time as on the clock of a zone, such as `Fri 2026-11-27 20:00 +08:00`.
pub(crate) fn local(at: Timestamp, zone: &TimeZone) -> String {
    let at = at.to_zoned(zone.clone());
    at.strftime("%a %Y-%m-%d %H:%M %:z").to_string()
}

/// A pass of another process is shorter, except while machines boot.
const LOCK_WAIT: Duration = Duration::from_secs(10);
