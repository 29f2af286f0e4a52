//! `lifecycle status`: the states of instances.

use crate::{
    args::StatusArgs,
    console::Console,
    exit::{CommandError, Exit},
    output::{self, RowFormat, RowKind},
    row::{self, Row},
    setup::Setup,
};
use lifecycle_facade::distinct_instances;

/// Prints the states of instances.
pub(crate) async fn run(args: &StatusArgs, console: Console) -> Result<Exit, CommandError> {
    let format = RowFormat::new(&args.table, RowKind::States, console)?;
    let setup = Setup::read(&args.connection).await?;
    let references = setup.targets(&args.instances).await?;
    let fleet = setup.fleet().await?;
    let references = distinct_instances(&fleet, references)?;
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
