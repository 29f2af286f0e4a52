//! 1,000 requests are dropped at random points, and leave no task and no call behind.
//!
//! The seed is printed. `LIFECYCLE_SEED` selects another seed.
#![cfg(feature = "full")]

use std::{env, pin::pin, time::Duration};

use fastrand::Rng;
use lifecycle_facade::{ActionKind, Fleet, PowerState, WaitTimeout, Waves};
use lifecycle_sim::{FaultRule, FaultTiming, InjectedFault, Simulator};
use tokio::{
    runtime::Handle,
    time::{sleep, timeout},
};

const ROUNDS: usize = 100;
const REQUESTS_PER_ROUND: usize = 10;

/// Runs one drawn request for a drawn time, and drops the request.
async fn run_and_drop(fleet: Fleet, instances: Vec<String>, seed: u64) {
    let mut rng = Rng::with_seed(seed);
    let limit = Duration::from_millis(rng.u64(0..60_000));
    let count = rng.usize(1..=instances.len());
    let mut chosen = instances;
    rng.shuffle(&mut chosen);
    chosen.truncate(count);
    let wait = WaitTimeout::minutes(rng.u64(1..10));
    // The result is of no interest: a request that ends in time is one of the drawn points.
    match rng.u8(0..10) {
        0 => drop(timeout(limit, fleet.observe(&chosen).into_future()).await),
        1 => drop(timeout(limit, fleet.list("aliyun/cn-hangzhou").into_future()).await),
        2 => {
            let wait = fleet.wait(&chosen, PowerState::Running).timeout(wait);
            drop(timeout(limit, wait.into_future()).await);
        }
        3 => {
            let stop = fleet.stop(&chosen).force_after(Duration::from_secs(5));
            drop(timeout(limit, stop.into_future()).await);
        }
        kind => {
            let kinds = ActionKind::ALL;
            let mut request = fleet
                .act(kinds[rng.usize(0..kinds.len())], &chosen)
                .wait(wait);
            if rng.bool() {
                request = request.when_idle();
            }
            if rng.bool() {
                let end = sleep(Duration::from_secs(rng.u64(0..60)));
                let waves =
                    Waves::of(rng.usize(1..4)).with_pause(Duration::from_secs(rng.u64(0..10)));
                request = request.waves(waves.until(end));
            }
            if kind < 7 {
                drop(timeout(limit, request.into_future()).await);
                return;
            }
            let mut events = match rng.bool() {
                true => request.events().spawn(),
                false => request.events(),
            };
            let mut left = rng.usize(0..40);
            let mut reading = pin!(async {
                while left > 0 && events.next().await.is_some() {
                    left -= 1;
                }
            });
            let _ = timeout(limit, reading.as_mut()).await;
        }
    }
}

/// Draws a fault of every second call with an action.
fn fault(rng: &mut Rng) -> FaultRule {
    let fault = match rng.u8(0..4) {
        0 => InjectedFault::Unreachable,
        1 => InjectedFault::Reset(FaultTiming::After),
        2 => InjectedFault::Silence(FaultTiming::After),
        _ => InjectedFault::Reset(FaultTiming::Before),
    };
    FaultRule::new(fault).on_actions().always().chance(0.5)
}

#[tokio::test(start_paused = true)]
async fn thousand_dropped_requests_leave_no_task_and_no_call_behind() {
    let seed = env::var("LIFECYCLE_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or(1);
    println!("LIFECYCLE_SEED={seed}");
    let mut rng = Rng::with_seed(seed);
    let spec =
        "aliyun/cn-hangzhou=5,baidu/bj=5:running,huawei/cn-north-4=5,zenlayer/global=5:running";
    let simulator = Simulator::builder()
        .seed(seed)
        .fleet(spec)
        .unwrap()
        .latency(Duration::from_millis(300))
        .build();
    let fleet = Fleet::simulated(&simulator);
    let instances = simulator.instances();
    fleet.observe(&instances).await.unwrap();
    sleep(Duration::from_secs(600)).await;
    let tasks = Handle::current().metrics();
    let alive_before = tasks.num_alive_tasks();
    for round in 0..ROUNDS {
        simulator.clear_faults();
        if rng.u8(0..4) == 0 {
            simulator.inject(fault(&mut rng));
        }
        let drawn = (0..REQUESTS_PER_ROUND).map(|_| rng.u64(..));
        let runs = drawn.map(|seed| run_and_drop(fleet.clone(), instances.clone(), seed));
        futures_util::future::join_all(runs.collect::<Vec<_>>()).await;
        // No action leaves after the drop; a look of the poller can be under way.
        let actions = simulator.ledger().power_operations().len();
        sleep(Duration::from_secs(2)).await;
        let calls = simulator.ledger().total();
        sleep(Duration::from_secs(1_200)).await;
        assert_eq!(
            simulator.ledger().power_operations().len(),
            actions,
            "round {round}, seed {seed}"
        );
        assert_eq!(
            simulator.ledger().total(),
            calls,
            "round {round}, seed {seed}"
        );
        assert_eq!(
            tasks.num_alive_tasks(),
            alive_before,
            "round {round}, seed {seed}"
        );
    }
    // The requests did something before the drops.
    assert!(simulator.ledger().power_operations().len() > ROUNDS);
}
