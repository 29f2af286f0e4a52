//! The repeated work, by the client and by bare reqwest.

use std::sync::Arc;

use lifecycle_bench::{Outcome, observe, start};
use lifecycle_core::InstanceId;
use lifecycle_facade::Client;

use crate::answers::BATCH;

/// The repeated work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// A start of one instance.
    Start,
    /// A start of a batch, and a lookup of the whole batch.
    StartAndLook,
}

impl Turn {
    /// Returns the number of instances.
    pub(crate) fn instances(self) -> usize {
        match self {
            Self::Start => 1,
            Self::StartAndLook => BATCH,
        }
    }

    /// Returns the number of calls.
    pub(crate) fn calls(self) -> u64 {
        match self {
            Self::Start => 1,
            Self::StartAndLook => 2,
        }
    }
}

/// Runs one turn through the client. An unexpected result ends the benchmark.
pub(crate) async fn by_client(client: Client, ids: Arc<[InstanceId]>, turn: Turn) -> Outcome<()> {
    let mut failure = start(&client, &ids).await?;
    if turn == Turn::StartAndLook && failure.is_none() {
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
        bare::{self, BareRequest, by_reqwest},
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
    fn every_turn_gets_good_answers_through_the_client_and_through_reqwest() {
        with_server(async |port| {
            for &cloud in Cloud::ALL {
                for turn in [Turn::Start, Turn::StartAndLook] {
                    let ids: Arc<[_]> = ids(cloud, turn.instances()).unwrap().into();
                    let client = client(cloud, port).unwrap();
                    let done = by_client(client.clone(), ids, turn).await;
                    assert!(done.is_ok(), "{cloud} {turn:?}: {done:?}");
                    assert_eq!(client.calls().total(), turn.calls(), "{cloud} {turn:?}");

                    let requests = BareRequest::of(cloud, port, turn).unwrap();
                    assert_eq!(requests.len() as u64, turn.calls());
                    let done = by_reqwest(bare::http().unwrap(), requests.into()).await;
                    assert!(done.is_ok(), "{cloud} {turn:?}: {done:?}");
                }
            }
        });
    }

    #[test]
    fn a_turn_with_a_bad_answer_ends_the_benchmark() {
        with_server(async |port| {
            // The server lists a hundred instances; the last of these is not among them.
            let ids: Arc<[_]> = ids(Cloud::Baidu, BATCH + 1).unwrap()[1..].into();
            let client = client(Cloud::Baidu, port).unwrap();
            let done = by_client(client, ids, Turn::StartAndLook).await;
            assert!(done.unwrap_err().to_string().contains("i-Jmw00101"));
        });
    }
}
