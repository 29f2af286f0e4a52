//! `lifecycle start`, `stop` and `reboot`: power actions on instances.

use lifecycle_facade::{
    ActionKind, Fleet, FleetRequest, InstanceReference, lifecycle_core::Action,
};

use super::journal;
use crate::{
    args::{ConfirmArgs, RebootArgs, RequestArgs, StartArgs, StopArgs},
    console::Console,
    dry_run,
    exit::{CommandError, Exit},
    follow::{self, RowOutput},
    output::{self, RowKind},
    row::RequestKind,
    selection::Selected,
    setup::Setup,
};

/// Starts instances.
pub(crate) async fn start(args: &StartArgs, console: Console) -> Result<Exit, CommandError> {
    let command = PowerCommand {
        action: ActionKind::Start,
        verb: "start",
        kind: RequestKind::Action,
        args: &args.request,
        confirm: ConfirmArgs {
            yes: true,
            include_protected: true,
        },
        console,
    };
    let build = |fleet: &Fleet, references: &[InstanceReference]| {
        let request = fleet.start(references).local_disk(args.local_disk());
        match args.strict.strict {
            true => request.strict(),
            false => request,
        }
    };
    command.run(build).await
}

/// Stops instances.
pub(crate) async fn stop(args: &StopArgs, console: Console) -> Result<Exit, CommandError> {
    let command = PowerCommand {
        action: ActionKind::Stop,
        verb: "stop",
        kind: RequestKind::Stop,
        args: &args.request,
        confirm: args.confirm,
        console,
    };
    let build = |fleet: &Fleet, references: &[InstanceReference]| {
        let mut request = fleet
            .stop(references)
            .mode(args.force.mode())
            .billing(args.billing());
        if let Some(after) = args.force_after {
            request = request.force_after(after);
        }
        match args.strict.strict {
            true => request.strict(),
            false => request,
        }
    };
    command.run(build).await
}

/// Reboots instances.
pub(crate) async fn reboot(args: &RebootArgs, console: Console) -> Result<Exit, CommandError> {
    let command = PowerCommand {
        action: ActionKind::Reboot,
        verb: "reboot",
        kind: RequestKind::Action,
        args: &args.request,
        confirm: args.confirm,
        console,
    };
    let build = |fleet: &Fleet, references: &[InstanceReference]| {
        fleet.reboot(references).mode(args.force.mode())
    };
    command.run(build).await
}

/// A power command, without the options of one action.
struct PowerCommand<'a> {
    action: ActionKind,
    verb: &'static str,
    kind: RequestKind,
    args: &'a RequestArgs,
    confirm: ConfirmArgs,
    console: Console,
}

impl PowerCommand<'_> {
    /// Selects the instances, builds the request with `build`, and runs the request to its end.
    async fn run<O: Into<Action> + Clone>(
        self,
        build: impl Fn(&Fleet, &[InstanceReference]) -> FleetRequest<O>,
    ) -> Result<Exit, CommandError> {
        let Self {
            kind,
            args,
            console,
            ..
        } = self;
        let rows = match kind {
            RequestKind::Stop => RowKind::Stops,
            RequestKind::Action | RequestKind::Wait => RowKind::Outcomes,
        };
        let format = args.table.format(rows, console)?;
        let setup = Setup::read(&args.connection).await?;
        let journal = match &args.journal {
            Some(path) if !args.dry_run => Some(journal::open_for_request(path).await?),
            _ => None,
        };
        let targets = setup.targets(&args.instances).await?;
        let waves = setup.waves(args)?;
        let fleet = setup.fleet().await?;
        let is_guarded = !self.confirm.include_protected;
        let (limit, action) = (setup.timeout(), Some(self.action));
        let mut selected =
            Selected::find(targets, &fleet, limit, action, !is_guarded, Some(kind)).await?;
        let request_for = |references: &[InstanceReference]| {
            let mut request = build(&fleet, references);
            if args.when_idle {
                request = request.when_idle();
            }
            if let Some(timeout) = setup.wait_timeout(args) {
                request = request.wait(timeout);
            }
            if let Some(waves) = waves {
                request = request.waves(waves);
            }
            if let Some(instances) = setup.max(args) {
                request = request.max(instances);
            }
            request
        };
        if !selected.references.is_empty() {
            // A command that is refused as a whole reads no instance, and does not ask.
            request_for(&selected.references).dry_run()?;
        }
        let row_output = RowOutput {
            kind,
            format: &format,
            console,
        };
        let mut signals = follow::listen()?;
        // A dry run of named instances sends nothing at all, unless the configuration file has a rule.
        let is_checked = !args.dry_run || setup.protects() || selected.is_selection();
        if is_guarded && is_checked {
            let reads = selected.read_protection(&fleet, setup.timeout());
            let (references, left_alone) = (&selected.references, &selected.left_alone);
            let check =
                follow::before_sending(reads, references, left_alone, row_output, &mut signals)
                    .await
                    .map_err(|error| follow::nothing_sent(references, error, row_output))?;
            selected.leave_alone(check, self.verb, kind, setup.protects());
        }
        let show_plan = |selected: &Selected, planned: &[_]| {
            if !console.quiet {
                selected.describe(self.verb);
            }
            dry_run::print(planned, console)
        };
        if let Some(exit) = selected.exit_if_empty(args.instances.filter.fail_empty, console) {
            signals.exit_at_next_signal();
            match args.dry_run {
                true => {
                    show_plan(&selected, &[])?;
                }
                false => output::print_rows(selected.left_alone, &format)?,
            }
            return Ok(exit);
        }
        let mut request = request_for(&selected.references);
        if args.dry_run {
            signals.exit_at_next_signal();
            let exit = show_plan(&selected, &request.dry_run()?)?;
            if is_guarded && !is_checked {
                console
                    .notice("the protection of named instances is checked when the command runs");
            }
            return Ok(exit);
        }
        let question = selected.confirm(self.verb, self.confirm);
        let (references, left_alone) = (&selected.references, &selected.left_alone);
        follow::before_sending(question, references, left_alone, row_output, &mut signals).await?;
        if let Some(journal) = &journal {
            let rows = &selected.left_alone_reports;
            request = request.recorder(journal::recorder(journal, self.verb, rows));
        }
        let events = request.events();
        let result = follow::to_the_end(
            &selected.references,
            selected.left_alone,
            events,
            args.journal.as_deref(),
            row_output,
            signals,
        )
        .await;
        if let Some(journal) = &journal {
            journal::warn_of_failure(journal);
        }
        result
    }
}
