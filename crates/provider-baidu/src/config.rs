//! The configuration of the Baidu BCC provider: the endpoint, one host for each region.

use lifecycle_core::{Endpoint, Fault, FaultKind, ParseEndpointError, ProviderContext};

use crate::credentials::{has_terraform_key, stored_profile};

/// A region of BCC and its endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    endpoint: Endpoint,
    pub(crate) batch_reboot: bool,
    /// The endpoint may list the regions.
    pub(crate) has_regions: bool,
}

impl Config {
    /// Returns the configuration for a region, with the host `bcc.{region}.baidubce.com` and HTTPS.
    ///
    /// Regions are `bj`, `bd`, `gz`, `su`, `fwh`, `hkg` and others
    /// (<https://cloud.baidu.com/doc/BCC/s/0jwvyo603>). Baidu adds regions, so an unknown region is
    /// accepted.
    ///
    /// # Errors
    /// [`ParseEndpointError`] if `region` is not a label of a host name: 1 to 63 letters, digits and
    /// hyphens, without a hyphen at either end.
    pub fn new(region: &str) -> Result<Self, ParseEndpointError> {
        let endpoint = Endpoint::of_region(region, |region| format!("bcc.{region}.baidubce.com"))?;
        Ok(Self {
            endpoint,
            batch_reboot: false,
            has_regions: false,
        })
    }

    /// Returns the configuration for the list of regions, with the host `bcc.baidubce.com` and HTTPS.
    ///
    /// According to the documents of Baidu's SDKs, this host lists the regions and has no other call, and
    /// the hosts of the regions do not list regions.
    pub fn global() -> Self {
        #[expect(clippy::expect_used, reason = "the constant is valid")]
        let endpoint = Endpoint::parse("bcc.baidubce.com").expect("a host is an endpoint");
        Self {
            endpoint,
            batch_reboot: false,
            has_regions: true,
        }
    }

    /// Sets another endpoint, such as a private endpoint or a simulator. The endpoint may list the
    /// regions.
    #[must_use]
    pub fn with_endpoint(mut self, endpoint: Endpoint) -> Self {
        self.endpoint = endpoint;
        self.has_regions = true;
        self
    }

    /// Reboots up to 100 instances in one call, `PUT /v2/instance/batchAction?reboot`.
    ///
    /// Only hand-written SDKs of Baidu have this call: no vendor page, no API metadata and no generated
    /// SDK. If Baidu rejects the call as unknown, the instances are rebooted one by one.
    #[must_use]
    pub fn with_batch_reboot(mut self) -> Self {
        self.batch_reboot = true;
        self
    }

    /// Returns the endpoint.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }
}

