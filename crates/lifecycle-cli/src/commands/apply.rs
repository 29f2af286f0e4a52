//! `lifecycle apply` and `lifecycle run`: passes that bring the machines into the states of their schedules.

#[cfg(feature = "postgres")]
use std::future::ready;
use std::{
    fs::{File, TryLockError},
    io::Write as _,
    path::Path,
    sync::Arc,
    time::Duration,
};

use futures_util::FutureExt;
use lifecycle_controller::{
    Journal, LockedFile, MemoryStore, Store, StoreError,
    decide::{Fact, PlannedAction, Waiting},
    keeper::{ActionResult, Keeper, PassReport, ProgramNotifier},
    settings::Settings,
};
use lifecycle_facade::file;
use lifecycle_metrics::{ClientMetrics, ControllerMetrics};
#[cfg(feature = "postgres")]
use lifecycle_store_postgres::ControllerKind;
use serde::Serialize;
use tokio::time::sleep;

#[cfg(feature = "postgres")]
use super::database;
use super::{
    controller::{self, StoreChoice},
    journal,
};
use crate::{
    args::{ApplyArgs, ControllerArgs, RunArgs},
    blocking::blocking,
    console::{Console, Format, eprint_line, eprint_warning},
    exit::{CommandError, Exit},
    follow,
    interrupt::{ReceivedSignal, SignalListener},
    metrics_server::MetricsServer,
    output,
    setup::Setup,
};

/// The version of the fields.
const SCHEMA: u32 = 1;

/// One machine. The serialized fields are the fields of the JSON output.
#[derive(Debug, Serialize)]
struct Line {
    schema: u32,
    instance: String,
    group: String,
    /// `start`, `stop`, `reboot` or `wait`.
    action: &'static str,
    /// The outcome; `planned` for `--dry-run`, `null` for `wait`.
    outcome: Option<&'static str>,
    why: String,
    message: Option<String>,
}

impl Line {
    fn of_action(action: &PlannedAction, result: Option<&ActionResult>) -> Self {
        Self {
            schema: SCHEMA,
            instance: action.instance.clone(),
            group: action.group.clone(),
            action: action.action.as_str(),
            outcome: Some(result.map_or("planned", |result| result.outcome)),
            why: action.why.clone(),
            message: result.and_then(|result| result.message.clone()),
        }
    }

    fn of_waiting(waiting: &Waiting) -> Self {
        Self {
            schema: SCHEMA,
            instance: waiting.instance.clone(),
            group: waiting.group.clone(),
            action: "wait",
            outcome: None,
            why: waiting.why.clone(),
            message: waiting.until.map(|until| format!("until {until:.0}")),
        }
    }

    fn cells(&self) -> [String; 5] {
        let detail = match &self.message {
            Some(message) => format!("{}; {message}", self.why),
            None => self.why.clone(),
        };
        [
            self.instance.clone(),
            self.group.clone(),
            self.action.to_owned(),
            self.outcome.unwrap_or("-").to_owned(),
            detail,
        ]
    }
}

/// Makes one pass.
pub(crate) async fn apply(args: &ApplyArgs, console: Console) -> Result<Exit, CommandError> {
    let setup = Setup::read(&args.controller.connection).await?;
    let mut settings = controller::settings(setup.config())?;
    if let Some(max) = args.max {
        settings.rules.max_changes = max.get();
    }
    let choice = controller::store_choice(args.controller.journal.as_ref(), setup.config())?;
    if args.dry_run {
        return dry_run(&setup, settings, &choice, console).await;
    }
    let fleet = choice.fleet(&setup).await?;
    let (report, signal) = match choice {
        StoreChoice::Journal(path) => {
            let journal = open(&path).await?;
            let store: Arc<dyn Store> = Arc::new(journal.clone());
            let keeper = Keeper::new(fleet, store, settings, journal::operator());
            let (report, signal) = pass(&with_notifier(keeper)).await?;
            journal::warn_of_failure(&journal);
            (report, signal)
        }
        #[cfg(feature = "postgres")]
        StoreChoice::Database(database) => {
            let store = database.open_and_migrate().await?;
            let leases = database.join(&store, ControllerKind::Apply).await?;
            let groups = settings.members.len();
            let keeper = Keeper::new(fleet, Arc::new(store), settings, journal::operator());
            let keeper = with_notifier(keeper).leases(leases.clone());
            let passed = pass(&keeper).await;
            database::leave(&leases).await;
            let (report, signal) = passed?;
            if signal.is_none()
                && let Some(exit) = left_to_others(&report, groups, console)?
            {
                return Ok(exit);
            }
            (report, signal)
        }
    };
    let actions = report.actions.iter();
    let lines = actions.map(|(action, result)| Line::of_action(action, Some(result)));
    let waiting = report.waiting.iter().map(Line::of_waiting);
    let printed = print(&lines.chain(waiting).collect::<Vec<_>>(), console);
    if let Some(signal) = signal {
        if let Err(error) = &printed {
            error.print();
        }
        describe(&report, console);
        signal.end_process();
    }
    printed?;
    describe(&report, console);
    Ok(match (&report.blocked, report.is_complete()) {
        (Some(_), _) => Exit::NothingDone,
        (None, true) => Exit::Complete,
        (None, false) => Exit::Incomplete,
    })
}

