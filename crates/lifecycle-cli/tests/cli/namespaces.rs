//! Controllers in network namespaces of their own, behind a router that drops packets: a controller that is cut off
//! from the database but not from the clouds, and the reverse.
//!
//! A dropped packet has no answer and no end of a connection, unlike the cuts of the proxy in `chaos`. The tests need
//! root and the program `ip`, and change network settings, so only `cargo xtask chaos --namespaces` runs them. In other
//! runs, each prints one line that it was skipped.

mod network;
mod stage;

use std::time::Duration;

use lifecycle_controller::Wanted;
use lifecycle_sim::{PowerOperation, SimulatedState};

use network::Cut;
use stage::{CLOUDS, DATABASE, Stage};

/// A controller says that the database does not answer: the limit of a query, that of a new connection, and a pass.
const NOTICED: Duration = Duration::from_secs(25);
/// A controller goes on after the end of a cut: the longest pause between two tries, and the repetition of TCP.
const BACK: Duration = Duration::from_secs(45);

#[test]
fn controller_cut_off_from_the_database_sends_nothing_new_and_ends_what_is_in_flight() {
    cut_off_from_the_database("packets-to-the-database", Cut::BothWays);
}

#[test]
fn controller_whose_answers_of_the_database_are_lost_sends_nothing_new() {
    // The database records what the controller asks for, and the controller never sees it.
    cut_off_from_the_database("answers-of-the-database", Cut::Answers);
}

fn cut_off_from_the_database(name: &str, cut: Cut) {
    let Some(mut stage) = Stage::new(name, 4) else {
        return;
    };
    let controller = stage.start();
    stage.wait_for_shares(&[4]);
    let (rebooted, stopped) = (stage.machine(0), stage.machine(1));
    let operation = stage.request_reboot(&rebooted);
    stage.wait("the reboot is executed", Duration::from_secs(20), |stage| {
        stage.executed(&rebooted).reboots == 1
    });
    stage.cut(controller, DATABASE, cut);
    let external = stage
        .simulator
        .execute_externally(&stopped, PowerOperation::Stop);
    external.unwrap();
    let noticed = stage.wait("the controller says so", NOTICED, |stage| {
        stage
            .log(controller)
            .contains("nothing new is sent until the store answers")
    });
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(
        stage.executed(&stopped).starts,
        0,
        "{}",
        stage.log(controller)
    );
    stage.restore(controller, DATABASE, cut);
    let answered = stage.wait("the controller sees the database again", BACK, |stage| {
        stage
            .log(controller)
            .contains("the store answers again after")
    });
    // Somebody stopped the machine during the cut, and the schedule wants it to run.
    stage.wait("the machine runs again", BACK, |stage| {
        stage.simulator.state_of(&stopped) == Some(SimulatedState::Running)
    });
    let outcome = stage.wait_for_outcome(&operation, &rebooted, BACK);
    println!("{name}: noticed after {noticed:?}, back after {answered:?}, reboot {outcome}");
    assert_eq!(stage.executed(&rebooted).reboots, 1);
    assert_eq!(stage.executed(&stopped).starts, 1);
    assert!(
        ["reached", "pending", "uncertain"].contains(&outcome.as_str()),
        "{outcome}"
    );
    stage.end(controller);
}

#[test]
fn controller_cut_off_from_the_clouds_keeps_its_groups_and_acts_afterwards() {
    let Some(mut stage) = Stage::new("packets-to-the-clouds", 4) else {
        return;
    };
    let controller = stage.start();
    stage.wait_for_shares(&[4]);
    let (rebooted, held) = (stage.machine(0), stage.machine(1));
    let operation = stage.request_reboot(&rebooted);
    stage.wait("the reboot is executed", Duration::from_secs(20), |stage| {
        stage.executed(&rebooted).reboots == 1
    });
    stage.cut(controller, CLOUDS, Cut::BothWays);
    stage.hold(1, Wanted::Stopped);
    std::thread::sleep(Duration::from_secs(10));
    stage.wait_for_shares(&[4]);
    assert_eq!(stage.executed(&held).stops, 0);
    stage.restore(controller, CLOUDS, Cut::BothWays);
    let back = stage.wait("the held machine is stopped", 2 * BACK, |stage| {
        stage.simulator.state_of(&held) == Some(SimulatedState::Stopped)
    });
    let outcome = stage.wait_for_outcome(&operation, &rebooted, BACK);
    println!("packets-to-the-clouds: stopped {back:?} after the cut, reboot {outcome}");
    assert_eq!(stage.executed(&rebooted).reboots, 1);
    assert_eq!(stage.executed(&held).stops, 1);
    let log = stage.log(controller);
    assert!(!log.contains("nothing new is sent"), "{log}");
    stage.end(controller);
}

#[test]
fn groups_move_from_a_controller_whose_packets_are_dropped_and_return() {
    let Some(mut stage) = Stage::new("packets-and-groups", 4) else {
        return;
    };
    let (cut, other) = (stage.start(), stage.start());
    stage.wait_for_shares(&[2, 2]);
    stage.cut(cut, DATABASE, Cut::BothWays);
    stage.wait_for_shares(&[4]);
    stage.restore(cut, DATABASE, Cut::BothWays);
    stage.wait_for_shares(&[2, 2]);
    // The server keeps no session of a controller that is gone for good.
    stage.cut(cut, DATABASE, Cut::BothWays);
    stage.kill(cut);
    stage.wait(
        "the sessions of the dead end",
        Duration::from_secs(60),
        |stage| stage.sessions_of(cut) == 0,
    );
    stage.end(other);
}
