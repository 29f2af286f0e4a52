//! Benchmark: the start of large simulated fleets with a wait for all instances: calls, times, memory and
//! processor time.

use std::time::Duration;

use lifecycle_bench::{BenchResult, cpu_time, memory};
use lifecycle_facade::{Cloud, WaitTimeout};
use lifecycle_sim::{Operation, Simulator, TransitionTimes};
use tokio::time::Instant;

use crate::{
    probe,
    record::{Recorder, TimedRequest, replay_requests},
    settings::BenchSettings,
    simulated::{Simulated, under_paused_time},
    table::{Table, verdict},
};

/// Measures each cloud with each fleet size. Each measurement has a process of its own, because a process
/// keeps freed memory.
pub(crate) fn measure(settings: &BenchSettings) -> BenchResult<Table> {
    let mut table = Table::new(
        "Scale",
        [
            "cloud, instances",
            "start calls",
            "fewest possible",
            "polls",
            "last start s",
            "longest boot s",
            "all seen s",
            "KiB each",
            "CPU µs each",
            "target",
        ],
    );
    for &cloud in Cloud::ALL {
        let mut smaller = None;
        for count in settings.fleet_sizes {
            let figures = Probe { cloud, count }.run_in_child_process()?;
            table.row(figures.row(cloud, count, smaller));
            smaller = Some(figures);
        }
    }
    Ok(table)
}

/// A process that starts this many stopped instances and waits for them.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Probe {
    cloud: Cloud,
    count: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct Figures {
    start_calls: u64,
    /// The smallest possible number of start calls: the instances divided by the batch limit.
    fewest_start_calls: usize,
    /// Observations of instances and of jobs.
    polls: u64,
    /// Time of the last executed start, in seconds from the beginning.
    last_start_s: f64,
    /// Time at which the client has seen all instances running, in seconds from the beginning.
    seen_s: f64,
    /// Highest growth of the process, including the simulator, in KiB per instance.
    kib: f64,
    /// Processor time of the client, in microseconds per instance.
    cpu_us: f64,
}

impl Figures {
    /// Returns the row; `smaller` has the figures of the same cloud with fewer instances.
    fn row(&self, cloud: Cloud, count: usize, smaller: Option<Self>) -> [String; 10] {
        let times = TransitionTimes::default();
        let longest_boot = times.boot.as_secs_f64() * (1.0 + times.spread);
        let is_linear =
            smaller.is_none_or(|smaller| self.cpu_us <= MAX_CPU_GROWTH * smaller.cpu_us);
        let is_met =
            self.start_calls == self.fewest_start_calls as u64 && self.kib < MAX_KIB && is_linear;
        [
            format!("{cloud}, {count}"),
            self.start_calls.to_string(),
            self.fewest_start_calls.to_string(),
            self.polls.to_string(),
            format!("{:.1}", self.last_start_s),
            format!("{longest_boot:.1}"),
            format!("{:.1}", self.seen_s),
            format!("{:.2}", self.kib),
            format!("{:.0}", self.cpu_us),
            verdict("fewest start calls, 1 KiB, linear", is_met),
        ]
    }
}

/// The allowed growth of the processor time per instance from the small to the large fleet.
const MAX_CPU_GROWTH: f64 = 1.2;

/// The allowed memory per instance, in KiB.
const MAX_KIB: f64 = 1.0;

/// A time limit that the slowest rate limit does not reach with the largest fleet.
const WAIT_TIMEOUT: WaitTimeout = WaitTimeout::minutes(24 * 60);

impl Probe {
    /// Runs this program again, as the probe.
    fn run_in_child_process(&self) -> BenchResult<Figures> {
        probe::run(&["scale-probe", self.cloud.as_str(), &self.count.to_string()])
    }

    /// Runs the probe: the whole life of the probe's process.
    pub(crate) fn run(&self) -> BenchResult<()> {
        probe::print(&self.figures()?)
    }

