//! `lifecycle wait`.

use crate::{
    args::WaitArgs,
    connect,
    console::Console,
    exit::{Exit, Failure},
    follow,
    row::Purpose,
};

/// Waits until instances are in a state.
pub(crate) async fn run(args: &WaitArgs, console: Console) -> Result<Exit, Failure> {
    let references = args.targets.read()?;
    let fleet = connect::fleet(&args.connection)?;
    let events = fleet
        .wait(&references, args.goal())
        .patience(args.connection.timeout)
        .events();
    follow::to_the_end(&fleet, &references, events, Purpose::Wait, console).await
}
