// The hidden set-up of the examples in the documentation: a fleet of a simulated cloud with three
// stopped instances, under paused time.

use std::error::Error;

use lifecycle_facade::{Cloud, Fleet, Location};
use lifecycle_sim::Simulator;

/// Runs an example with a fleet and the references of its instances.
pub(crate) fn run(
    example: impl AsyncFnOnce(Fleet, Vec<String>) -> Result<(), Box<dyn Error>>,
) {
    let location = location();
    let simulator = Simulator::builder();
    let simulator = simulator.fleet(&format!("{location}=3")).unwrap().build();
    let fleet = Fleet::simulated(&simulator);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build();
    let example = example(fleet, simulator.instances());
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
