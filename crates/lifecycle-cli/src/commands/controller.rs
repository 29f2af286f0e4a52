//! The parts that the commands of the controller share: settings, journal and state.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jiff::{Timestamp, tz::TimeZone};
use lifecycle_controller::{Journal, State, Store, StoreError, settings::Settings};
use lifecycle_facade::{
    Clock, Fleet, SystemClock,
    config::{Config, VariableName},
};
use tokio::time::{Instant, sleep};

#[cfg(feature = "postgres")]
use super::database::DatabaseChoice;
use super::journal;
use crate::{exit::CommandError, setup::Setup};

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

/// The place of the records.
#[derive(Clone, Debug)]
pub(crate) enum StoreChoice {
    /// A journal file.
    Journal(PathBuf),
    /// A database that several controllers share.
    #[cfg(feature = "postgres")]
    Database(Box<DatabaseChoice>),
}

/// Returns the place of the records. A journal on the command line comes before the configuration file.
///
/// # Errors
/// Neither the command line nor the configuration file names a place, or the variable with the connection text is
/// not set or not readable.
pub(crate) fn store_choice(
    named: Option<&PathBuf>,
    config: Option<&Config>,
) -> Result<StoreChoice, CommandError> {
    if let Some(path) = named {
        return Ok(StoreChoice::Journal(path.clone()));
    }
    let controller = config.map(|config| &config.controller);
    if let Some((controller, variable)) =
        controller.and_then(|found| Some((found, found.postgres_variable.as_ref()?)))
    {
        return database(variable, controller.lease);
    }
    let journal = controller.and_then(|controller| controller.journal.clone());
    journal.map(StoreChoice::Journal).ok_or_else(|| {
        CommandError::wrong_usage(
            "no journal: write journal = \"journal\" into [controller] of the configuration file, or \
             --journal FILE",
        )
    })
}

#[cfg(feature = "postgres")]
fn database(variable: &VariableName, lease: Option<Duration>) -> Result<StoreChoice, CommandError> {
    let database = DatabaseChoice::read(variable, lease)?;
    Ok(StoreChoice::Database(Box::new(database)))
}

#[cfg(not(feature = "postgres"))]
fn database(_: &VariableName, _: Option<Duration>) -> Result<StoreChoice, CommandError> {
    Err(CommandError::wrong_usage(
        "this program was built without PostgreSQL: build it with the feature postgres, or write journal = \
         \"journal\" instead of store",
    ))
}

impl StoreChoice {
    /// Returns the state without a lock; an empty state if there is no journal.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(crate) async fn state(&self) -> Result<State, CommandError> {
        match self {
            Self::Journal(path) => read_state(path).await,
            #[cfg(feature = "postgres")]
            Self::Database(database) => Ok(database.open().await?.state().await?),
        }
    }

    /// Builds the fleet of a controller. The controllers of a database share the rate limits of their accounts.
    ///
    /// # Errors
    /// See [`Setup::fleet`].
    pub(crate) async fn fleet(&self, setup: &Setup) -> Result<Fleet, CommandError> {
        match self {
            Self::Journal(_) => setup.fleet().await,
            #[cfg(feature = "postgres")]
            Self::Database(database) => {
                let limit = database.rate_limit().await?;
                setup
                    .fleet_with(|builder| builder.shared_rate_limit(limit))
                    .await
            }
        }
    }

    /// Opens the store for records of people. Waits a short time for another process that has a journal.
    ///
    /// # Errors
    /// The store cannot be used, or another process keeps the journal.
    pub(crate) async fn open(&self) -> Result<Arc<dyn Store>, CommandError> {
        match self {
            Self::Journal(path) => Ok(Arc::new(open(path).await?)),
            #[cfg(feature = "postgres")]
            Self::Database(database) => Ok(Arc::new(database.open().await?)),
        }
    }
}

/// Opens the journal. Waits a short time for another process that has the journal.
async fn open(path: &Path) -> Result<Journal, CommandError> {
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

async fn read_state(path: &Path) -> Result<State, CommandError> {
    match journal::exists(path).await? {
        true => Ok(Journal::read_state(path).await?),
        false => Ok(State::default()),
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
