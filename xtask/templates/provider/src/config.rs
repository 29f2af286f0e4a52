//! The configuration of the provider: region and endpoint. A template.

use lifecycle_core::{Endpoint, Fault, FaultKind, ParseEndpointError, ProviderContext};

/// The region and the endpoint of the cloud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    endpoint: Endpoint,
}

impl Config {
    // Does each region have a host, or is there one host for all regions?
    // Are there exceptions to the pattern? Are there private endpoints?
    // Does each request need another value, such as a project? A required value is an argument here.

    /// Returns the configuration of a region, with the region's own host over HTTPS.
    ///
    /// # Errors
    /// [`ParseEndpointError`] if `region` cannot be part of a host name.
    pub fn new(region: &str) -> Result<Self, ParseEndpointError> {
        let endpoint = Endpoint::of_region(region, |region| format!("{region}.example.com"))?;
        Ok(Self { endpoint })
    }

    /// Sets another endpoint, such as a private endpoint or a simulator.
    #[must_use]
    pub fn with_endpoint(mut self, endpoint: Endpoint) -> Self {
        self.endpoint = endpoint;
        self
    }

    /// Returns the endpoint of all calls.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }
}

// Which variables or files of the vendor's tools set another endpoint, and in which order of precedence?
// Do they apply to one region? Then compare `region`.

/// Returns the endpoint that the variables of the vendor's tools set; `None` if no variable is set.
///
/// `EXAMPLE_ENDPOINT` applies to all regions.
///
/// # Errors
/// [`FaultKind::Invalid`] with the name of the variable if the value is not a valid endpoint.
pub fn endpoint_from(_: &str, ctx: &ProviderContext<'_>) -> Result<Option<Endpoint>, Fault> {
    let Some(text) = ctx.variable(ENDPOINT_VAR) else {
        return Ok(None);
    };
    let invalid = |error| Fault::new(FaultKind::Invalid, format!("{ENDPOINT_VAR}: {error}"));
    Endpoint::parse(&text).map(Some).map_err(invalid)
}

const ENDPOINT_VAR: &str = "EXAMPLE_ENDPOINT";

#[cfg(test)]
mod tests {
    use provider_testing::FakeHost;

    use super::*;
    use crate::credentials::tests::ctx;

    #[test]
    fn region_selects_the_host() {
        let config = Config::new("r1").unwrap();
        assert_eq!(config.endpoint().to_string(), "https://r1.example.com");
        assert!(Config::new("r1.elsewhere").is_err());
        let local = Endpoint::parse("http://127.0.0.1:7070").unwrap();
        assert_eq!(config.with_endpoint(local.clone()).endpoint(), &local);
    }

    #[test]
    fn variable_sets_the_endpoint() {
        let from = |texts: &[_]| endpoint_from("r1", &ctx(&FakeHost::new(texts)));
        assert_eq!(from(&[]), Ok(None));
        let endpoint = from(&[(ENDPOINT_VAR, "proxy.example.com")]).unwrap().unwrap();
        assert_eq!(endpoint.to_string(), "https://proxy.example.com");
        let fault = from(&[(ENDPOINT_VAR, "ftp://proxy")]).unwrap_err();
        assert_eq!(fault.kind(), FaultKind::Invalid);
        assert!(fault.message().starts_with(ENDPOINT_VAR), "{fault}");
    }
}
