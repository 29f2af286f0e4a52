//! `lifecycle controllers` and `lifecycle store`: the database that several controllers share.

#[cfg(not(feature = "postgres"))]
pub(crate) use without::{controllers, run};

#[cfg(feature = "postgres")]
pub(crate) use with::{controllers, run};

use lifecycle_facade::config::Config;

use crate::{args::DatabaseArgs, config_file, exit::CommandError};

/// Reads the configuration file, which must name a database.
async fn config_with_database(args: &DatabaseArgs) -> Result<Config, CommandError> {
    let config = config_file::read(args.config.clone(), None).await?;
    let config = config.filter(|config| config.controller.postgres_variable.is_some());
    config.ok_or_else(|| {
        CommandError::wrong_usage(
            "no database: write store = { postgres_variable = \"LIFECYCLE_DATABASE\" } into [controller] of the \
             configuration file",
        )
    })
}

/// The commands of a program without the feature.
#[cfg(not(feature = "postgres"))]
mod without {
    use crate::{
        args::{ControllersArgs, DatabaseArgs, ManageStore, ManageStoreArgs},
        commands::{controller, store::config_with_database},
        console::Console,
        exit::{CommandError, Exit},
    };

    pub(crate) async fn controllers(
        args: &ControllersArgs,
        _: Console,
    ) -> Result<Exit, CommandError> {
        refuse(&args.database).await
    }

    pub(crate) async fn run(args: &ManageStoreArgs, _: Console) -> Result<Exit, CommandError> {
        match &args.command {
            ManageStore::Migrate { database }
            | ManageStore::Check { database }
            | ManageStore::ForgetKeys { database }
            | ManageStore::Import { database, .. }
            | ManageStore::Prune { database, .. } => refuse(database).await,
        }
    }

    async fn refuse(args: &DatabaseArgs) -> Result<Exit, CommandError> {
        let config = config_with_database(args).await?;
        controller::store_choice(None, Some(&config)).map(|_| Exit::Complete)
    }
}

#[cfg(feature = "postgres")]
mod with {
    use std::path::Path;

    use jiff::Timestamp;
    use lifecycle_controller::Store as _;
    use lifecycle_store_postgres::{ControllerRow, PostgresStore, StoreCheck};
    use serde::Serialize;

    use crate::{
        args::{ControllersArgs, DatabaseArgs, ManageStore, ManageStoreArgs},
        commands::{
            controller::{self, StoreChoice},
            database::DatabaseChoice,
            journal,
            store::config_with_database,
        },
        console::{Console, eprint_warning},
        exit::{CommandError, Exit},
        output,
    };

    /// One controller. The serialized fields are the fields of the JSON output.
    #[derive(Debug, Serialize)]
    struct Line {
        schema: u32,
        #[serde(flatten)]
        controller: ControllerRow,
    }