/// The time limit of the notifier after a signal.
const LAST_NOTIFICATION: Duration = Duration::from_secs(5);

/// Makes a pass, up to its end or to a signal. The process ends by the same signal after the output. The next signal
/// ends the process at once.
async fn pass(keeper: &Keeper) -> Result<(PassReport, Option<ReceivedSignal>), CommandError> {
    let mut signals = follow::listen()?;
    let signal = async move {
        let first = signals.received().await;
        signals.exit_at_next_signal();
        first
    };
    let signal = signal.boxed().shared();
    let report = keeper.pass_until(signal.clone().map(drop)).await;
    if let Ok(report) = &report {
        let too_late = signal.clone().then(|_| sleep(LAST_NOTIFICATION));
        tokio::select! {
            () = keeper.notify(report) => {}
            () = too_late => {}
        }
    }
    let received = signal.clone().now_or_never();
    if received.is_none() {
        tokio::spawn(signal.map(|signal| signal.end_process()));
    }
    Ok((report?, received))
}

/// Says which groups other controllers have. Returns the exit code if other controllers have all groups, and the pass
/// only settled the calls of a program that had ended.
///
/// # Errors
/// Other controllers have all groups, and the pass did nothing.
#[cfg(feature = "postgres")]
fn left_to_others(
    report: &PassReport,
    groups: usize,
    console: Console,
) -> Result<Option<Exit>, CommandError> {
    let others = report.elsewhere.iter();
    let others: Vec<_> = others
        .map(|(group, holder)| format!("{group}: {holder}"))
        .collect();
    if !others.is_empty() && others.len() == groups {
        let text = format!(
            "other controllers have all groups ({}): no schedule was applied; see lifecycle controllers",
            others.join(", ")
        );
        if report.facts.is_empty() && report.problems.is_empty() {
            return Err(CommandError::nothing_done(text));
        }
        describe(report, console);
        console.notice(text);
        return Ok(Some(Exit::Incomplete));
    }
    for other in others {
        console.notice(format_args!("left to another controller: {other}"));
    }
    Ok(None)
}

async fn dry_run(
    setup: &Setup,
    settings: Settings,
    choice: &StoreChoice,
    console: Console,
) -> Result<Exit, CommandError> {
    let state = choice.state().await?;
    let store = Arc::new(MemoryStore::default());
    let keeper = Keeper::new(choice.fleet(setup).await?, store, settings, "dry run");
    let (look, decision) = keeper.plan(&state).await;
    for problem in look.problems.iter().chain(&decision.problem) {
        eprint_warning(problem);
    }
    let actions = decision.actions.iter();
    let lines = actions.map(|action| Line::of_action(action, None));
    let waiting = decision.waiting.iter().map(Line::of_waiting);
    print(&lines.chain(waiting).collect::<Vec<_>>(), console)?;
    console.notice(format_args!(
        "dry run: nothing was sent; planned actions: {}",
        decision.actions.len()
    ));
    Ok(match look.problems.is_empty() {
        true => Exit::Complete,
        false => Exit::Incomplete,
    })
}

/// Makes passes until a signal.
pub(crate) async fn run(args: &RunArgs, console: Console) -> Result<Exit, CommandError> {
    let ControllerArgs {
        journal: named,
        connection,
    } = &args.controller;
    let mut setup = Setup::read(connection).await?;
    let settings = controller::settings(setup.config())?;
    let choice = controller::store_choice(named.as_ref(), setup.config())?;
    let lock = match &choice {
        StoreChoice::Journal(path) => Some(RunLock::take(path, setup.timeout()).await?),
        #[cfg(feature = "postgres")]
        StoreChoice::Database(_) => None,
    };
    let server = args.metrics.metrics;
    let server = server.map(|address| MetricsServer::start(address, "--metrics"));
    let server = server.transpose()?;
    if let Some(server) = &server {
        setup = setup.with_stats_observer(ClientMetrics);
        console.notice(format_args!("metrics: {}", server.url()));
    }
    let metrics = server.map(|server| ControllerMetrics::new(Some(server.remover())));
    let fleet = choice.fleet(&setup).await?;
    let on_pass = |report: &PassReport| {
        if let Some(metrics) = &metrics {
            metrics.observe(&report.status);
        }
        log(report, console);
    };
    let mut signals = SignalListener::listen().map_err(|error| {
        CommandError::nothing_done(format!("cannot listen to signals: {error}"))
    })?;
    let stop = async {
        signals.received().await;
    };
    let store = Arc::new(MemoryStore::default());
    let keeper = with_notifier(Keeper::new(fleet, store, settings, journal::operator()));
    match choice {
        StoreChoice::Journal(path) => {
            console.notice(format_args!("journal: {}", path.display()));
            let open = || async {
                let store: Arc<dyn Store> = Arc::new(open(&path).await?);
                Ok(store)
            };
            let ended = keeper.run_with(open, stop, on_pass);
            ended.await?;
        }
        #[cfg(feature = "postgres")]
        StoreChoice::Database(database) => {
            let store = database.open_and_migrate().await?;
            let leases = database.join(&store, ControllerKind::Run).await?;
            console.notice(format_args!("database: {store}"));
            let keeper = keeper.leases(leases.clone());
            let store: Arc<dyn Store> = Arc::new(store);
            let open = || ready(Ok(Arc::clone(&store)));
            let ended = keeper.run_with(open, stop, on_pass);
            let ended = ended.await;
            database::leave(&leases).await;
            ended?;
        }
    }
    drop(lock);
    console.notice("stopped; open calls are left to the next process");
    Ok(Exit::Complete)
}

