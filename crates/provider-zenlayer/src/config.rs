//! The configuration of the Zenlayer ZEC provider: the endpoint, and the resource group for reads; and the
//! endpoint in environment variables.

use lifecycle_core::{Endpoint, Fault, FaultKind, ProviderContext};

/// The endpoint of ZEC, and the resource group for reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    endpoint: Endpoint,
    resource_group: Option<String>,
}

impl Config {
    /// Returns the configuration for all regions and all resource groups, with the host
    /// `console.zenlayer.com` and HTTPS.
    pub fn new() -> Self {
        #[expect(clippy::expect_used, reason = "the constant is valid")]
        let endpoint = Endpoint::parse("console.zenlayer.com").expect("a host is an endpoint");
        Self {
            endpoint,
            resource_group: None,
        }
    }

    /// Sets another endpoint, such as a proxy or a simulator.
    #[must_use]
    pub fn with_endpoint(mut self, endpoint: Endpoint) -> Self {
        self.endpoint = endpoint;
        self
    }

    /// Restricts observing and listing to the resource group with this id. Instances of other groups
    /// are reported as not found. Power actions have no such filter.
    #[must_use]
    pub fn with_resource_group(mut self, id: impl Into<String>) -> Self {
        self.resource_group = Some(id.into());
        self
    }

    /// Returns the endpoint.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Returns the id of the resource group; `None` for all groups.
    pub fn resource_group(&self) -> Option<&str> {
        self.resource_group.as_deref()
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns the endpoint in the variables of the tools of Zenlayer; `None` without such a variable.
///
/// The endpoint is `ZENLAYER_ENDPOINT` of Zenlayer's command-line tool, or else `ZENLAYERCLOUD_DOMAIN` with
/// `ZENLAYERCLOUD_SCHEME` of the Terraform provider. A scheme in the domain takes precedence over
/// `ZENLAYERCLOUD_SCHEME`; the default scheme is HTTPS. All regions have the same host, so the region is
/// ignored.
///
/// # Errors
/// [`FaultKind::Invalid`] with the variable for an invalid endpoint or scheme.
pub fn endpoint_from(_region: &str, ctx: &ProviderContext<'_>) -> Result<Option<Endpoint>, Fault> {
    if let Some(text) = ctx.variable(ENDPOINT_VAR) {
        return parse(ENDPOINT_VAR, &text).map(Some);
    }
    let Some(mut domain) = ctx.variable(DOMAIN_VAR) else {
        return Ok(None);
    };
    match ctx.variable(SCHEME_VAR) {
        Some(scheme) if !domain.contains("://") => {
            if !["http", "https"].contains(&scheme.to_ascii_lowercase().as_str()) {
                let message = format!("{SCHEME_VAR}: {scheme:?} is neither HTTP nor HTTPS");
                return Err(Fault::new(FaultKind::Invalid, message));
            }
            domain = format!("{scheme}://{domain}");
        }
        _ => {}
    }
    parse(DOMAIN_VAR, &domain).map(Some)
}

const ENDPOINT_VAR: &str = "ZENLAYER_ENDPOINT";
const DOMAIN_VAR: &str = "ZENLAYERCLOUD_DOMAIN";
const SCHEME_VAR: &str = "ZENLAYERCLOUD_SCHEME";

fn parse(variable: &str, text: &str) -> Result<Endpoint, Fault> {
    Endpoint::parse(text)
        .map_err(|error| Fault::new(FaultKind::Invalid, format!("{variable}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::tests::{context, host};

    #[test]
    fn variables_replace_the_endpoint() {
        let cases = [
            (&[][..], None),
            (&[(SCHEME_VAR, "http")], None),
            (&[(ENDPOINT_VAR, "a.example")], Some("https://a.example")),
            (
                &[
                    (ENDPOINT_VAR, "http://127.0.0.1:7070"),
                    (DOMAIN_VAR, "b.example"),
                ],
                Some("http://127.0.0.1:7070"),
            ),
            (&[(DOMAIN_VAR, "b.example")], Some("https://b.example")),
            (
                &[(DOMAIN_VAR, "b.example"), (SCHEME_VAR, "HTTPS")],
                Some("https://b.example"),
            ),
            (
                &[(DOMAIN_VAR, "b.example:8080"), (SCHEME_VAR, "HTTP")],
                Some("http://b.example:8080"),
            ),
            (
                &[(DOMAIN_VAR, "https://b.example"), (SCHEME_VAR, "HTTP")],
                Some("https://b.example"),
            ),
        ];
        for (variables, expected) in cases {
            let endpoint = endpoint_from("any", &context(&host(variables))).unwrap();
            let endpoint = endpoint.map(|endpoint| endpoint.to_string());
            assert_eq!(endpoint.as_deref(), expected, "{variables:?}");
        }
        for (variables, named) in [
            (&[(ENDPOINT_VAR, "ftp://a")][..], ENDPOINT_VAR),
            (&[(ENDPOINT_VAR, "https://a/b")], ENDPOINT_VAR),
            (&[(DOMAIN_VAR, "a b")], DOMAIN_VAR),
            (&[(DOMAIN_VAR, "a"), (SCHEME_VAR, "gopher")], SCHEME_VAR),
        ] {
            let fault = endpoint_from("any", &context(&host(variables))).unwrap_err();
            assert_eq!(fault.kind(), FaultKind::Invalid);
            assert!(fault.message().starts_with(named), "{fault}");
        }
    }

    #[test]
    fn default_is_the_host_of_all_regions_and_all_resource_groups() {
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
