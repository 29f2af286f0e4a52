// The hidden set-up of the examples in the documentation: a client of a simulated cloud with three
// stopped instances, under paused time.

use std::error::Error;

use lifecycle_client::{Client, StaticCredential};
use lifecycle_sim::{Cloud, Simulator};

/// Runs an example with a client and the ids of its instances.
pub(crate) fn run(
    example: impl AsyncFnOnce(Client, Vec<String>) -> Result<(), Box<dyn Error>>,
) {
    let simulator = Simulator::builder().fleet("baidu/bj=3").unwrap().build();
    let instances = simulator.instances();
    let ids = instances.iter().filter_map(|name| name.rsplit('/').next());
    let ids: Vec<String> = ids.map(str::to_owned).collect();
    let provider = provider_baidu::Baidu::new(provider_baidu::Config::new("bj").unwrap());
    let key = StaticCredential::new(simulator.credential(Cloud::Baidu));
    let client = Client::builder(provider, key, simulator.transport())
        .clock(simulator.clock())
        .build();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build();
    runtime.unwrap().block_on(example(client, ids)).unwrap();
}