/// Opens the journal of a pass, and begins a new file each month.
async fn open(path: &Path) -> Result<Journal, StoreError> {
    let journal = Journal::open(path).await?;
    journal::warn_of_removed(&journal);
    journal.rotate_if_due().await?;
    Ok(journal)
}

fn with_notifier(keeper: Keeper) -> Keeper {
    match ProgramNotifier::new(&keeper.settings().on_change) {
        Some(notifier) => keeper.notifier(Arc::new(notifier)),
        None => keeper,
    }
}

/// The lock of `lifecycle run`: one such process for each journal. The journal itself is locked during a
/// pass only, so that other commands can be used between two passes.
struct RunLock {
    _file: LockedFile,
}

impl RunLock {
    async fn take(journal: &Path, limit: Duration) -> Result<Self, CommandError> {
        let journal = journal.to_owned();
        blocking(Some(limit), "the lock of the journal", move || {
            Self::take_now(&journal)
        })
        .await
    }

    fn take_now(journal: &Path) -> Result<Self, CommandError> {
        let mut path = journal.as_os_str().to_owned();
        path.push(".run");
        let path = Path::new(&path);
        let problem = |error: std::io::Error| {
            CommandError::nothing_done(format!("cannot write {}: {error}", path.display()))
        };
        let mut options = File::options();
        let options = options.read(true).write(true).create(true).truncate(false);
        let file = options.open(path).map_err(problem)?;
        let mut file = LockedFile::try_lock(file).map_err(|error| match error {
            TryLockError::WouldBlock => {
                let holder = file::read_text(path, file::MAX_TEXT).unwrap_or_default();
                CommandError::nothing_done(format!(
                    "lifecycle run already keeps {}: {}",
                    journal.display(),
                    holder.trim()
                ))
            }
            TryLockError::Error(error) => CommandError::nothing_done(format!(
                "cannot lock {}: {error}; keep the journal on a file system with locks",
                path.display()
            )),
        })?;
        let holder = format!(
            "process {} of {} since {:.0}\n",
            std::process::id(),
            journal::operator(),
            controller::now()
        );
        file.set_len(0)
            .and_then(|()| file.write_all(holder.as_bytes()))
            .map_err(problem)?;
        Ok(Self { _file: file })
    }
}

fn print(lines: &[Line], console: Console) -> Result<(), CommandError> {
    match output::json_records(lines, console.output)? {
        Some(json) => output::print(&json),
        None if lines.is_empty() => Ok(()),
        None => output::print_texts(
            ["INSTANCE", "GROUP", "ACTION", "OUTCOME", "WHY"],
            &lines.iter().map(Line::cells).collect::<Vec<_>>(),
        ),
    }
}

/// Writes the facts and the summary of a pass to standard error.
fn describe(report: &PassReport, console: Console) {
    for problem in report.problems.iter().chain(&report.blocked) {
        eprint_warning(problem);
    }
    let is_new = |fact: &&Fact| !report.problems.contains(&fact.message);
    for fact in report.facts.iter().filter(is_new) {
        console.notice(format_args!("{}: {}", fact.kind.as_str(), fact.message));
    }
    if report.stopped {
        console.notice("interrupted: nothing more is sent, and what was sent is not undone");
    }
    let is_stopped_before_the_look = report.stopped && report.machines == 0;
    if report.store_unavailable || is_stopped_before_the_look {
        return;
    }
    let reached = report.actions.iter().filter(|(_, result)| result.reached);
    let next = report.next.map(|next| format!("; next pass by {next:.0}"));
    console.notice(format_args!(
        "machines: {}; actions: {}, reached: {}; left alone: {}{}",
        report.machines,
        report.actions.len(),
        reached.count(),
        report.waiting.len(),
        next.unwrap_or_default()
    ));
}

/// Writes one line for each action and fact of a pass of `run`.
fn log(report: &PassReport, console: Console) {
    if console.quiet
        || (report.actions.is_empty() && report.problems.is_empty() && report.facts.is_empty())
    {
        return;
    }
    for (action, result) in &report.actions {
        let line = Line::of_action(action, Some(result));
        match console.output {
            Format::Json | Format::Jsonl => {
                if let Ok(line) = output::json_line(&line) {
                    // A closed pipe does not end the process.
                    let _ = output::print(&line);
                }
            }
            _ => eprint_line(format_args!(
                "{} {}: {} ({})",
                line.action,
                line.instance,
                line.outcome.unwrap_or("-"),
                line.why
            )),
        }
    }
    describe(report, console);
}
