//! The least that a call can cost: reqwest sends the same bytes and throws the answer away.

use bytes::Bytes;
use http::{HeaderMap, Method};
use lifecycle_bench::{Outcome, key, provider};
use lifecycle_core::{Endpoint, InstanceId, Stamp, StartOptions};
use lifecycle_facade::Cloud;
use reqwest::{Client, redirect, retry};

/// A reqwest client with the settings of the library's own transport.
pub(crate) fn http() -> Outcome<Client> {
    Ok(Client::builder()
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .build()?)
}

/// A request that was signed once and is sent again and again.
#[derive(Clone, Debug)]
pub(crate) struct Post {
    method: Method,
    url: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Post {
    /// A start of `ids`, and a look at them, as the library sends them.
    pub(crate) fn both(cloud: Cloud, port: u16, ids: &[InstanceId]) -> Outcome<[Self; 2]> {
        let endpoint = Endpoint::parse(&format!("http://127.0.0.1:{port}"))?;
        let provider = provider(cloud, endpoint)?;
        let stamp = Stamp::from_unix(1_700_000_000, u128::MAX / 3);
        let signed = |draft| provider.sign(&draft, &key(), &stamp).map(Self::new);
        Ok([
            signed(provider.act(&StartOptions::default().into(), ids)?.draft)?,
            signed(provider.observe(ids)?.draft)?,
        ])
    }

    fn new(request: http::Request<Bytes>) -> Self {
        let (parts, body) = request.into_parts();
        Self {
            method: parts.method,
            url: parts.uri.to_string(),
            headers: parts.headers,
            body,
        }
    }

    /// Sends it, and waits for the last byte of the answer.
    pub(crate) async fn send(&self, http: &Client) -> Outcome<()> {
        let request = http
            .request(self.method.clone(), &self.url)
            .headers(self.headers.clone())
            .body(self.body.clone());
        let answer = request.send().await?.error_for_status()?;
        std::hint::black_box(answer.bytes().await?);
        Ok(())
    }
}
