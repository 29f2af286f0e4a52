//! The proxies in environment variables, and the hosts that are called without a proxy.
//!
//! The HTTP client would drop a value that cannot be read, and calls would bypass the proxy. So this
//! module reads the variables, and an unusable value is an error.

mod no_proxy;

use std::fmt;

use reqwest::{Proxy, Url};

use crate::transport::TransportError;
use no_proxy::NoProxy;

/// The proxies of this process.
#[derive(Clone, Debug, Default)]
pub(crate) struct ProxySettings {
    https: Option<ProxyVariable>,
    http: Option<ProxyVariable>,
    no_proxy: NoProxy,
}

/// A variable with the address of a proxy.
#[derive(Clone)]
pub(crate) struct ProxyVariable {
    pub(crate) name: &'static str,
    /// Has the port of the proxy, except the default port of HTTP and HTTPS.
    pub(crate) address: Url,
}

/// Leaves out the address, which can have a password.
impl fmt::Debug for ProxyVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyVariable")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl ProxySettings {
    /// Reads `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, and the same names in lower case.
    /// As in curl, the name in lower case has precedence, and an empty variable counts as not set: an
    /// empty `no_proxy` leaves `NO_PROXY` in force.
    ///
    /// # Errors
    /// [`TransportError`] with the name of a variable that has no usable address.
    pub(crate) fn from_environment() -> Result<Self, TransportError> {
        Self::read(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    fn read(variable: impl Fn(&'static str) -> Option<String>) -> Result<Self, TransportError> {
        let first = |names: &[&'static str]| {
            names.iter().find_map(|name| {
                let value = variable(name)?;
                let value = value.trim();
                (!value.is_empty()).then(|| (*name, value.to_owned()))
            })
        };
        let proxy = |names: &[&'static str]| {
            let found = first(names);
            found
                .map(|(name, value)| match parse(&value) {
                    Some(address) => Ok(ProxyVariable { name, address }),
                    None => Err(unusable(name)),
                })
                .transpose()
        };
        // In a CGI program, HTTP_PROXY is a header of the caller.
        let http: &[_] = match variable("REQUEST_METHOD") {
            Some(_) => &["http_proxy", "all_proxy", "ALL_PROXY"],
            None => &["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"],
        };
        let no_proxy = first(&["no_proxy", "NO_PROXY"]);
        Ok(Self {
            https: proxy(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])?,
            http: proxy(http)?,
            no_proxy: NoProxy::parse(&no_proxy.map(|(_, value)| value).unwrap_or_default()),
        })
    }

    /// Returns the proxy of a call; `None` for a call without a proxy.
    pub(crate) fn proxy_for(
        &self,
        is_encrypted: bool,
        host: &str,
        port: Option<u16>,
    ) -> Option<&ProxyVariable> {
        let (proxy, default) = match is_encrypted {
            true => (&self.https, 443),
            false => (&self.http, 80),
        };
        let is_direct = self.no_proxy.contains(host, port.unwrap_or(default));
        proxy.as_ref().filter(|_| !is_direct)
    }

    /// Returns the variable with the proxy of a call over TLS.
    fn variable_for(&self, host: &str, port: u16) -> Option<&'static str> {
        self.proxy_for(true, host, Some(port))
            .map(|proxy| proxy.name)
    }

    /// Returns whether there is no proxy at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.https.is_none() && self.http.is_none()
    }

    /// Sends all calls of `client` through the proxies.
    pub(crate) fn apply(
        &self,
        mut client: reqwest::ClientBuilder,
    ) -> Result<reqwest::ClientBuilder, TransportError> {
        type NewProxy = fn(Url) -> reqwest::Result<Proxy>;
        let proxies: [(_, NewProxy); 2] = [(&self.https, Proxy::https), (&self.http, Proxy::http)];
        for (variable, proxy) in proxies {
            if let Some(variable) = variable {
                let proxy = proxy(variable.address.clone()).map_err(|_| unusable(variable.name))?;
                client = client.proxy(proxy);
            }
        }
        Ok(client)
    }
}

/// Returns the environment variable with the proxy that a call over TLS to `host` goes through; `None`
/// for a call without a proxy.
///
/// # Errors
/// [`TransportError`] with the name of a variable that has no usable address.
pub fn proxy_variable(host: &str, port: u16) -> Result<Option<&'static str>, TransportError> {
    Ok(ProxySettings::from_environment()?.variable_for(host, port))
}

