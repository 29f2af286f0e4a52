//! Three controllers with one database under random faults: `kill -9`, a freeze longer than the lease, the death of
//! the postmaster, and connections that are cut on the way to the database or to the clouds.
//!
//! `LIFECYCLE_CHAOS_SECONDS` sets the time of the faults (60), and `LIFECYCLE_SEED` the seed. `cargo xtask chaos` runs
//! the test for longer.

mod judge;
pub(crate) mod proxy;
mod stage;

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use stage::Stage;

#[test]
fn three_controllers_under_faults_reboot_nothing_twice_and_reach_every_edge() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse().unwrap());
    let seconds: u64 = number("LIFECYCLE_CHAOS_SECONDS").unwrap_or(60);
    let seed = number("LIFECYCLE_SEED").unwrap_or_else(|| fastrand::u64(..1_000_000));
    println!("LIFECYCLE_SEED={seed}");
    let Some(mut stage) = Stage::new(seed) else {
        return;
    };
    let end = now() + Duration::from_secs(seconds);
    while now() < end {
        stage.request_reboots();
        stage.change_a_hold();
        stage.fault();
        let pause = stage.random.u64(100..700);
        sleep(Duration::from_millis(pause));
    }
    stage.heal();
    stage.wait_for_edges();
    stage.wait_for_operations();
    stage.judge();
}

#[expect(
    clippy::disallowed_methods,
    reason = "the faults of real processes take real time"
)]
fn now() -> Instant {
    Instant::now()
}
