//! `Route`: the server and the proxy of a request, and the words for a failure on the way.

use lifecycle_core::FaultKind;
use reqwest::Url;

use super::{TransportError, proxy::ProxyVariable};

/// Host and port, for error messages.
struct Server {
    host: String,
    port: u16,
}

impl Server {
    /// Leaves out the user and the password.
    fn of(url: &Url) -> Self {
        Self {
            host: url.host_str().unwrap_or_default().to_owned(),
            port: url.port_or_known_default().unwrap_or_default(),
        }
    }
}

/// The server and the proxy of a request, for error messages.
pub(super) struct Route {
    server: Server,
    proxy: Option<(Server, &'static str)>,
    /// Whether the client has connections to the proxy only, without tunnels.
    is_forwarded: bool,
}

impl Route {
    pub(super) fn new(url: &Url, proxy: Option<&ProxyVariable>) -> Self {
        let is_http_proxy = |proxy: &ProxyVariable| proxy.address.scheme().starts_with("http");
        Self {
            server: Server::of(url),
            proxy: proxy.map(|proxy| (Server::of(&proxy.address), proxy.name)),
            is_forwarded: url.scheme() == "http" && proxy.is_some_and(is_http_proxy),
        }
    }

    pub(super) fn to_transport_error(&self, error: reqwest::Error) -> TransportError {
        let error = error.without_url();
        let Server { host, port } = &self.server;
        if !error.is_connect() {
            let moment = match error.is_body() || error.is_decode() {
                true => "during",
                false => "before",
            };
            let message = format!("the connection to {host} broke {moment} the response");
            return TransportError::unclear(message).with_source(error);
        }
        let is_at_proxy = self.is_forwarded || is_before_tunnel(&error);
        let unsent = match (ConnectFailure::of(&error), &self.proxy) {
            (ConnectFailure::Name, Some((Server { host, .. }, variable))) if is_at_proxy => {
                TransportError::unsent(format!(
                    "no address for the proxy {host}: check {variable} and the DNS servers"
                ))
            }
            (ConnectFailure::Name, _) => TransportError::unsent(format!(
                "no address for {host}: check the region name and the DNS servers"
            )),
            (ConnectFailure::Certificate, proxy) => {
                let name = match proxy {
                    Some((proxy, _)) if is_at_proxy => format!("the proxy {}", proxy.host),
                    _ => host.clone(),
                };
                TransportError::unsent(format!("the certificate of {name} is not trusted"))
                    .with_kind(FaultKind::Certificate)
            }
            (ConnectFailure::ProxyLogin, _) => {
                TransportError::unsent(format!("the proxy refused a connection to {host}"))
                    .with_kind(FaultKind::Proxy)
            }
            (ConnectFailure::Other, Some((proxy, variable))) => {
                let proxy = format!("the proxy {}:{} in {variable}", proxy.host, proxy.port);
                TransportError::unsent(match is_at_proxy {
                    true => format!("no connection to {proxy}"),
                    false => format!("no connection to {host}:{port} through {proxy}"),
                })
            }
            (ConnectFailure::Other, None) => {
                TransportError::unsent(format!("no connection to {host}:{port}"))
            }
        };
        unsent.with_source(error)
    }
}

/// Returns the texts of the causes. The types of the causes are private to other crates, so the texts
/// decide; a test with a real connection holds each text.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = String> {
    let first = std::error::Error::source(error);
    std::iter::successors(first, |error| error.source()).map(ToString::to_string)
}

/// Returns whether there was no connection to the proxy.
fn is_before_tunnel(error: &reqwest::Error) -> bool {
    causes(error).any(|text| text.ends_with(" error: failed to create underlying connection"))
}

/// The step at which a connection failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ConnectFailure {
    /// The name of the host has no address.
    Name,
    /// The certificate of the server is not trusted.
    Certificate,
    /// The proxy requires another user name or password (status 407).
    ProxyLogin,
    Other,
}

impl ConnectFailure {
    /// Returns the step that `error` names.
    fn of(error: &reqwest::Error) -> Self {
        for text in causes(error) {
            for (start, failure) in [
                ("dns error", Self::Name),
                ("invalid peer certificate", Self::Certificate),
                (
                    "tunnel error: proxy authorization required",
                    Self::ProxyLogin,
                ),
            ] {
                if text.starts_with(start) {
                    return failure;
                }
            }
        }
        Self::Other
    }
}
