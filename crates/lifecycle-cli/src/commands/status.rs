//! `lifecycle status`: the states of instances.

use crate::{
    args::StatusArgs,
    console::{Console, Format},
    exit::{CommandError, Exit},
    output::{self, Columns},
    row::{self, Row},
    setup::Setup,
};
use lifecycle_facade::distinct_instances;

/// Prints the states of instances.
pub(crate) async fn run(args: &StatusArgs, console: Console) -> Result<Exit, CommandError> {
    let setup = Setup::read(&args.connection).await?;
    let references = setup.targets(&args.instances).await?;
    let fleet = setup.fleet().await?;
    let references = distinct_instances(&fleet, references)?;
    let statuses = match fleet.observe(&references).await.map_err(CommandError::from) {
        Ok(statuses) => statuses,
        Err(error) => {
            if console.output == Format::Json && error.exit == Exit::NothingDone {
                let row = |reference| Row::unsent(reference, None, &error);
                let rows: Vec<Row> = references.iter().map(row).collect();
                output::print_rows(&rows, Columns::States, console)?;
            }
            return Err(error);
        }
    };
    let rows: Vec<Row> = statuses.iter().map(Row::of_status).collect();
    output::print_rows(&rows, Columns::States, console)?;
    Ok(row::exit(&rows))
}
