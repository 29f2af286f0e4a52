//! Where the cloud is reached.

use lifecycle_core::{ParseEndpointError, Endpoint, Fault, FaultKind, ProviderContext};

/// Which region to talk to, and where it is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    endpoint: Endpoint,
}

impl Config {
    // Has each region a host of its own, or is there one host for all?
    // Are there exceptions to the pattern? Are there private endpoints?
    // What else is in every request, such as a project? It is an argument here, if it is required.

    /// The region's own host, over HTTPS.
    ///
    /// # Errors
    /// [`ParseEndpointError`] when `region` cannot be part of a host name.
    pub fn new(region: &str) -> Result<Self, ParseEndpointError> {
        let endpoint = Endpoint::of_region(region, |region| format!("{region}.example.com"))?;
        Ok(Self { endpoint })
    }

    /// With another endpoint, such as a private one or a simulator.
    #[must_use]
    pub fn with_endpoint(mut self, endpoint: Endpoint) -> Self {
        self.endpoint = endpoint;
        self
    }

    /// Where the calls go.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }
}

// Which variables or files of the vendor's tools send the calls elsewhere, and which go first?
// Are they about one region? Then `region` decides whether they count.

/// Where the cloud's own variables send the calls of a region instead; `None` when they say nothing.
///
/// `EXAMPLE_ENDPOINT` is about all regions, so the region changes nothing.
///
/// # Errors
/// [`FaultKind::Invalid`], naming the variable, when its value is no endpoint.
pub fn endpoint_from(_: &str, ctx: &ProviderContext<'_>) -> Result<Option<Endpoint>, Fault> {
    let Some(text) = ctx.variable(ENDPOINT) else {
        return Ok(None);
    };
    let invalid = |bad| Fault::new(FaultKind::Invalid, format!("{ENDPOINT}: {bad}"));
    Endpoint::parse(&text).map(Some).map_err(invalid)
}

const ENDPOINT: &str = "EXAMPLE_ENDPOINT";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::tests::{Toy, ctx};

    #[test]
    fn each_region_has_its_host_unless_told_otherwise() {
        let config = Config::new("r1").unwrap();
        assert_eq!(config.endpoint().to_string(), "https://r1.example.com");
        assert!(Config::new("r1.elsewhere").is_err());
        let local = Endpoint::parse("http://127.0.0.1:7070").unwrap();
        assert_eq!(config.with_endpoint(local.clone()).endpoint(), &local);
    }

    #[test]
    fn a_variable_sends_the_calls_elsewhere() {
        let from = |texts: &[_]| endpoint_from("r1", &ctx(&Toy::new(texts)));
        assert_eq!(from(&[]), Ok(None));
        let endpoint = from(&[(ENDPOINT, "proxy.example.com")]).unwrap().unwrap();
        assert_eq!(endpoint.to_string(), "https://proxy.example.com");
        let fault = from(&[(ENDPOINT, "ftp://proxy")]).unwrap_err();
        assert_eq!(fault.kind(), FaultKind::Invalid);
        assert!(fault.message().starts_with(ENDPOINT), "{fault}");
    }
}
