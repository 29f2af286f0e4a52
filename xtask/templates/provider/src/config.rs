//! Where the cloud is reached.

use lifecycle_core::{BadEndpoint, Endpoint};

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
    /// [`BadEndpoint`] when `region` cannot be part of a host name.
    pub fn new(region: &str) -> Result<Self, BadEndpoint> {
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
