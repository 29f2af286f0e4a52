//! `lifecycle exporter`: metrics about the machines of regions, without a controller.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures_util::future::join_all;
use lifecycle_facade::{
    Clock, FaultKind, Fleet, InstanceReference, Location, ResolvedLocations, Selector, SystemClock,
};
use lifecycle_metrics::{
    ClientMetrics, ExporterMetrics, ExporterStatus, LocationResult, MachineSample, UNSEEN,
};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use crate::{
    args::ExporterArgs,
    console::{Console, eprint_warning},
    exit::{CommandError, Exit},
    interrupt::SignalListener,
    locations,
    metrics_server::MetricsServer,
    setup::Setup,
};

/// A refresh has at least this time, even with a short interval.
const SHORTEST_REFRESH_LIMIT: Duration = Duration::from_secs(60);

const NO_REGION: &str = "no region to read: the key can use none of the regions";

/// Serves metrics until a signal.
pub(crate) async fn run(args: &ExporterArgs, console: Console) -> Result<Exit, CommandError> {
    let server = MetricsServer::start(args.listen, "--listen")?;
    let setup = Setup::read(&args.connection).await?;
    let setup = setup.with_stats_observer(ClientMetrics);
    let fleet = setup.fleet().await?;
    let mut signals = SignalListener::listen()
        .map_err(|error| CommandError::nothing_done(format!("cannot handle signals: {error}")))?;
    let metrics = ExporterMetrics::new(Some(server.remover())).with_limit(args.max_machines);
    let mut exporter = Exporter {
        args,
        fleet,
        limit: setup
            .timeout()
            .min(args.interval.max(SHORTEST_REFRESH_LIMIT)),
        locations: ResolvedLocations::default(),
        seen: BTreeMap::new(),
        warned: BTreeSet::new(),
    };
    // A region that does not exist is an error of the command line, not of a later refresh.
    exporter.locations = tokio::select! {
        locations = exporter.resolve() => locations?,
        _ = signals.received() => return Ok(Exit::Complete),
    };
    exporter.check_locations().await?;
    console.notice(format_args!("metrics: {}", server.url()));
    let mut is_first = true;
    loop {
        let next = Instant::now() + args.interval;
        let status = ExporterStatus::new(SystemClock.now(), SystemClock.now() + args.interval);
        tokio::select! {
            () = exporter.refresh(status, &metrics, is_first) => {}
            _ = signals.received() => return Ok(Exit::Complete),
        }
        is_first = false;
        tokio::select! {
            () = sleep_until(next) => {}
            _ = signals.received() => return Ok(Exit::Complete),
        }
    }
}

/// The machines of the last refreshes.
struct Exporter<'a> {
    args: &'a ExporterArgs,
    fleet: Fleet,
    /// The time limit of a refresh.
    limit: Duration,
    /// The locations of the last refresh that could read the lists of regions.
    locations: ResolvedLocations,
    /// The machines of each location that could be read at least once.
    seen: BTreeMap<Location, Vec<MachineSample>>,
    /// The problems of the last refresh: each problem is a warning once.
    warned: BTreeSet<String>,
}

/// A location that could not be read.
struct Unread {
    message: String,
    /// The key may not read the location.
    is_forbidden: bool,
}

