// The hidden set-up of the examples in the documentation: a fleet of a simulated cloud with three
// stopped instances, under paused time.

use std::error::Error;

use lifecycle_facade::{Cloud, EmptyHost, Fleet, Location};
use lifecycle_sim::Simulator;

/// Runs an example with a fleet and the references of its instances.
pub(crate) fn run(
    example: impl AsyncFnOnce(Fleet, Vec<String>) -> Result<(), Box<dyn Error>>,
) {
    let location = location();
    let simulator = Simulator::builder();
    let simulator = simulator.fleet(&format!("{location}=3")).unwrap().build();
    let cloud = lifecycle_sim::Cloud::ALL
        .into_iter()
        .find(|cloud| cloud.as_str() == location.cloud.as_str())
        .unwrap();
    let fleet = Fleet::builder()
        .transport(simulator.transport())
        .clock(simulator.clock())
        .machine(EmptyHost)
        .credential(simulator.credential(cloud))
        .project(simulator.project_id())
        .build();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build();
    let example = example(fleet.unwrap(), simulator.instances());
    runtime.unwrap().block_on(example).unwrap();
}

/// Returns a location of the first cloud of this build.
pub(crate) fn location() -> Location {
    let cloud = Cloud::ALL[0];
    let region = match cloud.as_str() {
        "baidu" => "bj",
        "aliyun" => "cn-hangzhou",
        "zenlayer" => "global",
        _ => "cn-north-4",
    };
    Location::new(cloud, region)
}
