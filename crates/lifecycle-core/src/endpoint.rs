//! `Endpoint`: the address of a cloud's API.

use std::{fmt, net::IpAddr, str::FromStr};

use bytes::Bytes;
use http::HeaderValue;

/// Scheme and authority of a cloud's API, such as `https://api.example.com`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    scheme: http::uri::Scheme,
    authority: http::uri::Authority,
    /// The value of the Host header, ready for every request.
    host_header: HeaderValue,
}

impl Endpoint {
    /// Parses `host`, `host:port`, or a URL with scheme `http` or `https`. The default is HTTPS.
    ///
    /// The default port of the scheme is dropped, because HTTP clients leave this port out of the
    /// Host header, which is signed. Plain HTTP is accepted: the caller decides about plain HTTP.
    ///
    /// # Errors
    /// [`ParseEndpointError`] for another scheme, an invalid host or port, a path, a query, a
    /// fragment or a user name.
    pub fn parse(text: &str) -> Result<Self, ParseEndpointError> {
        let invalid = |problem| ParseEndpointError {
            // The part before an @ is a user name and a password.
            text: text.rsplit('@').next().unwrap_or_default().to_owned(),
            problem,
        };
        if text.contains('#') {
            // A URL parser would drop the fragment, and so the end of a host name.
            return Err(invalid("has a fragment"));
        }
        // HTTP clients send the host in lower case, and the signature covers the sent host.
        let mut whole = text.to_ascii_lowercase();
        if !whole.contains("://") {
            whole.insert_str(0, "https://");
        }
        let uri: http::Uri = whole.parse().map_err(|_| invalid("is not a URL"))?;
        let parts = uri.into_parts();
        let scheme = parts.scheme.ok_or_else(|| invalid("has no scheme"))?;
        if scheme != http::uri::Scheme::HTTPS && scheme != http::uri::Scheme::HTTP {
            return Err(invalid("has a scheme other than https and http"));
        }
        if !matches!(
            parts
                .path_and_query
                .as_ref()
                .map(http::uri::PathAndQuery::as_str),
            None | Some("/" | "")
        ) {
            return Err(invalid(
                "has a path or a query; only scheme, host and port are allowed",
            ));
        }
        let authority = parts.authority.ok_or_else(|| invalid("has no host"))?;
        if authority.as_str().contains('@') {
            return Err(invalid("has a user name; configure the key separately"));
        }
        if authority.host().is_empty() {
            return Err(invalid("has no host"));
        }
        if authority.port_u16().is_none() && authority.as_str() != authority.host() {
            return Err(invalid("has an invalid port"));
        }
        let own_port = if scheme == http::uri::Scheme::HTTPS {
            443
        } else {
            80
        };
        let authority = if authority.port_u16() == Some(own_port) {
            authority
                .host()
                .parse()
                .map_err(|_| invalid("has an invalid host"))?
        } else {
            authority
        };
        let host_header = HeaderValue::from_str(authority.as_str());
        Ok(Self {
            scheme,
            host_header: host_header.map_err(|_| invalid("has an invalid host"))?,
            authority,
        })
    }

    /// Returns the endpoint of a region. `host` returns the host of a region name in lower case.
    ///
    /// Clouds add regions, so every valid name is accepted. A name of more than one label could
    /// lead to a host of another owner.
    ///
    /// # Errors
    /// [`ParseEndpointError`] if `region` is not a label of a host name: 1 to 63 letters, digits
    /// and hyphens, without a hyphen at either end (RFC 1123).
    pub fn of_region(
        region: &str,
        host: impl FnOnce(&str) -> String,
    ) -> Result<Self, ParseEndpointError> {
        let is_label = (1..=63).contains(&region.len())
            && region
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !region.starts_with('-')
            && !region.ends_with('-');
        if !is_label {
            return Err(ParseEndpointError {
                text: region.to_owned(),
                problem: "is not a valid region: use letters, digits and hyphens",
            });
        }
        Self::parse(&host(&region.to_ascii_lowercase()))
    }

    /// Returns host and port as in the Host header, without the default port of the scheme.
    pub fn authority(&self) -> &str {
        self.authority.as_str()
    }

    /// Returns the value of the Host header: the same text as [`authority`](Self::authority).
    pub fn host_header(&self) -> HeaderValue {
        self.host_header.clone()
    }

    /// Returns whether the host is the local machine.
    pub fn is_loopback(&self) -> bool {
        is_loopback(self.authority.host())
    }

    /// Returns whether the scheme is HTTPS.
    pub fn is_encrypted(&self) -> bool {
        self.scheme == http::uri::Scheme::HTTPS
    }

    /// Returns the host, without brackets around an IPv6 address.
    pub fn host(&self) -> &str {
        bare(self.authority.host())
    }

    /// Returns the port, or the default port of the scheme.
    pub fn port(&self) -> u16 {
        let usual = if self.is_encrypted() { 443 } else { 80 };
        self.authority.port_u16().unwrap_or(usual)
    }

