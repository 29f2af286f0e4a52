//! `lifecycle start`, `stop` and `reboot`: power actions on instances.

use lifecycle_facade::{FleetRequest, InstanceReference, core::Action, distinct_instances};

use crate::{
    args::{RebootArgs, RequestArgs, StartArgs, StopArgs},
    console::Console,
    dry_run,
    exit::{CommandError, Exit},
    follow,
    output::{RowFormat, RowKind},
    row::RequestKind,
    setup::Setup,
};

/// Starts instances.
pub(crate) async fn start(args: &StartArgs, console: Console) -> Result<Exit, CommandError> {
    let setup = Setup::read(&args.request.connection).await?;
    let references = setup.targets(&args.request.instances).await?;
    let fleet = setup.fleet().await?;
    let references = distinct_instances(&fleet, references)?;
    let mut request = fleet.start(&references).local_disk(args.local_disk());
    if args.strict.strict {
        request = request.strict();
    }
    send(
        &setup,
        &references,
        request,
        RequestKind::Action,
        &args.request,
        console,
    )
    .await
}

/// Stops instances.
pub(crate) async fn stop(args: &StopArgs, console: Console) -> Result<Exit, CommandError> {
    let setup = Setup::read(&args.request.connection).await?;
    let references = setup.targets(&args.request.instances).await?;
    let fleet = setup.fleet().await?;
    let references = distinct_instances(&fleet, references)?;
    let mut request = fleet
        .stop(&references)
        .mode(args.force.mode())
        .billing(args.billing());
    if let Some(after) = args.force_after {
        request = request.force_after(after);
    }
    if args.strict.strict {
        request = request.strict();
    }
    send(
        &setup,
        &references,
        request,
        RequestKind::Stop,
        &args.request,
        console,
    )
    .await
}

/// Reboots instances.
pub(crate) async fn reboot(args: &RebootArgs, console: Console) -> Result<Exit, CommandError> {
    let setup = Setup::read(&args.request.connection).await?;
    let references = setup.targets(&args.request.instances).await?;
    let fleet = setup.fleet().await?;
    let references = distinct_instances(&fleet, references)?;
    let request = fleet.reboot(&references).mode(args.force.mode());
    send(
        &setup,
        &references,
        request,
        RequestKind::Action,
        &args.request,
        console,
    )
    .await
}

async fn send<O>(
    setup: &Setup,
    references: &[InstanceReference],
    mut request: FleetRequest<O>,
    kind: RequestKind,
    args: &RequestArgs,
    console: Console,
) -> Result<Exit, CommandError>
where
    O: Into<Action> + Clone,
{
    let rows = match kind {
        RequestKind::Stop => RowKind::Stops,
        RequestKind::Action | RequestKind::Wait => RowKind::Outcomes,
    };
    let format = RowFormat::new(&args.table, rows, console)?;
    if let Some(timeout) = setup.wait_timeout(args) {
        request = request.wait(timeout);
    }
    if let Some(waves) = setup.waves(args)? {
        request = request.waves(waves);
    }
    if let Some(instances) = setup.max(args) {
        request = request.max(instances);
    }
    if args.dry_run {
        return dry_run::print(&request.dry_run()?, console);
    }
    follow::to_the_end(references, request.events(), kind, &format, console).await
}
