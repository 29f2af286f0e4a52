//! The workloads of the benchmark of calls, and one iteration of a workload through the client. The
//! module `baseline` has the same iteration without the client.

use std::sync::Arc;

use lifecycle_bench::{BenchResult, observe, start};
use lifecycle_core::InstanceId;
use lifecycle_facade::Client;

use crate::answers::BATCH;

/// The calls of one iteration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Workload {
    /// A start of one instance.
    Start,
    /// A start of a batch, and an observation of the whole batch.
    StartAndObserve,
}

impl Workload {
    /// Returns the number of instances per iteration.
    pub(crate) fn instances(self) -> usize {
        match self {
            Self::Start => 1,
            Self::StartAndObserve => BATCH,
        }
    }

    /// Returns the number of calls per iteration.
    pub(crate) fn calls(self) -> u64 {
        match self {
            Self::Start => 1,
            Self::StartAndObserve => 2,
        }
    }
}

/// Runs one iteration through the client. An unexpected result ends the benchmark.
pub(crate) async fn run_with_client(
    client: Client,
    ids: Arc<[InstanceId]>,
    workload: Workload,
) -> BenchResult<()> {
    let mut failure = start(&client, &ids).await?;
    if workload == Workload::StartAndObserve && failure.is_none() {
        failure = observe(&client, &ids).await?;
    }
    failure.map_or(Ok(()), |text| Err(text.into()))
}

#[cfg(test)]
mod tests {
    use lifecycle_bench::{client, ids, runtime};
    use lifecycle_facade::Cloud;
    use tokio::net::TcpListener;

    use super::*;
    use crate::{
        answers::Answers,
        baseline::{self, BaselineRequest, run_with_reqwest, run_with_typed_reader},
        server::listen,
    };

    /// Runs `check` with the port of a server in this process.
    fn with_server(check: impl AsyncFnOnce(u16)) {
        runtime().unwrap().block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            tokio::spawn(listen(listener, Answers::new().unwrap()));
            check(port).await;
        });
    }

    #[test]
    fn every_iteration_succeeds_through_the_client_and_through_reqwest() {
        with_server(async |port| {
            for &cloud in Cloud::ALL {
                for workload in [Workload::Start, Workload::StartAndObserve] {
                    let ids: Arc<[_]> = ids(cloud, workload.instances()).unwrap().into();
                    let client = client(cloud, port).unwrap();
                    let done = run_with_client(client.clone(), Arc::clone(&ids), workload).await;
                    assert!(done.is_ok(), "{cloud} {workload:?}: {done:?}");
                    assert_eq!(
                        client.calls().total(),
                        workload.calls(),
                        "{cloud} {workload:?}"
                    );

                    let requests = BaselineRequest::of(cloud, port, workload).unwrap();
                    assert_eq!(requests.len() as u64, workload.calls());
                    let requests: Arc<[_]> = requests.into();
                    let http = baseline::http().unwrap();
                    let done = run_with_reqwest(http.clone(), Arc::clone(&requests)).await;
                    assert!(done.is_ok(), "{cloud} {workload:?}: {done:?}");
                    if workload == Workload::StartAndObserve {
                        let done = run_with_typed_reader(http, requests, cloud, ids).await;
                        assert!(done.is_ok(), "{cloud}, typed reader: {done:?}");
                    }
                }
            }
        });
    }

    #[test]
    fn iteration_with_an_unexpected_response_ends_the_benchmark() {
        with_server(async |port| {
            // The server has the instances 1 to 100; the batch has the instances 2 to 101.
            let ids: Arc<[_]> = ids(Cloud::Baidu, BATCH + 1).unwrap()[1..].into();
            let client = client(Cloud::Baidu, port).unwrap();
            let done = run_with_client(client, ids, Workload::StartAndObserve).await;
            assert!(done.unwrap_err().to_string().contains("i-Jmw00101"));
        });
    }
}
