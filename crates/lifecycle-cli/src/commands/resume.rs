//! `lifecycle resume`: finishes a recorded request after the end of its process.

use std::sync::Arc;

use lifecycle_controller::{Journal, Operation, ResumeMode, Store, resume_request};
use lifecycle_facade::{
    ActionKind, FleetRow, InstanceReference, SystemClock, lifecycle_core::Action,
};

use super::journal;
use crate::{
    args::ResumeArgs,
    console::Console,
    exit::{CommandError, Exit},
    follow,
    output::{self, RowFormat, RowKind},
    row::{self, RequestKind, Row},
    setup::Setup,
};

/// Finishes the request of a journal, and prints the whole report.
pub(crate) async fn run(args: &ResumeArgs, console: Console) -> Result<Exit, CommandError> {
    let path = args.journal.display();
    if !args.journal.exists() {
        return Err(CommandError::wrong_usage(format!(
            "{path} does not exist: write the file of --journal"
        )));
    }
    let journal = journal::open(&args.journal).await?;
    let state = journal.state().await?;
    let unfinished = state.unfinished().next();
    let Some(operation) = unfinished.or_else(|| state.latest()) else {
        return Err(CommandError::nothing_done(format!(
            "{path} has no request: nothing to resume"
        )));
    };
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
        false => finish(args, &journal, operation, kind, &format, console).await,
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
    journal: &Journal,
    operation: &Operation,
    kind: RequestKind,
    format: &RowFormat,
    console: Console,
) -> Result<Exit, CommandError> {
    let mode = match args.report_only {
        true => ResumeMode::ReportOnly,
        false => ResumeMode::Finish,
    };
    let setup = Setup::read(&args.connection).await?;
    let fleet = setup.fleet().await?;
    let store = Arc::new(journal.clone());
    let resumed = resume_request(fleet, operation, mode, store, SystemClock)
        .map_err(|error| CommandError::nothing_done(error.to_string()))?;
    let mut request = resumed.request;
    if let (Some(limit), Some(_)) = (args.connection.timeout, operation.request.options.wait) {
        request = request.wait(limit);
    }
    let left_alone = resumed.left_alone.iter();
    let left_alone = left_alone.map(|row: &FleetRow| Row::of_report(row, kind));
    let result = follow::to_the_end(
        &resumed.instances,
        left_alone.collect(),
        request.events(),
        kind,
        format,
        Some(&args.journal),
        console,
    )
    .await;
    journal::warn_of_failure(journal);
    result
}
