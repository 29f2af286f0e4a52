//! `lifecycle exporter`: metrics about the machines of regions, without a controller.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures_util::future::join_all;
use lifecycle_facade::{Clock, Fleet, InstanceReference, Location, Selector, SystemClock};
use lifecycle_metrics::{ExporterMetrics, MachineSample, UNSEEN};
use tokio::time::{Instant, sleep_until, timeout};

use crate::{
    args::ExporterArgs,
    console::{Console, eprint_warning},
    exit::{CommandError, Exit},
    interrupt::SignalListener,
    locations,
    metrics_server::MetricsServer,
    setup::Setup,
};

/// A look has at least this time, even with a short interval.
const SHORTEST_LOOK_LIMIT: Duration = Duration::from_secs(60);

/// Serves metrics until a signal.
pub(crate) async fn run(args: &ExporterArgs, console: Console) -> Result<Exit, CommandError> {
    let server = MetricsServer::start(args.listen, "--listen")?;
    let setup = Setup::read(&args.connection).await?;
    let setup = setup.with_stats_observer(server.stats_observer());
    let fleet = setup.fleet().await?;
    let mut signals = SignalListener::listen()
        .map_err(|error| CommandError::nothing_done(format!("cannot handle signals: {error}")))?;
    let metrics = ExporterMetrics::new(Some(server.remover())).with_limit(args.max_machines);
    let mut exporter = Exporter {
        args,
        fleet,
        limit: setup.timeout().min(args.interval.max(SHORTEST_LOOK_LIMIT)),
        seen: BTreeMap::new(),
        warned: BTreeSet::new(),
    };
    // A region that does not exist is an error of the command line, not of a later look.
    let first = tokio::select! {
        locations = exporter.locations() => locations?,
        _ = signals.received() => return Ok(Exit::Complete),
    };
    for location in &first {
        exporter.fleet.endpoint(location).await?;
    }
    console.notice(format_args!("metrics: {}", server.url()));
    loop {
        let next = Instant::now() + args.interval;
        tokio::select! {
            () = exporter.look(&metrics) => {}
            _ = signals.received() => return Ok(Exit::Complete),
        }
        tokio::select! {
            () = sleep_until(next) => {}
            _ = signals.received() => return Ok(Exit::Complete),
        }
    }
}

/// The machines of the last looks.
struct Exporter<'a> {
    args: &'a ExporterArgs,
    fleet: Fleet,
    /// The time limit of a look at one location.
    limit: Duration,
    seen: BTreeMap<Location, Vec<MachineSample>>,
    /// The problems of the last look: each problem is a warning once.
    warned: BTreeSet<String>,
}

impl Exporter<'_> {
    /// Returns the locations now: a pattern such as `aliyun/*` can have new regions.
    async fn locations(&self) -> Result<Vec<Location>, CommandError> {
        let is_simulated = self.args.connection.sim;
        let resolved = locations::of_list(&self.args.locations, &self.fleet, is_simulated).await?;
        let locations = resolved.locations.into_iter();
        Ok(locations.map(|resolved| resolved.location).collect())
    }

    /// Looks at all locations, and shows the machines. The machines of a location that cannot be read are
    /// unseen.
    async fn look(&mut self, metrics: &ExporterMetrics) {
        let mut problems = BTreeSet::new();
        let locations = match timeout(self.limit, self.locations()).await {
            Ok(Ok(locations)) => locations,
            Ok(Err(error)) => {
                problems.insert(error.message);
                self.seen.keys().cloned().collect()
            }
            Err(_) => {
                problems.insert("the regions were not read in time".to_owned());
                self.seen.keys().cloned().collect()
            }
        };
        let looks = locations.into_iter().map(|location| async {
            let machines = self.machines(&location).await;
            (location, machines)
        });
        let looks = join_all(looks).await;
        let mut before = std::mem::take(&mut self.seen);
        let mut is_up = Vec::new();
        for (location, machines) in looks {
            is_up.push((location.to_string(), machines.is_ok()));
            let machines = machines.unwrap_or_else(|problem| {
                problems.insert(problem);
                let mut machines = before.remove(&location).unwrap_or_default();
                machines
                    .iter_mut()
                    .for_each(|machine| machine.state = UNSEEN);
                machines
            });
            self.seen.insert(location, machines);
        }
        let machines = self.seen.values().flatten().cloned();
        metrics.observe(SystemClock.now(), is_up, machines);
        for problem in problems.difference(&self.warned) {
            eprint_warning(problem);
        }
        self.warned = problems;
    }

    async fn machines(&self, location: &Location) -> Result<Vec<MachineSample>, String> {
        let mut exclude = Selector::new();
        exclude
            .exclude
            .extend_from_slice(self.args.filter.exclude());
        let list = self.fleet.list(location).details();
        let list = list.filter(self.args.filter.filter());
        let observations = match timeout(self.limit, list.into_future()).await {
            Ok(Ok(observations)) => observations,
            Ok(Err(error)) => return Err(format!("{location}: {error}")),
            Err(_) => {
                let limit = self.limit.as_secs();
                return Err(format!("{location}: no complete list within {limit} s"));
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
