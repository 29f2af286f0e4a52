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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_allowed_to_this_machine_or_by_the_setting() {
        use PlainHttp::{Anywhere, LoopbackOnly};
        for (setting, uri, is_allowed) in [
            (LoopbackOnly, "https://cloud.example/", true),
            (LoopbackOnly, "http://cloud.example/", false),
            (LoopbackOnly, "http://127.0.0.1:8080/", true),
            (LoopbackOnly, "/path", false),
            (Anywhere, "https://cloud.example/", true),
            (Anywhere, "http://cloud.example/", true),
        ] {
            let result = setting.check(&uri.parse().unwrap());
            assert_eq!(result.is_ok(), is_allowed, "{setting:?} {uri}");
            if let Err(fault) = result {
                assert_eq!(fault.kind(), FaultKind::Unsupported);
            }
        }
    }
}