/// Returns the endpoint in the settings of the tools of Baidu; `None` without such a setting.
///
/// The endpoint is the variable `BCC_ENDPOINT` of the Terraform provider, or else the endpoint of the
/// current profile in `~/.bce/config.json`. The default scheme is HTTPS. The endpoint of a profile
/// for another region is ignored.
///
/// # Errors
/// [`FaultKind::Invalid`] with the variable or the profile for an invalid endpoint, and
/// [`FaultKind::Credential`] for a file that cannot be read.
pub fn endpoint_from(region: &str, ctx: &ProviderContext<'_>) -> Result<Option<Endpoint>, Fault> {
    if let Some(text) = ctx.variable(ENDPOINT_VAR) {
        return parse(ENDPOINT_VAR, &text).map(Some);
    }
    if has_terraform_key(ctx) {
        // The profile and its endpoint are not used then.
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
    let setting = format!("endpoint of {}", profile.title());
    parse(&setting, endpoint).map(Some)
}

const ENDPOINT_VAR: &str = "BCC_ENDPOINT";

fn parse(setting: &str, text: &str) -> Result<Endpoint, Fault> {
    Endpoint::parse(text)
        .map_err(|error| Fault::new(FaultKind::Invalid, format!("{setting}: {error}")))
}

#[cfg(test)]
mod tests {
    use lifecycle_core::Provider;

    use super::*;
    use crate::{
        Baidu,
        credentials::tests::{CONFIG, context, host},
    };

    #[test]
    fn variable_and_profile_of_the_region_replace_the_endpoint() {
        let profile = r#"{"current": "x", "profiles": [
            {"name": "x", "mode": "AK", "region": "bj", "endpoint": "p.example"}]}"#;
        let anywhere = r#"{"current": "x", "profiles": [
            {"name": "x", "endpoint": "http://127.0.0.1:7070"}]}"#;
        let without_endpoint = r#"{"current": "x", "profiles": [
            {"name": "x", "region": "bj", "endpoint": " "}]}"#;
        for (texts, region, expected) in [
            (&[][..], "bj", None),
            (&[(CONFIG, "{}")], "bj", None),
            (&[(CONFIG, profile)], "BJ", Some("https://p.example")),
            (&[(CONFIG, profile)], "gz", None),
            (&[(CONFIG, anywhere)], "gz", Some("http://127.0.0.1:7070")),
            (&[(CONFIG, without_endpoint)], "bj", None),
            // The key of Terraform is used, not the profile. Half a key is a fault of the key.
            (
                &[
                    (CONFIG, anywhere),
                    ("BAIDUCLOUD_ACCESS_KEY", "id"),
                    ("BAIDUCLOUD_SECRET_KEY", "secret"),
                ],
                "gz",
                None,
            ),
            (
                &[(CONFIG, anywhere), ("BAIDUCLOUD_ACCESS_KEY", "id")],
                "gz",
                None,
            ),
            (
                &[(CONFIG, profile), (ENDPOINT_VAR, "v.example")],
                "gz",
                Some("https://v.example"),
            ),
        ] {
            let endpoint = endpoint_from(region, &context(&host(texts))).unwrap();
            let endpoint = endpoint.map(|endpoint| endpoint.to_string());
            assert_eq!(endpoint.as_deref(), expected, "{texts:?}");
        }
        let bad = r#"{"current": "x", "profiles": [{"name": "x", "endpoint": "a b"}]}"#;
        for (texts, named) in [
            (&[(ENDPOINT_VAR, "ftp://a")][..], ENDPOINT_VAR),
            (
                &[(CONFIG, bad)],
                r#"endpoint of profile "x" in ~/.bce/config.json: "#,
            ),
            (&[(CONFIG, "{")], CONFIG),
        ] {
            let fault = endpoint_from("bj", &context(&host(texts))).unwrap_err();
            assert!(fault.message().starts_with(named), "{fault}");
        }
    }

    #[test]
    fn region_is_part_of_the_host() {
        for (region, host) in [
            ("bj", "https://bcc.bj.baidubce.com"),
            ("HKG", "https://bcc.hkg.baidubce.com"),
            ("new-1", "https://bcc.new-1.baidubce.com"),
        ] {
            assert_eq!(Config::new(region).unwrap().endpoint().to_string(), host);
        }
    }

    #[test]
    fn region_that_is_not_a_label_is_rejected() {
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
    fn custom_endpoint_replaces_the_host_of_the_region() {
        let local = Endpoint::parse("http://127.0.0.1:7070").unwrap();
        let config = Config::new("bj").unwrap().with_endpoint(local.clone());
        assert_eq!(config.endpoint(), &local);
    }

    #[test]
    fn regions_are_listed_by_the_host_without_a_region_and_by_a_custom_endpoint() {
        let regional = Config::new("bj").unwrap();
        let global = Config::global();
        assert_eq!(global.endpoint().to_string(), "https://bcc.baidubce.com");
        let local = Endpoint::parse("http://127.0.0.1:7070").unwrap();
        for (config, expected) in [
            (regional.clone(), false),
            (global, true),
            (regional.with_endpoint(local), true),
        ] {
            assert_eq!(Baidu::new(config).regions().is_some(), expected);
        }
    }
}
