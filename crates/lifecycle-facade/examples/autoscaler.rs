//! A CI autoscaler on Huawei Cloud: starts runners for a queue, and turns round when the queue is empty.
//!
//! Three seconds after a start the machines still boot, and the cloud refuses a stop. `when_idle` waits for
//! the end of the boot, and sends the stop then.

mod support;

use std::{error::Error, time::Duration};

use lifecycle_facade::{
    ActionKind, Fleet, FleetError, FleetReport, InstanceReference, Outcome, WaitTimeout,
};
use lifecycle_sim::SimulatedState;

/// The runners of a CI system, which are equal to each other.
#[derive(Clone)]
struct Runners {
    fleet: Fleet,
    machines: Vec<InstanceReference>,
}

impl Runners {
    /// Returns the action for a queue of jobs. The action is data: the same code carries out both.
    fn decide(queue: usize) -> ActionKind {
        match queue {
            0 => ActionKind::Stop,
            _ => ActionKind::Start,
        }
    }

    /// Brings the runners into the state for the queue. Owns all data, so a call can run in a task.
    async fn scale(self, queue: usize) -> Result<FleetReport, FleetError> {
        let request = self.fleet.act(Self::decide(queue), &self.machines);
        request.when_idle().wait(WaitTimeout::minutes(10)).await
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), Box<dyn Error>> {
    let (simulator, fleet) = support::simulated_fleet("huawei/cn-north-4=6")?;
    let names = simulator.instances();
    let machines: Result<_, _> = names.iter().map(|name| name.parse()).collect();
    let runners = Runners {
        fleet,
        machines: machines?,
    };

    // Jobs arrive, and three seconds later another pool has taken them all.
    let start = tokio::spawn(runners.clone().scale(6));
    tokio::time::sleep(Duration::from_secs(3)).await;
    start.abort();
    let report = runners.clone().scale(0).await?;

    for machine in &runners.machines {
        let outcome = report.outcome(machine).map(Outcome::as_str);
        println!("{machine}: {}", outcome.unwrap_or_default());
        assert_eq!(outcome, Some("reached"));
    }
    for name in &names {
        assert_eq!(simulator.state_of(name), Some(SimulatedState::Stopped));
        let executed = simulator.ledger().executed(name).unwrap_or_default();
        assert_eq!((executed.starts, executed.stops), (1, 1));
    }
    Ok(())
}

#[test]
fn example_runs() {
    main().unwrap();
}
