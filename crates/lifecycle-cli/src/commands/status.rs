//! `lifecycle status`.

use crate::{
    args::StatusArgs,
    console::{Console, Format},
    exit::{Exit, Failure},
    output::{self, Columns},
    row::{self, Row},
    setup::Setup,
};

/// Shows the states of instances.
pub(crate) async fn run(args: &StatusArgs, console: Console) -> Result<Exit, Failure> {
    let setup = Setup::read(&args.connection)?;
    let references = args.targets.read(&setup)?;
    let fleet = setup.fleet()?;
    let statuses = match fleet.observe(&references).await.map_err(Failure::from) {
        Ok(statuses) => statuses,
        Err(failure) => {
            if console.output == Format::Json && failure.exit == Exit::NothingDone {
                let unread = |reference| Row::unsent(reference, None, &failure);
                let rows: Vec<Row> = references.iter().map(unread).collect();
                output::print_rows(&rows, Columns::States, console)?;
            }
            return Err(failure);
        }
    };
    let rows: Vec<Row> = statuses.iter().map(Row::of_status).collect();
    output::print_rows(&rows, Columns::States, console)?;
    Ok(row::exit(&rows))
}
