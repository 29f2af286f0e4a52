//! Reboots a fleet in waves, and prints the progress.
//!
//! The next wave begins when every instance of the wave before has an outcome; the second failure ends
//! the request. Ctrl-C cancels the request, and the report still has every instance.

mod support;

use std::error::Error;

use lifecycle_facade::{Event, FleetReport, Waves};

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), Box<dyn Error>> {
    let spec = "aliyun/cn-hangzhou=6:running,baidu/bj=6:running";
    let (simulator, fleet) = support::simulated_fleet(spec)?;
    let instances = simulator.instances();
    let waves = Waves::percent(25).with_stop_after(2);
    let mut events = fleet.reboot(&instances).waves(waves).events();
    let report = loop {
        tokio::select! {
            event = events.next() => match event {
                Some(Event::Wave { number, of, instances }) => {
                    println!("wave {number} of {of}: {} instances", instances.len());
                }
                Some(Event::Settled(row)) => println!("  {row}"),
                Some(Event::Finished(report)) => break report?,
                _ => {}
            },
            _ = tokio::signal::ctrl_c() => break events.cancel()?,
        }
    };
    print_summary(&report);
    assert!(report.is_success());
    assert_eq!(simulator.ledger().most_reboots(), 1);
    Ok(())
}

fn print_summary(report: &FleetReport) {
    let (failures, all) = (report.failures().count(), report.instances().len());
    println!("{} of {all} instances rebooted", all - failures);
}

#[test]
fn example_runs() {
    main().unwrap();
}
