//! A simulated cloud in memory with a client, under tokio's paused clock: hours of simulated time
//! take seconds, and runs are deterministic.

use std::{
    future::Future,
    time::{Duration, SystemTime},
};

use lifecycle_bench::{Outcome, connected, place};
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
    /// Makes this many instances in this state, such as `stopped`, in a simulator with these settings.
    pub(crate) fn new(
        cloud: Cloud,
        count: usize,
        state: &str,
        settings: SimulatorBuilder,
    ) -> Outcome<Self> {
        Self::with(cloud, count, state, settings, |transport| transport)
    }

    /// Makes the same, with a transport between the client and the simulator.
    pub(crate) fn with<T: Transport>(
        cloud: Cloud,
        count: usize,
        state: &str,
        settings: SimulatorBuilder,
        through: impl FnOnce(MemoryTransport) -> T,
    ) -> Outcome<Self> {
        let place = place(cloud)?;
        let epoch = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
        let simulator = settings
            .seed(SEED)
            .epoch(epoch)
            .fleet(&format!("{place}={count}:{state}"))?
            .build();
        let simulated: lifecycle_sim::Cloud = cloud.as_str().parse()?;
        let fleet = Fleet::builder()
            .transport(through(simulator.transport()))
            .clock(simulator.clock())
            .credential(simulator.credential(simulated))
            .project(simulator.project_id())
            .configure_client(|client| client.seed(SEED))
            .build()?;
        Ok(Self {
            client: connected(&fleet, &place)?,
            ids: ids(&simulator, simulated)?,
            cloud: simulated,
            simulator,
        })
    }
}

/// Returns the ids of all instances of a simulated cloud.
pub(crate) fn ids(simulator: &Simulator, cloud: lifecycle_sim::Cloud) -> Outcome<Vec<InstanceId>> {
    let references = simulator.instances_at(cloud);
    let ids = references.iter().map(|reference| {
        let id = reference.rsplit('/').next().unwrap_or_default();
        Ok(InstanceId::new(id)?)
    });
    ids.collect()
}

/// Runs `work` on this thread, under paused time.
pub(crate) fn under_paused_time<T>(work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()?
        .block_on(work)
}

const SEED: u64 = 1;
