//! Running a scenario with the real client against the simulated cloud.

use std::{
    collections::HashSet,
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, SystemTime},
};

use fastrand::Rng;
use lifecycle_facade::{Fleet, FleetError, FleetReport, Reference, Verb};
use lifecycle_sim::{Ledger, Simulator, State, Tempo};
use tokio::time::{Instant, timeout};

use crate::{Scenario, Violation, check::check};

/// What became of a seed.
#[derive(Debug)]
pub struct Verdict {
    /// What was drawn.
    pub scenario: Scenario,
    /// Every promise that was broken; none is what should be.
    pub violations: Vec<Violation>,
    /// How many instances were asked for.
    pub instances: usize,
    /// How many calls the cloud received.
    pub calls: u64,
}

/// Runs one scenario under paused time.
///
/// # Errors
/// A text when the run could not be set up or panicked.
pub fn simulate(scenario: Scenario) -> Result<Verdict, String> {
    let run = AssertUnwindSafe(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .map_err(|error| error.to_string())?;
        runtime.block_on(run(scenario))
    });
    catch_unwind(run).unwrap_or_else(|_| Err("it panicked".to_owned()))
}

async fn run(scenario: Scenario) -> Result<Verdict, String> {
    let world = World::new(&scenario)?;
    let fleet = world.fleet(&scenario).map_err(|error| error.to_string())?;
    let start = Instant::now();
    let report = timeout(FOR_EVER, ask(&fleet, &scenario, world.asked.clone()))
        .await
        .map_err(|_| "it hangs".to_owned())?
        .map_err(|error| error.to_string())?;
    let run = Run {
        took: start.elapsed(),
        ledger: world.simulator.ledger(),
        report,
        world,
    };
    Ok(Verdict {
        violations: check(&scenario, &run),
        instances: run.world.asked.len(),
        calls: run.ledger.total(),
        scenario,
    })
}

/// Far beyond every deadline of a scenario.
const FOR_EVER: Duration = Duration::from_secs(24 * 3600);

/// A finished run, and what is needed to judge it.
pub(crate) struct Run {
    pub(crate) world: World,
    pub(crate) report: FleetReport,
    pub(crate) ledger: Ledger,
    pub(crate) took: Duration,
}

/// The simulated cloud before anything is asked of it.
pub(crate) struct World {
    pub(crate) simulator: Simulator,
    /// What is asked for, with unknown ids and duplicates, in a drawn order.
    pub(crate) asked: Vec<Reference>,
    pub(crate) unknown: HashSet<Reference>,
    /// The state of each asked instance at the beginning.
    pub(crate) before: Vec<Option<State>>,
}

impl World {
    fn new(scenario: &Scenario) -> Result<Self, String> {
        let simulator = Simulator::builder()
            .seed(scenario.seed)
            .epoch(SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600))
            .tempo(tempo(scenario))
            .latency(scenario.faults.latency)
            .switches(scenario.switches.clone())
            .fleet(&scenario.fleet)
            .map_err(|error| error.to_string())?
            .build();
        for injection in &scenario.faults.injections {
            simulator.inject(injection.clone());
        }
        simulator.throttle(scenario.cloud, scenario.faults.throttle);
        simulator.skew(scenario.cloud, scenario.faults.skew);
        if let Some(calls) = scenario.faults.revoked_after {
            simulator.revoke_after(scenario.cloud, calls);
        }
        let mut rng = Rng::with_seed(scenario.seed ^ 0x5eed);
        let read = |text: String| text.parse::<Reference>().map_err(|error| error.to_string());
        let known: Vec<Reference> = simulator
            .instances()
            .into_iter()
            .map(read)
            .collect::<Result<_, _>>()?;
        let Some(model) = known.first() else {
            return Err("an empty fleet".to_owned());
        };
        let unknown: Vec<Reference> = (0..scenario.unknown)
            .map(|n| read(format!("{}/i-missing-{n}", model.place)))
            .collect::<Result<_, _>>()?;
        let mut asked = known.clone();
        asked.extend(unknown.iter().cloned());
        for _ in 0..scenario.doubled {
            asked.push(known[rng.usize(..known.len())].clone());
        }
        rng.shuffle(&mut asked);
        let before = asked
            .iter()
            .map(|reference| simulator.state_of(&reference.to_string()))
            .collect();
        Ok(Self {
            simulator,
            asked,
            unknown: unknown.into_iter().collect(),
            before,
        })
    }

    fn fleet(&self, scenario: &Scenario) -> Result<Fleet, FleetError> {
        let seed = scenario.seed;
        Fleet::builder()
            .transport(self.simulator.transport())
            .clock(self.simulator.clock())
            .credential(self.simulator.credential(scenario.cloud))
            .project(self.simulator.project_id())
            .tune(move |client| client.seed(seed))
            .build()
    }
}

fn tempo(scenario: &Scenario) -> Tempo {
    let mut tempo = Tempo::default();
    tempo.lag = scenario.faults.lag;
    tempo
}

async fn ask(
    fleet: &Fleet,
    scenario: &Scenario,
    asked: Vec<Reference>,
) -> Result<FleetReport, FleetError> {
    match (scenario.verb, scenario.patience) {
        (Verb::Start, None) => fleet.start(asked).await,
        (Verb::Start, Some(patience)) => fleet.start(asked).wait(patience).await,
        (Verb::Stop, None) => fleet.stop(asked).mode(scenario.mode).await,
        (Verb::Stop, Some(patience)) => fleet.stop(asked).mode(scenario.mode).wait(patience).await,
        (_, None) => fleet.reboot(asked).mode(scenario.mode).await,
        (_, Some(patience)) => fleet.reboot(asked).mode(scenario.mode).wait(patience).await,
    }
}
