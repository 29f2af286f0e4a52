//! Benchmark: the number of reboot calls that reach a cloud whose response is lost or an error, over real
//! sockets.

use std::{ops::RangeInclusive, time::Duration};

use lifecycle_bench::{BenchResult, location, runtime};
use lifecycle_core::Endpoint;
use lifecycle_facade::{Cloud, Fleet, Timeouts, WaitTimeout};
use lifecycle_sim::{ErrorBody, FaultRule, FaultTiming, InjectedFault, Operation, Simulator};
use tokio::task::JoinSet;

use crate::{
    settings::BenchSettings,
    simulated::ids,
    table::{Table, verdict},
};

/// Measures a reboot of up to ten instances in one call, at each cloud with each failure, before and after
/// the execution.
pub(crate) fn measure(_: &BenchSettings) -> BenchResult<Table> {
    let counts = runtime()?.block_on(run_all_trials())?;
    let mut table = Table::new(
        "Reboots that reach a cloud",
        [
            "cloud, time of failure",
            "response dropped",
            "stalled",
            "500",
            "502",
            "503",
            "504",
            "target",
        ],
    );
    for &cloud in Cloud::ALL {
        for timing in TIMINGS {
            let row = Failure::ALL.map(|failure| {
                let trial = Trial {
                    cloud,
                    failure,
                    timing,
                };
                let counted = counts.iter().find(|(known, _)| *known == trial);
                counted.map(|(_, count)| *count)
            });
            let all_once = row.iter().all(|count| *count == Some(1));
            let timing = match timing {
                FaultTiming::Before => "before execution",
                _ => "after execution",
            };
            let [dropped, stalled, http_500, http_502, http_503, http_504] = row
                .map(|count| count.map_or_else(|| "not run".to_owned(), |count| count.to_string()));
            table.row([
                format!("{cloud}, {timing}"),
                dropped,
                stalled,
                http_500,
                http_502,
                http_503,
                http_504,
                verdict("1 everywhere", all_once),
            ]);
        }
    }
    Ok(table)
}

/// The times of a failure.
const TIMINGS: [FaultTiming; 2] = [FaultTiming::Before, FaultTiming::After];

/// One reboot at a cloud that fails in one way.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Trial {
    cloud: Cloud,
    failure: Failure,
    /// Before or after the execution of the reboot.
    timing: FaultTiming,
}

/// The failure of a cloud.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Failure {
    /// The connection ends without a response.
    DropsTheResponse,
    /// The connection stays open without a response.
    Stalls,
    /// An error response with this HTTP status.
    Responds(u16),
}

impl Failure {
    const ALL: [Self; 6] = [
        Self::DropsTheResponse,
        Self::Stalls,
        Self::Responds(500),
        Self::Responds(502),
        Self::Responds(503),
        Self::Responds(504),
    ];
}

/// Runs all trials at the same time, because trials mostly wait. Returns the number of reboot calls of each
/// trial.
async fn run_all_trials() -> BenchResult<Vec<(Trial, u64)>> {
    let mut trials = JoinSet::new();
    for &cloud in Cloud::ALL {
        for failure in Failure::ALL {
            for timing in TIMINGS {
                let trial = Trial {
                    cloud,
                    failure,
                    timing,
                };
                trials.spawn(async move { BenchResult::Ok((trial, trial.run().await?)) });
            }
        }
    }
    trials.join_all().await.into_iter().collect()
}

impl Trial {
    /// Returns the number of reboot calls that reach the cloud.
    async fn run(self) -> BenchResult<u64> {
        let location = location(self.cloud)?;
        let simulator = Simulator::builder()
            .speed(20.0)
            .fleet(&format!("{location}=10:running"))?
            .build();
        let simulated: lifecycle_sim::Cloud = self.cloud.as_str().parse()?;
        let server = simulator.serve("127.0.0.1:0").await?;
        let fleet = Fleet::builder()
            .endpoint(Endpoint::parse(&server.url())?)
            .credential(simulator.credential(simulated))
            .project(simulator.project_id())
            .configure_client(|client| client.timeouts(short_timeouts()))
            .build()?;
        let client = fleet.client(&location).await?;
        let mut ids = ids(&simulator, simulated)?;
        ids.truncate(client.profile().batch_limits.reboot);
        // HTTP clients may silently resend a request on a connection that was used before.
        client.observe(&ids).await?;
        let failure = FaultRule::new(self.fault()).on(Operation::Reboot);
        simulator.inject(failure.always());
        // Enough time for many retries.
        client.reboot(&ids).wait(WaitTimeout::seconds(12)).await?;
        let reached = simulator.ledger().count(simulated, Operation::Reboot);
        let executions = simulator.ledger().most_reboots();
        server.shutdown().await;
        if !self.expected_executions().contains(&executions) {
            return Err(format!("{self:?} was executed {executions} times").into());
        }
        Ok(reached)
    }

    fn fault(self) -> InjectedFault {
        match self.failure {
            Failure::DropsTheResponse => InjectedFault::Reset(self.timing),
            Failure::Stalls => InjectedFault::Silence(self.timing),
            Failure::Responds(status) => InjectedFault::ServerError {
                status,
                body: ErrorBody::Json,
                when: self.timing,
            },
        }
    }

    /// Returns the expected number of executed reboots of one instance; another number means that the
    /// simulator did not fail as intended. Repeated reboots are the result of the measurement, so more than
    /// one execution is no error here.
    fn expected_executions(self) -> RangeInclusive<u32> {
        match self.timing {
            FaultTiming::Before => 0..=0,
            _ => 1..=u32::MAX,
        }
    }
}

/// Returns short time limits, for retries within seconds.
fn short_timeouts() -> Timeouts {
    let mut timeouts = Timeouts::default();
    timeouts.attempt = Duration::from_secs(3);
    timeouts.settle = Duration::from_secs(4);
    timeouts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reboot_reaches_its_cloud_once() {
        let counts = runtime().unwrap().block_on(run_all_trials()).unwrap();
        assert_eq!(
            counts.len(),
            Cloud::ALL.len() * Failure::ALL.len() * TIMINGS.len()
        );
        for (trial, count) in counts {
            assert_eq!(count, 1, "{trial:?}");
        }
    }
}
