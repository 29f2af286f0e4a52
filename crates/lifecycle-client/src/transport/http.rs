//! `HttpTransport`: the transport to real clouds.

use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use lifecycle_core::{HttpResponse, is_loopback};

use crate::transport::{
    Transport, TransportError, bypass_proxy::BypassProxy, proxy::ProxySettings, system_certificates,
};

/// Sends requests with [reqwest] over HTTP/1.1 or HTTP/2 and rustls.
///
/// Follows no redirects, because a signature is valid for one host only. Reads at most 16 MiB of a
/// response. Takes proxies from the environment (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`): HTTP, HTTPS
/// and SOCKS proxies. Plain HTTP to loopback addresses and to the metadata service bypasses every proxy.
///
/// [reqwest]: https://docs.rs/reqwest
#[derive(Clone, Debug)]
pub struct HttpTransport {
    /// Uses no proxy.
    default: reqwest::Client,
    /// Uses the proxies of the environment; `None` without proxies.
    proxied: Option<reqwest::Client>,
    proxies: ProxySettings,
    /// Uses no proxy and no certificates. For plain HTTP to a simulator on this machine, and to the
    /// metadata service.
    direct: reqwest::Client,
}

/// The largest accepted response. A page of 1000 full records has about 4 MiB.
const MAX_BODY: usize = 16 << 20;

impl HttpTransport {
    /// Creates a transport with its own connection pool.
    ///
    /// # Errors
    /// [`TransportError`] if the machine has no usable store of CA certificates.
    pub fn new() -> Result<Self, TransportError> {
        Self::builder().build()
    }

    /// Returns a builder with default settings.
    pub fn builder() -> HttpTransportBuilder {
        HttpTransportBuilder::default()
    }
}

impl HttpTransport {
    /// Returns the client with or without proxy.
    fn client_for(&self, url: &reqwest::Url) -> &reqwest::Client {
        let is_encrypted = url.scheme() == "https";
        let host = url.host_str().unwrap_or_default();
        let variable = self.proxies.variable_for(is_encrypted, host, url.port());
        match (&self.proxied, variable) {
            (Some(proxied), Some(_)) => proxied,
            _ => &self.default,
        }
    }
}

/// Builds an [`HttpTransport`].
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
    /// Sets the time limit for a new connection; 10 s by default.
    #[must_use]
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// Trusts further certificate authorities. `pem` contains certificates in PEM format.
    ///
    /// # Errors
    /// [`TransportError`] if `pem` contains no certificate or an invalid one.
    pub fn add_certificates(mut self, pem: &[u8]) -> Result<Self, TransportError> {
        let added = reqwest::Certificate::from_pem_bundle(pem).map_err(|error| {
            TransportError::unsent("the CA certificates cannot be read").with_source(error)
        })?;
        if added.is_empty() {
            return Err(TransportError::unsent(
                "the file with CA certificates contains no certificate",
            ));
        }
        self.certificates.extend(added);
        Ok(self)
    }

    /// Builds the transport.
    ///
    /// # Errors
    /// [`TransportError`] if the machine has no usable store of CA certificates, if an added
    /// certificate is invalid, or if a variable names an unusable proxy or certificate store. The error
    /// names the variable.
    pub fn build(self) -> Result<HttpTransport, TransportError> {
        let failed =
            |error| TransportError::unsent("the HTTP client cannot be set up").with_source(error);
        let proxies = ProxySettings::from_environment()?;
        system_certificates::check()?;
        let direct = self.client().tls_certs_only([]);
        let with_certificates = || self.client().tls_certs_merge(self.certificates.clone());
        let proxied = match proxies.is_empty() {
            true => None,
            false => {
                let client = proxies.apply(with_certificates())?;
                Some(client.build().map_err(failed)?)
            }
        };
        Ok(HttpTransport {
            default: with_certificates().build().map_err(failed)?,
            proxied,
            proxies,
            direct: direct.build().map_err(failed)?,
        })
    }

    fn client(&self) -> reqwest::ClientBuilder {
        reqwest::Client::builder()
            .no_proxy()
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
        let bypass_proxy = request.extensions().get::<BypassProxy>().is_some();
        let request = reqwest::Request::try_from(request).map_err(|error| {
            TransportError::unsent("the request cannot be sent").with_source(error.without_url())
        })?;
        let client = match request.url().scheme() {
            "http" if bypass_proxy || is_loopback(request.url().host_str().unwrap_or_default()) => {
                &self.direct
            }
            _ => self.client_for(request.url()),
        };
        let mut response = client.execute(request).await.map_err(to_transport_error)?;
        let status = response.status();
        let headers = std::mem::take(response.headers_mut());
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(to_transport_error)? {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(TransportError::unclear(
                    "the response is longer than 16 MiB",
                ));
            }
            body.extend_from_slice(&chunk);
        }
        let mut whole = http::Response::new(body.freeze());
        *whole.status_mut() = status;
        *whole.headers_mut() = headers;
        Ok(whole)
    }
}

fn to_transport_error(error: reqwest::Error) -> TransportError {
    let error = error.without_url();
    if error.is_connect() {
        TransportError::unsent("no connection").with_source(error)
    } else if error.is_body() || error.is_decode() {
        TransportError::unclear("the connection broke during the response").with_source(error)
    } else {
        TransportError::unclear("the connection broke before the response").with_source(error)
    }
}
