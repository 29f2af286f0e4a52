//! Seeded simulation of the controller: some days of a drawn fleet with crashes, full disks, set clocks, pauses,
//! other people, missing capacity, throttled clouds, protected machines, the circuit breaker and days without a
//! controller, and then one quiet day.
//!
//! The environment variable `LIFECYCLE_SEEDS` sets the number of seeds, and `LIFECYCLE_SEED_FROM` the first
//! one; `cargo xtask simulate --controller` sets both. A failure names its seed.

#![cfg(feature = "full")]

mod properties;
mod stage;
#[path = "../support/mod.rs"]
mod support;

use std::{
    num::NonZero,
    panic::catch_unwind,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use lifecycle_controller::Wanted;
use lifecycle_sim::{
    Cloud, FaultRule, FaultTiming, Impairment, InjectedFault, PowerOperation, Throttle,
};
use properties::{Checked, check_quiet, check_reached, check_report};
use stage::{Extras, Stage};
use support::crash_after;
use tokio::{
    runtime::{Builder, Runtime},
    time::{Instant, sleep, sleep_until},
};

/// The default number of seeds. `cargo xtask simulate --controller` runs more.
const SEEDS: u64 = 2_000;
/// The longest usual pause and the longest change of the clock are shorter than `catch_up`.
const LONGEST_PAUSE: u64 = 3 * 3_600;
const LONGEST_JUMP: i64 = 2 * 3_600;
/// A pause in which edges are missed, in seconds.
const LONG_PAUSE: std::ops::Range<u64> = 4 * 3_600..14 * 3_600;
/// A machine is left for one hour, and for two hours when the clock was set back.
const SETTLED: Duration = Duration::from_secs(130 * 60);

/// Draws the moment of the next event: often the moment of an edge or of a maintenance.
fn draw_moment(stage: &Stage, random: &mut fastrand::Rng) -> Instant {
    let now = stage.now();
    let group = &stage.groups[random.usize(..stage.groups.len())];
    let schedule = &group.schedule;
    let edge = match random.u8(..6) {
        0 | 1 => schedule.next_change(now).map(|change| change.at),
        2 | 3 => {
            let due = group.maintenance.iter();
            let due = due.filter_map(|entry| entry.next_due(now)).min();
            due.filter(|due| due.duration_since(now) < SignedDuration::from_hours(24))
        }
        _ => None,
    };
    let drawn = now + SignedDuration::from_mins(random.i64(1..600));
    stage.moment(edge.unwrap_or(drawn))
}

/// Runs the keeper of a process, until a moment or until the store fails.
async fn run_until(stage: &Stage, moment: Instant) {
    let keeper = stage.keeper();
    let ended = keeper
        .run(sleep_until(moment), |report| check_report(stage, report))
        .await;
    assert!(ended.is_ok() || stage.store.room.lock().unwrap().is_some());
}

/// Starts the keeper at each change, and drops its future at drawn awaits.
async fn crash(stage: &Stage, random: &mut fastrand::Rng) {
    for _ in 0..random.u8(1..5) {
        let _ = crash_after(random.u32(1..150), stage.keeper().pass()).await;
        if random.bool() {
            sleep(Duration::from_secs(random.u64(1..120))).await;
        }
    }
}

/// Fills the disk after a drawn number of writes; a new process finds room again.
async fn fill_disk(stage: &Stage, random: &mut fastrand::Rng) {
    *stage.store.room.lock().unwrap() = Some(random.u32(..12));
    let moment = Instant::now() + Duration::from_secs(random.u64(60..7_200));
    run_until(stage, moment).await;
    *stage.store.room.lock().unwrap() = None;
}

fn inject(stage: &Stage, random: &mut fastrand::Rng) {
    let timing = match random.bool() {
        true => FaultTiming::Before,
        false => FaultTiming::After,
    };
    let fault = match random.u8(..5) {
        0 => InjectedFault::Unreachable,
        1 => InjectedFault::Reset(timing),
        2 => InjectedFault::Silence(timing),
        3 => InjectedFault::Garbage,
        _ => InjectedFault::Throttled { hint: None },
    };
    let rule = FaultRule::new(fault).times(random.u64(1..6));
    stage.simulator.inject(match random.u8(..4) {
        0 => rule,
        _ => rule.on_actions(),
    });
}

/// Carries out one drawn event.
async fn disturb(stage: &mut Stage, checked: &mut Checked, random: &mut fastrand::Rng) {
    let (group, machine) = {
        let machines: Vec<_> = stage.machines().collect();
        let (group, machine) = machines[random.usize(..machines.len())];
        (group.name.clone(), machine.clone())
    };
    match random.u8(..14) {
        0..=3 => crash(stage, random).await,
        4 => fill_disk(stage, random).await,
        5 => {
            stage.set_clock(random.i64(-LONGEST_JUMP..=LONGEST_JUMP));
            checked.clock_was_set(stage);
        }
        6 => sleep(Duration::from_secs(random.u64(..LONGEST_PAUSE))).await,
        7 | 8 => {
            let operation = match random.bool() {
                true => PowerOperation::Start,
                false => PowerOperation::Stop,
            };
            stage
                .simulator
                .execute_externally(&machine, operation)
                .unwrap();
            stage.touched.insert(machine);
        }
        9 => {
            let impairment = Some(Impairment::NoStock).filter(|_| random.u8(..3) > 0);
            stage
                .simulator
                .set_impairment(&machine, impairment)
                .unwrap();
        }
        10 => {
            let cloud = Cloud::ALL[random.usize(..Cloud::ALL.len())];
            let throttle = Throttle::PerSecond {
                rate: 0.5,
                burst: 2,
            };
            let throttle = Some(throttle).filter(|_| random.bool());
            stage.simulator.throttle(cloud, throttle);
        }
        11 => {
            let target = if random.bool() { group } else { machine };
            let states = [Wanted::Running, Wanted::Stopped, Wanted::AsIs];
            let state = states[random.usize(..3)];
            let minutes = [random.i64(2..9), random.i64(9..700)][random.usize(..2)];
            stage.hold(&target, state, minutes).await;
        }
        _ => {
            inject(stage, random);
            // The next edge, or a drop of its pass, meets the fault.
            if random.bool() {
                run_until(stage, draw_moment(stage, random)).await;
                crash(stage, random).await;
            }
        }
    }
}

/// Leaves the machines alone for longer than `catch_up`: nobody makes good the edges that are missed.
async fn stay_away(stage: &mut Stage, random: &mut fastrand::Rng) {
    let began = stage.now();
    sleep(Duration::from_secs(random.u64(LONG_PAUSE))).await;
    let machines: Vec<_> = stage.machines_changed_since(began);
    stage.touched.extend(machines);
}

/// Ends all faults. The last fault can be that the clock is set right.
fn heal(stage: &mut Stage, checked: &mut Checked, random: &mut fastrand::Rng) {
    stage.raise_max_changes();
    stage.simulator.clear_faults();
    for (_, machine) in stage.machines() {
        stage.simulator.set_impairment(machine, None).unwrap();
    }
    for cloud in Cloud::ALL {
        stage.simulator.throttle(cloud, None);
    }
    if random.bool() {
        stage.set_clock(0);
        checked.clock_was_set(stage);
    }
}

async fn drawn_case(seed: u64, settled: Duration, extras: Extras) {
    let mut random = fastrand::Rng::with_seed(seed);
    // Drawn apart, so that a case without extras stays the same.
    let mut of_extras = fastrand::Rng::with_seed(!seed);
    let mut stage = Stage::draw(seed, &mut random, extras);
    let mut checked = Checked::default();
    let days = random.u64(2..=3);
    let last = stage.began + Duration::from_secs(days * 86_400 + random.u64(..43_200));
    loop {
        let moment = draw_moment(&stage, &mut random);
        if moment > last {
            break;
        }
        run_until(&stage, moment).await;
        checked.check(&stage);
        disturb(&mut stage, &mut checked, &mut random).await;
        if extras.long_pauses && of_extras.u8(..8) == 0 {
            stay_away(&mut stage, &mut of_extras).await;
        }
        checked.check(&stage);
    }
    heal(&mut stage, &mut checked, &mut random);
    run_until(&stage, Instant::now() + settled).await;
    checked.check(&stage);
    check_reached(&stage, Timestamp::MIN, false);

    // Holds of the last day end in the quiet day, and are edges as the changes of a schedule are.
    let (quiet, elapsed) = (stage.now(), stage.began.elapsed());
    let end = Instant::now() + Duration::from_secs(25 * 3_600);
    let keeper = stage.keeper();
    let ended = keeper.run(sleep_until(end), |report| {
        assert!(report.problems.is_empty(), "{:?}", report.problems);
        check_reached(&stage, quiet, true);
    });
    ended.await.unwrap();
    checked.check(&stage);
    check_reached(&stage, quiet, true);
    check_quiet(&stage, quiet, elapsed);
}

fn variable(name: &str, default: u64) -> u64 {
    let value = std::env::var(name).ok();
    value.map_or(default, |value| value.parse().unwrap())
}

#[test]
fn drawn_days_keep_the_promises_of_the_controller() {
    let from = variable("LIFECYCLE_SEED_FROM", 0);
    let end = from + variable("LIFECYCLE_SEEDS", SEEDS);
    let next = AtomicU64::new(from);
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    let extras = Extras::draw(seed);
                    let case = || paused_runtime().block_on(drawn_case(seed, SETTLED, extras));
                    assert!(
                        catch_unwind(case).is_ok(),
                        "seed {seed} failed; LIFECYCLE_SEED_FROM={seed} LIFECYCLE_SEEDS=1 repeats the case"
                    );
                }
            });
        }
    });
}

