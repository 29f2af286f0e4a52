//! Benchmark: iterations through one client on two threads, compared with one thread and with a client for each
//! thread.
//!
//! The transport answers at once from memory, so nothing but the client takes time, and threads would wait for
//! nothing but the locks of the client.

use std::{
    panic::resume_unwind,
    sync::Arc,
    thread::{self, ScopedJoinHandle},
};

use async_trait::async_trait;
use bytes::Bytes;
use lifecycle_bench::{BenchResult, Run, Until, client_over, drive, ids, key, provider, runtime};
use lifecycle_core::{
    Endpoint, HttpResponse, InstanceId, Provider as _, SigningContext, StartOptions,
};
use lifecycle_facade::{Client, Cloud, Transport, TransportError};

use crate::{
    answers::{BATCH, recorded},
    rounds::Rounds,
    settings::{BenchSettings, Schedule},
    table::{Table, verdict},
    workload::{Workload, run_with_client},
};

/// Measures a start and an observation of a hundred instances in a loop.
pub(crate) fn measure(settings: &BenchSettings) -> BenchResult<Table> {
    let mut table = Table::new(
        "Threads",
        [
            "start of 100, observation of 100",
            "1 thread/s",
            "2 threads/s",
            "/ 1 thread",
            "a client each/s",
            "/ a client each",
            "target",
        ],
    );
    for &cloud in Cloud::ALL {
        let rounds = compare(cloud, settings.calls)?;
        let rate = |subject| format!("{:.0}", 1.0 / rounds.best(subject));
        let share = rounds.ratio(OWN, SHARED);
        table.row([
            cloud.to_string(),
            rate(ONE),
            rate(SHARED),
            format!("{:.2}", rounds.ratio(ONE, SHARED)),
            rate(OWN),
            format!("{share:.2}"),
            verdict("0.95 x a client each", share >= 0.95),
        ]);
    }
    Ok(table)
}

// The positions of the subjects in a round.
const ONE: usize = 0;
const SHARED: usize = 1;
const OWN: usize = 2;

fn compare(cloud: Cloud, Schedule { rounds, span }: Schedule) -> BenchResult<Rounds<3>> {
    let ids: Arc<[InstanceId]> = ids(cloud, BATCH)?.into();
    let client = || client_over(cloud, RecordedCloud::of(cloud)?);
    let (first, second) = (client()?, client()?);
    let round = || {
        Ok([
            seconds(&[&first], &ids, Until::Elapsed(span))?,
            seconds(&[&first, &first], &ids, Until::Elapsed(span))?,
            seconds(&[&first, &second], &ids, Until::Elapsed(span))?,
        ])
    };
    let costs = (0..rounds).map(|_| round()).collect::<BenchResult<_>>()?;
    Ok(Rounds::new(costs))
}

/// Runs iterations on a thread for each client, and returns the seconds for one iteration of all threads together.
fn seconds(clients: &[&Client], ids: &Arc<[InstanceId]>, until: Until) -> BenchResult<f64> {
    let run = |client: Client, ids: Arc<[InstanceId]>| {
        let iteration =
            move || run_with_client(client.clone(), Arc::clone(&ids), Workload::StartAndObserve);
        runtime()?.block_on(drive(1, until, iteration))
    };
    let runs: Vec<BenchResult<Run>> = thread::scope(|scope| {
        let threads = clients.iter().map(|&client| {
            let (client, ids) = (client.clone(), Arc::clone(ids));
            scope.spawn(move || run(client, ids))
        });
        let threads: Vec<ScopedJoinHandle<'_, _>> = threads.collect();
        let runs = threads.into_iter().map(ScopedJoinHandle::join);
        runs.map(|run| run.unwrap_or_else(|panic| resume_unwind(panic)))
            .collect()
    });
    let mut rate = 0.0;
    for run in runs {
        rate += run?.per_second();
    }
    Ok(1.0 / rate)
}

/// A transport with the recorded responses of one cloud.
#[derive(Debug)]
struct RecordedCloud {
    /// A request of each operation, and the response.
    operations: Vec<(http::Request<Bytes>, HttpResponse)>,
}

impl RecordedCloud {
    fn of(cloud: Cloud) -> BenchResult<Self> {
        let provider = provider(cloud, Endpoint::parse("https://cloud.example")?)?;
        let ids = ids(cloud, BATCH)?;
        let start = provider.act(&StartOptions::default().into(), &ids)?;
        let observe = provider.observe(&ids)?;
        let operations = [&start.request, &observe.request].map(|unsigned| {
            let signed = provider.sign(unsigned, &key(), &SigningContext::from_unix(0, 0))?;
            let response = recorded(&signed)?;
            Ok((signed, response))
        });
        let operations = operations.into_iter().collect::<BenchResult<_>>()?;
        Ok(Self { operations })
    }
}

#[async_trait]
impl Transport for RecordedCloud {
    async fn send(&self, request: http::Request<Bytes>) -> Result<HttpResponse, TransportError> {
        let mut operations = self.operations.iter();
        let found = operations.find(|(example, _)| is_same_operation(example, &request));
        let (_, response) =
            found.ok_or_else(|| TransportError::unsent("no response was recorded"))?;
        Ok(response.clone())
    }
}

/// Two clouds name the operation in a header, and the others in the method and the path.
fn is_same_operation(example: &http::Request<Bytes>, request: &http::Request<Bytes>) -> bool {
    let is_same = |name| example.headers().get(name) == request.headers().get(name);
    example.method() == request.method()
        && example.uri().path() == request.uri().path()
        && is_same("x-acs-action")
        && is_same("x-zc-action")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cloud_answers_from_memory_on_two_threads() {
        for &cloud in Cloud::ALL {
            let client = client_over(cloud, RecordedCloud::of(cloud).unwrap()).unwrap();
            let ids: Arc<[InstanceId]> = ids(cloud, BATCH).unwrap().into();
            let both = [&client, &client];
            let seconds = seconds(&both, &ids, Until::Iterations(3)).unwrap();
            assert!(seconds > 0.0, "{cloud}");
            assert_eq!(client.calls().total(), 12, "{cloud}");
        }
    }
}