/// Returns [`proxy_variable`] for other variables than those of this process. For the fuzz target.
///
/// # Errors
/// [`TransportError`] with the name of a variable that has no usable address.
#[cfg(feature = "fuzzing")]
pub fn proxy_variable_of(
    variable: impl Fn(&'static str) -> Option<String>,
    host: &str,
    port: u16,
) -> Result<Option<&'static str>, TransportError> {
    Ok(ProxySettings::read(variable)?.variable_for(host, port))
}

/// The port of a SOCKS proxy without a port in the address.
const SOCKS_PORT: u16 = 1080;

/// Parses an address such as `http://user:password@proxy:8080`, `socks5://proxy:1080` or `proxy:8080`.
fn parse(address: &str) -> Option<Url> {
    const SCHEMES: [&str; 6] = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];
    let url = match address.contains("://") {
        true => address.parse::<Url>(),
        false => format!("http://{address}").parse(),
    };
    let mut url = url.ok()?;
    let is_usable =
        SCHEMES.contains(&url.scheme()) && url.host_str().is_some_and(|h| !h.is_empty());
    if url.port_or_known_default().is_none() {
        url.set_port(Some(SOCKS_PORT)).ok()?;
    }
    is_usable.then_some(url)
}

/// Returns the error of a variable, without the value, which can hold a password.
fn unusable(name: &str) -> TransportError {
    TransportError::unsent(format!(
        "{name} is not the address of a proxy: write http://HOST:PORT, https://HOST:PORT or socks5h://HOST:PORT, or remove the variable"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&'static str, &str)]) -> Result<ProxySettings, String> {
        let variable = |name: &str| {
            let mut variables = variables.iter();
            let found = variables.find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        ProxySettings::read(variable).map_err(|error| error.to_string())
    }

    #[test]
    fn unusable_address_is_an_error_with_the_variable_and_without_the_value() {
        for value in [
            "::::",
            "http://",
            "ftp://hidden:1",
            "http://ops:hidden@",
            "http://a:99999",
        ] {
            for name in [
                "HTTPS_PROXY",
                "https_proxy",
                "ALL_PROXY",
                "all_proxy",
                "http_proxy",
            ] {
                let error = read(&[(name, value)]).unwrap_err();
                assert!(error.starts_with(name), "{error}");
                assert!(!error.contains("hidden"), "{error}");
            }
        }
    }

    #[test]
    fn debug_text_has_the_name_of_the_variable_and_no_password() {
        let settings = read(&[("HTTPS_PROXY", "http://ops:hidden@proxy.example:8080")]);
        let text = format!("{:?}", settings.unwrap());
        assert!(text.contains("HTTPS_PROXY"), "{text}");
        assert!(!text.contains("hidden"), "{text}");
    }

    #[test]
    fn settings_are_empty_without_any_proxy() {
        for (name, is_empty) in [
            ("NO_PROXY", true),
            ("HTTPS_PROXY", false),
            ("HTTP_PROXY", false),
            ("ALL_PROXY", false),
        ] {
            let settings = read(&[(name, "http://proxy.example:8080")]).unwrap();
            assert_eq!(settings.is_empty(), is_empty, "{name}");
        }
    }

    #[test]
    fn port_of_a_call_is_the_default_of_its_scheme() {
        let proxy = ("ALL_PROXY", "http://proxy.example:8080");
        for (no_proxy, is_encrypted, port, is_direct) in [
            ("cloud.example:443", true, None, true),
            ("cloud.example:443", false, None, false),
            ("cloud.example:80", false, None, true),
            ("cloud.example:80", true, None, false),
            ("cloud.example:8080", true, Some(8080), true),
        ] {
            let settings = read(&[proxy, ("NO_PROXY", no_proxy)]).unwrap();
            let proxy = settings.proxy_for(is_encrypted, "cloud.example", port);
            assert_eq!(proxy.is_none(), is_direct, "{no_proxy} {is_encrypted}");
        }
    }

    #[test]
    fn address_is_read_with_spaces_around_and_without_a_scheme() {
        for (value, scheme) in [
            (" http://proxy.example:8080 \n", "http"),
            ("proxy.example:8080", "http"),
            ("https://ops:p%40ss@proxy.example:8080/", "https"),
            ("socks5h://proxy.example:1080", "socks5h"),
        ] {
            let settings = read(&[("HTTPS_PROXY", value)]).unwrap();
            let proxy = settings.https.as_ref().unwrap();
            assert_eq!(proxy.address.scheme(), scheme);
            assert_eq!(proxy.address.host_str(), Some("proxy.example"));
            assert!(
                settings.apply(reqwest::Client::builder()).is_ok(),
                "{value}"
            );
        }
    }

    #[tokio::test]
    async fn client_calls_through_the_proxy_and_keeps_its_other_settings() {
        let server = wiremock::MockServer::start().await;
        let redirect = wiremock::ResponseTemplate::new(307)
            .insert_header("location", "http://elsewhere.invalid/");
        wiremock::Mock::given(wiremock::matchers::any())
            .respond_with(redirect)
            .mount(&server)
            .await;
        let settings = read(&[("HTTP_PROXY", &*server.uri())]).unwrap();
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none());
        let client = settings.apply(client).unwrap().build().unwrap();
        let response = client.get("http://cloud.invalid/").send().await.unwrap();
        assert_eq!(response.status(), 307, "the redirect is not followed");
    }

    #[test]
    fn variable_of_a_call_depends_on_scheme_and_no_proxy() {
        let settings = read(&[
            ("HTTPS_PROXY", " "),
            ("all_proxy", "socks5://a:1"),
            ("HTTP_PROXY", "http://b:2"),
            ("NO_PROXY", "internal"),
        ]);
        let settings = settings.unwrap();
        let variable = |is_encrypted, host| {
            let proxy = settings.proxy_for(is_encrypted, host, None);
            proxy.map(|proxy| proxy.name)
        };
        assert_eq!(variable(true, "cloud.example"), Some("all_proxy"));
        assert_eq!(variable(false, "cloud.example"), Some("HTTP_PROXY"));
        assert_eq!(variable(true, "a.internal"), None);
        let cgi = read(&[("HTTP_PROXY", "http://b:2"), ("REQUEST_METHOD", "GET")]).unwrap();
        assert!(cgi.proxy_for(false, "cloud.example", None).is_none());
    }

    #[test]
    fn first_variable_with_a_value_has_precedence_as_in_curl() {
        let https = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
        let http = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];
        for (is_encrypted, names) in [(true, https), (false, http)] {
            for (first, expected) in names.into_iter().enumerate() {
                for without_value in ["", " "] {
                    let value = |place| match place < first {
                        true => without_value,
                        false => "http://proxy.example:8080",
                    };
                    let variables: Vec<_> = names.into_iter().zip((0..).map(value)).collect();
                    let settings = read(&variables).unwrap();
                    let proxy = settings.proxy_for(is_encrypted, "cloud.example", None);
                    assert_eq!(proxy.unwrap().name, expected);
                }
            }
        }
    }

    #[test]
    fn no_proxy_in_lower_case_has_precedence_unless_it_is_empty() {
        for (lower, upper, is_direct) in [
            (Some("cloud.example"), Some("other"), true),
            (Some("other"), Some("cloud.example"), false),
            (Some("other"), None, false),
            (Some(""), Some("cloud.example"), true),
            (Some(" "), Some("cloud.example"), true),
            (None, Some("cloud.example"), true),
            (Some(""), Some(""), false),
        ] {
            let mut variables = vec![("HTTPS_PROXY", "http://proxy.example:8080")];
            variables.extend(lower.map(|value| ("no_proxy", value)));
            variables.extend(upper.map(|value| ("NO_PROXY", value)));
            let settings = read(&variables).unwrap();
            let proxy = settings.proxy_for(true, "cloud.example", None);
            assert_eq!(proxy.is_none(), is_direct, "{variables:?}");
        }
    }

    #[test]
    fn address_without_a_port_has_the_port_of_its_scheme() {
        for (address, port) in [
            ("proxy.example", 80),
            ("https://proxy.example", 443),
            ("socks5h://proxy.example", 1080),
            ("socks4://ops@proxy.example/", 1080),
            ("socks5://proxy.example:80", 80),
        ] {
            let url = parse(address).unwrap();
            assert_eq!(url.port_or_known_default(), Some(port), "{address}");
        }
    }
}
