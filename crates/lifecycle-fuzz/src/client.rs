//! Fuzz target: the client between a caller and a cloud that sends anything: time, waits and
//! outcomes.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, pin_mut};
use lifecycle_client::{Client, Clock, StaticCredential, Transport, TransportError, WaitTimeout};
use lifecycle_core::{HttpResponse, SigningContext};

use crate::{CLOUDS, message::Message, requested, sections, signing_context};

/// Runs requests of a client. The input has the name of the cloud in the first line, then sections
/// `== response`; the transport returns the responses in turn.
///
/// # Panics
/// If the client panics, sends too many requests, does not end, or returns another number of rows
/// than the requested instances.
pub fn check(data: &[u8]) {
    let (cloud, parts) = sections::parse(data);
    let responses: Vec<HttpResponse> = parts
        .iter()
        .filter(|part| part.kind == "response")
        .map(|part| Message::parse(part.content).into_response())
        .collect();
    if responses.is_empty() || !CLOUDS.contains(&cloud.as_str()) {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        // A reboot, an observation and a list, each with a new client and the first response again.
        let run = async {
            power(&client(&cloud, &responses)).await;
            observe(&client(&cloud, &responses)).await;
            list(&client(&cloud, &responses)).await;
        };
        let limit = Duration::from_secs(24 * 3600);
        tokio::time::timeout(limit, run).await.expect("an end");
    });
}

async fn power(client: &Client) {
    let ids = requested();
    let reboot = client.reboot(&ids).wait(WaitTimeout::minutes(3)).await;
    let report = reboot.expect("a report");
    let reported: Vec<_> = report.instances().iter().map(|row| &row.instance).collect();
    assert_eq!(reported, ids.iter().collect::<Vec<_>>());
    let _ = format!("{report:?}");
}

async fn observe(client: &Client) {
    let ids = requested();
    let statuses = client
        .observe(&ids)
        .await
        .expect("a status of each instance");
    let reported: Vec<_> = statuses.iter().map(|status| &status.instance).collect();
    assert_eq!(reported, ids.iter().collect::<Vec<_>>());
}

/// Reads at most 50 pages: a list with an endless number of new rows has no end.
async fn list(client: &Client) {
    let pages = client.list().pages().take(50);
    pin_mut!(pages);
    while let Some(Ok(_)) = pages.next().await {}
}

fn client(cloud: &str, responses: &[HttpResponse]) -> Client {
    let transport = Scripted {
        responses: responses.to_vec(),
        next: AtomicUsize::new(0),
    };
    let key = StaticCredential::new(crate::key());
    let builder = match cloud {
        "aliyun" => Client::builder(crate::aliyun(), key, transport),
        "baidu" => Client::builder(crate::baidu(), key, transport),
        "huawei" => Client::builder(crate::huawei(), key, transport),
        _ => Client::builder(crate::zenlayer(), key, transport),
    };
    builder.clock(FixedClock).seed(7).build()
}

/// A clock that stands still, so that a run can be repeated.
#[derive(Debug)]
struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_780_000_000)
    }

    fn signing_context(&self, offset: i64) -> SigningContext {
        SigningContext::from_unix(signing_context().unix().saturating_add(offset), 7)
    }
}

/// The most requests of one client: three minutes of polls, retries and halved batches.
const MAX_REQUESTS: usize = 2000;

#[derive(Debug)]
struct Scripted {
    responses: Vec<HttpResponse>,
    next: AtomicUsize,
}

#[async_trait]
impl Transport for Scripted {
    async fn send(&self, _: http::Request<Bytes>) -> Result<HttpResponse, TransportError> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        assert!(number < MAX_REQUESTS, "a request without an end");
        // A response takes time, so that virtual time passes in every loop.
        tokio::time::sleep(Duration::from_millis(20)).await;
        Ok(self.responses[number % self.responses.len()].clone())
    }
}
