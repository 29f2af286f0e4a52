//! Benchmark: lists of large simulated fleets without details, with details, and by tag; and the selection
//! of ten regions compared with one region.

use std::time::Duration;

use clap::ValueEnum;
use lifecycle_bench::{BenchResult, cpu_time, memory};
use lifecycle_core::{InstanceDetails, InstanceFilter, Observation};
use lifecycle_facade::{Cloud, Credential, Fleet, ListRequest, Selector};
use lifecycle_sim::{InstanceTemplate, Simulator, SimulatorBuilder};
use tokio::time::Instant;

use crate::{
    probe,
    record::{Recorder, TimedRequest, replay_requests},
    settings::BenchSettings,
    simulated::{Simulated, under_paused_time},
    table::{Table, verdict},
};

/// The number of instances with the tag, among all instances of the fleet.
const TAGGED: usize = 100;

/// Measures the three lists of each cloud, and the ten regions. Each list has a process of its own, because
/// a process keeps freed memory.
pub(crate) fn measure(settings: &BenchSettings) -> BenchResult<Table> {
    let mut table = Table::new(
        "Lists and selections",
        [
            "cloud, instances, list",
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
        // The memory that the details need beyond their text.
        let overhead = detailed.bytes - plain.bytes - (detailed.text_bytes - plain.text_bytes);
        let verdicts = [
            String::new(),
            verdict("200 bytes beyond the text", overhead <= 200.0),
            verdict(&format!("{TAGGED} rows"), tagged.rows == TAGGED),
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

/// A process that makes one list of a fleet with `count` instances.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Probe {
    cloud: Cloud,
    count: usize,
    content: Content,
}

/// The content of a list.
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
    /// Processor time of the client, in microseconds per instance of the fleet.
    cpu_us: f64,
    /// Growth of the process while the rows are kept, in bytes per row.
    bytes: f64,
    /// Length of all texts of the rows, in bytes per row.
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
        let count = self.count.to_string();
        probe::run(&["selection-probe", self.cloud.as_str(), &count, content])
    }

    /// Runs the probe: the whole life of the probe's process.
    pub(crate) fn run(&self) -> BenchResult<()> {
        probe::print(&self.figures()?)
    }

    /// Makes one run, then sends the requests once more without a client: the time of the replay is the
    /// simulator's share.
    fn figures(&self) -> BenchResult<Figures> {
        let (figures, requests) = under_paused_time(self.list())?;
        let without_client = under_paused_time(self.replay(requests))?;
        Ok(Figures {
            cpu_us: figures.cpu_us - self.us_per_instance(without_client),
            ..figures
        })
    }

    /// Returns the figures of a run, with the processor time of client and simulator, and the requests.
    async fn list(&self) -> BenchResult<(Figures, Vec<TimedRequest>)> {
        let recorder = Recorder::new();
        let simulated = Simulated::with_transport(
            self.cloud,
            self.count - TAGGED,
            "stopped",
            self.tagged_instances()?,
            |transport| recorder.wrap(transport),
        )?;
        let (before, cpu) = (memory()?.rss_mib, cpu_time()?);
        let rows = self.request(simulated.client.list()).await?;
        let (cpu, after) = (cpu_time()?.saturating_sub(cpu), memory()?.rss_mib);
        let row_count = rows.len().max(1) as f64;
        let text_bytes: usize = rows.iter().map(text_length).sum();
        let requests = recorder.take();
        let figures = Figures {
            rows: rows.len(),
            calls: requests.len(),
            cpu_us: self.us_per_instance(cpu),
            bytes: (after - before) * 1024.0 * 1024.0 / row_count,
            text_bytes: text_bytes as f64 / row_count,
        };
        Ok((figures, requests))
    }

    /// Returns the request with the content of this probe.
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

    /// Returns the processor time of the simulator alone.
    async fn replay(&self, requests: Vec<TimedRequest>) -> BenchResult<Duration> {
        let simulated = Simulated::new(
            self.cloud,
            self.count - TAGGED,
            "stopped",
            self.tagged_instances()?,
        )?;
        let cpu = cpu_time()?;
        replay_requests(requests, &simulated.simulator.transport()).await?;
        Ok(cpu_time()?.saturating_sub(cpu))
    }

    /// Returns the builder of a simulator with the tagged instances.
    fn tagged_instances(&self) -> BenchResult<SimulatorBuilder> {
        let tagged = InstanceTemplate::new().name("tagged-#").tag("env", "bench");
        let location = lifecycle_bench::location(self.cloud)?;
        Ok(Simulator::builder().instances(&format!("{location}={TAGGED}"), tagged)?)
    }

    /// Returns a time in microseconds per instance of the fleet.
    fn us_per_instance(&self, all: Duration) -> f64 {
        all.as_secs_f64() * 1e6 / self.count as f64
    }
}

/// Returns the length of all texts of a row, in bytes.
fn text_length(row: &Observation) -> usize {
    let own = row.instance.as_str().len() + row.raw.len();
    let optional = [&row.name, &row.started_at].into_iter().flatten();
    let details = row.details.as_deref().map_or(0, details_length);
    own + optional.map(String::len).sum::<usize>() + details
}

/// Returns the length of all texts of the details, in bytes.
fn details_length(details: &InstanceDetails) -> usize {
    let texts = [&details.zone, &details.instance_type]
        .into_iter()
        .flatten();
    let times = [
        &details.created_at,
        &details.started_at,
        &details.expires_at,
    ];
    let tags = details.tags.iter();
    let addresses = details.private_ips.iter().chain(details.public_ips.iter());
    texts.map(|text| text.len()).sum::<usize>()
        + times
            .into_iter()
            .flatten()
            .map(|time| time.to_string().len())
            .sum::<usize>()
        + tags
            .map(|tag| tag.key.len() + tag.value.len())
            .sum::<usize>()
        + addresses.map(str::len).sum::<usize>()
}

/// Selects all instances of ten regions of one account, and compares the time with one region. Each region
/// has `instances` instances.
async fn ten_regions(instances: usize) -> BenchResult<[String; 7]> {
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
    let instances: Vec<String> = regions
        .iter()
        .map(|region| format!("aliyun/{region}={instances}"))
        .collect();
    let key = Credential::keys("id", "secret");
    let simulator = Simulator::builder()
        .credential(lifecycle_sim::Cloud::Aliyun, &key)
        .fleet(&instances.join(","))?
        .build();
    let fleet = Fleet::builder()
        .transport(simulator.transport())
        .clock(simulator.clock())
        .credential(key)
        .build()?;
    let time_selection = async |regions: &[&str]| {
        let mut selector = Selector::new();
        for region in regions {
            selector = selector.location(format!("aliyun/{region}").parse()?);
        }
        let begin = Instant::now();
        let rows = fleet.select(&selector).await?.instances.len();
        BenchResult::Ok((rows, begin.elapsed()))
    };
    let (_, one_region) = time_selection(&regions[..1]).await?;
    let calls_before = simulator.ledger().total();
    let (rows, all_regions) = time_selection(&regions).await?;
    let calls = simulator.ledger().total() - calls_before;
    let are_concurrent = all_regions.as_secs_f64() <= 1.5 * one_region.as_secs_f64();
    Ok([
        format!(
            "aliyun, 10 regions: {:.1} s, one region: {:.1} s",
            all_regions.as_secs_f64(),
            one_region.as_secs_f64()
        ),
        rows.to_string(),
        calls.to_string(),
        String::new(),
        String::new(),
        String::new(),
        verdict("1.5 x the time of one region", are_concurrent),
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
