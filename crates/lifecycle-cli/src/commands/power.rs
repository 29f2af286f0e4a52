//! `lifecycle start`, `stop` and `reboot`.

use lifecycle_facade::{Fleet, FleetRequest, Reference, core::Action};

use crate::{
    args::{RebootArgs, Request, StartArgs, StopArgs},
    connect,
    console::Console,
    exit::{Exit, Failure},
    follow,
    row::Purpose,
};

/// Boots instances.
pub(crate) async fn start(args: &StartArgs, console: Console) -> Result<Exit, Failure> {
    let references = args.request.targets.read()?;
    let fleet = connect::fleet(&args.request.connection)?;
    let request = fleet.start(&references).local_disk(args.local_disk());
    carry_out(&fleet, &references, request, &args.request, console).await
}

/// Shuts instances down.
pub(crate) async fn stop(args: &StopArgs, console: Console) -> Result<Exit, Failure> {
    let references = args.request.targets.read()?;
    let fleet = connect::fleet(&args.request.connection)?;
    let request = fleet
        .stop(&references)
        .mode(args.force.mode())
        .billing(args.billing());
    carry_out(&fleet, &references, request, &args.request, console).await
}

/// Shuts instances down and boots them again.
pub(crate) async fn reboot(args: &RebootArgs, console: Console) -> Result<Exit, Failure> {
    let references = args.request.targets.read()?;
    let fleet = connect::fleet(&args.request.connection)?;
    let request = fleet.reboot(&references).mode(args.force.mode());
    carry_out(&fleet, &references, request, &args.request, console).await
}

async fn carry_out<O>(
    fleet: &Fleet,
    references: &[Reference],
    request: FleetRequest<'_, O>,
    args: &Request,
    console: Console,
) -> Result<Exit, Failure>
where
    O: Into<Action> + Default + Copy + Send + Sync + 'static,
{
    let events = match args.patience() {
        Some(patience) => request.wait(patience).events(),
        None => request.events(),
    };
    follow::to_the_end(fleet, references, events, Purpose::Act, console).await
}
