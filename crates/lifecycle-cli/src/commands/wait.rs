//! `lifecycle wait`: waits until instances have a state.

use crate::{
    args::WaitArgs,
    console::Console,
    exit::{CommandError, Exit},
    follow::{self, RowOutput},
    output::{self, RowKind},
    row::RequestKind,
    selection::Selected,
    setup::Setup,
};

/// Waits until instances are in a state.
pub(crate) async fn run(args: &WaitArgs, console: Console) -> Result<Exit, CommandError> {
    let format = args.table.format(RowKind::Outcomes, console)?;
    let setup = Setup::read(&args.connection).await?;
    let targets = setup.targets(&args.instances).await?;
    let fleet = setup.fleet().await?;
    let kind = RequestKind::Wait;
    let selected = Selected::find(targets, &fleet, setup.timeout(), None, true, Some(kind)).await?;
    if let Some(exit) = selected.exit_if_empty(args.instances.filter.fail_empty, console) {
        output::print_rows(Vec::new(), &format)?;
        return Ok(exit);
    }
    let references = selected.references;
    let row_output = RowOutput {
        kind,
        format: &format,
        console,
    };
    let signals = follow::listen()?;
    let events = fleet
        .wait(&references, args.state())
        .timeout(setup.timeout())
        .events();
    follow::to_the_end(&references, Vec::new(), events, None, row_output, signals).await
}
