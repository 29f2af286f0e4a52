//! Keeps a number of instances of a pool running.
//!
//! Each call of `scale` reads the states of the whole pool, and starts the missing or stops the surplus
//! instances. `scale` owns all data, so a call can run in a spawned task.

mod support;

use std::error::Error;

use lifecycle_facade::{Fleet, FleetError, InstanceReference, PowerState, WaitTimeout};

/// A pool of instances that are equal to each other.
#[derive(Clone)]
struct Pool {
    fleet: Fleet,
    instances: Vec<InstanceReference>,
}

impl Pool {
    /// Starts or stops instances until `wanted` instances run, and returns the number of changes.
    async fn scale(self, wanted: usize) -> Result<usize, FleetError> {
        let mut running = Vec::new();
        let mut stopped = Vec::new();
        for status in self.fleet.observe(&self.instances).await? {
            match status.result.map(|observation| observation.state) {
                Ok(PowerState::Running | PowerState::Starting) => running.push(status.instance),
                Ok(PowerState::Stopped) => stopped.push(status.instance),
                // Transitional states, and states and failed observations that need an operator.
                _ => {}
            }
        }
        let timeout = WaitTimeout::minutes(5);
        let missing = wanted.saturating_sub(running.len());
        let surplus = running.len().saturating_sub(wanted);
        let start = self.fleet.start(stopped.iter().take(missing)).wait(timeout);
        let stop = self.fleet.stop(running.iter().take(surplus)).wait(timeout);
        let (started, stopped) = tokio::try_join!(start.into_future(), stop.into_future())?;
        for result in started.failures().chain(stopped.failures()) {
            eprintln!("{result}");
        }
        let changed = started.into_iter().chain(stopped);
        Ok(changed.filter(|result| result.outcome.is_success()).count())
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), Box<dyn Error>> {
    let spec = "aliyun/cn-hangzhou=10,zenlayer/global=10";
    let (simulator, fleet) = support::simulated_fleet(spec)?;
    let instances = simulator.instances();
    let instances: Result<_, _> = instances.iter().map(|name| name.parse()).collect();
    let pool = Pool {
        fleet,
        instances: instances?,
    };
    // All instances are stopped at first.
    for (wanted, expected) in [(12, 12), (5, 7), (20, 15)] {
        let changed = tokio::spawn(pool.clone().scale(wanted)).await??;
        println!("{wanted} instances wanted: {changed} changes");
        assert_eq!(changed, expected);
    }
    Ok(())
}

#[test]
fn example_runs() {
    main().unwrap();
}
