//! `lifecycle-temporal`: a worker, and commands that start workflows and create schedules.

use std::{path::PathBuf, process::ExitCode, time::SystemTime};

use anyhow::Context;
use clap::{Parser, Subcommand};
use jiff::{SignedDuration, Timestamp};
use lifecycle_controller::settings::Settings;
use lifecycle_facade::{Fleet, config::Config};
use lifecycle_temporal_example::{
    activities::PowerActivities,
    hours,
    journals::Journals,
    power::{Power, PowerActor, PowerInput},
    workflows::{KeepHours, PowerWorkflow, WAIT_SECONDS},
};
use temporalio_client::{
    Client, ClientOptions, Connection, ConnectionOptions, Url, WorkflowGetResultOptions,
    WorkflowStartOptions,
    schedules::{
        CreateScheduleOptions, ScheduleAction, ScheduleError, ScheduleOverlapPolicy, ScheduleSpec,
    },
};
use temporalio_sdk::{Runtime, Worker, WorkerOptions};

/// Start, stop and reboot virtual machines with Temporal
#[derive(Debug, Parser)]
struct Args {
    /// The address of the Temporal server
    #[arg(long, global = true, default_value = "http://127.0.0.1:7233")]
    server: String,
    /// The namespace
    #[arg(long, global = true, default_value = "default")]
    namespace: String,
    /// The task queue of the workers
    #[arg(long, global = true, default_value = "lifecycle")]
    queue: String,
    /// The configuration file with groups and schedules
    #[arg(long, global = true, default_value = "lifecycle.toml")]
    config: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Carry out activities and workflows until SIGTERM
    Worker {
        /// The folder of the journals; all workers of the queue use the same folder
        #[arg(long, default_value = "journals")]
        journals: PathBuf,
        /// Call all clouds at this address, for example `lifecycle simulate`
        #[arg(long)]
        endpoint: Option<String>,
    },
    /// Create or update the Temporal schedules of the configuration file
    Schedule,
    /// Start instances, and print the report
    Start(TargetArgs),
    /// Stop instances, and print the report
    Stop(TargetArgs),
    /// Reboot instances, each at most once, and print the report
    Reboot(TargetArgs),
}

#[derive(Debug, clap::Args)]
struct TargetArgs {
    /// References such as aliyun/cn-hangzhou/i-1, or the name of one group
    #[arg(required = true)]
    targets: Vec<String>,
    /// The id of the workflow; a workflow with this id that runs already is not started twice
    #[arg(long)]
    id: Option<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(1)
        }
    }
}

async fn run(args: Args) -> anyhow::Result<()> {
    let target: Url = args.server.parse().context("--server")?;
    let connection = Connection::connect(ConnectionOptions::new(target).build()).await;
    let connection = connection.with_context(|| format!("no connection to {}", args.server))?;
    let client = Client::new(connection, ClientOptions::new(&args.namespace).build())?;
    match &args.command {
        Command::Worker { journals, endpoint } => {
            worker(&args, client, journals, endpoint.as_deref()).await
        }
        Command::Schedule => schedule(&args, &client).await,
        Command::Start(targets) => power(&args, &client, Power::Start, targets).await,
        Command::Stop(targets) => power(&args, &client, Power::Stop, targets).await,
        Command::Reboot(targets) => power(&args, &client, Power::Reboot, targets).await,
    }
}

async fn worker(
    args: &Args,
    client: Client,
    journals: &PathBuf,
    endpoint: Option<&str>,
) -> anyhow::Result<()> {
    let config = Config::load(&args.config)?;
    let mut fleet = Fleet::builder().with_config(&config)?;
    if let Some(endpoint) = endpoint {
        fleet = fleet.endpoint(endpoint.parse().context("--endpoint")?);
    }
    let activities = PowerActivities {
        actor: PowerActor {
            fleet: fleet.build()?,
            journals: Journals::open(journals).with_context(|| journals.display().to_string())?,
            config,
        },
    };
    let options = WorkerOptions::new(&args.queue)
        .register_activities(activities)
        .register_workflow::<PowerWorkflow>()?
        .register_workflow::<KeepHours>()?
        .build();
    let runtime = Runtime::from_current_tokio(Default::default())?;
    let mut worker = Worker::new(&runtime, client, options)
        .map_err(|error| anyhow::anyhow!("the worker cannot start: {error}"))?;
    let shutdown = worker.shutdown_handle();
    tokio::spawn(async move {
        if terminated().await.is_ok() {
            shutdown();
        }
    });
    eprintln!("worker of {:?} at {}", args.queue, args.server);
    worker.run().await?;
    Ok(())
}