    /// Makes two runs of the same start: one without a log for memory, and one with recorded requests for
    /// time. Then sends the recorded requests once more without a client: the time of the replay is the
    /// simulator's share.
    fn figures(&self) -> BenchResult<Figures> {
        let kib = under_paused_time(self.growth())?;
        let (figures, requests) = under_paused_time(self.start())?;
        let without_client = under_paused_time(self.replay(requests))?;
        let cpu_us = figures.cpu_us - self.us_per_instance(without_client);
        Ok(Figures {
            kib,
            cpu_us,
            ..figures
        })
    }

    /// Returns the growth of the process during start and wait, in KiB per instance, including the
    /// growth of the simulator.
    async fn growth(&self) -> BenchResult<f64> {
        let settings = Simulator::builder().log_limit(0);
        let simulated = Simulated::new(self.cloud, self.count, "stopped", settings)?;
        let before = memory()?.rss_mib;
        let report = simulated
            .client
            .start(&simulated.ids)
            .wait(WAIT_TIMEOUT)
            .await?;
        let peak = memory()?.peak_rss_mib;
        report.into_result()?;
        Ok((peak - before) * 1024.0 / self.count as f64)
    }

    /// Returns the figures of a run, with the processor time of client and simulator, and the requests.
    async fn start(&self) -> BenchResult<(Figures, Vec<TimedRequest>)> {
        let recorder = Recorder::new();
        let settings = Simulator::builder();
        let simulated =
            Simulated::with_transport(self.cloud, self.count, "stopped", settings, |transport| {
                recorder.wrap(transport)
            })?;
        let (begin, cpu) = (Instant::now(), cpu_time()?);
        let report = simulated
            .client
            .start(&simulated.ids)
            .wait(WAIT_TIMEOUT)
            .await?;
        let (seen, cpu) = (begin.elapsed(), cpu_time()?.saturating_sub(cpu));
        report.into_result()?;
        let ledger = simulated.simulator.ledger();
        let count = |operation| ledger.count(simulated.cloud, operation);
        let operations = ledger.power_operations().into_iter();
        let last_start = operations.map(|operation| operation.at).max();
        let limit = simulated.client.profile().batch_limits.start;
        let figures = Figures {
            start_calls: count(Operation::Start),
            fewest_start_calls: self.count.div_ceil(limit),
            polls: count(Operation::Observe) + count(Operation::Follow),
            last_start_s: last_start.unwrap_or_default().as_secs_f64(),
            seen_s: seen.as_secs_f64(),
            kib: 0.0,
            cpu_us: self.us_per_instance(cpu),
        };
        Ok((figures, recorder.take()))
    }

    /// Returns the processor time of the simulator alone.
    async fn replay(&self, requests: Vec<TimedRequest>) -> BenchResult<Duration> {
        let settings = Simulator::builder();
        let simulated = Simulated::new(self.cloud, self.count, "stopped", settings)?;
        let cpu = cpu_time()?;
        replay_requests(requests, &simulated.simulator.transport()).await?;
        Ok(cpu_time()?.saturating_sub(cpu))
    }

    /// Returns a time in microseconds per instance.
    fn us_per_instance(&self, all: Duration) -> f64 {
        all.as_secs_f64() * 1e6 / self.count as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fewest_start_calls_are_made_and_all_instances_are_seen_after_their_boot() {
        for &cloud in Cloud::ALL {
            let probe = Probe { cloud, count: 300 };
            let (figures, requests) = under_paused_time(probe.start()).unwrap();
            assert_eq!(
                figures.start_calls as usize, figures.fewest_start_calls,
                "{cloud}"
            );
            let calls = figures.start_calls + figures.polls;
            assert_eq!(requests.len() as u64, calls, "{cloud}");
            let boot = figures.seen_s - figures.last_start_s;
            // The boot takes 30 s and more, and the last poll sees the boot a little later.
            assert!((30.0..60.0).contains(&boot), "{cloud}: {figures:?}");
            under_paused_time(probe.replay(requests)).unwrap();
        }
    }
}
