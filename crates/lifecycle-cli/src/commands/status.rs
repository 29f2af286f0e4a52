//! `lifecycle status`: the states of instances.

use ::console::Term;

use super::watch::{self, Watch};
use crate::{
    args::StatusArgs,
    console::Console,
    exit::{CommandError, Exit},
    output::{self, RowKind},
    row::{self, Row},
    selection::Selected,
    setup::Setup,
    terminal,
};

/// Prints the states of instances.
pub(crate) async fn run(args: &StatusArgs, console: Console) -> Result<Exit, CommandError> {
    let kind = match args.watch.watch {
        true => RowKind::Changes,
        false => RowKind::States,
    };
    let format = args.table.format(kind, console)?;
    if args.watch.watch && format.is_sorted() && terminal::width(&Term::stdout()).is_none() {
        return Err(CommandError::wrong_usage(
            "--sort with --watch needs a terminal: rows of changes have the order of time",
        ));
    }
    let setup = Setup::read(&args.connection).await?;
    let targets = setup.targets(&args.instances).await?;
    let fleet = setup.fleet().await?;
    let selected = Selected::find(targets, &fleet, setup.timeout(), None, true, None).await?;
    if let Some(exit) = selected.exit_if_empty(args.instances.filter.fail_empty, console) {
        output::print_rows(Vec::new(), &format)?;
        return Ok(exit);
    }
    if let Some(rows) = selected.rows().filter(|_| !args.watch.watch) {
        // The lists of the selections have the states.
        let exit = row::exit(&rows);
        output::print_rows(rows, &format)?;
        return Ok(exit);
    }
    let references = selected.references;
    if args.watch.watch {
        let goal = args.watch.goal();
        let watch = Watch {
            fleet: &fleet,
            references: &references,
            goal,
            interval: args.watch.interval.unwrap_or(watch::INTERVAL),
            // Without a goal the user ends the watch.
            time_limit: args.connection.timeout.or(goal.map(|_| setup.timeout())),
            format,
            console,
        };
        return watch.run().await;
    }
    let mut request = fleet.observe(&references);
    if format.has_details() {
        request = request.details();
    }
    let statuses = match request.await.map_err(CommandError::from) {
        Ok(statuses) => statuses,
        Err(error) => {
            if format.format.is_for_programs() && error.exit == Exit::NothingDone {
                let row = |reference| Row::unsent(reference, None, &error);
                output::print_rows(references.iter().map(row).collect(), &format)?;
            }
            return Err(error);
        }
    };
    let rows: Vec<Row> = statuses.iter().map(Row::of_status).collect();
    let exit = row::exit(&rows);
    output::print_rows(rows, &format)?;
    Ok(exit)
}
