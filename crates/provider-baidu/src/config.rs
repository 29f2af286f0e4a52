//! Where BCC is reached: one host per region.

use lifecycle_core::{BadEndpoint, Endpoint};

/// Which region of BCC to talk to, and where it is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    endpoint: Endpoint,
}

impl Config {
    /// The region's own host, `bcc.{region}.baidubce.com`, over HTTPS.
    ///
    /// Regions are `bj`, `bd`, `gz`, `su`, `fwh`, `hkg` and others
    /// (<https://cloud.baidu.com/doc/BCC/s/0jwvyo603>). Baidu adds regions, so none is refused for
    /// being unknown.
    ///
    /// # Errors
    /// [`BadEndpoint`] when `region` is not one label of a host name: 1 to 63 letters, digits and
    /// hyphens, with no hyphen at either end.
    pub fn new(region: &str) -> Result<Self, BadEndpoint> {
        let endpoint = Endpoint::of_region(region, |region| format!("bcc.{region}.baidubce.com"))?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_becomes_a_host() {
        for (region, host) in [
            ("bj", "https://bcc.bj.baidubce.com"),
            ("HKG", "https://bcc.hkg.baidubce.com"),
            ("new-1", "https://bcc.new-1.baidubce.com"),
        ] {
            assert_eq!(Config::new(region).unwrap().endpoint().to_string(), host);
        }
    }

    #[test]
    fn what_is_no_label_is_no_region() {
        let long = "x".repeat(64);
        for region in [
            "", "-bj", "bj-", "b.j", "b j", "b/j", "b:80", "b#", "b?", "b@c", "://", "b_j", "bé",
            &long,
        ] {
            let error = Config::new(region).expect_err(region).to_string();
            assert!(error.contains(region), "{error}");
        }
    }

    #[test]
    fn an_endpoint_replaces_the_host_of_the_region() {
        let local = Endpoint::parse("http://127.0.0.1:7070").unwrap();
        let config = Config::new("bj").unwrap().with_endpoint(local.clone());
        assert_eq!(config.endpoint(), &local);
    }
}
