//! The rule for endpoints without TLS.

use lifecycle_core::{Fault, FaultKind, is_loopback};

/// The hosts that requests may reach without TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlainHttp {
    /// Loopback addresses only.
    #[default]
    LoopbackOnly,
    /// All hosts. Everybody between client and cloud can read the responses and replay the
    /// requests.
    Anywhere,
}

impl PlainHttp {
    /// Checks that a request to `uri` uses TLS, or may be sent without TLS.
    pub(crate) fn check(self, uri: &http::Uri) -> Result<(), Fault> {
        let host = uri.host().unwrap_or_default();
        let uses_tls = uri.scheme() == Some(&http::uri::Scheme::HTTPS);
        if uses_tls || self == Self::Anywhere || is_loopback(host) {
            return Ok(());
        }
        // Not a fault of the network: the settings forbid the request.
        Err(Fault::new(
            FaultKind::Unsupported,
            format!(
                "plain HTTP to {host} is not allowed: use https, or allow plain HTTP explicitly"
            ),
        ))
    }
}
