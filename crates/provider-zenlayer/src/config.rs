//! Where ZEC is reached, and what part of it is looked at.

use lifecycle_core::{Endpoint, Fault, FaultKind, ProviderContext};

/// Where ZEC is reached, and which resource group is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    endpoint: Endpoint,
    resource_group: Option<String>,
}

impl Config {
    /// The one host of all regions, `console.zenlayer.com`, over HTTPS; all resource groups.
    pub fn new() -> Self {
        #[expect(clippy::expect_used, reason = "a constant, which every test parses")]
        let endpoint = Endpoint::parse("console.zenlayer.com").expect("a host is an endpoint");
        Self {
            endpoint,
            resource_group: None,
        }
    }

    /// With another endpoint, such as a proxy or a simulator.
    #[must_use]
    pub fn with_endpoint(mut self, endpoint: Endpoint) -> Self {
        self.endpoint = endpoint;
        self
    }

    /// Observing and listing see this resource group only, by its id. Instances of other groups
    /// look as if they did not exist. Power actions have no such filter.
    #[must_use]
    pub fn with_resource_group(mut self, id: impl Into<String>) -> Self {
        self.resource_group = Some(id.into());
        self
    }

    /// Where the calls go.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The resource group that is looked at; `None` for all.
    pub fn resource_group(&self) -> Option<&str> {
        self.resource_group.as_deref()
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

/// Where Zenlayer's own variables send the calls instead; `None` when they say nothing.
///
/// `ZENLAYER_ENDPOINT` as its command line has it, else `ZENLAYERCLOUD_DOMAIN` with
/// `ZENLAYERCLOUD_SCHEME` as its Terraform provider has them. HTTPS unless they say HTTP. One host
/// serves all regions, so the region changes nothing.
///
/// # Errors
/// [`FaultKind::Invalid`], naming the variable, when its value is no endpoint.
pub fn endpoint_from(_: &str, ctx: &ProviderContext<'_>) -> Result<Option<Endpoint>, Fault> {
    if let Some(text) = ctx.variable(ENDPOINT) {
        return parse(ENDPOINT, &text).map(Some);
    }
    let Some(mut domain) = ctx.variable(DOMAIN) else {
        return Ok(None);
    };
    match ctx.variable(SCHEME) {
        Some(scheme) if !domain.contains("://") => {
            if !["http", "https"].contains(&scheme.to_ascii_lowercase().as_str()) {
                let message = format!("{SCHEME}: {scheme:?} is neither HTTP nor HTTPS");
                return Err(Fault::new(FaultKind::Invalid, message));
            }
            domain = format!("{scheme}://{domain}");
        }
        _ => {}
    }
    parse(DOMAIN, &domain).map(Some)
}

const ENDPOINT: &str = "ZENLAYER_ENDPOINT";
const DOMAIN: &str = "ZENLAYERCLOUD_DOMAIN";
const SCHEME: &str = "ZENLAYERCLOUD_SCHEME";

fn parse(variable: &str, text: &str) -> Result<Endpoint, Fault> {
    Endpoint::parse(text)
        .map_err(|error| Fault::new(FaultKind::Invalid, format!("{variable}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::tests::{Toy, ctx};

    #[test]
    fn variables_send_the_calls_elsewhere() {
        let cases = [
            (&[][..], None),
            (&[(SCHEME, "http")], None),
            (&[(ENDPOINT, "a.example")], Some("https://a.example")),
            (
                &[(ENDPOINT, "http://127.0.0.1:7070"), (DOMAIN, "b.example")],
                Some("http://127.0.0.1:7070"),
            ),
            (&[(DOMAIN, "b.example")], Some("https://b.example")),
            (
                &[(DOMAIN, "b.example"), (SCHEME, "HTTPS")],
                Some("https://b.example"),
            ),
            (
                &[(DOMAIN, "b.example:8080"), (SCHEME, "HTTP")],
                Some("http://b.example:8080"),
            ),
            (
                &[(DOMAIN, "https://b.example"), (SCHEME, "HTTP")],
                Some("https://b.example"),
            ),
        ];
        for (variables, expected) in cases {
            let endpoint = endpoint_from("any", &ctx(&Toy::new(variables))).unwrap();
            let endpoint = endpoint.map(|endpoint| endpoint.to_string());
            assert_eq!(endpoint.as_deref(), expected, "{variables:?}");
        }
        for (variables, named) in [
            (&[(ENDPOINT, "ftp://a")][..], ENDPOINT),
            (&[(ENDPOINT, "https://a/b")], ENDPOINT),
            (&[(DOMAIN, "a b")], DOMAIN),
            (&[(DOMAIN, "a"), (SCHEME, "gopher")], SCHEME),
        ] {
            let fault = endpoint_from("any", &ctx(&Toy::new(variables))).unwrap_err();
            assert_eq!(fault.kind(), FaultKind::Invalid);
            assert!(fault.message().starts_with(named), "{fault}");
        }
    }

    #[test]
    fn one_host_and_all_groups_unless_told_otherwise() {
        let config = Config::default();
        assert_eq!(
            config.endpoint().to_string(),
            "https://console.zenlayer.com"
        );
        assert_eq!(config.resource_group(), None);

        let local = Endpoint::parse("http://127.0.0.1:7070").unwrap();
        let config = config
            .with_endpoint(local.clone())
            .with_resource_group("group-1");
        assert_eq!(config.endpoint(), &local);
        assert_eq!(config.resource_group(), Some("group-1"));
    }
}
