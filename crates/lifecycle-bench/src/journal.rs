//! Benchmark: records that a journal makes durable in a second, and a request with and without a recorder.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use lifecycle_bench::{BenchResult, cpu_time, runtime};
use lifecycle_controller::{Journal, Record, Store, StoreRecorder};
use lifecycle_core::InstanceId;
use lifecycle_facade::{
    CallAnswer, CallRecorder, Cloud, InstanceReport, RecordError, RecordedCall, RecordedRequest,
    Recorder,
};
use lifecycle_sim::Simulator;
use tokio::task::JoinSet;

use crate::{
    settings::BenchSettings,
    simulated::{Simulated, under_paused_time},
    table::{Table, verdict},
};

/// The number of instances of a request: one call.
const INSTANCES: usize = 100;

/// Measures the appends and the requests.
pub(crate) fn measure(settings: &BenchSettings) -> BenchResult<Table> {
    let mut table = Table::new("Journal", ["what", "figure", "unit", "target"]);
    let appends = settings.fleet_sizes[0] / 20;
    for tasks in [1, 64] {
        let rate = runtime()?.block_on(append(appends, tasks))?;
        table.row([
            format!("records synced, {tasks} at a time"),
            format!("{rate:.0}"),
            "a second".to_owned(),
            verdict("20 calls a second", rate >= 20.0),
        ]);
    }
    let requests = settings.fleet_sizes[0] / INSTANCES;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("requests");
    let plain = cost_of_a_request(requests, async || Ok(None))?;
    let empty = cost_of_a_request(requests, async || Ok(Some(Arc::new(NoRecord) as _)))?;
    let journal = cost_of_a_request(requests, async || {
        let store = Arc::new(Journal::open(&path).await?);
        Ok(Some(
            Arc::new(StoreRecorder::new(store, "bench", "bench")) as _
        ))
    })?;
    for (what, cost) in [
        ("no recorder", plain),
        ("a recorder that records nothing", empty),
        ("a journal", journal),
    ] {
        table.row([
            format!("start of {INSTANCES} instances, {what}"),
            format!("{:.0}", cost.as_secs_f64() * 1e6),
            "CPU µs".to_owned(),
            String::new(),
        ]);
    }
    Ok(table)
}

/// Returns the number of records that become durable in a second.
async fn append(records: usize, tasks: usize) -> BenchResult<f64> {
    let folder = tempfile::tempdir()?;
    let journal = Journal::open(folder.path().join("appends")).await?;
    let record: Record = serde_json::from_str(
        r#"{"record":"notice","at":"2026-01-01T00:00:00Z","kind":"bench","message":"a record of the length of a small call: one instance, its state before, its start time, and the id of the operation"}"#,
    )?;
    #[expect(clippy::disallowed_methods, reason = "measures the disk")]
    let begin = Instant::now();
    let mut running = JoinSet::new();
    for _ in 0..tasks {
        let (journal, record) = (journal.clone(), record.clone());
        running.spawn(async move {
            for _ in 0..records.div_ceil(tasks) {
                journal.append(vec![record.clone()]).await?;
            }
            Ok::<_, lifecycle_controller::StoreError>(())
        });
    }
    while let Some(ended) = running.join_next().await {
        ended??;
    }
    let written = records.div_ceil(tasks) * tasks;
    Ok(written as f64 / begin.elapsed().as_secs_f64())
}

/// Returns the processor time of a request, with the simulator's share.
fn cost_of_a_request(
    requests: usize,
    recorder: impl AsyncFnOnce() -> BenchResult<Option<Arc<dyn Recorder>>>,
) -> BenchResult<Duration> {
    under_paused_time(async {
        let simulated = Simulated::new(
            Cloud::Aliyun,
            requests * INSTANCES,
            "stopped",
            Simulator::builder(),
        )?;
        let recorder = recorder().await?;
        let before = cpu_time()?;
        for ids in simulated.ids.chunks(INSTANCES) {
            let mut request = simulated.client.start(ids);
            if let Some(recorder) = &recorder {
                request = request.recorder(Arc::clone(recorder));
            }
            if !request.await?.is_success() {
                return Err("an instance was not started".into());
            }
        }
        let used = cpu_time()?.saturating_sub(before);
        Ok(used / u32::try_from(requests)?)
    })
}

/// A recorder that records nothing.
#[derive(Debug)]
struct NoRecord;

#[async_trait]
impl Recorder for NoRecord {
    async fn begin(&self, _: RecordedRequest) -> Result<Arc<dyn CallRecorder>, RecordError> {
        Ok(Arc::new(Self))
    }
}

#[async_trait]
impl CallRecorder for NoRecord {
    async fn intend(&self, _: RecordedCall) -> Result<u64, RecordError> {
        Ok(1)
    }

    async fn answered(&self, _: u64, _: Vec<(InstanceId, CallAnswer)>) {}

    async fn settled(&self, _: Vec<InstanceReport>) {}

    async fn finished(&self, _: bool) {}
}