impl Exporter<'_> {
    /// Returns the locations now: a pattern such as `aliyun/*` can have new regions.
    async fn resolve(&self) -> Result<ResolvedLocations, CommandError> {
        let is_simulated = self.args.connection.sim;
        locations::of_list(&self.args.locations, &self.fleet, is_simulated, "exporter").await
    }

    /// Checks the regions before the first refresh.
    ///
    /// # Errors
    /// An invalid region, or a key that can use no region of the patterns.
    async fn check_locations(&self) -> Result<(), CommandError> {
        for resolved in &self.locations.locations {
            self.fleet.endpoint(&resolved.location).await?;
        }
        if self.locations.locations.is_empty() {
            let unavailable = self.locations.unavailable.iter();
            let reasons = unavailable.map(|it| format!("{}: {}", it.location, it.reason));
            let reasons: Vec<String> = reasons.take(3).collect();
            return Err(CommandError::nothing_done(format!(
                "{NO_REGION} ({})",
                reasons.join("; ")
            )));
        }
        Ok(())
    }

    /// Reads all locations, and shows the machines. The machines of a location that cannot be read are unseen.
    async fn refresh(
        &mut self,
        mut status: ExporterStatus,
        metrics: &ExporterMetrics,
        is_first: bool,
    ) {
        let deadline = Instant::now() + self.limit;
        let mut warnings = BTreeSet::new();
        if !is_first {
            // A list of regions that hangs leaves half of the time to the regions that are known.
            match timeout(self.limit / 2, self.resolve()).await {
                Ok(Ok(locations)) => self.locations = locations,
                Ok(Err(error)) => {
                    warnings.insert(error.message);
                    status.problems += 1;
                }
                Err(_) => {
                    warnings.insert("the regions were not read in time".to_owned());
                    status.problems += 1;
                }
            }
        }
        let locations = &self.locations;
        let reads = locations.locations.iter().map(|resolved| async {
            let machines = self.machines(&resolved.location, deadline).await;
            (resolved.location.clone(), resolved.is_named, machines)
        });
        let mut results = join_all(reads).await;
        for unavailable in &locations.unavailable {
            let unread = Unread {
                message: unavailable.reason.clone(),
                is_forbidden: true,
            };
            results.push((unavailable.location.clone(), false, Err(unread)));
        }
        let mut before = std::mem::take(&mut self.seen);
        for (location, is_named, machines) in results {
            let name = location.to_string();
            let seen = before.remove(&location);
            let result = match machines {
                Ok(machines) => {
                    self.seen.insert(location, machines);
                    LocationResult::Read
                }
                // A location that could be read before is not left out without an alert.
                Err(unread) if unread.is_forbidden && !is_named && seen.is_none() => {
                    warnings.insert(format!("{name} is left out: {}", unread.message));
                    LocationResult::Unavailable
                }
                Err(unread) => {
                    warnings.insert(format!("{name}: {}", unread.message));
                    if let Some(mut machines) = seen {
                        let unseen = |machine: &mut MachineSample| machine.state = UNSEEN;
                        machines.iter_mut().for_each(unseen);
                        self.seen.insert(location, machines);
                    }
                    status.problems += 1;
                    LocationResult::Failed
                }
            };
            status.locations.insert(name, result);
        }
        let mut results = status.locations.values();
        if results.all(|result| *result == LocationResult::Unavailable) {
            warnings.insert(NO_REGION.to_owned());
            status.problems += 1;
        }
        status.at = SystemClock.now();
        metrics.observe(&status, self.seen.values().flatten().cloned());
        for warning in warnings.difference(&self.warned) {
            eprint_warning(warning);
        }
        self.warned = warnings;
    }

    async fn machines(
        &self,
        location: &Location,
        deadline: Instant,
    ) -> Result<Vec<MachineSample>, Unread> {
        let mut exclude = Selector::new();
        exclude
            .exclude
            .extend_from_slice(self.args.filter.exclude());
        let list = self.fleet.list(location).details();
        let list = list.filter(self.args.filter.filter());
        let observations = match timeout_at(deadline, list.into_future()).await {
            Ok(Ok(observations)) => observations,
            Ok(Err(error)) => {
                return Err(Unread {
                    message: error.to_string(),
                    is_forbidden: error.kind() == FaultKind::Permission,
                });
            }
            Err(_) => {
                return Err(Unread {
                    message: format!("no complete list within {} s", self.limit.as_secs()),
                    is_forbidden: false,
                });
            }
        };
        let machines = observations.into_iter().filter_map(|observation| {
            let reference = InstanceReference::new(location.clone(), observation.instance.clone());
            let is_excluded = exclude.excludes(&reference, &observation);
            (!is_excluded).then(|| {
                MachineSample::new(reference.to_string(), observation.state.as_str())
                    .with_name(observation.name.unwrap_or_default())
            })
        });
        Ok(machines.collect())
    }
}