    /// The result of `store check`.
    #[derive(Debug, Serialize)]
    struct Checked<'a> {
        schema: u32,
        #[serde(flatten)]
        check: &'a StoreCheck,
    }

    /// Prints the controllers.
    pub(crate) async fn controllers(
        args: &ControllersArgs,
        console: Console,
    ) -> Result<Exit, CommandError> {
        let store = choice(&args.database).await?.open().await?;
        let lines = store.controllers().await?.into_iter();
        let lines: Vec<_> = lines
            .map(|controller| Line {
                schema: 1,
                controller,
            })
            .collect();
        match output::json_records(&lines, console.output)? {
            Some(json) => output::print(&json)?,
            None if lines.is_empty() => console.notice("no controller uses this database"),
            None => output::print_texts(
                [
                    "CONTROLLER",
                    "COMMAND",
                    "PROCESS",
                    "STATE",
                    "SINCE",
                    "LAST SEEN",
                    "GROUPS",
                ],
                &lines.iter().map(cells).collect::<Vec<_>>(),
            )?,
        }
        Ok(Exit::Complete)
    }

    fn cells(line: &Line) -> [String; 7] {
        let controller = &line.controller;
        let groups = controller.groups.iter();
        let groups: Vec<_> = groups
            .map(|lease| format!("{} (since {:.0})", lease.group, lease.since))
            .collect();
        [
            controller.name.clone(),
            controller.kind.clone(),
            controller.pid.to_string(),
            match controller.alive {
                true => "alive".to_owned(),
                false => "ended".to_owned(),
            },
            format!("{:.0}", controller.since),
            format!("{:.0}", controller.seen),
            match groups.is_empty() {
                true => "-".to_owned(),
                false => groups.join(", "),
            },
        ]
    }

    /// Manages the database.
    pub(crate) async fn run(
        args: &ManageStoreArgs,
        console: Console,
    ) -> Result<Exit, CommandError> {
        match &args.command {
            ManageStore::Migrate { database } => migrate(&choice(database).await?, console).await,
            ManageStore::Check { database } => check(&choice(database).await?, console).await,
            ManageStore::Import { journal, database } => {
                import(journal, &choice(database).await?, console).await
            }
            ManageStore::ForgetKeys { database } => {
                forget_keys(&choice(database).await?, console).await
            }
            ManageStore::Prune { before, database } => {
                prune(*before, &choice(database).await?, console).await
            }
        }
    }

    async fn migrate(database: &DatabaseChoice, console: Console) -> Result<Exit, CommandError> {
        let ran = database.migrate().await?;
        for migration in &ran {
            console.notice(format_args!(
                "version {}: {}",
                migration.version, migration.name
            ));
        }
        console.notice(match ran.is_empty() {
            true => "the tables are up to date",
            false => "the tables are up to date now",
        });
        Ok(Exit::Complete)
    }

    async fn check(database: &DatabaseChoice, console: Console) -> Result<Exit, CommandError> {
        let check = database.open().await?.check().await?;
        let record = Checked {
            schema: 1,
            check: &check,
        };
        match output::json_records(&[record], console.output)? {
            Some(json) => output::print(&json)?,
            None => output::print_texts(
                ["TABLES", "SERVER", "EVENTS", "UNFINISHED", "CONTROLLERS"],
                &[[
                    check.tables_version.to_string(),
                    check.server.clone(),
                    check.events.to_string(),
                    check.unfinished.to_string(),
                    check.controllers.to_string(),
                ]],
            )?,
        }
        for problem in &check.problems {
            eprint_warning(problem);
        }
        Ok(match check.problems.is_empty() {
            true => Exit::Complete,
            false => Exit::Incomplete,
        })
    }

    async fn import(
        path: &Path,
        database: &DatabaseChoice,
        console: Console,
    ) -> Result<Exit, CommandError> {
        if !journal::exists(path).await? {
            return Err(CommandError::wrong_usage(format!(
                "{} does not exist: write the journal of [controller] or of --journal",
                path.display()
            )));
        }
        // The lock of the journal keeps controllers away from the file.
        let journal = journal::open(path).await?;
        let store: PostgresStore = database.open_and_migrate().await?;
        let records = store.import(&journal).await?;
        let unfinished = store.state().await?.unfinished().count();
        console.notice(format_args!(
            "records imported: {records}; unfinished requests: {unfinished}; replace journal = in [controller] by store, on \
             every machine, before a controller starts again"
        ));
        Ok(Exit::Complete)
    }

    async fn forget_keys(
        database: &DatabaseChoice,
        console: Console,
    ) -> Result<Exit, CommandError> {
        let forgotten = database.rate_limit().await?.forget_rejected_keys().await?;
        console.notice(format_args!("rejected keys forgotten: {forgotten}"));
        Ok(Exit::Complete)
    }

    async fn prune(
        before: Timestamp,
        database: &DatabaseChoice,
        console: Console,
    ) -> Result<Exit, CommandError> {
        if before > controller::now() {
            return Err(CommandError::wrong_usage(format!(
                "--before {before:.0} is in the future"
            )));
        }
        let pruned = database.open().await?.prune(before).await?;
        console.notice(format_args!(
            "removed before {before:.0}: events: {}, operations: {}",
            pruned.events, pruned.operations
        ));
        Ok(Exit::Complete)
    }

    async fn choice(args: &DatabaseArgs) -> Result<DatabaseChoice, CommandError> {
        let config = config_with_database(args).await?;
        match controller::store_choice(None, Some(&config))? {
            StoreChoice::Database(database) => Ok(*database),
            StoreChoice::Journal(_) => Err(CommandError::wrong_usage(
                "[controller] names a journal: write store = { postgres_variable = \"LIFECYCLE_DATABASE\" }",
            )),
        }
    }
}
