//! The transport that talks to real clouds.

use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use lifecycle_core::{HttpResponse, is_loopback};

use crate::transport::{Transport, TransportError, bypass_proxy::BypassProxy};

/// Sends requests with [reqwest] over HTTP/1.1 or HTTP/2 and rustls.
///
/// Follows no redirect, because a signature is good for one host only. Reads at most 16 MiB of an
/// answer. Proxies come from the environment as reqwest reads them (`HTTPS_PROXY`, `NO_PROXY`);
/// plain HTTP to this machine, and to its metadata service, goes through none.
///
/// [reqwest]: https://docs.rs/reqwest
#[derive(Clone, Debug)]
pub struct HttpTransport {
    clouds: reqwest::Client,
    /// Without proxy and certificates: a simulator on this machine, or the metadata service of its
    /// cloud, is nobody else's business.
    nearby: reqwest::Client,
}

/// Longer answers are cut off: the largest page of 1000 full records is about 4 MiB.
const MAX_BODY: usize = 16 << 20;

impl HttpTransport {
    /// A transport with its own connection pool.
    ///
    /// # Errors
    /// [`TransportError`] when the machine has no usable store of CA certificates.
    pub fn new() -> Result<Self, TransportError> {
        Self::builder().build()
    }

    /// A transport with settings.
    pub fn builder() -> HttpTransportBuilder {
        HttpTransportBuilder::default()
    }
}

/// Settings of an [`HttpTransport`].
#[derive(Clone, Debug)]
pub struct HttpTransportBuilder {
    connect_timeout: Duration,
    certificates: Vec<reqwest::Certificate>,
}

impl Default for HttpTransportBuilder {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            certificates: Vec::new(),
        }
    }
}

impl HttpTransportBuilder {
    /// How long a connection may take to come about; 10 s by default.
    #[must_use]
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// Trusts these certificate authorities, too. `pem` holds one or more certificates in PEM.
    ///
    /// # Errors
    /// [`TransportError`] when there is none in it, or one that cannot be read.
    pub fn add_certificates(mut self, pem: &[u8]) -> Result<Self, TransportError> {
        let read = reqwest::Certificate::from_pem_bundle(pem).map_err(|error| {
            TransportError::unsent("the CA certificates cannot be read").with_source(error)
        })?;
        if read.is_empty() {
            return Err(TransportError::unsent(
                "the file with CA certificates holds none",
            ));
        }
        self.certificates.extend(read);
        Ok(self)
    }

    /// The transport.
    ///
    /// # Errors
    /// [`TransportError`] when the machine has no usable store of CA certificates, or one of the
    /// added ones is no certificate.
    pub fn build(self) -> Result<HttpTransport, TransportError> {
        let failed =
            |error| TransportError::unsent("the HTTP client cannot be set up").with_source(error);
        let nearby = self.client().no_proxy().tls_certs_only([]);
        let clouds = self.client().tls_certs_merge(self.certificates);
        Ok(HttpTransport {
            clouds: clouds.build().map_err(failed)?,
            nearby: nearby.build().map_err(failed)?,
        })
    }

    fn client(&self) -> reqwest::ClientBuilder {
        reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(self.connect_timeout)
            .pool_idle_timeout(Duration::from_secs(60))
            .tcp_nodelay(true)
    }
}

#[async_trait]
impl Transport for HttpTransport {
    async fn send(&self, request: http::Request<Bytes>) -> Result<HttpResponse, TransportError> {
        let is_direct = request.extensions().get::<BypassProxy>().is_some();
        let request = reqwest::Request::try_from(request).map_err(|error| {
            TransportError::unsent("the request cannot be sent").with_source(error.without_url())
        })?;
        let client = match request.url().scheme() {
            "http" if is_direct || is_loopback(request.url().host_str().unwrap_or_default()) => {
                &self.nearby
            }
            _ => &self.clouds,
        };
        let mut response = client.execute(request).await.map_err(explain)?;
        let status = response.status();
        let headers = std::mem::take(response.headers_mut());
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(explain)? {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(TransportError::unclear("the answer is longer than 16 MiB"));
            }
            body.extend_from_slice(&chunk);
        }
        let mut whole = http::Response::new(body.freeze());
        *whole.status_mut() = status;
        *whole.headers_mut() = headers;
        Ok(whole)
    }
}

fn explain(error: reqwest::Error) -> TransportError {
    let error = error.without_url();
    if error.is_connect() {
        TransportError::unsent("no connection").with_source(error)
    } else if error.is_body() || error.is_decode() {
        TransportError::unclear("the connection broke within the answer").with_source(error)
    } else {
        TransportError::unclear("the connection broke before the answer").with_source(error)
    }
}
