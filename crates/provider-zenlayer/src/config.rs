//! Where ZEC is reached, and what part of it is looked at.

use lifecycle_core::Endpoint;

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

#[cfg(test)]
mod tests {
    use super::*;

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
