//! The least that a call can cost: reqwest sends the same bytes and throws the answer away.

use bytes::Bytes;
use http::{HeaderMap, Method};
use lifecycle_bench::{Outcome, ids, key, provider};
use lifecycle_core::{Endpoint, SigningContext, StartOptions};
use lifecycle_facade::Cloud;
use reqwest::{Client, redirect, retry};

use crate::turn::Turn;

/// A reqwest client with the settings that the library's own transport has for this machine.
pub(crate) fn http() -> Outcome<Client> {
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
pub(crate) struct Post {
    method: Method,
    url: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Post {
    /// The requests of a turn, as the library sends them.
    pub(crate) fn of(cloud: Cloud, port: u16, turn: Turn) -> Outcome<Vec<Self>> {
        let endpoint = Endpoint::parse(&format!("http://127.0.0.1:{port}"))?;
        let (provider, ids) = (provider(cloud, endpoint)?, ids(cloud, turn.instances())?);
        let mut drafts = vec![provider.act(&StartOptions::default().into(), &ids)?.request];
        if turn == Turn::StartAndLook {
            drafts.push(provider.observe(&ids)?.request);
        }
        let stamp = SigningContext::from_unix(1_700_000_000, u128::MAX / 3);
        let posts = drafts.iter().map(|draft| {
            let request = provider.sign(draft, &key(), &stamp)?;
            Ok(Self::from(request))
        });
        posts.collect()
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

impl From<http::Request<Bytes>> for Post {
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
