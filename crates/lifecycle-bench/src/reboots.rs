//! Benchmark: the number of executed reboots at a cloud that fails to answer, over real sockets.

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

/// Measures a reboot of up to ten instances in one call, at each cloud with each failure.
pub(crate) fn measure(_: &BenchSettings) -> BenchResult<Table> {
    let counts = runtime()?.block_on(reboot_everywhere())?;
    let mut table = Table::new(
        "Reboots that reach a cloud",
        [
            "the cloud fails",
            "reply dropped",
            "stalled",
            "500",
            "502",
            "503",
            "504",
            "target",
        ],
    );
    for &cloud in Cloud::ALL {
        for when in [FaultTiming::Before, FaultTiming::After] {
            let count = |failure: Failure| {
                let trial = Trial {
                    cloud,
                    failure,
                    when,
                };
                let known = counts.iter().find(|(known, _)| *known == trial);
                known.map_or(0, |(_, count)| *count)
            };
            let [dropped, stalled, a, b, c, d] = Failure::ALL.map(count);
            let all_once = Failure::ALL.into_iter().all(|failure| count(failure) == 1);
            let when = match when {
                FaultTiming::Before => "before execution",
                _ => "after execution",
            };
            table.row([
                format!("{cloud}, {when}"),
                dropped.to_string(),
                stalled.to_string(),
                a.to_string(),
                b.to_string(),
                c.to_string(),
                d.to_string(),
                verdict("1 everywhere", all_once),
            ]);
        }
    }
    Ok(table)
}

/// One reboot at a cloud that fails in one way.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Trial {
    cloud: Cloud,
    failure: Failure,
    /// Before or after the execution of the reboot.
    when: FaultTiming,
}

/// The failure of a cloud.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Failure {
    DropsTheReply,
    Stalls,
    /// An error response with an HTTP status.
    Answers(u16),
}

impl Failure {
    const ALL: [Self; 6] = [
        Self::DropsTheReply,
        Self::Stalls,
        Self::Answers(500),
        Self::Answers(502),
        Self::Answers(503),
        Self::Answers(504),
    ];
}

/// Runs all trials concurrently, because trials mostly wait.
async fn reboot_everywhere() -> BenchResult<Vec<(Trial, u64)>> {
    let mut trials = JoinSet::new();
    for &cloud in Cloud::ALL {
        for failure in Failure::ALL {
            for when in [FaultTiming::Before, FaultTiming::After] {
                let trial = Trial {
                    cloud,
                    failure,
                    when,
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
        let executed = simulator.ledger().most_reboots();
        server.shutdown().await;
        if !self.executions().contains(&executed) {
            return Err(format!("{self:?} was executed {executed} times").into());
        }
        Ok(reached)
    }

    fn fault(self) -> InjectedFault {
        match self.failure {
            Failure::DropsTheReply => InjectedFault::Reset(self.when),
            Failure::Stalls => InjectedFault::Silence(self.when),
            Failure::Answers(status) => InjectedFault::ServerError {
                status,
                body: ErrorBody::Json,
                when: self.when,
            },
        }
    }

    /// Returns the expected number of executed reboots of one instance. Another number means that the
    /// simulator did not fail as intended.
    fn executions(self) -> RangeInclusive<u32> {
        match self.when {
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
        let counts = runtime().unwrap().block_on(reboot_everywhere()).unwrap();
        assert_eq!(counts.len(), 48);
        for (trial, count) in counts {
            assert_eq!(count, 1, "{trial:?}");
        }
    }
}
