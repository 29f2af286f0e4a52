//! Benchmark: the resident memory of a process after many calls, compared with bare reqwest.

use std::sync::Arc;

use lifecycle_bench::{BenchResult, Memory, Until, client, drive, ids, memory, runtime};
use lifecycle_core::InstanceId;
use lifecycle_facade::Cloud;

use crate::{
    baseline::{self, BaselineRequest, run_with_reqwest},
    probe,
    server::Server,
    settings::BenchSettings,
    table::{Table, verdict},
    workload::{Workload, run_with_client},
};

/// Measures the resident memory of new processes: some with the client, some with bare reqwest.
pub(crate) fn measure(settings: &BenchSettings) -> BenchResult<Table> {
    let server = Server::start()?;
    let mut table = Table::new(
        "Memory",
        [
            "workload",
            "calls",
            "reqwest MiB",
            "reqwest peak",
            "client MiB",
            "client peak",
            "target for the client's peak",
        ],
    );
    for &cloud in Cloud::ALL {
        for concurrency in [1, 64] {
            let probe = |subject| MemoryProbe {
                subject,
                cloud,
                port: server.port(),
                iterations: settings.iterations,
                concurrency,
            };
            let baseline = probe(Subject::Reqwest).run_in_child_process()?;
            let lifecycle = probe(Subject::Client).run_in_child_process()?;
            let mib = |mib: f64| format!("{mib:.1}");
            table.row([
                format!("{cloud}, {concurrency} at a time"),
                (WORKLOAD.calls() * settings.iterations).to_string(),
                mib(baseline.rss_mib),
                mib(baseline.peak_rss_mib),
                mib(lifecycle.rss_mib),
                mib(lifecycle.peak_rss_mib),
                verdict(
                    "1.3 x reqwest",
                    lifecycle.peak_rss_mib <= 1.3 * baseline.peak_rss_mib,
                ),
            ]);
        }
    }
    Ok(table)
}

/// The workload of a probe.
const WORKLOAD: Workload = Workload::StartAndObserve;

/// A process that makes calls and then reports its memory.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct MemoryProbe {
    subject: Subject,
    cloud: Cloud,
    port: u16,
    iterations: u64,
    concurrency: usize,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Subject {
    Client,
    Reqwest,
}

impl MemoryProbe {
    /// Runs the probe in a child process.
    fn run_in_child_process(&self) -> BenchResult<Memory> {
        let subject = match self.subject {
            Subject::Client => "client",
            Subject::Reqwest => "reqwest",
        };
        let numbers = [
            u64::from(self.port),
            self.iterations,
            self.concurrency as u64,
        ];
        let [port, iterations, concurrency] = numbers.map(|number| number.to_string());
        probe::run(&[
            "probe",
            subject,
            self.cloud.as_str(),
            &port,
            &iterations,
            &concurrency,
        ])
    }

    /// Runs the probe. This is the whole work of the child process.
    pub(crate) fn run(&self) -> BenchResult<()> {
        let until = Until::Iterations(self.iterations);
        let run = match self.subject {
            Subject::Client => {
                let client = client(self.cloud, self.port)?;
                let ids: Arc<[InstanceId]> = ids(self.cloud, WORKLOAD.instances())?.into();
                let by_lifecycle =
                    move || run_with_client(client.clone(), Arc::clone(&ids), WORKLOAD);
                runtime()?.block_on(drive(self.concurrency, until, by_lifecycle))
            }
            Subject::Reqwest => {
                let http = baseline::http()?;
                let requests: Arc<[BaselineRequest]> =
                    BaselineRequest::of(self.cloud, self.port, WORKLOAD)?.into();
                let baseline = move || run_with_reqwest(http.clone(), Arc::clone(&requests));
                runtime()?.block_on(drive(self.concurrency, until, baseline))
            }
        };
        run?;
        probe::print(&memory()?)
    }
}
