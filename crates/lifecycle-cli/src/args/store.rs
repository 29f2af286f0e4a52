//! Arguments of the commands about a store that several controllers share: `store` and `controllers`.

use std::path::PathBuf;

use clap::{Subcommand, ValueHint};
use jiff::Timestamp;

use super::journal::since;
use crate::exit;

/// The database of the configuration file.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct DatabaseArgs {
    /// The configuration file [default: lifecycle/lifecycle.toml in the user's configuration folder]
    /// [env: LIFECYCLE_CONFIG]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,
}

/// The arguments of `controllers`.
#[derive(Debug, clap::Args)]
pub(crate) struct ControllersArgs {
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
}

/// The arguments of `store`.
#[derive(Debug, clap::Args)]
pub(crate) struct ManageStoreArgs {
    #[command(subcommand)]
    pub(crate) command: ManageStore,
}

/// The work on a store.
#[derive(Debug, Subcommand)]
pub(crate) enum ManageStore {
    /// Create or update the tables; lifecycle apply and run do this by themselves
    #[command(after_help = exit::HELP)]
    Migrate {
        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// Check the connection and the tables; changes nothing
    #[command(after_help = exit::HELP)]
    Check {
        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// Copy a journal with its earlier files into an empty database
    #[command(after_help = exit::HELP)]
    Import {
        /// The journal
        #[arg(value_name = "JOURNAL", value_hint = ValueHint::FilePath)]
        journal: PathBuf,

        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// Forget the keys that a cloud rejected, so that a key that is valid again is used again
    ///
    /// No controller uses a rejected key. A changed key is used at once, without this command.
    #[command(after_help = exit::HELP)]
    ForgetKeys {
        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// Remove old records; unfinished operations, holds and states stay
    #[command(after_help = exit::HELP)]
    Prune {
        /// Remove records before this time, for example 2026-01-01 or 90d (90 days ago)
        #[arg(long, value_name = "TIME", value_parser = since)]
        before: Timestamp,

        #[command(flatten)]
        database: DatabaseArgs,
    },
}
