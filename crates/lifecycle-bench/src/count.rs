//! Work that a process repeats a fixed number of times, for tools that count its instructions.
//!
//! Two processes with different numbers of repetitions differ by the work alone: what the process needs to
//! begin and to end is the same.

use std::{hint::black_box, sync::Arc};

use lifecycle_bench::{BenchResult, client, ids, key, provider, runtime, secret};
use lifecycle_core::{Endpoint, InstanceId, Observation, Provider, SigningContext, StartOptions};
use lifecycle_facade::Cloud;

use crate::{
    answers::{BATCH, recorded},
    baseline::{self, BaselineRequest, run_with_reqwest, run_with_typed_reader},
    floor::Floor,
    server::Server,
    workload::{Workload, run_with_client},
};

/// A piece of work, and the number of repetitions.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct CountedWork {
    pub(crate) work: Work,
    pub(crate) cloud: Cloud,
    pub(crate) repetitions: u32,
}

/// The pieces of work whose instructions can be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Work {
    /// The hashing alone of a signed start of one instance.
    Floor,
    /// The hashing alone of a signed start of a batch.
    FloorBatch,
    /// A signed start of one instance.
    Sign,
    /// A signed start of a batch.
    SignBatch,
    /// The observations in a response with a batch of full records.
    Read,
    /// A start of one instance through the client, at a server on this machine.
    Call,
    /// The same call by bare reqwest.
    ReqwestCall,
    /// A start of a batch and an observation of the batch, through the client.
    Iteration,
    /// The same iteration by bare reqwest and a typed reader.
    TypedIteration,
}

impl CountedWork {
    /// Repeats the work. This is the whole work of the child process.
    pub(crate) fn run(&self) -> BenchResult<()> {
        match self.work {
            Work::Floor => self.hash(1),
            Work::FloorBatch => self.hash(BATCH),
            Work::Sign => self.sign(1),
            Work::SignBatch => self.sign(BATCH),
            Work::Read => self.read(),
            Work::Call => self.call(Workload::Start),
            Work::ReqwestCall => self.call_with_reqwest(),
            Work::Iteration => self.call(Workload::StartAndObserve),
            Work::TypedIteration => self.iterate_with_typed_reader(),
        }
    }

    fn hash(&self, count: usize) -> BenchResult<()> {
        let provider = self.provider()?;
        let call = provider.act(&StartOptions::default().into(), &ids(self.cloud, count)?)?;
        let signed = provider.sign(&call.request, &key(), &moment(0))?;
        let floor = Floor::of(self.cloud, &signed, secret())?;
        for _ in 0..self.repetitions {
            black_box(floor.hash());
        }
        Ok(())
    }

    fn sign(&self, count: usize) -> BenchResult<()> {
        let (provider, key) = (self.provider()?, key());
        let (action, ids) = (StartOptions::default().into(), ids(self.cloud, count)?);
        for second in 0..self.repetitions {
            let call = provider.act(&action, &ids)?;
            black_box(provider.sign(&call.request, &key, &moment(second))?);
        }
        Ok(())
    }

    fn read(&self) -> BenchResult<()> {
        let (provider, ids) = (self.provider()?, ids(self.cloud, BATCH)?);
        let call = provider.observe(&ids)?;
        let response = recorded(&provider.sign(&call.request, &key(), &moment(0))?)?;
        for _ in 0..self.repetitions {
            provider.check(&response)?;
            black_box(provider.request_id(&response));
            let rows: Vec<Observation> = call.read(&response)?;
            if black_box(rows).len() != BATCH {
                return Err("the response has another number of rows".into());
            }
        }
        Ok(())
    }

    fn call(&self, workload: Workload) -> BenchResult<()> {
        let server = Server::start()?;
        let client = client(self.cloud, server.port())?;
        let ids: Arc<[InstanceId]> = ids(self.cloud, workload.instances())?.into();
        runtime()?.block_on(async {
            for _ in 0..self.repetitions {
                run_with_client(client.clone(), Arc::clone(&ids), workload).await?;
            }
            Ok(())
        })
    }

    fn call_with_reqwest(&self) -> BenchResult<()> {
        let server = Server::start()?;
        let requests = BaselineRequest::of(self.cloud, server.port(), Workload::Start)?;
        let (http, requests) = (baseline::http()?, Arc::from(requests));
        runtime()?.block_on(async {
            for _ in 0..self.repetitions {
                run_with_reqwest(http.clone(), Arc::clone(&requests)).await?;
            }
            Ok(())
        })
    }

    fn iterate_with_typed_reader(&self) -> BenchResult<()> {
        let (server, workload) = (Server::start()?, Workload::StartAndObserve);
        let requests = BaselineRequest::of(self.cloud, server.port(), workload)?;
        let (http, requests) = (baseline::http()?, Arc::from(requests));
        let ids: Arc<[InstanceId]> = ids(self.cloud, workload.instances())?.into();
        runtime()?.block_on(async {
            for _ in 0..self.repetitions {
                let requests = Arc::clone(&requests);
                run_with_typed_reader(http.clone(), requests, self.cloud, Arc::clone(&ids)).await?;
            }
            Ok(())
        })
    }

    fn provider(&self) -> BenchResult<Box<dyn Provider>> {
        provider(self.cloud, Endpoint::parse("https://api.example.com")?)
    }
}

/// Every signature is for another moment, as in production.
fn moment(second: u32) -> SigningContext {
    let seconds = 1_700_000_000 + i64::from(second);
    SigningContext::from_unix(seconds, u128::from(second).pow(4))
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn every_work_without_a_server_succeeds_for_every_cloud() {
        for &cloud in Cloud::ALL {
            for work in [
                Work::Floor,
                Work::FloorBatch,
                Work::Sign,
                Work::SignBatch,
                Work::Read,
            ] {
                let counted = CountedWork {
                    work,
                    cloud,
                    repetitions: 2,
                };
                let done = counted.run();
                assert!(done.is_ok(), "{cloud} {work:?}: {done:?}");
            }
        }
        assert_eq!(Work::value_variants().len(), 9);
    }
}
