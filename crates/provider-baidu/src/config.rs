//! Where BCC is reached: one host per region.

use lifecycle_core::{Endpoint, Fault, FaultKind, ParseEndpointError, ProviderContext};

use crate::credentials::{has_key_of_terraform, stored_profile};

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
    /// [`ParseEndpointError`] when `region` is not one label of a host name: 1 to 63 letters, digits and
    /// hyphens, with no hyphen at either end.
    pub fn new(region: &str) -> Result<Self, ParseEndpointError> {
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

/// Where the settings of Baidu's own tools send the calls instead; `None` when they say nothing.
///
/// `BCC_ENDPOINT` as its Terraform provider has it, else the endpoint of the current profile in
/// `~/.bce/config.json`. HTTPS unless they say HTTP. A profile for another region says nothing:
/// its endpoint belongs to that region.
///
/// # Errors
/// [`FaultKind::Invalid`], naming variable or profile, when the value is no endpoint; that of the
/// file when it cannot be read.
pub fn endpoint_from(region: &str, ctx: &ProviderContext<'_>) -> Result<Option<Endpoint>, Fault> {
    if let Some(text) = ctx.variable(ENDPOINT) {
        return parse(ENDPOINT, &text).map(Some);
    }
    if has_key_of_terraform(ctx) {
        // The profile and its address are not used then.
        return Ok(None);
    }
    let Some(profile) = stored_profile(None, ctx)? else {
        return Ok(None);
    };
    let own_region = profile.region.as_deref().map_or("", str::trim);
    let endpoint = profile.endpoint.as_deref().map_or("", str::trim);
    if endpoint.is_empty() || !(own_region.is_empty() || own_region.eq_ignore_ascii_case(region)) {
        return Ok(None);
    }
    let place = format!("endpoint of {}", profile.title());
    parse(&place, endpoint).map(Some)
}

const ENDPOINT: &str = "BCC_ENDPOINT";

fn parse(place: &str, text: &str) -> Result<Endpoint, Fault> {
    Endpoint::parse(text)
        .map_err(|error| Fault::new(FaultKind::Invalid, format!("{place}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::tests::{CONFIG, Toy, ctx};

    #[test]
    fn variables_and_profiles_send_the_calls_elsewhere() {
        let profile = r#"{"current": "x", "profiles": [
            {"name": "x", "mode": "AK", "region": "bj", "endpoint": "p.example"}]}"#;
        let anywhere = r#"{"current": "x", "profiles": [
            {"name": "x", "endpoint": "http://127.0.0.1:7070"}]}"#;
        for (texts, region, expected) in [
            (&[][..], "bj", None),
            (&[(CONFIG, "{}")], "bj", None),
            (&[(CONFIG, profile)], "BJ", Some("https://p.example")),
            (&[(CONFIG, profile)], "gz", None),
            (&[(CONFIG, anywhere)], "gz", Some("http://127.0.0.1:7070")),
            (
                &[(CONFIG, profile), (ENDPOINT, "v.example")],
                "gz",
                Some("https://v.example"),
            ),
        ] {
            let endpoint = endpoint_from(region, &ctx(&Toy::new(texts))).unwrap();
            let endpoint = endpoint.map(|endpoint| endpoint.to_string());
            assert_eq!(endpoint.as_deref(), expected, "{texts:?}");
        }
        let bad = r#"{"current": "x", "profiles": [{"name": "x", "endpoint": "a b"}]}"#;
        for (texts, named) in [
            (&[(ENDPOINT, "ftp://a")][..], ENDPOINT),
            (
                &[(CONFIG, bad)],
                r#"endpoint of profile "x" in ~/.bce/config.json: "#,
            ),
            (&[(CONFIG, "{")], CONFIG),
        ] {
            let fault = endpoint_from("bj", &ctx(&Toy::new(texts))).unwrap_err();
            assert!(fault.message().starts_with(named), "{fault}");
        }
    }

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
