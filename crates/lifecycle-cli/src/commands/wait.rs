//! `lifecycle wait`: waits until instances have a state.

use crate::{
    args::WaitArgs,
    console::Console,
    exit::{CommandError, Exit},
    follow,
    output::{RowFormat, RowKind},
    row::RequestKind,
    setup::Setup,
};
use lifecycle_facade::distinct_instances;

/// Waits until instances are in a state.
pub(crate) async fn run(args: &WaitArgs, console: Console) -> Result<Exit, CommandError> {
    let format = RowFormat::new(&args.table, RowKind::Outcomes, console)?;
    let setup = Setup::read(&args.connection).await?;
    let references = setup.targets(&args.instances).await?;
    let fleet = setup.fleet().await?;
    let references = distinct_instances(&fleet, references)?;
    let events = fleet
        .wait(&references, args.state())
        .timeout(setup.timeout())
        .events();
    follow::to_the_end(&references, events, RequestKind::Wait, &format, console).await
}
