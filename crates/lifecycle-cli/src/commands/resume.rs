//! `lifecycle resume`: finishes a recorded request after the end of its process.

use std::{path::Path, sync::Arc};

#[cfg(feature = "postgres")]
use lifecycle_controller::OperationId;
use lifecycle_controller::{Operation, ResumeMode, Store, resume_request};
use lifecycle_facade::{
    ActionKind, FleetRow, InstanceReference, SystemClock, lifecycle_core::Action,
};
#[cfg(feature = "postgres")]
use lifecycle_store_postgres::{ControllerKind, PostgresLeases};

#[cfg(feature = "postgres")]
use super::database::{self, DatabaseChoice};
use super::{
    controller::{self, StoreChoice},
    journal,
};
use crate::{
    args::ResumeArgs,
    console::Console,
    exit::{CommandError, Exit},
    follow::{self, RowOutput},
    output::{self, RowFormat, RowKind},
    row::{self, RequestKind, Row},
    setup::Setup,
};

/// Finishes the request of a store, and prints the whole report.
pub(crate) async fn run(args: &ResumeArgs, console: Console) -> Result<Exit, CommandError> {
    if let Some(path) = &args.journal {
        return of_journal(path, args, console).await;
    }
    let setup = Setup::read(&args.connection).await?;
    match controller::store_choice(None, setup.config())? {
        StoreChoice::Journal(path) => of_journal(&path, args, console).await,
        #[cfg(feature = "postgres")]
        StoreChoice::Database(database) => of_database(&database, args, console).await,
    }
}

async fn of_journal(
    path: &Path,
    args: &ResumeArgs,
    console: Console,
) -> Result<Exit, CommandError> {
    let shown = path.display();
    if !journal::exists(path).await? {
        return Err(CommandError::wrong_usage(format!(
            "{shown} does not exist: write the file of --journal"
        )));
    }
    let journal = journal::open(path).await?;
    let state = journal.state().await?;
    let unfinished = state.unfinished().next();
    let Some(operation) = unfinished.or_else(|| state.latest()) else {
        return Err(CommandError::nothing_done(format!(
            "{shown} has no request: nothing to resume"
        )));
    };
    let store: Arc<dyn Store> = Arc::new(journal.clone());
    let result = report(args, &store, operation, Some(path), console).await;
    journal::warn_of_failure(&journal);
    result
}

/// Finishes the first request whose controller has ended.
#[cfg(feature = "postgres")]
async fn of_database(
    database: &DatabaseChoice,
    args: &ResumeArgs,
    console: Console,
) -> Result<Exit, CommandError> {
    let store = database.open().await?;
    let state = store.state().await?;
    let unfinished = state.unfinished();
    let unfinished: Vec<OperationId> = unfinished
        .map(|operation| operation.request.operation.clone())
        .collect();
    if unfinished.is_empty() || args.report_only {
        let operation = state.unfinished().next().or_else(|| state.latest());
        let Some(operation) = operation else {
            return Err(CommandError::nothing_done(
                "the database has no request: nothing to resume",
            ));
        };
        let store: Arc<dyn Store> = Arc::new(store);
        return report(args, &store, operation, None, console).await;
    }
    let leases = database.join(&store, ControllerKind::Resume).await?;
    let result = take_over(&leases, unfinished, args, console).await;
    database::leave(&leases).await;
    result
}

#[cfg(feature = "postgres")]
async fn take_over(
    leases: &PostgresLeases,
    unfinished: Vec<OperationId>,
    args: &ResumeArgs,
    console: Console,
) -> Result<Exit, CommandError> {
    let store = leases.store().await?;
    let count = unfinished.len();
    for id in unfinished {
        if store.take_over(vec![id.clone()]).await?.is_empty() {
            continue;
        }
        // The controller before can have recorded more until now.
        let state = store.state().await?;
        if let Some(operation) = state.operation(&id) {
            let store: Arc<dyn Store> = Arc::new(store);
            return report(args, &store, operation, None, console).await;
        }
    }
    Err(CommandError::nothing_done(format!(
        "living controllers carry out the unfinished requests ({count}): nothing to resume; see lifecycle controllers"
    )))
}

/// Prints the report of a request, after its end.
async fn report(
    args: &ResumeArgs,
    store: &Arc<dyn Store>,
    operation: &Operation,
    journal: Option<&Path>,
    console: Console,
) -> Result<Exit, CommandError> {
    let action = Action::from(operation.request.action);
    let (kind, rows) = match action.kind() {
        ActionKind::Stop => (RequestKind::Stop, RowKind::Stops),
        _ => (RequestKind::Action, RowKind::Outcomes),
    };
    let format = args.table.format(rows, console)?;
    if !console.quiet {
        journal::describe(operation);
    }
    match operation.is_finished() {
        true => print(operation, kind, &format, console),
        false => finish(args, store, operation, (kind, &format), journal, console).await,
    }
}

/// Prints the report of a request that ended.
fn print(
    operation: &Operation,
    kind: RequestKind,
    format: &RowFormat,
    console: Console,
) -> Result<Exit, CommandError> {
    let request = &operation.request;
    let outcomes = request.instances.iter();
    let outcomes = outcomes.filter_map(|name| operation.progress(name).outcome.as_ref());
    let rows = request.left_alone.iter().chain(outcomes);
    let rows = rows.map(|row| {
        let reference: InstanceReference = row.instance.parse().map_err(|error| {
            CommandError::nothing_done(format!("the journal has an unreadable instance: {error}"))
        })?;
        let id = reference.instance.clone();
        Ok(Row::of_report(&row.report(reference, id), kind))
    });
    let rows: Vec<Row> = rows.collect::<Result<_, CommandError>>()?;
    let exit = row::exit(&rows);
    let summary = follow::Summary(&rows).to_string();
    output::print_rows(rows, format)?;
    console.notice(format_args!("{summary}; the request had ended before"));
    Ok(exit)
}

/// Carries the rest of a request out.
async fn finish(
    args: &ResumeArgs,
    store: &Arc<dyn Store>,
    operation: &Operation,
    (kind, format): (RequestKind, &RowFormat),
    journal: Option<&Path>,
    console: Console,
) -> Result<Exit, CommandError> {
    let mode = match args.report_only {
        true => ResumeMode::ReportOnly,
        false => ResumeMode::Finish,
    };
    let setup = Setup::read(&args.connection).await?;
    let fleet = match journal {
        Some(_) => setup.fleet().await?,
        // The controllers of a database share the pace of an account.
        None => {
            let choice = controller::store_choice(None, setup.config())?;
            choice.fleet(&setup).await?
        }
    };
    let resumed = resume_request(fleet, operation, mode, Arc::clone(store), SystemClock)
        .map_err(|error| CommandError::nothing_done(error.to_string()))?;
    let mut request = resumed.request;
    if let (Some(limit), Some(_)) = (args.connection.timeout, operation.request.options.wait) {
        request = request.wait(limit);
    }
    let left_alone = resumed.left_alone.iter();
    let left_alone = left_alone.map(|row: &FleetRow| Row::of_report(row, kind));
    let row_output = RowOutput {
        kind,
        format,
        console,
    };
    let signals = follow::listen()?;
    follow::to_the_end(
        &resumed.instances,
        left_alone.collect(),
        request.events(),
        journal,
        row_output,
        signals,
    )
    .await
}
