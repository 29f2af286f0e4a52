//! Benchmark: the cost of calls through the client, compared with bare reqwest and the same bytes.

use std::{future::Future, sync::Arc, time::Duration};

use lifecycle_bench::{BenchResult, Run, Until, client, drive, ids, runtime};
use lifecycle_core::InstanceId;
use lifecycle_facade::Cloud;
use tokio::runtime::Runtime;

use crate::{
    baseline::{self, BaselineRequest, run_with_reqwest, run_with_typed_reader},
    rounds::Rounds,
    server::Server,
    settings::{BenchSettings, Schedule},
    table::{Table, verdict},
    workload::{Workload, run_with_client},
};

/// Measures starts of one instance, one at a time and many at a time.
pub(crate) fn measure_calls(settings: &BenchSettings) -> BenchResult<Table> {
    let bench = Bench::new(settings)?;
    let mut table = Table::new("Calls", head("start of 1"));
    for &cloud in Cloud::ALL {
        for concurrency in [1, 64] {
            let pair = bench.compare(cloud, Workload::Start, concurrency)?;
            let target = verdict("0.95 x reqwest", pair.speed() >= 0.95);
            table.row(pair.row(format!("{cloud}, {concurrency} at a time"), target));
        }
    }
    Ok(table)
}

/// Measures iterations of a start and an observation of a hundred instances, one at a time. The baseline
/// reads the states with a typed reader and makes one outcome per instance.
pub(crate) fn measure_iterations(settings: &BenchSettings) -> BenchResult<Table> {
    let bench = Bench::new(settings)?;
    let mut table = Table::new("Iterations", head("start of 100, observation of 100"));
    for &cloud in Cloud::ALL {
        let pair = bench.compare(cloud, Workload::StartAndObserve, 1)?;
        let target = verdict("1.5 x the typed reader", pair.speed() >= 1.0 / 1.5);
        table.row(pair.row(cloud.to_string(), target));
    }
    Ok(table)
}

fn head(what: &'static str) -> [&'static str; 7] {
    [
        what,
        "reqwest/s",
        "client/s",
        "/ reqwest",
        "reqwest CPU µs",
        "client CPU µs",
        "target",
    ]
}

struct Bench {
    server: Server,
    runtime: Runtime,
    schedule: Schedule,
}

impl Bench {
    fn new(settings: &BenchSettings) -> BenchResult<Self> {
        Ok(Self {
            server: Server::start()?,
            runtime: runtime()?,
            schedule: settings.calls,
        })
    }

    /// Measures reqwest and the client with the same iterations, one after the other in every round.
    fn compare(&self, cloud: Cloud, workload: Workload, concurrency: usize) -> BenchResult<Pair> {
        let port = self.server.port();
        let (http, requests) = (
            baseline::http()?,
            BaselineRequest::of(cloud, port, workload)?,
        );
        let requests: Arc<[BaselineRequest]> = requests.into();
        let ids: Arc<[InstanceId]> = ids(cloud, workload.instances())?.into();
        let known = Arc::clone(&ids);
        let baseline = move || {
            let (http, requests, ids) = (http.clone(), Arc::clone(&requests), Arc::clone(&known));
            async move {
                match workload {
                    Workload::Start => run_with_reqwest(http, requests).await,
                    Workload::StartAndObserve => {
                        run_with_typed_reader(http, requests, cloud, ids).await
                    }
                }
            }
        };
        let client = client(cloud, port)?;
        let by_lifecycle = move || run_with_client(client.clone(), Arc::clone(&ids), workload);

        let Schedule { rounds, span } = self.schedule;
        let round = || {
            Ok([
                self.run(concurrency, span, &baseline)?,
                self.run(concurrency, span, &by_lifecycle)?,
            ])
        };
        // The first round makes the connections and is not counted.
        let _: [Run; 2] = round()?;
        let rounds = (0..rounds)
            .map(|_| round())
            .collect::<BenchResult<Vec<_>>>()?;
        Ok(Pair::new(&rounds))
    }

    fn run<F, T>(&self, concurrency: usize, span: Duration, iteration: &F) -> BenchResult<Run>
    where
        F: Fn() -> T + Clone + Send + 'static,
        T: Future<Output = BenchResult<()>> + Send,
    {
        let run = drive(concurrency, Until::Elapsed(span), iteration.clone());
        self.runtime.block_on(run)
    }
}

/// The same iterations by reqwest and by the client.
struct Pair {
    rounds: Rounds<2>,
    /// Microseconds of this process for one iteration, where the system reports them.
    cpu: [Option<f64>; 2],
}

// The positions of both subjects in a round.
const REQWEST: usize = 0;
const CLIENT: usize = 1;

impl Pair {
    fn new(rounds: &[[Run; 2]]) -> Self {
        let costs = rounds.iter().map(|round| round.map(|run| run.seconds()));
        Self {
            rounds: Rounds::new(costs.collect()),
            cpu: [REQWEST, CLIENT].map(|side| cpu(rounds.iter().map(|round| round[side]))),
        }
    }

    /// Returns the client's rate as a part of reqwest's.
    fn speed(&self) -> f64 {
        self.rounds.ratio(REQWEST, CLIENT)
    }

    fn row(&self, what: String, target: String) -> [String; 7] {
        let rate = |side| format!("{:.0}", 1.0 / self.rounds.best(side));
        let cpu = |side: usize| {
            self.cpu[side].map_or_else(|| "?".to_owned(), |micros| format!("{micros:.1}"))
        };
        [
            what,
            rate(REQWEST),
            rate(CLIENT),
            format!("{:.2}", self.speed()),
            cpu(REQWEST),
            cpu(CLIENT),
            target,
        ]
    }
}

/// Adds up all rounds, because the system counts in steps of 10 ms.
fn cpu(runs: impl Iterator<Item = Run>) -> Option<f64> {
    let (mut time, mut iterations) = (Duration::ZERO, 0);
    for run in runs {
        time += run.cpu?;
        iterations += run.iterations;
    }
    Some(time.as_secs_f64() * 1e6 / count(iterations))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a run has fewer than 2^52 iterations"
)]
fn count(iterations: u64) -> f64 {
    iterations as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_per_turn_over_all_rounds() {
        let run = |iterations, cpu: Option<u64>| Run {
            iterations,
            elapsed: Duration::from_secs(1),
            cpu: cpu.map(Duration::from_millis),
        };
        let rounds = [
            [run(100, Some(10)), run(50, Some(20))],
            [run(200, Some(20)), run(50, None)],
        ];
        let pair = Pair::new(&rounds);
        assert_eq!(pair.cpu, [Some(100.0), None]);
        assert_eq!(pair.speed(), f64::midpoint(0.5, 0.25));
    }
}
