//! `lifecycle start`, `stop` and `reboot`.

use lifecycle_facade::{Fleet, FleetRequest, InstanceReference, core::Action};

use crate::{
    args::{RebootArgs, Request, StartArgs, StopArgs},
    console::Console,
    dry_run,
    exit::{CommandError, Exit},
    follow,
    row::RequestKind,
    setup::Setup,
};

/// Boots instances.
pub(crate) async fn start(args: &StartArgs, console: Console) -> Result<Exit, CommandError> {
    let setup = Setup::read(&args.request.connection)?;
    let references = args.request.targets.read(&setup)?;
    let fleet = setup.fleet()?;
    let mut request = fleet.start(&references).local_disk(args.local_disk());
    if args.strictness.strict {
        request = request.strict();
    }
    carry_out(&setup, &fleet, &references, request, &args.request, console).await
}

/// Shuts instances down.
pub(crate) async fn stop(args: &StopArgs, console: Console) -> Result<Exit, CommandError> {
    let setup = Setup::read(&args.request.connection)?;
    let references = args.request.targets.read(&setup)?;
    let fleet = setup.fleet()?;
    let mut request = fleet
        .stop(&references)
        .mode(args.force.mode())
        .billing(args.billing());
    if let Some(after) = args.force_after {
        request = request.force_after(after);
    }
    if args.strictness.strict {
        request = request.strict();
    }
    carry_out(&setup, &fleet, &references, request, &args.request, console).await
}

/// Shuts instances down and boots them again.
pub(crate) async fn reboot(args: &RebootArgs, console: Console) -> Result<Exit, CommandError> {
    let setup = Setup::read(&args.request.connection)?;
    let references = args.request.targets.read(&setup)?;
    let fleet = setup.fleet()?;
    let request = fleet.reboot(&references).mode(args.force.mode());
    carry_out(&setup, &fleet, &references, request, &args.request, console).await
}

async fn carry_out<O>(
    setup: &Setup,
    fleet: &Fleet,
    references: &[InstanceReference],
    mut request: FleetRequest<'_, O>,
    args: &Request,
    console: Console,
) -> Result<Exit, CommandError>
where
    O: Into<Action> + Default + Copy + Send + Sync + 'static,
{
    if let Some(patience) = args.patience(setup) {
        request = request.wait(patience);
    }
    if let Some(waves) = args.waves(setup)? {
        request = request.waves(waves);
    }
    if let Some(instances) = args.max.or(setup.max()) {
        request = request.max(instances);
    }
    if args.dry_run {
        return dry_run::print(&request.dry_run()?, console);
    }
    follow::to_the_end(
        fleet,
        references,
        request.events(),
        RequestKind::Action,
        console,
    )
    .await
}
