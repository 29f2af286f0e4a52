//! Where ECS is reached, and in which project its servers are.

use lifecycle_core::{Endpoint, Fault, FaultKind, ProviderContext};

use crate::identity::{DOMAIN, domain, host};

/// Which region and project of Huawei Cloud ECS to talk to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    endpoint: Endpoint,
    region: String,
    project_id: String,
    enterprise_project: Option<String>,
}

impl Config {
    /// The region's own host, `ecs.{region}.myhuaweicloud.com`, over HTTPS.
    ///
    /// Regions are `cn-north-4`, `ap-southeast-1`, `eu-west-101` and others. Huawei adds regions,
    /// so none is refused for being unknown. Its Python SDK has this host for every region; its
    /// Terraform provider has `myhuaweicloud.eu` for those that start with `eu-west-1`, and
    /// partner clouds have domains of their own: see [`with_domain`](Self::with_domain).
    ///
    /// `project_id` is part of every path: 32 hexadecimal digits, which the console shows under
    /// "My Credentials".
    ///
    /// # Errors
    /// [`ConfigError::Region`] when `region` is not one label of a host name: 1 to 63 letters,
    /// digits and hyphens, with no hyphen at either end. [`ConfigError::ProjectId`] when
    /// `project_id` is empty or has other characters than letters, digits, `-` and `_`.
    pub fn new(region: &str, project_id: &str) -> Result<Self, ConfigError> {
        if !is_project_id(project_id) {
            return Err(ConfigError::ProjectId(project_id.to_owned()));
        }
        let endpoint =
            host("ecs", region, DOMAIN).map_err(|_| ConfigError::Region(region.to_owned()))?;
        Ok(Self {
            endpoint,
            region: region.to_ascii_lowercase(),
            project_id: project_id.to_owned(),
            enterprise_project: None,
        })
    }

    /// With another endpoint, such as a partner cloud's, a private one or a simulator.
    #[must_use]
    pub fn with_endpoint(mut self, endpoint: Endpoint) -> Self {
        self.endpoint = endpoint;
        self
    }

    /// With the region's host in another domain, such as `myhuaweicloud.eu` or a partner cloud's.
    ///
    /// # Errors
    /// [`ConfigError::Domain`] when it could not be part of a host name.
    pub fn with_domain(mut self, domain: &str) -> Result<Self, ConfigError> {
        self.endpoint = host("ecs", &self.region, domain)
            .map_err(|_| ConfigError::Domain(domain.to_owned()))?;
        Ok(self)
    }

    /// Reads only servers of this enterprise project; `all_granted_eps` stands for every one that
    /// the key may see.
    ///
    /// A user whose permissions are limited to enterprise projects needs it, or the cloud refuses
    /// to list (<https://support.huaweicloud.com/api-ecs/zh-cn_topic_0094148850.html>).
    /// Power actions and the call that shows a single server have no such parameter.
    #[must_use]
    pub fn with_enterprise_project(mut self, id: impl Into<String>) -> Self {
        self.enterprise_project = Some(id.into());
        self
    }

    /// Where the calls go.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The region, in lower case.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The project in which the servers are.
    pub fn project_id(&self) -> &str {
        &self.project_id
    }

    /// The enterprise project to which lists are limited, where there is one.
    pub fn enterprise_project(&self) -> Option<&str> {
        self.enterprise_project.as_deref()
    }
}

/// A configuration that was refused before anything was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The region could not be part of a host name.
    #[error("region {0:?} is not one label of a host name")]
    Region(String),
    /// The domain could not be part of a host name.
    #[error("domain {0:?} cannot be part of a host name")]
    Domain(String),
    /// The project id could not be part of a path.
    #[error("project id {0:?} is empty or has other characters than letters, digits, - and _")]
    ProjectId(String),
}

/// Where the settings of Huawei's own tools send the calls instead; `None` when they say nothing.
///
/// `HUAWEICLOUD_SDK_REGION_ECS_CN_NORTH_4` and the like, as its SDKs have them (of several endpoints
/// the first), else the region's host in the domain of `HW_CLOUD`, as its Terraform provider has
/// it. HTTPS unless they say HTTP. The SDKs' file `~/.huaweicloud/regions.yaml` is not read.
///
/// # Errors
/// [`FaultKind::Invalid`], naming the variable, when its value is no endpoint.
pub fn endpoint_from(region: &str, ctx: &ProviderContext<'_>) -> Result<Option<Endpoint>, Fault> {
    let variable = format!(
        "HUAWEICLOUD_SDK_REGION_ECS_{}",
        region.to_ascii_uppercase().replace('-', "_")
    );
    if let Some(text) = ctx.variable(&variable) {
        let first = text.split(',').next().unwrap_or_default().trim();
        return Endpoint::parse(first)
            .map(Some)
            .map_err(|error| Fault::new(FaultKind::Invalid, format!("{variable}: {error}")));
    }
    domain(ctx)
        .map(|domain| host("ecs", region, &domain))
        .transpose()
        .map_err(|error| Fault::new(FaultKind::Invalid, format!("HW_CLOUD: {error}")))
}

