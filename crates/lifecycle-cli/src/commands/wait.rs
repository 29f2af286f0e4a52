//! `lifecycle wait`.

use crate::{
    args::WaitArgs,
    console::Console,
    exit::{Exit, Failure},
    follow,
    row::Purpose,
    setup::Setup,
};

/// Waits until instances are in a state.
pub(crate) async fn run(args: &WaitArgs, console: Console) -> Result<Exit, Failure> {
    let setup = Setup::read(&args.connection)?;
    let references = args.targets.read(&setup)?;
    let fleet = setup.fleet()?;
    let events = fleet
        .wait(&references, args.goal())
        .patience(setup.timeout())
        .events();
    follow::to_the_end(&fleet, &references, events, Purpose::Wait, console).await
}
