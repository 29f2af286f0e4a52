//! `HttpTransport`: the transport to real clouds.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use lifecycle_core::{HttpResponse, is_loopback};
use tokio::{sync::OnceCell, task::spawn_blocking};

use crate::transport::{
    Transport, TransportError,
    body::IncomingBody,
    markers::{BypassProxy, OwnConnection},
    proxy::{ProxySettings, ProxyVariable},
    route::Route,
    system_certificates,
};

/// Sends requests with [reqwest] over HTTP/1.1 and rustls; with the feature `http2` over HTTP/2 where the
/// server offers HTTP/2.
///
/// Sends a request marked with [`OwnConnection`] on a new connection, and all other requests on pooled
/// connections. Follows no redirects, because a signature is valid for one host only. Reads at most 16 MiB
/// of a response. Takes proxies from the environment (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`): HTTP, HTTPS
/// and SOCKS proxies. As in curl, the name in lower case has precedence, and an empty variable
/// counts as not set. Plain HTTP to loopback addresses and to the metadata service bypasses every proxy.
///
/// [reqwest]: https://docs.rs/reqwest
#[derive(Clone)]
pub struct HttpTransport {
    /// Uses no proxy.
    default: reqwest::Client,
    /// Uses the proxies of the environment; `None` without proxies.
    proxied: Option<reqwest::Client>,
    proxies: ProxySettings,
    /// Uses no proxy and no certificates. For plain HTTP to a simulator on this machine, and to the
    /// metadata service.
    direct: reqwest::Client,
    /// Opens a connection for each request. Built at the first use, because the store of CA
    /// certificates takes time to read.
    unpooled: Arc<OnceCell<Self>>,
    builder: HttpTransportBuilder,
}

/// Leaves out the clients, which can have the password of a proxy.
impl fmt::Debug for HttpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpTransport")
            .field("proxies", &self.proxies)
            .field("builder", &self.builder)
            .finish_non_exhaustive()
    }
}

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

    /// Returns the transport that opens a connection for each request. The first use builds the transport on
    /// the threads for blocking calls.
    async fn unpooled(&self) -> Result<&Self, TransportError> {
        let build = || async {
            let builder = HttpTransportBuilder {
                max_idle: 0,
                ..self.builder.clone()
            };
            let built = spawn_blocking(move || builder.build()).await;
            built.unwrap_or_else(|error| Err(not_set_up(error)))
        };
        self.unpooled.get_or_try_init(build).await
    }
}

impl HttpTransport {
    /// Returns the client with or without proxy, and the proxy.
    fn client_for(&self, url: &reqwest::Url) -> (&reqwest::Client, Option<&ProxyVariable>) {
        let is_encrypted = url.scheme() == "https";
        let host = url.host_str().unwrap_or_default();
        let proxy = self.proxies.proxy_for(is_encrypted, host, url.port());
        match (&self.proxied, proxy) {
            (Some(proxied), Some(proxy)) => (proxied, Some(proxy)),
            _ => (&self.default, None),
        }
    }
}

/// Builds an [`HttpTransport`].
#[derive(Clone, Debug)]
pub struct HttpTransportBuilder {
    connect_timeout: Duration,
    certificates: Vec<reqwest::Certificate>,
    /// The number of idle connections to keep for each host.
    max_idle: usize,
}

impl Default for HttpTransportBuilder {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            certificates: Vec::new(),
            max_idle: usize::MAX,
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
        let proxies = ProxySettings::from_environment()?;
        system_certificates::check()?;
        let direct = self.client().tls_certs_only([]);
        let with_certificates = || self.client().tls_certs_merge(self.certificates.clone());
        let proxied = match proxies.is_empty() {
            true => None,
            false => {
                let client = proxies.apply(with_certificates())?;
                Some(client.build().map_err(not_set_up)?)
            }
        };
        Ok(HttpTransport {
            default: with_certificates().build().map_err(not_set_up)?,
            proxied,
            proxies,
            direct: direct.build().map_err(not_set_up)?,
            unpooled: Arc::default(),
            builder: self,
        })
    }

    fn client(&self) -> reqwest::ClientBuilder {
        reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(self.connect_timeout)
            .pool_max_idle_per_host(self.max_idle)
            .pool_idle_timeout(Duration::from_secs(60))
            .tcp_nodelay(true)
    }
}

#[async_trait]
impl Transport for HttpTransport {
    async fn send(&self, request: http::Request<Bytes>) -> Result<HttpResponse, TransportError> {
        let transport = match request.extensions().get::<OwnConnection>() {
            Some(_) => self.unpooled().await?,
            None => self,
        };
        let bypass_proxy = request.extensions().get::<BypassProxy>().is_some();
        let request = reqwest::Request::try_from(request).map_err(|error| {
            TransportError::unsent("the request cannot be sent").with_source(error.without_url())
        })?;
        let (client, proxy) = match request.url().scheme() {
            "http" if bypass_proxy || is_loopback(request.url().host_str().unwrap_or_default()) => {
                (&transport.direct, None)
            }
            _ => transport.client_for(request.url()),
        };
        let route = Route::new(request.url(), proxy);
        let failed = |error| route.to_transport_error(error);
        let mut response = client.execute(request).await.map_err(failed)?;
        let status = response.status();
        let headers = std::mem::take(response.headers_mut());
        let mut body = IncomingBody::with_length(response.content_length());
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            body.push(chunk)?;
        }
        let mut whole = http::Response::new(body.into_bytes());
        *whole.status_mut() = status;
        *whole.headers_mut() = headers;
        Ok(whole)
    }
}

fn not_set_up(error: impl std::error::Error + Send + Sync + 'static) -> TransportError {
    TransportError::unsent("the HTTP client cannot be set up").with_source(error)
}