/// Can this stand in a path and in a header as it is?
pub(crate) fn is_project_id(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::tests::{Toy, ctx};

    const PROJECT: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn a_region_becomes_a_host() {
        for (region, host) in [
            ("cn-north-4", "https://ecs.cn-north-4.myhuaweicloud.com"),
            ("EU-West-101", "https://ecs.eu-west-101.myhuaweicloud.com"),
            ("new9", "https://ecs.new9.myhuaweicloud.com"),
        ] {
            let config = Config::new(region, PROJECT).unwrap();
            assert_eq!(config.endpoint().to_string(), host);
            assert_eq!(config.region(), region.to_lowercase());
            assert_eq!(config.project_id(), PROJECT);
            assert_eq!(config.enterprise_project(), None);
        }
    }

    #[test]
    fn another_domain_has_the_same_hosts() {
        let config = Config::new("eu-west-101", PROJECT).unwrap();
        let config = config.with_domain("myhuaweicloud.eu").unwrap();
        assert_eq!(
            config.endpoint().to_string(),
            "https://ecs.eu-west-101.myhuaweicloud.eu"
        );
        for domain in ["a b", "a/b", "a#", "a@b", "a?b", "a:b"] {
            assert_eq!(
                config.clone().with_domain(domain),
                Err(ConfigError::Domain(domain.to_owned()))
            );
        }
    }

    #[test]
    fn variables_send_the_calls_elsewhere() {
        let own = "HUAWEICLOUD_SDK_REGION_ECS_CN_NORTH_4";
        let cloud = "HW_CLOUD";
        for (variables, expected) in [
            (&[][..], None),
            (&[(cloud, "myhuaweicloud.com")], None),
            (
                &[("HUAWEICLOUD_SDK_REGION_ECS_CN_NORTH_1", "a.example")],
                None,
            ),
            (
                &[(cloud, "b.example")],
                Some("https://ecs.cn-north-4.b.example"),
            ),
            (
                &[(own, "a.example"), (cloud, "b.example")],
                Some("https://a.example"),
            ),
            (
                &[(own, "http://127.0.0.1:7070 , https://second.example")],
                Some("http://127.0.0.1:7070"),
            ),
        ] {
            for region in ["cn-north-4", "CN-North-4"] {
                let endpoint = endpoint_from(region, &ctx(&Toy::new(variables))).unwrap();
                let endpoint = endpoint.map(|endpoint| endpoint.to_string());
                assert_eq!(endpoint.as_deref(), expected, "{variables:?}");
            }
        }
        for (variable, value) in [(own, "ftp://a"), (own, ","), (cloud, "a/b")] {
            let toy = Toy::new(&[(variable, value)]);
            let fault = endpoint_from("cn-north-4", &ctx(&toy)).unwrap_err();
            assert_eq!(fault.kind(), FaultKind::Invalid);
            assert!(fault.message().starts_with(variable), "{fault}");
        }
    }

    #[test]
    fn what_is_no_label_is_no_region() {
        let long = "x".repeat(64);
        for region in [
            "", "-cn", "cn-", "c.n", "c n", "c/n", "c:80", "c#", "c?", "a@b", "://", "c_n", "é",
            &long,
        ] {
            assert_eq!(
                Config::new(region, PROJECT),
                Err(ConfigError::Region(region.to_owned()))
            );
        }
    }

    #[test]
    fn a_project_id_cannot_change_the_path() {
        for id in [
            "",
            ".",
            "..",
            "a/b",
            "a b",
            "a?b",
            "a#b",
            "a%2fb",
            "a\nb",
            "é",
            "{project_id}",
        ] {
            assert_eq!(
                Config::new("cn-north-4", id),
                Err(ConfigError::ProjectId(id.to_owned()))
            );
        }
        assert!(Config::new("cn-north-4", "Aa0-_").is_ok());
    }

    #[test]
    fn endpoint_and_enterprise_project_can_be_given() {
        let local = Endpoint::parse("http://127.0.0.1:7070").unwrap();
        let config = Config::new("eu-west-101", PROJECT)
            .unwrap()
            .with_endpoint(local.clone())
            .with_enterprise_project("all_granted_eps");
        assert_eq!(config.endpoint(), &local);
        assert_eq!(config.region(), "eu-west-101");
        assert_eq!(config.enterprise_project(), Some("all_granted_eps"));
    }
}