async fn terminated() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            _ = terminate.recv() => Ok(()),
            result = tokio::signal::ctrl_c() => result,
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

async fn power(
    args: &Args,
    client: &Client,
    action: Power,
    targets: &TargetArgs,
) -> anyhow::Result<()> {
    let input = PowerInput {
        action,
        targets: targets.targets.clone(),
        waves: None,
        wait_seconds: WAIT_SECONDS,
    };
    let id = targets.id.clone().unwrap_or_else(|| {
        format!("lifecycle-{action:?}-{}", Timestamp::now().as_millisecond()).to_lowercase()
    });
    let options = WorkflowStartOptions::new(&args.queue, &id).build();
    let handle = client
        .start_workflow(PowerWorkflow::run, input, options)
        .await?;
    eprintln!("workflow {id}");
    println!(
        "{}",
        handle
            .get_result(WorkflowGetResultOptions::default())
            .await?
    );
    Ok(())
}

/// Creates or updates one schedule for each kept group, and one for each maintenance.
async fn schedule(args: &Args, client: &Client) -> anyhow::Result<()> {
    let settings = Settings::from_config(&Config::load(&args.config)?)?;
    let from = Timestamp::now();
    let year = from.checked_add(SignedDuration::from_hours(24 * 366))?;
    for group in &settings.rules.groups {
        let name = &group.name;
        let ends = settings
            .calendars
            .get(name)
            .and_then(|calendar| calendar.ends);
        let zone = &group.schedule.zone;
        let ends = ends.and_then(|last| last.tomorrow().ok()?.to_zoned(zone.clone()).ok());
        let until = ends.map_or(year, |ends| ends.timestamp().min(year));
        let changes = hours::changes(&group.schedule, from, until);
        let id = format!("lifecycle-{name}");
        let action = ScheduleAction::start_workflow(KeepHours::run, name.clone(), &args.queue, &id);
        put(
            client,
            &id,
            action,
            &changes,
            until,
            settings.rules.catch_up,
        )
        .await?;
    }
    let maintenance = settings
        .rules
        .maintenance
        .iter()
        .zip(&settings.maintenance_waves);
    for (number, (maintenance, waves)) in maintenance.enumerate() {
        let occurrences = hours::occurrences(&maintenance.at, from, year);
        let input = PowerInput {
            action: Power::Reboot,
            targets: vec![maintenance.group.clone()],
            waves: waves.map(Into::into),
            wait_seconds: WAIT_SECONDS,
        };
        let id = format!("lifecycle-{}-maintenance-{}", maintenance.group, number + 1);
        let action = ScheduleAction::start_workflow(PowerWorkflow::run, input, &args.queue, &id);
        put(
            client,
            &id,
            action,
            &occurrences,
            year,
            settings.rules.catch_up,
        )
        .await?;
    }
    Ok(())
}

/// Creates a schedule, or replaces its action and its moments.
async fn put(
    client: &Client,
    id: &str,
    action: ScheduleAction,
    moments: &[Timestamp],
    until: Timestamp,
    catch_up: SignedDuration,
) -> anyhow::Result<()> {
    let spec = ScheduleSpec::builder()
        .calendars(hours::calendars(moments))
        .end_time(SystemTime::from(until))
        .build();
    let options = CreateScheduleOptions::builder()
        .action(action.clone())
        .spec(spec.clone())
        .build();
    let handle = match client.create_schedule(id, options).await {
        Ok(handle) => handle,
        Err(ScheduleError::Rpc(status)) if is_known(&status) => client.get_schedule_handle(id),
        Err(error) => return Err(error.into()),
    };
    let catch_up = catch_up.try_into()?;
    let update = move |schedule: &mut temporalio_client::schedules::ScheduleUpdate| {
        schedule.set_spec(spec);
        schedule.set_action(action);
        // A change while the workflow before still runs is not lost.
        schedule.set_overlap_policy(ScheduleOverlapPolicy::BufferOne);
        schedule.set_catchup_window(catch_up);
    };
    handle.update(update, Default::default()).await?;
    let next = moments
        .first()
        .map_or("none".to_owned(), Timestamp::to_string);
    println!("{id}: {} moments until {until}, next {next}", moments.len());
    Ok(())
}

fn is_known(status: &temporalio_client::tonic::Status) -> bool {
    status.code() == temporalio_client::tonic::Code::AlreadyExists
}