    /// Returns the URI of a request to this endpoint. `target` is the percent-encoded path with an
    /// optional query.
    ///
    /// # Errors
    /// [`ParseEndpointError`] if `target` is not a path with an optional query.
    pub fn uri(&self, target: String) -> Result<http::Uri, ParseEndpointError> {
        let invalid = |problem| ParseEndpointError {
            text: self.to_string(),
            problem,
        };
        let path = http::uri::PathAndQuery::from_maybe_shared(Bytes::from(target))
            .map_err(|_| invalid("cannot be used with an invalid path or query"))?;
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(path);
        http::Uri::from_parts(parts).map_err(|_| invalid("makes no valid URL"))
    }
}

/// Returns whether the host of a URL is the local machine: `localhost` or a loopback address.
pub fn is_loopback(host: &str) -> bool {
    let is_address = |address: IpAddr| address.is_loopback();
    host == "localhost" || bare(host).parse().is_ok_and(is_address)
}

fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority)
    }
}

impl FromStr for Endpoint {
    type Err = ParseEndpointError;

    fn from_str(text: &str) -> Result<Self, ParseEndpointError> {
        Self::parse(text)
    }
}

/// The error of an invalid endpoint or region.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} {problem}")]
pub struct ParseEndpointError {
    text: String,
    problem: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_the_local_machine_only() {
        for (host, expected) in [
            ("127.0.0.1", true),
            ("127.9.9.9", true),
            ("[::1]", true),
            ("localhost", true),
            ("localhost.example.com", false),
            ("10.0.0.1", false),
            ("127.0.0.1.example.com", false),
            ("", false),
        ] {
            assert_eq!(is_loopback(host), expected, "{host}");
        }
        let endpoint = Endpoint::parse("http://[::1]:7070").unwrap();
        assert!(endpoint.is_loopback() && !endpoint.is_encrypted());
        assert_eq!((endpoint.host(), endpoint.port()), ("::1", 7070));
        assert_eq!(Endpoint::parse("example.com").unwrap().port(), 443);
    }

    #[test]
    fn region_with_more_than_one_label_is_rejected() {
        let host = |region: &str| format!("api.{region}.example.com");
        let endpoint = Endpoint::of_region("CN-North-4", host).unwrap();
        assert_eq!(endpoint.to_string(), "https://api.cn-north-4.example.com");
        let long = "x".repeat(64);
        for region in [
            "", "-a", "a-", "a.b", "a b", "a/b", "a:1", "a#", "a@b", "ä", &long,
        ] {
            assert!(Endpoint::of_region(region, host).is_err(), "{region:?}");
        }
    }

    #[test]
    fn endpoint_is_parsed_with_and_without_scheme_and_port() {
        for (text, expected) in [
            ("api.example.com", "https://api.example.com"),
            ("https://Example.COM/", "https://example.com"),
            ("https://example.com:443", "https://example.com"),
            ("http://127.0.0.1:7070", "http://127.0.0.1:7070"),
            ("http://127.0.0.1:80", "http://127.0.0.1"),
            ("[::1]:8443", "https://[::1]:8443"),
        ] {
            assert_eq!(Endpoint::parse(text).unwrap().to_string(), expected);
        }
        for text in [
            "",
            "ftp://a",
            "https://a/b",
            "https://a?b",
            "https://u:p@a",
            "https://",
            "https://evil.example#.example.com",
            "example.com:",
            "example.com:port",
            "example.com:99999",
        ] {
            assert!(Endpoint::parse(text).is_err(), "{text:?} was accepted");
        }
        let error = Endpoint::parse("https://user:hidden@example.com").unwrap_err();
        assert_eq!(
            error.to_string(),
            "\"example.com\" has a user name; configure the key separately"
        );
    }

    #[test]
    fn host_header_has_the_port_unless_the_scheme_implies_the_port() {
        for (text, authority, is_loopback) in [
            ("Api.Example.com", "api.example.com", false),
            ("https://api.example.com:443/", "api.example.com", false),
            ("http://api.example.com:443", "api.example.com:443", false),
            ("https://api.example.com:80", "api.example.com:80", false),
            ("http://[::1]:7070", "[::1]:7070", true),
        ] {
            let endpoint = Endpoint::parse(text).unwrap();
            assert_eq!(endpoint.authority(), authority, "{text}");
            assert_eq!(endpoint.host_header(), authority, "{text}");
            assert_eq!(endpoint.is_loopback(), is_loopback, "{text}");
        }
    }

    #[test]
    fn uri_of_a_request_has_scheme_authority_and_target() {
        let endpoint = Endpoint::parse("http://api.example.com:8080").unwrap();
        let uri = endpoint.uri("/v1/instances?limit=10".to_owned()).unwrap();
        assert_eq!(uri, "http://api.example.com:8080/v1/instances?limit=10");
        let error = endpoint.uri("/a b".to_owned()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "\"http://api.example.com:8080\" cannot be used with an invalid path or query"
        );
    }
}
