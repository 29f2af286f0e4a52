//! Sends all requests through a transport of its own: here one that counts requests by host.

mod support;

use std::{
    collections::BTreeMap,
    error::Error,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use lifecycle_facade::{Credential, EmptyHost, Fleet, Transport, TransportError};

/// Counts requests, and sends them through another transport.
#[derive(Debug)]
struct Counting<T> {
    inner: T,
    requests: Arc<Mutex<BTreeMap<String, usize>>>,
}

#[async_trait::async_trait]
impl<T: Transport> Transport for Counting<T> {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        *self.requests.lock().unwrap().entry(host).or_default() += 1;
        self.inner.send(request).await
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<(), Box<dyn Error>> {
    let (simulator, _) = support::simulated_fleet("aliyun/cn-hangzhou=3,baidu/bj=3")?;
    let requests = Arc::default();
    let fleet = Fleet::builder()
        // A real program wraps `HttpTransport::new()?`.
        .transport(Counting {
            inner: simulator.transport(),
            requests: Arc::clone(&requests),
        })
        .clock(simulator.clock())
        .machine(EmptyHost)
        .credential(Credential::keys("id", "secret"))
        .build()?;
    assert!(fleet.start(simulator.instances()).await?.is_success());
    let requests = requests.lock().unwrap();
    for (host, count) in &*requests {
        println!("{host}: {count} requests");
    }
    assert_eq!(requests.len(), 2);
    Ok(())
}

#[test]
fn example_runs() {
    main().unwrap();
}
