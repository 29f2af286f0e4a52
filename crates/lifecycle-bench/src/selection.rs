//! Benchmark: lists of a hundred thousand simulated instances, without details, with details, and the
//! selection of a hundred instances by tag; and ten regions listed at the same time.

use std::{env, process::Command, time::Duration};

use clap::ValueEnum;
use lifecycle_bench::{BenchResult, cpu_time, memory};
use lifecycle_core::{InstanceDetails, InstanceFilter, Observation};
use lifecycle_facade::{Cloud, Credential, Fleet, ListRequest, Selector};
use lifecycle_sim::{InstanceTemplate, Simulator, SimulatorBuilder};
use tokio::time::Instant;

use crate::{
    record::{Recorder, TimedRequest, replay_requests},
    settings::BenchSettings,
    simulated::{Simulated, under_paused_time},
    table::{Table, verdict},
};

/// The number of instances with the tag.
const TAGGED: usize = 100;

/// Each measurement has a process of its own, because a process keeps freed memory.
pub(crate) fn measure(settings: &BenchSettings) -> BenchResult<Table> {
    let mut table = Table::new(
        "Lists and selections",
        [
            "list",
            "rows",
            "calls",
            "CPU µs a row",
            "bytes a row",
            "text bytes a row",
            "target",
        ],
    );
    let count = settings.fleet_sizes[1];
    for &cloud in Cloud::ALL {
        let probe = |content| Probe {
            cloud,
            count,
            content,
        };
        let plain = probe(Content::States).run_in_child_process()?;
        let detailed = probe(Content::Details).run_in_child_process()?;
        let tagged = probe(Content::Tagged).run_in_child_process()?;
        let added = detailed.bytes - plain.bytes - (detailed.text_bytes - plain.text_bytes);
        let verdicts = [
            String::new(),
            verdict("200 bytes beyond the text", added <= 200.0),
            verdict("100 rows", tagged.rows == TAGGED),
        ];
        for ((name, figures), verdict) in ["states", "details", "by tag"]
            .iter()
            .zip([plain, detailed, tagged])
            .zip(verdicts)
        {
            table.row(figures.row(&format!("{cloud}, {count}, {name}"), verdict));
        }
    }
    let regions = under_paused_time(ten_regions(settings.fleet_sizes[0]))?;
    table.row(regions);
    Ok(table)
}

/// A process that lists this many instances.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Probe {
    cloud: Cloud,
    count: usize,
    content: Content,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Content {
    /// Ids, names and states of all instances.
    States,
    /// The details of all instances.
    Details,
    /// The instances with a tag.
    Tagged,
}

#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
struct Figures {
    rows: usize,
    calls: usize,
    /// Processor time of the client, per row of the fleet.
    cpu_us: f64,
    /// Growth of the process while the rows are kept, per row.
    bytes: f64,
    /// The length of all texts, per row.
    text_bytes: f64,
}

impl Figures {
    fn row(&self, name: &str, verdict: String) -> [String; 7] {
        [
            name.to_owned(),
            self.rows.to_string(),
            self.calls.to_string(),
            format!("{:.2}", self.cpu_us),
            format!("{:.0}", self.bytes),
            format!("{:.0}", self.text_bytes),
            verdict,
        ]
    }
}

impl Probe {
    /// Runs this program again, as the probe.
    fn run_in_child_process(&self) -> BenchResult<Figures> {
        let content = match self.content {
            Content::States => "states",
            Content::Details => "details",
            Content::Tagged => "tagged",
        };
        let output = Command::new(env::current_exe()?)
            .args(["selection-probe", self.cloud.as_str()])
            .args([&self.count.to_string(), content])
            .output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into());
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// Runs the probe: the whole life of the probe's process.
    pub(crate) fn run(&self) -> BenchResult<()> {
        println!("{}", serde_json::to_string(&self.figures()?)?);
        Ok(())
    }

    /// Makes one run, then sends the requests once more without a client: the time of that replay is the
    /// simulator's share.
    fn figures(&self) -> BenchResult<Figures> {
        let (figures, requests) = under_paused_time(self.list())?;
        let without_client = under_paused_time(self.replay(requests))?;
        Ok(Figures {
            cpu_us: figures.cpu_us - self.each(without_client),
            ..figures
        })
    }

    async fn list(&self) -> BenchResult<(Figures, Vec<TimedRequest>)> {
        let recorder = Recorder::new();
        let world = Simulated::with_transport(
            self.cloud,
            self.count - TAGGED,
            "stopped",
            self.settings()?,
            |transport| recorder.wrap(transport),
        )?;
        let (before, cpu) = (memory()?.rss_mib, cpu_time()?);
        let rows = self.request(world.client.list()).await?;
        let (cpu, after) = (cpu_time()?.saturating_sub(cpu), memory()?.rss_mib);
        let kept = rows.len().max(1) as f64;
        let texts: usize = rows.iter().map(text_length).sum();
        let requests = recorder.take();
        let figures = Figures {
            rows: rows.len(),
            calls: requests.len(),
            cpu_us: self.each(cpu),
            bytes: (after - before) * 1024.0 * 1024.0 / kept,
            text_bytes: texts as f64 / kept,
        };
        Ok((figures, requests))
    }

