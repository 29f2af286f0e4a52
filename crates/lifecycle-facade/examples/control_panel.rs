//! Many users wait for instances, and one poller observes the instances for all users.
//!
//! All clones of a fleet share one client per region, and all waits of a client share one poller: the
//! number of calls depends on the number of instances, not on the number of users.

mod support;

use std::error::Error;

use lifecycle_facade::{Event, Fleet, PowerState, WaitTimeout};

const USERS: usize = 200;

/// Shows one user the states of an instance until the instance runs.
async fn show(fleet: Fleet, instance: String) -> Vec<PowerState> {
    let wait = fleet.wait([instance], PowerState::Running);
    let mut events = wait.timeout(WaitTimeout::minutes(5)).events();
    let mut shown = Vec::new();
    while let Some(event) = events.next().await {
        if let Event::State { observation, .. } = event {
            shown.push(observation.state);
        }
    }
    shown
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), Box<dyn Error>> {
    let (simulator, fleet) = support::simulated_fleet("huawei/cn-north-4=50")?;
    let instances = simulator.instances();
    let users = (0..USERS).zip(instances.iter().cycle());
    let tasks: Vec<_> = users
        .map(|(_, instance)| tokio::spawn(show(fleet.clone(), instance.clone())))
        .collect();
    fleet.start(&instances).await?;
    for task in tasks {
        assert_eq!(task.await?.last(), Some(&PowerState::Running));
    }
    // A poll is a call that observes instances.
    let polls: u64 = fleet.calls().values().map(|calls| calls.observations).sum();
    println!(
        "{USERS} users, {} instances, {polls} polls",
        instances.len()
    );
    // Far fewer than the users.
    assert!(polls < 30, "{polls} polls");
    Ok(())
}

#[test]
fn example_runs() {
    main().unwrap();
}
