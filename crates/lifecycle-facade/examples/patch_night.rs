//! A patch night: reboots 2,000 machines of three accounts in waves, until the maintenance window ends.
//!
//! No wave begins after the end of the window or after failures of a tenth of all machines. The wave under way
//! finishes, and the report has every machine. The next night continues with the machines that are left.

use std::{collections::BTreeMap, error::Error, time::Duration};

use lifecycle_facade::{
    Account, Cloud, Event, FailureLimit, FaultKind, Fleet, FleetError, FleetReport,
    InstanceReference, Outcome, WaitTimeout, Waves,
};
use lifecycle_sim::{Impairment, Simulator};

/// Reboots the machines in waves, and prints the progress.
async fn patch(
    fleet: &Fleet,
    machines: &[InstanceReference],
    window_ends: impl Future<Output = ()> + Send + 'static,
) -> Result<FleetReport, FleetError> {
    let waves = Waves::of(100)
        .with_stop_after(FailureLimit::percent(10))
        .until(window_ends);
    let request = fleet.reboot(machines).wait(WaitTimeout::minutes(10));
    let mut events = request.waves(waves).events();
    while let Some(event) = events.next().await {
        match event {
            Event::Wave {
                number,
                of,
                instances,
            } => {
                println!("wave {number} of {of}: {} machines", instances.len());
            }
            Event::Settled(row) if !row.outcome.is_success() && !is_left(&row.outcome) => {
                println!("  {row}");
            }
            Event::Finished(report) => return report,
            _ => {}
        }
    }
    Ok(FleetReport::default())
}

/// Returns true for a machine that the window left for the next night.
fn is_left(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Skipped(fault) if fault.kind() == FaultKind::Cancelled)
}

fn count(report: &FleetReport) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for row in report {
        *counts.entry(row.outcome.as_str()).or_default() += 1;
    }
    counts
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), Box<dyn Error>> {
    let spec = "aliyun/cn-hangzhou=1000:running,baidu/bj=600:running,huawei/cn-north-4=400:running";
    let simulator = Simulator::builder().seed(1).fleet(spec)?.build();
    let fleet = Fleet::builder()
        .simulated(&simulator)
        .account("shop", Account::new(Cloud::Aliyun))?
        .account("office", Account::new(Cloud::Baidu))?
        .account("lab", Account::new(Cloud::Huawei))?
        .build()?;
    let names = simulator.instances();
    let account = |name: &str| match name.split('/').next() {
        Some("aliyun") => "shop",
        Some("baidu") => "office",
        _ => "lab",
    };
    let machines = names
        .iter()
        .map(|name| format!("{}@{name}", account(name)).parse());
    let machines: Vec<InstanceReference> = machines.collect::<Result<_, _>>()?;
    // One machine does not come back: far below a tenth.
    simulator.set_impairment(&names[7], Some(Impairment::FailsToBoot))?;

    // A real program waits for the end of the window or for Ctrl-C.
    let window = tokio::time::sleep(Duration::from_secs(10 * 60));
    let first = patch(&fleet, &machines, window).await?;
    println!("first night: {:?}", count(&first));
    assert_eq!(first.instances().len(), machines.len());
    let left = machines.iter();
    let left: Vec<_> = left
        .filter(|machine| first.outcome(machine).is_some_and(is_left))
        .cloned()
        .collect();
    assert!(!left.is_empty() && left.len() < machines.len());
    assert_eq!(first.failures().count(), left.len() + 1);

    let second = patch(&fleet, &left, std::future::pending()).await?;
    println!("second night: {:?}", count(&second));
    assert!(second.is_success());
    assert_eq!(simulator.ledger().most_reboots(), 1);
    Ok(())
}

#[test]
fn example_runs() {
    main().unwrap();
}
