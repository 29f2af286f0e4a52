//! Tests a program against a simulated cloud that reboots an instance and loses the answer.
//!
//! The simulator is deterministic, and the test runs under paused time: minutes take no time.

mod support;

use std::error::Error;

use lifecycle_facade::{Fleet, FleetError, WaitTimeout};
use lifecycle_sim::{Cloud, FaultRule, FaultTiming, InjectedFault, Operation, SimulatedState};

/// The program under test: reboots instances, and returns the instances that need a person.
async fn patch_night(fleet: &Fleet, instances: &[String]) -> Result<Vec<String>, FleetError> {
    let report = fleet
        .reboot(instances)
        .wait(WaitTimeout::minutes(10))
        .await?;
    Ok(report.failures().map(ToString::to_string).collect())
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), Box<dyn Error>> {
    let spec = "baidu/bj=3:running,huawei/cn-north-4=1:expired";
    let (simulator, fleet) = support::simulated_fleet(spec)?;
    let lost = FaultRule::new(InjectedFault::Reset(FaultTiming::After));
    simulator.inject(lost.at(Cloud::Baidu).on(Operation::Reboot));

    let instances = simulator.instances();
    let failures = patch_night(&fleet, &instances).await?;
    for failure in &failures {
        println!("{failure}");
    }

    // The lost answer was settled by observations, and no instance was rebooted twice.
    assert_eq!(failures.len(), 1);
    assert_eq!(simulator.ledger().most_reboots(), 1);
    let expired = instances.iter().find(|name| name.starts_with("huawei"));
    let state = expired.and_then(|name| simulator.state_of(name));
    assert_eq!(state, Some(SimulatedState::Expired));
    Ok(())
}

#[test]
fn example_runs() {
    main().unwrap();
}
