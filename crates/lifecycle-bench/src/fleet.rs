//! Benchmark: one start of simulated instances in forty regions of four clouds, with a wait for all of them.
//!
//! Processor time is that of client and simulator together. The growth from a small to a large fleet is the
//! figure to look at.

use std::{collections::BTreeMap, env, process::Command};

use lifecycle_bench::{BenchResult, cpu_time, memory};
use lifecycle_facade::{Cloud, Credential, Fleet, Location, WaitTimeout};
use lifecycle_sim::{Simulator, TransitionTimes};
use tokio::time::Instant;

use crate::{
    settings::BenchSettings,
    simulated::under_paused_time,
    table::{Table, verdict},
};

/// Regions of each cloud, forty in all. Zenlayer has one endpoint for all its regions.
const REGIONS: [(Cloud, usize); 4] = [
    (Cloud::Baidu, 9),
    (Cloud::Aliyun, 20),
    (Cloud::Zenlayer, 1),
    (Cloud::Huawei, 10),
];

/// Measures each fleet size in a process of its own, because a process keeps freed memory.
pub(crate) fn measure(settings: &BenchSettings) -> BenchResult<Table> {
    let mut table = Table::new(
        "Forty regions of four clouds",
        [
            "instances",
            "start calls",
            "fewest possible",
            "polls",
            "longest boot s",
            "all seen s",
            "KiB each",
            "CPU µs each",
            "target",
        ],
    );
    let mut smallest = None;
    for count in settings.region_fleet_sizes {
        let figures = Probe { count }.run_in_child_process()?;
        table.row(figures.row(count, *smallest.get_or_insert(figures)));
    }
    Ok(table)
}

/// A process that starts this many stopped instances and waits for them.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Probe {
    count: usize,
}

#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
struct Figures {
    start_calls: u64,
    fewest_start_calls: u64,
    /// Observations of instances and of jobs.
    polls: u64,
    /// Time at which all instances are seen running, in seconds from the beginning.
    seen_s: f64,
    /// Highest growth of the process, including the simulator, in KiB per instance.
    kib: f64,
    /// Processor time of client and simulator, in microseconds per instance.
    cpu_us: f64,
}

impl Figures {
    fn row(&self, count: usize, smallest: Self) -> [String; 9] {
        let times = TransitionTimes::default();
        let longest_boot = times.boot.as_secs_f64() * (1.0 + times.spread);
        let is_met = self.start_calls == self.fewest_start_calls
            && self.kib < 1.0
            && self.cpu_us <= 1.2 * smallest.cpu_us;
        [
            count.to_string(),
            self.start_calls.to_string(),
            self.fewest_start_calls.to_string(),
            self.polls.to_string(),
            format!("{longest_boot:.1}"),
            format!("{:.1}", self.seen_s),
            format!("{:.2}", self.kib),
            format!("{:.0}", self.cpu_us),
            verdict("fewest start calls, 1 KiB, linear", is_met),
        ]
    }
}

impl Probe {
    /// Runs this program again, as the probe.
    fn run_in_child_process(&self) -> BenchResult<Figures> {
        let output = Command::new(env::current_exe()?)
            .args(["fleet-probe", &self.count.to_string()])
            .output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into());
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// Runs the probe: the whole life of the probe's process.
    pub(crate) fn run(&self) -> BenchResult<()> {
        let figures = under_paused_time(self.start())?;
        println!("{}", serde_json::to_string(&figures)?);
        Ok(())
    }

    /// Starts all instances with one request of a fleet, and waits for them.
    async fn start(&self) -> BenchResult<Figures> {
        let sizes = self.sizes();
        let spec: Vec<String> = sizes
            .iter()
            .map(|(location, count)| format!("{location}={count}:stopped"))
            .collect();
        let key = Credential::keys("id", "secret");
        let simulator = lifecycle_sim::Cloud::ALL
            .into_iter()
            .fold(Simulator::builder(), |builder, cloud| {
                builder.credential(cloud, &key)
            })
            .log_limit(0)
            .fleet(&spec.join(","))?
            .build();
        let fleet = Fleet::builder()
            .transport(simulator.transport())
            .clock(simulator.clock())
            .credential(key)
            .project(simulator.project_id())
            .build()?;
        let references = simulator.instances();
        let (begin, before, cpu) = (Instant::now(), memory()?.rss_mib, cpu_time()?);
        let report = fleet
            .start(&references)
            .wait(WaitTimeout::minutes(24 * 60))
            .await?;
        let (seen, cpu) = (begin.elapsed(), cpu_time()?.saturating_sub(cpu));
        let peak = memory()?.peak_rss_mib;
        report.into_result()?;
        let mut fewest = 0;
        for (location, count) in &sizes {
            let limit = fleet.client(location).await?.profile().batch_limits.start;
            fewest += count.div_ceil(limit) as u64;
        }
        let calls = fleet.calls().into_values();
        let calls = calls.fold(lifecycle_facade::CallCounts::default(), |mut sum, calls| {
            sum += calls;
            sum
        });
        let count = self.count as f64;
        Ok(Figures {
            start_calls: calls.actions,
            fewest_start_calls: fewest,
            polls: calls.observations + calls.jobs,
            seen_s: seen.as_secs_f64(),
            kib: (peak - before) * 1024.0 / count,
            cpu_us: cpu.as_secs_f64() * 1e6 / count,
        })
    }

    /// Returns the number of instances in each region. The first region has the remainder.
    fn sizes(&self) -> BTreeMap<Location, usize> {
        let regions: usize = REGIONS.iter().map(|(_, regions)| regions).sum();
        let mut sizes = BTreeMap::new();
        for (cloud, count) in REGIONS {
            for number in 0..count {
                let region = match cloud {
                    Cloud::Zenlayer => "global".to_owned(),
                    _ => format!("region-{number}"),
                };
                sizes.insert(Location::new(cloud, region), self.count / regions);
            }
        }
        if let Some(mut first) = sizes.first_entry() {
            *first.get_mut() += self.count % regions;
        }
        sizes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_instances_of_forty_regions_are_started_with_the_fewest_calls() {
        let probe = Probe { count: 1_003 };
        let sizes = probe.sizes();
        assert_eq!((sizes.len(), sizes.values().sum()), (40, 1_003));
        let figures = under_paused_time(probe.start()).unwrap();
        assert_eq!(
            figures.start_calls, figures.fewest_start_calls,
            "{figures:?}"
        );
        assert!((30.0..60.0).contains(&figures.seen_s), "{figures:?}");
    }
}