    fn request(&self, list: ListRequest) -> ListRequest {
        match self.content {
            Content::States => list,
            Content::Details => list.details(),
            Content::Tagged => {
                let mut filter = InstanceFilter::default();
                filter.tags.extend("env=bench".parse());
                list.filter(filter)
            }
        }
    }

    async fn replay(&self, requests: Vec<TimedRequest>) -> BenchResult<Duration> {
        let world = Simulated::new(self.cloud, self.count - TAGGED, "stopped", self.settings()?)?;
        let cpu = cpu_time()?;
        replay_requests(requests, &world.simulator.transport()).await?;
        Ok(cpu_time()?.saturating_sub(cpu))
    }

    /// Returns a simulator with the tagged instances.
    fn settings(&self) -> BenchResult<SimulatorBuilder> {
        let tagged = InstanceTemplate::new().name("tagged-#").tag("env", "bench");
        let location = lifecycle_bench::location(self.cloud)?;
        Ok(Simulator::builder().instances(&format!("{location}={TAGGED}"), tagged)?)
    }

    /// Returns microseconds per instance of the fleet.
    fn each(&self, all: Duration) -> f64 {
        all.as_secs_f64() * 1e6 / self.count as f64
    }
}

/// Returns the length of all texts of a row.
fn text_length(row: &Observation) -> usize {
    let own = row.instance.as_str().len() + row.raw.len();
    let optional = [&row.name, &row.started_at].into_iter().flatten();
    let details = row.details.as_deref().map_or(0, details_length);
    own + optional.map(String::len).sum::<usize>() + details
}

fn details_length(details: &InstanceDetails) -> usize {
    let optional = [
        &details.zone,
        &details.instance_type,
        &details.created_at,
        &details.started_at,
        &details.expires_at,
    ];
    let tags = details.tags.iter();
    let addresses = details.private_ips.iter().chain(&details.public_ips);
    optional
        .into_iter()
        .flatten()
        .map(String::len)
        .sum::<usize>()
        + tags
            .map(|tag| tag.key.len() + tag.value.len())
            .sum::<usize>()
        + addresses.map(String::len).sum::<usize>()
}

/// Selects all instances of ten regions of one account, and compares the time with one region.
async fn ten_regions(each: usize) -> BenchResult<[String; 7]> {
    let regions = [
        "cn-hangzhou",
        "cn-beijing",
        "cn-shanghai",
        "cn-shenzhen",
        "cn-qingdao",
        "cn-zhangjiakou",
        "cn-huhehaote",
        "cn-chengdu",
        "cn-hongkong",
        "ap-southeast-1",
    ];
    let fleet: Vec<String> = regions
        .iter()
        .map(|region| format!("aliyun/{region}={each}"))
        .collect();
    let key = Credential::keys("id", "secret");
    let simulator = Simulator::builder()
        .credential(lifecycle_sim::Cloud::Aliyun, &key)
        .fleet(&fleet.join(","))?
        .build();
    let fleet = Fleet::builder()
        .transport(simulator.transport())
        .clock(simulator.clock())
        .credential(key)
        .build()?;
    let time = async |locations: &[&str]| {
        let begin = Instant::now();
        let locations = locations.iter();
        let selector = locations.fold(Selector::new(), |selector, region| {
            match format!("aliyun/{region}").parse() {
                Ok(location) => selector.location(location),
                Err(_) => selector,
            }
        });
        let rows = fleet.select(&selector).await?.instances.len();
        BenchResult::Ok((rows, begin.elapsed()))
    };
    let (_, one) = time(&regions[..1]).await?;
    let before = simulator.ledger().total();
    let (rows, ten) = time(&regions).await?;
    let calls = simulator.ledger().total() - before;
    let together = ten.as_secs_f64() <= 1.5 * one.as_secs_f64();
    Ok([
        format!(
            "aliyun, 10 regions: {:.1} s, one region: {:.1} s",
            ten.as_secs_f64(),
            one.as_secs_f64()
        ),
        rows.to_string(),
        calls.to_string(),
        String::new(),
        String::new(),
        String::new(),
        verdict("1.5 x the time of one region", together),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_has_its_rows_and_a_condition_saves_calls_where_the_cloud_applies_it() {
        for &cloud in Cloud::ALL {
            let list = |content| {
                let probe = Probe {
                    cloud,
                    count: 3_000,
                    content,
                };
                under_paused_time(probe.list()).unwrap().0
            };
            let (plain, tagged) = (list(Content::States), list(Content::Tagged));
            assert_eq!((plain.rows, tagged.rows), (3_000, TAGGED), "{cloud}");
            assert_eq!(list(Content::Details).rows, 3_000, "{cloud}");
            assert!(tagged.calls < plain.calls, "{cloud}: {}", tagged.calls);
        }
    }

    #[test]
    fn ten_regions_are_listed_at_the_same_time() {
        let row = under_paused_time(ten_regions(300)).unwrap();
        assert_eq!(row[1], "3000");
        assert!(row[6].ends_with("met"), "{row:?}");
    }
}