fn paused_runtime() -> Runtime {
    let mut builder = Builder::new_current_thread();
    builder.enable_time().start_paused(true).build().unwrap()
}

/// The occurrence was recorded before the request, and a process that died between the two lost the reboots.
#[tokio::test(start_paused = true)]
async fn pass_of_a_maintenance_dropped_at_any_await_loses_no_machine() {
    for polls in 1.. {
        let stage = Stage::with_maintenance(7);
        stage.keeper().pass().await.unwrap();
        sleep(Duration::from_secs(3_660)).await;
        let ended = crash_after(polls, stage.keeper().pass()).await.is_some();
        for _ in 0..3 {
            sleep(Duration::from_secs(300)).await;
            stage.keeper().pass().await.unwrap();
        }
        let operations = stage.simulator.ledger().power_operations();
        let mut rebooted = 0;
        for (_, machine) in stage.machines() {
            let reboots = operations.iter();
            let reboots = reboots.filter(|record| record.instance == *machine).count();
            let intents = stage.store.intents.lock().unwrap();
            let mut sent = intents.iter().flat_map(|(_, intent, _)| &intent.instances);
            // A call that was recorded and perhaps not sent is never sent again.
            let is_intended = sent.any(|sent| sent.instance == *machine);
            assert!(
                reboots <= 1 && is_intended,
                "{machine}: {reboots} reboots, dropped after {polls} polls"
            );
            rebooted += reboots;
        }
        if ended {
            assert_eq!(rebooted, 4);
            assert!(polls > 20, "the test drops nothing: {polls}");
            return;
        }
    }
}

/// A failed start carried a time of a clock that was set back, and its retry waited for that time.
#[tokio::test(start_paused = true)]
async fn retry_is_due_soon_after_the_clock_is_set_back() {
    // The retry waited for 112 minutes.
    drawn_case(160, Duration::from_secs(100 * 60), Extras::default()).await;
}
