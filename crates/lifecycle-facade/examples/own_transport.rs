//! Sends all requests through the program's own transport: here a transport that counts requests by host.

mod support;

use std::{
    collections::BTreeMap,
    error::Error,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use lifecycle_facade::{Fleet, Transport, TransportError};

/// Counts requests, and sends them through another transport.
#[derive(Debug)]
struct Counting<T> {
    inner: T,
    requests_by_host: Arc<Mutex<BTreeMap<String, usize>>>,
}

#[async_trait::async_trait]
impl<T: Transport> Transport for Counting<T> {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        *self
            .requests_by_host
            .lock()
            .unwrap()
            .entry(host)
            .or_default() += 1;
        self.inner.send(request).await
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), Box<dyn Error>> {
    let (simulator, _) = support::simulated_fleet("aliyun/cn-hangzhou=3,baidu/bj=3")?;
    let requests_by_host = Arc::default();
    let fleet = Fleet::builder()
        .simulated(&simulator)
        // A real program wraps `HttpTransport::new()?`.
        .transport(Counting {
            inner: simulator.transport(),
            requests_by_host: Arc::clone(&requests_by_host),
        })
        .build()?;
    assert!(fleet.start(simulator.instances()).await?.is_success());
    let requests_by_host = requests_by_host.lock().unwrap();
    for (host, count) in &*requests_by_host {
        println!("{host}: {count} requests");
    }
    assert_eq!(requests_by_host.len(), 2);
    Ok(())
}

#[test]
fn example_runs() {
    main().unwrap();
}
