//! Baselines of the benchmark of calls: bare reqwest sends the same bytes, and discards the response or
//! reads the states with a typed reader.

use std::{hint::black_box, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, Method};
use lifecycle_bench::{BenchResult, ids, key, provider};
use lifecycle_core::{Endpoint, InstanceId, SigningContext, StartOptions};
use lifecycle_facade::Cloud;
use reqwest::{Client, redirect, retry};

use crate::{typed::read_states, workload::Workload};

/// Returns a reqwest client with the settings of the library's own transport for this machine.
pub(crate) fn http() -> BenchResult<Client> {
    Ok(Client::builder()
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .tcp_nodelay(true)
        .no_proxy()
        .tls_certs_only([])
        .build()?)
}

/// A request that was signed once and is sent again and again.
#[derive(Clone, Debug)]
pub(crate) struct BaselineRequest {
    method: Method,
    url: String,
    headers: HeaderMap,
    body: Bytes,
}

impl BaselineRequest {
    /// Returns the requests of an iteration, as the library sends them.
    pub(crate) fn of(cloud: Cloud, port: u16, workload: Workload) -> BenchResult<Vec<Self>> {
        let endpoint = Endpoint::parse(&format!("http://127.0.0.1:{port}"))?;
        let (provider, ids) = (
            provider(cloud, endpoint)?,
            ids(cloud, workload.instances())?,
        );
        let mut requests = vec![provider.act(&StartOptions::default().into(), &ids)?.request];
        if workload == Workload::StartAndObserve {
            requests.push(provider.observe(&ids)?.request);
        }
        let context = SigningContext::from_unix(1_700_000_000, u128::MAX / 3);
        let signed = requests.iter().map(|request| {
            let request = provider.sign(request, &key(), &context)?;
            Ok(Self::from(request))
        });
        signed.collect()
    }

    /// Sends the request, and returns the body after the last byte of the response.
    pub(crate) async fn send(&self, http: &Client) -> BenchResult<Bytes> {
        let request = http
            .request(self.method.clone(), &self.url)
            .headers(self.headers.clone())
            .body(self.body.clone());
        let response = request.send().await?.error_for_status()?;
        Ok(response.bytes().await?)
    }
}

/// Runs one iteration by bare reqwest, which reads nothing but the status of a response.
pub(crate) async fn run_with_reqwest(
    http: Client,
    requests: Arc<[BaselineRequest]>,
) -> BenchResult<()> {
    for request in requests.iter() {
        black_box(request.send(&http).await?);
    }
    Ok(())
}

/// Runs one iteration by bare reqwest, and reads the states in the last response.
pub(crate) async fn run_with_typed_reader(
    http: Client,
    requests: Arc<[BaselineRequest]>,
    cloud: Cloud,
    ids: Arc<[InstanceId]>,
) -> BenchResult<()> {
    let mut last = Bytes::new();
    for request in requests.iter() {
        last = request.send(&http).await?;
    }
    black_box(read_states(cloud, &last, &ids)?);
    Ok(())
}

impl From<http::Request<Bytes>> for BaselineRequest {
    fn from(request: http::Request<Bytes>) -> Self {
        let (parts, body) = request.into_parts();
        Self {
            method: parts.method,
            url: parts.uri.to_string(),
            headers: parts.headers,
            body,
        }
    }
}
