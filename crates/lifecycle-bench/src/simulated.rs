//! A simulated cloud in memory with a client, under tokio's paused clock: hours of simulated time
//! take seconds, and runs are deterministic.

use std::{
    future::Future,
    time::{Duration, SystemTime},
};

use lifecycle_bench::{BenchResult, connected, location};
use lifecycle_core::InstanceId;
use lifecycle_facade::{Client, Cloud, Fleet, Transport};
use lifecycle_sim::{MemoryTransport, Simulator, SimulatorBuilder};

/// A cloud with instances of one region, and a client of that region.
#[derive(Debug)]
pub(crate) struct Simulated {
    pub(crate) simulator: Simulator,
    pub(crate) cloud: lifecycle_sim::Cloud,
    pub(crate) client: Client,
    pub(crate) ids: Vec<InstanceId>,
}

impl Simulated {
    /// Creates a simulator with `count` instances in `state`, such as `stopped`, and a client.
    pub(crate) fn new(
        cloud: Cloud,
        count: usize,
        state: &str,
        settings: SimulatorBuilder,
    ) -> BenchResult<Self> {
        Self::with_transport(cloud, count, state, settings, |transport| transport)
    }

    /// Creates the same as [`new`](Self::new). `wrap` wraps the transport between client and
    /// simulator.
    pub(crate) fn with_transport<T: Transport>(
        cloud: Cloud,
        count: usize,
        state: &str,
        settings: SimulatorBuilder,
        wrap: impl FnOnce(MemoryTransport) -> T,
    ) -> BenchResult<Self> {
        let location = location(cloud)?;
        let epoch = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600); // 2026-01-01
        let simulator = settings
            .seed(SEED)
            .epoch(epoch)
            .fleet(&format!("{location}={count}:{state}"))?
            .build();
        let simulated_cloud: lifecycle_sim::Cloud = cloud.as_str().parse()?;
        let fleet = Fleet::builder()
            .transport(wrap(simulator.transport()))
            .clock(simulator.clock())
            .credential(simulator.credential(simulated_cloud))
            .project(simulator.project_id())
            .configure_client(|client| client.seed(SEED))
            .build()?;
        Ok(Self {
            client: connected(&fleet, &location)?,
            ids: ids(&simulator, simulated_cloud)?,
            cloud: simulated_cloud,
            simulator,
        })
    }
}

/// Returns the ids of all instances of a simulated cloud.
pub(crate) fn ids(
    simulator: &Simulator,
    cloud: lifecycle_sim::Cloud,
) -> BenchResult<Vec<InstanceId>> {
    let references = simulator.instances_at(cloud);
    let ids = references.iter().map(|reference| {
        // The id is the last part of a reference.
        let id = reference.rsplit('/').next().unwrap_or_default();
        Ok(InstanceId::new(id)?)
    });
    ids.collect()
}

/// Runs `work` on this thread, with tokio's clock paused.
pub(crate) fn under_paused_time<T>(work: impl Future<Output = BenchResult<T>>) -> BenchResult<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()?
        .block_on(work)
}

const SEED: u64 = 1;
