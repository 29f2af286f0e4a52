//! The configuration of the Huawei ECS provider: region, endpoint and project.

use lifecycle_core::{Endpoint, Fault, FaultKind, ProviderContext};

use crate::identity::{DOMAIN, domain, host};

/// The region and the project of Huawei Cloud ECS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    endpoint: Endpoint,
    region: String,
    project_id: String,
    enterprise_project: Option<String>,
}

impl Config {
    /// Creates a configuration with the host of `region` over HTTPS:
    /// `ecs.{region}.myhuaweicloud.com`.
    ///
    /// Any region name is accepted, because Huawei adds regions. Examples are `cn-north-4`,
    /// `ap-southeast-1` and `eu-west-101`. Huawei's Python SDK has this host for every region.
    /// Huawei's Terraform provider has `myhuaweicloud.eu` for regions that start with `eu-west-1`,
    /// and partner clouds have other domains: see [`with_domain`](Self::with_domain).
    ///
    /// `project_id` is part of every path: 32 hexadecimal digits, shown in the console under
    /// "My Credentials".
    ///
    /// # Errors
    /// [`ConfigError::Region`] when `region` is not a valid label of a host name: 1 to 63 letters,
    /// digits and hyphens, without a hyphen at the start or the end. [`ConfigError::ProjectId`]
    /// when `project_id` is empty or has characters other than letters, digits, `-` and `_`.
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

    /// Sets a custom endpoint, such as a partner cloud, a private endpoint or a simulator.
    #[must_use]
    pub fn with_endpoint(mut self, endpoint: Endpoint) -> Self {
        self.endpoint = endpoint;
        self
    }

    /// Sets the domain of the region's host, such as `myhuaweicloud.eu` or the domain of a partner
    /// cloud.
    ///
    /// # Errors
    /// [`ConfigError::Domain`] when `domain` cannot be part of a host name.
    pub fn with_domain(mut self, domain: &str) -> Result<Self, ConfigError> {
        self.endpoint = host("ecs", &self.region, domain)
            .map_err(|_| ConfigError::Domain(domain.to_owned()))?;
        Ok(self)
    }

    /// Limits lists to an enterprise project (企业项目); `all_granted_eps` means every enterprise
    /// project that the key can access.
    ///
    /// Required for a user whose permissions are limited to enterprise projects: otherwise the
    /// cloud rejects lists (<https://support.huaweicloud.com/api-ecs/zh-cn_topic_0094148850.html>).
    /// Power actions and the call for a single server have no such parameter.
    #[must_use]
    pub fn with_enterprise_project(mut self, id: impl Into<String>) -> Self {
        self.enterprise_project = Some(id.into());
        self
    }

    /// Returns the endpoint of the calls.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Returns the region, in lower case.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Returns the id of the project that holds the servers.
    pub fn project_id(&self) -> &str {
        &self.project_id
    }

    /// Returns the enterprise project that limits lists.
    pub fn enterprise_project(&self) -> Option<&str> {
        self.enterprise_project.as_deref()
    }
}

/// An invalid configuration, detected before any request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The region cannot be part of a host name.
    #[error("invalid region {0:?}: use letters, digits and hyphens")]
    Region(String),
    /// The domain cannot be part of a host name.
    #[error("invalid domain {0:?}: use letters, digits, hyphens and dots")]
    Domain(String),
    /// The project id cannot be part of a path.
    #[error("invalid project id {0:?}: use letters, digits, - and _")]
    ProjectId(String),
}

/// Returns the endpoint that the environment variables of Huawei's tools set; `None` when no
/// variable is set.
///
/// First the variable of Huawei's SDKs, such as `HUAWEICLOUD_SDK_REGION_ECS_CN_NORTH_4` (the first
/// of several endpoints), then the region's host in the domain of `HW_CLOUD`, the variable of
/// Huawei's Terraform provider. The endpoint is HTTPS by default. The SDKs' file
/// `~/.huaweicloud/regions.yaml` is not read.
///
/// # Errors
/// [`FaultKind::Invalid`] with the name of the variable when the value is not a valid endpoint.
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

/// Returns true if the text needs no escapes in a path or a header.
pub(crate) fn is_project_id(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use provider_testing::FakeHost;

    use super::*;
    use crate::credentials::tests::ctx;

    const PROJECT: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn region_selects_the_host() {
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
    fn domain_replaces_the_domain_of_the_host() {
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
    fn endpoint_comes_from_huaweis_variables() {
        let sdk_variable = "HUAWEICLOUD_SDK_REGION_ECS_CN_NORTH_4";
        let domain_variable = "HW_CLOUD";
        for (variables, expected) in [
            (&[][..], None),
            (&[(domain_variable, "myhuaweicloud.com")], None),
            (
                &[("HUAWEICLOUD_SDK_REGION_ECS_CN_NORTH_1", "a.example")],
                None,
            ),
            (
                &[(domain_variable, "b.example")],
                Some("https://ecs.cn-north-4.b.example"),
            ),
            (
                &[(sdk_variable, "a.example"), (domain_variable, "b.example")],
                Some("https://a.example"),
            ),
            (
                &[(
                    sdk_variable,
                    "http://127.0.0.1:7070 , https://second.example",
                )],
                Some("http://127.0.0.1:7070"),
            ),
        ] {
            for region in ["cn-north-4", "CN-North-4"] {
                let endpoint = endpoint_from(region, &ctx(&FakeHost::new(variables))).unwrap();
                let endpoint = endpoint.map(|endpoint| endpoint.to_string());
                assert_eq!(endpoint.as_deref(), expected, "{variables:?}");
            }
        }
        for (variable, value) in [
            (sdk_variable, "ftp://a"),
            (sdk_variable, ","),
            (domain_variable, "a/b"),
        ] {
            let host = FakeHost::new(&[(variable, value)]);
            let fault = endpoint_from("cn-north-4", &ctx(&host)).unwrap_err();
            assert_eq!(fault.kind(), FaultKind::Invalid);
            assert!(fault.message().starts_with(variable), "{fault}");
        }
    }

    #[test]
    fn region_that_is_not_a_host_label_is_rejected() {
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
    fn project_id_that_could_change_the_path_is_rejected() {
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
    fn endpoint_and_enterprise_project_are_configurable() {
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
